import type { ResampledFigure, SensitivityOfMetric } from "../../../protocol/result/sensitivity.ts";
import type { RandomStreams } from "../../kernel/random.ts";
import { Moments } from "../../kernel/statistics/index.ts";
import { valueAt } from "../../scenario/range.ts";
import type { Factor, SensitivityMethod, SensitivitySpec } from "../../scenario/sections/sensitivity.ts";
import { ResampleWeights, type Resampled } from "./bootstrap.ts";
import type { Design } from "./design.ts";
import { EffectSums, type ElementaryEffects } from "./elementary-effects.ts";
import type { MorrisDesign, Step } from "./morris-design.ts";
import { radial, trajectories } from "./morris-design.ts";
import { sobolDesign } from "./sobol-design.ts";
import type { BootstrapOptions, SobolIndices } from "./sobol-indices.ts";
import { SobolSums } from "./sobol-indices.ts";
import type { TornadoSums } from "./tornado.ts";

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

/** What blocks of a design come to, figure by figure. Keeps sums over blocks, and no block. */
export class Analyses {
  readonly #spec: SensitivitySpec;
  readonly #sums: readonly FigureSums[];
  readonly #weights: ResampleWeights;
  readonly #blocks: Iterator<Block>;

  constructor(spec: SensitivitySpec, design: Exclude<StudyDesign, { kind: "ends" }>, { resamples, random }: Pick<BootstrapOptions, "resamples" | "random">) {
    const { factors, metrics } = spec;
    this.#spec = spec;
    this.#weights = new ResampleWeights(resamples, design.design.blocks, random);
    this.#blocks = blocksOf(design);
    const share = (factor: number, coordinate: number): number => valueAt(factors[factor]!.moves[0]!.range, coordinate).share;
    this.#sums = metrics.map(() => ({
      moments: new Moments(), used: 0, dropped: 0,
      sums: design.kind === "effects" ? new EffectSums(factors.length, share, resamples) : new SobolSums(factors.length, design.secondOrder, resamples),
    }));
  }

  /** The next block of the design. @param values by figure, of each point; NaN where there is none: the figure's block is left out */
  add(values: readonly Float64Array[]): void {
    const weights = this.#weights.next();
    const block = this.#blocks.next().value as Block;
    this.#sums.forEach((figure, i) => {
      const of = values[i]!;
      if (of.some(Number.isNaN)) {
        figure.dropped++;
        return;
      }
      figure.used++;
      for (const value of of) figure.moments.add(value);
      if (figure.sums instanceof EffectSums) figure.sums.add(of, block.points, block.steps, weights);
      else figure.sums.add(of, weights);
    });
  }

  /** @param figure its place among the metrics */
  of(figure: number, chanceVariance: number | null): Analysis {
    const { factors, confidence } = this.#spec;
    const { sums, moments, used, dropped } = this.#sums[figure]!;
    const blocks = { used, dropped };
    if (used === 0) return { ...nothing, blocks };
    const spread = { mean: moments.mean, sd: moments.count < 2 ? null : moments.standardDeviation };
    return sums instanceof EffectSums ? screened(factors, sums.result(confidence), spread, blocks, chanceVariance, confidence) : shared(factors, sums.result(confidence), spread, blocks, chanceVariance, confidence);
  }
}

interface FigureSums {
  readonly sums: EffectSums | SobolSums;
  /** Over the points of the blocks that are used. */
  readonly moments: Moments;
  used: number;
  dropped: number;
}

interface Block {
  readonly points: readonly Float64Array[];
  readonly steps: readonly Step[];
}

function* blocksOf(design: Exclude<StudyDesign, { kind: "ends" }>): Generator<Block> {
  const steps = design.kind === "effects" ? design.design.steps()[Symbol.iterator]() : null;
  // Where no step is asked for, no point is.
  if (steps === null) for (;;) yield { points: [], steps: [] };
  for (const points of design.design) yield { points, steps: steps.next().value as readonly Step[] };
}

/** Of a figure of a tornado. */
export function tornadoOf(sums: TornadoSums, confidence: number): Analysis {
  const { tornado, used, dropped } = sums.bars(confidence);
  const { mean, sd } = tornado.base;
  return { ...nothing, mean, sd, blocks: { used, dropped }, tornado };
}

type Spread = { readonly mean: number; readonly sd: number | null };

function screened(factors: readonly Factor[], effects: ElementaryEffects | null, { mean, sd }: Spread, blocks: Analysis["blocks"], chanceVariance: number | null, confidence: number): Analysis {
  const chance = chanceVariance === null ? null : {
    sd: Math.sqrt(chanceVariance),
    share: sd === null || !(sd > 1e-12 * Math.abs(mean)) ? null : chanceVariance / (sd * sd),
    muStar: effects === null ? null : Math.sqrt(chanceVariance) * effects.amplification,
  };
  const rows = effects?.factors.map(({ steps, mu, muStar, sigma }, factor) => ({
    factor: factors[factor]!.name, steps, mu: figureOf(mu, confidence), muStar: figureOf(muStar, confidence), sigma: figureOf(sigma, confidence),
  }));
  return { ...nothing, mean, sd, blocks, chance, screening: rows?.toSorted((a, b) => b.muStar.value - a.muStar.value) ?? null };
}

function shared(factors: readonly Factor[], found: SobolIndices | null, spread: Spread, blocks: Analysis["blocks"], chanceVariance: number | null, confidence: number): Analysis {
  if (found === null) return { ...nothing, ...spread, blocks };
  const share = chanceVariance === null ? null : chanceVariance / found.variance;
  // Where chance makes up all of the variance, nothing is left to be shared out.
  const adjusted = (value: number, ofChance: number): number | null => (share === null || share > 0.9 ? null : (value - ofChance) / (1 - share));
  const rows = factors.map(({ name }, factor) => {
    const [first, total] = [found.first[factor]!, found.total[factor]!];
    return { factor: name, first: figureOf(first, confidence), total: figureOf(total, confidence), firstAdjusted: adjusted(first.value, 0), totalAdjusted: adjusted(total.value, share ?? 0) };
  });
  const pairs = found.pairs?.map(({ factors: [a, b], index }) => ({ factors: [factors[a]!.name, factors[b]!.name] as [string, string], index: figureOf(index, confidence) }));
  return {
    ...nothing, mean: found.mean, sd: Math.sqrt(found.variance), blocks,
    chance: chanceVariance === null ? null : { sd: Math.sqrt(chanceVariance), share, muStar: null },
    indices: {
      factors: rows.toSorted((a, b) => b.total.value - a.total.value), together: figureOf(found.together, confidence),
      pairs: pairs?.toSorted((a, b) => b.index.value - a.index.value) ?? null,
    },
  };
}

/** What is not known, such as the spread of a single effect, is no effect. */
function figureOf({ value, low, high }: Resampled, confidence: number): ResampledFigure {
  const known = !Number.isNaN(value) && !Number.isNaN(low) && !Number.isNaN(high);
  return { value: Number.isNaN(value) ? 0 : value, interval: known ? { confidence, low, high } : null };
}
