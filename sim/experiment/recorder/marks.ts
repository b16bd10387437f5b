/** Equal parts of the measured interval from which a run's confidence intervals come: few enough to be long. */
export const BATCHES = 20;

/** Takes what something has come to since the start of the run, or since the warm-up: never the same name twice at one time. */
export type AddTotal = (name: string, total: number) => void;

/**
 * Totals of a run at the ends of its batches, from which each batch's own part follows. Nothing is done for a job, or for any
 * other event: the totals are there anyway, and are read 21 times in a run.
 * Memory: 22 numbers for each name.
 */
export class Marks {
  /** The warm-up's end, and then the batches', µs. */
  readonly #atUs: readonly number[];
  readonly #totals = new Map<string, Float64Array>();
  #taken = 0;
  #rest = false;

  /** @param warmupUs where the measured interval begins; at least {@link BATCHES} µs before its end */
  constructor(warmupUs: number, horizonUs: number) {
    this.#atUs = Array.from({ length: BATCHES + 1 }, (_, mark) => Math.round(warmupUs + ((horizonUs - warmupUs) * mark) / BATCHES));
  }

  /** When totals are to be taken next, µs; Infinity after the last batch. */
  get nextUs(): number {
    return this.#atUs[this.#taken] ?? Infinity;
  }

  /** Batches that are over. */
  get batches(): number {
    return Math.max(0, this.#taken - 1);
  }

  /** Length of the batches that are over, µs. */
  get lengthsUs(): Float64Array {
    return Float64Array.from({ length: this.batches }, (_, batch) => this.#atUs[batch + 1]! - this.#atUs[batch]!);
  }

  /** Takes the totals of now, when {@link nextUs} is: a batch ends, or the warm-up. */
  take(gather: (add: AddTotal) => void): void {
    const mark = this.#taken++;
    gather((name, total) => this.#set(name, mark, total));
  }

  /** Takes the totals of the end of a run whose batches are all over. */
  takeRest(gather: (add: AddTotal) => void): void {
    this.#rest = true;
    gather((name, total) => this.#set(name, BATCHES + 1, total));
  }

  has(name: string): boolean {
    return this.#totals.has(name);
  }

  /** By batch, of what happens in time: what came after the last batch is left out. */
  inTime(name: string): Float64Array {
    const parts = new Float64Array(this.batches);
    const totals = this.#totals.get(name);
    if (totals !== undefined) for (let batch = 0; batch < parts.length; batch++) parts[batch] = totals[batch + 1]! - totals[batch]!;
    return parts;
  }

  /**
   * By batch, of what measured jobs leave behind when they end. What comes after the last batch counts in the first one, which
   * lacks as much: the jobs that end in it and were submitted in the warm-up. So every measured job is in one batch.
   */
  ofJobs(name: string): Float64Array {
    const batches = this.inTime(name);
    const totals = this.#totals.get(name);
    if (totals === undefined || batches.length === 0) return batches;
    batches[0] = totals[1]! + (this.#rest ? totals[BATCHES + 1]! - totals[BATCHES]! : 0);
    return batches;
  }

  #set(name: string, mark: number, total: number): void {
    let totals = this.#totals.get(name);
    if (totals === undefined) this.#totals.set(name, totals = new Float64Array(BATCHES + 2));
    totals[mark] = total;
  }
}
