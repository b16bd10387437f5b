import { describe, expect, test } from "vitest";
import { contentOf } from "./content.ts";
import { renderMarkdown } from "./markdown.ts";
import { renderPlots } from "./plots/plots.ts";
import { supplySection } from "./supply.ts";
import { toy } from "./testing/reports.ts";

const supply = toy.supply!;
const textOf = (report: typeof toy): string => JSON.stringify(supplySection(report));

describe("what operators made of it", () => {
  test("is a section of its own where something is known of costs, and none otherwise", () => {
    const titles = (report: typeof toy): string[] => contentOf(report, 10).sections.map(({ title }) => title);
    expect(titles(toy)).toContain("What operators made of it");
    expect(titles({ ...toy, supply: null })).not.toContain("What operators made of it");
    expect(renderPlots({ ...toy, supply: null }).profit).toContain("does not say what anything costs");
  });

  test("has a column for each kind of cost that somebody has", () => {
    const text = renderMarkdown(toy);
    expect(text).toContain("| operator class | revenue | electricity | machine | profit | per machine and hour |");
    const taxed = { ...supply, operatorClasses: supply.operatorClasses.map((of, index) => (index === 0 ? { ...of, stakeMsat: 5 } : of)) };
    expect(textOf({ ...toy, supply: taxed })).toContain('"machine","capital","profit"');
  });

  test("says who lost money, whose costs are not known, and who bore the exchange rate", () => {
    const all = (profitMsat: number): typeof toy => ({ ...toy, supply: { ...supply, nodes: supply.nodes.map((node) => ({ ...node, profitMsat })) } });
    expect(textOf(all(1))).toContain("No machine lost money.");
    expect(textOf(all(-1))).toContain("Every machine lost money.");
    expect(textOf(toy)).toContain("What the machine costs is not stated, and not counted, for m2-max.");
    expect(textOf(toy)).toContain("1 of 50 machines lost money.");
    const losing = supply.operatorClasses.map((of) => ({ ...of, profitMsat: -1_000 }));
    expect(textOf({ ...toy, supply: { ...supply, operatorClasses: losing } })).toContain("fell short of their costs by 3 sat");
    expect(renderMarkdown(toy)).toMatch(/\| operators: rtx3060 \| fiat money \| [\d,]+ \| [\d.]+ sat \|/);
    expect(textOf({ ...toy, supply: { ...supply, exchange: null } })).not.toContain("bitcoin");
  });

  test("lists who came and went, and draws them", () => {
    const entry = [{ name: "rtx3060", potential: 40, atStart: 20, atEnd: 25, joins: 9, leaves: 4, outsideMsatPerHour: 1_000, fixedMsatPerHour: 2_000 }];
    const moving = { ...toy, supply: { ...supply, entry } };
    expect(renderMarkdown(moving)).toMatch(/\| rtx3060 \| 40 \| 20 \| 9 \| 4 \| 25 \| [\d.]+ \| 1 sat \| 2 sat \|/);
    expect(renderPlots(moving).profit).toContain("Machines in the market");
    expect(renderPlots(toy).profit).not.toContain("Machines in the market");
  });
});
