import type { ResampledFigure, SensitivityOfMetric } from "../../../protocol/result/sensitivity.ts";
import type { RandomStreams } from "../../kernel/random.ts";
import { Moments } from "../../kernel/statistics/index.ts";
import { valueAt } from "../../scenario/range.ts";
import type { Factor, SensitivityMethod, SensitivitySpec } from "../../scenario/sections/sensitivity.ts";
import type { Resampled } from "./bootstrap.ts";
import type { Design } from "./design.ts";
import { elementaryEffects } from "./elementary-effects.ts";
import type { MorrisDesign } from "./morris-design.ts";
import { radial, trajectories } from "./morris-design.ts";
import type { Observations } from "./observations.ts";
import { sobolDesign } from "./sobol-design.ts";
import type { BootstrapOptions } from "./sobol-indices.ts";
import { sobolIndices } from "./sobol-indices.ts";
import { tornadoBars } from "./tornado.ts";

/** Where a study looks, by what can be made of it. A tornado looks at ends alone, and needs no design. */
export type StudyDesign =
  | { readonly kind: "effects"; readonly design: MorrisDesign }
  | { readonly kind: "shares"; readonly design: Design; readonly secondOrder: boolean }
  | { readonly kind: "ends" };

/** What a study makes of one figure. */
export type Analysis = Omit<SensitivityOfMetric, "metric" | "headline" | "findings">;

const nothing = { mean: null, sd: null, chance: null, screening: null, indices: null, tornado: null } as const;

/** The design that a method looks at. */
export function designOf(method: SensitivityMethod, factors: number, streams: RandomStreams): StudyDesign {
  switch (method.kind) {
    case "morris": return { kind: "effects", design: method.design === "radial" ? radial(factors, method.trajectories, streams) : trajectories(factors, method.trajectories, method.levels, streams) };
    case "sobol": return { kind: "shares", design: sobolDesign(factors, method.points, method.secondOrder, streams), secondOrder: method.secondOrder };
    case "tornado": return { kind: "ends" };
  }
}

/** @param figure its place among those observed */
export function analyse({ factors, replications, confidence }: SensitivitySpec, design: StudyDesign, observations: Observations, figure: number, options: BootstrapOptions): Analysis {
  if (design.kind === "ends") {
    const { tornado, used, dropped } = tornadoBars(observations.runs(figure), observations.taken, factors, replications, confidence);
    const { mean, sd } = tornado.base;
    return { ...nothing, mean, sd, blocks: { used, dropped }, tornado };
  }
  const values = observations.values(figure);
  const blocks = blocksOf(values, design.design.points, observations.points);
  if (blocks.used === 0) return { ...nothing, blocks };
  const chanceVariance = observations.chanceVariance(figure);
  return design.kind === "effects" ? screened(factors, design.design, values, blocks, chanceVariance, options) : shared(factors, design.secondOrder, values, blocks, chanceVariance, options);
}

function screened(factors: readonly Factor[], design: MorrisDesign, values: Float64Array, blocks: Analysis["blocks"], chanceVariance: number | null, options: BootstrapOptions): Analysis {
  const { mean, sd } = spread(values, design.points);
  const effects = elementaryEffects(values, design, (factor, coordinate) => valueAt(factors[factor]!.moves[0]!.range, coordinate).share, options);
  const chance = chanceVariance === null ? null : {
    sd: Math.sqrt(chanceVariance),
    share: sd === null || !(sd > 1e-12 * Math.abs(mean)) ? null : chanceVariance / (sd * sd),
    muStar: effects === null ? null : Math.sqrt(chanceVariance) * effects.amplification,
  };
  const rows = effects?.factors.map(({ steps, mu, muStar, sigma }, factor) => ({
    factor: factors[factor]!.name, steps, mu: figureOf(mu, options), muStar: figureOf(muStar, options), sigma: figureOf(sigma, options),
  }));
  return { ...nothing, mean, sd, blocks, chance, screening: rows?.toSorted((a, b) => b.muStar.value - a.muStar.value) ?? null };
}

function shared(factors: readonly Factor[], secondOrder: boolean, values: Float64Array, blocks: Analysis["blocks"], chanceVariance: number | null, options: BootstrapOptions): Analysis {
  const found = sobolIndices(values, factors.length, secondOrder, options);
  if (found === null) return { ...nothing, ...spread(values, (secondOrder ? 2 : 1) * factors.length + 2), blocks };
  const share = chanceVariance === null ? null : chanceVariance / found.variance;
  // Where chance makes up all of the variance, nothing is left to be shared out.
  const adjusted = (value: number, ofChance: number): number | null => (share === null || share > 0.9 ? null : (value - ofChance) / (1 - share));
  const rows = factors.map(({ name }, factor) => {
    const [first, total] = [found.first[factor]!, found.total[factor]!];
    return { factor: name, first: figureOf(first, options), total: figureOf(total, options), firstAdjusted: adjusted(first.value, 0), totalAdjusted: adjusted(total.value, share ?? 0) };
  });
  const pairs = found.pairs?.map(({ factors: [a, b], index }) => ({ factors: [factors[a]!.name, factors[b]!.name] as [string, string], index: figureOf(index, options) }));
  return {
    ...nothing, mean: found.mean, sd: Math.sqrt(found.variance), blocks,
    chance: chanceVariance === null ? null : { sd: Math.sqrt(chanceVariance), share, muStar: null },
    indices: {
      factors: rows.toSorted((a, b) => b.total.value - a.total.value), together: figureOf(found.together, options),
      pairs: pairs?.toSorted((a, b) => b.index.value - a.index.value) ?? null,
    },
  };
}

/** Blocks of which every point has its value, and blocks that were played and have not. */
function blocksOf(values: Float64Array, points: number, played: number): Analysis["blocks"] {
  let used = 0;
  let dropped = 0;
  for (let start = 0; start + points <= played; start += points) {
    if (values.subarray(start, start + points).some(Number.isNaN)) dropped++;
    else used++;
  }
  return { used, dropped };
}

/** Over the points of whole blocks. */
function spread(values: Float64Array, points: number): { readonly mean: number; readonly sd: number | null } {
  const moments = new Moments();
  for (let start = 0; start + points <= values.length; start += points) {
    const block = values.subarray(start, start + points);
    if (!block.some(Number.isNaN)) for (const value of block) moments.add(value);
  }
  return { mean: moments.mean, sd: moments.count < 2 ? null : moments.standardDeviation };
}

/** What is not known, such as the spread of a single effect, is no effect. */
function figureOf({ value, low, high }: Resampled, { confidence }: BootstrapOptions): ResampledFigure {
  const known = !Number.isNaN(value) && !Number.isNaN(low) && !Number.isNaN(high);
  return { value: Number.isNaN(value) ? 0 : value, interval: known ? { confidence, low, high } : null };
}
