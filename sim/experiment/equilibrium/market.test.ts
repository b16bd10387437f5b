/** Equilibria through the whole market, against closed forms. */
import { describe, expect, test } from "vitest";
import { loadScenario } from "../../scenario/load.ts";
import { conduct } from "../conduct.ts";
import { TaskPlayer } from "../play-task.ts";
import { equilibrium } from "./equilibrium.ts";
import type { EquilibriumOutcome } from "./equilibrium.ts";
import { strategyText } from "./payoffs.ts";

const quiet = {
  question: "Where do answers to each other lead?", network: { latency: 0, sameRegion: 0, signing: 0, verifying: 0 },
  payment: { latency: 0, clientBalance: "1000000000 sat" },
};

/** Plays the game of a market given by its parts. */
function play(parts: Readonly<Record<string, unknown>>): EquilibriumOutcome {
  const source = JSON.stringify({ name: "game", ...quiet, ...parts });
  const { experiment, scenario } = loadScenario(source, "game.json");
  const player = new TaskPlayer({ source, fileName: "game.json", sets: [] });
  return conduct(equilibrium(experiment.equilibrium!, { seed: scenario.seed }), (task, index) => player.play(task, index))!;
}

const strategies = ({ spec, profile }: EquilibriumOutcome): string[] => profile!.map((strategy, p) => strategyText(spec.players[p]!.strategies[strategy]!));
/** The most that anybody gains, as a share of what the player has. */
const regret = ({ standings }: EquilibriumOutcome): number => Math.max(...standings!.map(({ payoff, deviations }) => Math.max(...deviations.map(({ gain }) => gain.mean)) / Math.abs(payoff.mean)));
const names = ["a", "b", "c", "d", "e"];

describe("Cournot: inverse demand 100 - Q, cost 20, slots of half a unit, in a call market", () => {
  const cournot = (n: number, grid: object): EquilibriumOutcome => play({
    horizon: "14s", warmup: "6s", pricing: "call-market", router: { policy: "cheapest", queue: { limit: 0 } },
    operators: names.slice(0, n).map((name) => ({ name, model: "m", engine: { "service-time": { service: "500ms", slots: 40 } }, price: { fixed: "20 sat" }, marginalCost: { fixed: "20 sat" }, queueLimit: 0 })),
    clients: [{ name: "buyers", model: "m", arrivals: { regular: { rate: "200/s" } }, inputTokens: 1, outputTokens: 1, maxOutputTokens: 1, value: { uniform: { min: "0 msat", max: "100 sat" } } }],
    equilibrium: { players: Object.fromEntries(names.slice(0, n).map((name) => [name, { [`operators.${name}.engine.service-time.slots`]: grid }])), replications: 2, fresh: 5 },
  });

  test.each([
    [1, 40, { from: 64, to: 96, steps: 5 }],
    [2, 26.67, { from: 40, to: 68, steps: 8 }],
    [3, 20, { from: 28, to: 52, steps: 5 }],
    [5, 13.33, { from: 20, to: 34, steps: 3 }],
  ])("%i firms: %d each, and P = (100 + 20 n)/(n + 1), to the step of the grid", (n, quantity, grid) => {
    const outcome = cournot(n, grid);
    expect(outcome.kind).toBe("pure");
    const step = (grid.to - grid.from) / (grid.steps - 1) / 2;
    const quantities = strategies(outcome).map((slots) => Number(slots) / 2);
    for (const own of quantities) expect(Math.abs(own - quantity)).toBeLessThanOrEqual(1.25 * step);
    const { mean } = outcome.figures!.estimate("overall.prices.perJobMsat.mean", 0.99)!;
    expect(Math.abs(mean! / 1_000 - (100 + 20 * n) / (n + 1))).toBeLessThan(0.5 * n * step + 1);
    // A step beside the best answer costs step^2, a few percent of what a firm has.
    expect(regret(outcome)).toBeLessThan(0.03);
  });
});

describe("procurement auctions among three, costs uniform on [0, 1] for each job", () => {
  const auction = (payment: "first-price" | "second-price", options: readonly unknown[]): EquilibriumOutcome => play({
    horizon: "10.01s", router: { policy: "random", queue: { limit: 0 } }, pricing: { "call-for-bids": { payment, invited: 3, window: "1ms" } },
    operators: names.slice(0, 3).map((name) => ({
      name, model: "m", engine: { "service-time": { service: "1us", slots: 100 } }, price: { fixed: "1000 sat" },
      marginalCost: { fixed: { uniform: { min: 0, max: "1000 sat" } }, drawn: "job" }, strategy: "truthful",
    })),
    clients: [{ name: "buyer", model: "m", arrivals: { regular: { rate: "100/s" } }, inputTokens: 1, outputTokens: 1, maxOutputTokens: 1, maxPrice: "1000 sat" }],
    equilibrium: { players: Object.fromEntries(names.slice(0, 3).map((name) => [name, { [`operators.${name}.strategy`]: options }])), replications: 2, fresh: 5 },
  });
  /** Asks cost plus a share of what is left to the highest cost: the share is 1/bidders. */
  const share = (bidders: number): unknown => ({ "equilibrium-bid": { bidders } });

  test("first-price: of asking cost plus 1/2, 1/3, 1/6 or none of the way to 1, a third is what all end up with", () => {
    const outcome = auction("first-price", ["truthful", share(6), share(3), share(2)]);
    expect(outcome.kind).toBe("pure");
    expect(new Set(strategies(outcome))).toEqual(new Set(["{equilibrium-bid: {bidders: 3}}"]));
    // Who wins gets a third of 1 - c, with c the least of three costs, 1/4 on average: 1/4 a job, for each of them in a third of jobs.
    for (const { payoff } of outcome.standings!) expect(Math.abs(payoff.mean / (1_000 * 1_000_000) / (1 / 12) - 1)).toBeLessThan(0.06);
    expect(regret(outcome)).toBeLessThan(0.02);
  });

  test("second-price: bidding one's cost is best, and nobody gains anything by asking more", () => {
    const outcome = auction("second-price", ["truthful", share(6), share(2)]);
    expect(strategies(outcome)).toEqual(["truthful", "truthful", "truthful"]);
    for (const { deviations } of outcome.standings!) for (const { atMost } of deviations) expect(atMost).toBeLessThanOrEqual(0);
  });
});
