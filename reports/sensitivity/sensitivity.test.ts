import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Resvg } from "@resvg/resvg-js";
import { afterAll, describe, expect, test } from "vitest";
import type { SensitivityReport } from "../../protocol/result/sensitivity.ts";
import { formatBounds, formatChange, sensitivityReport } from "../../protocol/result/sensitivity.ts";
import { renderPage } from "../html.ts";
import { renderText } from "../markdown.ts";
import { sensitivityContent } from "./content.ts";
import { renderSensitivityPlots } from "./figures.ts";
import { SensitivityFolder } from "./folder.ts";
import { plotsOf, SENSITIVITY_TITLES } from "./titles.ts";

const fixtures = JSON.parse(readFileSync(new URL("../fixtures/sensitivity.json", import.meta.url), "utf8")) as Record<"morris" | "sobol" | "tornado", unknown>;
const toy = { morris: sensitivityReport.parse(fixtures.morris), sobol: sensitivityReport.parse(fixtures.sobol), tornado: sensitivityReport.parse(fixtures.tornado) };

const nothing = { mean: null, sd: null, chance: null, screening: null, indices: null, tornado: null, blocks: { used: 0, dropped: 3 }, headline: "Nothing can be said.", findings: [] };
const still = { value: 0, interval: { confidence: 0.95, low: 0, high: 0 } };
const many = Array.from({ length: 40 }, (_, i) => ({ factor: `a factor with a name that is far too long, number ${i}`, steps: 1, mu: still, muStar: { value: 1e9 / (i + 1), interval: null }, sigma: { value: 1e9 / (40 - i), interval: null } }));

/** Reports at the edges of what a study may find. */
const odd: Readonly<Record<string, SensitivityReport>> = {
  "nothing to say": { ...toy.sobol, metrics: toy.sobol.metrics.map((of) => ({ ...of, ...nothing })) },
  "no figures at all": { ...toy.morris, metrics: [] },
  "no difference anywhere": {
    ...toy.morris, metrics: toy.morris.metrics.map((of) => ({ ...of, screening: of.screening!.map((one) => ({ ...one, mu: still, muStar: still, sigma: still })) })),
  },
  "forty factors, interrupted": { ...toy.morris, metrics: [{ ...toy.morris.metrics[0]!, screening: many }], provenance: { ...toy.morris.provenance, interrupted: true } },
  "shares out of bounds": {
    ...toy.sobol, metrics: toy.sobol.metrics.map((of) => ({ ...of, indices: { ...of.indices!, factors: of.indices!.factors.map((one) => ({ ...one, first: { value: -0.3, interval: { confidence: 0.95, low: -0.9, high: 0.2 } }, total: { value: 1.4, interval: { confidence: 0.95, low: 0.9, high: 2.1 } } })) } })),
  },
  "one run of each point": { ...toy.tornado, metrics: toy.tornado.metrics.map((of) => ({ ...of, tornado: { base: { ...of.tornado!.base, interval: null }, bars: of.tornado!.bars.map((bar) => ({ ...bar, low: { ...bar.low, difference: { ...bar.low.difference, interval: null } } })) } })) },
  "bars that are not known": { ...toy.tornado, metrics: toy.tornado.metrics.map((of) => ({ ...of, tornado: { ...of.tornado!, bars: of.tornado!.bars.map((bar) => ({ ...bar, swing: null, low: { ...bar.low, difference: { ...bar.low.difference, mean: null, interval: null } } })) } })) },
};
const all = Object.entries({ ...toy, ...odd }).map(([name, report]) => ({ name, report, plots: renderSensitivityPlots(report) }));

describe("plots", () => {
  test.each(all)("of $name are whole: well-formed, finite, with their title inside", ({ report, plots }) => {
    expect(Object.keys(plots)).toEqual(plotsOf(report.method.kind));
    for (const name of plotsOf(report.method.kind)) {
      const svg = plots[name]!;
      expect(/NaN|undefined|Infinity|\bnull\b/.exec(svg)?.[0]).toBeUndefined();
      expect(svg.includes(`>${SENSITIVITY_TITLES[name]}</text>`)).toBe(true);
      expect(/<style|<script|<image|href=|url\(/.exec(svg)?.[0]).toBeUndefined();
      expect(new Resvg(svg).render().width).toBe(784);
    }
  });

  test("show what the report says: a bar or two per factor that matters, its name, a dot in the plane", () => {
    const bars = (svg: string): number => svg.match(/<rect[^>]* height="\d/g)!.length - 1;
    const panels = (report: SensitivityReport): number => report.metrics.length * report.factors.length;
    const { morris, sobol, tornado } = Object.fromEntries(all.map(({ name, plots }) => [name, plots])) as Record<keyof typeof toy, ReturnType<typeof renderSensitivityPlots>>;
    expect(bars(morris.importance!)).toBe(panels(toy.morris));
    expect(bars(sobol.importance!)).toBe(2 * panels(toy.sobol));
    expect(bars(tornado.importance!)).toBe(2 * toy.tornado.metrics.reduce((sum, of) => sum + of.tornado!.bars.filter(({ swing }) => swing! > 0).length, 0));
    expect(morris.plane!.match(/<circle/g)).toHaveLength(toy.morris.metrics.reduce((sum, of) => sum + of.screening!.filter(({ muStar }) => muStar.value > 0).length, 0));
    for (const name of ["demand", "electricity", "rivals"]) for (const plots of [morris, sobol, tornado]) expect(plots.importance).toContain(`>${name}</text>`);
  });
});

describe("text", () => {
  test.each(all)("of $name has the answer first, and every table its columns", ({ report, plots }) => {
    const content = sensitivityContent(report);
    const text = renderText(content, SENSITIVITY_TITLES, "plots/");
    const page = renderPage(content, { importance: "", plane: "", ...plots }, SENSITIVITY_TITLES, { summary: "", value: {} });
    expect(/NaN|undefined|Infinity|\[object/.exec(text)?.[0]).toBeUndefined();
    expect(page.includes("<script")).toBe(false);
    if (report.metrics.length > 0) expect(text.indexOf(report.metrics[0]!.headline)).toBeGreaterThan(0);
    for (const { blocks } of content.sections) for (const block of blocks) if (block.kind === "table") expect(block.rows.every((row) => row.length === block.head.length), block.caption).toBe(true);
  });

  test("tells failed runs, and where they were left out", () => {
    const text = renderText(sensitivityContent(toy.morris), SENSITIVITY_TITLES, "plots/");
    expect(text).toContain("InvariantError: money: the books are off by 1 msat");
    expect(text).toMatch(/\d+ of 20 trajectories were left out/);
  });

  test("says what chance takes", () => {
    expect(renderText(sensitivityContent(toy.sobol), SENSITIVITY_TITLES, "plots/")).toContain("in all, chance taken out");
  });
});

test.each([[0.123, "share", "12.3 points"], [-1_234_567, "us", "-1.23 s"], [12_345, "msat", "12.3 sat"], [null, "msat", "–"]] as const)("a change of %s, %s: %s", (value, unit, text) => expect(formatChange(value, unit)).toBe(text));

test.each([["10.7 sat", "14.7 sat", "10.7 to 14.7 sat"], ["850 msat", "1.2 sat", "850 msat to 1.2 sat"], ["-1 sat/h", "+2 sat/h", "-1 to +2 sat/h"], ["1 min 2 s", "2 min 3 s", "1 min 2 s to 2 min 3 s"], ["0", "5", "0 to 5"]])("%s and %s: %s", (low, high, text) => {
  expect(formatBounds(low, high)).toBe(text);
});

describe("the folder", () => {
  const folder = mkdtempSync(join(tmpdir(), "infernet-sensitivity-folder-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const columns = [{ name: "demand", path: "clients.chat.arrivals.poisson.rate", unit: "/s" }, { name: "rivals", path: "operators.rivals.count", unit: "" }];

  test("has everything at once, and a row per run with the factors' values", () => {
    const path = join(folder, "whole");
    const made = new SensitivityFolder(path, "toy", "morris", columns, 2);
    made.addRun({ name: "block=0 point=0 replication=0", seed: 1, sets: ["clients.chat.arrivals.poisson.rate=12.5/s", "operators.rivals.count=4"], error: null, digest: "d", figures: { a: 1 } });
    made.addRun({ name: "block=0 point=0 replication=1", seed: 2, sets: ["clients.chat.arrivals.poisson.rate=12.5/s"], error: "Error: no", digest: null, figures: null });
    expect(readdirSync(path).filter((name) => !name.startsWith("."))).toEqual([]);
    made.finish(toy.morris);
    made.close();
    expect(readdirSync(path).sort()).toEqual(["index.html", "plots", "runs.csv", "runs.parquet", "sensitivity.json", "sensitivity.md"]);
    expect(readdirSync(join(path, "plots")).sort()).toEqual(["importance.svg", "plane.svg"]);
    expect(readFileSync(join(path, "runs.csv"), "utf8").trim().split(/\r?\n/)).toEqual([
      "run,demand (/s),rivals,replication,seed,error,digest,a", "block=0 point=0 replication=0,12.5,4,0,1,,d,1", "block=0 point=0 replication=1,12.5,,1,2,Error: no,,",
    ]);
    expect(sensitivityReport.parse(JSON.parse(readFileSync(join(path, "sensitivity.json"), "utf8")))).toEqual(toy.morris);
  });

  test("that is given up leaves nothing", () => {
    const path = join(folder, "gone");
    new SensitivityFolder(path, "toy", "sobol", columns, 1).close();
    expect(readdirSync(folder)).toEqual(["whole"]);
  });
});
