import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { jobRequest } from "../../protocol/messages.ts";
import { loadScenario } from "../../sim/scenario/load.ts";
import { planJobs } from "../../sim/world/planned-jobs.ts";
import { planNodes } from "../../sim/world/supply.ts";
import { planBench } from "./bench-plan.ts";

const path = fileURLToPath(new URL("../../scenarios/twin.yaml", import.meta.url));
const { scenario } = loadScenario(readFileSync(path), path);

test("a bench run measures every node over the workload's lengths, and none of the workload's jobs", () => {
  const plans = planNodes(scenario, 1);
  const workload = planJobs(scenario, 1);
  const bench = planBench(scenario, 1, plans, workload, { repetitions: 2, stretchS: 0.5 });
  const ids = new Set(workload.map(({ request }) => request.jobId));
  expect([...bench.jobs.keys()].some((id) => ids.has(id))).toBe(false);
  expect(bench.stages).toHaveLength(bench.what.length);
  const [first, second] = bench.rounds.map((from, i) => bench.what.slice(from, bench.rounds[i + 1]));
  expect(second).toEqual(first);

  const regions = planNodes(bench.scenario, 1).map(({ region }) => region);
  expect(new Set(regions).size).toBe(plans.length);
  for (const { request } of bench.stages.flat()) {
    jobRequest.parse(request);
    const { node } = bench.jobs.get(request.jobId)!;
    // Only one node may serve it, and it fits there.
    expect(request.allowedRegions).toEqual([regions[node]]);
    const { contextTokensMax } = plans[node]!.descriptor.offers[0]!;
    expect(request.inputTokens + request.maxOutputTokens).toBeLessThanOrEqual(contextTokensMax);
  }

  const [least, most] = [Math.min(...workload.map(({ request }) => request.inputTokens)), Math.max(...workload.map(({ request }) => request.inputTokens))];
  plans.forEach(({ descriptor }, node) => {
    const of = bench.what.filter((what) => what.node === node);
    const prompts = of.flatMap((what) => (what.kind === "prompt" ? [what.tokens] : []));
    expect([Math.min(...prompts), Math.max(...prompts)]).toEqual([least, most]);
    expect(new Set(of.flatMap((what) => (what.kind === "steps" ? [what.sequences] : [])))).toEqual(new Set(Array.from({ length: descriptor.slots }, (_, i) => i + 1)));
    expect(of.filter(({ kind }) => kind === "busy").map((what) => (what.kind === "busy" ? what.busy : 0))).toEqual([2, 2, 3, 3, 2, 2, 3, 3]);
  });
});
