import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EntryMarket, IN, JOINING, LEAVING, ObservedProfit, OUT } from "./entry.ts";

const HOUR = 3_600_000_000;

/**
 * A market whose demand brings `demandMsat` an hour, shared equally by the nodes that are there, each of which costs
 * `costMsat` an hour. Operators think in turn, one every hour, `delayHours` before it happens.
 */
function play(options: { demandMsat: number; costMsat: number; outsideMsat: number; potential: number; present: number; hours: number; delayHours?: number; announced?: boolean; capacityMsat?: number }): number[] {
  const { demandMsat, costMsat, outsideMsat, potential, present, hours, delayHours = 5, announced = true, capacityMsat = Infinity } = options;
  const market = new EntryMarket(new Float64Array(potential).fill(outsideMsat), present, 12 * HOUR, announced);
  const due: [number, number][] = [];
  const nodes: number[] = [];
  for (let hour = 0; hour < hours; hour++) {
    for (const [, operator] of due.filter(([at]) => at === hour)) {
      if (market.state(operator) === JOINING) market.joined(operator);
      else market.left(operator);
    }
    const count = market.present;
    market.observed.observe(HOUR, count * HOUR, Math.min(demandMsat, count * capacityMsat), count * costMsat);
    if (market.thinks(hour % potential, costMsat)) due.push([hour + delayHours, hour % potential]);
    nodes.push(market.present);
  }
  return nodes;
}

describe("free entry with known demand and cost", () => {
  // n nodes earn D / n - c each; the last one for whom that is at least its outside option is floor(D / (c + o)).
  test.each([
    ["from nobody", 0], ["from below", 3], ["from the number itself", 20], ["from above", 50],
  ])("ends at the zero-profit number, %s", (_, present) => {
    const nodes = play({ demandMsat: 2050, costMsat: 80, outsideMsat: 20, potential: 50, present, hours: 2500 });
    expect(new Set(nodes.slice(-500))).toEqual(new Set([20]));
  });

  test("whatever demand, cost and outside option are", () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 100 }), fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 50 }), (equilibrium, costMsat, outsideMsat, present) => {
      const nodes = play({ demandMsat: (equilibrium + 0.5) * (costMsat + outsideMsat), costMsat, outsideMsat, potential: 50, present, hours: 3000 });
      expect(nodes.at(-1)).toBe(equilibrium);
    }), { seed: 1, numRuns: 40 });
  });

  test("where nodes are full, until demand is met or the cost is", () => {
    // Each node takes in 150 at most: 14 would do for the demand, and the 15th to 20th still share it with profit.
    const nodes = play({ demandMsat: 2050, costMsat: 80, outsideMsat: 20, potential: 50, present: 2, hours: 4000, capacityMsat: 150 });
    expect(nodes.at(-1)).toBe(20);
  });

  test("swings where nobody knows who else is coming: all enter, all leave", () => {
    const blind = play({ demandMsat: 2050, costMsat: 80, outsideMsat: 20, potential: 50, present: 3, hours: 1500, delayHours: 40, announced: false });
    const seeing = play({ demandMsat: 2050, costMsat: 80, outsideMsat: 20, potential: 50, present: 3, hours: 1500, delayHours: 40 });
    expect(Math.max(...blind)).toBeGreaterThan(30);
    expect(Math.max(...seeing)).toBeLessThan(24);
  });
});

describe("what is observed", () => {
  test("is a mean in which the past counts less, exponentially", () => {
    const observed = new ObservedProfit(10 * HOUR);
    for (let i = 0; i < 500; i++) observed.observe(HOUR, 2 * HOUR, 100, 40);
    expect(observed.perHourMsat).toBeCloseTo(60, 9);
    expect(observed.meanNodes).toBeCloseTo(2, 9);
    for (let i = 0; i < 10; i++) observed.observe(HOUR, 4 * HOUR, 200, 40);
    expect(observed.perHourMsat).toBeCloseTo(160 + (60 - 160) * Math.exp(-1), 6);
    // Fixed costs of 5 a node are set apart and not shared.
    expect(observed.expectedMsat(5, 5)).toBeCloseTo((observed.perHourMsat + 5 * observed.meanNodes) / 5 - 5, 9);
  });

  test("is forgotten once nobody has been there for long, so that somebody tries again", () => {
    const market = new EntryMarket(new Float64Array(2), 1, 2 * HOUR, true);
    market.observed.observe(HOUR, HOUR, 0, 5);
    expect(market.thinks(0, 5)).toBe(true);
    market.left(0);
    for (let hour = 0; hour < 6; hour++) market.observed.observe(HOUR, 0, 0, 0);
    expect(market.thinks(1, 5)).toBe(false);
    market.observed.observe(HOUR, 0, 0, 0);
    expect(market.thinks(1, 5)).toBe(true);
  });

  test("is nothing while no node is there", () => {
    const observed = new ObservedProfit(HOUR);
    observed.observe(HOUR, 0, 0, 0);
    expect(observed.known).toBe(false);
  });
});

test("one is sent ahead where nobody has tried, and no second one with it", () => {
  const market = new EntryMarket(new Float64Array(3), 0, HOUR, true);
  expect([0, 1, 2].map((operator) => market.thinks(operator, 1))).toEqual([true, false, false]);
  expect([market.state(0), market.state(1), market.present]).toEqual([JOINING, OUT, 0]);
  market.joined(0);
  expect([market.state(0), market.present]).toEqual([IN, 1]);
  market.observed.observe(HOUR, HOUR, 0, 5);
  expect(market.thinks(0, 5)).toBe(true);
  expect([market.state(0), market.present]).toEqual([LEAVING, 1]);
  expect(() => market.joined(0)).toThrow(/cannot go/);
});
