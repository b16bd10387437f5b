import type { Figures } from "../../protocol/result/figures.ts";

/** One run of an experiment: the experiment's scenario with these changes, played with this seed. Plain data: it crosses threads and machines. */
export interface RunTask {
  /** Unique within the experiment, and the same whenever it is asked again: `arm=cheapest replication=3`. */
  readonly name: string;
  /** Changes beyond the experiment's own, as `--set` takes them, applied in order. */
  readonly sets: readonly string[];
  /** 0 to 2^53 - 1. */
  readonly seed: number;
  /** How many windows of series over time are wanted among the figures (see `seriesOf`); absent: none. */
  readonly series?: number;
}

/** What became of a run. Plain data. */
export interface RunOutcome {
  /** Place in its batch, from 0. */
  readonly index: number;
  readonly task: RunTask;
  /** Null where the run threw. */
  readonly figures: Figures | null;
  /** The report's `resultsDigest`; null where the run threw. */
  readonly digest: string | null;
  /** One line that says what went wrong; null where nothing did. */
  readonly error: string | null;
}

/** Runs that are wanted next; they are independent of each other. */
export interface RunBatch {
  /** What they are for, in a word or two, for whoever waits. */
  readonly purpose: string;
  readonly count: number;
  /** `count` of them; may be made as they are asked for, so that a long list takes no memory. */
  readonly tasks: Iterable<RunTask>;
  /** Called once for each, in the order of `tasks`, whatever the order in which they ended. */
  take(outcome: RunOutcome): void;
  /** Runs that will be wanted after these, as far as is known. */
  readonly later: number;
}

/** How a batch went. */
export interface BatchEnd {
  /** Asked to stop: `take` was called for the first runs of the batch alone. Ask for nothing more, and report what there is. */
  readonly interrupted: boolean;
}

/**
 * A plan that says which runs it needs, batch by batch, and what they come to. It knows nothing of threads, files or queues:
 * whoever conducts it may play a batch in any order, anywhere. Same scenario, seed and version: same result.
 * @typeParam Result - null where too little was played to say anything
 */
export type Experiment<Result> = Generator<RunBatch, Result, BatchEnd>;
