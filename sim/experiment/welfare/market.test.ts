import { describe, expect, test } from "vitest";
import type { RunReport } from "../../../protocol/result.ts";
import { loadScenario } from "../../scenario/load.ts";
import { runScenario } from "../run.ts";
import { passThroughBetween } from "./pass-through.ts";

/** A market of ample servers with one price and one marginal cost, 200 msat a job. */
const market = (price: string, client: string, cost = 200): RunReport => runScenario(loadScenario(`
name: textbook
question: Does the whole market give the textbook's areas?
horizon: 1h
router: { policy: cheapest, queue: {limit: 0} }
payment: { latency: 10ms }
network: { signing: 0s, verifying: 0s }
operators:
  - { name: firm, count: 20, model: m, engine: { service-time: { service: 1s, slots: 4 } }, price: { fixed: ${price} }, marginalCost: { fixed: ${cost} msat }, queueLimit: 50 }
clients:
  - { name: users, count: 20, model: m, arrivals: { poisson: { rate: 5/s } }, inputTokens: 500, outputTokens: 100, ${client} }
`, "textbook.yaml").scenario);

/** Areas per job wanted, msat. */
const areas = ({ welfare }: RunReport): { consumers: number; operators: number; price: number; best: number; jobs: number } => {
  const { jobs, consumerSurplusMsat, operatorSurplusMsat, losses, firstBestMsat } = welfare!;
  return { consumers: consumerSurplusMsat / jobs, operators: operatorSurplusMsat / jobs, price: losses.price / jobs, best: firstBestMsat / jobs, jobs };
};

const LINEAR = "value: { uniform: { min: 0 msat, max: 1000 msat } }";

test("pass-through between two runs: a monopolist facing linear demand passes half of a cost on, a competitor all", () => {
  // A price of 600 msat at a cost of 200, of 650 at 300; the seed, and so the demand, is the same.
  expect(passThroughBetween([market("600 msat", LINEAR), market("650 msat", LINEAR, 300)])).toBeCloseTo(0.5, 9);
  expect(passThroughBetween([market("200 msat", LINEAR), market("300 msat", LINEAR, 300)])).toBeCloseTo(1, 9);
  expect(passThroughBetween([market("600 msat", LINEAR), market("650 msat", LINEAR)])).toBeNull();
});

describe("through the whole market, linear demand (values uniform on [0, 1000] msat), cost 200 msat", () => {
  const near = (found: number, expected: number, jobs: number): void => expect(Math.abs(found - expected)).toBeLessThan((2.576 * 500) / Math.sqrt(jobs));

  test("competition, p = c: (a - c)^2 / 2a for consumers, and nothing is lost", () => {
    const { consumers, operators, best, jobs } = areas(market("200 msat", LINEAR));
    near(consumers, 320, jobs);
    expect([operators, best]).toEqual([0, consumers]);
  });

  test("monopoly, p = (a + c) / 2: 80, 160 and a deadweight loss of 80; Lerner index 2/3", () => {
    const report = market("600 msat", LINEAR);
    const { consumers, operators, price, best, jobs } = areas(report);
    for (const [found, expected] of [[consumers, 80], [operators, 160], [price, 80], [best, 320]] as const) near(found, expected, jobs);
    expect(report.welfare!.deadweightMsat).toBe(report.welfare!.losses.price);
    expect(report.structure.lerner).toBeCloseTo(2 / 3, 12);
    expect(report.structure.hhi.operatorClasses).toBe(1);
    // The dot of the picture: 40 % of demand at 600 msat for 600 tokens.
    expect(report.welfare!.curves.traded!.perMtokMsat).toBeCloseTo(1_000_000, 6);
  });

  test("shading: who bids a quarter below value loses the trades between price and price / 0.75", () => {
    const { price, consumers, jobs } = areas(market("300 msat", `${LINEAR}, shading: 25 %`));
    // Served: values of 400 and more. Lost: those from 200 to 400, worth 100 more than their cost on average.
    near(price, 0.2 * 100, jobs);
    near(consumers, 0.6 * 400, jobs);
  });
});

test("constant elasticity 2 from 250 msat on: a price twice as high sells a quarter", () => {
  const sold = (price: string): number => market(price, "elasticity: { of: 2, from: 250 msat }").overall.jobs.completed;
  const [low, high] = [sold("250 msat"), sold("500 msat")];
  expect(Math.abs(high / low - 0.25)).toBeLessThan(2.576 * Math.sqrt((0.25 * 0.75) / low));
});

test("a budget is spent first come, first served; what it leaves unbought is lost to it", () => {
  const { welfare, overall, money } = market("300 msat", "maxPrice: 500 msat, budget: { amount: 3 sat, per: 10min }");
  // Six periods, twenty clients, nine jobs of 300 msat each: of the 300 msat that are left then, nobody can set 500 aside.
  expect(overall.jobs.completed).toBe(6 * 20 * 9);
  expect(money!.accounts.find(({ kind }) => kind === "clients")!.changeMsat).toBe(-6 * 20 * 2_700);
  expect(welfare!.losses.budget).toBe(welfare!.deadweightMsat);
  expect(welfare!.losses.budget).toBe((welfare!.jobs - welfare!.delivered) * 300);
});

test("a budget that lowers the price: what is left is offered, too", () => {
  // Ten jobs, and for the eleventh 200 msat are offered: too little.
  const { overall } = market("300 msat", "maxPrice: 500 msat, budget: { amount: 3200 msat, per: 10min, spent: lower }");
  expect(overall.jobs.rejected).toBeGreaterThan(0);
  expect(overall.jobs.completed).toBe(6 * 20 * 10);
});

test("waiting costs what the scenario says, and the first-best does not wait", () => {
  const { welfare, overall } = market("300 msat", "maxPrice: 500 msat, delayCost: 10 msat");
  const endToEndS = overall.latency.endToEndUs.mean! / 1e6;
  // Rounded up job by job.
  expect(welfare!.losses.waiting / overall.jobs.completed).toBeGreaterThanOrEqual(10 * endToEndS);
  expect(welfare!.losses.waiting / overall.jobs.completed).toBeLessThan(10 * endToEndS + 1);
  expect(welfare!.losses.waiting).toBe(welfare!.deadweightMsat);
});

test("what no node can hold is nobody's loss: a prompt longer than every context", () => {
  const { welfare, overall } = runScenario(loadScenario(`
name: long
question: Is a job that nobody could serve lost?
horizon: 10min
operators:
  - { name: gpu, count: 4, machine: RTX 4090, model: "llama-3.1-8b:q4_k_m", engine: { llama.cpp: { slots: 4, context: 4Ki } }, price: { fixed: 10 msat } }
clients:
  - { name: short, model: "llama-3.1-8b:q4_k_m", arrivals: { poisson: { rate: 1/s } }, inputTokens: 500, outputTokens: 50, value: 100 msat }
  - { name: long, model: "llama-3.1-8b:q4_k_m", arrivals: { poisson: { rate: 1/s } }, inputTokens: { values: [100, 5000] }, outputTokens: 50, maxOutputTokens: 200, value: 100 msat }
  - { name: wary, model: "llama-3.1-8b:q4_k_m", arrivals: { poisson: { rate: 1/s } }, inputTokens: { values: [100, 4000] }, outputTokens: 50, maxOutputTokens: 200, value: 100 msat }
`, "long.yaml").scenario);
  const [, long, wary] = welfare!.clientClasses;
  const unserved = ({ jobs, delivered }: { jobs: number; delivered: number }): number => jobs - delivered;
  expect(unserved(long!)).toBeGreaterThan(100);
  expect(unserved(long!) + unserved(wary!)).toBe(overall.jobs.rejected);
  // Who knew that the answer is short could have served the third class: 4,050 tokens are within 4,096.
  expect(welfare!.losses.rejection).toBe(unserved(wary!) * 100);
  expect(welfare!.firstBestMsat).toBe((welfare!.jobs - unserved(long!)) * 100);
});

test("paid before work, a client that never pays gets nothing: lost by nonpayment, and by that alone; paid afterwards, it keeps everything", () => {
  const [before, after] = ["settlement: prepay", ""].map((way) => market("300 msat", `value: 500 msat, nonPayment: { clients: 10 %, jobs: 100 % }, ${way}`).welfare!);
  expect(before!.losses.nonpayment).toBe(before!.deadweightMsat);
  expect(before!.losses.nonpayment).toBe((before!.jobs - before!.delivered) * 300);
  expect(after!.deadweightMsat).toBe(0);
  // Two of twenty clients, whoever else loses by it: a transfer, and no loss.
  expect(before!.shareReached! / after!.shareReached!).toBeCloseTo(0.9, 1);
  expect(before!.firstBestMsat).toBe(after!.firstBestMsat);
});

test("who does not say what jobs are worth gets no accounts", () => {
  const { welfare, structure, checks } = market("300 msat", "patience: 1min");
  expect([welfare, structure.lerner]).toEqual([null, null]);
  expect(checks.laws.some(({ law }) => law === "welfare accounts")).toBe(false);
});
