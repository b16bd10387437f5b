import type { Figures } from "../../../protocol/result/figures.ts";

/**
 * What the runs of a study come to: for each point and figure the mean over the point's replications. Of a run that is over
 * nothing else is kept.
 */
export class Observations {
  readonly #paths: readonly string[];
  readonly #replications: number;
  readonly #values: readonly Float64Array[];
  /** Of the point that is being played: by figure, the replications so far. */
  readonly #current: readonly Float64Array[];
  readonly #chance: readonly Chance[];
  readonly #runs: readonly Float64Array[];
  #taken = 0;

  /** @param paths of the figures @param every whether runs are kept one by one, too */
  constructor(paths: readonly string[], points: number, replications: number, every: boolean) {
    this.#paths = paths;
    this.#replications = replications;
    this.#values = paths.map(() => new Float64Array(points).fill(NaN));
    this.#current = paths.map(() => new Float64Array(replications));
    this.#chance = paths.map(() => new Chance(replications));
    this.#runs = every ? paths.map(() => new Float64Array(points * replications).fill(NaN)) : [];
  }

  /** Runs that are over. */
  get taken(): number {
    return this.#taken;
  }

  /** Points of which every replication is over. */
  get points(): number {
    return Math.floor(this.#taken / this.#replications);
  }

  /** The next run: replication after replication, point after point. @param figures null where it failed */
  add(figures: Figures | null): void {
    const replication = this.#taken % this.#replications;
    const point = (this.#taken - replication) / this.#replications;
    this.#paths.forEach((path, i) => {
      const current = this.#current[i]!;
      current[replication] = figures?.[path] ?? NaN;
      if (this.#runs.length > 0) this.#runs[i]![this.#taken] = current[replication]!;
      if (replication < this.#replications - 1) return;
      const mean = current.reduce((sum, value) => sum + value, 0) / this.#replications;
      this.#values[i]![point] = mean;
      if (!Number.isNaN(mean)) this.#chance[i]!.add(current, mean);
    });
    this.#taken++;
  }

  /** Means of a figure, a point after the other; NaN where a replication failed, does not have it, or was not played. */
  values(figure: number): Float64Array {
    return this.#values[figure]!;
  }

  /** A figure of every run, in order; NaN where there is none. Only where every run is kept. */
  runs(figure: number): Float64Array {
    return this.#runs[figure]!;
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
  #squares = 0;
  #points = 0;

  constructor(replications: number) {
    this.#deviations = new Float64Array(replications);
  }

  add(values: Float64Array, mean: number): void {
    this.#points++;
    this.#first ??= values.map((value) => value - mean);
    for (let r = 0; r < values.length; r++) {
      const deviation = values[r]! - mean - this.#first[r]!;
      this.#deviations[r] = this.#deviations[r]! + deviation;
      this.#squares += deviation * deviation;
    }
  }

  get variance(): number | null {
    const replications = this.#deviations.length;
    if (replications < 2 || this.#points < 2) return null;
    const common = this.#deviations.reduce((sum, deviation) => sum + deviation * deviation, 0) / this.#points;
    return Math.max(0, this.#squares - common) / ((this.#points - 1) * (replications - 1)) / replications;
  }
}
