import { describe, expect, test } from "vitest";
import { viabilityDigest } from "../../../protocol/result/viability.ts";
import type { ViabilityReport } from "../../../protocol/result/viability.ts";
import { runScenario } from "../run.ts";
import { hoursPerMonth, monthlyAccount } from "./accounts.ts";
import type { NodeOutcome } from "./accounts.ts";
import type { Play } from "./market.ts";
import { outcomeOf, play } from "./market.ts";
import { answer, replicationSeeds, study } from "./study.ts";
import { byHand, question } from "./testing/questions.ts";

const asked = question({}, { replications: 2 });
const report = answer(asked);

describe("a market whose every job is known beforehand", () => {
  // 240 jobs in the measured 20 minutes, each 1,000 x 0.1 msat and 100 x 1 msat: 200 msat.
  const outcome = play({ scenario: asked.scenario, operator: asked.operator, seed: 1, power: asked.power });

  test("brings the machine every job, at its price", () => {
    expect(outcome).toMatchObject({ measuredHours: 1 / 3, jobs: 240, revenueMsat: 48_000, inputTokens: 240_000, outputTokens: 24_000 });
    expect(outcome.utilisation * 4).toBeCloseTo(outcome.busyShare, 6);
  });

  test("gives the profit that a pencil gives", () => {
    // 720 jobs an hour; 1 sat is 0.001 USD; an RTX 4090 draws 20 and 450 W, and costs 1,599 USD.
    const hoursOn = hoursPerMonth * 0.95;
    const revenue = 720 * 0.0002 * hoursOn;
    const electricity = hoursOn * (20 + 430 * outcome.busyShare) / 1_000 * 0.2;
    const wear = 1_599 * 0.8 / 48;
    const capital = 1_599 * 0.6 * 0.05 / 12;
    for (const row of report.replications) {
      expect(row.revenueUsd).toBeCloseTo(revenue, 6);
      expect(row.profitUsd).toBeCloseTo(revenue - electricity - wear - capital, 3);
    }
    expect(report.profit).toMatchObject({ sd: expect.closeTo(0, 6), mean: expect.closeTo(revenue - electricity - wear - capital, 3) });
    expect(report.payback.p50).toBeCloseTo(1_599 / (revenue - electricity), 2);
    expect(report.probabilityOfProfit.share).toBe(1);
    expect(report.rental).toMatchObject({ usdPerHour: 0.4, marketRevenueUsdPerHour: expect.closeTo(0.144, 6), ratio: expect.closeTo(0.36, 6) });
  });

  test("the solver's break-even price is the analytic one, and is checked by playing the market with it", () => {
    const { heldVolume, market } = report.breakEven;
    const { revenueUsd, profitUsd } = monthlyAccount(outcome, asked.costs);
    // Nobody else sells for less, so that the volume stays: cost over revenue.
    expect(heldVolume!.factor).toBeCloseTo(1 - profitUsd / revenueUsd, 9);
    expect(market.found).toBe("price");
    // A job's amount is whole msat: of 200, one is half a per cent.
    expect(Math.abs(market.point!.factor / heldVolume!.factor - 1)).toBeLessThan(0.01 + 0.005);
    expect(market.point!.profitUsd).toBeGreaterThanOrEqual(0);
    expect(market.point!.profitUsd).toBeLessThan(0.02 * revenueUsd);
    const again = play({ scenario: { ...asked.scenario, operators: asked.scenario.operators.map((spec) => spec.name === asked.operator ? { ...spec, prices: { inputMsatPerMtok: market.point!.inputMsatPerMtok, outputMsatPerMtok: market.point!.outputMsatPerMtok, fixedMsat: 0 } } : spec) }, operator: asked.operator, seed: report.replications[0]!.seed, power: asked.power });
    expect(monthlyAccount(again, asked.costs).profitUsd).toBeCloseTo(market.point!.profitUsd, 6);
  });

  test("demand follows the price up to what clients pay, 1,000 msat a job, and no further", () => {
    const jobsAt = (factor: number): number => report.breakEven.prices.find((point) => point.factor === factor)!.tokens;
    expect(jobsAt(4)).toBe(jobsAt(1));
    expect(jobsAt(8)).toBe(0);
    expect(report.breakEven.bestPrice!.factor).toBe(4);
  });

  test("half the demand brings half the revenue; the fee, which clients pay, changes nothing", () => {
    const ends = (id: string): readonly number[] => {
      const { low, high } = report.tornado.find((bar) => bar.id === id)!;
      return [low.profitUsd, high.profitUsd];
    };
    const [half = 0, more = 0] = ends("demand");
    const whole = report.profit.mean;
    // Revenue moves by half, the load's electricity with it.
    expect(more - whole).toBeCloseTo(whole - half, 2);
    expect(whole - half).toBeLessThan(report.revenue.mean / 2);
    expect(whole - half).toBeGreaterThan(report.revenue.mean / 2 - report.costs.electricityUsd / 2);
    expect(ends("fee")).toEqual([whole, whole]);
  });
});

test("a fee that falls to the operator is off its revenue", () => {
  const { scenario, operator, power } = question({}, { scenario: byHand("router.fee={share: 10 %, bearer: operator}") });
  const outcome = play({ scenario, operator, seed: 1, power });
  // Jobs whose fee was paid in the interval need not be those that completed in it.
  expect(Math.abs(outcome.revenueMsat - 240 * 180)).toBeLessThanOrEqual(40);
});

test("what an hour's electricity comes to agrees with the run's own account of it", () => {
  const { scenario, operator, power, costs } = asked;
  const report = runScenario(scenario, { seed: 1 });
  const outcome = outcomeOf(report, operator, power);
  const node = report.nodes.find(({ operatorClass }) => operatorClass === operator)!;
  const perHourUsd = node.electricityMsat! / 1e11 * costs.usdPerBtc / outcome.measuredHours;
  expect(monthlyAccount(outcome, costs).electricityUsd / (hoursPerMonth * costs.uptime)).toBeCloseTo(perHourUsd, 5);
});

describe("the tornado", () => {
  test("has what matters most first, and each bar around the profit as assumed", () => {
    const { tornado, profit } = report;
    expect(tornado.map(({ swingUsd }) => swingUsd)).toEqual(tornado.map(({ swingUsd }) => swingUsd).toSorted((a, b) => b - a));
    expect(tornado.map(({ id }) => id).sort()).toEqual(["capital", "demand", "electricity", "exchange", "fee", "host", "life", "price", "purchase", "residual", "uptime"]);
    for (const { low, high, swingUsd } of tornado) {
      expect(swingUsd).toBeCloseTo(Math.abs(high.profitUsd - low.profitUsd), 9);
      expect(Math.min(low.profitUsd, high.profitUsd)).toBeLessThanOrEqual(profit.mean + 1e-9);
      expect(Math.max(low.profitUsd, high.profitUsd)).toBeGreaterThanOrEqual(profit.mean - 1e-9);
    }
  });

  test("by hand: the exchange rate moves revenue alone, electricity its own cost", () => {
    const { tornado, revenue, costs, profit } = report;
    const bar = (id: string) => tornado.find((one) => one.id === id)!;
    expect(bar("exchange").swingUsd).toBeCloseTo(revenue.mean, 3);
    expect(bar("electricity").low.profitUsd - profit.mean).toBeCloseTo(costs.electricityUsd / 2, 3);
    expect(bar("electricity").swingUsd).toBeCloseTo(1.5 * costs.electricityUsd, 3);
    expect(bar("price").swingUsd).toBeCloseTo(0.7 * revenue.mean, 3);
  });
});

describe("replications", () => {
  const noisy = byHand("clients.clockwork.arrivals={poisson: {rate: 0.2/s}}");
  const outcomes = (seed: number, count: number): NodeOutcome[] => {
    const it = study(question({}, { scenario: noisy, replications: count, seed }));
    return (it.next().value as { plays: readonly Play[] }).plays.map(play);
  };

  test("are the same each time, differ from each other, and stay when more are asked for", () => {
    const [a, b] = [outcomes(7, 3), outcomes(7, 4)];
    expect(b.slice(0, 3)).toEqual(a);
    expect(new Set(b.map(({ revenueMsat, busyShare }) => `${revenueMsat} ${busyShare}`)).size).toBe(4);
    expect(outcomes(8, 1)).not.toEqual(a.slice(0, 1));
    expect(replicationSeeds(7, 1_000).every((seed) => Number.isSafeInteger(seed) && seed >= 0)).toBe(true);
    expect(new Set(replicationSeeds(7, 1_000)).size).toBe(1_000);
  });

  test("give the same report each time", () => {
    expect(answer(asked).provenance.resultsDigest).toBe(report.provenance.resultsDigest);
    expect(viabilityDigest(report)).toBe(report.provenance.resultsDigest);
  });

  test("that were stopped are reported as far as they were over", () => {
    const stop = (over: number): ViabilityReport | null => {
      const it = study(question({}, { scenario: noisy, replications: 3 }));
      const first = it.next();
      if (first.done === true) throw new Error("nothing to play");
      const end = it.next(first.value.plays.map((what, i) => i < over ? play(what) : null));
      if (end.done !== true) throw new Error("it goes on");
      return end.value;
    };
    expect(stop(0)).toBeNull();
    const two = stop(2)!;
    expect(two.provenance.interrupted).toBe(true);
    expect(two.replications).toHaveLength(2);
    expect(two.breakEven.market.found).toBe("not searched");
    expect(two.tornado.every(({ replayed }) => !replayed)).toBe(true);
    expect(two.findings.length).toBeGreaterThan(0);
  });
});

describe("the answer", () => {
  const headline = (flags: Parameters<typeof question>[0]): string => answer(question(flags)).headline.split(":")[0]!;

  test("is yes where no single assumption turns it, no where none saves it", () => {
    expect(headline({ purchase: "10" })).toBe("Yes");
    expect(headline({ purchase: "100000" })).toBe("No");
  });

  test("says of one replication nothing about chance", () => {
    const one = answer(question());
    expect(one.profit).toMatchObject({ sd: null, meanInterval: null });
    expect(one.independentHours).toBeNull();
  });

  test("of a machine that sells nothing says so", () => {
    const idle = answer(question({ "price-output": "1 btc/Mtok" }));
    expect(idle.answer).toBe("no");
    expect(idle.findings.join(" ")).toContain("No job came to the machine");
    expect(idle.breakEven).toMatchObject({ heldVolume: null, utilisation: null });
    expect(idle.payback).toMatchObject({ p50: null, neverShare: 1 });
  });
});
