import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Resvg } from "@resvg/resvg-js";
import { afterAll, describe, expect, test } from "vitest";
import { experimentDigest } from "../../protocol/result/experiment.ts";
import { metricOfPath } from "../../protocol/result/metrics.ts";
import { REPLICATIONS_SCHEMA, REPLICATIONS_VERSION, replicationsReport } from "../../protocol/result/replications.ts";
import type { ReplicationsReport } from "../../protocol/result/replications.ts";
import { renderText } from "../markdown.ts";
import { formatEstimate, replicationsContent } from "./content.ts";
import { renderReplicationsPlots } from "./figures.ts";
import { ReplicationsFolder } from "./folder.ts";
import { REPLICATIONS_PLOTS, REPLICATIONS_TITLES } from "./titles.ts";

const folder = mkdtempSync(join(tmpdir(), "infernet-replications-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const interval = (low: number, high: number) => ({ confidence: 0.95, low, high });
const latency = { runs: 10, mean: 2e6, sd: 3e5, min: 1.6e6, max: 2.5e6, interval: interval(1.8e6, 2.2e6) };
const never = { runs: 0, mean: null, sd: null, min: null, max: null, interval: null };
const level = Array.from({ length: 20 }, (_, i) => 4 + Math.sin(i));
const results: Omit<ReplicationsReport, "provenance"> = {
  schema: REPLICATIONS_SCHEMA, schemaVersion: REPLICATIONS_VERSION,
  runs: { played: 11, failed: 1, failures: [{ name: "replication=3", seed: 77, error: "InvariantError: <broken> & told" }] },
  confidence: 0.95, horizonUs: 6e8, warmupUs: 6e7,
  warmup: { share: 0.1, found: { method: "MSER-5", pilots: 5, windowUs: 6e5, sufficient: false, series: [{ name: "inSystem", values: Array.from({ length: 1_000 }, (_, i) => i), cutUs: 6e7, sufficient: false }, { name: "perMtokMsat", values: new Array<null>(1_000).fill(null), cutUs: 0, sufficient: true }] } },
  until: {
    metric: metricOfPath("overall.latency.endToEndUs.mean"), halfWidth: 0.1, confidence: 0.95, atLeast: 5, atMost: 50, met: false,
    looks: [{ runs: 5, mean: 1.9e6, relativeHalfWidth: 0.3, met: false }, { runs: 10, mean: 2e6, relativeHalfWidth: 0.1, met: false }],
  },
  keyMetrics: [
    { metric: metricOfPath("overall.latency.endToEndUs.mean"), estimate: latency, values: [1.6e6, 2.5e6, null, 2e6], convergence: [1, 2, 5, 10].map((runs) => ({ runs, mean: 2e6, low: runs === 1 ? null : 2e6 - 1e6 / runs, high: runs === 1 ? null : 2e6 + 1e6 / runs })) },
    { metric: metricOfPath("market.profitMsat"), estimate: { ...latency, mean: -4_000, sd: 300, min: -5_000, max: -3_000, interval: interval(-4_400, -3_600) }, values: [-5_000, -3_000], convergence: [] },
  ],
  figures: { "overall.latency.endToEndUs.mean": latency, "clientClasses.a|b.goodput.share": { ...latency, mean: 0.5, interval: interval(0.4, 0.6) }, "overall.latency.tpotUs.p95": never, "endUs": { ...latency, sd: 0, interval: interval(2e6, 2e6) } },
  overTime: { windowUs: 3e7, windows: 20, series: [{ name: "inSystem", mean: level, low: level.map((x) => x - 1), high: level.map((x) => x + 1), least: level.map((x) => x - 3), most: level.map((x) => x + 3) }, { name: "latencyUs", mean: level.map(() => null), low: level.map(() => null), high: level.map(() => null), least: level.map(() => null), most: level.map(() => null) }, { name: "perMtokMsat", mean: level.map(() => 0), low: level.map(() => 0), high: level.map(() => 0), least: level.map(() => 0), most: level.map(() => 0) }] },
};
const report: ReplicationsReport = replicationsReport.parse({
  ...results,
  provenance: { lab: { name: "infernet-lab", version: "0" }, scenario: { name: "toy", question: "Is <this> known?", hash: "0".repeat(64), resolved: {} }, seed: 1, sets: [], interrupted: true, resultsDigest: experimentDigest(results) },
});

describe("a report of replications", () => {
  test("says what was played, how the rule went, and what failed", () => {
    const text = renderText(replicationsContent(report), REPLICATIONS_TITLES, "plots/");
    expect(text).toContain("Asked for: the mean latency known within 10 % at 95 % confidence. 10 runs were not enough: it is known within 11 %.");
    expect(text).toContain("1 run failed and has no part in the figures. The first: replication=3, seed 77: InvariantError: \\<broken\\> & told");
    expect(text).toContain("Interrupted: this rests on the runs that were over.");
    expect(text).toContain("| mean latency | 2 s | 1.8 to 2.2 s | ± 10 % | 1.6 s | 2.5 s |");
    expect(text).toContain("The first 1 min are left out of the statistics: 10 % of the jobs. That is where MSER-5 (White 1997) cuts the mean course of 5 runs");
    expect(text).toContain("Not every course settles in the first half of the run");
    expect(text).toContain("| jobs in the system | 1 min | not in the first half |");
    expect(text).toContain("Clients: a\\|b");
    expect(/NaN|undefined|Infinity/.exec(text)).toBeNull();
  });

  test("gives figures as exactly as they are known", () => {
    const { mean, interval: span, relative } = formatEstimate({ ...latency, mean: 1_234_567, interval: interval(1_200_000, 1_269_134) }, "us");
    expect([mean, span, relative]).toEqual(["1.23 s", "1.2 to 1.27 s", "± 2.8 %"]);
    expect(formatEstimate(never, "us")).toEqual({ mean: "–", interval: "–", relative: "–" });
    // Rounded once: 0.79745 is 79.7 %. Shares near 100 % as exactly as they are known.
    expect(formatEstimate({ ...latency, mean: 0.797_45, interval: interval(0.777_4, 0.817_4) }, "share").mean).toBe("79.7 %");
    expect(formatEstimate({ ...latency, mean: 0.999_95, interval: interval(0.999_88, 1.000_02) }, "share")).toEqual({ mean: "99.995 %", interval: "99.988 to 100.002 %", relative: "± 0.007 %" });
    expect(formatEstimate({ ...latency, interval: interval(2e6, 2e6) }, "us").interval).toBe("the same in every run");
  });

  test("has plots that are whole, also of a single run", () => {
    const single = { ...report, keyMetrics: report.keyMetrics.map((key) => ({ ...key, estimate: { ...key.estimate, interval: null, runs: 1 }, convergence: key.convergence.slice(0, 1) })), until: null };
    for (const of of [report, single]) {
      const plots = renderReplicationsPlots(of);
      for (const name of REPLICATIONS_PLOTS) {
        expect(/NaN|undefined|Infinity|\bnull\b/.exec(plots[name])?.[0]).toBeUndefined();
        expect(new Resvg(plots[name]).render().width).toBe(784);
      }
    }
    const plots = renderReplicationsPlots(report);
    expect(plots.intervals.match(/<circle/g)!.length).toBeGreaterThanOrEqual(5);
    // Prices that are always 0, and latencies of nobody, have no panel.
    expect(plots["over-time"].includes("Jobs in the system")).toBe(true);
    expect(plots["over-time"].includes("per million tokens")).toBe(false);
  });

  test("lies in a folder, all of it at once", () => {
    const path = join(folder, "out");
    const into = new ReplicationsFolder(path, "toy");
    into.addRun({ name: "replication=0", seed: 1, error: null, digest: "0".repeat(64), figures: { a: 1 } });
    into.addRun({ name: "replication=1", seed: 7, error: "Error: no luck", digest: null, figures: null });
    expect(readdirSync(path).filter((name) => !name.startsWith("."))).toEqual([]);
    into.finish(report);
    into.close();
    expect(readdirSync(path).sort()).toEqual(["index.html", "plots", "replications.json", "replications.md", "runs.csv", "runs.parquet"]);
    expect(readFileSync(join(path, "runs.csv"), "utf8")).toBe(`run,replication,seed,error,digest,a\nreplication=0,0,1,,${"0".repeat(64)},1\nreplication=1,1,7,Error: no luck,,\n`);
    expect(replicationsReport.parse(JSON.parse(readFileSync(join(path, "replications.json"), "utf8")))).toEqual(report);
    const html = readFileSync(join(path, "index.html"), "utf8");
    expect(html.includes("Is &lt;this&gt; known?")).toBe(true);
    expect(/<script|<link|<img|\bsrc=/.exec(html)).toBeNull();
  });

  test("given up, leaves nothing", () => {
    const path = join(folder, "given-up");
    const into = new ReplicationsFolder(path, "toy");
    into.addRun({ name: "replication=0", seed: 1, error: null, digest: null, figures: {} });
    into.close();
    expect(readdirSync(folder)).not.toContain("given-up");
  });
});
