import { expect, test } from "vitest";
import type { ComparisonReport } from "../../../protocol/result/comparison.ts";
import { findMetric } from "../../../protocol/result/metrics.ts";
import { RandomStreams } from "../../kernel/random.ts";
import { normalQuantile } from "../../kernel/special.ts";
import { Moments } from "../../kernel/statistics/index.ts";
import { loadScenario } from "../../scenario/load.ts";
import type { LoadedScenario } from "../../scenario/load.ts";
import { conduct } from "../conduct.ts";
import type { RunOutcome, RunTask } from "../plan.ts";
import { TaskPlayer } from "../play-task.ts";
import { comparison } from "./compare.ts";
import { measureIndependent, PairedValues } from "./difference.ts";
import { prepareComparison } from "./prepare.ts";

/*
 * What the statistics promise, held to it by experiments about experiments: a difference that is not there is found as often as
 * the level says and no more, one that is there lies in its interval, and pairing saves runs.
 */

/** Two servers behind a router: queueing theory's market. */
const market = (more: string): LoadedScenario => loadScenario(`
name: two-servers
question: What do two servers make of a stream of jobs?
network: {latency: 0, sameRegion: 0, signing: 0, verifying: 0}
payment: {latency: 0}
operators:
  - {name: server, count: 2, engine: {service-time: {service: {exponential: {mean: 1s}}}}, price: {fixed: 1 sat}, model: any, queueLimit: unlimited}
clients:
  - {name: user, model: any, arrivals: {poisson: {rate: 1.8/s}}, inputTokens: 1, outputTokens: 1, patience: forever, latencyGoal: {endToEnd: 3s}}
${more}`, "two-servers.yaml");
const lab = { name: "infernet-lab", version: "0" };
const replications = (count: number): { count: number; until: null } => ({ count, until: null });
const metrics = (...ids: string[]): NonNullable<ReturnType<typeof findMetric>>[] => ids.map((id) => findMetric(id)!);

test("a policy compared with itself, on random numbers of its own, differs as rarely as the level says; on the same ones never", () => {
  const loaded = market("horizon: 30s\nrouter: {policy: random}\narms: {one: {}, same: {}, again: {}}\nmetrics: [latency.mean, latency.p95, goodput, throughput, utilisation]");
  const player = new TaskPlayer({ source: loaded.source, fileName: "two-servers.yaml", sets: [] });
  const question = prepareComparison(loaded, "two-servers.yaml", { replications: replications(4), lab });
  const common = conduct(comparison(question), (task, index) => player.play(task, index))!;
  expect(common.differences.map(({ verdict, difference, pairs }) => ({ verdict, difference, pairs }))).toEqual(Array.from({ length: 10 }, () => ({ verdict: "identical", difference: 0, pairs: 4 })));

  // Every run of every repetition has a seed of its own.
  const repetitions = 160;
  let runs = 0;
  let rejected = 0;
  let falseFamilies = 0;
  for (let k = 0; k < repetitions; k++) {
    const report: ComparisonReport = conduct(comparison(question), (task, index) => player.play({ ...task, seed: 1_000 + runs++ }, index))!;
    rejected += report.differences.filter(({ pValue }) => pValue! < 0.05).length;
    if (report.differences.some(({ verdict }) => verdict === "better" || verdict === "worse" || verdict === "changed")) falseFamilies++;
  }
  expect(runs).toBe(repetitions * 12);
  // Tests of a repetition share runs: at worst they are one test, of which 160 at 5 % are within 2.5 to 7.5 % (binomial, 85 %) and,
  // being several, more closely so. Families: at most 5 %, with a binomial bound of 99.9 %.
  const share = rejected / (repetitions * 10);
  expect(share).toBeGreaterThan(0.025);
  expect(share).toBeLessThan(0.075);
  expect(falseFamilies).toBeLessThanOrEqual(18);
});

test("false findings and intervals over 2,000 comparisons of known truth: 5 %, fewer families, 95 %", () => {
  const loaded = market("horizon: 30s\narms: {one: {}, other: {}, third: {}}");
  const chosen = metrics("latency.mean", "ttft.mean", "tpot.mean", "queueing.mean");
  const question = prepareComparison(loaded, "two-servers.yaml", { replications: replications(6), metrics: chosen, lab });
  let repetition = 0;
  const streams = new RandomStreams(3);
  const noise = (name: string): number => normalQuantile(streams.stream("noise", `${repetition}`, name).next());
  /** What arms share is three times as large as what each has to itself; only `third` differs, and only in the first metric. */
  const play = (task: RunTask, index: number): RunOutcome => {
    const [, arm, replication] = /^arm=(.+) replication=(\d+)$/.exec(task.name)!;
    const figures = Object.fromEntries(chosen.map(({ path }, m) => [path, 1_000 + 30 * noise(`${replication} ${m}`) + 10 * noise(`${arm} ${replication} ${m}`) + (arm === "third" && m === 0 ? 50 : 0)]));
    return { index, task, figures, digest: "", error: null };
  };
  const repetitions = 2_000;
  let tests = 0;
  let rejected = 0;
  let falseFamilies = 0;
  let held = 0;
  let relativeHeld = 0;
  let found = 0;
  let gain = 0;
  for (; repetition < repetitions; repetition++) {
    const { differences } = conduct(comparison(question), play)!;
    const real = differences.find(({ arm, metric }) => arm === "third" && metric === "latency.mean")!;
    const none = differences.filter((difference) => difference !== real);
    tests += none.length;
    rejected += none.filter(({ pValue }) => pValue! < 0.05).length;
    if (none.some(({ verdict }) => verdict === "worse" || verdict === "better")) falseFamilies++;
    if (real.verdict === "worse") found++;
    if (real.interval!.low <= 50 && 50 <= real.interval!.high) held++;
    if (real.relative!.low! <= 0.05 && 0.05 <= real.relative!.high!) relativeHeld++;
    gain += Math.log(real.varianceRatio!) / repetitions;
  }
  // Three standard errors: 0.0146 of 2,000; the seven tests of a repetition are not independent of each other.
  expect(rejected / tests).toBeGreaterThan(0.043);
  expect(rejected / tests).toBeLessThan(0.057);
  expect(falseFamilies / repetitions).toBeLessThan(0.0646);
  for (const share of [held, relativeHeld]) {
    expect(share / repetitions).toBeGreaterThan(0.9354);
    expect(share / repetitions).toBeLessThan(0.9646);
  }
  expect(found / repetitions, "the one that is there").toBeGreaterThan(0.95);
  // (900 + 100) / 100.
  expect(Math.exp(gain)).toBeGreaterThan(8);
  expect(Math.exp(gain)).toBeLessThan(12);
});

test("join-the-shortest-queue against random: pairs need a fifth of the runs for the same interval, half of them to find the difference", () => {
  const loaded = market(`horizon: 10min
warmup: 1min
router: {heartbeat: 1h, attempts: 1, jobTimeout: forever, queue: {limit: 0, maxWait: 0}}
arms: {random: {router.policy: random}, shortest: {router.policy: least-loaded}}
metrics: [latency.mean]`);
  const player = new TaskPlayer({ source: loaded.source, fileName: "two-servers.yaml", sets: [] });
  const pairs = 120;
  const values: [random: number, shortest: number][] = [];
  const report = conduct(comparison(prepareComparison(loaded, "two-servers.yaml", { replications: replications(pairs), lab })), (task, index) => {
    const outcome = player.play(task, index);
    const seconds = outcome.figures!["overall.latency.endToEndUs.mean"]! / 1e6;
    if (index % 2 === 0) values.push([seconds, 0]);
    else values.at(-1)![1] = seconds;
    return outcome;
  })!;
  const [difference] = report.differences;
  expect(difference!.verdict).toBe("better");
  // Random: two M/M/1 at rho 0.9, 10 s, less what a short run from an empty start leaves out. JSQ: above M/M/2's 5.26 s, by as much.
  expect(difference!.baselineMean! / 1e6).toBeGreaterThan(7.5);
  expect(difference!.armMean! / 1e6).toBeLessThan(5.8);
  expect(difference!.correlation).toBeGreaterThan(0.8);
  expect(difference!.varianceRatio, "so many times the runs for the same interval").toBeGreaterThan(3.5);
  expect(difference!.varianceRatio).toBeLessThan(8);

  /** How often n pairs, and n runs of each arm that have nothing to do with each other, find the difference. */
  const power = (n: number): { paired: number; apart: number } => {
    const groups = Math.floor(pairs / n);
    const found = { paired: 0, apart: 0 };
    for (let g = 0; g < groups; g++) {
      const [together, random, shortest] = [new PairedValues(), new Moments(), new Moments()];
      for (let i = g * n; i < (g + 1) * n; i++) {
        together.add(...values[i]!);
        random.add(values[i]![0]);
        shortest.add(values[(i + pairs / 2) % pairs]![1]);
      }
      if (together.measure(0.95).pValue! < 0.05) found.paired++;
      if (measureIndependent(random, shortest, 0.95).pValue! < 0.05) found.apart++;
    }
    return { paired: found.paired / groups, apart: found.apart / groups };
  };
  expect(power(5).paired, "five pairs").toBeGreaterThanOrEqual(0.9);
  expect(power(5).apart, "five runs each").toBeLessThan(0.5);
  expect(power(8).apart, "even eight runs each").toBeLessThan(0.9);
});
