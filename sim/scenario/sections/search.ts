import { z } from "zod";
import type { ClassNames, Metric } from "../../../protocol/result/metrics.ts";
import type { Finding } from "../../../input/problem.ts";
import { share } from "../../../input/quantities.ts";
import type { FieldLookup } from "../range.ts";
import { gridOrRange, isRange, resolveAxis } from "./grid.ts";
import type { Axis } from "./grid.ts";
import { metricNamed, readAmount } from "./goal.ts";

const path = z.string().min(1).max(256);
const metric = z.string().min(1).max(256);
const amount = z.union([z.number(), z.string().min(1).max(64)]).meta({ title: "a number, with the metric's unit or a share such as 1 %" });
const confidence = share.describe("Probability with which what is promised holds.");

/** Methods of search. */
export const searchMethods = ["kn", "ocba", "direct"] as const;
export type SearchMethod = (typeof searchMethods)[number];

/** The key at the top of a scenario that says which values are to be found. */
export const searchShape = {
  search: z.strictObject({
    maximise: metric.optional().describe("What is to be as large as possible: a metric such as `router.revenue`, `profit@rtx3060`, or any figure's path."),
    minimise: metric.optional().describe("What is to be as small as possible."),
    subjectTo: z.record(metric, z.strictObject({
      atLeast: amount.optional().describe("The mean over runs must not be less."),
      atMost: amount.optional().describe("The mean over runs must not be more."),
    })).optional().describe("What must hold besides: `{goodput: {atLeast: 95 %}}`."),
    over: z.record(path, gridOrRange).describe("Paths, as --set takes them, and their values: a list, `{from, to, steps}`, or `{from, to}` for any value in between. Several paths: every combination."),
    method: z.enum(searchMethods).optional().describe("kn: Kim and Nelson's selection with a guarantee (default for lists). ocba: a fixed budget dealt out where it tells most. direct: for ranges, the DIRECT algorithm, and Kim and Nelson's selection among the best it found."),
    indifference: amount.optional().describe("A difference smaller than this does not matter: in the metric's unit, or as a share of its value (default: 1 %)."),
    confidence: confidence.optional().describe("Probability of a correct selection, and of the intervals (default: 95 %)."),
    first: z.int().min(2).max(10_000).optional().describe("Runs of each alternative before any is given up (default: 10)."),
    replications: z.int().min(1).max(10_000).optional().describe("Runs of each point of a range (default: 5)."),
    finalists: z.int().min(2).max(100).optional().describe("Points of a range that are compared at the end (default: 5)."),
    fresh: z.int().min(2).max(10_000).optional().describe("Runs of each alternative with fresh random numbers, after the choice (default: 20)."),
    budget: z.int().min(10).max(10_000_000).optional().describe("Runs for the search, at most, those with fresh random numbers not counted (default: 10000; with ocba 20 for each alternative, for ranges 500)."),
  }).optional().describe("The best values of a few parameters. `infernet search` finds them."),
};

/** A bound on the mean of a metric. */
export interface Constraint {
  readonly metric: Metric;
  readonly sense: "at least" | "at most";
  /** In the metric's base unit. */
  readonly bound: number;
}

/** A search, ready to be planned. */
export interface SearchSpec {
  readonly direction: "maximise" | "minimise";
  readonly metric: Metric;
  readonly constraints: readonly Constraint[];
  readonly axes: readonly Axis[];
  readonly method: SearchMethod;
  /** Either a share of the metric's value, or an amount in its base unit; above 0. */
  readonly indifference: { readonly share: number } | { readonly amount: number };
  readonly confidence: number;
  readonly first: number;
  readonly replications: number;
  readonly finalists: number;
  readonly fresh: number;
  readonly budget: number;
}

/** Alternatives of one search, at most: all of them are played. */
export const maxAlternatives = 1_000;

type Input = z.output<z.ZodObject<typeof searchShape>>["search"];

/** @returns null where the scenario has none, or after a finding. */
export function resolveSearch(input: Input, classes: ClassNames, report: (finding: Finding) => void, fieldOf: FieldLookup): SearchSpec | null {
  if (input === undefined) return null;
  let sound = true;
  const finding = (one: Finding): void => {
    sound = false;
    report(one);
  };
  const { maximise, minimise } = input;
  if ((maximise === undefined) === (minimise === undefined)) finding({ path: ["search"], found: maximise === undefined ? "no goal" : "two goals", allowed: "one of maximise and minimise", atKey: true });
  const direction = maximise === undefined ? "minimise" : "maximise";
  const goal = metricNamed(maximise ?? minimise ?? "profit", ["search", direction], classes, finding);

  const paths = Object.entries(input.over);
  if (paths.length === 0 || paths.length > 8) finding({ path: ["search", "over"], found: paths.length === 0 ? "nothing" : `${paths.length} paths`, allowed: "1 to 8 paths", atKey: true });
  const axes = paths.flatMap(([name, values]) => resolveAxis(name, values, ["search", "over", name], finding, fieldOf) ?? []);
  const ranges = axes.filter(isRange);
  if (ranges.length > 0 && ranges.length < axes.length) {
    const other = axes.find((axis) => !isRange(axis))!;
    finding({ path: ["search", "over", other.path], found: "a list of values beside a range", allowed: "lists alone, or ranges alone: a number of `steps` makes a list of a range", atKey: true });
  }
  const alternatives = axes.reduce((product, axis) => product * (isRange(axis) ? 1 : axis.values.length), 1);
  if (ranges.length === 0 && (alternatives < 2 || alternatives > maxAlternatives) && axes.length > 0) finding({ path: ["search", "over"], found: `${alternatives} ${alternatives === 1 ? "alternative" : "alternatives"}`, allowed: `2 to ${maxAlternatives}`, atKey: true });
  const method = input.method ?? (ranges.length > 0 ? "direct" : "kn");
  if ((method === "direct") !== (ranges.length > 0) && axes.length > 0) finding({ path: ["search", "method"], found: method, allowed: ranges.length > 0 ? "direct, as there are ranges; a number of `steps` makes a list of each" : "kn or ocba, as there are lists; a range without `steps` is for direct" });

  const constraints = Object.entries(input.subjectTo ?? {}).flatMap(([name, bounds]): Constraint[] => {
    const at = ["search", "subjectTo", name];
    const of = metricNamed(name, at, classes, finding, true);
    const given = (["atLeast", "atMost"] as const).filter((key) => bounds[key] !== undefined);
    if (given.length !== 1) {
      finding({ path: at, found: given.length === 0 ? "no bound" : "two bounds", allowed: "one of atLeast and atMost", atKey: true });
      return [];
    }
    const [key] = given as ["atLeast" | "atMost"];
    const bound = of === null ? null : readAmount(bounds[key]!, of, [...at, key], finding);
    return of === null || bound === null ? [] : [{ metric: of, sense: key === "atLeast" ? "at least" : "at most", bound }];
  });
  const indifference = goal === null ? null : indifferenceOf(input.indifference, goal, finding);
  if (input.confidence !== undefined && !(confidenceOf(input.confidence) > 0.5 && confidenceOf(input.confidence) < 1)) finding({ path: ["search", "confidence"], found: String(input.confidence), allowed: "above 50 % and below 100 %" });
  if (!sound || goal === null || indifference === null) return null;
  return {
    direction, metric: goal, constraints, axes, method, indifference, confidence: confidenceOf(input.confidence ?? 0.95), first: input.first ?? 10, replications: input.replications ?? 5,
    finalists: input.finalists ?? 5, fresh: input.fresh ?? 20, budget: input.budget ?? (method === "direct" ? 500 : method === "ocba" ? 20 * alternatives : 10_000),
  };
}

function indifferenceOf(given: string | number | undefined, goal: Metric, finding: (finding: Finding) => void): SearchSpec["indifference"] | null {
  const at = ["search", "indifference"];
  if (given === undefined) return { share: 0.01 };
  const percent = typeof given === "string" ? /^\s*([0-9]+(?:\.[0-9]+)?)\s*%\s*$/.exec(given)?.[1] : undefined;
  const value = percent === undefined ? readAmount(given, goal, at, (one) => finding({ ...one, allowed: `${one.allowed}, or a share of the metric such as 1 %` })) : Number(percent) / 100;
  if (value === null) return null;
  if (!(value > 0)) {
    finding({ path: at, found: String(given), allowed: "above 0" });
    return null;
  }
  return percent === undefined ? { amount: value } : { share: value };
}

/** A share as the schema lets it through, as a number. */
export function confidenceOf(given: unknown): number {
  if (typeof given === "number") return given;
  const [, digits = "0", unit = ""] = /^\s*([0-9.]+)\s*(%|bps)?\s*$/.exec(String(given)) ?? [];
  return Number(digits) / (unit === "%" ? 100 : unit === "bps" ? 10_000 : 1);
}
