import { conductOn } from "../lab/conduct.ts";
import { pilots } from "../sim/experiment/replications/pilots.ts";
import type { FoundWarmup } from "../sim/experiment/warmup.ts";
import type { ExperimentFlags } from "./experiment-options.ts";
import type { LoadedSubject } from "./experiment.ts";
import { interruptedExit, Interruptions } from "./interruptions.ts";
import { noProgress, showTask } from "./progress.ts";

/** Finds the warm-up of a scenario that says `warmup: auto`, with progress. @returns null where it was interrupted; the exit code says so then */
export const findWarmupFor = async ({ scenario, subject }: LoadedSubject, flags: Pick<ExperimentFlags, "workers" | "quiet">): Promise<FoundWarmup | null> => {
  const interruptions = new Interruptions();
  const progress = flags.quiet === true ? noProgress : showTask(process.stderr, process.env["CI"] !== undefined);
  try {
    const found = await conductOn(pilots(scenario), subject, {
      workers: flags.workers, signal: interruptions.aborted, onProgress: ({ done, all }) => progress.update(done, all, "looking for the end of the start"),
    });
    if (found === null) {
      if (interruptions.signal !== null) process.exitCode = interruptedExit(interruptions.signal);
      process.stderr.write("Interrupted before the end of the market's start was found: nothing was measured, and no report is written.\n");
    }
    return found;
  } finally {
    progress.stop();
    interruptions.ignoreNoMore();
  }
};
