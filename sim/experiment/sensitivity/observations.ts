import type { Figures } from "../../../protocol/result/figures.ts";

/** Replications of a point from which chance is estimated, at most: it is known well enough by then. */
const CHANCE_MOST = 1_000;

/** Takes a block of points that are over: by figure, the mean of each point over its replications; NaN where one failed, or does not have the figure. */
export type TakeBlock = (values: readonly Float64Array[]) => void;

/**
 * What the runs of a study come to: for each point and figure the mean over the point's replications, handed on block by block.
 * Of a run that is over, and of a block, nothing is kept.
 */
export class Observations {
  readonly #paths: readonly string[];
  readonly #replications: number;
  readonly #points: number;
  readonly #take: TakeBlock;
  /** Of the block that is being played: by figure, its points so far. */
  readonly #block: readonly Float64Array[];
  /** Of the point that is being played: by figure, the sum of the replications so far, and the first of them. */
  readonly #sums: Float64Array;
  readonly #current: readonly Float64Array[];
  readonly #chance: readonly Chance[];
  #taken = 0;

  /** @param paths of the figures @param points of a block */
  constructor(paths: readonly string[], points: number, replications: number, take: TakeBlock) {
    this.#paths = paths;
    this.#replications = replications;
    this.#points = points;
    this.#take = take;
    this.#block = paths.map(() => new Float64Array(points));
    this.#sums = new Float64Array(paths.length);
    this.#current = paths.map(() => new Float64Array(Math.min(replications, CHANCE_MOST)));
    this.#chance = paths.map(() => new Chance(Math.min(replications, CHANCE_MOST), replications));
  }

  /** The next run: replication after replication, point after point. @param figures null where it failed */
  add(figures: Figures | null): void {
    const replication = this.#taken % this.#replications;
    const point = Math.floor(this.#taken++ / this.#replications) % this.#points;
    const last = replication === this.#replications - 1;
    this.#paths.forEach((path, i) => {
      const value = figures?.[path] ?? NaN;
      const current = this.#current[i]!;
      if (replication < current.length) current[replication] = value;
      this.#sums[i] = (replication === 0 ? 0 : this.#sums[i]!) + value;
      if (!last) return;
      const mean = this.#sums[i]! / this.#replications;
      this.#block[i]![point] = mean;
      if (!Number.isNaN(mean)) this.#chance[i]!.add(current);
    });
    if (last && point === this.#points - 1) this.#take(this.#block);
  }

  /** Variance that chance gives the mean of a point, apart from what it does to all points alike; null where one cannot tell. */
  chanceVariance(figure: number): number | null {
    return this.#chance[figure]!.variance;
  }
}

/**
 * Points and replications as a two-way table: the interaction is what chance does to one point and not to the others, since
 * a replication has the same random numbers everywhere.
 */
class Chance {
  /** Deviations of the first point's replications from its mean: large where chance does much to all alike, and taken off all others. */
  #first: Float64Array | null = null;
  readonly #deviations: Float64Array;
  readonly #replications: number;
  #squares = 0;
  #points = 0;

  /** @param kept replications that are looked at, of so many */
  constructor(kept: number, replications: number) {
    this.#deviations = new Float64Array(kept);
    this.#replications = replications;
  }

  add(values: Float64Array): void {
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    this.#points++;
    this.#first ??= values.map((value) => value - mean);
    for (let r = 0; r < values.length; r++) {
      const deviation = values[r]! - mean - this.#first[r]!;
      this.#deviations[r] = this.#deviations[r]! + deviation;
      this.#squares += deviation * deviation;
    }
  }

  get variance(): number | null {
    const kept = this.#deviations.length;
    if (kept < 2 || this.#points < 2) return null;
    const common = this.#deviations.reduce((sum, deviation) => sum + deviation * deviation, 0) / this.#points;
    return Math.max(0, this.#squares - common) / ((this.#points - 1) * (kept - 1)) / this.#replications;
  }
}
