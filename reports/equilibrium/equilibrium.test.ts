import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Resvg } from "@resvg/resvg-js";
import { afterAll, describe, expect, test } from "vitest";
import type { EquilibriumReport } from "../../protocol/result/equilibrium.ts";
import { equilibriumReport } from "../../protocol/result/equilibrium.ts";
import { renderPage } from "../html.ts";
import { renderText } from "../markdown.ts";
import { equilibriumContent, playsText } from "./content.ts";
import { renderEquilibriumPlots } from "./figures.ts";
import { EquilibriumFolder } from "./folder.ts";
import { EQUILIBRIUM_PLOTS, EQUILIBRIUM_TITLES } from "./titles.ts";

const fixtures = JSON.parse(readFileSync(new URL("../fixtures/equilibria.json", import.meta.url), "utf8")) as Record<string, EquilibriumReport>;
const [two] = Object.values(fixtures) as [EquilibriumReport];
const all = [...Object.entries(fixtures), ["interrupted, with twenty players in odd names", {
  ...two, kind: "unsettled", regret: null, figures: [], answers: [],
  players: Array.from({ length: 20 }, (_, i) => ({ ...two.players[0]!, name: `<script>|*\`${"x".repeat(i * 5)}`, gets: null, deviations: [], regret: null })),
  steps: two.steps.map((step) => ({ ...step, strategies: Array.from({ length: 20 }, (_, i) => step.strategies[i % 2]!) })),
}] as const].map(([name, made]) => {
  const report = equilibriumReport.parse(made);
  return { name, report, plots: renderEquilibriumPlots(report) };
});
const of = (name: string) => all.find((one) => one.name === name)!;

describe("plots", () => {
  test.each(all)("of $name are whole: well-formed, finite, with their title inside", ({ plots }) => {
    for (const name of EQUILIBRIUM_PLOTS) {
      const svg = plots[name];
      expect(/NaN|undefined|Infinity|\bnull\b/.exec(svg)?.[0]).toBeUndefined();
      expect(svg.includes(`>${EQUILIBRIUM_TITLES[name]}</text>`)).toBe(true);
      expect(/<style|<script|<image|href=|url\(/.exec(svg)?.[0]).toBeUndefined();
      expect(new Resvg(svg).render().width).toBe(784);
    }
  });

  test("show what the report says: a dot for each strategy, each move, each answer, and a bar of regret for each player", () => {
    const { report, plots: { path, deviations, regret } } = of("two who decide a number");
    expect(deviations.match(/<circle/g)).toHaveLength(2 + 2 * 7);
    // Two of the legend, the ring around the end.
    expect(path.match(/<circle/g)).toHaveLength(2 * report.steps.length + 2 + report.answers.length + 1);
    expect(regret).toMatch(/at most [\d.]+ sat \([\d.]+ %\)/);
    expect(of("a mixture").plots.path).toContain("They go round in circles.");
  });
});

describe("words", () => {
  test.each(all)("of $name fit Markdown and one page that fetches nothing", ({ report, plots }) => {
    const content = equilibriumContent(report);
    const page = renderPage(content, plots, EQUILIBRIUM_TITLES, { summary: "", value: null });
    const text = renderText(content, EQUILIBRIUM_TITLES, "plots/");
    expect(/<script|<link|<img|<iframe|@import|url\(|\bsrc=/i.exec(page)?.[0]).toBeUndefined();
    for (const rendered of [page, text]) expect(/NaN|undefined|Infinity/.exec(rendered)?.[0]).toBeUndefined();
    for (const line of text.split("\n").filter((one) => one.startsWith("|"))) expect(line.endsWith("|"), line).toBe(true);
  });

  test("a mixture is told with its shares, a strategy by its values", () => {
    expect(playsText(of("a mixture").report.players[0]!)).toMatch(/^rock \(3\d %\), paper \(3\d %\), scissors \(3\d %\)$/);
    expect(playsText(of("two paths and failures").report.players[0]!)).toBe("2, p");
  });
});

describe("the folder", () => {
  const path = mkdtempSync(join(tmpdir(), "infernet-equilibrium-report-"));
  afterAll(() => rmSync(path, { recursive: true, force: true }));

  test("has everything at once", () => {
    const folder = new EquilibriumFolder(path, "toy", [{ name: "operators.left.q", numeric: true }]);
    folder.addRun({ name: "search left: 40; right: 25 replication=0", factors: [40], seed: 1, error: "Error: broken", digest: null, figures: null });
    expect(readdirSync(path).filter((name) => !name.startsWith(".draft-"))).toEqual([]);
    folder.finish(two);
    folder.close();
    expect(readdirSync(path).sort()).toEqual(["equilibrium.json", "equilibrium.md", "index.html", "plots", "runs.csv", "runs.parquet"]);
    expect(readdirSync(join(path, "plots")).sort()).toEqual(["deviations.svg", "path.svg", "regret.svg"]);
    expect(readFileSync(join(path, "runs.csv"), "utf8")).toContain("search left: 40; right: 25 replication=0,40,0,1,Error: broken,");
    expect(equilibriumReport.parse(JSON.parse(readFileSync(join(path, "equilibrium.json"), "utf8")))).toEqual(two);
  });
});
