import { setImmediate as nextTurn } from "node:timers/promises";
import type { Experiment, RunBatch, RunOutcome } from "../sim/experiment/plan.ts";
import type { Subject } from "../sim/experiment/play-task.ts";
import type { PlacedTask } from "./job.ts";
import type { Journal } from "./journal.ts";
import { WorkerPool } from "./pool.ts";
import type { PoolOptions } from "./pool.ts";
import { type JobPlayer, playInOrder } from "./in-order.ts";
import { Unpacker } from "./wire.ts";
import type { WireOutcome } from "./wire.ts";

/** How far an experiment is. */
export interface ConductProgress {
  /** Runs that are over, in parts of those that are not. */
  readonly done: number;
  /** Runs of this experiment, as far as is known. */
  readonly all: number;
  /** What is being done now. */
  readonly purpose: string;
}

export interface ConductOptions extends PoolOptions {
  /** Workers that are there already, and stay; the other options of a pool do not matter then. */
  readonly pool?: JobPlayer | undefined;
  /** What was played before is taken from it, what is played is added to it. */
  readonly journal?: Journal | undefined;
  /** Told ten times a second. */
  readonly onProgress?: ((progress: ConductProgress) => void) | undefined;
  /** Told of every outcome, in order, before the experiment has it. */
  readonly onRun?: ((outcome: RunOutcome) => void) | undefined;
  /** Aborted: runs under way are given up, and the experiment reports what was played until then. */
  readonly signal?: AbortSignal | undefined;
}

/** Outcomes that may wait for one before them: what is kept in memory, however many runs there are. */
const mostWaiting = 1_024;

let subjects = 0;

/**
 * Conducts an experiment on worker threads. A run that throws, or ends its worker twice, is an outcome with an error. The
 * result does not depend on the number of workers: outcomes come in the order of the tasks.
 * @throws what the experiment throws; what keeps workers from starting
 */
export async function conductOn<Result>(experiment: Experiment<Result>, subject: Subject, options: ConductOptions = {}): Promise<Result> {
  const { journal, onProgress, onRun, signal } = options;
  const ownPool = options.pool === undefined ? new WorkerPool(options) : null;
  const pool = options.pool ?? ownPool!;
  const subjectId = subjects++;
  const unpacker = new Unpacker();
  const plays = {
    job: (items: readonly PlacedTask[]) => ({ kind: "runs", subjectId, subject, items }) as const,
    known: ({ task }: PlacedTask) => journal?.find(task) ?? null,
    finished: ({ task }: PlacedTask, outcome: WireOutcome): void => journal?.add(task, outcome),
    died: (_: PlacedTask, reason: string): WireOutcome => ({ names: null, values: null, digest: null, error: `WorkerDied: ${reason}` }),
  };
  let before = 0;
  try {
    let next = experiment.next();
    while (next.done !== true) {
      const batch: RunBatch = next.value;
      const tell = (done: number): void => onProgress?.({ done: before + done, all: before + batch.count + batch.later, purpose: batch.purpose });
      const taken = await playInOrder<PlacedTask, WireOutcome>(pool, placed(batch), plays, {
        take: (item, wire) => {
          const outcome = unpacker.unpack(item, wire);
          onRun?.(outcome);
          batch.take(outcome);
        },
        onProgress: tell, mostWaiting, count: batch.count, signal,
      });
      const interrupted = signal?.aborted === true;
      if (!interrupted && taken !== batch.count) throw new Error(`A batch of ${batch.count} runs had ${taken} (${batch.purpose}).`);
      before += batch.count;
      // A batch may be empty, or all of it known.
      await nextTurn();
      next = experiment.next({ interrupted });
    }
    return next.value;
  } finally {
    await ownPool?.close();
  }
}

function* placed({ tasks }: RunBatch): Generator<PlacedTask> {
  let index = 0;
  for (const task of tasks) yield { index: index++, task };
}
