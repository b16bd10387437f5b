import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Resvg } from "@resvg/resvg-js";
import { afterAll, describe, expect, test } from "vitest";
import { sweepReport } from "../../protocol/result/sweep.ts";
import { renderPage } from "../html.ts";
import { renderText } from "../markdown.ts";
import { query } from "../testing/duckdb.ts";
import { designInWords, sweepContent } from "./content.ts";
import { renderSweepPlots } from "./figures.ts";
import { SweepFolder } from "./folder.ts";
import { heatColor, heatText } from "./heat.ts";
import { renderPointsCsv } from "./points-csv.ts";
import { sweeps } from "./testing/reports.ts";
import { SWEEP_PLOTS, SWEEP_TITLES } from "./titles.ts";

const all = Object.entries(sweeps).map(([name, report]) => ({ name, report, plots: renderSweepPlots(report) }));
const of = (name: string) => all.find((one) => one.name === name)!;

describe("plots", () => {
  test.each(all)("of $name are whole: well-formed, finite, with their title inside", ({ report, plots }) => {
    sweepReport.parse(report);
    for (const name of SWEEP_PLOTS) {
      const svg = plots[name];
      expect(/NaN|undefined|Infinity|\bnull\b/.exec(svg)?.[0]).toBeUndefined();
      expect(svg.includes(`>${SWEEP_TITLES[name]}</text>`)).toBe(true);
      expect(/<style|<script|<image|href=|url\(/.exec(svg)?.[0]).toBeUndefined();
      expect(svg.length).toBeLessThan(2_000_000);
      expect(new Resvg(svg).render().width).toBe(784);
    }
  });

  test("show what the report says: a dot for each point, a band, a ring, a cell for each pair", () => {
    const line = of("one axis of numbers").plots.sweep;
    // Five points of four metrics, of which one has a gap, and a ring for each metric of which more or less is better.
    expect(line.match(/<circle/g)).toHaveLength(5 * 3 + 4 + 3);
    expect(line.match(/fill-opacity="0.2"/g)).toHaveLength(4);
    const map = of("two axes of numbers").plots.sweep;
    expect(map.match(/<rect [^>]*fill="#[0-9a-f]{6}"/g)!.length).toBe(1 + 3 * 20 + 17);
    expect(of("three axes").plots.sweep.match(/router.policy|policy (cheapest|random)/g)!.length).toBeGreaterThan(4);
    expect(of("a Latin hypercube").plots.sweep.match(/<circle/g)!.length).toBeGreaterThanOrEqual(3 * 3 * 40);
    for (const tick of ["0 msat", "400 msat", "800 msat"]) expect(line, tick).toContain(`>${tick}</text>`);
    for (const tick of ["1", "3", "10", "32"]) expect(of("one axis of numbers, logarithmic, one run a point").plots.sweep, tick).toContain(`>${tick}</text>`);
  });

  test("say that they average where there are too many axes to show", () => {
    expect(of("four axes and arms").plots.sweep).toContain("Averaged over arm.");
  });

  test("have the same bytes each time", () => {
    for (const { report, plots } of all.slice(0, 8)) expect(renderSweepPlots(structuredClone(report))).toEqual(plots);
  });

  test("keep texts on cells readable: a contrast of 4 at least", () => {
    const luminance = (hex: string): number => {
      const [r, g, b] = [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255).map((x) => x <= 0.04045 ? x / 12.92 : Math.exp(2.4 * Math.log((x + 0.055) / 1.055)));
      return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
    };
    for (let share = 0; share <= 1.0001; share += 0.01) {
      const [low, high] = [luminance(heatColor(share)), luminance(heatText(share))].toSorted((a, b) => a - b);
      expect((high! + 0.05) / (low! + 0.05), String(share)).toBeGreaterThanOrEqual(4);
    }
  });
});

describe("words", () => {
  test("say what was played", () => {
    expect(designInWords(of("one axis of numbers").report)).toBe("5 points: values of router.fee.flat; 5 runs at each, on the same random numbers at every point.");
    expect(designInWords(of("three axes").report)).toBe("60 points: every value of router.fee.flat (5) with every value of operators.gpu.count (4) with every value of router.policy (3); 5 runs at each, on the same random numbers at every point.");
    expect(designInWords(of("a zip").report)).toMatch(/^5 points: values of router\.fee\.flat and operators\.gpu\.price\.input that go together;/);
    expect(designInWords(of("Sobol points on seven axes, in arms").report)).toMatch(/^800 points: scrambled Sobol points over router\.fee\.flat, operators\.gpu\.count, router\.policy, a, b, c and d, in 2 arms \(plain, auction\); one run at each\.$/);
    expect(designInWords(of("interrupted, with failures").report)).toMatch(/^3 of 5 points:/);
  });

  test.each(all)("of $name are whole", ({ name, report, plots }) => {
    const content = sweepContent(report);
    const markdown = renderText(content, SWEEP_TITLES, "plots/");
    const html = renderPage(content, plots, SWEEP_TITLES, { summary: "The market as it was swept", value: {} });
    for (const text of [markdown, html]) expect(/NaN|undefined|Infinity|\[object/.exec(text)?.[0]).toBeUndefined();
    expect(/<script|<link|<img|<iframe|@import|url\(|\bsrc=/i.exec(html)?.[0]).toBeUndefined();
    if (name !== "what a hostile scenario says") expect(markdown).not.toMatch(/[^\\]<script/);
    expect(markdown).toContain(report.provenance.resultsDigest);
  });

  test("tell of failures and interruption", () => {
    const markdown = renderText(sweepContent(of("interrupted, with failures").report), SWEEP_TITLES, "plots/");
    expect(markdown).toContain("Interrupted");
    expect(markdown).toContain("2 runs failed and have no part in the figures.");
    expect(markdown).toContain("| point=2 replication=0 | router.fee.flat = 400 msat | 1 | RangeError: no |");
  });
});

describe("the folder", () => {
  const folder = mkdtempSync(join(tmpdir(), "sweep-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  test("holds the report, its points and its runs, and DuckDB finds the report's means in the runs", async () => {
    const { report } = of("two axes of numbers");
    const out = new SweepFolder(folder, report.axes.map(({ name, ends }) => ({ name, numeric: ends !== null })), "toy");
    for (const { index, factors, estimates } of report.points) {
      for (let replication = 0; replication < 5; replication++) {
        const figures = Object.fromEntries(report.metrics.map(({ path }, m) => [path, estimates[m]!.mean === null ? null : estimates[m]!.mean! + (replication - 2) * 16]));
        out.addRun({ run: `point=${index} replication=${replication}`, factors, replication, seed: replication + 1, error: null, digest: "d", figures });
      }
    }
    out.finish(report);
    expect(readdirSync(folder).sort()).toEqual(["index.html", "plots", "points.csv", "runs.csv", "runs.parquet", "sweep.json", "sweep.md"]);
    expect(sweepReport.parse(JSON.parse(readFileSync(join(folder, "sweep.json"), "utf8")))).toEqual(report);
    for (const file of ["runs.csv", "runs.parquet"]) {
      const means = await query(`select avg("market.profitMsat") as profit, avg("overall.latency.endToEndUs.p95") as latency from '${join(folder, file)}' group by "router.fee.flat", "operators.gpu.count" order by "router.fee.flat", "operators.gpu.count"`);
      expect(means).toHaveLength(report.points.length);
      for (const [i, row] of means.entries()) {
        expect(row["profit"]).toBeCloseTo(report.points[i]!.estimates[0]!.mean!, 6);
        expect(row["latency"]).toBeCloseTo(report.points[i]!.estimates[1]!.mean!, 6);
      }
    }
    const points = await query(`select point, runs, profit, "profit.low", "price" from '${join(folder, "points.csv")}' order by point`);
    expect(points.map((row) => row["profit"])).toEqual(report.points.map(({ estimates }) => estimates[0]!.mean));
    expect(points.map((row) => row["profit.low"])).toEqual(report.points.map(({ estimates }) => estimates[0]!.interval!.low));
    expect(points[3]!["price"]).toBeNull();
  });

  test("has a head for every column of points.csv, and quotes what needs it", () => {
    const [head, first] = renderPointsCsv(of("numbers and names").report).split("\n");
    expect(head).toBe("point,arm,router.fee.flat,router.policy,runs,failed,profit,profit.low,profit.high,profit.sd,latency.p95,latency.p95.low,latency.p95.high,latency.p95.sd,goodput,goodput.low,goodput.high,goodput.sd,price,price.low,price.high,price.sd");
    expect(first).toMatch(/^0,,0,cheapest,5,0,/);
  });
});
