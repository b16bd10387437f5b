import { Resvg } from "@resvg/resvg-js";
import { describe, expect, test } from "vitest";
import type { RunReport } from "../protocol/result.ts";
import type { WarmupFinding } from "../protocol/result/precision.ts";
import { renderMarkdown } from "./markdown.ts";
import { renderHtml } from "./html.ts";
import { renderPlots } from "./plots/plots.ts";
import { halfWidthInWords } from "./precision.ts";
import { toy } from "./testing/reports.ts";

const section = (report: RunReport): string => renderMarkdown(report).split("## Warm-up and precision")[1]!.split("\n## ")[0]!;
const html = (report: RunReport): string => renderHtml(report, renderPlots(report));
const known = { figure: "overall.latency.endToEndUs.mean", mean: 2e6, halfWidth: 1e5, correlation: 0.1, trusted: true };
const intervals = (...figures: NonNullable<RunReport["intervals"]>["figures"]): RunReport => ({ ...toy, intervals: { method: "batch means", confidence: 0.95, batches: 20, figures } });

describe("the section on precision", () => {
  test("gives means with their intervals, by class; where parts are alike, the correlation alone", () => {
    const text = section(intervals(known, { figure: "operatorClasses.a b.utilisation", mean: 0.5, halfWidth: 0.3, correlation: 0.8, trusted: false }, { figure: "overall.prices.perJobMsat.mean", mean: 0, halfWidth: 0, correlation: 0, trusted: true }));
    expect(text).toContain("| mean latency | 2 s | 1.9 s to 2.1 s | ± 5 % | 0.10 |");
    expect(text).toContain("**Figures and their intervals, a b**");
    expect(text).toContain("| utilisation | 50 % | – | – | 0.80 |");
    expect(text).toContain("Of 1 figure neighbouring parts are alike beyond chance");
    // What is always the same is no news, but part of the whole.
    expect(text).not.toContain("price of a job");
    const page = html(intervals({ ...known, figure: "overall.prices.perJobMsat.mean", mean: 0, halfWidth: 0 }));
    expect(page).toContain("<summary>All 1 figures that have an interval, by their path in report.json</summary>");
    expect(page).toContain("overall.prices.perJobMsat.mean");
    expect(text).toContain("All 3 figures that have an interval, by their path in report.json: index.html has them.");
  });

  test("gives a quantile's interval as it is, and what has none with the reason", () => {
    const quantile = { figure: "overall.latency.endToEndUs.p95", mean: 10e6, halfWidth: 15e5, low: 9e6, high: 12e6, correlation: 0.2, trusted: true };
    const report = intervals(known, quantile);
    const whole: RunReport = { ...report, intervals: { ...report.intervals!, without: [{ why: "extreme", figures: ["overall.latency.endToEndUs.max"] }] } };
    expect(section(whole)).toContain("| p95 latency | 10 s | 9 s to 12 s | ± 15 % | 0.20 |");
    expect(html(whole)).toMatch(/<summary>Figures that have none: 1<\/summary>.*overall\.latency\.endToEndUs\.max<\/t[dh]><td[^>]*>the least or greatest value so far: it grows with the run/s);
  });

  test("says in a word what is known, and nothing of what is not", () => {
    expect(halfWidthInWords(intervals(known), known.figure)).toBe("± 5 %");
    expect(halfWidthInWords(intervals({ ...known, trusted: false }), known.figure)).toBeNull();
    expect(halfWidthInWords(toy, "no.such.figure")).toBeNull();
    expect(section({ ...toy, intervals: null })).toContain("The run is too short for confidence intervals of its own.");
  });

  test("says what was left out: as stated, or where pilots' courses were cut, with a plot", () => {
    expect(section({ ...toy, warmup: { jobs: 1_234, share: 0.1, found: null } })).toContain("The first 2 min, a time that the scenario states, are left out of the statistics: 1,234 jobs, 10 % of all.");
    const found: WarmupFinding = {
      method: "MSER-5", pilots: 5, windowUs: 1.2e6, sufficient: false,
      series: [{ name: "inSystem", values: Array.from({ length: 1_000 }, (_, i) => i % 3 === 0 ? null : 1 - Math.exp(-i / 50)), cutUs: 12e7, sufficient: true }, { name: "latencyUs", values: Array.from({ length: 1_000 }, (_, i) => i), cutUs: 6e7, sufficient: false }],
    };
    const report: RunReport = { ...toy, warmup: { jobs: 1, share: 0.1, found } };
    const text = section(report);
    expect(text).toContain("The first 2 min are left out of the statistics: 1 job, 10 % of all. That is where MSER-5 (White 1997) cuts the mean course of 5 runs with other random numbers, in steps of 1.2 s");
    expect(text).toContain("Not every course settles in the first half");
    expect(text).toContain("| mean latency of the jobs submitted then | 1 min | not in the first half |");
    expect(text).toContain("](plots/warmup.svg)");
    const { warmup } = renderPlots(report);
    expect(/NaN|undefined|Infinity|\bnull\b/.exec(warmup)?.[0]).toBeUndefined();
    expect(new Resvg(warmup).render().width).toBe(784);
    expect(warmup.split("stroke-dasharray").length - 1).toBeGreaterThanOrEqual(2);
    expect(section({ ...report, warmupUs: 0 })).toContain("Nothing had to be left out of the statistics at the start. That is where");
    expect(section({ ...toy, warmupUs: 0, warmup: { jobs: 0, share: 0, found: null } })).not.toContain("left out");
  });
});
