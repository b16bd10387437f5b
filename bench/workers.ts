import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { conductOn } from "../lab/conduct.ts";
import { WorkerPool } from "../lab/pool.ts";
import type { Experiment } from "../sim/experiment/plan.ts";
import type { Subject } from "../sim/experiment/play-task.ts";
import { replicationSeed } from "../sim/experiment/seeds.ts";
import type { Bench, BenchRow } from "./row.ts";

/** Of each core's speed alone. */
const share = 0.85;
const rounds = 5;

/** How much faster an experiment is on all cores than on one. The workers are warm: starting them is told apart. */
export const bench: Bench = async () => {
  const rows: BenchRow[] = [];
  for (const [what, name, sets, runs] of [
    ["quickstart, 5 min", "quickstart", ["horizon=5min", "warmup=1min"], 40],
    ["M/M/1, 10 min: runs of 5 ms", "mm1", ["horizon=10min", "warmup=1min"], 500],
  ] as const) {
    rows.push(...await speedUp(what, subjectOf(name, sets), runs));
  }
  rows.push(await memory());
  return rows;
};

const subjectOf = (name: string, sets: readonly string[]): Subject => {
  const fileName = fileURLToPath(new URL(`../scenarios/${name}.yaml`, import.meta.url));
  return { source: readFileSync(fileName, "utf8"), fileName, sets };
};

/** What the thread that conducts keeps of runs that are over. */
const memory = async (): Promise<BenchRow> => {
  const pool = new WorkerPool();
  const kept = async (runs: number): Promise<number> => {
    await perS(pool, subjectOf("mm1", ["horizon=2s", "warmup=100ms"]), runs);
    globalThis.gc!();
    return process.memoryUsage().heapUsed;
  };
  try {
    await kept(500);
    const growth = ((await kept(5_000)) - (await kept(500))) / 1e6;
    return { name: "memory that 5,000 runs leave behind, more than 500 do", value: growth, unit: "MB", target: "< 1", pass: growth < 1 };
  } finally {
    await pool.close();
  }
};

const speedUp = async (what: string, subject: Subject, runs: number): Promise<BenchRow[]> => {
  const cores = availableParallelism();
  const one = new WorkerPool({ workers: 1 });
  const all = new WorkerPool({ workers: cores });
  try {
    const startedMs = performance.now();
    await perS(all, subject, cores);
    const startMs = performance.now() - startedMs;
    await Promise.all([perS(one, subject, runs >> 2), perS(all, subject, runs >> 1)]);
    let [bestOfOne, bestOfAll] = [0, 0];
    // By turns, and the best of each: what else the machine does slows some rounds, and none is ever too fast.
    for (let round = 0; round < rounds; round++) {
      bestOfOne = Math.max(bestOfOne, await perS(one, subject, runs));
      bestOfAll = Math.max(bestOfAll, await perS(all, subject, runs));
    }
    const ratio = bestOfAll / bestOfOne;
    return [
      { name: `${what}: 1 worker`, value: bestOfOne, unit: "runs/s" },
      { name: `${what}: ${cores} workers`, value: bestOfAll, unit: "runs/s", ratio, target: `>= ${share} per core`, pass: ratio >= share * cores },
      { name: `${what}: the first run of each worker, start included`, value: startMs, unit: "ms" },
    ];
  } finally {
    await one.close();
    await all.close();
  }
};

const perS = async (pool: WorkerPool, subject: Subject, runs: number): Promise<number> => {
  const startedMs = performance.now();
  await conductOn(replications(runs), subject, { pool });
  return (runs * 1_000) / (performance.now() - startedMs);
};

function* replications(count: number): Experiment<null> {
  const tasks = Array.from({ length: count }, (_, i) => ({ name: `replication=${i}`, sets: [], seed: replicationSeed(1, i) }));
  yield { purpose: "", count, tasks, later: 0, take: ({ error }) => {
    if (error !== null) throw new Error(error);
  } };
  return null;
}
