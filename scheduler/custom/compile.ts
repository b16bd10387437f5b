import * as nodeModule from "node:module";
import { constants, createContext, runInContext, Script } from "node:vm";
import type { Context } from "node:vm";
import { EXPORTS, functionBodyOf, ModuleTextError } from "./module-text.ts";
import { type CustomPolicy, PolicyError } from "./source.ts";

/** What a policy is not given, and what it has instead. */
const NOT_THERE: Readonly<Record<string, string>> = {
  Date: "time is what the policy is told, in microseconds",
  Intl: "results must not depend on a locale",
  WeakRef: "results must not depend on garbage collection",
  FinalizationRegistry: "results must not depend on garbage collection",
  SharedArrayBuffer: "a policy keeps its state to itself",
  Atomics: "a policy keeps its state to itself",
  WebAssembly: "a policy is JavaScript or TypeScript",
  console: "a policy says what it has to say by its prices",
};
const HIDE = `
  for (const [name, why] of Object.entries(notThere)) Object.defineProperty(globalThis, name, { get() { throw new Error(name + " is not there: " + why); } });
  Object.defineProperty(Math, "random", { value() { throw new Error("Math.random is not there: random numbers come from the stream that the policy is given"); } });
  for (const type of [String, Number, Array, BigInt, Object]) for (const name of Object.getOwnPropertyNames(type.prototype)) if (/^(toLocale|localeCompare)/.test(name)) {
    Object.defineProperty(type.prototype, name, { value() { throw new Error(name + " is not there: results must not depend on a locale"); } });
  }
  for (const name of Object.getOwnPropertyNames(globalThis)) {
    const { value } = Object.getOwnPropertyDescriptor(globalThis, name);
    if (value !== null && (typeof value === "function" || typeof value === "object")) Object.freeze(value);
  }
`;

type Factory = (exports: { default?: unknown }) => void;

let sandbox: Context | null = null;
/** By file and hash: what a thread has compiled serves all its runs. */
const compiled = new Map<string, Factory>();

/**
 * The policy's module, run anew: its variables are this caller's own, so that one run leaves nothing behind for the next.
 *
 * It runs in a realm of its own that holds the language and nothing else: no clock, no randomness, no files, no modules. That
 * keeps honest policies deterministic; it is no defence against malice, so play only what you would run.
 * @returns its default export.
 * @throws PolicyError with file and line, where the text is no such module or fails as it starts.
 */
export function defaultExportOf(policy: CustomPolicy): unknown {
  const key = `${policy.sha256} ${policy.file}`;
  let factory = compiled.get(key);
  if (factory === undefined) compiled.set(key, (factory = compile(policy)));
  const exports: { default?: unknown } = {};
  try {
    factory(exports);
  } catch (error) {
    throw policyError(policy, error);
  }
  return exports.default;
}

function compile(policy: CustomPolicy): Factory {
  const { file, code } = policy;
  let body: string;
  try {
    body = functionBodyOf(/\.[cm]?ts$/.test(file) ? withoutTypes(file, code) : code);
  } catch (error) {
    if (!(error instanceof ModuleTextError)) throw policyError(policy, error);
    const line = code.slice(0, error.at).split("\n").length;
    const allowed = error.message.startsWith("no default") ? "one, such as `export default policy;`" : "one file that stands alone; types may be had with `import type`";
    throw new PolicyError(`${file}:${line}: found ${error.message}; allowed: ${allowed}`);
  }
  const before = `(function(${EXPORTS}){"use strict";`;
  try {
    return new Script(`${before}${body}\n})`, { filename: file, columnOffset: -before.length }).runInContext(realm()) as Factory;
  } catch (error) {
    throw policyError(policy, error);
  }
}

function realm(): Context {
  if (sandbox === null) {
    sandbox = createContext(constants.DONT_CONTEXTIFY as never, { name: "policies", codeGeneration: { strings: false, wasm: false } });
    (runInContext(`(function (notThere) {${HIDE}})`, sandbox) as (notThere: typeof NOT_THERE) => void)(NOT_THERE);
    runInContext("Object.freeze(globalThis)", sandbox);
  }
  return sandbox;
}

/** Blanks the types out; lines and columns stay. */
function withoutTypes(file: string, code: string): string {
  const strip = (nodeModule as { stripTypeScriptTypes?: (code: string) => string }).stripTypeScriptTypes;
  if (strip === undefined) throw new PolicyError(`${file}: found TypeScript, on a Node without type stripping; allowed: Node 22.13 or newer, or the policy in JavaScript (.js, .mjs)`);
  // oxlint-disable-next-line no-restricted-globals -- the warning that stripping is new would go to every user's terminal; nothing is read from the process
  const emitter = process;
  const { emitWarning } = emitter;
  emitter.emitWarning = () => {};
  try {
    return strip(code);
  } finally {
    emitter.emitWarning = emitWarning;
  }
}

/** Says in one line what a policy did wrong. */
export function policyError({ file }: Pick<CustomPolicy, "file">, error: unknown): PolicyError {
  // Errors of the policy's realm are no instances of this one's Error.
  const { name, message, stack } = (typeof error === "object" && error !== null ? error : { message: String(error) }) as { name?: unknown; message?: unknown; stack?: unknown };
  if (name === "PolicyError") return error as PolicyError;
  const line = placeIn(file, String(stack ?? ""));
  const words = String(message ?? "").split("\n")[0]!;
  return new PolicyError(`${file}${line === null ? "" : `:${line}`}: ${name === undefined || name === "Error" ? words : `${String(name)}: ${words}`}`);
}

/** `12:5`, or the line alone where a parser names no column. */
function placeIn(file: string, stack: string): string | null {
  for (let at = stack.indexOf(`${file}:`); at >= 0; at = stack.indexOf(`${file}:`, at + 1)) {
    const place = /^\d+(?::\d+)?/.exec(stack.slice(at + file.length + 1));
    if (place !== null) return place[0];
  }
  const stripped = /^:(\d+)\n/.exec(stack);
  return stripped === null ? null : stripped[1]!;
}
