import { z } from "zod";
import { findMetric } from "../../../protocol/result/metrics.ts";
import type { ClassNames, Metric } from "../../../protocol/result/metrics.ts";
import { oneOf } from "../../../input/fields.ts";
import type { PathPart } from "../../../input/path-part.ts";
import { quoted } from "../../../input/problem.ts";
import type { Finding } from "../../../input/problem.ts";
import type { FieldLookup, FieldType, RangeScale, ValueRange } from "../range.ts";
import { readRange, wantsWhole } from "../range.ts";
import { describeValue, finestStep, inUnit } from "../../../input/units.ts";
import { setText } from "../variation.ts";
import type { Change } from "../variation.ts";
import { maxReplications, unknownMetric } from "./replications.ts";

/** Axes of one sweep. */
export const mostAxes = 20;
/** Points of one sweep: what is kept in memory. */
export const mostPoints = 100_000;

const end = z.union([z.number(), z.string().min(1).max(64)]).meta({ title: "a number with its unit" });
const path = z.string().min(1).max(256);
const steps = z.int().min(2).max(10_000).describe("How many values, both ends included; left out: any value between the ends, for latin-hypercube and sobol.");
const scale = z.enum(["linear", "log"]).describe("linear: equal distances (default). log: equal ratios.");
const step = end.describe("What values drawn between the ends are rounded to whole multiples of, counted from the first: `1 bps` (default: as fine as the unit allows).");
const list = z.array(z.unknown()).min(1).max(10_000);
const multiple = z.number().gt(0).max(1e9);
const range = z.strictObject({ from: end.describe("The first value, such as `10 sat/Mtok`."), to: end.describe("The last, in the same unit."), steps: steps.optional(), step: step.optional(), scale: scale.optional() });
const values = z.union([list, range]);

const axis = z.union([
  list,
  z.strictObject({
    path: path.optional().describe("The path, where the axis has a name of its own."),
    paths: z.array(path).min(1).max(100).optional().describe("Several paths that move together."),
    values: list.optional().describe("Values, one after the other, each as it would stand at the path."),
    from: end.optional().describe("The first value, such as `10 sat/Mtok`, instead of a list."),
    to: end.optional().describe("The last, in the same unit."),
    steps: steps.optional(),
    step: step.optional(),
    scale: scale.describe("linear: equal distances (default). log: equal ratios. Of a list: how plots draw it.").optional(),
    times: z.union([z.array(multiple).min(1).max(10_000), z.strictObject({ from: multiple.describe("The least multiple."), to: multiple.describe("The greatest."), steps: steps.optional(), scale: scale.optional() })])
      .optional().describe("Multiples of what the scenario says at each path, such as [0.5, 1, 2], in place of values."),
    together: z.record(path, values).optional().describe("Paths that move together, each with values of its own; all have as many."),
  }),
]);

const points = z.int().min(2).max(mostPoints).describe("How many points are played.");
const combine = oneOf({
  "latin-hypercube": z.strictObject({ points }).describe("Points drawn at random so that on each axis every one of as many equal parts has one."),
  sobol: z.strictObject({
    points: points.describe("How many points are played; powers of two are best."),
    scrambled: z.boolean().default(true).describe("Whether the sequence is scrambled at random; otherwise its first point is the corner at which every axis begins."),
  }).describe("Points of the Sobol sequence, which fills the space of all axes evenly."),
}, ["product", "zip"]);

/** The key at the top of a scenario that says over which values its market is swept. */
export const sweepShape = {
  sweep: z.strictObject({
    axes: z.record(z.string().min(1).max(256), axis).describe("What is varied: paths as --set takes them, each with a list of values or {from, to, steps, scale}; or a name for several paths that move together."),
    combine: combine.optional().describe("How axes are combined. product: every value of each with every value of the others. zip: the first of each, then the second. latin-hypercube, sobol: so many points anywhere between the ends. Needed where there is more than one axis."),
    arms: z.boolean().default(false).describe("Play every point in each of the arms."),
    replications: z.int().min(1).max(maxReplications).optional().describe("Runs of each point, on the same random numbers at every point (default: the scenario's `replications` where that is a number, otherwise 5)."),
    metrics: z.array(z.string().min(1).max(256)).min(1).max(50).optional().describe("Figures that are looked at: well-known ones such as profit, latency.p95, utilisation@rtx4090, or the path of any figure of a report (default: the scenario's `metrics`, otherwise the usual ones)."),
  }).optional().describe("A sweep over values of the market: `infernet sweep` plays it at every point."),
};

type Input = NonNullable<z.output<typeof sweepShape.sweep>>;
type AxisInput = Input["axes"][string];
type ValuesInput = z.output<typeof values>;

/** A field that an axis moves. */
export type AxisMove =
  | { readonly kind: "values"; readonly path: string; readonly values: readonly unknown[]; /** Whether they stand in the file one by one. */ readonly listed: boolean; readonly at: readonly PathPart[] }
  | { readonly kind: "range"; readonly path: string; readonly range: ValueRange; /** In the range's unit; null: as fine as it allows. */ readonly step: number | null; readonly at: readonly PathPart[] }
  /** A multiple of what the scenario has there. */
  | { readonly kind: "times"; readonly path: string; readonly base: unknown; readonly whole: boolean; readonly at: readonly PathPart[] };

/** What is varied: one field, or several that move together. */
export interface SweepAxis {
  readonly name: string;
  readonly moves: readonly AxisMove[];
  /** Of its numbers, as in the scenario: `sat/Mtok`; "x" for multiples, "" for bare numbers and for texts. */
  readonly unit: string;
  /** How plots draw it, and how values between the ends lie. */
  readonly scale: RangeScale;
  /** What stands for each of its values in tables: numbers in `unit`, or texts. Null where any value between `ends` may be taken. */
  readonly levels: readonly (number | string)[] | null;
  /** Null where levels are texts. */
  readonly ends: readonly [number, number] | null;
  /** Whether values were rounded to whole numbers. */
  readonly whole: boolean;
  /** Where in the scenario it stands. */
  readonly at: readonly PathPart[];
}

/** How axes are combined. */
export type SweepCombination =
  | { readonly kind: "product" | "zip" }
  | { readonly kind: "latin-hypercube"; readonly points: number }
  | { readonly kind: "sobol"; readonly points: number; readonly scrambled: boolean };

/** Over which values the market is swept. */
export interface SweepSpec {
  readonly axes: readonly SweepAxis[];
  readonly combine: SweepCombination;
  readonly arms: boolean;
  /** Null where the sweep says nothing of its own. */
  readonly replications: number | null;
  /** Null where the sweep says nothing of its own. */
  readonly metrics: readonly Metric[] | null;
}

/** Columns that a table of runs and points has anyway. */
const takenNames: readonly string[] = ["run", "arm", "point", "runs", "failed", "replication", "seed", "error", "digest"];

/** @param market the whole input, for what stands at paths @returns null where the scenario has none, or one that does not fit */
export function resolveSweep(market: { readonly sweep?: Input | undefined }, classes: ClassNames, finding: (finding: Finding) => void, fieldOf: FieldLookup): SweepSpec | null {
  const { sweep } = market;
  if (sweep === undefined) return null;
  let sound = true;
  const tell = (one: Finding): null => {
    sound = false;
    finding(one);
    return null;
  };
  const names = Object.keys(sweep.axes);
  if (names.length === 0 || names.length > mostAxes) tell({ path: ["sweep", "axes"], found: names.length === 0 ? "no axes" : `${names.length} axes`, allowed: `1 to ${mostAxes} axes` });
  const movers = new Map<string, string>();
  const resolver = new AxisResolver(market, tell, (text, value, at, axisName) => {
    const looked = text.includes("=") ? { found: quoted(text), allowed: "a path without an equals sign" } : fieldOf(text, value);
    if ("found" in looked) return tell({ path: at, ...looked, atKey: true });
    const place = looked.place.join("\u0000");
    const other = movers.get(place);
    if (other !== undefined) return tell({ path: at, found: `${quoted(text)}, which ${other === axisName ? "this axis moves already" : `the axis ${quoted(other)} moves as well`}`, allowed: "each field in one axis", atKey: true });
    movers.set(place, axisName);
    return looked;
  });
  const axes = names.flatMap((name) => {
    if (takenNames.includes(name)) return tell({ path: ["sweep", "axes", name], found: quoted(name), allowed: `a path, or a name other than ${takenNames.join(", ")}`, atKey: true }) ?? [];
    return resolver.axis(name, sweep.axes[name]!) ?? [];
  });
  const combine = combinationOf(sweep.combine, axes, tell);
  const metrics = sweep.metrics?.flatMap((text, i) => findMetric(text, classes) ?? tell({ path: ["sweep", "metrics", i], ...unknownMetric(text) }) ?? []);
  if (!sound || combine === null) return null;
  return { axes, combine, arms: sweep.arms, replications: sweep.replications ?? null, metrics: metrics === undefined ? null : [...new Map(metrics.map((metric) => [metric.path, metric])).values()] };
}

/** How many points a sweep has. @param arms of the scenario */
export function pointCount({ axes, combine, arms: crossed }: Pick<SweepSpec, "axes" | "combine" | "arms">, arms: number): number {
  const counts = axes.map(({ levels }) => levels?.length ?? 0);
  const points = "points" in combine ? combine.points : combine.kind === "zip" ? counts[0] ?? 0 : counts.reduce((product, count) => product * count, 1);
  return crossed ? points * arms : points;
}

type Tell = (finding: Finding) => null;

function combinationOf(given: Input["combine"], axes: readonly SweepAxis[], tell: Tell): SweepCombination | null {
  const at = ["sweep", ...(given === undefined ? ["axes"] : ["combine"])];
  if (given === undefined || typeof given === "string") {
    const endless = axes.find(({ levels }) => levels === null);
    if (endless !== undefined) return tell({ path: [...endless.at], found: "from and to without steps", allowed: "steps as well, or `combine: {latin-hypercube: {points: 100}}` or `{sobol: {points: 128}}`, which take values anywhere in between", atKey: true });
    if (given === undefined && axes.length > 1) return tell({ path: at, found: `${axes.length} axes, and not how they are combined`, allowed: "`combine: product` (every value with every other), `combine: zip` (the first of each, then the second of each), {latin-hypercube: {points}} or {sobol: {points}}", atKey: true });
    const counts = axes.map(({ levels }) => levels!.length);
    if (given === "zip" && new Set(counts).size > 1) return tell({ path: at, found: `zip of axes with ${counts.join(" and ")} values`, allowed: "as many values on each axis, or `product`" });
    const count = pointCount({ axes, combine: { kind: given ?? "product" }, arms: false }, 1);
    if (count > mostPoints) return tell({ path: at, found: `${count} points`, allowed: `at most ${mostPoints}`, atKey: given === undefined });
    return { kind: given ?? "product" };
  }
  if ("sobol" in given) return { kind: "sobol", ...given.sobol };
  return { kind: "latin-hypercube", ...given["latin-hypercube"] };
}

/** Reads axes one after the other. */
class AxisResolver {
  readonly #market: unknown;
  readonly #tell: Tell;
  readonly #fieldAt: (path: string, value: unknown, at: readonly PathPart[], axis: string) => { readonly place: readonly PathPart[]; readonly field: readonly FieldType[] } | null;

  constructor(market: unknown, tell: Tell, fieldAt: (path: string, value: unknown, at: readonly PathPart[], axis: string) => { readonly place: readonly PathPart[]; readonly field: readonly FieldType[] } | null) {
    this.#market = market;
    this.#tell = tell;
    this.#fieldAt = fieldAt;
  }

  /** @returns null after a finding */
  axis(name: string, input: AxisInput): SweepAxis | null {
    const at = ["sweep", "axes", name] as const;
    if (Array.isArray(input)) return this.#axisOf(name, at, [{ path: name, pathAt: at, values: input, at }]);
    const { path: one, paths: several, values: listed, from, to, steps: count, step: grain, scale: given, times, together } = input;
    const kinds = [listed !== undefined ? "values" : null, from !== undefined || to !== undefined ? "from and to" : null, times !== undefined ? "times" : null, together !== undefined ? "together" : null].filter((kind) => kind !== null);
    if (kinds.length !== 1) return this.#tell({ path: at, found: kinds.length === 0 ? "no values" : kinds.join(" beside "), allowed: "one of: values: [...], {from, to, steps}, times: [...], together: {...}" });
    if (one !== undefined && several !== undefined) return this.#tell({ path: [...at, "path"], found: "path beside paths", allowed: "one of them", atKey: true });
    if (together !== undefined) {
      const stray = (["path", "paths", "steps", "step", "scale"] as const).find((key) => input[key] !== undefined);
      if (stray !== undefined) return this.#tell({ path: [...at, stray], found: `${stray} beside together`, allowed: "paths, steps, step and scale inside `together`", atKey: true });
      return this.#axisOf(name, at, Object.entries(together).map(([path, inside]) => ({ path, pathAt: [...at, "together", path], values: inside, at: [...at, "together", path] })));
    }
    const places = several?.map((path, i) => ({ path, pathAt: [...at, "paths", i] as readonly PathPart[] })) ?? [{ path: one ?? name, pathAt: one === undefined ? at : [...at, "path"] }];
    if (times !== undefined) return this.#timesAxis(name, at, places, times, input);
    if (listed !== undefined) {
      const stray = (["steps", "step"] as const).find((key) => input[key] !== undefined);
      if (stray !== undefined) return this.#tell({ path: [...at, stray], found: `${stray} beside values`, allowed: "it beside from and to", atKey: true });
      const axisRead = this.#axisOf(name, at, places.map((place) => ({ ...place, values: listed, at: [...at, "values"] })));
      if (given !== "log" || axisRead === null) return axisRead;
      return axisRead.ends === null || axisRead.ends[0] <= 0 ? this.#tell({ path: [...at, "scale"], found: "log", allowed: "linear, as not all values are numbers above 0" }) : { ...axisRead, scale: given };
    }
    if (from === undefined || to === undefined) return this.#tell({ path: at, found: from === undefined ? "to without from" : "from without to", allowed: "both" });
    return this.#axisOf(name, at, places.map((place) => ({ ...place, values: { from, to, ...(count === undefined ? {} : { steps: count }), ...(grain === undefined ? {} : { step: grain }), ...(given === undefined ? {} : { scale: given }) }, at })));
  }

  #axisOf(name: string, at: readonly PathPart[], parts: readonly { readonly path: string; readonly pathAt: readonly PathPart[]; readonly values: ValuesInput; readonly at: readonly PathPart[] }[]): SweepAxis | null {
    const moves: AxisMove[] = [];
    for (const part of parts) {
      const move = this.#move(name, part);
      if (move === null) return null;
      moves.push(move);
    }
    const [first] = moves as [AxisMove, ...AxisMove[]];
    const odd = moves.findIndex((move) => move.kind !== first.kind || (move.kind === "values" && first.kind === "values" && move.values.length !== first.values.length));
    if (odd >= 0) return this.#tell({ path: parts[odd]!.at, found: `${many(moves[odd]!)} for ${moves[odd]!.path}, and ${many(first)} for ${first.path}`, allowed: "as many for each" });
    if (first.kind === "range") return { name, moves, unit: first.range.unit, scale: first.range.scale, levels: null, ends: [first.range.from, first.range.to], whole: first.range.whole, at };
    const given = first.kind === "values" ? first.values : [];
    const read = numbersOf(given);
    const levels: readonly (number | string)[] = read?.numbers ?? given.map(labelOf);
    const twice = levels.findIndex((level, i) => levels.indexOf(level) !== i);
    if (twice >= 0) {
      const spaced = !Array.isArray(parts[0]!.values);
      return this.#tell({ path: spaced ? [...at, "steps"] : [...parts[0]!.at, twice], found: spaced ? `${levels.length} steps, of which two are ${String(given[twice])} after rounding` : `${String(levels[twice])}${read === null || read.unit === "" ? "" : ` ${read.unit}`} twice`, allowed: spaced ? "fewer steps" : "each value once" });
    }
    const spread = Array.isArray(parts[0]!.values) ? undefined : parts[0]!.values.scale;
    return {
      name, moves, unit: read?.unit ?? "", scale: spread ?? "linear", levels, ends: read === null ? null : [Math.min(...read.numbers), Math.max(...read.numbers)], whole: !Array.isArray(parts[0]!.values) && read !== null && read.unit === "" && read.numbers.every(Number.isInteger), at,
    };
  }

  #move(axis: string, { path, pathAt, values: given, at }: { readonly path: string; readonly pathAt: readonly PathPart[]; readonly values: ValuesInput; readonly at: readonly PathPart[] }): AxisMove | null {
    const looked = this.#fieldAt(path, Array.isArray(given) ? given[0] : given.from, pathAt, axis);
    if (looked === null) return null;
    if (Array.isArray(given)) return { kind: "values", path, values: given, listed: true, at };
    const spread = readRange(given.from, given.to, given.scale ?? "linear", looked.field);
    if ("found" in spread) return this.#tell({ path: [...at, spread.at], found: spread.found, allowed: spread.allowed });
    if (given.steps === undefined) {
      const step = given.step === undefined ? null : stepOf(given.step, spread);
      return Number.isNaN(step) ? this.#tell({ path: [...at, "step"], found: describeValue(given.step), allowed: `a number above 0${spread.unit === "" ? "" : ` of ${spread.unit}`}, at most the whole range` }) : { kind: "range", path, range: spread, step, at };
    }
    if (given.step !== undefined) return this.#tell({ path: [...at, "step"], found: "step beside steps", allowed: "one of them", atKey: true });
    return { kind: "values", path, values: evenly(spread.from, spread.to, given.steps, spread.scale).map((value) => written(Number(value.toFixed(spread.decimals)), spread.unit)), listed: false, at };
  }

  #timesAxis(name: string, at: readonly PathPart[], places: readonly { readonly path: string; readonly pathAt: readonly PathPart[] }[], times: NonNullable<Extract<AxisInput, { times?: unknown }>["times"]>, input: { readonly steps?: number | undefined; readonly step?: unknown; readonly scale?: RangeScale | undefined }): SweepAxis | null {
    const stray = (["steps", "step", "scale"] as const).find((key) => input[key] !== undefined);
    if (stray !== undefined) return this.#tell({ path: [...at, stray], found: `${stray} beside times`, allowed: "it inside `times`, beside from and to", atKey: true });
    const moves: AxisMove[] = [];
    for (const { path, pathAt } of places) {
      const looked = this.#fieldAt(path, 0, pathAt, name);
      if (looked === null) return null;
      moves.push({ kind: "times", path, base: valueAt(this.#market, looked.place), whole: wantsWhole(looked.field), at: pathAt });
    }
    const spread = Array.isArray(times) ? null : times;
    if (spread !== null && !(spread.to > spread.from)) return this.#tell({ path: [...at, "times", "to"], found: String(spread.to), allowed: `more than ${spread.from}` });
    const factors = Array.isArray(times) ? times : spread?.steps === undefined ? null : evenly(spread.from, spread.to, spread.steps, spread.scale ?? "linear").map((factor) => Number(factor.toPrecision(6)));
    const twice = factors?.findIndex((factor, i) => factors.indexOf(factor) !== i) ?? -1;
    if (factors !== null && twice >= 0) return this.#tell({ path: [...at, "times"], found: `${factors[twice]} twice`, allowed: "each multiple once" });
    return { name, moves, unit: "x", scale: spread?.scale ?? "linear", levels: factors, ends: factors === null ? [spread!.from, spread!.to] : [Math.min(...factors), Math.max(...factors)], whole: false, at };
  }
}

/** The changes that bring a field to a multiple of what it is; a finding where it is no number. */
export function timesChange({ path, base, whole, at }: Extract<AxisMove, { kind: "times" }>, factor: number): Change | Finding {
  const match = numberWithUnit.exec(typeof base === "string" || typeof base === "number" ? String(base) : "");
  if (match === null) return { path: at, found: `${path}, which is ${describeValue(base)}`, allowed: "a path at which the scenario has a number, to be multiplied" };
  const unit = match[2]!;
  const product = Number(match[1]!.replaceAll("_", "")) * factor;
  const decimals = whole && unit === "" ? 0 : Math.min(finestDecimals(unit), Math.max(0, Math.min(12, 8 - Math.floor(Math.log10(product)))));
  return { path, value: written(Number(product.toFixed(decimals)), unit), at };
}

const numberWithUnit = /^\s*([0-9][0-9_]*(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,2})?)\s*(.*?)\s*$/u;

/** NaN where it does not fit the range. */
function stepOf(given: string | number, { from, to, unit }: ValueRange): number {
  const match = numberWithUnit.exec(String(given));
  const step = match === null || match[2] !== unit ? NaN : Number(match[1]!.replaceAll("_", ""));
  return step > 0 && step <= to - from ? step : NaN;
}

function finestDecimals(unit: string): number {
  const parts = finestStep(unit);
  if (parts === null) return 12;
  let decimals = 0;
  for (let power = 10; parts % power === 0 && decimals < 12; power *= 10) decimals++;
  return decimals;
}

/** `count` numbers from one end to the other, at equal distances or ratios. */
export function evenly(from: number, to: number, count: number, spacing: RangeScale): number[] {
  return Array.from({ length: count }, (_, i) => {
    const share = i / (count - 1);
    return i === count - 1 ? to : spacing === "log" ? from * Math.exp(share * Math.log(to / from)) : from + share * (to - from);
  });
}

/** A number with its unit, as a scenario takes it. */
function written(value: number, unit: string): string | number {
  return unit === "" ? value : `${value}${unit.startsWith("/") ? "" : " "}${unit}`;
}

/** Values as numbers in the unit of the first that has one; null where they are something else. A bare 0 has any unit. */
function numbersOf(given: readonly unknown[]): { readonly numbers: readonly number[]; readonly unit: string } | null {
  let unit: string | null = null;
  const numbers: number[] = [];
  for (const value of given) {
    const match = numberWithUnit.exec(typeof value === "string" || typeof value === "number" ? String(value) : "");
    if (match === null) return null;
    const number = Number(match[1]!.replaceAll("_", ""));
    if (match[2] === "" && number === 0) {
      numbers.push(0);
      continue;
    }
    unit ??= match[2]!;
    const converted = inUnit(number, match[2]!, unit);
    if (converted === null) return null;
    numbers.push(converted);
  }
  return { numbers, unit: unit ?? "" };
}

/** What stands for a value in tables: on one line, as YAML has it. */
function labelOf(value: unknown): string {
  return typeof value === "string" ? value : setText({ path: "x", value }).slice(2);
}

function many(move: AxisMove): string {
  return move.kind === "values" ? `${move.values.length} values` : "any value between two ends";
}

function valueAt(market: unknown, place: readonly PathPart[]): unknown {
  return place.reduce<unknown>((holder, part) => holder === null || typeof holder !== "object" ? undefined : (holder as Record<PathPart, unknown>)[part], market);
}
