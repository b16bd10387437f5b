import type { SensitivityBar, SensitivityOfMetric } from "../../../protocol/result/sensitivity.ts";
import { Moments } from "../../kernel/statistics/index.ts";
import type { Factor } from "../../scenario/sections/sensitivity.ts";
import { valueAt } from "../../scenario/range.ts";
import { estimateOf } from "../replications/figure-estimates.ts";

/** Replications of each place that are played before the next place's: those of the first are kept, to pair the others with. */
export const TORNADO_ROUND = 1_000;

/**
 * A tornado's bars from its runs, one figure of them: the scenario as it stands, then low and high end of each factor, round
 * after round of at most {@link TORNADO_ROUND} replications each. Differences are taken run by run: a replication has the same random
 * numbers everywhere. Memory: the round's replications of one place.
 */
export class TornadoSums {
  readonly #factors: readonly Factor[];
  /** Of the round, as the scenario stands; NaN where there is none. */
  readonly #base: Float64Array;
  /** By place: figures, their differences from the base, and runs. */
  readonly #values: readonly Moments[];
  readonly #differences: readonly Moments[];
  readonly #played: Float64Array;

  constructor(factors: readonly Factor[], replications: number) {
    const places = 2 * factors.length + 1;
    this.#factors = factors;
    this.#base = new Float64Array(Math.min(replications, TORNADO_ROUND));
    this.#values = Array.from({ length: places }, () => new Moments());
    this.#differences = Array.from({ length: places }, () => new Moments());
    this.#played = new Float64Array(places);
  }

  /** @param replication in its round @param value NaN where there is none */
  add(place: number, replication: number, value: number): void {
    this.#played[place]!++;
    if (place === 0) this.#base[replication] = value;
    if (Number.isNaN(value)) return;
    this.#values[place]!.add(value);
    const difference = value - this.#base[replication]!;
    if (place > 0 && !Number.isNaN(difference)) this.#differences[place]!.add(difference);
  }

  /** Runs that did not come to be are missing, not dropped. */
  bars(confidence: number): { readonly tornado: NonNullable<SensitivityOfMetric["tornado"]>; readonly used: number; readonly dropped: number } {
    const end = (place: number, text: string): SensitivityBar["low"] => ({ text, estimate: estimateOf(this.#values[place]!, confidence), difference: estimateOf(this.#differences[place]!, confidence) });
    const bars = this.#factors.map((factor, i): SensitivityBar => {
      const { range } = factor.moves[0]!;
      const low = end(2 * i + 1, valueAt(range, 0).text);
      const high = end(2 * i + 2, valueAt(range, 1).text);
      const differences = [low.difference.mean, high.difference.mean];
      const swing = differences.includes(null) ? null : Math.max(0, ...differences as number[]) - Math.min(0, ...differences as number[]);
      return { factor: factor.name, low, high, swing };
    });
    const used = this.#differences.reduce((sum, { count }) => sum + count, 0);
    const played = this.#played.reduce((sum, runs, place) => (place === 0 ? sum : sum + runs), 0);
    return { tornado: { base: estimateOf(this.#values[0]!, confidence), bars: bars.toSorted((a, b) => (b.swing ?? -1) - (a.swing ?? -1)) }, used, dropped: played - used };
  }
}
