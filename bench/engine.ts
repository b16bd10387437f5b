/** The node's engine in closed form: jobs a second over many nodes, and against the same engine step by step. */
import seedrandom from "seedrandom";
import { BatchEngine, type BatchRules } from "../sim/world/engine/batch.ts";
import { affineCost } from "../sim/world/engine/cost.ts";
import type { Engine, EngineSink } from "../sim/world/engine/engine.ts";
import { llamaCppRules } from "../sim/world/engine/llama-cpp.ts";
import { ReferenceBatchEngine } from "../sim/world/engine/reference/batch.ts";
import { sequentialRules } from "../sim/world/engine/sequential.ts";
import { ServiceTimeEngine } from "../sim/world/engine/service-time.ts";
import { vllmRules } from "../sim/world/engine/vllm.ts";
import type { BenchRow } from "./row.ts";

/** An 8B model at 4 bits on a card of 1 TB/s, roughly. */
const consumer = affineCost({ t0Us: 6_000, perSequenceUs: 60, perPrefillTokenUs: 200, contextUs: 0.13, prefillContextUs: 0.01 });
/** The same at 16 bits on a data-centre card of 3 TB/s, roughly. */
const server = affineCost({ t0Us: 6_500, perSequenceUs: 20, perPrefillTokenUs: 40, contextUs: 0.045, prefillContextUs: 0.002 });

interface Load { readonly jobs: number; readonly nodes: number; /** Mean time between jobs at one node. */ readonly gapUs: number }

interface Demand { readonly gapUs: Float64Array; readonly node: Int32Array; readonly input: Int32Array; readonly output: Int32Array }

/** Poisson arrivals over random nodes; token counts exponential with the means of a chat trace, prompt 1,155 and output 211. */
const demandOf = ({ jobs, nodes, gapUs }: Load): Demand => {
  const next = seedrandom.alea("bench/engine");
  const exponential = (mean: number): number => Math.max(1, Math.round(-mean * Math.log(1 - next())));
  const demand = { gapUs: new Float64Array(jobs), node: new Int32Array(jobs), input: new Int32Array(jobs), output: new Int32Array(jobs) };
  for (let job = 0; job < jobs; job++) {
    demand.gapUs[job] = exponential(gapUs / nodes);
    demand.node[job] = Math.floor(next() * nodes);
    demand.input[job] = Math.min(6_000, exponential(1_155));
    demand.output[job] = Math.min(2_000, exponential(211));
  }
  return demand;
};

interface Outcome { readonly seconds: number; readonly finished: number; readonly sumUs: number; readonly calls: number; readonly preempted: number }

/** Plays the demand on the engines, in order of time at each; they are touched in random order, as in a market. */
const serve = (engines: readonly Engine[], demand: Demand): Outcome => {
  let finished = 0;
  let sumUs = 0;
  let calls = 0;
  let preempted = 0;
  const sink: EngineSink = {
    started() {},
    firstToken() {},
    finished(_, atUs) { finished++; sumUs += atUs; },
    preempted() { preempted++; },
  };
  const start = performance.now();
  let nowUs = 0;
  for (let job = 0; job < demand.node.length; job++) {
    nowUs += demand.gapUs[job]!;
    const engine = engines[demand.node[job]!]!;
    for (let dueUs = engine.nextUs; dueUs <= nowUs; dueUs = engine.nextUs) { calls++; engine.advance(dueUs, sink); }
    engine.submit(nowUs, job, demand.input[job]!, demand.output[job]!, 0);
  }
  for (const engine of engines) while (engine.nextUs < Infinity) { calls++; engine.advance(engine.nextUs, sink); }
  return { seconds: (performance.now() - start) / 1e3, finished, sumUs, calls, preempted };
};

/** The fastest of a few runs, the first of which only warms up. */
const best = (runs: number, make: () => Engine, load: Load): Outcome => {
  const demand = demandOf(load);
  let fastest: Outcome | null = null;
  for (let run = 0; run < runs; run++) {
    const outcome = serve(Array.from({ length: load.nodes }, make), demand);
    if (outcome.finished !== load.jobs) throw new Error(`${outcome.finished} of ${load.jobs} jobs finished`);
    if (fastest === null || outcome.seconds < fastest.seconds) fastest = outcome;
  }
  return fastest!;
};

/** Microseconds that the engine may take of the 10 a job has at 100,000 jobs/s. */
const US_PER_JOB_MAX = 2;

/** Every engine's cost per job, and its speed against the reference. */
export const bench = (): BenchRow[] => {
  const rows: BenchRow[] = [];
  const cases: readonly (readonly [name: string, rules: BatchRules, gapUs: number, barred: boolean])[] = [
    ["llama.cpp, 4 slots", llamaCppRules({ cost: consumer }), 1_000_000, true],
    ["vllm, 256 sequences", vllmRules({ cost: server, kvTokensMax: 400_000 }), 120_000, false],
    ["vllm, short of memory", vllmRules({ cost: server, kvTokensMax: 20_000 }), 150_000, false],
    ["sequential", sequentialRules({ cost: consumer }), 2_500_000, true],
  ];
  for (const [name, rules, gapUs, barred] of cases) {
    const many = best(4, () => new BatchEngine(rules), { jobs: 200_000, nodes: 1_000, gapUs });
    const usPerJob = (many.seconds * 1e6) / 200_000;
    rows.push({
      name: `engine, ${name}, 1,000 nodes`, value: usPerJob, unit: "µs/job",
      ...(barred ? { target: `<= ${US_PER_JOB_MAX} µs/job`, pass: usPerJob <= US_PER_JOB_MAX } : {}),
      note: `${(many.calls / 200_000).toFixed(2)} advances and ${(many.preempted / 200_000).toFixed(2)} preemptions a job`,
    });
    const load = { jobs: 2_000, nodes: 1, gapUs };
    const ours = best(20, () => new BatchEngine(rules), load);
    const theirs = best(2, () => new ReferenceBatchEngine(rules), load);
    const same = ours.sumUs === theirs.sumUs;
    rows.push({
      name: `engine, ${name}, against step by step`, value: load.jobs / ours.seconds, unit: "jobs/s",
      ratio: theirs.seconds / ours.seconds, target: "the same ends, 10x as fast", pass: same && theirs.seconds / ours.seconds >= 10,
    });
  }
  const works = demandOf({ jobs: 200_000, nodes: 1, gapUs: 1_000 }).gapUs;
  for (const discipline of ["fifo", "processor-sharing"] as const) {
    const make = (): Engine => new ServiceTimeEngine({ discipline, work: (ref) => works[ref]! });
    const many = best(4, make, { jobs: 200_000, nodes: 1_000, gapUs: 1_250 });
    const usPerJob = (many.seconds * 1e6) / 200_000;
    rows.push({
      name: `engine, service-time ${discipline}, load 0.8, 1,000 nodes`, value: usPerJob, unit: "µs/job",
      target: `<= ${US_PER_JOB_MAX} µs/job`, pass: usPerJob <= US_PER_JOB_MAX,
    });
  }
  return rows;
};
