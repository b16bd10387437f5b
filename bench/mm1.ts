/** M/M/1 at rho 0.8 through the kernel, against simjs, SimPy and a bare loop over a heap. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Contender, median } from "./peers/contender.ts";
import type { BenchRow } from "./row.ts";

const ROUNDS = 5;
const CONTENDERS = [
  { name: "kernel", customers: 1_000_000 },
  { name: "bare", customers: 1_000_000 },
  { name: "draws", customers: 1_000_000 },
  { name: "simjs", customers: 50_000 },
] as const;
const SIMPY_CUSTOMERS = 40_000;

export async function bench(): Promise<BenchRow[]> {
  const contenders = CONTENDERS.map((contender) => ({ ...contender, process: new Contender("./mm1.ts", contender.name), speeds: [] as number[] }));
  try {
    for (let round = -1; round < ROUNDS; round++) {
      for (const { name, customers, process, speeds } of contenders) {
        const { seconds, mean } = await process.ask<{ seconds: number; mean: number }>({ customers });
        checkMean(name, mean, customers);
        if (round >= 0) speeds.push(customers / seconds / 1e6);
      }
    }
  } finally {
    for (const { process } of contenders) process.end();
  }
  const [kernel, bare, draws, simjs] = contenders.map(({ speeds }) => median(speeds)) as [number, number, number, number];
  const against = (name: string, speed: number, bar: number): BenchRow => ({
    name: `kernel against ${name}`, value: speed, unit: "M customers/s", ratio: kernel / speed, target: `>= ${bar}x`, pass: kernel / speed >= bar,
  });
  return [
    { name: "kernel", value: kernel, unit: "M customers/s" },
    { name: "drawing the random numbers alone", value: draws, unit: "M customers/s", note: "part of every row" },
    against("a bare loop over a heap", bare, 0.6),
    against("simjs", simjs, 10),
    await againstSimPy(against),
  ];
}

async function againstSimPy(against: (name: string, speed: number, bar: number) => BenchRow): Promise<BenchRow> {
  const script = fileURLToPath(new URL("peers/mm1_simpy.py", import.meta.url));
  // A virtual environment that holds SimPy can be named; the machine's own python3 otherwise.
  const python = process.env["PYTHON"] ?? "python3";
  try {
    const { stdout } = await promisify(execFile)(python, [script, String(SIMPY_CUSTOMERS)]);
    const [speed, mean] = stdout.trim().split(" ").map(Number) as [number, number];
    checkMean("SimPy", mean, SIMPY_CUSTOMERS);
    return against("SimPy 4", speed / 1e6, 50);
  } catch (error) {
    const { code, stderr } = error as { code?: unknown; stderr?: string };
    const missing = code === "ENOENT" ? `no ${python} here` : stderr?.includes("No module named 'simpy'") === true ? `${python} has no SimPy (pip install simpy; PYTHON names another python)` : undefined;
    if (missing === undefined) throw error;
    return { name: "kernel against SimPy 4", value: NaN, unit: "M customers/s", target: ">= 50x", note: `skipped: ${missing}` };
  }
}

/** M/M/1's mean time in the system is 1 / (1 - 0.8) = 5 service times; a contender that finds another models something else. */
function checkMean(name: string, mean: number, customers: number): void {
  // Asymptotic variance of the mean sojourn time, about 2 rho (2 + 5 rho - 4 rho^2 + rho^3) / (1 - rho)^4 per customer; six deviations.
  const rho = 0.8;
  const deviation = Math.sqrt((2 * rho * (2 + 5 * rho - 4 * rho * rho + rho * rho * rho)) / (1 - rho) ** 4 / customers);
  if (!(Math.abs(mean - 5) < 6 * deviation)) throw new Error(`M/M/1 through ${name}: mean time in the system ${mean}, expected 5 +- ${6 * deviation}.`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.table(await bench());
