import { setImmediate as nextTurn } from "node:timers/promises";
import { EXIT } from "./errors.ts";
import type { Progress } from "./progress.ts";

/** A run that can be played a slice at a time. */
export interface Playable {
  readonly progress: { readonly nowUs: number; readonly horizonUs: number; readonly submitted: number };
  /** Plays so much simulated time, or less where the run ends. @returns true where the run has ended */
  step(sliceUs: number): boolean;
}

/** Wall time that one slice should take: short enough for signals and a lively bar, long enough to cost nothing. */
const sliceMs = 50;
/** The first slice, as a share of the horizon: small, since nobody knows yet how much happens in it. */
const firstSlice = 1 / 10_000;

export type Interruption = "SIGINT" | "SIGTERM";

/** The exit code of a run that a signal cut short. */
export const interruptedExit = (signal: Interruption): number => (signal === "SIGINT" ? EXIT.sigint : EXIT.sigterm);

/**
 * Plays a run to its end, or until the process is asked to stop; a second signal ends the process at once.
 * @returns the signal that cut the run short, or null
 */
export const play = async (run: Playable, progress: Progress): Promise<Interruption | null> => {
  let signal: Interruption | null = null;
  const onSigint = (): void => void (signal = "SIGINT");
  const onSigterm = (): void => void (signal = "SIGTERM");
  process.once("SIGINT", onSigint);
  process.once("SIGTERM", onSigterm);
  try {
    let sliceUs = Math.max(1, Math.ceil(run.progress.horizonUs * firstSlice));
    for (;;) {
      const startedMs = performance.now();
      const ended = run.step(sliceUs);
      const tookMs = Math.max(0.1, performance.now() - startedMs);
      const { nowUs, horizonUs, submitted } = run.progress;
      progress.update(nowUs, horizonUs, submitted);
      if (ended) return null;
      // Growing at most fourfold, so that one cheap slice does not make the next one endless.
      sliceUs = Math.max(1, Math.min(sliceUs * 4, Math.ceil((sliceUs * sliceMs) / tookMs)));
      await nextTurn();
      if (signal !== null) return signal;
    }
  } finally {
    progress.stop();
    process.off("SIGINT", onSigint);
    process.off("SIGTERM", onSigterm);
  }
};
