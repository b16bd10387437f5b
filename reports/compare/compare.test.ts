import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Resvg } from "@resvg/resvg-js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { changeWords } from "../../protocol/result/comparison-words.ts";
import { comparisonReport } from "../../protocol/result/comparison.ts";
import type { ComparisonReport } from "../../protocol/result/comparison.ts";
import { renderPage } from "../html.ts";
import { renderText } from "../markdown.ts";
import { comparisonContent } from "./content.ts";
import { renderComparisonPlot } from "./figures.ts";
import { ComparisonFolder } from "./folder.ts";
import { COMPARISON_PLOTS, COMPARISON_TITLES, type ComparisonPlotName, plotOf, plotsOf } from "./titles.ts";

/** Four arms, ten figures, every verdict but that of an anecdote. */
const toy = comparisonReport.parse(JSON.parse(readFileSync(new URL("../fixtures/comparison.json", import.meta.url), "utf8")));

/** The same as if each arm had been played once. */
const anecdote: ComparisonReport = {
  ...toy,
  differences: toy.differences.map((one) => ({ ...one, pairs: Math.min(1, one.pairs), interval: null, relative: one.relative === null ? null : { ...one.relative, low: null, high: null }, pValue: null, adjustedPValue: null, correlation: null, varianceRatio: null, verdict: one.difference === null ? "unknown" : "anecdote" })),
};
/** Nothing that any run has. */
const empty: ComparisonReport = { ...toy, metrics: [], values: [], differences: [], findings: [], absent: toy.metrics.map(({ id }) => id) };
const all = [{ name: "four arms", report: toy }, { name: "one run each", report: anecdote }, { name: "no figures", report: empty }];
const plotsIn = (report: ComparisonReport): Record<ComparisonPlotName, string> => Object.fromEntries(COMPARISON_PLOTS.map((name) => [name, renderComparisonPlot(report, name)])) as Record<ComparisonPlotName, string>;

test("the fixture has what there is to show", () => {
  expect(new Set(toy.differences.map(({ verdict }) => verdict))).toEqual(new Set(["better", "worse", "changed", "perhaps", "none found", "identical", "unknown"]));
  expect(plotsOf(toy.metrics)).toEqual(COMPARISON_PLOTS);
});

test("each metric belongs to one question", () => {
  expect(["overall.latency.endToEndUs.p95", "overall.goodput.share", "market.profitMsat", "welfare.shareReached", "checks.little.meanInSystem", "overall.jobs.completed", "overall.prices.perMtokMsat.mean"].map((path) =>
    plotOf({ path, unit: /Us/.test(path) ? "us" : /perMtok/.test(path) ? "msatPerMtok" : /Msat/.test(path) ? "msat" : "number" }))).toEqual(["latency", "served", "money", "gain", "other", "served", "money"]);
});

test("a change has the digits that its interval allows, and no sign where nothing is left of it", () => {
  const words = (value: number, low: number, high: number): string =>
    changeWords({ baselineMean: 1, armMean: 1 + value, difference: value, interval: { confidence: 0.95, low, high }, relative: { value, low, high } }, { unit: "perS" });
  expect(words(-0.18, -0.22, -0.14)).toBe("-18 % (-22 to -14)");
  expect(words(0.004, -0.008, 0.016)).toBe("+0.4 % (-0.8 to 1.6)");
  expect(words(-0.0004, -0.06, 0.06)).toBe("0 % (-6 to 6)");
});

describe("plots", () => {
  test.each(all)("of $name are whole: well-formed, finite, with their title inside", ({ report }) => {
    for (const name of COMPARISON_PLOTS) {
      const svg = renderComparisonPlot(report, name);
      expect(/NaN|undefined|Infinity|\bnull\b/.exec(svg)?.[0]).toBeUndefined();
      expect(svg).toContain(`>${COMPARISON_TITLES[name]}</text>`);
      expect(/<style|<script|<image|href=|url\(/.exec(svg)?.[0]).toBeUndefined();
      expect(new Resvg(svg).render().width).toBe(784);
    }
  });

  test("show what the report says: a dot for each known difference, its interval in words, arms by name", () => {
    for (const name of COMPARISON_PLOTS) {
      const svg = renderComparisonPlot(toy, name);
      const own = toy.metrics.filter((metric) => plotOf(metric) === name);
      const known = toy.differences.filter(({ metric, difference }) => difference !== null && own.some(({ id }) => id === metric));
      // The legend has dots of its own.
      const legend = svg.match(/<circle cx="\d+" cy="\d+" r="5"/g)!.length;
      expect(svg.match(/<circle/g)!.length - legend, name).toBe(known.length);
      for (const one of known) expect(svg).toContain(`>${changeWords(one, own.find(({ id }) => id === one.metric)!)}</text>`);
      expect(svg).toContain(">cheapest-node</text>");
    }
  });

  test("have ticks that say where they stand, and a single one where nothing differs", () => {
    const share = toy.metrics.find(({ unit }) => unit === "share")!;
    const base = toy.differences.find(({ metric, difference }) => metric === share.id && difference !== null)!;
    const ticksOf = (low: number, high: number): string[] => {
      const svg = renderComparisonPlot({ ...toy, metrics: [share], differences: [{ ...base, difference: (low + high) / 2, interval: { confidence: 0.95, low, high } }] }, plotOf(share));
      return [...svg.matchAll(/>([-+]?[\d.]+)<\/text>/g)].map(([, text]) => text!);
    };
    expect(ticksOf(-0.000_08, 0.000_05)).toEqual(["-0.005", "0", "+0.005"]);
    expect(ticksOf(0, 0)).toEqual(["0", "0"]);
  });

  test("put what is better left of the baseline where less is better", () => {
    const svg = renderComparisonPlot({ ...toy, metrics: toy.metrics.filter(({ id }) => id === "latency.p95") }, "latency");
    const dots = [...svg.matchAll(/<circle [^>]*>/g)].map(([dot]) => [Number(/cx="([\d.]+)"/.exec(dot)![1]), /fill="(#\w+)"/.exec(dot)![1]]);
    const [cheapest, random, two] = dots.slice(-3) as [number, string][];
    expect(two![0]).toBeLessThan(cheapest![0]);
    expect(cheapest![0]).toBeLessThan(random![0]);
    expect([cheapest![1], random![1]]).toEqual(["#0072b2", "#d55e00"]);
  });
});

describe("words", () => {
  test.each(all)("of $name fit Markdown and one page that fetches nothing", ({ report }) => {
    const content = comparisonContent(report);
    const page = renderPage(content, plotsIn(report), COMPARISON_TITLES, { summary: "", value: null });
    const text = renderText(content, COMPARISON_TITLES, "plots/");
    expect(/<script|<link|<img|<iframe|@import|url\(|\bsrc=/i.exec(page)?.[0]).toBeUndefined();
    for (const rendered of [page, text]) expect(/NaN|undefined(?! in)|Infinity/.exec(rendered.replaceAll(/undefined in/g, ""))?.[0]).toBeUndefined();
    for (const line of text.split("\n").filter((one) => one.startsWith("|"))) expect(line.endsWith("|"), line).toBe(true);
  });

  test("say a sentence on each difference, what was left out, and which run failed", () => {
    const text = renderText(comparisonContent(toy), COMPARISON_TITLES, "plots/");
    for (const { arm, sentence } of toy.differences) expect(text).toContain(`- ${arm}: ${sentence}`.replaceAll(/([<>*_|])/g, "\\$1"));
    expect(text).toContain("InvariantError: planted");
    expect(text).toMatch(/\| random \| posted \| p95 latency \| .* \| 7 \| 1 failed \|/);
    expect(text).toMatch(/two-gpus-in-place-of-one \| posted \| inequality of revenue \(Gini\) \| – \| 0 \| 8 undefined in the arm \|/);
  });
});

describe("the folder", () => {
  let path = "";
  beforeAll(() => void (path = mkdtempSync(join(tmpdir(), "infernet-comparison-"))));
  afterAll(() => rmSync(path, { recursive: true, force: true }));
  const row = { run: "arm=posted replication=0", factors: ["posted"], replication: 0, seed: 1, error: null, digest: "0", figures: { "overall.goodput.share": 0.5 } };

  test("has everything at once, runs included, and the same bytes each time", () => {
    const write = (): void => {
      const folder = new ComparisonFolder(path, toy.metrics, { scenario: "test" });
      folder.addRun(row);
      expect(readdirSync(path).filter((name) => !name.startsWith(".draft-") && name === "comparison.json" && readFileSync(join(path, name)).length === 0)).toEqual([]);
      folder.finish(structuredClone(toy));
      folder.close();
    };
    write();
    expect(readdirSync(path).sort()).toEqual(["comparison.json", "comparison.md", "index.html", "plots", "runs.csv", "runs.parquet"]);
    expect(readdirSync(join(path, "plots")).sort()).toEqual(COMPARISON_PLOTS.map((name) => `${name}.svg`).sort());
    expect(readFileSync(join(path, "runs.csv"), "utf8")).toBe("run,arm,replication,seed,error,digest,overall.goodput.share\narm=posted replication=0,posted,0,1,,0,0.5\n");
    const before = readFileSync(join(path, "index.html"), "utf8");
    write();
    expect(readFileSync(join(path, "index.html"), "utf8")).toBe(before);
    expect(comparisonReport.parse(JSON.parse(readFileSync(join(path, "comparison.json"), "utf8")))).toEqual(toy);
  });

  test("holds plots of the questions asked alone, and no runs where none were played", () => {
    const own = join(path, "own");
    const folder = new ComparisonFolder(own, toy.metrics.filter(({ id }) => id === "goodput"), null);
    folder.finish({ ...toy, metrics: toy.metrics.filter(({ id }) => id === "goodput"), differences: toy.differences.filter(({ metric }) => metric === "goodput") });
    expect(readdirSync(own).sort()).toEqual(["comparison.json", "comparison.md", "index.html", "plots"]);
    expect(readdirSync(join(own, "plots"))).toEqual(["served.svg"]);
  });
});
