import type { JobRow, RunReport } from "../../../protocol/result.ts";
import type { Priced } from "../../../scheduler/environment.ts";
import { SimulatedRun } from "../../experiment/run.ts";
import { loadScenario } from "../../scenario/load.ts";
import { type NodePlan, planNodes } from "../../world/supply.ts";

/** A market that was played for its prices. */
export interface PlayedMarket {
  readonly report: RunReport;
  readonly rows: readonly JobRow[];
  readonly priced: readonly { readonly event: Priced; readonly atUs: number }[];
  /** By name: with what only the simulator knows of them. */
  readonly nodes: ReadonlyMap<string, NodePlan>;
}

/** A market in which nothing but prices matters: no delays, no fees, and nobody ever waits for the network. */
const QUIET = {
  question: "Do prices come out as theory says?",
  network: { latency: 0, sameRegion: 0, signing: 0, verifying: 0 },
  payment: { latency: 0, clientBalance: "1000000000 sat" },
};

/** Plays a market from its parts, as a scenario file would have them. */
export function playMarket(parts: Readonly<Record<string, unknown>>, seed = 1): PlayedMarket {
  const { scenario } = loadScenario(JSON.stringify({ name: "prices", ...QUIET, ...parts }), "prices.json");
  const rows: JobRow[] = [];
  const priced: { event: Priced; atUs: number }[] = [];
  const run = new SimulatedRun(scenario, { seed, onJobRow: (row) => { rows.push({ ...row }); }, onPriced: (event, atUs) => { priced.push({ event, atUs }); } });
  while (!run.step());
  return { report: run.finish(), rows, priced, nodes: new Map(planNodes(scenario, seed).map((plan) => [plan.name, plan])) };
}

/** The mean of a sample with its 99 % confidence interval (normal approximation; for samples of hundreds). */
export interface Estimate {
  readonly count: number;
  readonly mean: number;
  readonly sd: number;
  readonly low: number;
  readonly high: number;
}

const Z99 = 2.5758;

export function estimate(sample: readonly number[]): Estimate {
  const count = sample.length;
  const mean = sample.reduce((sum, x) => sum + x, 0) / count;
  const sd = Math.sqrt(sample.reduce((sum, x) => sum + (x - mean) * (x - mean), 0) / (count - 1));
  const half = (Z99 * sd) / Math.sqrt(count);
  return { count, mean, sd, low: mean - half, high: mean + half };
}

/** The standard deviation of a sample with its 99 % interval: the delta method on the mean squared deviation. */
export function spread(sample: readonly number[]): Estimate {
  const { mean } = estimate(sample);
  const squares = estimate(sample.map((x) => (x - mean) * (x - mean)));
  return { ...squares, mean: Math.sqrt(squares.mean), low: Math.sqrt(Math.max(0, squares.low)), high: Math.sqrt(squares.high) };
}
