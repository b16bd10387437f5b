import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { runReport } from "../protocol/result.ts";
import { runScenario } from "../sim/experiment/run.ts";
import { loadScenario } from "../sim/scenario/load.ts";

const main = fileURLToPath(new URL("main.ts", import.meta.url));
const quickstart = fileURLToPath(new URL("../scenarios/quickstart.yaml", import.meta.url));
const source = readFileSync(quickstart, "utf8");
const recorded = readFileSync(new URL("../scenarios/quickstart.digest", import.meta.url), "utf8").trim();

let folder = "";
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "infernet-determinism-"))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The same document with the keys of every object in another order; lists keep theirs, which means something. */
const shuffled = (value: unknown, round: number): unknown => {
  if (Array.isArray(value)) return value.map((item) => shuffled(item, round));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value);
  const by = round % entries.length;
  return Object.fromEntries([...entries.slice(by), ...entries.slice(0, by)].reverse().map(([key, item]) => [key, shuffled(item, round)]));
};

/** Plays two minutes of the quickstart in a process of its own, in surroundings that differ from round to round. */
const digestOf = async (round: number): Promise<string> => {
  const cwd = join(folder, `round ${round}`);
  mkdirSync(cwd);
  writeFileSync(join(cwd, "market.yaml"), stringify(shuffled(parse(source, { merge: true }), round)));
  const env = {
    ...process.env,
    TZ: ["UTC", "Asia/Kathmandu", "America/St_Johns"][round % 3],
    LANG: ["C", "tr_TR.UTF-8", "de_DE.UTF-8", "ar_EG.UTF-8"][round % 4],
    LC_ALL: ["C", "tr_TR.UTF-8", "de_DE.UTF-8", "ar_EG.UTF-8"][round % 4],
  };
  const engine = round === 7 ? ["--no-opt"] : round % 2 === 0 ? ["--max-semi-space-size=1"] : [];
  const args = [...engine, main, "run", "market.yaml", "--set", "horizon=2min", "--set", "warmup=30s", "--json", "--quiet"];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd, env, maxBuffer: 1 << 28 });
  return runReport.parse(JSON.parse(stdout)).provenance.resultsDigest;
};

describe("determinism", () => {
  test("the quickstart has the recorded results; where they change on purpose: npm run record-digest, and say why", () => {
    expect(runScenario(loadScenario(source, "quickstart.yaml").scenario).provenance.resultsDigest).toBe(recorded);
  });

  test("20 runs in 20 processes, with other locales, time zones, folders, key orders, heaps and without the optimising compiler", async () => {
    const digests = new Set<string>();
    for (let round = 0; round < 20; round += 2) for (const digest of await Promise.all([digestOf(round), digestOf(round + 1)])) digests.add(digest);
    expect([...digests]).toEqual([runScenario(loadScenario(source, "quickstart.yaml", { sets: ["horizon=2min", "warmup=30s"] }).scenario).provenance.resultsDigest]);
  });

  test("another seed has other results", () => {
    const { scenario } = loadScenario(source, "quickstart.yaml", { sets: ["horizon=2min", "warmup=30s"] });
    expect(runScenario(scenario, { seed: 2 }).provenance.resultsDigest).not.toBe(runScenario(scenario, { seed: 3 }).provenance.resultsDigest);
  });
});
