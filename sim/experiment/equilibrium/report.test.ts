import { expect, test } from "vitest";
import { equilibriumReport } from "../../../protocol/result/equilibrium.ts";
import type { EquilibriumReport } from "../../../protocol/result/equilibrium.ts";
import { experimentDigest } from "../../../protocol/result/experiment.ts";
import { resolveEquilibrium } from "../../scenario/sections/equilibrium.ts";
import { conduct } from "../conduct.ts";
import { noise, playBy } from "../search/testing/noisy.ts";
import { equilibriumForReport } from "./report.ts";

type Input = NonNullable<Parameters<typeof resolveEquilibrium>[0]>;
type Figures = Parameters<typeof playBy>[0];

const surplus = (name: string): string => `welfare.operatorClasses.${name}.surplusMsat`;
const names = ["left", "right", "middle"];

function reportOf(input: Input, figures: Figures): EquilibriumReport {
  const spec = resolveEquilibrium(input, { clients: [], operators: Object.keys(input.players) }, ({ found }) => { throw new Error(found); }, () => ({ place: [], field: [] }))!;
  return conduct(equilibriumForReport({ scenario: { name: "toy", question: "Where do answers lead?" } as never, spec, seed: 1, sets: [], lab: { name: "infernet-lab", version: "0.0.0" } }), playBy(figures))!;
}

/** Cournot: price 100 - Q, cost 20, in sat. */
const cournot = (n: number): Figures => (numbers, seed) => {
  const all = names.slice(0, n).map((name) => numbers[`operators.${name}.q`]!);
  const price = 100 - all.reduce((a, b) => a + b, 0) + 3 * noise(seed, "demand");
  return { "overall.prices.perJobMsat.mean": 1_000 * price, ...Object.fromEntries(all.map((own, i) => [surplus(names[i]!), Math.round(1_000 * own * (price - 20))])) };
};
const firms = (n: number): Input["players"] => Object.fromEntries(names.slice(0, n).map((name) => [name, { [`operators.${name}.q`]: { from: 10, to: 40, steps: 7 } }]));
const shapes = ["rock", "paper", "scissors"];

const reports: Readonly<Record<string, EquilibriumReport>> = {
  "two who decide a number": reportOf({ players: firms(2), start: "lowest", fresh: 6 }, cournot(2)),
  "three together": reportOf({ players: firms(3), moves: "together", fresh: 4 }, cournot(3)),
  "a mixture": reportOf({ players: { a: { "a.x": shapes }, b: { "b.x": shapes } }, replications: 3, fresh: 6 }, (_, seed, { sets }) => {
    const [a, b] = sets.map((set) => shapes.indexOf(set.slice(4))) as [number, number];
    const won = [0, 1, -1][(a - b + 3) % 3]! * 1_000;
    return { [surplus("a")]: won + 50 * noise(seed, `${a}${b}`), [surplus("b")]: -won + 50 * noise(seed, `${b}${a}`) };
  }),
  "two paths and failures": reportOf({ players: { a: { "a.x": [1, 2], "a.y": ["p", "q"] } }, replications: 2, fresh: 3 }, ({ "a.x": x = 0 }, seed, { sets }) => {
    if (sets.join() === "a.x=2,a.y=q") throw new Error("<script>|*` broken");
    return { [surplus("a")]: 1_000 * x + noise(seed, "x") };
  }),
  "a budget that ends": reportOf({ players: firms(2), start: "lowest", budget: 60, fresh: 3 }, cournot(2)),
};

test("reports are as the schema has them, and as those that the pictures are tested with; `npx vitest run sim/experiment/equilibrium -u` rewrites these", async () => {
  for (const [name, report] of Object.entries(reports)) {
    expect(equilibriumReport.safeParse(report).error, name).toBeUndefined();
    expect(report.provenance.resultsDigest).toBe(experimentDigest(report));
  }
  await expect(`${JSON.stringify(reports)}\n`).toMatchFileSnapshot("../../../reports/fixtures/equilibria.json");
});

test("the answer in plain words: who does what, how much anybody would still gain, and what each has", () => {
  const { headline, findings, players, regret } = reports["two who decide a number"]!;
  expect(headline).toMatch(/^The market settles: left with q = (25|30); right with q = (25|30)\. In the runs of the search, nobody gains by another strategy of the grid\.$/);
  expect(findings[0]).toMatch(/^In 6 fresh runs of each, the most that anybody gains by another strategy is [\d.]+ sat \([\d.]+ % of what (left|right) has\): (left|right) with \d+\.$/);
  expect(findings[1]).toMatch(/^With 95 % confidence, nobody can gain more than [\d.]+ sat \([\d.]+ % of what (left|right) has\) by any other strategy of the grid, the others as they are\.$/);
  expect(regret!.atMost).toBe(Math.max(...players.map((player) => player.regret!.atMost!)));
  // Nothing is gained by doing what one does.
  for (const { deviations, plays } of players) expect(deviations[plays[0]!.strategy]!.gain).toEqual({ mean: 0, atLeast: 0, atMost: 0 });
});

test("other answers say what they are: a mixture, alike for all, unsettled, with failures", () => {
  const text = (name: string): string => [reports[name]!.headline, ...reports[name]!.findings].join("\n");
  expect(text("a mixture")).toMatch(/^Best answers go round in circles; a mixture is nearly in equilibrium: a with a\.x = \w+ in 3\d %, /);
  expect(text("three together")).toMatch(/^The market settles: all 3 with q = 20\./);
  expect(text("a budget that ends")).toMatch(/^Nothing settled within 30 rounds and the budget of runs/);
  expect(text("two paths and failures")).toMatch(/\d of them failed; a strategy with a failed run is not chosen, and what it would gain is not known\./);
  expect(reports["two paths and failures"]!.players[0]!.deviations[3]!.gain.mean).toBeNull();
});
