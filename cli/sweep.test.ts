import { appendFileSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { sweepReport } from "../protocol/result/sweep.ts";
import type { SweepReport } from "../protocol/result/sweep.ts";
import { query } from "../reports/testing/duckdb.ts";
import { main } from "./program.ts";
import { contents, infernet as infernetIn, market, type Outcome, start, testFolder } from "./testing/process.ts";

const folder = testFolder("sweep");
const infernet = (...args: readonly string[]): Outcome => infernetIn(folder, "sweep", ...args);
const file = join(folder, "market.yaml");
writeFileSync(file, readFileSync(market, "utf8").replace("horizon: 10m", "horizon: 1h").replace("warmup: 1m", "warmup: 10s"));
appendFileSync(file, `
sweep:
  axes:
    operators.desk.count: {from: 1, to: 3, steps: 3}
    router.policy: [cheapest, random]
  combine: product
  replications: 3
  metrics: [latency.p95, revenue, utilisation@desk]
`);
/** The same in this process, for what ends before anything is played. */
const here = async (...args: readonly string[]): Promise<Outcome> => {
  const said = { stdout: "", stderr: "" };
  const spies = (["stdout", "stderr"] as const).map((name) => vi.spyOn(process[name], "write").mockImplementation((text) => {
    said[name] += String(text);
    return true;
  }));
  try {
    return { status: await main(["sweep", ...args]), ...said };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
};
const files = (path: string): Map<string, string> => new Map(contents(join(folder, path)).filter((name) => !name.endsWith("/")).map((name) => [name, readFileSync(join(folder, path, name), "latin1")]));
const read = (path: string): SweepReport => sweepReport.parse(JSON.parse(readFileSync(join(folder, path, "sweep.json"), "utf8")));

// Every command line listens for readers that went away.
for (const stream of [process.stdout, process.stderr]) stream.setMaxListeners(100);

let whole: Outcome;
beforeAll(() => void (whole = infernet(file, "--out", "whole", "--workers", "1")));

describe("sweep", () => {
  test("says what the points say within 80 columns, and writes a report with every run", async () => {
    expect(whole.status).toBe(0);
    expect(whole.stdout).toMatch(/^small: 6 points: every value of operators\.desk\.count \(3\) with every value of\nrouter\.policy \(2\); 3 runs at each, on the same random numbers at every point\.\n\n- P95 latency: lowest, /);
    expect(Math.max(...whole.stdout.split("\n").slice(0, -3).map((line) => [...line].length))).toBeLessThanOrEqual(80);
    expect([...files("whole").keys()]).toEqual(["index.html", "plots/effects.svg", "plots/sweep.svg", "points.csv", "runs.csv", "runs.parquet", "sweep.json", "sweep.md"]);
    const { points, runs, effects, best } = read("whole");
    expect(runs).toMatchObject({ played: 18, failed: 0 });
    expect(points).toHaveLength(6);
    expect(effects).toHaveLength(6);
    expect(best.map(({ metric }) => metric)).toEqual(["latency.p95", "revenue", "utilisation@desk"]);
    // What runs.parquet holds is what the report is made of.
    const means = await query(`select "operators.desk.count" as desks, "router.policy" as policy, avg("market.revenueMsat") as revenue, count(*) as n from '${join(folder, "whole/runs.parquet")}' group by all order by desks, policy`);
    expect(means.map(({ desks, policy, n }) => [desks, policy, Number(n)])).toEqual(points.map(({ factors }) => [...factors, 3]));
    for (const [i, { revenue }] of means.entries()) expect(revenue).toBeCloseTo(points[i]!.estimates[1]!.mean!, 6);
  });

  test("meets the same random numbers at every point, those of a run at the first", async () => {
    const seeds = await query(`select replication, count(distinct seed) as seeds, min(seed) as seed from '${join(folder, "whole/runs.csv")}' group by replication order by replication`);
    expect(seeds.map(({ seeds: distinct }) => Number(distinct))).toEqual([1, 1, 1]);
    expect(Number(seeds[0]!["seed"])).toBe(5);
    const [row] = await query(`select digest from '${join(folder, "whole/runs.csv")}' where run = 'point=3 replication=0'`);
    const { stdout } = infernetIn(folder, "run", file, "--json", "--quiet", "--set", "operators.desk.count=2", "--set", "router.policy=random");
    expect((JSON.parse(stdout) as { provenance: { resultsDigest: string } }).provenance.resultsDigest).toBe(row!["digest"]);
  });

  test.each(["2", "8"])("writes the same to the last byte with %s workers", (workers) => {
    expect(infernet(file, "--out", `workers-${workers}`, "--workers", workers, "--quiet")).toMatchObject({ status: 0, stdout: "", stderr: "" });
    expect(files(`workers-${workers}`)).toEqual(files("whole"));
  });

  test("that was interrupted reports the points that were over, and goes on to the same bytes", async () => {
    const journal = join(folder, "cut/runs.journal");
    const { child, outcome } = start(folder, "sweep", file, "--out", "cut", "--workers", "1");
    let over = false;
    void outcome.then(() => void (over = true));
    while (!over && (statSync(journal, { throwIfNoEntry: false })?.size ?? 0) < 20_000) await pause(2);
    child.kill("SIGINT");
    const { status, stderr } = await outcome;
    expect(status).toBe(130);
    expect(stderr).toMatch(/Interrupted after \d+ of 18 runs; the report covers what was played\.\n/);
    const { points, provenance, runs } = read("cut");
    expect(provenance.interrupted).toBe(true);
    expect(points.reduce((sum, point) => sum + point.runs, 0)).toBe(runs.played);
    expect(readFileSync(join(folder, "cut/runs.csv"), "utf8").trim().split("\n")).toHaveLength(1 + runs.played);
    expect(infernet(file, "--out", "cut", "--resume", "--quiet").status).toBe(0);
    expect(files("cut")).toEqual(files("whole"));
  });

  test("takes axes, their combination and metrics from the command line, and prints JSON and nothing else", () => {
    const { status, stdout, stderr } = infernet(file, "--json", "--quiet", "--replications", "1", "--axis", "operators.desk.count=1, 3", "--axis", "router.fee.share={from: 0, to: 0.1, steps: 2}", "--combine", "zip", "--metric", "paid", "--seed", "9", "--set", "horizon=1min");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const { axes, points, metrics, provenance, design } = sweepReport.parse(JSON.parse(stdout));
    expect(axes.map(({ name }) => name)).toEqual(["operators.desk.count", "router.fee.share"]);
    expect(points.map(({ factors }) => factors)).toEqual([[1, 0], [3, 0.1]]);
    expect(metrics.map(({ id }) => id)).toEqual(["paid"]);
    expect(provenance).toMatchObject({ seed: 9, sets: ["horizon=1min"] });
    expect(design).toMatchObject({ kind: "zip", replications: 1 });
  });

  test("plays Sobol points, every one in each arm", () => {
    const arms = join(folder, "arms.yaml");
    writeFileSync(arms, `${readFileSync(file, "utf8")}arms:\n  plain: {}\n  dear: {operators.desk.price.output: 300 sat/Mtok}\n`);
    const { design, points } = sweepReport.parse(JSON.parse(infernet(arms, "--arms", "--json", "--quiet", "--replications", "1", "--axis", "operators.desk.count={from: 1, to: 4}", "--combine", "sobol", "--points", "4", "--set", "horizon=30s").stdout));
    expect(design.arms).toEqual(["plain", "dear"]);
    expect(points.map(({ arm }) => arm)).toEqual(["plain", "plain", "plain", "plain", "dear", "dear", "dear", "dear"]);
    expect(points.slice(0, 4).map(({ factors }) => factors[0] as number).toSorted()).toEqual([1, 2, 3, 4]);
  });
});

describe("what is wrong is told, and nothing is played:", () => {
  test.each<[string, readonly string[], string]>([
    ["a scenario without a sweep", [market], "error: "],
    ["no word on how axes are combined", [file, "--axis", "operators.desk.count=1,2", "--axis", "router.attempts=1,2"], "error: --axis: found 2 axes, and not how they are combined; allowed: --combine product (every value with every other), --combine zip"],
    ["a misspelt path", [file, "--axis", "operators.desk.cuont=1,2"], 'error: --axis operators.desk.cuont: found the unknown key "cuont"'],
    ["a value that does not fit", [file, "--axis", "operators.desk.count=1,0"], "error: --axis operators.desk.count[1]: found 0; allowed: at least 1"],
    ["a range without steps", [file, "--axis", "operators.desk.count={from: 1, to: 2}"], "error: --axis operators.desk.count: found from and to without steps; allowed: steps as well"],
    ["points without a design", [file, "--points", "8"], "error: --points goes with --combine latin-hypercube or --combine sobol."],
    ["a design without points", [file, "--combine", "sobol"], "error: --combine sobol needs --points, such as --points 64."],
    ["an unknown metric", [file, "--metric", "proft"], 'error: --metric: found "proft"'],
    ["arms that are not there", [file, "--arms"], "error: "],
    ["the same axis twice", [file, "--axis", "router.attempts=1", "--axis", "router.attempts=2"], "error: option '--axis <path=values>' argument 'router.attempts=2' is invalid. There are two axes router.attempts; name each once, with all its values."],
    ["no list of values", [file, "--axis", "router.attempts=[1,"], "error: option '--axis <path=values>' argument 'router.attempts=[1,' is invalid."],
  ])("%s", async (_, args, message) => {
    const { status, stdout, stderr } = await here(...args, "--out", join(folder, "nothing"));
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr.slice(0, message.length)).toBe(message);
    expect(statSync(join(folder, "nothing"), { throwIfNoEntry: false })).toBeUndefined();
  });

  test("with file and line where it stands in the file", async () => {
    const broken = join(folder, "broken.yaml");
    writeFileSync(broken, readFileSync(file, "utf8").replace("[cheapest, random]", "[cheapest, dearest]"));
    const { status, stderr } = await here(broken);
    expect(status).toBe(2);
    const line = readFileSync(broken, "utf8").split("\n").findIndex((text) => text.includes("dearest")) + 1;
    expect(stderr).toContain(`${broken}:${line}:31: sweep.axes.router.policy[1]: found "dearest"; allowed: one of cheapest, `);
  });
});
