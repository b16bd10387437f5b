import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { startRun } from "../sim/experiment/run.ts";
import type { Scenario } from "../sim/scenario/schema.ts";
import { busyMarket, scenarioOf } from "./busy-market.ts";
import type { Bench, BenchRow } from "./row.ts";

/** The whole market: client, router, node, continuous batching, payment and fee, on one core. */
export const bench: Bench = () => [...fullMarket(), ...azureTrace(), ...costPerJob()];

const market = (nodes: number, jobs: number, policy: string): Scenario => busyMarket(nodes, jobs, `policy: ${policy}`);

interface Measured {
  readonly jobs: number;
  readonly seconds: number;
  readonly busyShare: number | null;
}

const play = (scenario: Scenario): Measured => {
  const run = startRun(scenario);
  const startedMs = performance.now();
  while (!run.step());
  const report = run.finish();
  return { jobs: report.allJobs.submitted, seconds: (performance.now() - startedMs) / 1_000, busyShare: report.operatorClasses[0]?.utilisation ?? null };
};

const fullMarket = (): BenchRow[] => {
  play(market(1_000, 100_000, "power-of-two"));
  // Whoever else is on the machine slows a play down, by up to half where they take its third-level cache; nobody speeds one up.
  const plays = Array.from({ length: 3 }, () => play(market(1_000, 1_000_000, "power-of-two"))).sort((a, b) => a.seconds - b.seconds);
  const { jobs, busyShare } = plays[0]!;
  const [jobsPerS, ...slower] = plays.map(({ seconds }) => jobs / seconds) as [number, number, number];
  const megabytes = process.resourceUsage().maxRSS / 1_000;
  return [
    {
      name: `${jobs.toLocaleString("en")} jobs over 1,000 nodes, ${((busyShare ?? 0) * 100).toFixed(0)} % busy`, value: jobsPerS, unit: "jobs/s",
      target: ">= 100,000", pass: jobsPerS >= 100_000, note: `the fastest of three plays; the others ${slower.map((perS) => Math.round(perS).toLocaleString("en")).join(" and ")}`,
    },
    { name: "its memory, peak of the process", value: megabytes, unit: "MB", target: "< 600", pass: megabytes < 600 },
  ];
};

const azureTrace = (): BenchRow[] => {
  const name = "Azure LLM 2023 conversation trace, replayed";
  const trace = fileURLToPath(new URL("../../shared/data/traces/azure-llm-2023-conv.csv", import.meta.url));
  if (!existsSync(trace)) return [{ name, value: NaN, unit: "requests/s", note: "the trace is not here" }];
  const scenario = scenarioOf(`
name: bench-azure
question: How fast does a recorded trace go through the market?
horizon: 1h
router: { policy: power-of-two }
operators:
  - { name: gpu, count: 50, machine: RTX 4090, model: "llama-3.1-8b:q4_k_m", queueLimit: 16, price: { input: 20 sat/Mtok, output: 60 sat/Mtok } }
clients:
  - { name: chat, model: "llama-3.1-8b:q4_k_m", trace: ${JSON.stringify(trace)}, maxPrice: 1000 sat }
`);
  // The trace is short: the first passes are for the compiler.
  for (let pass = 0; pass < 4; pass++) play(scenario);
  const passes = Array.from({ length: 5 }, () => play(scenario)).map(({ jobs, seconds }) => jobs / seconds).sort((a, b) => a - b);
  const perS = passes[2]!;
  return [{ name, value: perS, unit: "requests/s", target: ">= 50,000", pass: perS >= 50_000 }];
};

const costPerJob = (): BenchRow[] =>
  ["power-of-two", "weighted-score"].flatMap((policy) => {
    let smallest = 0;
    return [10, 100, 1_000, 10_000].map((nodes): BenchRow => {
      const { jobs, seconds } = play(market(nodes, nodes === 10_000 ? 100_000 : 200_000, policy));
      const perJobUs = (seconds * 1e6) / jobs;
      if (smallest === 0) smallest = perJobUs;
      return { name: `a job among ${nodes.toLocaleString("en")} nodes, ${policy}`, value: perJobUs, unit: "µs", ratio: perJobUs / smallest };
    });
  });
