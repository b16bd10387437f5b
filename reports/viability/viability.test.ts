import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Resvg } from "@resvg/resvg-js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ViabilityReport } from "../../protocol/result/viability.ts";
import { viabilityReport } from "../../protocol/result/viability.ts";
import { renderPage } from "../html.ts";
import { renderText } from "../markdown.ts";
import { viabilityContent } from "./content.ts";
import { renderViabilityPlots } from "./figures.ts";
import { ViabilityFolder } from "./folder.ts";
import { VIABILITY_PLOTS, VIABILITY_TITLES } from "./titles.ts";

const toy = viabilityReport.parse(JSON.parse(readFileSync(new URL("../fixtures/viability.json", import.meta.url), "utf8")));
const [row] = toy.replications;
const nothing = { mean: 0, sd: 0, min: 0, p5: 0, p50: 0, p95: 0, max: 0, meanInterval: { confidence: 0.95, low: 0, high: 0 } };

/** Reports at the edges of what a study may find. */
const odd: Readonly<Record<string, ViabilityReport>> = {
  "one replication, interrupted": {
    ...toy, replications: [row!], profit: { ...toy.profit, sd: null, meanInterval: null }, independentHours: null, tornado: toy.tornado.filter(({ replayed }) => !replayed),
    breakEven: { ...toy.breakEven, market: { found: "not searched", point: null, usdPerMtok: null }, bestPrice: null, prices: toy.breakEven.prices.slice(0, 1) },
    provenance: { ...toy.provenance, interrupted: true },
  },
  "nothing sold": {
    ...toy, replications: toy.replications.map((one) => ({ ...one, jobs: 0, revenueUsd: 0, profitUsd: 0, paybackMonths: null })), profit: nothing, revenue: nothing, utilisation: nothing, rental: null,
    breakEven: { heldVolume: null, market: { found: "none", point: null, usdPerMtok: null }, bestPrice: toy.breakEven.prices[0]!, prices: toy.breakEven.prices.map((point) => ({ ...point, profitUsd: -1, revenueUsd: 0, utilisation: 0 })), utilisation: null },
    tornado: toy.tornado.map((bar) => ({ ...bar, low: { ...bar.low, profitUsd: 0 }, high: { ...bar.high, profitUsd: 0 }, swingUsd: 0 })),
    payback: { ...toy.payback, p5: null, p50: null, p95: null, neverShare: 1, afterLifeShare: 1 },
  },
  "losses of millions, in odd names": {
    ...toy, machine: { ...toy.machine, name: "<script>|*`" }, profit: { ...toy.profit, mean: -4e6 },
    replications: Array.from({ length: 300 }, (_, i) => ({ ...row!, seed: i, profitUsd: -4e6 + (i % 17) * 1e5 })),
    tornado: toy.tornado.map((bar, i) => ({ ...bar, low: { ...bar.low, profitUsd: -4e6 - i * 1e5 }, high: { ...bar.high, profitUsd: -4e6 - i * 2e5 }, swingUsd: i * 1e5 })),
  },
};
const all = Object.entries({ toy, ...odd }).map(([name, report]) => ({ name, report, plots: renderViabilityPlots(report) }));

describe("plots", () => {
  test.each(all)("of a report with $name are whole: well-formed, finite, with their title inside", ({ plots }) => {
    for (const name of VIABILITY_PLOTS) {
      const svg = plots[name];
      expect(/NaN|undefined|Infinity|\bnull\b/.exec(svg)?.[0]).toBeUndefined();
      expect(svg.includes(`>${VIABILITY_TITLES[name]}</text>`)).toBe(true);
      expect(/<style|<script|<image|href=|url\(/.exec(svg)?.[0]).toBeUndefined();
      expect(new Resvg(svg).render().width).toBe(784);
    }
  });

  test("show what the report says: a dot per replication, two bars per assumption, every price tried", () => {
    const { profit, tornado, prices } = renderViabilityPlots(toy);
    expect(profit.match(/<circle/g)).toHaveLength(toy.replications.length);
    expect(tornado.match(/<rect [^>]*fill="#(0072b2|d55e00)"/g)!.length).toBeGreaterThanOrEqual(2 * toy.tornado.filter(({ swingUsd }) => swingUsd > 0).length);
    expect(prices.match(/<circle/g)).toHaveLength(2 * toy.breakEven.prices.length + 1);
    for (const tick of ["x 0.7", "x 1", "x 8"]) expect(prices, tick).toContain(`>${tick}</text>`);
  });
});

describe("words", () => {
  test.each(all)("of a report with $name fit Markdown and one page that fetches nothing", ({ report, plots }) => {
    const content = viabilityContent(report);
    const page = renderPage(content, plots, VIABILITY_TITLES, { summary: "", value: null });
    const text = renderText(content, VIABILITY_TITLES, "");
    expect(/<script|<link|<img|<iframe|@import|url\(|\bsrc=/i.exec(page)?.[0]).toBeUndefined();
    for (const rendered of [page, text]) {
      expect(/NaN|undefined|Infinity/.exec(rendered)?.[0]).toBeUndefined();
      for (const { name } of report.assumptions) expect(rendered).toContain(name);
    }
    for (const line of text.split("\n").filter((one) => one.startsWith("|"))) expect(line.endsWith("|"), line).toBe(true);
  });
});

describe("the folder", () => {
  let path = "";
  beforeAll(() => void (path = mkdtempSync(join(tmpdir(), "infernet-viability-report-"))));
  afterAll(() => rmSync(path, { recursive: true, force: true }));

  test("has everything at once, and the same bytes each time; other files stay", () => {
    writeFileSync(join(path, "mine.txt"), "");
    const folder = new ViabilityFolder(path);
    expect(readdirSync(path).filter((name) => !name.startsWith(".draft-"))).toEqual(["mine.txt"]);
    folder.finish(toy);
    folder.close();
    const names = ["mine.txt", "prices.svg", "profit.svg", "tornado.svg", "viability.html", "viability.json", "viability.md"];
    expect(readdirSync(path).sort()).toEqual(names);
    const before = names.map((name) => readFileSync(join(path, name), "utf8"));
    new ViabilityFolder(path).finish(structuredClone(toy));
    expect(names.map((name) => readFileSync(join(path, name), "utf8"))).toEqual(before);
    expect(viabilityReport.parse(JSON.parse(readFileSync(join(path, "viability.json"), "utf8")))).toEqual(toy);
  });

  test("that is given up leaves an earlier report as it was, and no folder that was not there", () => {
    const before = readFileSync(join(path, "viability.json"), "utf8");
    new ViabilityFolder(path).close();
    expect(readFileSync(join(path, "viability.json"), "utf8")).toBe(before);
    new ViabilityFolder(join(path, "new/er")).close();
    expect(readdirSync(path)).not.toContain("new");
  });

  test("refuses what is in its way, in words", () => {
    expect(() => new ViabilityFolder(join(path, "mine.txt"))).toThrow(/mine\.txt is a file; a report needs a folder\./);
    mkdirSync(join(path, "taken/tornado.svg"), { recursive: true });
    expect(() => new ViabilityFolder(join(path, "taken"))).toThrow(/tornado\.svg is a folder/);
  });
});
