import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { viabilityReport } from "../protocol/result/viability.ts";
import type { ViabilityReport } from "../protocol/result/viability.ts";
import { contents, infernet as infernetIn, type Outcome, start, testFolder } from "./testing/process.ts";

const folder = testFolder("viability");
const infernet = (...args: readonly string[]): Outcome => infernetIn(folder, "viability", ...args);
/** A market of one machine that nobody pays, and a job every 5 s. */
const market = fileURLToPath(new URL("../sim/experiment/viability/testing/market.yaml", import.meta.url));
/** Prices at which the new machine gets every job. */
const asked = ["--scenario", market, "--price-input", "100 sat/Mtok", "--price-output", "1000 sat/Mtok"] as const;
const read = (...path: readonly string[]): ViabilityReport => viabilityReport.parse(JSON.parse(readFileSync(join(folder, ...path, "viability.json"), "utf8")));

const files = ["prices.svg", "profit.svg", "tornado.svg", "viability.html", "viability.json", "viability.md"];

describe("viability", () => {
  let first: Outcome;
  beforeAll(() => void (first = infernet(...asked, "--machine", "RTX 4090", "--replications", "2", "--workers", "1")));

  test("answers first, within 80 columns, and writes a report", () => {
    expect(first.status).toBe(0);
    expect(first.stdout.replaceAll("\n", " ")).toMatch(/^Yes: llama-3\.1-8b:q4_k_m on RTX 4090 would earn about 55\.52 USD a month, its purchase counted, and pay for itself after 18\.6 months\. {2}2 replications of 0\.333 h /);
    expect(Math.max(...first.stdout.split("\n").map((line) => [...line].length))).toBeLessThanOrEqual(80);
    expect(first.stdout).toContain(join("out/viability-rtx-4090", "viability.html"));
    expect(first.stderr).toMatch(/^\d+ % \| [a-z ]+\n/);
    expect(contents(join(folder, "out/viability-rtx-4090"))).toEqual(files);
    expect(read("out/viability-rtx-4090").replications).toHaveLength(2);
  });

  test("gives the same with any number of threads, and as JSON nothing but JSON", () => {
    const { status, stdout, stderr } = infernet(...asked, "--machine", "RTX 4090", "--replications", "2", "--workers", "3", "--json", "--quiet");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(viabilityReport.parse(JSON.parse(stdout))).toEqual(read("out/viability-rtx-4090"));
  });

  test("takes a file of measured speeds, and flags", () => {
    writeFileSync(join(folder, "mine.yaml"), "name: Mine\nmemory: 24 GB\npower: {idle: 10 W, load: 100 W}\nmodel: llama-3.1-8b:q4_k_m\nprefill: [{tokens: 512, tokensPerS: 3000}]\ndecode: [{batch: 1, tokensPerS: 90}]\n");
    infernet(...asked, "--machine", "mine.yaml", "--replications", "1", "--electricity", "0.5", "--seed", "9", "--set", "horizon=20min", "--out", "mine", "--quiet");
    const { machine, assumptions, provenance } = read("mine");
    expect(machine).toMatchObject({ name: "Mine", measured: true });
    expect(assumptions.find(({ id }) => id === "electricity")).toMatchObject({ value: 0.5, given: true });
    expect(provenance).toMatchObject({ seed: 9, sets: ["horizon=20min"] });
  });

  test("leaves an earlier report as it was where it is not told to write", () => {
    const before = readFileSync(join(folder, "out/viability-rtx-4090/viability.json"), "utf8");
    expect(infernet(...asked, "--machine", "RTX 4090", "--replications", "0").status).toBe(2);
    expect(readFileSync(join(folder, "out/viability-rtx-4090/viability.json"), "utf8")).toBe(before);
  });
});

describe("Ctrl-C", () => {
  const stopped = async (out: string, after: RegExp, ...args: readonly string[]): Promise<Outcome> => {
    const { child, outcome } = start(folder, "viability", ...asked, "--machine", "RTX 4090", "--out", out, ...args);
    let said = "";
    let sent = false;
    child.stderr.on("data", (text: string) => {
      said += text;
      if (!sent && after.test(said)) {
        sent = true;
        child.kill("SIGINT");
      }
    });
    return outcome;
  };

  test("keeps the replications that are over", async () => {
    const { status, stdout, stderr } = await stopped("cut", /\d %/, "--replications", "3000", "--workers", "2");
    expect(status).toBe(130);
    const report = read("cut");
    expect(report.provenance.interrupted).toBe(true);
    expect(report.replications.length).toBeGreaterThan(0);
    expect(report.replications.length).toBeLessThan(3_000);
    expect(stderr).toContain(`Interrupted after ${report.replications.length} of 3000 replications; the report covers what was played.\n`);
    expect(stdout).toMatch(/^Yes: /);
    expect(contents(join(folder, "cut"))).toEqual(files);
    expect(readFileSync(join(folder, "cut/viability.html"), "utf8")).toContain("The study was interrupted");
  });
});

describe("what the user can put right ends with exit code 2, one message, and no trace of it", () => {
  const cases: readonly (readonly [string, readonly string[], RegExp])[] = [
    ["no machine", [], /^error: required option '--machine <name>' not specified\n/],
    ["an unknown machine", ["--machine", "RTX 409O"], /^error: --machine: there is no machine "RTX 409O" in the catalogue; did you mean RTX 4090, RTX 3090 or RTX 5090\? A file with measured speeds does as well\.\n$/],
    ["a file that is not there", ["--machine", "nowhere.yaml"], /^error: --machine: there is no file nowhere\.yaml\.\n$/],
    ["a broken profile", ["--machine", "broken.yaml"], /^broken\.yaml:1:1: memory: found nothing; allowed: a size of memory.*\n$/],
    ["a scenario that is not there", ["--machine", "RTX 4090", "--scenario", "quikstart"], /^error: there is no file quikstart; did you mean quickstart\?.*\n$/],
    ["a model that does not fit", ["--machine", "RTX 3060", "--model", "llama-3.3-70b"], /^error: llama-3\.3-70b:q4_k_m does not fit: .*RTX 3060 12GB leaves .*\n$/],
    ["no replication", ["--machine", "RTX 4090", "--replications", "0"], /^error: option '--replications <number>' argument '0' is invalid\. Allowed: a whole number from 1 to 10000\.\n/],
    ["a wrong unit", ["--machine", "RTX 4090", "--electricity", "5 USD/h"], /^error: --electricity: found "5 USD\/h"; allowed: prices such as 0\.20 USD\/kWh.*\n$/],
    ["a file where the report should go", ["--machine", "RTX 4090", "--out", "a-file"], /^error: a-file is a file; a report needs a folder\.\n$/],
    ["a folder in the report's way", ["--machine", "RTX 4090", "--out", "taken"], /^error: taken\/viability\.json is a folder; the report's viability\.json belongs there\.\n$/],
    ["a trace that is not there", ["--machine", "RTX 4090", "--set", "clients.chat.trace=nowhere.csv", "--out", "new"], /nowhere\.csv", which is not there/],
    ["a trace that breaks while it is played", ["--machine", "RTX 4090", "--set", "clients.chat.trace=odd.csv", "--out", "new"], /^odd\.csv:1: found "when,how much"/],
  ];
  let before: string[] = [];
  beforeAll(() => {
    writeFileSync(join(folder, "broken.yaml"), "name: Mine\n");
    writeFileSync(join(folder, "odd.csv"), "when,how much\n1,2\n");
    writeFileSync(join(folder, "a-file"), "");
    mkdirSync(join(folder, "taken/viability.json"), { recursive: true });
    before = contents(folder);
  });

  test.each(cases)("%s", async (_, args, message) => {
    const { status, stdout, stderr } = await start(folder, "viability", ...args).outcome;
    expect(stderr).toMatch(message);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
  });

  test("all these left the folder as it was", () => {
    expect(contents(folder)).toEqual(before);
    expect(existsSync(join(folder, "new"))).toBe(false);
  });
});
