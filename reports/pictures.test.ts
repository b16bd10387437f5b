import { Resvg } from "@resvg/resvg-js";
import { describe, expect, test } from "vitest";
import { contentOf } from "./content.ts";
import { renderHtml } from "./html.ts";
import { COLORS, colorsByClass } from "./plots/palette.ts";
import { renderPlots } from "./plots/plots.ts";
import { PLOT_TITLES, PLOTS } from "./plots/titles.ts";
import { odd, toy } from "./testing/reports.ts";

const all = Object.entries({ toy, ...odd }).map(([name, report]) => ({ name, report, plots: renderPlots(report) }));

describe("plots", () => {
  test.each(all)("of a report with $name are whole: well-formed, finite, with their title inside", ({ plots }) => {
    for (const name of PLOTS) {
      const svg = plots[name];
      // Not toMatch: its message would hold the whole file.
      expect(/NaN|undefined|Infinity|\bnull\b/.exec(svg)?.[0]).toBeUndefined();
      expect(svg.includes(`>${PLOT_TITLES[name]}</text>`)).toBe(true);
      expect(/<style|<script|<image|href=|url\(|="https?:(?!\/\/www\.w3\.org\/2000\/svg")/.exec(svg)?.[0]).toBeUndefined();
      expect(svg.length).toBeLessThan(600_000);
      // An XML parser and a renderer that refuse what is not well-formed.
      const picture = new Resvg(svg).render();
      expect(picture.width).toBe(784);
    }
  });

  test("show what the report says: a curve per client class, a dot per node, a bar per share", () => {
    const { latency, market } = renderPlots(toy);
    for (const color of COLORS.slice(0, 2)) expect(latency.split(`stroke="${color}"`).length - 1).toBeGreaterThanOrEqual(4);
    expect(market.match(/<circle/g)!.length).toBe(toy.nodes.length + toy.nodes.filter(({ utilisation }) => utilisation !== null).length + toy.operatorClasses.length);
    expect(market.match(/ %<\/text>/g)!.length).toBeGreaterThan(10);
  });

  test("keep classes apart whose long names begin alike", () => {
    const { prices } = all.find(({ name }) => name.startsWith("thirty"))!.plots;
    expect(new Set(prices.match(/clients-w…[^<]*/g)).size).toBe(20);
  });

  test("draw no time as no time, not as a little", () => {
    const same = odd["every latency the same, every job free"]!;
    const { latency } = renderPlots(same);
    expect(latency).toMatch(/Queueing[^<]*\(no time at all: 80 % of \w+, 80 % of \w+\)/);
    expect(latency).not.toContain("Time per output token");
    expect(latency).not.toContain("No job waited");
    const none = { edges: [0, 0], counts: [5] };
    const prompt = renderPlots({ ...same, clientClasses: same.clientClasses.map((of) => ({ ...of, histograms: { ...of.histograms, queueingUs: none } })) });
    expect(prompt.latency).toContain("No job waited for its node to start.");
    expect(prompt.latency).not.toContain("Queueing");
  });

  test("show no utilisation of a node that was never up", () => {
    const first = toy.nodes.find(({ utilisation }) => utilisation !== null);
    const others = toy.nodes.filter((node) => node !== first);
    const dots = (of: typeof toy): number => renderPlots(of).market.match(/<circle/g)!.length;
    expect(dots({ ...toy, nodes: [{ ...first!, utilisation: null, availability: 0, jobs: 0 }, ...others] })).toBe(dots(toy) - 1);
  });

  test("do not call free what charges by the job", () => {
    const nodes = toy.nodes.map((node) => ({ ...node, inputMsatPerMtok: 0, outputMsatPerMtok: 0 }));
    expect(renderPlots({ ...toy, nodes }).market.includes("(all charge by the job)")).toBe(true);
    expect(renderPlots({ ...toy, nodes: nodes.map((node) => ({ ...node, revenueMsat: 0 })) }).market.includes("(all are free)")).toBe(true);
    expect(renderPlots({ ...toy, nodes: nodes.map((node) => ({ ...node, inputMsatPerMtok: 5_000 })) }).market.includes("(none asks anything for output)")).toBe(true);
  });

  test("call prices that moved first prices", () => {
    expect(toy.asks).toBeNull();
    const asks = { operatorClasses: [] };
    const same = toy.nodes.map((node) => ({ ...node, outputMsatPerMtok: 30_000 }));
    expect(renderPlots(toy).market.includes("against its price of output tokens")).toBe(true);
    expect(renderPlots({ ...toy, asks }).market.includes("against its first price of output tokens")).toBe(true);
    expect(renderPlots({ ...toy, nodes: same }).market.includes("(all ask 30 sat/Mtok for output)")).toBe(true);
    expect(renderPlots({ ...toy, nodes: same, asks }).market.includes("(all began at 30 sat/Mtok for output)")).toBe(true);
  });

  test.each(all)("of a report with $name have headings that end inside the picture", ({ plots }) => {
    const headings = PLOTS.flatMap((name) => [...plots[name].matchAll(/font-size="13" font-weight="600"[^>]*>([^<]*)</g)].map(([, heading]) => heading!));
    expect(headings.filter((heading) => heading.length > 95)).toEqual([]);
  });

  test("say nothing of goals where nobody has one", () => {
    const { overall } = toy;
    expect(renderPlots(toy).throughput).toContain("completed within every goal");
    expect(renderPlots({ ...toy, overall: { ...overall, goodput: { ...overall.goodput, goals: [] } } }).throughput).not.toContain("goal");
  });

  test("have the same bytes each time", () => {
    expect(renderPlots(toy)).toEqual(renderPlots(structuredClone(toy)));
  });

  test("give the weightiest classes colours of their own, in the report's order, and grey to the rest", () => {
    const { color, shown } = colorsByClass(Array.from({ length: 8 }, (_, index) => ({ name: `c${index}`, weight: index })));
    expect(shown).toEqual(["c2", "c3", "c4", "c5", "c6", "c7"]);
    expect(new Set(shown.map(color)).size).toBe(6);
    expect(color("c0")).toBe(color("c1"));
  });
});

describe("index.html", () => {
  test.each(all)("of a report with $name holds everything and fetches nothing", ({ report, plots }) => {
    const html = renderHtml(report, plots);
    expect(/<script|<link|<img|<image|<iframe|@import|url\(|\bsrc=|<object|<embed/i.exec(html)?.[0]).toBeUndefined();
    for (const [, target] of html.matchAll(/href="([^"]*)"/g)) expect(target).toMatch(/^#/);
    const shown = contentOf(report, 1).sections.flatMap(({ blocks }) => blocks).filter(({ kind }) => kind === "plot").length;
    expect(shown).toBeGreaterThan(5);
    expect(html.match(/<svg xmlns/g)!.length).toBe(shown);
    expect(/NaN|undefined|Infinity/.exec(html)?.[0]).toBeUndefined();
    for (const [, anchor] of html.matchAll(/href="#([^"]*)"/g)) expect(html.includes(`id="${anchor}"`), anchor).toBe(true);
  });

  test("has the same bytes each time, and follows light and dark", () => {
    const html = renderHtml(toy, renderPlots(toy));
    expect(renderHtml(structuredClone(toy), renderPlots(toy))).toBe(html);
    expect(html.includes("prefers-color-scheme: dark")).toBe(true);
  });
});
