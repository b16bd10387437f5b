import { setImmediate as nextTurn } from "node:timers/promises";
import type { Interruption } from "./interruptions.ts";
import type { Progress } from "./progress.ts";

/** A run that can be played a slice at a time. */
export interface Playable {
  readonly progress: { readonly nowUs: number; readonly horizonUs: number; readonly submitted: number };
  /** Plays so much simulated time, or less where the run ends. @returns true where the run has ended */
  step(sliceUs: number): boolean;
}

/** Wall time that one slice should take: short enough for signals and a lively bar, long enough to cost nothing. */
const sliceMs = 50;
/** Simulated time of the first slice, microseconds: short, since nobody knows yet how much happens in it. */
const firstSliceUs = 1_000;
/** The longest slice, as a share of the horizon: after a quiet stretch, all may happen in the next one. */
const longestSlice = 1 / 500;

/**
 * Plays a run to its end, or until the process is asked to stop.
 * @returns the signal that cut the run short, or null
 */
export const play = async (run: Playable, progress: Progress, interruptions: { readonly signal: Interruption | null }): Promise<Interruption | null> => {
  try {
    const longestUs = Math.max(1, Math.ceil(run.progress.horizonUs * longestSlice));
    let sliceUs = Math.min(firstSliceUs, longestUs);
    for (;;) {
      const startedMs = performance.now();
      const ended = run.step(sliceUs);
      const tookMs = Math.max(0.1, performance.now() - startedMs);
      const { nowUs, horizonUs, submitted } = run.progress;
      progress.update(nowUs, horizonUs, submitted);
      if (ended) return null;
      // Growing at most fourfold, so that one cheap slice does not make the next one endless.
      sliceUs = Math.max(1, Math.min(longestUs, sliceUs * 4, Math.ceil((sliceUs * sliceMs) / tookMs)));
      await nextTurn();
      if (interruptions.signal !== null) return interruptions.signal;
    }
  } finally {
    progress.stop();
  }
};
