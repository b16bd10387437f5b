import { absentFigure } from "../../../protocol/result/figures.ts";
import type { Metric } from "../../../protocol/result/metrics.ts";
import type { SweepReport, SweptAxis, SweptPoint } from "../../../protocol/result/sweep.ts";
import { SWEEP_SCHEMA, SWEEP_VERSION } from "../../../protocol/result/sweep.ts";
import { Moments } from "../../kernel/statistics/index.ts";
import type { SweepAxis, SweepSpec } from "../../scenario/sections/sweep.ts";
import { setsOf } from "../../scenario/variation.ts";
import type { Experiment, RunOutcome, RunTask } from "../plan.ts";
import { withProvenance } from "../question.ts";
import type { ExperimentQuestion } from "../question.ts";
import { estimateOf, Tally } from "../replications/figure-estimates.ts";
import { replicationSeed } from "../seeds.ts";
import { bestPoints, type NumberStore, RunFigures } from "./best.ts";
import { mainEffects } from "./effects.ts";
import { sweepFindings } from "./findings.ts";
import type { SweepPoint } from "./points.ts";

/** What is to be swept. */
export interface SweepQuestion extends ExperimentQuestion {
  readonly spec: Pick<SweepSpec, "axes" | "combine" | "arms">;
  /** Names of the arms crossed; null where none are. */
  readonly arms: readonly string[] | null;
  /** At least one. */
  readonly points: readonly SweepPoint[];
  readonly metrics: readonly Metric[];
  /** Whether somebody asked for these metrics: those that no run has are then told of, otherwise left out. */
  readonly metricsAsked: boolean;
  /** Runs of each point; 1 or more. */
  readonly replications: number;
  /** Above 0, below 1. */
  readonly confidence: number;
  /** Where figures of single runs go that are too many for memory; without it, points are then not compared run by run. */
  readonly store?: (() => NumberStore) | undefined;
  /** Told of every run, in order. */
  readonly onRun?: ((run: SweptRun) => void) | undefined;
}

/** A run, and where in the sweep it stands. */
export interface SweptRun {
  readonly point: SweepPoint;
  readonly replication: number;
  readonly outcome: RunOutcome;
}

/**
 * Plays a market at every point, on the same random numbers at each (common random numbers). Keeps what each point's metrics
 * come to, and no run.
 * @returns null where not one run was played without an error
 */
export function* sweep(question: SweepQuestion): Experiment<SweepReport | null> {
  const { spec, points, metrics, replications, confidence, seed } = question;
  const tally = new Tally();
  const cells = points.map(() => ({ runs: 0, failed: 0, moments: metrics.map(() => new Moments()) }));
  const runFigures = new RunFigures(points.length, metrics.length, replications, question.store);
  const seen = new Set<string>();
  let good = 0;

  const { interrupted } = yield {
    purpose: "points", count: points.length * replications, later: 0, tasks: tasksOf(points, replications, seed),
    take: (outcome) => {
      const place = Math.floor(outcome.index / replications);
      const replication = outcome.index % replications;
      const cell = cells[place]!;
      tally.add(outcome);
      cell.runs++;
      const row = metrics.map((): number | null => null);
      if (outcome.figures === null) cell.failed++;
      else {
        good++;
        for (const [m, { path }] of metrics.entries()) {
          const value = outcome.figures[path];
          if (value !== undefined) seen.add(path);
          const counted = value ?? absentFigure(path);
          if (counted !== null) cell.moments[m]!.add(counted);
          row[m] = counted;
        }
      }
      runFigures.add(row);
      question.onRun?.({ point: points[place]!, replication, outcome });
    },
  };
  if (good === 0) return null;

  // A figure that is undefined in every run, such as a profit where no costs are stated, is nothing to look at.
  const shown = metrics.flatMap((metric, m) => question.metricsAsked || (seen.has(metric.path) && cells.some(({ moments }) => moments[m]!.count > 0)) ? [{ metric, m }] : []);
  const axes = spec.axes.map(sweptAxis);
  const played = points.flatMap(({ index, arm, factors }, i): SweptPoint[] => {
    const { runs, failed, moments } = cells[i]!;
    return runs === 0 ? [] : [{ index, arm, factors: [...factors], runs, failed, estimates: shown.map(({ m }) => estimateOf(moments[m]!, confidence)) }];
  });
  const looked = shown.map(({ metric: { id, path, label, unit, better } }) => ({ id, path, label, unit, better }));
  const independent = spec.combine.kind !== "zip" && axes.length > 1;
  const effects = independent ? mainEffects(axes, looked, played) : [];
  const best = bestPoints(looked, shown.map(({ m }) => m), played, runFigures, confidence);
  const results = {
    schema: SWEEP_SCHEMA,
    schemaVersion: SWEEP_VERSION,
    runs: tally.tally,
    design: { kind: spec.combine.kind, scrambled: spec.combine.kind === "sobol" ? spec.combine.scrambled : null, arms: question.arms === null ? null : [...question.arms], points: points.length, replications },
    confidence, axes, metrics: looked,
    findings: sweepFindings({ axes, metrics: looked, points: played, best, effects, confidence }),
    points: played, best, effects,
  } as const satisfies Omit<SweepReport, "provenance">;
  return withProvenance(results, question, interrupted);
}

/** Replications of one point follow each other, so that whoever plays them loads each point's market once. */
function* tasksOf(points: readonly SweepPoint[], replications: number, seed: number): Generator<RunTask> {
  const seeds = Array.from({ length: replications }, (_, r) => replicationSeed(seed, r));
  for (const { index, variation } of points) {
    const sets = setsOf(variation);
    for (const [r, of] of seeds.entries()) yield { name: `point=${index} replication=${r}`, sets, seed: of };
  }
}

function sweptAxis({ name, moves, unit, scale, levels, ends, whole }: SweepAxis): SweptAxis {
  return { name, paths: moves.map(({ path }) => path), unit, scale, whole, levels: levels === null ? null : [...levels], ends: ends === null ? null : [...ends] };
}
