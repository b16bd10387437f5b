import { workerData } from "node:worker_threads";
import { TaskPlayer } from "../sim/experiment/play-task.ts";
import type { NodeOutcome } from "../sim/experiment/viability/accounts.ts";
import { startPlay } from "../sim/experiment/viability/market.ts";
import type { Play } from "../sim/experiment/viability/market.ts";
import { type JobResult, type PlacedTask, type RunsJob, type SeatedJob, Shared } from "./job.ts";
import { Packer, type WireOutcome } from "./wire.ts";

const shared = new Shared(workerData as SharedArrayBuffer);
const packer = new Packer();
let subjectId = -1;
let player: TaskPlayer | null = null;

/** Thrown through a run that is given up. */
class Stopped extends Error {}

/** Plays an item. @param onShare told how far the item is, 0 to 1; throws where it is to be given up */
type PlayItem<Item, Result> = (item: Item, onShare: (share: number) => void) => Result;

/** Plays what a job asks for, in a worker thread. */
export function playJob({ job, seat }: SeatedJob): JobResult<unknown> {
  return job.kind === "runs" ? playAll(job.items, seat, playRun(job)) : playAll(job.items, seat, playMarket);
}

function playAll<Item, Result>(items: readonly Item[], seat: number, play: PlayItem<Item, Result>): JobResult<Result> {
  const startedMs = performance.now();
  const results: Result[] = [];
  for (const item of items) {
    const before = results.length;
    shared.setDone(seat, before);
    let stopped = shared.stopped;
    if (stopped) break;
    try {
      const result = play(item, (share) => {
        // Less than all of it: the run's account is still to be drawn up.
        shared.setDone(seat, before + 0.99 * share);
        if (!shared.stopped) return;
        stopped = true;
        throw new Stopped();
      });
      // A run reports whatever is thrown through it.
      if (stopped) break;
      results.push(result);
    } catch (error) {
      if (error instanceof Stopped) break;
      const { name, message, stack = "" } = error instanceof Error ? error : new Error(String(error));
      return { results, ms: performance.now() - startedMs, thrown: { name, message, stack } };
    }
  }
  shared.setDone(seat, results.length);
  return { results, ms: performance.now() - startedMs };
}

function playRun(job: RunsJob): PlayItem<PlacedTask, WireOutcome> {
  if (player === null || subjectId !== job.subjectId) {
    subjectId = job.subjectId;
    player = new TaskPlayer(job.subject);
  }
  const here = player;
  return ({ task, index }, onShare) => packer.pack(here.play(task, index, {}, onShare));
}

const playMarket: PlayItem<Play, NodeOutcome> = (what, onShare) => {
  const { run, outcome } = startPlay(what);
  while (!run.step()) onShare(Math.min(1, run.progress.nowUs / run.progress.horizonUs));
  return outcome();
};
