import type { Measure } from "./measures.ts";
import type { Played } from "./played.ts";

/** Planted fault that every comparison has to notice: service that takes this many times as long. */
export const FAULT = 1.03;

/** One figure of a run and its closed form. */
export interface Comparison {
  readonly what: string;
  readonly unit: "s" | "jobs" | "jobs/s" | "share";
  readonly measure: Measure;
  /**
   * The closed form. Its argument is the mean service time in units of the scenario's own: 1 for what the scenario
   * says, {@link FAULT} for what the same theory says of a slower server.
   */
  readonly theory: (service: number) => number;
  /** Most that the half-width of the 99 % interval may be, as a share of `scale`: how sharp the comparison is. */
  readonly within: number;
  /** What `within` is a share of; the closed form by default. */
  readonly scale?: number;
  /** Closed forms of neighbouring models that the interval must exclude. */
  readonly not?: readonly { readonly model: string; readonly value: number }[];
  /** The figure hardly depends on the time that service takes, so the planted fault need not show. */
  readonly insensitive?: true;
}

/** A scenario of the `scenarios` folder, with changes, and what queueing theory says of it. */
export interface TheoryCase {
  readonly name: string;
  readonly reference: string;
  readonly scenario: string;
  readonly sets: readonly string[];
  readonly comparisons: readonly Comparison[];
  /** A sample of nearly independent values and the distribution that it should have (Kolmogorov-Smirnov). */
  readonly distribution?: { readonly what: string; readonly sample: (played: Played) => readonly number[]; readonly cdf: (x: number, service: number) => number };
}
