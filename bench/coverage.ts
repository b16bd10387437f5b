/** How often 95 % intervals of M/M/1 at rho 0.8 cover the truth: through the whole market, 2,000 long runs by batch means, 1,000 studies of 10 replications. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { conductOn } from "../lab/conduct.ts";
import { endsOf } from "../protocol/result/precision.ts";
import { confidenceInterval } from "../sim/kernel/statistics/index.ts";
import type { Experiment, RunTask } from "../sim/experiment/plan.ts";
import { runScenario } from "../sim/experiment/run.ts";
import { replicationSeed } from "../sim/experiment/seeds.ts";
import { loadScenario } from "../sim/scenario/load.ts";
import type { Bench, BenchRow } from "./row.ts";

/** Mean time in the system, microseconds. */
const truthUs = 5e6;
const longRuns = 2_000;
const repetitions = 1_000;
const replications = 10;
const figure = "overall.latency.endToEndUs.mean";

const fileName = fileURLToPath(new URL("../scenarios/mm1.yaml", import.meta.url));
const source = readFileSync(fileName, "utf8");

export const bench: Bench = async () => [...ofLongRuns(), await ofReplications()];

const row = (name: string, covered: number, stated: number): BenchRow => ({ name, value: (covered / stated) * 100, unit: "%", target: "93 to 97 %", pass: covered >= 0.93 * stated && covered <= 0.97 * stated });

/** What one long run estimates, and the truth: the time in the system is exponential. */
const ofOneRun: readonly (readonly [figure: string, name: string, truth: number])[] = [
  [figure, "the mean", truthUs],
  ["overall.latency.endToEndUs.p50", "the median", truthUs * Math.LN2],
  ["overall.latency.endToEndUs.sd", "the standard deviation", truthUs],
  ["overall.latency.endToEndUs.p90", "p90", truthUs * Math.log(10)],
  ["overall.latency.endToEndUs.p95", "p95", truthUs * Math.log(20)],
  ["overall.latency.endToEndUs.p99", "p99", truthUs * Math.log(100)],
  ["market.utilisation", "utilisation", 0.8],
  ["overall.throughput.completedJobsPerS", "throughput", 0.8],
  ["checks.little.meanInSystem", "jobs in the system", 4],
];

const ofLongRuns = (): BenchRow[] => {
  const { scenario } = loadScenario(source, fileName, { sets: ["horizon=14h", "warmup=20min"] });
  const covered = ofOneRun.map(() => 0);
  const stated = ofOneRun.map(() => 0);
  for (let seed = 1; seed <= longRuns; seed++) {
    const figures = new Map(runScenario(scenario, { seed }).intervals?.figures.map((one) => [one.figure, one]));
    ofOneRun.forEach(([path, , truth], i) => {
      const known = figures.get(path);
      // Not every run is long enough for every quantile.
      if (known === undefined) return;
      stated[i]!++;
      const { low, high } = endsOf(known);
      if (low <= truth && truth <= high) covered[i]!++;
    });
  }
  return ofOneRun.map(([, name], i) => row(`${longRuns.toLocaleString("en")} runs of 40,000 jobs: batch means cover ${name}`, covered[i]!, stated[i]!));
};

/** One batch of runs; study by study, replication by replication. */
function* studies(): Experiment<number> {
  let covered = 0;
  let means: number[] = [];
  yield {
    purpose: "studies", count: repetitions * replications, later: 0,
    tasks: function* (): Generator<RunTask> {
      for (let study = 1; study <= repetitions; study++) for (let r = 0; r < replications; r++) yield { name: `study=${study} replication=${r}`, sets: [], seed: replicationSeed(study, r) };
    }(),
    take: ({ figures }) => {
      means.push(figures![figure]!);
      if (means.length < replications) return;
      const { low, high } = confidenceInterval(means, 0.95);
      if (low <= truthUs && truthUs <= high) covered++;
      means = [];
    },
  };
  return covered;
}

const ofReplications = async (): Promise<BenchRow> =>
  row(`${repetitions.toLocaleString("en")} studies of ${replications} runs of 5,300 jobs: replications cover it`, await conductOn(studies(), { source, fileName, sets: ["horizon=2h", "warmup=10min"] }), repetitions);
