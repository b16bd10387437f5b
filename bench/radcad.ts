import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { conductOn } from "../lab/conduct.ts";
import { WorkerPool } from "../lab/pool.ts";
import type { Experiment } from "../sim/experiment/plan.ts";
import type { Subject } from "../sim/experiment/play-task.ts";
import { replicationSeed } from "../sim/experiment/seeds.ts";
import { Contender } from "./peers/contender.ts";
import type { Bench } from "./row.ts";

const runs = 200;
const customers = 2_000;
/** M/M/1 at 0.8: mean time in the system, service times. */
const expected = 5;

/**
 * Runs of M/M/1 per second of processor time, against radCAD, where a customer is two draws and a line of arithmetic: once
 * as a queue on the kernel, once as the whole market, where it is a job with its messages, payment and part in a report.
 */
export const bench: Bench = async () => {
  const [kernel, market] = [await onKernel(), await asMarket()];
  const what = `M/M/1, runs of ${customers.toLocaleString("en")} customers:`;
  const rows = [
    { name: `${what} a queue on the kernel`, value: kernel, unit: "runs/s" },
    { name: `${what} jobs in a whole market`, value: market, unit: "runs/s" },
  ];
  const name = `${what} radCAD, as Lindley's recursion`;
  // A virtual environment that holds radCAD can be named; the machine's own python3 otherwise.
  const python = process.env["PYTHON"] ?? "python3";
  try {
    const { stdout } = await promisify(execFile)(python, [fileURLToPath(new URL("peers/mm1_radcad.py", import.meta.url)), String(runs), String(customers)]);
    const [radcad, mean] = stdout.trim().split(" ").map(Number) as [number, number];
    check("radCAD", mean);
    return [
      ...rows,
      { name, value: radcad, unit: "runs/s", ratio: kernel / radcad, target: "kernel >= 20x", pass: kernel / radcad >= 20 },
      { name: "the whole market against radCAD's recursion", value: market, unit: "runs/s", ratio: market / radcad },
    ];
  } catch (error) {
    const { code, stderr } = error as { code?: unknown; stderr?: string };
    const missing = code === "ENOENT" ? `no ${python} here` : stderr?.includes("No module named 'radcad'") === true ? `${python} has no radCAD (pip install radcad typing_extensions; PYTHON names another python)` : undefined;
    if (missing === undefined) throw error;
    return [...rows, { name, value: NaN, unit: "runs/s", note: `skipped: ${missing}` }];
  }
};

const onKernel = async (): Promise<number> => {
  const contender = new Contender("./mm1.ts", "kernel");
  try {
    await contender.ask({ customers });
    const { seconds, mean } = await contender.ask<{ seconds: number; mean: number }>({ customers: runs * customers });
    check("our kernel", mean);
    return runs / seconds;
  } finally {
    contender.end();
  }
};

const asMarket = async (): Promise<number> => {
  const fileName = fileURLToPath(new URL("../scenarios/mm1.yaml", import.meta.url));
  const subject: Subject = { source: readFileSync(fileName, "utf8"), fileName, sets: [`horizon=${customers / 0.8}s`, "warmup=0s"] };
  const pool = new WorkerPool({ workers: 1 });
  try {
    await conductOn(replications(runs >> 2), subject, { pool });
    const before = process.cpuUsage();
    const mean = await conductOn(replications(runs), subject, { pool });
    const { user, system } = process.cpuUsage(before);
    check("our market", mean / 1e6);
    return (runs * 1e6) / (user + system);
  } finally {
    await pool.close();
  }
};

/** @returns the mean time in the system, µs */
function* replications(count: number): Experiment<number> {
  let sum = 0;
  const tasks = Array.from({ length: count }, (_, i) => ({ name: `replication=${i}`, sets: [], seed: replicationSeed(1, i) }));
  yield { purpose: "", count, tasks, later: 0, take: ({ error, figures }) => {
    if (figures === null) throw new Error(error ?? "");
    sum += figures["overall.latency.endToEndUs.mean"]!;
  } };
  return sum / count;
}

/** Whoever finds another mean models something else. */
const check = (name: string, mean: number): void => {
  // As in mm1.ts: the asymptotic variance of the mean sojourn time is about 3,952 per customer at 0.8; six deviations, and 1 % for the empty start.
  const deviation = Math.sqrt(3_952 / (runs * customers));
  if (!(Math.abs(mean - expected) < 6 * deviation + 0.01 * expected)) throw new Error(`M/M/1 through ${name}: mean time in the system ${mean}, expected ${expected}.`);
};
