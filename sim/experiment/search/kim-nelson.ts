/** What Kim and Nelson's procedure asks to be told. */
export interface KimNelsonOptions {
  /** How many systems there are, 1 or more. */
  readonly systems: number;
  /** Probability with which the pick may be wrong, above 0 and below 1 - 1 / systems. */
  readonly alpha: number;
  /** The smallest difference worth detecting, above 0, in the metric's unit. */
  readonly indifference: number;
  /** Observations of each system before any may be eliminated, 2 or more. */
  readonly first: number;
}

/** A system that is out, since when, and against which. */
export interface Elimination {
  readonly system: number;
  /** Observations of each system by then. */
  readonly at: number;
  readonly by: number;
}

/**
 * Picks the system with the largest mean, one observation of each system at a time: S.-H. Kim and B. L. Nelson, "A fully
 * sequential procedure for indifference-zone selection in simulation", ACM Transactions on Modeling and Computer Simulation
 * 11(3), 2001, with their c = 1, and the bound for systems that share random numbers (beta = alpha / (k - 1)).
 *
 * Promise: where observations are normal and independent from one replication to the next (of the systems of one replication:
 * in any way dependent), and the best mean is ahead of all others by the indifference or more, the best is picked with
 * probability 1 - alpha at least.
 */
export class KimNelson {
  readonly #systems: number;
  readonly #first: number;
  readonly #indifference: number;
  readonly #h2: number;
  readonly #history: number[][] = [];
  /** Variance of the difference of i and l over the first observations, at i * systems + l. */
  readonly #variances: Float64Array;
  readonly #sums: Float64Array;
  readonly #eliminations: Elimination[] = [];
  #survivors: number[];
  #observations = 0;
  #done: boolean;

  /** @throws RangeError */
  constructor({ systems, alpha, indifference, first }: KimNelsonOptions) {
    if (!(indifference > 0)) throw new RangeError(`The indifference must be above 0; found ${indifference}.`);
    if (first < 2) throw new RangeError(`Kim and Nelson's procedure needs two first observations at least; found ${first}.`);
    this.#systems = systems;
    this.#first = first;
    this.#indifference = indifference;
    this.#h2 = 2 * eta(alpha, systems, first) * (first - 1);
    this.#variances = new Float64Array(systems * systems);
    this.#sums = new Float64Array(systems);
    this.#survivors = Array.from({ length: systems }, (_, i) => i);
    this.#done = systems < 2;
  }

  /** Systems still in the race, in ascending order. */
  get survivors(): readonly number[] {
    return this.#survivors;
  }

  get eliminations(): readonly Elimination[] {
    return this.#eliminations;
  }

  /** Observations of each surviving system. */
  get observations(): number {
    return this.#observations;
  }

  /** Whether the pick has its guarantee. */
  get done(): boolean {
    return this.#done;
  }

  /** The surviving system with the largest mean, the first of equals. */
  get best(): number {
    return this.#survivors.reduce((best, system) => (this.#sums[system]! > this.#sums[best]! ? system : best));
  }

  /** Observations that may still be needed of each survivor, at most; 0 where done, Infinity where not known yet. */
  get most(): number {
    if (this.#done) return 0;
    return this.#observations < this.#first ? Infinity : Math.max(0, this.#end() - this.#observations);
  }

  /**
   * Takes an observation of each survivor.
   * @param values by system; those of eliminated ones are not looked at
   */
  take(values: ArrayLike<number>): void {
    if (this.#done) return;
    for (const system of this.#survivors) this.#sums[system]! += values[system]!;
    this.#observations++;
    if (this.#observations < this.#first) {
      this.#history.push(Array.from({ length: this.#systems }, (_, i) => values[i]!));
      return;
    }
    if (this.#observations === this.#first) {
      this.#history.push(Array.from({ length: this.#systems }, (_, i) => values[i]!));
      this.#differences();
    }
    this.#screen();
    if (this.#survivors.length === 1 || this.#observations >= this.#end()) this.#done = true;
  }

  /** Takes a system out of the race that can no longer be observed. */
  drop(system: number): void {
    this.#survivors = this.#survivors.filter((other) => other !== system);
    if (this.#survivors.length < 2) this.#done = true;
  }

  #differences(): void {
    const n = this.#first;
    for (let i = 0; i < this.#systems; i++) {
      for (let l = i + 1; l < this.#systems; l++) {
        let mean = 0;
        for (const values of this.#history) mean += (values[i]! - values[l]!) / n;
        let squares = 0;
        for (const values of this.#history) squares += (values[i]! - values[l]! - mean) * (values[i]! - values[l]! - mean);
        this.#variances[i * this.#systems + l] = this.#variances[l * this.#systems + i] = squares / (n - 1);
      }
    }
    this.#history.length = 0;
  }

  /** Observations by which the race ends whatever happens: one more than the last continuation region lasts. */
  #end(): number {
    let end = 0;
    for (const i of this.#survivors) for (const l of this.#survivors) end = Math.max(end, Math.floor(this.#length(i, l)));
    return end + 1;
  }

  /** Observations for which the continuation region of a pair lasts. */
  #length(i: number, l: number): number {
    const variance = this.#variances[i * this.#systems + l]!;
    // However small the indifference, what does not vary is told apart at once.
    return variance === 0 ? 0 : (this.#h2 * variance) / (this.#indifference * this.#indifference);
  }

  #screen(): void {
    const r = this.#observations;
    const before = this.#survivors;
    this.#survivors = before.filter((i) => {
      for (const l of before) {
        // Sums, not means: r times the paper's inequality.
        const room = Math.max(0, (this.#indifference / 2) * (this.#length(i, l) - r));
        if (this.#sums[i]! < this.#sums[l]! - room) {
          this.#eliminations.push({ system: i, at: r, by: l });
          return false;
        }
      }
      return true;
    });
  }
}

/** Solves (1 + 2 eta)^(-(first - 1) / 2) / 2 = alpha / (systems - 1). */
function eta(alpha: number, systems: number, first: number): number {
  if (systems < 2) return 0;
  const beta = alpha / (systems - 1);
  if (!(beta > 0 && beta < 0.5)) throw new RangeError(`With ${systems} systems, the probability of a wrong pick must be above 0 and below ${(systems - 1) / 2}; found ${alpha}.`);
  return 0.5 * Math.expm1((-2 / (first - 1)) * Math.log(2 * beta));
}
