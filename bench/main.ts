/** `npm run bench [-- NAME ...]`: runs the benches, one after the other, and prints one table. Exits with 1 where a bar was missed. */
import { fork } from "node:child_process";
import { readdirSync } from "node:fs";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import Table from "cli-table3";
import pc from "picocolors";
import { V8_FLAGS } from "../lab/v8-flags.ts";
import type { Bench, BenchRow } from "./row.ts";

const self = fileURLToPath(import.meta.url);
const notBenches: ReadonlySet<string> = new Set(["busy-market.ts", "main.ts", "row.ts"]);

const names = (): string[] =>
  readdirSync(new URL(".", import.meta.url))
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts") && !notBenches.has(file))
    .map((file) => file.slice(0, -".ts".length))
    .sort();

/** In a child: runs one bench and sends its rows to the parent. */
const runHere = async (name: string): Promise<void> => {
  const module = (await import(new URL(`./${name}.ts`, import.meta.url).href)) as { bench?: Bench };
  if (typeof module.bench !== "function") throw new Error(`bench/${name}.ts does not export a function "bench"`);
  const rows = await module.bench();
  await new Promise<void>((resolve, reject) => process.send!(rows, undefined, undefined, (error) => (error === null ? resolve() : reject(error))));
  process.disconnect();
};

/** With the same settings of V8 as `infernet` itself. */
const runInChild = (name: string): Promise<readonly BenchRow[]> =>
  new Promise((resolve) => {
    let rows: readonly BenchRow[] = [];
    const child = fork(self, ["--child", name], { execArgv: ["--expose-gc", ...V8_FLAGS], stdio: ["ignore", "inherit", "inherit", "ipc"] });
    child.on("message", (message) => void (rows = message as readonly BenchRow[]));
    child.on("exit", (code) =>
      resolve(code === 0 ? rows : [...rows, { name: `${name}: ended with exit code ${code}`, value: NaN, unit: "", pass: false }]),
    );
  });

const figure = (value: number): string => {
  if (!Number.isFinite(value)) return "-";
  if (Math.abs(value) >= 1_000) return Math.round(value).toLocaleString("en");
  return String(Number(value.toPrecision(4)));
};

const verdict = (row: BenchRow): string => {
  if (row.pass === undefined) return "";
  return row.pass ? pc.green("pass") : pc.red("MISS");
};

const main = async (wanted: readonly string[]): Promise<void> => {
  const known = names();
  const unknown = wanted.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    console.error(`There is no bench ${unknown.join(", ")}. These exist: ${known.join(", ")}.`);
    process.exitCode = 2;
    return;
  }
  console.log(`Node ${process.versions.node}, ${cpus().length} x ${cpus()[0]?.model.trim() ?? "unknown CPU"}`);
  const table = new Table({
    head: ["bench", "what", "value", "unit", "ratio", "target", ""],
    colAligns: ["left", "left", "right", "left", "right", "left", "left"],
    style: { head: [], border: [], compact: true },
  });
  let missed = 0;
  for (const name of wanted.length > 0 ? wanted : known) {
    const startedMs = performance.now();
    console.error(`${name} ...`);
    const rows = await runInChild(name);
    console.error(`${name}: ${((performance.now() - startedMs) / 1_000).toFixed(1)} s`);
    for (const row of rows) {
      if (row.pass === false) missed++;
      const target = [row.target, row.note].filter((text) => text !== undefined).join("; ");
      table.push([name, row.name, figure(row.value), row.unit, row.ratio === undefined ? "" : `${figure(row.ratio)}x`, target, verdict(row)]);
    }
  }
  console.log(table.toString());
  console.log(missed === 0 ? "Every bar met." : `${missed} ${missed === 1 ? "bar" : "bars"} missed.`);
  if (missed > 0) process.exitCode = 1;
};

const [first, ...rest] = process.argv.slice(2);
await (first === "--child" ? runHere(rest[0]!) : main(first === undefined ? [] : [first, ...rest]));
