import { expect, test } from "vitest";
import { conduct } from "./conduct.ts";
import { TaskPlayer } from "./play-task.ts";
import type { Experiment, RunOutcome } from "./plan.ts";
import { replicationSeed } from "./seeds.ts";
import { figuresOf } from "../../protocol/result/figures.ts";
import { loadScenario } from "../scenario/load.ts";
import { runScenario } from "./run.ts";

const source = `
name: small
question: What does a small market do?
horizon: 2min
warmup: 0s
operators:
  - name: server
    count: 2
    engine: {service-time: {service: {exponential: {mean: 1s}}}}
    price: {fixed: 1 sat}
    model: any
clients:
  - name: user
    model: any
    arrivals: {poisson: {rate: 1/s}}
    inputTokens: 1
    outputTokens: 1
`;
const subject = { source, fileName: "small.yaml", sets: [] };

function* two(sets: readonly string[]): Experiment<RunOutcome[]> {
  const outcomes: RunOutcome[] = [];
  yield {
    purpose: "replications", count: 2, later: 0,
    tasks: [0, 1].map((replication) => ({ name: `replication=${replication}`, sets, seed: replicationSeed(1, replication) })),
    take: (outcome) => void outcomes.push(outcome),
  };
  return outcomes;
}

test("the first replication is the run itself, the second another one", () => {
  const player = new TaskPlayer(subject);
  const [first, second] = conduct(two([]), (task, index) => player.play(task, index));
  const report = runScenario(loadScenario(source, "small.yaml").scenario);
  expect(first!.figures).toEqual(figuresOf(report));
  expect(first!.digest).toBe(report.provenance.resultsDigest);
  expect(first!.figures!["overall.jobs.submitted"]).toBeGreaterThan(50);
  expect(first!.figures!["clientClasses.user.latency.endToEndUs.p95"]).toBe(report.clientClasses[0]!.latency.endToEndUs.p95);
  expect(second!.digest).not.toBe(first!.digest);
});

test("a run that throws is an outcome with its error and its seed", () => {
  const player = new TaskPlayer(subject);
  const [first, second] = conduct(two(["operators.server.count=-1"]), (task, index) => player.play(task, index));
  expect(first).toMatchObject({ index: 0, figures: null, digest: null, task: { seed: 1 } });
  expect(first!.error).toContain("operators[0].count");
  expect(second!.error).toBe(first!.error);
});

test("seeds of replications: the scenario's own first, all different, whatever the others are", () => {
  const seeds = Array.from({ length: 1000 }, (_, i) => replicationSeed(7, i));
  expect(seeds[0]).toBe(7);
  expect(new Set(seeds).size).toBe(1000);
  expect(replicationSeed(8, 1)).not.toBe(seeds[1]);
});

test("markets that take turns are each what they are alone, however many there are", () => {
  const digestOf = (player: TaskPlayer, count: number): string | null =>
    player.play({ name: `count=${count}`, sets: [`operators.server.count=${count}`], seed: 1 }, 0).digest;
  const player = new TaskPlayer(subject);
  const counts = Array.from({ length: 20 }, (_, i) => i + 1);
  const first = counts.map((count) => digestOf(player, count));
  expect(new Set(first).size).toBe(20);
  expect(counts.map((count) => digestOf(player, count))).toEqual(first);
  expect(digestOf(new TaskPlayer(subject), 7)).toBe(first[6]);
});
