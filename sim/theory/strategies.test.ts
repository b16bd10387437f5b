/** What operators' strategies come to, played through the whole market, against the closed forms of price theory. */
import { describe, expect, test } from "vitest";
import type { RunReport } from "../../protocol/result.ts";
import { runScenario } from "../experiment/run.ts";
import { loadScenario } from "../scenario/load.ts";
import { planNodes } from "../world/supply.ts";

/** Student's t, two-sided 99 %, by degrees of freedom. */
const T99: Readonly<Record<number, number>> = { 2: 9.925, 3: 5.841, 4: 4.604, 5: 4.032, 7: 3.499 };

/** A market of one model with room for all, no delay between peers, clients with money, and a router that keeps nothing waiting. */
function market(yaml: string): string {
  return `name: strategies\nquestion: Where do prices end?\nrouter: {policy: cheapest, queue: {limit: 0}}\npayment: {clientBalance: 1000 btc}\nnetwork: {latency: 0s, sameRegion: 0s, signing: 0s, verifying: 0s}\n${yaml}`;
}

const CLIENTS = (more: string): string => `clients: [{name: c, model: m, inputTokens: 1, outputTokens: 1, ${more}}]`;

function play(yaml: string, seed: number): RunReport {
  return runScenario(loadScenario(market(yaml), "strategies.yaml").scenario, { seed });
}

/** 99 % confidence interval of the mean over independent runs. */
function interval(values: readonly number[]): { readonly mean: number; readonly halfWidth: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) * (value - mean), 0) / (values.length - 1);
  return { mean, halfWidth: T99[values.length - 1]! * Math.sqrt(variance / values.length) };
}

/** The price of its grid that a learner asked most of the time, as a multiple of its opening price. */
function favourite(report: RunReport, operatorClass = 0): number {
  return report.asks!.operatorClasses[operatorClass]!.choices.reduce((best, choice) => (choice.share > best.share ? choice : best)).multiple;
}

describe("monopoly: demand 1000 - p, marginal cost 200, price (1000 + 200)/2 = 600", () => {
  const monopolist = (strategy: string): string => `horizon: 12h\nwarmup: 4h\noperators: [{name: firm, model: m, engine: {service-time: {service: 1ms, slots: 1000}}, price: {fixed: 1000 msat}, queueLimit: 0, strategy: ${strategy}, reprice: 2min, marginalCost: {fixed: 200 msat}}]\n${CLIENTS("arrivals: {poisson: {rate: 1/s}}, value: {uniform: {min: 0 msat, max: 1000 msat}}")}`;

  test("epsilon-greedy finds it", () => {
    for (const seed of [1, 2, 3]) expect(favourite(play(monopolist("{epsilon-greedy: {grid: {from: 30 %, to: 90 %, steps: 5}}}"), seed))).toBe(0.6);
  });

  test("EXP3 finds it, in the mean of seeds: profit is symmetric around it, and so is the grid", () => {
    const prices = [1, 2, 3, 4, 5, 6].map((seed) => play(monopolist("{exp3: {grid: {from: 20 %, to: 100 %, steps: 9}, gamma: 20 %}}"), seed).asks!.operatorClasses[0]!.meanPrices.fixedMsat!);
    const { mean, halfWidth } = interval(prices);
    expect(halfWidth).toBeLessThan(60);
    expect(Math.abs(mean - 600)).toBeLessThan(halfWidth);
  });
});

describe("Cournot: inverse demand 100 - Q, marginal cost 20, in a call market with 200 bids a second", () => {
  /** One slot takes 0.5 of the textbook's units from the price. */
  const cournot = (operators: number, cost = 20_000): string => `horizon: 90s\nwarmup: 45s\npricing: call-market\noperators: [{name: firm, count: ${operators}, model: m, engine: {service-time: {service: 500ms, slots: 200}}, price: {fixed: ${cost} msat}, queueLimit: 0, strategy: {cournot: {slope: 500 msat, start: 20}}, reprice: 3s, marginalCost: {fixed: ${cost} msat}}]\n${CLIENTS("arrivals: {regular: {rate: 200/s}}, value: {uniform: {min: 0 msat, max: 100000 msat}}")}`;
  const prices = (yaml: string): { readonly mean: number; readonly halfWidth: number } => interval([1, 2, 3, 4, 5].map((seed) => play(yaml, seed).overall.prices.perJobMsat.mean! / 1_000));

  test.each([[1, 60], [2, 46.67], [3, 40], [5, 33.33]])("%i operators: P = %d", (operators, expected) => {
    const { mean, halfWidth } = prices(cournot(operators));
    expect(halfWidth).toBeLessThan(1.5);
    // Half a slot of each operator, for want of halves, and the width of a gap between bids.
    expect(Math.abs(mean - expected)).toBeLessThan(halfWidth + 0.25);
  });

  test("a cost of 23 instead is noticed", () => {
    const { mean, halfWidth } = prices(cournot(3, 23_000));
    expect(Math.abs(mean - 40)).toBeGreaterThan(halfWidth + 0.25);
    expect(Math.abs(mean - (100 + 3 * 23) / 4)).toBeLessThan(halfWidth + 0.25);
  });
});

test.each([1, 2, 3, 4, 5, 6])("Bertrand: undercutting by 1 % ends one step below the second-lowest cost, whatever the costs (seed %i)", (seed) => {
  const yaml = `horizon: 1h\nwarmup: 50min\noperators: [{name: firm, count: 4, model: m, engine: {service-time: {service: 1ms, slots: 1000}}, price: {fixed: 1000 msat}, strategy: undercut, reprice: 20s, marginalCost: {fixed: {uniform: {min: 300 msat, max: 900 msat}}}}]\n${CLIENTS("arrivals: {poisson: {rate: 1/s}}")}`;
  const costs = planNodes(loadScenario(market(yaml), "a.yaml").scenario, seed).map(({ marginalCost }) => marginalCost.sheet.fixedMsat);
  const [lowest, second] = costs.toSorted((a, b) => a - b) as [number, number];
  const report = play(yaml, seed);
  expect(report.overall.jobs.completed).toBe(report.overall.jobs.submitted);
  expect(report.overall.prices.perJobMsat).toMatchObject({ min: Math.max(lowest, Math.floor(0.99 * second)), max: Math.max(lowest, Math.floor(0.99 * second)) });
  expect(report.nodes.filter(({ jobs }) => jobs > 0).map(({ name }) => name)).toEqual([`firm-${costs.indexOf(lowest)}`]);
});

describe("logit demand, scale 100: the mark-up is 100/(1 - s)", () => {
  const seller = (rival: string, outside: string): string => `horizon: 6h\nwarmup: 90min\noperators:\n  - {name: firm, model: m, engine: {service-time: {service: 1ms, slots: 1000}}, price: {fixed: 1000 msat}, queueLimit: 0, strategy: {epsilon-greedy: {grid: {from: 30 %, to: 70 %, steps: 5}}}, reprice: 2min, marginalCost: {fixed: 200 msat}}\n${rival}\n${CLIENTS(`arrivals: {poisson: {rate: 2/s}}, maxPrice: 100 sat, choice: {logit: {scale: 100 msat, outside: ${outside}}}`)}`;

  test("against a rival at 400, with half the market: 200 + 200 = 400", () => {
    const yaml = seller("  - {name: rival, model: m, engine: {service-time: {service: 1ms, slots: 1000}}, price: {fixed: 400 msat}}", "none");
    for (const seed of [1, 2]) {
      const report = play(yaml, seed);
      expect(favourite(report)).toBe(0.4);
    }
  });

  test("against doing without at 569, two thirds of the market: 200 + 300 = 500", () => {
    for (const seed of [1, 2]) expect(favourite(play(seller("", "569 msat"), seed))).toBe(0.5);
  });
});

describe("newsvendor: 20 jobs on average come in a burst, a slot costs c, a job brings 1000", () => {
  // Poisson quantiles at (p - c)/p: the least q with P(D <= q) at least that.
  test.each([[500, 20], [200, 24], [50, 28]])("c = %i: about %i slots", (slotCost, quantile) => {
    const yaml = `horizon: 150min\nwarmup: 30min\noperators: [{name: vendor, model: m, engine: {service-time: {service: 5s, slots: 200}}, price: {fixed: 1000 msat}, queueLimit: 0, strategy: {newsvendor: {slotCost: ${slotCost} msat, step: 1, start: 20}}, reprice: {every: 10s, first: 9s}}]\n${CLIENTS("arrivals: {varying: {points: [[0s, 10/s], [2s, 10/s], [2001ms, 0/s], [10s, 0/s]], period: 10s}}")}`;
    const { mean, halfWidth } = interval([1, 2, 3, 4, 5].map((seed) => play(yaml, seed).asks!.operatorClasses[0]!.meanSlots!));
    // Slots are whole: the best lies between the quantile and the next.
    expect(halfWidth).toBeLessThan(1);
    expect(mean).toBeGreaterThan(quantile - halfWidth - 0.5);
    expect(mean).toBeLessThan(quantile + 1 + halfWidth);
  });
});
