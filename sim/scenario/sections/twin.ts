import { z } from "zod";
import { nearest } from "../../../input/nearest.ts";
import { type Finding, quoted } from "../../../input/problem.ts";
import { duration, positiveDuration } from "../../../input/quantities.ts";
import { alternatives, parseQuantity, toNearest } from "../../../input/units.ts";

/** What a node runs for real. */
export type LiveModelSpec =
  /** A model made for the purpose: random weights, deterministic, as large as it says. */
  | { readonly kind: "synthetic"; readonly parameters: number; readonly quantisation: "f16" | "q8_0" | "q4_0" }
  /** GGUF file, as the scenario writes it. */
  | { readonly kind: "file"; readonly file: string }
  /** Executes nothing, at fixed speeds: for tests. */
  | { readonly kind: "mock"; readonly prefillTokensPerS: number; readonly decodeTokensPerS: number };

/** A part of the play, by the time of submission. */
export interface PhaseSpec {
  readonly name: string;
  readonly fromUs: number;
  readonly untilUs: number;
}

/** How a scenario is played in both worlds. */
export interface TwinSpec {
  /** By operator class. */
  readonly models: readonly { readonly operator: string; readonly model: LiveModelSpec }[];
  /** llama.cpp's threads for each node. */
  readonly threads: number;
  /** How often each measurement of the bench run is made: shared out evenly before the play, in its intermissions and after it. */
  readonly repetitions: number;
  /** When the play pauses until no job is under way, and the nodes are measured; µs, ascending. The market's time stands still meanwhile. */
  readonly intermissionsUs: readonly number[];
  /** How long a measured stretch of decoding lasts, about, µs. */
  readonly stretchUs: number;
  readonly phases: readonly PhaseSpec[];
}

const parameters = z.union([z.number().min(100_000).max(1e11), z.string().regex(/^\s*[0-9]+(?:\.[0-9]+)?\s*[kKMGB]\s*$/).meta({ title: "a number such as 25M" })]);

const model = z.union([
  z.strictObject({
    parameters: parameters.describe("Size of a model that is made for the purpose, with random weights, such as `25M`: speed does not depend on what weights say."),
    quantisation: z.enum(["f16", "q8_0", "q4_0"]).default("q8_0").describe("Number format of its weights."),
  }),
  z.strictObject({ file: z.string().min(1).max(4096).describe("A GGUF file, relative to the scenario.") }),
  z.strictObject({
    mock: z.strictObject({ prefill: z.number().gt(0).describe("Prompt tokens a second."), decode: z.number().gt(0).describe("Output tokens a second, of each sequence.") })
      .describe("No model at all, but answers at fixed speeds: for tests."),
  }),
]);

export const twinShape = {
  twin: z.strictObject({
    models: z.record(z.string(), model).describe("What the nodes of each operator class run for real."),
    threads: z.int().min(1).max(1024).default(1).describe("Threads of each node's engine."),
    repetitions: z.int().min(1).max(100).default(3).describe("How often each measurement of the bench run is made: shared out evenly before the play, in its intermissions and after it."),
    intermissions: z.array(positiveDuration).max(1000).default([]).describe("When the play pauses, once no job is under way, while the nodes are measured and the market's time stands still: what was measured is then never long ago. The workload should have a short break before each, in which jobs end."),
    stretch: positiveDuration.default("1s").describe("How long a measured stretch of decoding lasts, about."),
    phases: z.array(z.strictObject({
      name: z.string().min(1).max(64).describe("For the report."),
      until: duration.describe("Where it ends; it begins where the one before does."),
    })).max(100).default([]).describe("Parts of the horizon that the report tells apart, such as light and heavy load."),
  }).optional().describe("How `infernet twin` plays the scenario for real: what each node runs, and how it is measured."),
};

export type TwinInput = z.output<z.ZodObject<typeof twinShape>>["twin"];

/** @param finding told of what does not fit */
export function resolveTwin(input: TwinInput, operators: readonly string[], finding: (finding: Finding) => void): TwinSpec | null {
  if (input === undefined) return null;
  for (const operator of operators) {
    if (!(operator in input.models)) finding({ path: ["twin", "models"], found: `nothing for ${quoted(operator)}`, allowed: "a model for every operator class" });
  }
  const models = Object.entries(input.models).sort(([a], [b]) => (a < b ? -1 : 1)).map(([operator, given]) => {
    if (!operators.includes(operator)) {
      const guess = nearest(operator, operators);
      finding({ path: ["twin", "models", operator], found: `the key ${quoted(operator)}`, allowed: `the operator classes: ${alternatives(operators)}`, atKey: true, ...(guess === undefined ? {} : { suggestion: quoted(guess) }) });
    }
    const resolved: LiveModelSpec = "file" in given ? { kind: "file", file: given.file }
      : "mock" in given ? { kind: "mock", prefillTokensPerS: given.mock.prefill, decodeTokensPerS: given.mock.decode }
      : { kind: "synthetic", parameters: countOf(given.parameters), quantisation: given.quantisation };
    return { operator, model: resolved };
  });
  let fromUs = 0;
  const phases = input.phases.map(({ name, until }, i): PhaseSpec => {
    const untilUs = usOf(until);
    if (untilUs <= fromUs) finding({ path: ["twin", "phases", i, "until"], found: String(until), allowed: "later than where it begins" });
    const phase = { name, fromUs, untilUs };
    fromUs = untilUs;
    return phase;
  });
  const intermissionsUs = input.intermissions.map(usOf);
  for (const [i, atUs] of intermissionsUs.entries()) {
    if (atUs <= (intermissionsUs[i - 1] ?? 0)) finding({ path: ["twin", "intermissions", i], found: String(input.intermissions[i]), allowed: "later than the one before" });
  }
  return { models, threads: input.threads, repetitions: input.repetitions, intermissionsUs, stretchUs: usOf(input.stretch), phases };
}

function usOf(value: string | number): number {
  const quantity = parseQuantity("duration", value);
  if ("found" in quantity) throw new Error(`${quantity.found} passed the schema`);
  return toNearest(quantity);
}

const FACTORS: Readonly<Record<string, number>> = { k: 1e3, K: 1e3, M: 1e6, G: 1e9, B: 1e9 };

function countOf(text: string | number): number {
  if (typeof text === "number") return Math.round(text);
  const value = text.trim();
  return Math.round(Number(value.slice(0, -1).trim()) * (FACTORS[value.at(-1)!] ?? 1));
}
