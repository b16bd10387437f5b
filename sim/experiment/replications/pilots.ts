import type { Scenario } from "../../scenario/scenario.ts";
import type { Experiment } from "../plan.ts";
import { seriesOf } from "../series.ts";
import { PILOT_WINDOWS, pilotSeeds, warmupOf } from "../warmup.ts";
import type { FoundWarmup, PilotSeries } from "../warmup.ts";

/**
 * Finds the warm-up of a scenario that says `warmup: auto`, side by side: what `findWarmup` finds, one run after the other.
 * @returns null where it was interrupted
 * @throws Error where a pilot fails
 */
export function* pilots(scenario: Scenario, later = 0): Experiment<FoundWarmup | null> {
  const seeds = pilotSeeds(scenario.seed);
  const series: PilotSeries[] = [];
  const { interrupted } = yield {
    purpose: "warm-up", count: seeds.length, later,
    tasks: seeds.map((seed, i) => ({ name: `warm-up pilot=${i}`, sets: ["warmup=0s"], seed, series: PILOT_WINDOWS })),
    take: ({ figures, error, task }) => {
      if (figures === null) throw new Error(`The warm-up could not be found: ${task.name}, seed ${task.seed}: ${error}`);
      series.push({ inSystem: seriesOf(figures, "inSystem", PILOT_WINDOWS), latencyUs: seriesOf(figures, "latencyUs", PILOT_WINDOWS), perMtokMsat: seriesOf(figures, "perMtokMsat", PILOT_WINDOWS) });
    },
  };
  return interrupted ? null : warmupOf(series, scenario.horizonUs);
}
