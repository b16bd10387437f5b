import { Resvg } from "@resvg/resvg-js";
import { describe, expect, test } from "vitest";
import { runReport } from "../protocol/result.ts";
import { contentOf } from "./content.ts";
import { findings } from "./findings.ts";
import { renderHtml } from "./html.ts";
import { renderMarkdown } from "./markdown.ts";
import { renderPlots } from "./plots/plots.ts";
import { toy } from "./testing/reports.ts";
import { someWelfare, withWelfare } from "./testing/welfare.ts";
import { CAUSE_WORDS, structureSection, welfareSection } from "./welfare.ts";

const all = Object.entries(withWelfare(toy));

describe.each(all)("a report with %s", (_, report) => {
  test("keeps to the schema, and its parts add up", () => {
    runReport.parse(report);
    const { welfare } = report;
    const losses = Object.values(welfare!.losses).reduce((sum, loss) => sum + loss, 0);
    expect(welfare!.consumerSurplusMsat + welfare!.operatorSurplusMsat + welfare!.routerRevenueMsat + welfare!.routingFeesMsat).toBe(welfare!.totalMsat);
    expect(welfare!.totalMsat + losses).toBe(welfare!.firstBestMsat);
  });

  test("has whole pictures", () => {
    const plots = renderPlots(report);
    for (const name of ["curves", "surplus", "lorenz"] as const) {
      expect(/NaN|undefined|Infinity|\bnull\b|url\(/.exec(plots[name])?.[0]).toBeUndefined();
      expect(new Resvg(plots[name]).render().width).toBe(784);
    }
  });

  test("says nothing undefined", () => {
    expect(/NaN|undefined|Infinity/.exec(renderMarkdown(report))?.[0]).toBeUndefined();
  });
});

test("the section lists who gained, every cause of loss in words, and what was possible", () => {
  const { blocks } = welfareSection({ ...toy, welfare: someWelfare });
  const [gains] = blocks.flatMap((block) => (block.kind === "table" ? [block] : []));
  expect(gains!.rows.map(([name, amount, share]) => [name!.split(/[:,] /)[0], amount, share])).toEqual([
    ["clients", "420 msat", "42 %"], ["operators", "250 msat", "25 %"], ["routers", "25 msat", "2.5 %"], ["Lightning network", "5 msat", "0.5 %"], ["gained in all", "700 msat", "70 %"],
    ["lost", "130 msat", "13 %"], ["lost", "20 msat", "2 %"], ["lost", "40 msat", "4 %"], ["lost", "30 msat", "3 %"], ["lost", "20 msat", "2 %"], ["lost", "15 msat", "1.5 %"], ["lost", "5 msat", "0.5 %"], ["lost", "30 msat", "3 %"], ["lost", "10 msat", "1 %"],
    ["possible at best", "1 sat", "100 %"],
  ]);
  for (const words of Object.values(CAUSE_WORDS)) expect(JSON.stringify(blocks)).toContain(words);
  expect(blocks.find((block) => block.kind === "text")).toEqual({
    kind: "text", text: "The market reached 70 % of what was possible. What it lost most by was price: the price was above what the client would pay, though not the cost (43.3 % of the loss). Of each 100 msat gained, clients have 60 msat.",
  });
});

test("the picture has a bar for each part that is not nothing, and one for what was possible", () => {
  const { surplus } = renderPlots({ ...toy, welfare: someWelfare });
  for (const row of ["possible at best", "clients", "operators", "routers", "Lightning fees", "lost: price", "lost: waiting"]) expect(surplus.includes(`>${row}</text>`)).toBe(true);
  expect(renderPlots({ ...toy, welfare: { ...someWelfare, losses: { ...someWelfare.losses, budget: 0 } } }).surplus).not.toContain("lost: budget");
});

test("a market that reaches little says so among the first", () => {
  expect(findings({ ...toy, welfare: someWelfare }).join(" ")).toContain("reached 70 %");
  expect(findings({ ...toy, welfare: { ...someWelfare, shareReached: 0.97 } }).join(" ")).not.toContain("reached");
});

test("where nobody says what jobs are worth, the report says how to change that, and leaves the pictures out", () => {
  const { blocks } = welfareSection({ ...toy, welfare: null });
  expect(blocks).toEqual([
    { kind: "text", text: expect.stringContaining("Add the key clients[].value to the scenario") as unknown },
    { kind: "verbatim", text: `--set 'clients.${toy.clientClasses[0]!.name}.value=200 msat'` },
  ]);
  const bare = { ...toy, welfare: null };
  expect(renderMarkdown(bare)).toContain("Add the key clients\\[\\].value");
  expect(renderHtml(bare, renderPlots(bare))).toContain("Add the key clients[].value");
  expect(contentOf({ ...toy, welfare: null }, 1).sections.flatMap((section) => section.blocks).some((block) => block.kind === "plot" && block.name === "surplus")).toBe(false);
});

test("competition: measures with what they say; pass-through only where there is one", () => {
  const rows = (slope: number | null): string[] => structureSection({ ...toy, structure: { ...toy.structure, passThrough: { slope, windows: 9 } } }).blocks.flatMap((block) => (block.kind === "table" ? block.rows.map(([name]) => name!) : []));
  expect(rows(null)).toEqual(["Lerner index", "prices paid: p90 / p10", "prices paid: CV", "posted output prices: CV", "HHI, nodes", "HHI, operator classes", "Gini coefficient"]);
  expect(rows(0.5)).toContain("pass-through");
});

test.each<[number | null, string | null]>([
  [null, null], [0, "Prices did not follow"], [0.5, "0.5 msat were passed on"], [1, "in full"], [1.2, "by more than costs, 1.2 msat"], [-0.4, "the other way: for each msat that a job came to cost more, clients paid 0.4 msat less"],
])("who bears costs that move, in words: pass-through %s", (slope, words) => {
  const texts = structureSection({ ...toy, structure: { ...toy.structure, passThrough: { slope, windows: 9 } } }).blocks.flatMap((block) => (block.kind === "text" ? [block.text] : []));
  expect(texts.join(" ")).toContain(words ?? "");
  expect(texts).toHaveLength(words === null ? 0 : 1);
});
