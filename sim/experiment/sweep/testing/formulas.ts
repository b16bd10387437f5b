import { loadScenario } from "../../../scenario/load.ts";
import { soundScenario } from "../../../scenario/testing/sound-scenario.ts";
import type { RunOutcome, RunTask } from "../../plan.ts";
import { prepareSweep } from "../prepare.ts";
import type { PrepareSweepOptions } from "../prepare.ts";
import type { SweepQuestion } from "../sweep.ts";

/** A sweep of the sound scenario. @param text what stands below `sweep:`, indented */
export function sweepOf(text: string, options: Partial<PrepareSweepOptions> = {}): SweepQuestion {
  return prepareSweep(loadScenario(`${soundScenario}sweep:\n${text}`, "a.yaml", { sets: options.sets ?? [] }), "a.yaml", { lab: { name: "infernet-lab", version: "0" }, ...options });
}

/** Plays runs by a formula. @param figures of a run: its changes by path, and a number in [0, 1) that depends on its seed alone */
export function byFormula(figures: (changes: Readonly<Record<string, string>>, chance: number) => Record<string, number | null>): (task: RunTask, index: number) => RunOutcome {
  return (task, index) => {
    const changes = Object.fromEntries(task.sets.map((set) => [set.slice(0, set.indexOf("=")), set.slice(set.indexOf("=") + 1)]));
    const chance = (Math.imul(task.seed + 1, 2_654_435_761) >>> 0) / 4_294_967_296;
    try {
      return { index, task, figures: figures(changes, chance), digest: "0".repeat(64), error: null };
    } catch (error) {
      return { index, task, figures: null, digest: null, error: String(error) };
    }
  };
}
