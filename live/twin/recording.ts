import { z } from "zod";
import type { TwinReport } from "../../protocol/result/twin.ts";
import type { Fact, TimedDecision } from "./facts.ts";
import type { RunnerSpec } from "./part.ts";
import type { BenchPart } from "./calibrate.ts";

/** A part of the bench run, as it was seen. */
export interface RecordedBench extends BenchPart {
  readonly tookUs: number;
  /** Cores that others used meanwhile; null: unknown. */
  readonly othersCores: number | null;
}

/** The workload, as it was played for real. */
export interface Played {
  /** In order of time, µs of the market's time, which stands still in intermissions. */
  readonly facts: readonly Fact[];
  /** In the same time. */
  readonly decisions: readonly TimedDecision[];
  /** When the last job had ended, in the same time. */
  readonly endUs: number;
  /** What each account holds at the end, by public key; msat. */
  readonly balances: ReadonlyMap<string, number>;
  /** Software that executed the models, by node. */
  readonly engines: readonly string[];
  /** Envelopes that were refused somewhere. */
  readonly refused: number;
  /** Null; or why it was stopped before its end. */
  readonly stopped: string | null;
}

/** All that was seen of a scenario that was played for real, and of its nodes' bench run: what a twin's report is made of. */
export interface TwinRecording {
  /** SHA-256 of the canonical JSON of the resolved scenario, in hexadecimal. */
  readonly scenarioHash: string;
  readonly seed: number;
  readonly measuredAt: string;
  readonly machine: Omit<TwinReport["machine"], "othersCores">;
  /** By node. */
  readonly runners: readonly RunnerSpec[];
  /** By node: what it runs, in words. */
  readonly models: readonly string[];
  /** In order of time: before the play, in its intermissions and, the last one, after it. */
  readonly bench: readonly RecordedBench[];
  readonly played: Played;
  /** Cores that others used during the play; null: unknown. */
  readonly othersCores: number | null;
}

/** Names this kind of document, whatever its version. */
const TWIN_RECORDING_SCHEMA = "infernet-lab/twin-recording";
const TWIN_RECORDING_VERSION = "2.0";

const facts = z.array(z.looseObject({ atUs: z.int(), fact: z.string() }));
const cores = z.number().min(0).nullable();
const stage = z.strictObject({
  what: z.looseObject({ kind: z.enum(["prompt", "steps", "traffic", "warm-up"]) }),
  jobs: z.array(z.strictObject({ job: z.string(), inputTokens: z.int().min(0), outputTokens: z.int().min(0) })),
});
const document = z.looseObject({
  schema: z.literal(TWIN_RECORDING_SCHEMA),
  schemaVersion: z.literal(TWIN_RECORDING_VERSION),
  scenarioHash: z.string(),
  seed: z.int().min(0),
  measuredAt: z.string(),
  machine: z.looseObject({ cores: z.int().min(1) }),
  runners: z.array(z.looseObject({ kind: z.string() })),
  models: z.array(z.string()),
  bench: z.array(z.strictObject({ stages: z.array(stage), facts, tookUs: z.int().min(0), othersCores: cores })).min(1),
  played: z.looseObject({ facts, balances: z.array(z.tuple([z.string(), z.int()])) }),
  othersCores: cores,
});

/** The recording as a file holds it. */
export function renderRecording(recording: TwinRecording): string {
  return `${JSON.stringify({ schema: TWIN_RECORDING_SCHEMA, schemaVersion: TWIN_RECORDING_VERSION, ...recording, played: { ...recording.played, balances: [...recording.played.balances] } })}\n`;
}

/**
 * Reads such a file.
 * @throws RangeError where it is none, in words that say what was found where.
 */
export function parseRecording(text: string): TwinRecording {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (error) {
    throw new RangeError(`is no JSON: ${(error as Error).message}`, { cause: error });
  }
  const parsed = document.safeParse(content);
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!;
    throw new RangeError(`is no recording of a twin: ${path.join(".") || "the whole"}: ${message}`);
  }
  const { schema: _, schemaVersion: __, played, ...rest } = parsed.data;
  return { ...rest, played: { ...played, balances: new Map(played.balances) } } as unknown as TwinRecording;
}
