import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { equilibriumReport } from "../protocol/result/equilibrium.ts";
import { searchReport } from "../protocol/result/search.ts";
import { contents, infernet as infernetIn, type Outcome, testFolder } from "./testing/process.ts";

const folder = testFolder("search");
const infernet = (...args: readonly string[]): Outcome => infernetIn(folder, ...args);
const files = (path: string): Map<string, string> => new Map(contents(join(folder, path)).filter((name) => !name.endsWith("/")).map((name) => [name, readFileSync(join(folder, path, name), "latin1")]));

/** Jobs worth 0 to 1,000 msat, a cost of 200, and two firms of which one is always dearer. */
const market = `name: line
question: Which fee earns most, and which price?
horizon: 40s
network: {latency: 0s, sameRegion: 0s, signing: 0, verifying: 0}
router: {policy: cheapest}
operators:
  - {name: firm, model: m, engine: {service-time: {service: 1ms, slots: 100}}, price: {fixed: 200 msat}, marginalCost: {fixed: 200 msat}}
  - {name: rival, model: m, engine: {service-time: {service: 1ms, slots: 100}}, price: {fixed: 900 msat}, marginalCost: {fixed: 800 msat}}
clients:
  - {name: users, model: m, arrivals: {poisson: {rate: 20/s}}, inputTokens: 1, outputTokens: 1, maxOutputTokens: 1, value: {uniform: {min: 0 msat, max: 1000 msat}}}
`;
const search = `search: {maximise: router.revenue, over: {router.fee.flat: [100 msat, 400 msat, 700 msat]}, indifference: 10 %, first: 4, fresh: 3}\n`;
const game = `equilibrium: {replications: 2, fresh: 3, players: {firm: {operators.firm.price.fixed: [300 msat, 600 msat]}, rival: {operators.rival.price.fixed: [850 msat, 950 msat]}}}\n`;
const file = join(folder, "market.yaml");
writeFileSync(file, market + search + game);

describe("search", () => {
  const one = infernet("search", file, "--out", "one", "--workers", "1");

  test("says which value is best and how sure that is, within 80 columns, and writes a report with every run", () => {
    expect(one.status).toBe(0);
    expect(one.stdout.replaceAll("\n", " ")).toMatch(/^The highest routers' revenue comes with router\.fee\.flat = 400 msat \(in steps of 300 msat\): [\d.]+ sat on average over 3 fresh runs/);
    expect(Math.max(...one.stdout.split("\n").slice(0, -3).map((line) => [...line].length))).toBeLessThanOrEqual(80);
    expect([...files("one").keys()]).toEqual(["index.html", "plots/race.svg", "plots/values.svg", "runs.csv", "runs.parquet", "search.json", "search.md"]);
    const report = searchReport.parse(JSON.parse(files("one").get("search.json")!));
    expect(report.alternatives[report.chosen!]!.name).toBe("400 msat");
    expect(files("one").get("runs.csv")!.trimEnd().split("\n")).toHaveLength(1 + report.runs.played);
    expect(report.runs).toMatchObject({ played: 3 + 12 + 9, failed: 0 });
  });

  test("shows the chosen value of a long list, and says how many it leaves out", () => {
    const { stdout } = infernet("search", file, "--out", "long", "--set", "search.over={router.fee.flat: {from: 40 msat, to: 600 msat, steps: 15}}", "--set", "search.indifference=30 %");
    const chosen = /flat = (\d+ msat)/.exec(stdout)![1]!;
    expect(stdout).toMatch(new RegExp(`^ +${chosen}  chosen`, "m"));
    expect(stdout.match(/^ +\d+ msat/gm)).toHaveLength(12);
    expect(stdout).toContain("... and 3 more in the report\n");
  });

  test("gives the same bytes for any number of workers, and --json prints the report", () => {
    expect(infernet("search", file, "--out", "two", "--workers", "2", "--quiet")).toMatchObject({ status: 0, stdout: "", stderr: "" });
    expect(files("two")).toEqual(files("one"));
    const { stdout } = infernet("search", file, "--json", "--quiet");
    expect(stdout).toBe(files("one").get("search.json"));
  });
});

test("equilibrium says who does what and how much anybody would still gain, and writes a report with every run", () => {
  const { status, stdout } = infernet("equilibrium", file, "--out", "game");
  expect(status).toBe(0);
  expect(stdout.replaceAll("\n", " ")).toMatch(/^The market settles: firm with price\.fixed = 600 msat; rival with price\.fixed = (850|950) msat\./);
  expect(stdout.replaceAll("\n", " ")).toMatch(/With 95 % confidence, nobody/);
  expect([...files("game").keys()]).toEqual(["equilibrium.json", "equilibrium.md", "index.html", "plots/deviations.svg", "plots/path.svg", "plots/regret.svg", "runs.csv", "runs.parquet"]);
  const report = equilibriumReport.parse(JSON.parse(files("game").get("equilibrium.json")!));
  expect(report.kind).toBe("pure");
  expect(files("game").get("runs.csv")!.trimEnd().split("\n")).toHaveLength(1 + report.runs.played);
});

test("what is missing or wrong is named, before anything is played", () => {
  writeFileSync(join(folder, "plain.yaml"), market);
  writeFileSync(join(folder, "wrong.yaml"), market + search.replace("700 msat", "700 s"));
  expect(infernet("search", "plain.yaml")).toMatchObject({ status: 2, stderr: expect.stringContaining("plain.yaml has no search: say under `search:` what is to be found") as string });
  expect(infernet("equilibrium", "plain.yaml")).toMatchObject({ status: 2, stderr: expect.stringContaining("plain.yaml has no equilibrium") as string });
  for (const command of ["search", "validate"]) expect(infernet(command, "wrong.yaml")).toMatchObject({ status: 2, stderr: expect.stringContaining('wrong.yaml:11:81: search.over.router.fee.flat[2]: found "700 s", a duration') as string });
});
