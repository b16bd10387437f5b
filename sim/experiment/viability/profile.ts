import { isNode, LineCounter, parseDocument } from "yaml";
import { z } from "zod";
import { nearest } from "../../../input/nearest.ts";
import { describeDimension, describeValue, parseQuantity, toNumber } from "../../../input/units.ts";
import type { Dimension } from "../../../input/units.ts";
import type { MeasuredSpeeds } from "../../world/catalogue/index.ts";

/** A machine that somebody has measured. */
export interface MachineProfile {
  readonly name: string;
  readonly memoryBytes: number;
  readonly sharedMemory: boolean;
  readonly idleWatts: number;
  readonly loadWatts: number;
  readonly wattsScope: "board" | "machine";
  /** null where the file does not say. */
  readonly purchaseUsd: number | null;
  /** As the file names it, from the model catalogue. */
  readonly model: string;
  readonly engine: "llama.cpp" | "vllm" | "sequential";
  readonly speeds: MeasuredSpeeds;
}

/** A profile that cannot be used. The message says where, what was found and what is allowed. */
export class ProfileError extends Error {
  override readonly name = "ProfileError";
}

const quantity = (dimension: Dimension, positive: boolean): z.ZodType<number> => {
  const allowed = `${describeDimension(dimension)}${positive ? ", above 0" : ""}`;
  return z.any().transform((value, context) => {
    const parsed = parseQuantity(dimension, value);
    if (!("found" in parsed) && (dimension !== "money" || parsed.currency === "USD")) {
      const number = toNumber(parsed);
      if (!positive || number > 0) return number;
    }
    context.addIssue({ code: "custom", message: dimension === "money" ? "a price in dollars such as 700 USD" : allowed });
    return z.NEVER;
  });
};
const positive = z.number({ error: "a number above 0" }).gt(0, { error: "a number above 0" });
const whole = z.int({ error: "a whole number above 0" }).gt(0, { error: "a whole number above 0" });
const text = (allowed: string): z.ZodType<string> => z.string({ error: allowed }).min(1, { error: allowed }).max(128, { error: `${allowed}, at most 128 characters` });

const profileSchema = z.strictObject({
  name: text("a name for reports"),
  memory: quantity("bytes", true).describe("Memory for weights and KV cache."),
  sharedMemory: z.boolean({ error: "true or false" }).default(false).describe("Whether the operating system lives in the same memory."),
  power: z.strictObject({ idle: quantity("power", false), load: quantity("power", true) }, { error: "a map with idle and load, such as {idle: 20 W, load: 350 W}" }),
  scope: z.enum(["board", "machine"], { error: "board (the card alone) or machine (at the wall)" }).default("machine"),
  price: quantity("money", false).optional().describe("Purchase price."),
  model: text("a model of the catalogue, such as llama-3.1-8b:q4_k_m"),
  engine: z.enum(["llama.cpp", "vllm", "sequential"], { error: "llama.cpp, vllm or sequential" }).default("llama.cpp"),
  prefill: z.array(z.strictObject({ tokens: whole, tokensPerS: positive }, { error: "a row such as {tokens: 512, tokensPerS: 3900}" }), { error: "a list of rows such as {tokens: 512, tokensPerS: 3900}" })
    .min(1, { error: "at least one row such as {tokens: 512, tokensPerS: 3900}" }).describe("Prompts alone: length, and prompt tokens per second."),
  decode: z.array(z.strictObject({ batch: whole, tokensPerS: positive }, { error: "a row such as {batch: 1, tokensPerS: 112}" }), { error: "a list of rows such as {batch: 1, tokensPerS: 112}" })
    .min(1, { error: "at least one row such as {batch: 1, tokensPerS: 112}" }).describe("Sequences in the batch, and tokens per second of all of them together."),
}, { error: "a map with name, memory, power, model, prefill and decode" });

type Path = readonly (string | number)[];

/**
 * Reads a measured machine: YAML or JSON.
 * @param source the file's text
 * @param file its name, for messages
 * @throws ProfileError with the first thing that is wrong
 */
export function readProfile(source: string, file: string): MachineProfile {
  const lines = new LineCounter();
  const document = parseDocument(source, { lineCounter: lines, prettyErrors: false, version: "1.2" });
  const fail = (path: Path, offset: number, found: string, allowed: string): never => {
    const { line, col } = lines.linePos(offset);
    const where = path.map((part, i) => typeof part === "number" ? `[${part}]` : i === 0 ? part : `.${part}`).join("");
    throw new ProfileError(`${file}:${Math.max(1, line)}:${Math.max(1, col)}: ${where === "" ? "" : `${where}: `}found ${found}; allowed: ${allowed}`);
  };
  const fault = document.errors[0];
  if (fault !== undefined) return fail([], fault.pos[0], `something that is no YAML (${fault.message})`, "YAML 1.2, or JSON");
  const value: unknown = document.toJS({ maxAliasCount: 100 });
  const parsed = profileSchema.safeParse(value);
  const locate = (path: Path): number => {
    for (let length = path.length; length > 0; length--) {
      const node = document.getIn(path.slice(0, length), true);
      if (isNode(node) && node.range) return node.range[0];
    }
    return document.contents?.range?.[0] ?? 0;
  };
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    const path = issue.path as Path;
    if (issue.code === "unrecognized_keys") {
      const key = issue.keys[0]!;
      const known = keysAt(path);
      const guess = nearest(key, known);
      return fail([...path, key], locate(path), `the unknown key ${JSON.stringify(key)}`, `the keys ${known.join(", ")}${guess === undefined ? "" : `; did you mean ${JSON.stringify(guess)}?`}`);
    }
    return fail(path, locate(path), describeValue(path.reduce<unknown>((holder, part) => (holder as Record<string | number, unknown> | null | undefined)?.[part], value)), issue.message);
  }
  const { name, memory, sharedMemory, power, scope, price, model, engine, prefill, decode } = parsed.data;
  if (power.load < power.idle) return fail(["power", "load"], locate(["power", "load"]), `${power.load} W`, `at least the ${power.idle} W drawn while idle`);
  rising(prefill.map(({ tokens }) => tokens), (i) => fail(["prefill", i, "tokens"], locate(["prefill", i, "tokens"]), String(prefill[i]!.tokens), `more than the row before, ${prefill[i - 1]!.tokens}`));
  rising(decode.map(({ batch }) => batch), (i) => fail(["decode", i, "batch"], locate(["decode", i, "batch"]), String(decode[i]!.batch), `more than the row before, ${decode[i - 1]!.batch}`));
  if (decode[0]!.batch !== 1) return fail(["decode", 0, "batch"], locate(["decode", 0, "batch"]), String(decode[0]!.batch), "1 first: the speed of a single sequence");
  rising(prefill.map(({ tokens, tokensPerS }) => tokens / tokensPerS), (i) => fail(["prefill", i, "tokensPerS"], locate(["prefill", i, "tokensPerS"]), `${prefill[i]!.tokensPerS}, with which the longer prompt takes no longer`, `below ${Math.ceil(prefill[i]!.tokens / prefill[i - 1]!.tokens * prefill[i - 1]!.tokensPerS)}: tokens per second, not seconds`));
  rising(decode.map(({ batch, tokensPerS }) => batch / tokensPerS), (i) => fail(["decode", i, "tokensPerS"], locate(["decode", i, "tokensPerS"]), `${decode[i]!.tokensPerS}, with which the larger batch takes no longer`, `below ${Math.ceil(decode[i]!.batch / decode[i - 1]!.batch * decode[i - 1]!.tokensPerS)}: tokens per second of the whole batch`));
  return {
    name, memoryBytes: memory, sharedMemory, idleWatts: power.idle, loadWatts: power.load, wattsScope: scope, purchaseUsd: price ?? null,
    model, engine, speeds: { prefill, decode },
  };
}

function keysAt(path: Path): string[] {
  const [first] = path;
  if (first === "power") return ["idle", "load"];
  if (first === "prefill") return ["tokens", "tokensPerS"];
  if (first === "decode") return ["batch", "tokensPerS"];
  return Object.keys(profileSchema.shape);
}

function rising(values: readonly number[], wrong: (i: number) => never): void {
  const i = values.findIndex((value, at) => at > 0 && value <= values[at - 1]!);
  if (i > 0) wrong(i);
}
