const S = 1_000_000;
const WIDTHS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800];
const WINDOWS = 120;

/**
 * Width of the report's time windows: a round number that divides the horizon into at most about 120 windows.
 * @returns integer microseconds, at least 1
 */
export function windowWidthUs(horizonUs: number): number {
  const leastUs = Math.max(1, horizonUs / WINDOWS);
  for (let scale = 1; scale < S; scale *= 10) {
    for (const step of [1, 2, 5]) if (step * scale >= leastUs) return step * scale;
  }
  for (const width of WIDTHS_S) if (width * S >= leastUs) return width * S;
  return Math.ceil(leastUs / (604_800 * S)) * 604_800 * S;
}

/**
 * Piecewise constant quantities, averaged over equal windows of [0, horizon) and over the measured interval.
 *
 * The owner calls `advance` before it changes a level, so that whatever lies behind a window's end is closed in time order.
 * Memory: one column of windows per level, whatever the number of changes. Times are integer microseconds.
 */
export class Levels {
  readonly windowUs: number;
  windows: number;
  /** Index of the window that the last `advance` came into; `windows` from the horizon on. */
  window = 0;
  #horizonUs: number;
  readonly #warmupUs: number;
  readonly #value: Float64Array;
  readonly #sinceUs: Float64Array;
  /** Integral since the last boundary. */
  readonly #open: Float64Array;
  readonly #measured: Float64Array;
  readonly #columns: Float64Array[];
  #nextBoundaryUs: number;

  constructor(levels: number, warmupUs: number, horizonUs: number) {
    this.windowUs = windowWidthUs(horizonUs);
    this.windows = Math.ceil(horizonUs / this.windowUs);
    this.#horizonUs = horizonUs;
    this.#warmupUs = warmupUs;
    this.#value = new Float64Array(levels);
    this.#sinceUs = new Float64Array(levels);
    this.#open = new Float64Array(levels);
    this.#measured = new Float64Array(levels);
    this.#columns = Array.from({ length: levels }, () => new Float64Array(this.windows));
    this.#nextBoundaryUs = this.#boundaryAfter(0);
  }

  /** Closes every window that ends at or before `nowUs`. @returns true where a window was closed */
  advance(nowUs: number): boolean {
    if (nowUs < this.#nextBoundaryUs) return false;
    const before = this.window;
    while (nowUs >= this.#nextBoundaryUs) this.#close(this.#nextBoundaryUs);
    return this.window !== before;
  }

  /** Moves the horizon forward to `nowUs`, which lies before it; the window under way ends there. After an `advance` to `nowUs`. */
  cut(nowUs: number): void {
    this.#horizonUs = nowUs;
    this.windows = Math.ceil(nowUs / this.windowUs);
    // A window that ends just here was closed already.
    this.#nextBoundaryUs = nowUs % this.windowUs === 0 ? Infinity : nowUs;
  }

  add(level: number, nowUs: number, change: number): void {
    const value = this.#value[level]!;
    this.#open[level]! += value * (nowUs - this.#sinceUs[level]!);
    this.#sinceUs[level] = nowUs;
    this.#value[level] = value + change;
  }

  value(level: number): number {
    return this.#value[level]!;
  }

  /** Integral over the measured interval. Only after an `advance` to the horizon. */
  measured(level: number): number {
    return this.#measured[level]!;
  }

  /** Integral over the measured interval until now, between an `advance` to `nowUs` and the next change. */
  measuredUntil(level: number, nowUs: number): number {
    return this.#measured[level]! + this.#open[level]! + this.#value[level]! * (nowUs - this.#sinceUs[level]!);
  }

  /** Integral over each window. */
  column(level: number): Float64Array {
    return this.#columns[level]!;
  }

  /** Length of a window; the last one may be shorter. */
  lengthUs(window: number): number {
    return Math.min(this.windowUs, this.#horizonUs - window * this.windowUs);
  }

  #close(boundaryUs: number): void {
    const measuring = boundaryUs > this.#warmupUs;
    for (let level = 0; level < this.#value.length; level++) {
      this.add(level, boundaryUs, 0);
      const integral = this.#open[level]!;
      this.#columns[level]![this.window]! += integral;
      if (measuring) this.#measured[level]! += integral;
      this.#open[level] = 0;
    }
    if (boundaryUs === this.#horizonUs || boundaryUs % this.windowUs === 0) this.window++;
    this.#nextBoundaryUs = this.#boundaryAfter(boundaryUs);
  }

  #boundaryAfter(timeUs: number): number {
    if (timeUs >= this.#horizonUs) return Infinity;
    const next = Math.min(this.#horizonUs, (Math.floor(timeUs / this.windowUs) + 1) * this.windowUs);
    return timeUs < this.#warmupUs ? Math.min(next, this.#warmupUs) : next;
  }
}
