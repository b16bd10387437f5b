import { describe, expect, test } from "vitest";
import type { RunReport } from "../../../protocol/result.ts";
import { loadScenario } from "../../scenario/load.ts";
import { runScenario } from "../run.ts";

/**
 * A market of ample servers, 252 W each beyond idling, whose jobs take ten seconds: at 1 USD (1,000 sat) per kWh, a job
 * costs 700 msat. Electricity costs twice as much from the second hour on.
 */
const market = (strategy: string, changes: readonly string[] = []): RunReport => runScenario(loadScenario(`
name: shock
question: Who pays for dearer electricity?
horizon: 2h
warmup: 5min
exchangeRate: 100000 USD/btc
router: { policy: cheapest, queue: {limit: 0} }
payment: { latency: 10ms, clientBalance: 1 btc }
network: { signing: 0s, verifying: 0s }
operators:
  - name: firm
    count: 10
    model: m
    machine: { name: heater, family: nvidia, memory: 24 GB, bandwidth: 1000 GB/s, compute: 100 TFLOP/s, power: {idle: 20 W, load: 272 W} }
    engine: { service-time: { service: 10s, slots: 1 } }
    price: { fixed: 1050 msat }
    electricity: { steps: [[0h, 1 USD/kWh], [1h, 2 USD/kWh]] }
    strategy: ${strategy}
    reprice: { every: 10s, first: 10s }
clients:
  - { name: users, count: 20, model: m, arrivals: { poisson: { rate: 0.2/s } }, inputTokens: 500, outputTokens: 100, value: { uniform: { min: 0 msat, max: 4000 msat } } }
`, "shock.yaml", { sets: changes }).scenario);

describe("pass-through of a step of electricity prices within a run", () => {
  test("cost plus a mark-up passes 1 + mark-up on, less what came before the operators' next decision", () => {
    const { structure, welfare } = market("{cost-plus: {markup: 50 %}}");
    // Of an hour of twice the cost, ten seconds are still sold at the old price.
    expect(structure.passThrough.slope!).toBeGreaterThan(1.5 * (1 - 40 / 3600));
    expect(structure.passThrough.slope!).toBeLessThanOrEqual(1.5 + 1e-9);
    expect(structure.lerner!).toBeCloseTo(1 / 3, 2);
    expect(welfare!.firstBestMsat).toBeGreaterThan(welfare!.totalMsat);
  });

  test("at cost all of it, at fixed prices nothing", () => {
    expect(market("{cost-plus: {markup: 0 %}}").structure.passThrough.slope!).toBeCloseTo(1, 1);
    expect(market("fixed").structure.passThrough.slope!).toBeCloseTo(0, 9);
  });

  test("where costs stand still, or move only once nothing is measured any more, there is none", () => {
    const still = ["operators.firm.electricity=1 USD/kWh"];
    expect(market("{cost-plus: {markup: 50 %}}", still).structure.passThrough.slope).toBeNull();
    expect(market("fixed", ["operators.firm.electricity={steps: [[0h, 1 USD/kWh], [3h, 2 USD/kWh]]}"]).structure.passThrough.slope).toBeNull();
    expect(market("fixed", ["operators.firm.marginalCost=none"]).structure.passThrough.slope).toBeNull();
  });

  test("a falling rate of exchange is a step of costs, too: electricity and stated costs in dollars", () => {
    const halved = ["exchange={steps: [[0h, 100000 USD/btc], [1h, 50000 USD/btc]]}"];
    expect(market("{cost-plus: {markup: 50 %}}", [...halved, "operators.firm.electricity=1 USD/kWh"]).structure.passThrough.slope!).toBeCloseTo(1.5, 1);
    expect(market("{cost-plus: {markup: 50 %}}", [...halved, "operators.firm.marginalCost={fixed: 0.0007 USD}"]).structure.passThrough.slope!).toBeCloseTo(1.5, 1);
    expect(market("fixed", [...halved, "operators.firm.electricity=1 sat/kWh", "operators.firm.marginalCost={fixed: 700 msat}"]).structure.passThrough.slope).toBeNull();
  });
});

test("jobs cost what they cost when they were served, and the planner knows what they cost in his window", () => {
  const { welfare } = market("fixed");
  // Prices of 1,050 msat in both hours; half of the jobs cost 700 msat, half 1,400 msat: on average 1,050 msat, less for the warm-up.
  const perJob = welfare!.costMsat / welfare!.delivered;
  expect(Math.abs(perJob - (55 * 700 + 60 * 1_400) / 115)).toBeLessThan(2.576 * 350 / Math.sqrt(welfare!.delivered));
  // Values uniform on [0, 4000]: what is worth 700 to 1,050 in the first hour is lost to the price, and in the second what is worth 1,050 to 1,400 is served at a loss.
  const jobs = welfare!.jobs;
  const lost = (350 * 350) / (2 * 4_000);
  expect(Math.abs(welfare!.losses.price / jobs - (55 / 115) * lost)).toBeLessThan(2.576 * 60 / Math.sqrt(jobs));
  expect(Math.abs(welfare!.losses.misallocation / jobs - (60 / 115) * lost)).toBeLessThan(2.576 * 60 / Math.sqrt(jobs));
  expect(welfare!.deadweightMsat).toBe(welfare!.losses.price + welfare!.losses.misallocation);
});

test("truthful bids are at the cost of the moment, before any decision", () => {
  const { structure, overall } = market("truthful", ["pricing={call-for-bids: {payment: first-price, window: 100ms, invited: 4}}", "operators.firm.reprice=12h", "operators.firm.price={fixed: 1 msat}"]);
  expect(structure.passThrough.slope!).toBeGreaterThan(0.98);
  expect(structure.passThrough.slope!).toBeLessThanOrEqual(1 + 1e-9);
  expect(overall.jobs.completed).toBeGreaterThan(700);
});

test("bids of the first-price equilibrium, costs uniform in dollars and drawn by the job: twice the dollar's worth is 1/(n + 1) dearer to serve and 2/(n + 1) dearer to buy", () => {
  const { structure, welfare } = market("{equilibrium-bid: {bidders: 4}}", [
    "operators.firm.count=4", "operators.firm.engine={service-time: {service: 10s, slots: 100}}", "operators.firm.price={fixed: 4000 msat}", "operators.firm.marginalCost={fixed: {uniform: {min: 0 USD, max: 0.001 USD}}, drawn: job}",
    "exchange={steps: [[0h, 100000 USD/btc], [1h, 50000 USD/btc]]}", "operators.firm.electricity=1 sat/kWh",
    "pricing={call-for-bids: {payment: first-price, window: 100ms, invited: 4}}", "clients.users.value=4 sat", "clients.users.arrivals={poisson: {rate: 0.4/s}}",
  ]);
  // The rise of the winner's cost, 200 msat, has a standard deviation of sqrt(163^2 + 327^2) / sqrt(1400) = 9.8 msat; bids are (max + 3 c) / 4.
  expect(structure.passThrough.slope!).toBeGreaterThan(0.75 + 250 / (200 + 2.576 * 9.8));
  expect(structure.passThrough.slope!).toBeLessThan(0.75 + 250 / (200 - 2.576 * 9.8));
  expect(welfare!.shareReached!).toBeGreaterThan(0.99);
});
