import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { conduct } from "../sim/experiment/conduct.ts";
import { TaskPlayer } from "../sim/experiment/play-task.ts";
import { replicate as replications } from "../sim/experiment/replications/replicate.ts";
import { loadScenario } from "../sim/scenario/load.ts";
import { compare, equilibrium, replicate, run, search, sensitivity, sweep } from "./experiments.ts";
import { labIdentity } from "./identity.ts";

const fileName = fileURLToPath(new URL("../scenarios/mmc-2.yaml", import.meta.url));
const market = loadScenario(readFileSync(fileName), fileName, { sets: ["horizon=100s", "warmup=2s"] });
const few = { workers: 1, replications: 3 };

describe("from code", () => {
  test("a run plays what was loaded, and says with which changes", () => {
    const { provenance } = run(market, { seed: 5 });
    expect(provenance).toMatchObject({ seed: 5, sets: ["horizon=100s", "warmup=2s"], scenario: { name: "mmc-2" } });
  });

  test("replications are those of the command line and of one thread", async () => {
    const heard: (string | null)[] = [];
    const report = await replicate(market, { ...few, seed: 9, onRun: ({ digest }) => void heard.push(digest) });
    const player = new TaskPlayer(market);
    const expected = conduct(replications({ scenario: market.scenario, replications: { count: 3, until: null }, seed: 9, sets: market.sets, lab: { name: "infernet-lab", version: labIdentity().version } }), (task, index) => player.play(task, index));
    expect(JSON.stringify(report)).toBe(JSON.stringify(expected));
    expect(heard[0]).toBe(run(market, { seed: 9 }).provenance.resultsDigest);
    expect(heard.length).toBe(3);
  });

  test("replications go on until a figure is known", async () => {
    const { runs, until } = await replicate(market, { workers: 1, until: "throughput within 20 % at 90 %", replications: 40 });
    expect(runs.played).toBeGreaterThan(2);
    expect(until).not.toBe(null);
  });

  test("arms are compared", async () => {
    const report = await compare(market, { ...few, arms: { random: { "router.policy": "random" }, cheapest: { "router.policy": "cheapest" } }, metrics: ["latency.mean"] });
    expect(report.arms.map(({ name }) => name)).toEqual(["random", "cheapest"]);
    expect(report.differences.length).toBe(1);
    expect(report.runs.played).toBe(6);
  });

  test("values are swept", async () => {
    const report = await sweep(market, { ...few, sweep: { axes: { "operators[0].engine.service-time.slots": [1, 2, 3] } }, metrics: ["utilisation"] });
    expect(report.points.map(({ factors }) => factors)).toEqual([[1], [2], [3]]);
  });

  test("factors are varied, the best is searched, and who answers whom", async () => {
    const service = "operators[0].engine.service-time.slots";
    const varied = await sensitivity(market, { workers: 1, sensitivity: { factors: [{ path: service, from: 1, to: 3 }], metrics: ["utilisation"], method: "tornado", replications: 2 } });
    expect(varied.metrics.map(({ metric }) => metric.id)).toEqual(["utilisation"]);
    const found = await search(market, { workers: 1, search: { minimise: "latency.mean", over: { [service]: [1, 3] }, indifference: "50 %", fresh: 2 } });
    expect(found.chosen).toBe(1);
    const settled = await equilibrium(market, { workers: 1, equilibrium: { goal: "utilisation", players: { [market.scenario.operators[0]!.name]: { [service]: [1, 2] } }, replications: 2 } });
    expect(settled.players.length).toBe(1);
  });

  test("what does not fit is told", async () => {
    await expect(compare(market, few)).rejects.toThrow("mmc-2.yaml has no arms");
    await expect(sweep(market, few)).rejects.toThrow("mmc-2.yaml says nothing of a sweep");
    await expect(search(market, few)).rejects.toThrow("mmc-2.yaml has no search");
    await expect(compare(market, { ...few, arms: { a: {}, b: { "router.polcy": "random" } } })).rejects.toThrow("router.polcy");
    await expect(compare(market, { ...few, arms: { a: {}, b: { "router.policy": "random" } }, metrics: ["latnecy.p95"] })).rejects.toThrow("did you mean");
    await expect(replicate(market, { ...few, until: "soon" })).rejects.toThrow("until:");
    await expect(replicate(market, { ...few, queue: "localhost" })).rejects.toThrow("--queue: found localhost");
  });

  test("an experiment that is stopped before anything was played says so", async () => {
    await expect(replicate(market, { ...few, signal: AbortSignal.abort() })).rejects.toThrow("no run could be played");
  });
});
