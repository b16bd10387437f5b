import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { beforeAll, describe, expect, test } from "vitest";
import { resultsDigest, runReport } from "../protocol/result.ts";
import type { RunReport } from "../protocol/result.ts";
import { runScenario } from "../sim/experiment/run.ts";
import { loadScenario } from "../sim/scenario/load.ts";
import { buildProgram } from "./program.ts";
import { infernet as infernetIn, main, market, type Outcome, testFolder } from "./testing/process.ts";

const folder = testFolder("cli");
const infernet = (...args: readonly string[]): Outcome => infernetIn(folder, ...args);

const readReport = (...path: readonly string[]): RunReport => runReport.parse(JSON.parse(readFileSync(join(folder, ...path, "report.json"), "utf8")));

describe("run", () => {
  test("--json prints the report and nothing else, and writes no files; progress goes to stderr", () => {
    const { status, stdout, stderr } = infernet("run", market, "--json");
    expect(status).toBe(0);
    const report = runReport.parse(JSON.parse(stdout));
    expect(report.provenance.resultsDigest).toBe(resultsDigest(report));
    expect(stderr).toMatch(/^\d+ % \| .* simulated \| .* jobs\n/);
    expect(existsSync(join(folder, "out"))).toBe(false);
  });

  test("played in slices, the results are those of a run in one piece", () => {
    infernet("run", market, "--out", "sliced", "--quiet");
    const whole = runScenario(loadScenario(readFileSync(market), market).scenario);
    expect(readReport("sliced").provenance.resultsDigest).toBe(whole.provenance.resultsDigest);
  });

  test("--quiet says nothing; the default folder carries the scenario's name", () => {
    expect(infernet("run", market, "--quiet")).toMatchObject({ status: 0, stdout: "", stderr: "" });
    expect(readReport("out/small").provenance.scenario.name).toBe("small");
  });

  test("the summary says what happened, where the report is and what to try next", () => {
    const { stdout } = infernet("run", market, "--out", "summary");
    expect(stdout).toContain("Does the command line do what it says?");
    expect(stdout).toMatch(/^jobs submitted +541$/m);
    expect(stdout).toContain(join("summary", "index.html"));
    const [, command] = /(explain \S+ --report summary)/.exec(stdout) ?? [];
    expect(infernet(...command!.split(" ")).status).toBe(0);
  });

  test("--seed and --set take effect, and the report says so", () => {
    infernet("run", market, "--out", "other", "--quiet", "--seed", "9", "--set", "router.policy=cheapest", "--set", "operators.desk.count=2");
    const { provenance, nodes } = readReport("other");
    expect(provenance).toMatchObject({ seed: 9, sets: ["router.policy=cheapest", "operators.desk.count=2"] });
    expect(nodes).toHaveLength(3);
  });

  test("a reader that goes away is no error", () => {
    const shell = `${JSON.stringify(process.execPath)} ${JSON.stringify(main)} run ${JSON.stringify(market)} --json --quiet | head -c 10`;
    const { stderr, stdout } = spawnSync("sh", ["-c", shell], { encoding: "utf8" });
    expect(stdout).toHaveLength(10);
    expect(stderr).toBe("");
  });
});

describe("explain", () => {
  beforeAll(() => void infernet("run", market, "--out", "explained", "--quiet"));

  test("tells the timeline and the decision of a served job", () => {
    const { status, stdout } = infernet("explain", "chat-100", "--report", "explained");
    expect(status).toBe(0);
    const node = /^chat-100 was served by (\S+), one of 4 nodes\./.exec(stdout)![1]!;
    expect(stdout).toMatch(new RegExp(`^-> +${node} `, "m"));
    expect(stdout).toMatch(/submitted by a chat client/);
    expect(stdout).toMatch(/Excluded: 1 of 4 nodes\n {2}too-dear: 1\n {4}dear: /);
  });

  test("the parts of the chosen node's score sum to it", () => {
    const { stdout } = infernet("explain", "chat-100", "--report", "explained");
    const chosen = stdout.split("\n").find((line) => line.startsWith("->"))!;
    const [score, ...parts] = [...chosen.matchAll(/(\d+\.\d{4})/g)].map(([, value]) => Number(value));
    expect(parts.length).toBeGreaterThan(1);
    expect(Math.abs(score! - parts.reduce((sum, part) => sum + part, 0))).toBeLessThan(1e-4 * parts.length);
  });

  test("an unknown job, a broken report and one of another version are the user's affair", () => {
    expect(infernet("explain", "chat-999999", "--report", "explained", "--quiet")).toMatchObject({ status: 2, stderr: expect.stringContaining("the run has no job chat-999999") });
    writeFileSync(join(folder, "report.json"), "{");
    expect(infernet("explain", "chat-1", "--report", folder)).toMatchObject({ status: 2, stderr: expect.stringContaining("is not JSON") });
    const report = readReport("explained");
    const old = { ...report, provenance: { ...report.provenance, lab: { ...report.provenance.lab, version: "0.0.1" } } };
    writeFileSync(join(folder, "report.json"), JSON.stringify(old));
    expect(infernet("explain", "chat-1", "--report", folder)).toMatchObject({ status: 2, stderr: expect.stringContaining("was made by version 0.0.1") });
  });
});

describe("help", () => {
  const commands = (command: Command): Command[] => [command, ...command.commands.flatMap(commands)];

  test("of every command has an example", () => {
    for (const command of commands(buildProgram())) {
      let text = "";
      command.configureOutput({ writeOut: (part) => void (text += part) });
      command.outputHelp();
      expect(text, command.name()).toMatch(/Examples?:\n +\$ infernet /);
    }
  });

  test("--version is the package's", () => {
    const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { version: string };
    expect(execFileSync(process.execPath, [main, "--version"], { encoding: "utf8" })).toBe(`${version}\n`);
  });
});
