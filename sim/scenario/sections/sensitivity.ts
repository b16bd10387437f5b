import { z } from "zod";
import { findMetric, metricIds } from "../../../protocol/result/metrics.ts";
import type { ClassNames, Metric } from "../../../protocol/result/metrics.ts";
import { oneOf } from "../../../input/fields.ts";
import { nearest } from "../../../input/nearest.ts";
import type { PathPart } from "../../../input/path-part.ts";
import { quoted } from "../../../input/problem.ts";
import type { Finding } from "../../../input/problem.ts";
import type { FieldLookup, ValueRange } from "../range.ts";
import { readRange, valueAt } from "../range.ts";
import type { Variation } from "../variation.ts";

/** Factors that one study may have. */
export const mostFactors = 100;

const end = z.union([z.number(), z.string().min(1).max(64)]);
const path = z.string().min(1).max(256);
const scale = z.enum(["linear", "log"]).default("linear").describe("log: every doubling counts the same.");
const from = end.describe("Low end: a number with its unit, as the field takes it.");
const to = end.describe("High end, in the same unit.");
const paths = z.union([path, z.array(path).min(1).max(100)]).describe("What it changes, a path as --set takes it; of several, all take the same value.");
const factorName = z.string().min(1).max(64).describe("What it is called in reports (default: its path).");
const factor = z.union([
  z.strictObject({ name: factorName.optional(), path: paths, from, to, scale }),
  z.strictObject({ name: factorName, together: z.array(z.strictObject({ path: paths, from, to, scale })).min(1).max(100).describe("What moves together, each from its low end to its high end.") }),
]);

const morris = z.strictObject({
  trajectories: z.int().min(2).max(100_000).default(20).describe("How often each factor is changed, each time from another place."),
  levels: z.int().min(2).max(100).multipleOf(2).meta({ title: "an even number from 2 to 100" }).default(4).describe("Values that each factor takes; an even number."),
  design: z.enum(["trajectories", "radial"]).default("trajectories").describe("trajectories: factors change one after the other, on a grid. radial: each from the same centre, anywhere in its range."),
}).describe("Screening: which of many factors matter at all, and which act straight and alone.");
const sobol = z.strictObject({
  points: z.int().min(2).max(1_000_000).default(128).describe("Points drawn twice; with k factors, (k + 2) times as many are played. Powers of two are best."),
  secondOrder: z.boolean().default(false).describe("Also what each pair of factors does together; plays (2 k + 2) times as many points."),
}).describe("Shares of the variance: what each factor explains alone, and with all others.");

/** The key at the top of a scenario that says which factors matter for which figures. */
export const sensitivityShape = {
  sensitivity: z.strictObject({
    method: oneOf({ morris, sobol, tornado: z.strictObject({}).describe("One at a time: each factor at its low and its high end, all others as the scenario has them.") }, ["morris", "sobol", "tornado"]).default("morris")
      .describe("How to find out. morris: screening of many factors with few runs. sobol: shares of the variance, with many. tornado: one factor at a time."),
    metrics: z.array(z.string().min(1).max(256)).min(1).max(50).optional().describe("Figures that are looked at (default: the scenario's metrics; otherwise profit, latency.p95, goodput, as far as there are): well-known ones such as profit, latency.p95, utilisation@rtx4090, or the path of any figure of a report."),
    factors: z.array(factor).min(1).max(mostFactors).describe("What is changed, each over its range, independently of the others."),
    replications: z.int().min(1).max(10_000).optional().describe("Runs of each point, with other random numbers each (default: 10 for a tornado, otherwise 1)."),
    confidence: z.number().gt(0.5).lt(1).default(0.95).describe("Of all intervals."),
  }).optional().describe("Which factors matter: `infernet sensitivity` plays them over their ranges."),
};

export type SensitivityMethod =
  | { readonly kind: "morris"; readonly trajectories: number; readonly levels: number; readonly design: "trajectories" | "radial" }
  | { readonly kind: "sobol"; readonly points: number; readonly secondOrder: boolean }
  | { readonly kind: "tornado" };

/** A field that a factor moves. */
export interface FactorMove {
  /** As `--set` takes it. */
  readonly path: string;
  readonly range: ValueRange;
  /** Where in the scenario its range stands. */
  readonly at: readonly PathPart[];
}

/** What is varied: one field, or several that move together. */
export interface Factor {
  readonly name: string;
  readonly moves: readonly FactorMove[];
}

/** Which factors matter for which figures, and how to find out. */
export interface SensitivitySpec {
  readonly method: SensitivityMethod;
  /** Whether the method is written with settings, as a map. */
  readonly methodHasSettings: boolean;
  readonly metrics: readonly Metric[];
  /** Whether somebody asked for these metrics: those that no run has are then told of, otherwise left out. */
  readonly metricsAsked: boolean;
  readonly factors: readonly Factor[];
  readonly replications: number;
  readonly confidence: number;
}

/** Figures that are looked at where none are named. */
const usualMetrics = ["profit", "latency.p95", "goodput"];

type Input = z.output<typeof sensitivityShape.sensitivity>;
/** Replications of a tornado where none are given: its intervals come from them alone. */
const tornadoReplications = 10;

/**
 * @param shared figures that answer the scenario's question: looked at where the section names none
 * @returns null where the scenario has none
 */
export function resolveSensitivity({ sensitivity }: { readonly sensitivity?: Input }, shared: readonly Metric[] | null, classes: ClassNames, finding: (finding: Finding) => void, fieldOf: FieldLookup): SensitivitySpec | null {
  if (sensitivity === undefined) return null;
  const metrics = sensitivity.metrics === undefined && shared !== null ? shared : (sensitivity.metrics ?? usualMetrics).flatMap((text, i): Metric[] => {
    const metric = findMetric(text, classes);
    if (metric !== null) return [metric];
    const guess = nearest(text, metricIds());
    finding({ path: ["sensitivity", "metrics", i], found: quoted(text), allowed: "a figure such as profit, latency.p95, utilisation@CLASS, or a figure's path such as overall.latency.ttftUs.p95", ...(guess === undefined ? {} : { suggestion: quoted(guess) }) });
    return [];
  });
  const method = methodOf(sensitivity.method);
  return {
    method, methodHasSettings: typeof sensitivity.method !== "string", metricsAsked: sensitivity.metrics !== undefined || shared !== null, metrics: [...new Map(metrics.map((metric) => [metric.path, metric])).values()],
    factors: factorsOf(sensitivity.factors, finding, fieldOf),
    replications: sensitivity.replications ?? (method.kind === "tornado" ? tornadoReplications : 1),
    confidence: sensitivity.confidence,
  };
}

function methodOf(method: NonNullable<Input>["method"]): SensitivityMethod {
  const given = typeof method === "string" ? method : Object.keys(method)[0]!;
  const settings: unknown = typeof method === "string" ? {} : Object.values(method)[0];
  if (given === "morris") return { kind: "morris", ...morris.parse(settings) };
  if (given === "sobol") return { kind: "sobol", ...sobol.parse(settings) };
  return { kind: "tornado" };
}

function factorsOf(given: NonNullable<Input>["factors"], finding: (finding: Finding) => void, fieldOf: FieldLookup): Factor[] {
  const names = new Set<string>();
  /** Which factor moves a field. */
  const movers = new Map<string, string>();
  return given.map((one, i): Factor => {
    const here = ["sensitivity", "factors", i] as const;
    const together = "together" in one ? one.together.map((part, j) => ({ ...part, at: [...here, "together", j] as readonly PathPart[] })) : [{ ...one, at: here as readonly PathPart[] }];
    const name = one.name ?? list(together[0]!.path).join(", ");
    if (names.has(name)) finding({ path: [...here, ...(one.name === undefined ? [] : ["name"])], found: `another factor ${quoted(name)}`, allowed: "a name of its own for each factor" });
    names.add(name);
    if (one.name !== undefined && takenNames.includes(name)) finding({ path: [...here, "name"], found: quoted(name), allowed: `another name: tables of runs have a column ${name} already` });
    const moves = together.flatMap((part) => list(part.path).flatMap((text, k): FactorMove[] => {
      const at: readonly PathPart[] = Array.isArray(part.path) ? [...part.at, "path", k] : [...part.at, "path"];
      if (text.includes("=")) {
        finding({ path: at, found: quoted(text), allowed: "a path without an equals sign" });
        return [];
      }
      const looked = fieldOf(text, part.from);
      if ("found" in looked) {
        finding({ path: at, ...looked });
        return [];
      }
      const place = looked.place.join("\u0000");
      const other = movers.get(place);
      if (other !== undefined) finding({ path: at, found: `${quoted(text)}, which ${other === name ? "this factor moves already" : `the factor ${quoted(other)} moves as well`}`, allowed: "each field in one factor" });
      movers.set(place, name);
      const range = readRange(part.from, part.to, part.scale, looked.field);
      if ("found" in range) {
        finding({ path: [...part.at, range.at], found: range.found, allowed: range.allowed });
        return [];
      }
      return [{ path: text, range, at: part.at }];
    }));
    return { name, moves };
  });
}

/** Columns of the table of runs. */
const takenNames: readonly string[] = ["run", "replication", "seed", "error", "digest"];

function list(paths: string | readonly string[]): readonly string[] {
  return typeof paths === "string" ? [paths] : paths;
}

/** How many runs it takes. */
export function runsOf({ method, factors: { length: k }, replications }: SensitivitySpec): number {
  switch (method.kind) {
    case "morris": return method.trajectories * (k + 1) * replications;
    case "sobol": return method.points * ((method.secondOrder ? 2 : 1) * k + 2) * replications;
    case "tornado": return (2 * k + 1) * replications;
  }
}

/** A share at which values have as many digits as they may. */
const between = 0.31830989;

/** The changes that bring a factor to a share of its range, 0 (low) to 1 (high). */
export function movesTo({ moves }: Factor, share: number): Variation {
  return moves.map(({ path: place, range, at }) => {
    const { value, text } = valueAt(range, share);
    return { path: place, value: range.unit === "" ? value : text, at: [...at, share <= 0.5 ? "from" : "to"] };
  });
}

/** What is worth a look before a study is played: each factor alone at its ends and between them, and all at their low and high ends. */
export function sensitivityVariations({ method, factors }: SensitivitySpec): Variation[] {
  const alone = (share: number): Variation[] => factors.map((one) => movesTo(one, share));
  const ends = [...alone(0), ...alone(1)];
  return method.kind === "tornado" ? ends : [...ends, ...alone(between), factors.flatMap((one) => movesTo(one, 0)), factors.flatMap((one) => movesTo(one, 1))];
}
