import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { comparisonReport } from "../protocol/result/comparison.ts";
import type { ComparisonReport } from "../protocol/result/comparison.ts";
import { experimentDigest } from "../protocol/result/experiment.ts";
import { main } from "./program.ts";
import { infernet as infernetIn, market, type Outcome, testFolder } from "./testing/process.ts";

const folder = testFolder("compare");
const infernet = (...args: readonly string[]): Outcome => infernetIn(folder, ...args);
const read = (...path: readonly string[]): ComparisonReport => comparisonReport.parse(JSON.parse(readFileSync(join(folder, ...path, "comparison.json"), "utf8")));
const at = (name: string): string => join(folder, name);
/** What a command says that has something to be put right; here and now, since a process of its own takes longer than it. */
const errorOf = async (...args: readonly string[]): Promise<string> => {
  const said: string[] = [];
  const stderr = vi.spyOn(process.stderr, "write").mockImplementation((text) => said.push(String(text)) > 0);
  const stdout = vi.spyOn(process.stdout, "write").mockImplementation(() => true);
  try {
    expect(await main(args)).toBe(2);
    expect(stdout).not.toHaveBeenCalled();
  } finally {
    stderr.mockRestore();
    stdout.mockRestore();
    process.exitCode = undefined;
  }
  return said.join("");
};

beforeAll(() => {
  const text = readFileSync(market, "utf8").replace("horizon: 10m", "horizon: 3m").replace("warmup: 1m", "warmup: 0s");
  writeFileSync(join(folder, "arms.yaml"), `${text}arms:
  one-desk: {operators.desk.count: 1}
  as-it-is: {}
  twin: {}
baseline: as-it-is
metrics: [latency.p95, goodput, "profit"]
`);
});

describe("compare FILE", () => {
  let first: Outcome;
  beforeAll(() => void (first = infernet("compare", "arms.yaml", "--replications", "4", "--workers", "2", "--out", "cmp")));

  test("says what differs, within 80 columns, and writes a report with every run", () => {
    expect(first.status).toBe(0);
    expect(Math.max(...first.stdout.split("\n").map((line) => [...line].length))).toBeLessThanOrEqual(80);
    expect(first.stdout).toContain("4 replications of each of 3 arms, all with the same random numbers.");
    expect(first.stdout).toContain("one-desk against as-it-is (operators.desk.count=1)");
    expect(first.stdout).toMatch(/^p95 latency +\S+ m?s +\+\d+ % \(\d+ to \d+\) +(worse|perhaps .*)$/m);
    expect(first.stdout).toContain(join("cmp", "index.html"));
    expect(readdirSync(join(folder, "cmp")).sort()).toEqual(["comparison.json", "comparison.md", "index.html", "plots", "runs.csv", "runs.parquet"]);
    const report = read("cmp");
    expect(report.differences.filter(({ arm }) => arm === "twin").map(({ verdict }) => verdict)).toEqual(["identical", "identical", "unknown"]);
    expect(report.absent).toEqual(["profit"]);
    const rows = readFileSync(join(folder, "cmp/runs.csv"), "utf8").trimEnd().split("\n").map((line) => line.split(","));
    expect(rows.map((row) => row.slice(0, 3).join())).toEqual(["run,arm,replication", ...[0, 1, 2, 3].flatMap((r) => ["one-desk", "as-it-is", "twin"].map((arm) => `arm=${arm} replication=${r},${arm},${r}`))]);
  });

  test("gives the same with any number of workers, and as JSON nothing but JSON", () => {
    const { status, stdout, stderr } = infernet("compare", "arms.yaml", "--replications", "4", "--workers", "1", "--json", "--quiet");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const report = comparisonReport.parse(JSON.parse(stdout));
    expect(report).toEqual(read("cmp"));
    expect(report.provenance.resultsDigest).toBe(experimentDigest(report));
  });

  test("plays until a difference is known, with another baseline, and compares all pairs", () => {
    infernet("compare", "arms.yaml", "--until", "latency.mean within 40 %", "--replications", "20", "--baseline", "twin", "--all-pairs", "--metric", "goodput", "--out", "until", "--quiet");
    const { baseline, differences, metrics, replications, notes } = read("until");
    expect([baseline, metrics.map(({ id }) => id)]).toEqual(["twin", ["latency.mean", "goodput"]]);
    expect(differences.map((one) => `${one.baseline} ${one.arm} ${one.metric}`)).toEqual(["twin one-desk", "twin as-it-is", "one-desk as-it-is"].flatMap((pair) => [`${pair} latency.mean`, `${pair} goodput`]));
    expect(replications).toBeGreaterThanOrEqual(10);
    expect(notes[0]).toMatch(/^(Played until|Stopped at the most) /);
  });

  test("says what is wrong with the arms, where they are", async () => {
    expect(await errorOf("compare", market)).toContain("has no arms: name variations of its market under `arms:`");
    writeFileSync(join(folder, "bad.yaml"), readFileSync(join(folder, "arms.yaml"), "utf8").replace("operators.desk.count: 1", "operators.desc.count: 1"));
    for (const command of ["compare", "validate"]) expect(await errorOf(command, at("bad.yaml"))).toMatch(/bad\.yaml:\d+:14: arms\.one-desk\.operators\.desc\.count: found no entry named "desc"; allowed: desk or dear.*did you mean "desk"\?/);
    expect(await errorOf("compare", at("arms.yaml"), "--baseline", "none")).toContain("allowed: one of the arms one-desk, as-it-is, twin");
    expect(await errorOf("compare", at("arms.yaml"), "--metric", "latncy.p95")).toContain('did you mean "latency.p95"?');
  });

  test("is what run and validate point to", () => {
    expect(infernet("run", "arms.yaml", "--out", "base").stdout).toContain("compare arms.yaml");
    expect(infernet("validate", "arms.yaml").stdout).toContain("arms: one-desk, as-it-is, twin");
  });
});

describe("compare DIR DIR", () => {
  beforeAll(() => {
    infernet("run", "arms.yaml", "--replications", "4", "--quiet", "--out", "base4");
    infernet("run", "arms.yaml", "--replications", "4", "--quiet", "--out", "few", "--set", "operators.desk.count=1");
  });

  test("of several runs each pairs them by seed: the same differences as between arms", () => {
    const { status, stdout } = infernet("compare", "base4", "few", "--metric", "latency.p95", "--metric", "goodput", "--out", "dirs");
    expect(status).toBe(0);
    expect(stdout).toContain("few: 4 seeds in common with the baseline, compared run by run.");
    const found = read("dirs").differences;
    const played = read("cmp").differences.filter(({ arm }) => arm === "one-desk");
    for (const [i, metric] of ["latency.p95", "goodput"].entries()) {
      expect(found[i]).toMatchObject({ metric, method: "paired", pairs: 4, difference: played[i]!.difference, interval: played[i]!.interval, pValue: played[i]!.pValue });
    }
    expect(readdirSync(join(folder, "dirs")).sort()).toEqual(["comparison.json", "comparison.md", "index.html", "plots"]);
  });

  test("takes a comparison's arms one by one, and a single run as an anecdote", () => {
    const { arms, baseline } = comparisonReport.parse(JSON.parse(infernet("compare", "few", "cmp", "--json").stdout));
    expect([baseline, arms.map(({ name }) => name)]).toEqual(["few", ["few", "cmp/one-desk", "cmp/as-it-is", "cmp/twin"]]);
    infernet("run", "arms.yaml", "--quiet", "--out", "lone", "--set", "operators.desk.count=2");
    infernet("run", "arms.yaml", "--quiet", "--out", "base");
    const { stdout } = infernet("compare", "base", "lone", "--metric", "latency.p95");
    expect(stdout).toMatch(/one run is an\s+anecdote/);
    expect(stdout).toContain(join("out/compare-base-lone", "index.html"));
  });

  test("says what is no report", async () => {
    mkdirSync(join(folder, "nothing"), { recursive: true });
    expect(await errorOf("compare", at("base4"), at("nothing"))).toContain(`there is no report in ${at("nothing")}`);
    expect(await errorOf("compare", at("base4"), at("arms.yaml"))).toContain(`${at("arms.yaml")} is no folder`);
    expect(await errorOf("compare", at("base4"))).toContain(`${at("base4")} is a folder`);
    expect(await errorOf("compare", at("base4"), at("dirs"))).toContain("holds a comparison of reports, and no runs");
    expect(await errorOf("compare", at("base4"), at("few"), "--seed", "3")).toContain("--seed is for playing a scenario's arms");
    mkdirSync(join(folder, "torn"), { recursive: true });
    writeFileSync(join(folder, "torn/report.json"), '{"schema":');
    expect(await errorOf("compare", at("base4"), at("torn"))).toMatch(/torn\/report\.json is not JSON/);
  });
});
