import { z } from "zod";
import type { TwinReport } from "../../protocol/result/twin.ts";
import type { Fact } from "./facts.ts";
import type { RunnerSpec } from "./part.ts";
import type { Played } from "./play.ts";

/** A part of the bench run, as it was seen. */
export interface RecordedBench {
  /** See `BenchSize`. */
  readonly rounds: readonly number[];
  readonly facts: readonly Fact[];
  readonly tookUs: number;
  /** Cores that others used meanwhile; null: unknown. */
  readonly othersCores: number | null;
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
  /** See `BenchSize`, µs. */
  readonly stretchUs: number;
  /** In order of time; the last one after the play. */
  readonly bench: readonly RecordedBench[];
  readonly played: Played;
  /** Cores that others used during the play; null: unknown. */
  readonly othersCores: number | null;
}

/** Names this kind of document, whatever its version. */
const TWIN_RECORDING_SCHEMA = "infernet-lab/twin-recording";
const TWIN_RECORDING_VERSION = "1.0";

const facts = z.array(z.looseObject({ atUs: z.int(), fact: z.string() }));
const cores = z.number().min(0).nullable();
const document = z.looseObject({
  schema: z.literal(TWIN_RECORDING_SCHEMA),
  schemaVersion: z.literal(TWIN_RECORDING_VERSION),
  scenarioHash: z.string(),
  seed: z.int().min(0),
  measuredAt: z.string(),
  machine: z.looseObject({ cores: z.int().min(1) }),
  runners: z.array(z.looseObject({ kind: z.string() })),
  models: z.array(z.string()),
  stretchUs: z.int().min(1),
  bench: z.array(z.strictObject({ rounds: z.array(z.int().min(0)), facts, tookUs: z.int().min(0), othersCores: cores })).min(1),
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
