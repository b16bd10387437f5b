import { expect, test } from "vitest";
import type { RunReport } from "../protocol/result.ts";
import { findings } from "./findings.ts";
import { renderHtml } from "./html.ts";
import { renderMarkdown } from "./markdown.ts";
import { renderNodesCsv } from "./nodes-csv.ts";
import { renderPlots } from "./plots/plots.ts";
import { toy } from "./testing/reports.ts";

/** The toy market with energy for the first two classes, and a price of electricity for the first. */
const powered: RunReport = {
  ...toy,
  operatorClasses: toy.operatorClasses.map((of, index) => ({
    ...of, revenueMsat: 1_000_000, energyKwh: index < 2 ? 12.3456 : null, electricityMsat: index === 0 ? 1_235_000 : null,
  })),
  nodes: toy.nodes.map((of, index) => ({ ...of, energyKwh: index === 0 ? 0.125 : null, electricityMsat: index === 0 ? 5_000 : null })),
};

const earnings = (report: RunReport): string[] => {
  const lines = renderMarkdown(report).split("\n");
  return lines.slice(lines.findIndex((line) => line.startsWith("**What operators earned")) + 2).slice(0, 2 + report.operatorClasses.length);
};

test("what operators earned stands next to what their electricity cost", () => {
  const [head, , first, second, third] = earnings(powered);
  expect(head).toMatch(/\| energy \| electricity \| left \|$/);
  expect(first).toMatch(/\| 12\.35 kWh \| 1,235 sat \| -235 sat \|$/);
  expect(second).toMatch(/\| 12\.35 kWh \| – \| – \|$/);
  expect(third).toMatch(/\| – \| – \| – \|$/);
  expect(renderHtml(powered, renderPlots(powered))).toMatch(/<td class="n">-235 sat<\/td>/);
});

test("energy without any price has a column of its own, and without energy there is none", () => {
  const unpriced = { ...powered, operatorClasses: powered.operatorClasses.map((of) => ({ ...of, electricityMsat: null })) };
  expect(earnings(unpriced)[0]).toMatch(/\| energy \|$/);
  const unknown = { ...powered, operatorClasses: powered.operatorClasses.map((of) => ({ ...of, energyKwh: null, electricityMsat: null })) };
  expect(earnings(unknown)[0]).not.toContain("energy");
});

test("a class that pays more than it earns stands out, one that just breaks even does not", () => {
  const { name } = powered.operatorClasses[0]!;
  expect(findings(powered)).toContain(`${name} earned 1,000 sat, less than the 1,235 sat that its electricity cost.`);
  const even = { ...powered, operatorClasses: powered.operatorClasses.map((of) => ({ ...of, electricityMsat: of.revenueMsat })) };
  expect(findings(even).join("\n")).not.toContain("electricity");
});

test("nodes.csv has each node's energy and its cost, empty where they are not known", () => {
  const [head, first, second] = renderNodesCsv(powered).split("\n").map((line) => line.split(","));
  const at = (row: string[] | undefined, column: string): string | undefined => row?.[head!.indexOf(column)];
  expect([at(first, "energyKwh"), at(first, "electricityMsat")]).toEqual(["0.125", "5000"]);
  expect([at(second, "energyKwh"), at(second, "electricityMsat")]).toEqual(["", ""]);
});
