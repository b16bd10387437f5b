import type { Resampled } from "./bootstrap.ts";
import { bootstrap } from "./bootstrap.ts";
import type { MorrisDesign } from "./morris-design.ts";
import type { BootstrapOptions } from "./sobol-indices.ts";

/** What taking one factor from its low to its high end does to a figure, in the figure's unit. */
export interface FactorEffects {
  /** Steps in which the factor had two values and the figure too. */
  readonly steps: number;
  /** Mean effect: rises and falls cancel. */
  readonly mu: Resampled;
  /** Mean size of the effect. */
  readonly muStar: Resampled;
  /** Standard deviation of the effect: how much it depends on where it starts, and on the other factors. */
  readonly sigma: Resampled;
}

export interface ElementaryEffects {
  /** Blocks that have all their values. */
  readonly blocks: number;
  readonly factors: readonly FactorEffects[];
  /** Mean size of an effect that points' independent errors of standard deviation 1 would show by themselves. */
  readonly amplification: number;
}

/**
 * Elementary effects from a Morris design: the change of the figure over the change of the factor's share of its range.
 * Mean size: F. Campolongo, J. Cariboni and A. Saltelli, "An effective screening design for sensitivity analysis of large
 * models", Environmental Modelling and Software 22 (2007) 1509-1518.
 * @param values of the points in the design's order; NaN where there is none: its block is left out
 * @param share where a factor lies in its range at a point, after rounding to what its field takes, given its coordinate
 * @returns null below two blocks
 */
export function elementaryEffects(values: Float64Array, design: MorrisDesign, share: (factor: number, coordinate: number) => number, { resamples, confidence, random }: BootstrapOptions): ElementaryEffects | null {
  const { factors, points } = design;
  const effects: Float64Array[] = [];
  let steps = 0;
  let inverse = 0;
  let block = 0;
  for (const places of design) {
    const start = block * points;
    if (start + points > values.length) break;
    if (values.subarray(start, start + points).every((value) => !Number.isNaN(value))) {
      const found = new Float64Array(factors).fill(NaN);
      for (const { factor, from, to } of design.steps(block)) {
        const change = share(factor, places[to]![factor]!) - share(factor, places[from]![factor]!);
        // Two coordinates that round to one value tell nothing.
        if (change === 0) continue;
        found[factor] = (values[start + to]! - values[start + from]!) / change;
        steps++;
        inverse += 1 / Math.abs(change);
      }
      effects.push(found);
    }
    block++;
  }
  const blocks = effects.length;
  if (blocks < 2) return null;

  const statistics = (drawn: Uint32Array): readonly number[] => Array.from({ length: factors }, (_, factor) => {
    let count = 0;
    let sum = 0;
    let size = 0;
    for (const i of drawn) {
      const effect = effects[i]![factor]!;
      if (Number.isNaN(effect)) continue;
      count++;
      sum += effect;
      size += Math.abs(effect);
    }
    const mean = sum / count;
    let squares = 0;
    for (const i of drawn) {
      const effect = effects[i]![factor]!;
      if (!Number.isNaN(effect)) squares += (effect - mean) * (effect - mean);
    }
    return [mean, size / count, count < 2 ? NaN : Math.sqrt(squares / (count - 1))];
  }).flat();
  const found = bootstrap(blocks, statistics, resamples, confidence, random);
  return {
    blocks,
    // The mean size of a normal difference of two such errors is 2 / sqrt(pi).
    amplification: steps === 0 ? 0 : (2 / Math.sqrt(Math.PI)) * (inverse / steps),
    factors: Array.from({ length: factors }, (_, factor) => ({
      steps: effects.filter((effect) => !Number.isNaN(effect[factor]!)).length,
      mu: found[3 * factor]!, muStar: found[3 * factor + 1]!, sigma: found[3 * factor + 2]!,
    })),
  };
}
