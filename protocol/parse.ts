import type { z } from "zod";
import { DETAIL_CODE_POINTS_MAX, FIELD_CODE_POINTS_MAX, PROTOCOL_VERSION } from "./limits.ts";
import { message } from "./messages.ts";
import type { Message } from "./messages.ts";

/** What is wrong with a value, for the one who sent it. */
export interface Fault {
  /** Path of the offending field, such as `job.maxPriceMsat` or `offers[2].model`; "" for the value as a whole. */
  readonly field: string;
  /** One sentence for people that names the field, what was found and what is allowed; never a text from the value. */
  readonly detail: string;
}

export type Parsed<T> = ({ readonly ok: true } & T) | ({ readonly ok: false } & Fault);

/**
 * Checks that a value is a message. The message is a copy that holds the value's known fields and nothing else.
 *
 * Never throws, whatever JSON value it is given.
 */
export function parseMessage(value: unknown): Parsed<{ readonly message: Message }> {
  const outcome = message.safeParse(value);
  return outcome.success ? { ok: true, message: outcome.data } : { ok: false, ...faultOf(outcome.error, value) };
}

/** The first fault that zod found in `value`, in words. */
export function faultOf(error: z.ZodError, value: unknown): Fault {
  const issue = error.issues[0]!;
  const path = issue.code === "unrecognized_keys" ? [...issue.path, issue.keys[0]!] : issue.path;
  const field = shown(pathText(path), FIELD_CODE_POINTS_MAX);
  const found = valueAt(value, path);
  const sentence = issue.code === "unrecognized_keys"
    ? `${field} is a field that version ${PROTOCOL_VERSION} of the protocol does not know.`
    : `${field === "" ? "The value" : field} ${requirement(issue)}; found ${described(found)}.`;
  return { field, detail: shown(sentence, DETAIL_CODE_POINTS_MAX) };
}

function requirement(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return `must be ${TYPE_NAMES[issue.expected] ?? issue.expected}`;
    case "invalid_value":
      return issue.values.length === 1 ? `must be ${JSON.stringify(issue.values[0])}` : `must be one of ${issue.values.map(String).join(", ")}`;
    case "too_small":
      return `must ${extent(issue.inclusive === false ? "more than" : "at least", issue.minimum, issue.origin)}`;
    case "too_big":
      return `must ${extent(issue.inclusive === false ? "less than" : "at most", issue.maximum, issue.origin)}`;
    case "invalid_format":
      return issue.message.startsWith("must") ? issue.message : `must match ${issue.pattern ?? issue.format}`;
    case "invalid_union":
      return `must name a message type: ${MESSAGE_TYPES}`;
    default:
      return issue.message;
  }
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: "a string", number: "a number", int: "a whole number", boolean: "true or false", array: "an array", object: "an object",
};
const MESSAGE_TYPES = message.options.map((option) => [...option.shape.type.values][0]).join(", ");

/** `be at most 9`, `have at least 1 element`, `have at most 64 characters`. */
function extent(comparison: string, limit: number | bigint, origin: string): string {
  const unit = origin === "array" ? "element" : origin === "string" ? "character" : undefined;
  return unit === undefined ? `be ${comparison} ${limit}` : `have ${comparison} ${limit} ${unit}${Number(limit) === 1 ? "" : "s"}`;
}

function pathText(path: readonly PropertyKey[]): string {
  let text = "";
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`;
    else if (step === "") text += '[""]';
    else text += text === "" ? String(step) : `.${String(step)}`;
  }
  return text;
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let at = value;
  for (const step of path) {
    if (typeof at !== "object" || at === null) return undefined;
    at = (at as Record<PropertyKey, unknown>)[step];
  }
  return at;
}

/** What a value is, without repeating any text: a misplaced prompt must not end up in a log. */
function described(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (typeof value === "string") return `a string of ${value.length} character${value.length === 1 ? "" : "s"}`;
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

/** Cut to `max` UTF-16 units, and safe to show: no control characters and no halves of surrogate pairs. */
function shown(text: string, max: number): string {
  const clean = text.slice(0, 2 * max).replace(/\p{Cc}/gu, " ").toWellFormed();
  return clean.length <= max ? clean : `${clean.slice(0, max - 1).toWellFormed()}…`;
}
