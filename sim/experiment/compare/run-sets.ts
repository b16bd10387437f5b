import type { ComparedArm, ComparedMetric, ComparisonReport } from "../../../protocol/result/comparison.ts";
import type { ExperimentProvenance } from "../../../protocol/result/experiment.ts";
import { absentFigure } from "../../../protocol/result/figures.ts";
import { formatNumber } from "../../../protocol/units.ts";
import { Moments } from "../../kernel/statistics/index.ts";
import { estimateOf } from "../replications/figure-estimates.ts";
import { assembleComparison } from "./assemble.ts";
import type { MeasuredDifference } from "./assemble.ts";
import { measureIndependent, PairedValues } from "./difference.ts";
import { pairsOf } from "./tally.ts";

/** Runs of one market that a report tells of. */
export interface RunSet {
  /** Unique among those compared. */
  readonly name: string;
  readonly source: NonNullable<ComparedArm["source"]>;
  /** What makes the market differ from its scenario, as path=value; of an arm, its changes. */
  readonly changes: readonly string[];
  /** Of the report, for the provenance. */
  readonly scenario: ExperimentProvenance["scenario"];
  /** In order; seeds are unique. */
  readonly runs: readonly SetRun[];
}

export interface SetRun {
  readonly seed: number;
  /** Of the metrics, in their order; undefined: not mentioned. Null where the run failed. */
  readonly values: readonly (number | null | undefined)[] | null;
}

export interface CompareSetsOptions {
  readonly metrics: readonly ComparedMetric[];
  readonly metricsAsked: boolean;
  /** Name of one of them; left out: the first. */
  readonly baseline: string;
  readonly confidence: number;
  readonly allPairs: boolean;
  readonly lab: { readonly name: string; readonly version: string };
}

/**
 * Compares runs that were played before. Those of the same scenario with the same seeds met the same random numbers: they are
 * pairs. Others are independent samples (Welch's t).
 * @param sets two at least
 */
export function compareSets(sets: readonly RunSet[], options: CompareSetsOptions): ComparisonReport {
  const { metrics, baseline, confidence, allPairs, lab } = options;
  const base = sets.find(({ name }) => name === baseline)!;
  const valuesOf = sets.map((set) => set.runs.map(({ seed, values }) => ({
    seed, values: values === null ? null : metrics.map(({ path }, m) => values[m] === undefined ? absentFigure(path) : values[m]!),
  })));
  const samples = valuesOf.map((runs) => metrics.map((_, m) => sampleOf(runs.flatMap(({ values }) => values?.[m] ?? []))));
  const has = (m: number): boolean => samples.some((row) => row[m]!.count > 0);
  const present = metrics.filter((_, m) => options.metricsAsked || has(m));
  const notes = new Map<string, string[]>();
  const differences = pairsOf(sets.map(({ name }) => name), baseline, allPairs).flatMap((pair): MeasuredDifference[] => {
    const [from, to] = [pair.baseline, pair.arm].map((name) => sets.findIndex((set) => set.name === name)) as [number, number];
    const how = matched(sets[from]!, sets[to]!);
    notes.set(how.note, [...(notes.get(how.note) ?? []), pair.baseline === baseline ? pair.arm : `${pair.arm} (against ${pair.baseline})`]);
    const [x, y] = [valuesOf[from]!, valuesOf[to]!];
    return present.map((metric) => {
      const m = metrics.indexOf(metric);
      const lacking = { baseline: 0, arm: 0, failed: 0 };
      if (how.seeds === null) {
        for (const [runs, side] of [[x, "baseline"], [y, "arm"]] as const) {
          for (const { values } of runs) {
            if (values === null) lacking.failed++;
            else if (values[m] === null) lacking[side]++;
          }
        }
        return { ...pair, metric, lacking, measured: measureIndependent(samples[from]![m]!, samples[to]![m]!, confidence) };
      }
      const paired = new PairedValues();
      const others = new Map(y.map(({ seed, values }) => [seed, values]));
      for (const { seed, values } of x) {
        if (!how.seeds.has(seed)) continue;
        const other = others.get(seed)!;
        const [a, b] = [values === null ? undefined : values[m]!, other === null ? undefined : other[m]!];
        if (a === undefined || b === undefined) lacking.failed++;
        else {
          if (a === null) lacking.baseline++;
          if (b === null) lacking.arm++;
          if (a !== null && b !== null) paired.add(a, b);
        }
      }
      return { ...pair, metric, lacking, measured: paired.measure(confidence) };
    });
  });
  const failures = valuesOf.flatMap((runs, s) => runs.filter(({ values }) => values === null).map(({ seed }) => ({ name: `${sets[s]!.name} seed=${seed}`, seed, error: "failed when it was played" })));
  const played = valuesOf.reduce((sum, runs) => sum + runs.length, 0);
  return assembleComparison({
    provenance: { lab: { ...lab }, scenario: base.scenario, seed: base.source.seed, sets: [...base.source.sets] },
    runs: { played, failed: failures.length, failures: failures.slice(0, 100) },
    confidence, baseline, replications: Math.min(...sets.map(({ runs }) => runs.length)),
    arms: sets.map(({ name, changes, source }, s) => ({ name, changes: [...changes], runs: valuesOf[s]!.length, failed: valuesOf[s]!.filter(({ values }) => values === null).length, source: { ...source, sets: [...source.sets] } })),
    metrics: present, absent: metrics.filter((_, m) => !has(m)).map(({ id }) => id),
    values: sets.flatMap(({ name }, s) => present.map((metric) => ({ arm: name, metric: metric.id, estimate: estimateOf(samples[s]![metrics.indexOf(metric)]!, confidence) }))),
    differences, notes: [...[...notes].map(([note, names]) => `${names.join(", ")}: ${note}`), ...versionNotes(sets, lab.version)],
  });
}

/** Which runs are pairs. @returns seeds null: none are */
function matched(x: RunSet, y: RunSet): { readonly seeds: ReadonlySet<number> | null; readonly note: string } {
  const sameScenario = x.source.scenario === y.source.scenario;
  if (x.runs.length === 1 && y.runs.length === 1) {
    const same = sameScenario && x.runs[0]!.seed === y.runs[0]!.seed;
    return { seeds: same ? new Set([x.runs[0]!.seed]) : null, note: "one run each, an anecdote. `infernet run --replications 10` of both says what of the difference is chance." };
  }
  if (!sameScenario) return { seeds: null, note: `another scenario than the baseline's (${y.source.scenario}, ${x.source.scenario}), compared as independent samples (Welch's t).` };
  const seeds = new Set(y.runs.map(({ seed }) => seed));
  const common = x.runs.filter(({ seed }) => seeds.has(seed));
  if (common.length < 2 || common.length * 2 < Math.min(x.runs.length, y.runs.length)) {
    return { seeds: null, note: `${common.length === 0 ? "no seeds" : common.length === 1 ? "one seed" : `only ${common.length} seeds`} in common with the baseline, compared as independent samples (Welch's t).` };
  }
  const rest = x.runs.length + y.runs.length - 2 * common.length;
  return {
    seeds: new Set(common.map(({ seed }) => seed)),
    note: `${formatNumber(common.length)} seeds in common with the baseline, compared run by run${rest === 0 ? "" : `; ${rest === 1 ? "one run" : `${formatNumber(rest)} runs`} without a partner left out`}.`,
  };
}

function versionNotes(sets: readonly RunSet[], version: string): string[] {
  const versions = [...new Set(sets.map(({ source }) => source.version))];
  return versions.length === 1 ? [] : [`The reports were made by different versions of the lab (${versions.join(", ")}; this is ${version}): part of a difference may be theirs.`];
}

function sampleOf(values: readonly number[]): Moments {
  const moments = new Moments();
  for (const value of values) moments.add(value);
  return moments;
}
