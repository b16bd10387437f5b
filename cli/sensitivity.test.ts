import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { sensitivityReport } from "../protocol/result/sensitivity.ts";
import type { SensitivityReport } from "../protocol/result/sensitivity.ts";
import { contents, infernet as infernetIn, market, type Outcome, start, testFolder } from "./testing/process.ts";

const folder = testFolder("sensitivity");
const infernet = (...args: readonly string[]): Outcome => infernetIn(folder, "sensitivity", ...args);
const read = (...path: readonly string[]): SensitivityReport => sensitivityReport.parse(JSON.parse(readFileSync(join(folder, ...path, "sensitivity.json"), "utf8")));
const bytes = (...path: readonly string[]): string => readFileSync(join(folder, ...path), "utf8");

const section = `
sensitivity:
  method: {sobol: {points: 4}}
  metrics: [utilisation@desk, latency.p95]
  factors:
    - {name: demand, path: clients.chat.arrivals.poisson.rate, from: 0.5/s, to: 2/s, scale: log}
    - {name: machines, path: operators.desk.count, from: 1, to: 4}
`;
const sobol = "market.yaml";
beforeAll(() => {
  const text = readFileSync(market, "utf8");
  writeFileSync(join(folder, sobol), text + section);
  writeFileSync(join(folder, "plain.yaml"), text);
  writeFileSync(join(folder, "typo.yaml"), text + section.replace("poisson.rate", "poisson.rat"));
  writeFileSync(join(folder, "far.yaml"), text + section.replace("from: 1, to: 4", "from: 0, to: 4"));
});

describe("a study that the scenario states", () => {
  let first: Outcome;
  beforeAll(() => void (first = infernet(sobol, "--workers", "1")));

  test("answers in a sentence and a table within 80 columns, and writes a report with a row per run", () => {
    expect({ status: first.status, stderr: first.stderr.replaceAll(/^\d+ % \|.*\n/gm, "") }).toEqual({ status: 0, stderr: "" });
    expect(first.stdout).toMatch(/^small: 2 factors, 16 runs \(Sobol' indices from 4 points\)\n\n(Demand|Machines) explains \d+ % \(\d+ to \d+\) of the variance of utilisation of desk/);
    expect(Math.max(...first.stdout.split("\n").map((line) => [...line].length))).toBeLessThanOrEqual(80);
    const out = join(folder, "out/sensitivity-small");
    expect(first.stdout).toContain(join("out/sensitivity-small", "index.html"));
    expect(contents(out)).toEqual(["index.html", "plots/", "plots/importance.svg", "runs.csv", "runs.parquet", "sensitivity.json", "sensitivity.md"]);
    const report = read("out/sensitivity-small");
    expect(report.runs).toEqual({ played: 16, failed: 0, failures: [] });
    expect(report.metrics.map(({ metric, blocks }) => [metric.id, blocks.used])).toEqual([["utilisation@desk", 4], ["latency.p95", 4]]);
    expect(bytes("out/sensitivity-small/runs.csv").split("\n")[0]).toMatch(/^run,demand \(\/s\),machines,replication,seed,error,digest,/);
    expect(bytes("out/sensitivity-small/runs.csv").trim().split("\n")).toHaveLength(17);
  });

  test.each(["2", "8"])("gives the same bytes on %s workers", (workers) => {
    expect(infernet(sobol, "--workers", workers, "--out", `on-${workers}`, "--quiet")).toMatchObject({ status: 0, stdout: "", stderr: "" });
    for (const file of ["sensitivity.json", "runs.csv", "index.html", "sensitivity.md"]) expect(bytes(`on-${workers}`, file) === bytes("out/sensitivity-small", file), file).toBe(true);
  });

  test("prints JSON and nothing but JSON", () => {
    const { status, stdout, stderr } = infernet(sobol, "--json", "--quiet");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(sensitivityReport.parse(JSON.parse(stdout))).toEqual(read("out/sensitivity-small"));
  });

  test("yields to flags: another method, fewer points, other figures, a seed", () => {
    infernet(sobol, "--method", "morris", "--points", "3", "--metric", "goodput", "--replications", "2", "--seed", "9", "--out", "flags", "--quiet");
    const report = read("flags");
    expect(report).toMatchObject({ method: { kind: "morris", trajectories: 3, levels: 4 }, replications: 2, points: 9, runs: { played: 18 } });
    expect(report.metrics.map(({ metric }) => metric.id)).toEqual(["goodput"]);
    expect(report.metrics[0]!.chance).not.toBe(null);
    expect(report.provenance).toMatchObject({ seed: 9, sets: ['sensitivity.metrics=["goodput"]', "sensitivity.method={morris: {trajectories: 3}}"] });
    expect(contents(join(folder, "flags"))).toContain("plots/plane.svg");
  });
});

test("factors of the command line: a name, a unit for both ends, several paths, log", () => {
  const { status, stderr } = infernet("plain.yaml", "--method", "tornado", "--replications", "2", "--metric", "profit", "--metric", "latency.mean", "--factor", "demand: clients.chat.arrivals.poisson.rate=0.5..2/s log", "--factor", "network.latency, network.sameRegion = 1ms..50ms", "--factor", "operators.desk.count=1..4", "--out", "given", "--quiet");
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  const report = read("given");
  expect(report.factors).toEqual([
    { name: "demand", moves: [{ path: "clients.chat.arrivals.poisson.rate", from: "0.5/s", to: "2/s", scale: "log" }] },
    { name: "network.latency, network.sameRegion", moves: [{ path: "network.latency", from: "1 ms", to: "50 ms", scale: "linear" }, { path: "network.sameRegion", from: "1 ms", to: "50 ms", scale: "linear" }] },
    { name: "operators.desk.count", moves: [{ path: "operators.desk.count", from: "1", to: "4", scale: "linear" }] },
  ]);
  expect(report.metrics.map(({ metric, mean }) => [metric.id, mean === null])).toEqual([["profit", true], ["latency.mean", false]]);
  expect(report.metrics[0]!.headline).toBe("Nothing can be said of operators' profit: no block of runs has it throughout.");
});

test("a run that fails is told with what plays it alone, and takes its block with it", () => {
  // Half a millisecond less than the horizon is the longest warm-up.
  const { status, stderr } = infernet("plain.yaml", "--method", "morris", "--points", "4", "--metric", "latency.mean", "--factor", "warmup=0min..9min", "--factor", "horizon=8min..20min", "--out", "failing", "--quiet");
  const report = read("failing");
  expect(status).toBe(0);
  expect(report.runs.failed).toBeGreaterThan(0);
  expect(report.metrics[0]!.blocks.dropped).toBeGreaterThan(0);
  expect(report.metrics[0]!.blocks.used + report.metrics[0]!.blocks.dropped).toBe(4);
  expect(stderr).toMatch(/ failed, and (?:has|have) no part in the results:\n {2}block=\d point=\d replication=0, seed 5: ScenarioError: /);
  expect(stderr).toMatch(/run plain\.yaml --seed 5 --set/);
});

test("Ctrl-C keeps what was played, and --resume goes on to the same bytes", async () => {
  const args = ["sensitivity", "plain.yaml", "--method", "morris", "--points", "40", "--metric", "latency.mean", "--factor", "operators.desk.count=1..4", "--factor", "clients.chat.arrivals.poisson.rate=1/s..2/s", "--workers", "2"] as const;
  const { child, outcome } = start(folder, ...args, "--out", "cut");
  let said = "";
  let sent = false;
  child.stderr.on("data", (text: string) => {
    said += text;
    if (!sent && /^[1-9]\d* %/m.test(said)) {
      sent = true;
      child.kill("SIGINT");
    }
  });
  const { status, stderr } = await outcome;
  expect(status).toBe(130);
  expect(stderr).toMatch(/Interrupted after \d+ of 120 runs/);
  if (existsSync(join(folder, "cut/sensitivity.json"))) expect(read("cut").provenance.interrupted).toBe(true);
  expect(infernetIn(folder, ...args, "--out", "cut", "--resume", "--quiet").status).toBe(0);
  expect(infernetIn(folder, ...args, "--out", "uncut", "--quiet").status).toBe(0);
  for (const file of ["sensitivity.json", "runs.csv"]) expect(bytes("cut", file) === bytes("uncut", file), file).toBe(true);
  expect(contents(join(folder, "cut"))).not.toContain("runs.journal");
});

describe("what the user can put right ends with exit code 2, one message, and no trace of it", () => {
  const one = ["--factor", "operators.desk.count=1..4"] as const;
  test.each<readonly [string, readonly string[], RegExp]>([
    ["nothing to vary", ["plain.yaml"], /^error: plain\.yaml does not say what to vary: add a section `sensitivity` with `factors`, or name some with --factor path=from\.\.to\.\n$/],
    ["a factor without a range", ["plain.yaml", "--factor", "operators.desk.count=4"], /^error: option '--factor <path=from\.\.to>' argument 'operators\.desk\.count=4' is invalid\. Allowed: path=from\.\.to, such as /],
    ["a path that leads nowhere", ["plain.yaml", ...one, "--factor", "operators.dest.count=1..4"], /^error: --factor operators\.dest\.count=1\.\.4: found no entry named "dest"; allowed: desk or dear, or an index such as \[0\]; did you mean "desk"\?\n$/],
    ["ends the wrong way round", ["plain.yaml", "--factor", "operators.desk.count=4..1"], /^error: --factor operators\.desk\.count=4\.\.1: found 1; allowed: more than 4\n$/],
    ["a figure that is none", ["plain.yaml", ...one, "--metric", "latency.p59"], /^error: --metric latency\.p59: found "latency\.p59"; allowed: .*; did you mean "latency\.p50"\?\n$/],
    ["a value that the field does not take", ["plain.yaml", "--factor", "operators.desk.count=0..4"], /^--set operators\.desk\.count=0:1:\d+: operators\[0\]\.count: found 0; allowed: /],
    ["points of a tornado", ["plain.yaml", ...one, "--method", "tornado", "--points", "9"], /^error: --points: a tornado has none; --replications makes its intervals narrower\.\n$/],
    ["a misspelt path in the file", ["typo.yaml"], /^typo\.yaml:\d+:\d+: sensitivity\.factors\[0\]\.path: found the unknown key "rat"; allowed: the keys rate; did you mean "rate"\?\n/],
    ["an end in the file that the field does not take", ["far.yaml"], /^far\.yaml:\d+:\d+: sensitivity\.factors\[1\]\.from: found 0; allowed: /],
  ])("%s", (_, args, message) => {
    const { status, stdout, stderr } = infernet(...args, "--out", "mistaken");
    expect(stderr).toMatch(message);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(existsSync(join(folder, "mistaken"))).toBe(false);
  });

  test("validate finds them too", () => {
    expect(infernetIn(folder, "validate", sobol).stdout).toMatch(/sensitivity: 2 factors, 16 runs/);
    for (const file of ["typo.yaml", "far.yaml"]) {
      const { status, stderr } = infernetIn(folder, "validate", file);
      expect(status).toBe(2);
      expect(stderr).toMatch(new RegExp(`^${file.replace(".", "\\.")}:\\d+:\\d+: sensitivity\\.factors`));
    }
  });
});
