import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { jobRequest } from "../../protocol/messages.ts";
import { loadScenario } from "../../sim/scenario/load.ts";
import { planJobs } from "../../sim/world/planned-jobs.ts";
import { planNodes } from "../../sim/world/supply.ts";
import { benchScenario, planBench } from "./bench-plan.ts";

const path = fileURLToPath(new URL("../../scenarios/twin.yaml", import.meta.url));
const { scenario, experiment } = loadScenario(readFileSync(path), path);
const { intermissionsUs } = experiment.twin!;

test("a bench run measures every node over the workload's lengths, and none of the workload's jobs", () => {
  const plans = planNodes(scenario, 1);
  const workload = planJobs(scenario, 1);
  const bench = planBench(scenario, 1, plans, workload, { rounds: [2, 3], of: 4, stretchS: 0.5, intermissionsUs });
  const ids = bench.stages.flatMap(({ jobs }) => jobs).map(({ request }) => request.jobId);
  const others = planBench(scenario, 1, plans, workload, { rounds: [0, 1], of: 4, stretchS: 0.5, intermissionsUs }).stages.flatMap(({ jobs }) => jobs).map(({ request }) => request.jobId);
  expect(new Set([...ids, ...others, ...workload.map(({ request }) => request.jobId)]).size).toBe(ids.length + others.length + workload.length);
  const rest = bench.stages.slice(plans.length).map(({ what }) => what);
  expect(rest.slice(rest.length / 2)).toEqual(rest.slice(0, rest.length / 2));

  const regions = planNodes(benchScenario(scenario), 1).map(({ region }) => region);
  expect(new Set(regions).size).toBe(plans.length);
  for (const { what, jobs } of bench.stages) {
    for (const { request } of jobs) {
      jobRequest.parse(request);
      // Only one node may serve what measures that node, and it fits there.
      if (what.kind !== "traffic") expect(request.allowedRegions).toEqual([regions[what.node]]);
      const { contextTokensMax } = plans["node" in what ? what.node : 0]!.descriptor.offers[0]!;
      expect(request.inputTokens + request.maxOutputTokens).toBeLessThanOrEqual(contextTokensMax);
    }
  }

  const [least, most] = [Math.min(...workload.map(({ request }) => request.inputTokens)), Math.max(...workload.map(({ request }) => request.inputTokens))];
  plans.forEach(({ descriptor }, node) => {
    const of = bench.stages.map(({ what }) => what).filter((what) => "node" in what && what.node === node);
    const prompts = of.flatMap((what) => (what.kind === "prompt" ? [what.tokens] : []));
    expect([Math.min(...prompts), Math.max(...prompts)]).toEqual([least, most]);
    expect(new Set(of.flatMap((what) => (what.kind === "steps" ? [what.sequences] : [])))).toEqual(new Set(Array.from({ length: descriptor.slots }, (_, i) => i + 1)));
  });
});

test("its traffic is as dense as the workload, with the workload's limits and other lengths", () => {
  const plans = planNodes(scenario, 1);
  const workload = planJobs(scenario, 1);
  const bench = planBench(scenario, 1, plans, workload, { rounds: [0, 1, 2], of: 3, stretchS: 0.5, intermissionsUs });
  const stretches = bench.stages.filter(({ what }) => what.kind === "traffic").map(({ jobs }) => jobs);
  expect(stretches).toHaveLength(3);
  const perS = stretches.map((jobs) => jobs.length / 40);
  // In the middle of each third of the jobs: medium load, its end or the begin of the heaviest, and just below saturation.
  for (const medium of perS.slice(0, 2)) expect(medium).toBeGreaterThan(2);
  expect(perS[0]).toBeLessThan(4.5);
  expect(perS[2]).toBeGreaterThan(3.5);
  for (const { atUs, request } of stretches.flat()) {
    expect(atUs).toBeGreaterThanOrEqual(0);
    expect(atUs).toBeLessThan(40_000_000);
    expect(request.maxOutputTokens).toBe(150);
    expect(bench.lengths.get(request.jobId)).toBeGreaterThanOrEqual(8);
    expect(new Set(workload.map((job) => job.request.client)).has(request.client)).toBe(true);
  }
  const pair = (input: number, output: number | undefined): string => `${input}/${output}`;
  const known = new Set(workload.map((job) => pair(job.request.inputTokens, job.outputTokens)));
  expect(stretches.flat().filter(({ request }) => known.has(pair(request.inputTokens, bench.lengths.get(request.jobId)))).length).toBeLessThan(stretches.flat().length / 2);
});

test("without a round there is nothing to play", () => {
  expect(planBench(scenario, 1, planNodes(scenario, 1), planJobs(scenario, 1), { rounds: [], of: 3, stretchS: 0.5, intermissionsUs })).toEqual({ stages: [], lengths: new Map(), aboutUs: 0 });
});
