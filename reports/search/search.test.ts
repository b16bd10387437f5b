import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Resvg } from "@resvg/resvg-js";
import { afterAll, describe, expect, test } from "vitest";
import type { SearchReport } from "../../protocol/result/search.ts";
import { searchReport } from "../../protocol/result/search.ts";
import { renderPage } from "../html.ts";
import { renderText } from "../markdown.ts";
import { searchContent } from "./content.ts";
import { renderSearchPlots } from "./figures.ts";
import { rowOf } from "../varied-run.ts";
import { SearchFolder } from "./folder.ts";
import { SEARCH_PLOTS, SEARCH_TITLES } from "./titles.ts";

const fixtures = JSON.parse(readFileSync(new URL("../fixtures/searches.json", import.meta.url), "utf8")) as Record<string, SearchReport>;
const [first] = Object.values(fixtures) as [SearchReport];
const all = [...Object.entries(fixtures), ["interrupted, in odd names", {
  ...first, alternatives: first.alternatives.map((one, i) => ({ ...one, name: `<script>|*\`${"x".repeat(i * 30)}`, fresh: null, lead: null })), chosen: null, race: [],
}] as const].map(([name, made]) => {
  const report = searchReport.parse(made);
  return { name, report, plots: renderSearchPlots(report) };
});
const of = (name: string) => all.find((one) => one.name === name)!;

describe("plots", () => {
  test.each(all)("of $name are whole: well-formed, finite, with their title inside", ({ plots }) => {
    for (const name of SEARCH_PLOTS) {
      const svg = plots[name];
      expect(/NaN|undefined|Infinity|\bnull\b/.exec(svg)?.[0]).toBeUndefined();
      expect(svg.includes(`>${SEARCH_TITLES[name]}</text>`)).toBe(true);
      expect(/<style|<script|<image|href=|url\(/.exec(svg)?.[0]).toBeUndefined();
      expect(new Resvg(svg).render().width).toBe(784);
    }
  });

  test("show what the report says: a dot and a bar for each alternative, a line and its end in the race, every point that was tried", () => {
    const { values, race } = of("a list of numbers").plots;
    // Two of the legend; of seven alternatives one was set aside.
    expect(values.match(/<circle/g)).toHaveLength(2 + 6);
    expect(values.match(/stroke-width="9"/g)).toHaveLength(1);
    expect(race.match(/<circle/g)).toHaveLength(1 + 6);
    const range = of("a range");
    expect(range.plots.race.match(/<circle/g)!.length).toBeGreaterThanOrEqual(2 * range.report.path!.length - 6);
    for (const tick of ["20 msat", "40 msat"]) expect(values, tick).toContain(`>${tick}</text>`);
  });
});

describe("words", () => {
  test.each(all)("of $name fit Markdown and one page that fetches nothing", ({ report, plots }) => {
    const content = searchContent(report);
    const page = renderPage(content, plots, SEARCH_TITLES, { summary: "", value: null });
    const text = renderText(content, SEARCH_TITLES, "plots/");
    expect(/<script|<link|<img|<iframe|@import|url\(|\bsrc=/i.exec(page)?.[0]).toBeUndefined();
    for (const rendered of [page, text]) expect(/NaN|undefined|Infinity/.exec(rendered)?.[0]).toBeUndefined();
    expect(text).toContain(report.guarantee.text);
    for (const line of text.split("\n").filter((one) => one.startsWith("|"))) expect(line.endsWith("|"), line).toBe(true);
  });
});

describe("the folder", () => {
  const path = mkdtempSync(join(tmpdir(), "infernet-search-report-"));
  afterAll(() => rmSync(path, { recursive: true, force: true }));

  test("has everything at once, a row for each run, and the same bytes each time; other files stay", () => {
    writeFileSync(join(path, "mine.txt"), "");
    const write = (): void => {
      const folder = new SearchFolder(path, "toy", [{ name: "router.fee.flat (msat)", numeric: true }]);
      for (const r of [0, 1]) folder.addRun({ name: `search 40 msat replication=${r}`, factors: [40], seed: r, error: null, digest: null, figures: { "market.revenueMsat": r } });
      folder.finish(first);
      folder.close();
    };
    write();
    const names = ["index.html", "mine.txt", "plots", "runs.csv", "runs.parquet", "search.json", "search.md"];
    expect(readdirSync(path).sort()).toEqual(names);
    expect(readdirSync(join(path, "plots")).sort()).toEqual(["race.svg", "values.svg"]);
    expect(readFileSync(join(path, "runs.csv"), "utf8")).toBe("run,router.fee.flat (msat),replication,seed,error,digest,market.revenueMsat\nsearch 40 msat replication=0,40,0,0,,,0\nsearch 40 msat replication=1,40,1,1,,,1\n");
    expect(searchReport.parse(JSON.parse(readFileSync(join(path, "search.json"), "utf8")))).toEqual(first);
    const bytes = (): string[] => names.filter((name) => name !== "plots").map((name) => readFileSync(join(path, name), "latin1"));
    const before = bytes();
    write();
    expect(bytes()).toEqual(before);
  });

  test("that is given up leaves nothing", () => {
    new SearchFolder(join(path, "new/er"), "toy", []).close();
    expect(readdirSync(path)).not.toContain("new");
  });
});

test("a run's name says which replication it is", () => {
  const run = { factors: [], seed: 1, error: null, digest: null, figures: null };
  expect(["fresh a, b replication=12", "a replication=1 b"].map((name) => rowOf({ name, ...run }).replication)).toEqual([12, null]);
});
