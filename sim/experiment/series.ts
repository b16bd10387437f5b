import type { Figures } from "../../protocol/result/figures.ts";
import type { JobRow } from "../../protocol/result.ts";

/** What a run's series are about, as means of equal windows of [0, horizon). */
export const SERIES = ["inSystem", "latencyUs", "perMtokMsat"] as const;
/**
 * inSystem: jobs submitted and not ended. latencyUs: of the jobs that were submitted in the window and completed.
 * perMtokMsat: what those paid, fees included, per million tokens.
 */
export type SeriesName = (typeof SERIES)[number];

/** Follows a run job by job, warm-up included, in windows of its own. */
export class SeriesTally {
  readonly #windows: number;
  readonly #horizonUs: number;
  readonly #widthUs: number;
  readonly #jobs: Float64Array;
  readonly #latencyUs: Float64Array;
  readonly #paidMsat: Float64Array;
  readonly #tokens: Float64Array;
  /** Job-microseconds of jobs that were in the system for part of the window. */
  readonly #partUs: Float64Array;
  /** Changes from window to window of the jobs that were there for all of it. */
  readonly #change: Float64Array;

  /** @param windows at least 1 */
  constructor(windows: number, horizonUs: number) {
    this.#windows = windows;
    this.#horizonUs = horizonUs;
    this.#widthUs = horizonUs / windows;
    this.#jobs = new Float64Array(windows);
    this.#latencyUs = new Float64Array(windows);
    this.#paidMsat = new Float64Array(windows);
    this.#tokens = new Float64Array(windows);
    this.#partUs = new Float64Array(windows);
    this.#change = new Float64Array(windows + 2);
  }

  add(row: JobRow): void {
    const fromUs = row.submittedUs;
    if (fromUs >= this.#horizonUs) return;
    const toUs = row.endedUs < 0 ? this.#horizonUs : Math.min(row.endedUs, this.#horizonUs);
    const first = this.#window(fromUs);
    const last = this.#window(toUs);
    if (first === last) {
      this.#partUs[first]! += toUs - fromUs;
    } else {
      this.#partUs[first]! += (first + 1) * this.#widthUs - fromUs;
      this.#partUs[last]! += toUs - last * this.#widthUs;
      this.#change[first + 1]! += 1;
      this.#change[last]! -= 1;
    }
    if (row.status !== "completed") return;
    this.#jobs[first]! += 1;
    this.#latencyUs[first]! += row.finishedUs - fromUs;
    this.#paidMsat[first]! += row.amountMsat + row.feeMsat;
    this.#tokens[first]! += row.inputTokens + row.outputTokens;
  }

  /** The series, null where a window has no value. */
  series(): Record<SeriesName, (number | null)[]> {
    const inSystem: number[] = [];
    let throughout = 0;
    for (let i = 0; i < this.#windows; i++) {
      throughout += this.#change[i]!;
      inSystem.push(throughout + this.#partUs[i]! / this.#widthUs);
    }
    const ratio = (dividend: Float64Array, divisor: Float64Array, scale: number): (number | null)[] => Array.from(dividend, (value, i) => divisor[i] === 0 ? null : (scale * value) / divisor[i]!);
    return { inSystem, latencyUs: ratio(this.#latencyUs, this.#jobs, 1), perMtokMsat: ratio(this.#paidMsat, this.#tokens, 1e6) };
  }

  #window(us: number): number {
    return Math.min(this.#windows - 1, Math.floor(us / this.#widthUs));
  }
}

const prefix = "series.";

/** Figures with series among them, so that they travel as figures do: `series.latencyUs.17`. */
export function withSeries(figures: Figures, series: Readonly<Record<SeriesName, readonly (number | null)[]>>): Figures {
  const all: Record<string, number | null> = { ...figures };
  for (const name of SERIES) for (const [i, value] of series[name].entries()) all[`${prefix}${name}.${i}`] = value;
  return all;
}

/** A series of a run whose task asked for so many windows. */
export function seriesOf(figures: Figures, name: SeriesName, windows: number): (number | null)[] {
  return Array.from({ length: windows }, (_, i) => figures[`${prefix}${name}.${i}`] ?? null);
}

/** Whether there are series among the figures. */
export function hasSeries(figures: Figures): boolean {
  return `${prefix}${SERIES[0]}.0` in figures;
}

/** Whether a figure is part of a series. */
export function isSeries(path: string): boolean {
  return path.startsWith(prefix);
}

/** The figures that are no part of a series. */
export function withoutSeries(figures: Figures): Figures {
  return Object.fromEntries(Object.entries(figures).filter(([path]) => !isSeries(path)));
}
