import { expect, test } from "vitest";
import { searchReport } from "../../../protocol/result/search.ts";
import type { SearchReport } from "../../../protocol/result/search.ts";
import { findMetric } from "../../../protocol/result/metrics.ts";
import { experimentDigest } from "../../../protocol/result/experiment.ts";
import { resolveSearch } from "../../scenario/sections/search.ts";
import { conduct } from "../conduct.ts";
import { searchForReport } from "./report.ts";
import { noise, playBy } from "./testing/noisy.ts";

type Input = NonNullable<Parameters<typeof resolveSearch>[0]>;
type Figures = Parameters<typeof playBy>[0];

const goodput = findMetric("goodput")!.label;
const revenue = "welfare.routerRevenueMsat";
const fee = "router.fee.flat";

function reportOf(input: Input, figures: Figures): SearchReport {
  const spec = resolveSearch(input, { clients: [], operators: [] }, ({ found }) => { throw new Error(found); }, () => ({ place: [], field: [] }))!;
  return conduct(searchForReport({ scenario: { name: "toy", question: "Which value is best?" } as never, spec, seed: 1, sets: [], lab: { name: "infernet-lab", version: "0.0.0" } }), playBy(figures))!;
}

/** A hill with its top at 40 msat; above 60 msat, too few jobs are served well. */
const hill: Figures = ({ [fee]: x = 0 }, seed) => ({
  [revenue]: Math.round(1e6 - 500 * (x - 40) * (x - 40) + 2e4 * noise(seed, "common") + 1e4 * noise(seed, `own ${x}`)), "overall.goodput.share": x > 60 ? 0.8 : 0.97,
});

const reports: Readonly<Record<string, SearchReport>> = {
  "a list of numbers": reportOf({ maximise: "router.revenue", over: { [fee]: { from: "10 msat", to: "70 msat", steps: 7 } }, subjectTo: { goodput: { atLeast: 0.9 } }, indifference: "1 %", fresh: 5 }, hill),
  "words and a number": reportOf(
    { minimise: "router.revenue", over: { "router.policy": ["cheapest", "random", "a policy whose name is so long that no axis of any plot has room for it"], "router.attempts": [1, 2] }, first: 4, fresh: 3 },
    ({ "router.attempts": attempts = 0 }, seed, { sets }) => ({ [revenue]: 1_000 * attempts + 300 * sets[0]!.length + 10 * noise(seed, sets.join()) }),
  ),
  "a budget, by OCBA": reportOf({ maximise: "router.revenue", over: { [fee]: { from: "10 msat", to: "70 msat", steps: 7 } }, method: "ocba", budget: 120, first: 5, fresh: 4 }, hill),
  "a range": reportOf({ maximise: "router.revenue", over: { [fee]: { from: "0 msat", to: "100 msat", step: "1 msat" } }, budget: 200, fresh: 4, first: 5 }, hill),
  "two ranges": reportOf(
    { maximise: "router.revenue", over: { [fee]: { from: "0 msat", to: "100 msat" }, "router.attempts": { from: 1, to: 9, step: 1 } }, replications: 2, budget: 150, fresh: 4, first: 5 },
    ({ [fee]: x = 0, "router.attempts": attempts = 0 }, seed, { sets }) => ({ [revenue]: Math.round(1e6 - 500 * (x - 40) * (x - 40) - 1e5 * (attempts - 3) * (attempts - 3) + 1e4 * noise(seed, sets.join())) }),
  ),
  "nothing but failures": reportOf({ maximise: "router.revenue", over: { [fee]: { from: "10 msat", to: "70 msat", steps: 3 } }, first: 2, fresh: 2 }, () => { throw new Error("<script>|*` broken"); }),
  "no noise and no difference": reportOf({ maximise: "router.revenue", over: { [fee]: { from: "10 msat", to: "70 msat", steps: 3 } }, first: 2, fresh: 2 }, () => ({ [revenue]: 0 })),
};

test("reports are as the schema has them, and as those that the pictures are tested with; `npx vitest run sim/experiment/search -u` rewrites these", async () => {
  for (const [name, report] of Object.entries(reports)) {
    expect(searchReport.safeParse(report).error, name).toBeUndefined();
    expect(report.provenance.resultsDigest).toBe(experimentDigest(report));
  }
  await expect(`${JSON.stringify(reports)}\n`).toMatchFileSnapshot("../../../reports/fixtures/searches.json");
});

test("a list's answer in plain words: the value, what it is worth, how sure that is, what is next, and what was set aside", () => {
  const { headline, findings } = reports["a list of numbers"]!;
  expect(headline).toMatch(/^The highest routers' revenue comes with router\.fee\.flat = 40 msat \(in steps of 10 msat\): [\d.,]+ sat on average over 5 fresh runs \(95 % interval [\d.,]+ sat to [\d.,]+ sat\)\.$/);
  expect(findings).toEqual([
    "With a probability of 95 %, none of the others that can be chosen is better.",
    expect.stringMatching(/^If one of the alternatives is better than all others by 1[\d.]+ sat \(1 %\) or more, it was chosen with a probability of 95 % at least \(Kim and Nelson 2001; runs independent and nearly normal\)\.$/),
    expect.stringMatching(/^Next comes router\.fee\.flat = [35]0 msat, worse by [\d.]+ sat \(95 % interval [\d.]+ sat to [\d.]+ sat\)\.$/),
    `With it, ${goodput} is 97 %: at least 90 % is kept.`,
    `Set aside: 70 msat (${goodput} is 80 %, not at least 90 %).`,
  ]);
});

test("other answers say what they are: approximate, without a guarantee, at an edge, none, or all the same", () => {
  const text = (name: string): string => [reports[name]!.headline, ...reports[name]!.findings].join("\n");
  expect(text("a budget, by OCBA")).toMatch(/By OCBA's approximation, .* probability of [\d.]+ %\. That is an estimate from the same runs, and no guarantee\./);
  expect(text("a range")).toMatch(/The highest routers' revenue found comes with router\.fee\.flat = (3[5-9]|4[0-5]) msat \(in steps of 1 msat\)/);
  expect(text("a range")).toContain("The budget ended before the race was decided");
  expect(text("words and a number")).toContain("1 is the least that was tried for router.attempts");
  expect(text("nothing but failures")).toMatch(/^No value was found: every alternative was set aside/);
  expect(text("no noise and no difference")).toContain("does just as well.");
});
