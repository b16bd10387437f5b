import { readFileSync } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";
import { digest } from "../../protocol/canonical.ts";
import { labCatalogue } from "./catalogue.ts";
import type { Catalogue } from "./catalogue.ts";
import { checkScenario } from "./checks.ts";
import { SourceDocument } from "../../input/document.ts";
import type { DocumentKind } from "../../input/document.ts";
import { findingsOf } from "../../input/findings.ts";
import { scenarioGuide } from "./json-schema.ts";
import type { PathPart } from "../../input/path-part.ts";
import { formatPath } from "../../input/problem.ts";
import { ScenarioError } from "./scenario-error.ts";
import type { Finding, Problem } from "../../input/problem.ts";
import { Resolver } from "./resolve.ts";
import type { Scenario } from "./scenario.ts";
import { scenarioSchema } from "./schema.ts";
import { resolveExperiment } from "./sections/experiment.ts";
import type { ExperimentSpec } from "./sections/experiment.ts";
import { applySets, setFile } from "./sets.ts";
import type { Override } from "./sets.ts";
import { quoted } from "../../input/problem.ts";
import { setText } from "./variation.ts";
import type { Change, Variation } from "./variation.ts";

const scenarioKind: DocumentKind = { noun: "scenario", keys: ["name", "question", "horizon", "operators", "clients"] };

export interface LoadOptions {
  /** Changes as the command line gives them: `path=value`, applied in order. */
  readonly sets?: readonly string[];
  /** Changes that stand in the file itself, applied after `sets`: what is wrong with them is told where they stand. The scenario is taken to be sound without them. */
  readonly variation?: Variation;
  /** Changes that an experiment in the file makes, applied after `sets`: as those, but files that they name lie beside the scenario. */
  readonly innerSets?: readonly string[];
  /** Leaves alone what the file says of experiments: they are about the market as it stands, and need not fit one that an experiment has changed. So it is wherever there is a `variation`. */
  readonly marketOnly?: boolean;
  /** Whether a file that the scenario names can be read; left out: not checked. */
  readonly fileExists?: (path: string) => boolean;
  /** Reads the files whose content becomes part of the scenario, such as tariffs; left out: from the file system. */
  readonly readText?: (path: string) => string;
  /** Where such a file as a trace, which is opened as it is played, lies here; left out: where the scenario says. */
  readonly locate?: (path: string) => string;
  /** Machines and models; left out: those that come with the lab. */
  readonly catalogue?: Catalogue;
}

export interface LoadedScenario {
  readonly scenario: Scenario;
  /** What the file says of experiments with it. */
  readonly experiment: ExperimentSpec;
  /** The file's text, as it is. */
  readonly source: string;
  /** The file's name, as it was given. */
  readonly fileName: string;
  /** Changes that were made. */
  readonly sets: readonly string[];
  /** SHA-256 of the canonical JSON of `scenario`, in hexadecimal: the same for whatever plays the same. */
  readonly hash: string;
}

/**
 * Reads a scenario: YAML, changes, schema, units, and what the parts say about each other.
 * @param source text, or bytes in UTF-8.
 * @param fileName for messages; trace files are looked up beside it.
 * @throws ScenarioError with all problems, each with file, line, column, path, what was found and what is allowed.
 */
export function loadScenario(source: string | Uint8Array, fileName: string, options: LoadOptions = {}): LoadedScenario {
  const outer = options.sets ?? [];
  const sets = [...outer, ...(options.innerSets ?? [])];
  const { variation = [] } = options;
  const document = new SourceDocument(source, fileName, scenarioKind);
  const texts = new Map([[fileName, document.text], ...sets.map((text) => [setFile(text), text] as const)]);
  if (document.problems.length > 0) throw new ScenarioError(document.problems, texts);

  const root = document.value;
  const { overrides, problems } = applySets(root, sets);
  if (problems.length > 0) throw new ScenarioError(problems, texts);
  const unequal = variation.filter(({ path }) => path.includes("="));
  if (unequal.length > 0) throw new ScenarioError(unequal.map((change) => atChange({ found: `the path ${quoted(change.path)}`, allowed: "a path without an equals sign, and its value after a colon" }, change, document, overrides)), texts);
  const varied = variation.map((change) => ({ change, ...applySets(root, [setText(change)]) }));
  const misplaced = varied.flatMap(({ change, problems: faults }) => faults.map((fault) => atChange(fault, change, document, overrides)));
  if (misplaced.length > 0) throw new ScenarioError(misplaced, texts);
  const changed = varied.map(({ change, overrides: [override] }) => ({ change, path: override!.path }));
  const fail = (findings: readonly Finding[]): never => {
    throw new ScenarioError(findings.map((finding) => changed.length > 0 ? varyingProblem(finding, document, changed, overrides) : located(finding, document, overrides)).sort(inOrder), texts);
  };

  const parsed = scenarioSchema.safeParse(root);
  if (!parsed.success) return fail(findingsOf(parsed.error.issues, root, scenarioGuide()));
  const catalogue = options.catalogue ?? labCatalogue;
  const missing: Finding[] = [];
  const resolver = new Resolver(parsed.data, catalogue, (path, file) => {
    const last = overrides.findLastIndex((override) => isPrefix(override.path, path));
    const given = (last >= 0 && last < outer.length) || isAbsolute(file);
    const full = given ? file : join(dirname(fileName), file);
    if (options.fileExists?.(full) === false) missing.push({ path, found: `${quoted(full)}, which is not there`, allowed: "a file that can be read" });
    return full;
  }, options.readText ?? ((path) => readFileSync(path, "utf8")));
  const scenario = withTracesAt(resolver.scenario(parsed.data), options.locate);
  const misfits: Finding[] = [];
  const { operators, clients } = parsed.data;
  const experiment = resolveExperiment(options.marketOnly === true || variation.length > 0 ? { operators, clients } : parsed.data, (finding) => void misfits.push(finding), (path, value) => {
    const { overrides: [override], problems: [problem] } = applySets(structuredClone(root), [setText({ path, value })]);
    if (override !== undefined) return { place: override.path, field: scenarioGuide().at(override.path) };
    const { found, allowed, suggestion } = problem!;
    return { found, allowed, ...(suggestion === undefined ? {} : { suggestion }) };
  });
  const findings = [...resolver.findings, ...missing, ...misfits];
  // What did not resolve would be found wrong once more.
  if (findings.length === 0) findings.push(...checkScenario(scenario, catalogue));
  if (findings.length > 0) fail(findings);
  return { scenario, experiment, source: document.text, fileName, sets: outer, hash: digest(scenario) };
}

/** The scenario with its traces where they lie here. */
function withTracesAt(scenario: Scenario, locate: LoadOptions["locate"]): Scenario {
  if (locate === undefined) return scenario;
  return { ...scenario, clients: scenario.clients.map((client) => (client.arrivals.kind === "trace" ? { ...client, arrivals: { ...client.arrivals, file: locate(client.arrivals.file) } } : client)) };
}

/** Looks up where in the file, or in which `--set`, a finding is. */
function located(finding: Finding, document: SourceDocument, overrides: readonly Override[]): Problem {
  const { path, found, allowed, suggestion } = finding;
  const rest = { path: formatPath(path), found, allowed, ...(suggestion === undefined ? {} : { suggestion }) };
  const { line, column, depth } = document.locate(path, finding.atKey ?? false);
  const set = overrides.findLast((override) => isPrefix(override.path, path))
    ?? (depth < path.length ? overrides.findLast((override) => isPrefix(path.slice(0, depth + 1), override.path)) : undefined);
  if (set === undefined) return { file: document.file, line, column, ...rest };
  return { file: setFile(set.text), line: 1, column: set.text.indexOf("=") + 2, ...rest };
}

/** What a `--set` of the same text would be told, at the path of the change. */
function atChange({ found, allowed, suggestion }: Pick<Problem, "found" | "allowed" | "suggestion">, { path, at }: Change, document: SourceDocument, overrides: readonly Override[]): Problem {
  // Of a value in a list of an axis, the path is the list's key.
  const key = at.slice(0, at.lastIndexOf(path) + 1);
  return { ...located({ path: key.length === 0 ? at : key, found, allowed, ...(suggestion === undefined ? {} : { suggestion }), atKey: true }, document, overrides), path: formatPath(at) };
}

/** Looks up which change in the file a finding comes from. */
function varyingProblem(finding: Finding, document: SourceDocument, changed: readonly { readonly change: Change; readonly path: readonly PathPart[] }[], overrides: readonly Override[]): Problem {
  const { path, found, allowed } = finding;
  const within = changed.findLast((one) => isPrefix(one.path, path));
  if (within !== undefined) return located({ ...finding, path: [...within.change.at, ...path.slice(within.path.length)] }, document, overrides);
  // Without the changes all was well: one of them does not fit what stands elsewhere.
  const { at } = (changed.findLast((one) => path[0] === one.path[0] && path[1] === one.path[1]) ?? changed.at(-1)!).change;
  return located({ ...finding, path: at, atKey: true, found: `a change with which ${formatPath(path)} no longer fits (${found})`, allowed: `at ${formatPath(path)}, ${allowed}` }, document, overrides);
}

function isPrefix(prefix: readonly PathPart[], path: readonly PathPart[]): boolean {
  return prefix.length <= path.length && prefix.every((part, i) => part === path[i]);
}

/** By position; what a `--set` did comes last. */
function inOrder(a: Problem, b: Problem): number {
  return (a.file.startsWith("--set") ? 1 : 0) - (b.file.startsWith("--set") ? 1 : 0) || a.line - b.line || a.column - b.column;
}
