import { describeSchema, keysOf, tagsOf } from "../../input/guide.ts";
import { scenarioGuide } from "./json-schema.ts";
import type { PathPart } from "../../input/path-part.ts";
import type { JsonSchema } from "../../input/guide.ts";
import { SourceDocument } from "../../input/document.ts";
import { nearest } from "../../input/nearest.ts";
import { formatPath, quoted } from "../../input/problem.ts";
import type { Problem } from "../../input/problem.ts";
import { alternatives } from "../../input/units.ts";

/** A change made by `--set path=value`. */
export interface Override {
  /** As given: `path=value`. */
  readonly text: string;
  readonly path: readonly PathPart[];
}

/** The file name that problems of a `--set` carry. */
export function setFile(text: string): string {
  return `--set ${text}`;
}

/**
 * Applies `--set` changes, in order, to the plain content of a scenario, in place. A path names keys with dots and list
 * entries by index or by their name: `clients.chat.arrivals.poisson.rate`, `operators[0].count`. The value is YAML. Where
 * a choice such as `arrivals` holds another kind, the new kind takes its place.
 */
export function applySets(root: unknown, sets: readonly string[]): { overrides: Override[]; problems: Problem[] } {
  const overrides: Override[] = [];
  const problems: Problem[] = [];
  for (const text of sets) {
    const outcome = applySet(root, text);
    if ("found" in outcome) problems.push(outcome);
    else overrides.push(outcome);
  }
  return { overrides, problems };
}

type Holder = Record<PathPart, unknown>;

function applySet(root: unknown, text: string): Override | Problem {
  const problem = (column: number, path: string, found: string, allowed: string, suggestion?: string): Problem =>
    ({ file: setFile(text), line: 1, column, path, found, allowed, ...(suggestion === undefined ? {} : { suggestion }) });
  const equals = text.indexOf("=");
  if (equals < 1) return problem(1, "", quoted(text), "path=value, such as router.policy=cheapest");
  const segments = splitPath(text.slice(0, equals));
  if (segments === null) return problem(1, "", `the path ${quoted(text.slice(0, equals))}`, "keys with dots between them and indexes in brackets, such as operators[0].count");
  const parsed = new SourceDocument(`value: ${text.slice(equals + 1)}`, setFile(text));
  const fault = parsed.problems[0];
  if (fault !== undefined) return problem(Math.max(1, equals + 2 + fault.column - 8), "", fault.found, "a value in YAML");
  const value = (parsed.value as { value: unknown }).value;

  const path: PathPart[] = [];
  let options = scenarioGuide().at([]);
  let holder = root as Holder;
  for (let i = 0; i < segments.length;) {
    const step = nextStep(holder, options, segments, i);
    if ("found" in step) return problem(1 + columnOf(segments, i), formatPath([...path, step.part]), step.found, step.allowed, step.suggestion);
    replaceChoice(holder, options, step.part);
    path.push(step.part);
    options = scenarioGuide().below(options, step.part);
    i = step.next;
    if (i === segments.length) {
      define(holder, step.part, value);
      return { text, path };
    }
    const inside = holder[step.part];
    if (inside === null || typeof inside !== "object") {
      const scalarOnly = options.length > 0 && options.every((option) => option.properties === undefined && option.additionalProperties === undefined && option.items === undefined);
      if (scalarOnly) return problem(1 + columnOf(segments, i), formatPath([...path, segments[i]!.name]), `the key ${quoted(String(segments[i]!.name))} below ${formatPath(path)}`, `no keys there: ${formatPath(path)} is ${describeSchema(options)}`);
      define(holder, step.part, {});
    }
    holder = holder[step.part] as Holder;
  }
  return problem(1, "", "an empty path", "path=value");
}

interface Segment {
  readonly name: PathPart;
  /** Where in the path it begins. */
  readonly at: number;
}

interface Step {
  readonly part: PathPart;
  readonly next: number;
}

interface Misstep {
  readonly part: PathPart;
  readonly found: string;
  readonly allowed: string;
  readonly suggestion?: string;
}

function nextStep(holder: Holder, options: readonly JsonSchema[], segments: readonly Segment[], i: number): Step | Misstep {
  const { name } = segments[i]!;
  if (Array.isArray(holder)) return typeof name === "number" ? indexStep(holder, name, i) : nameStep(holder, segments, i);
  if (typeof name === "number") return { part: name, found: `the index [${name}] in a map`, allowed: `a key: ${keysOf(options).join(", ")}` };
  // Some keys hold dots themselves (llama.cpp): the longest run of segments that is a key wins.
  const keys = [...keysOf(options), ...Object.keys(holder)];
  for (let end = segments.length; end > i; end--) {
    const joined = segments.slice(i, end).map((segment) => segment.name).join(".");
    if (segments.slice(i, end).every((segment) => typeof segment.name === "string") && keys.includes(joined)) return { part: joined, next: end };
  }
  if (options.some((option) => option.additionalProperties !== false && option.additionalProperties !== undefined)) return { part: name, next: i + 1 };
  const allowed = [...new Set(keysOf(options))];
  const guess = nearest(name, allowed);
  return { part: name, found: `the unknown key ${quoted(name)}`, allowed: `the keys ${allowed.join(", ")}`, ...(guess === undefined ? {} : { suggestion: quoted(guess) }) };
}

function indexStep(list: readonly unknown[], index: number, i: number): Step | Misstep {
  if (index < list.length) return { part: index, next: i + 1 };
  return { part: index, found: `the index ${index}`, allowed: list.length === 0 ? "nothing: the list is empty" : list.length === 1 ? "index 0: the list has one entry" : `0 to ${list.length - 1}` };
}

function nameStep(list: readonly unknown[], segments: readonly Segment[], i: number): Step | Misstep {
  const name = String(segments[i]!.name);
  const names = list.map((entry) => entry !== null && typeof entry === "object" ? String((entry as { name?: unknown }).name) : "");
  const index = names.indexOf(name);
  if (index >= 0) return { part: index, next: i + 1 };
  const guess = nearest(name, names);
  return { part: name, found: `no entry named ${quoted(name)}`, allowed: `${alternatives(names.filter((known) => known !== "" && known !== "undefined"))}, or an index such as [0]`, ...(guess === undefined ? {} : { suggestion: quoted(guess) }) };
}

/** `{poisson: ...}` makes way for `{gamma: ...}`: such a map holds one key. */
function replaceChoice(holder: Holder, options: readonly JsonSchema[], part: PathPart): void {
  const tags = tagsOf(options);
  if (!tags.includes(String(part))) return;
  for (const key of Object.keys(holder)) {
    if (key !== part && tags.includes(key)) delete holder[key];
  }
}

function define(holder: Holder, part: PathPart, value: unknown): void {
  Object.defineProperty(holder, part, { value, writable: true, enumerable: true, configurable: true });
}

function columnOf(segments: readonly Segment[], i: number): number {
  return segments[i]!.at;
}

/** null where it is no path. */
function splitPath(text: string): Segment[] | null {
  const segments: Segment[] = [];
  const pattern = /\[(\d{1,7})\]|"([^"]*)"|([^.[\]"=]+)/y;
  let at = 0;
  while (at < text.length) {
    if (segments.length > 0 && text[at] === ".") at++;
    else if (segments.length > 0 && text[at] !== "[") return null;
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match === null) return null;
    segments.push({ name: match[1] === undefined ? (match[2] ?? match[3]!).trim() : Number(match[1]), at });
    at = pattern.lastIndex;
  }
  return segments.length === 0 ? null : segments;
}
