import { describe, expect, test } from "vitest";
import { costMsat } from "../../protocol/money.ts";
import { RandomStreams } from "../kernel/random.ts";
import { Moments } from "../kernel/statistics/moments.ts";
import { ExchangePath } from "./exchange.ts";
import { drawMarginalCost, energyCost, movingEnergyCost, tariffMoves } from "./marginal-cost.ts";
import { flatTariff } from "./tariff.ts";

const uniform = { inputMsatPerMtok: 0, outputMsatPerMtok: 0, fixedMsat: { uniform: { min: 0, max: 1_000 } } };
const stream = (node: number) => new RandomStreams(1).stream("node", String(node), "marginal cost");

describe("marginal costs", () => {
  test("of a node are drawn once, and whole", () => {
    const drawn = Array.from({ length: 50 }, (_, node) => drawMarginalCost({ ...uniform, drawn: "node" }, stream(node)));
    expect(drawn.every(({ ofJob, sheet }) => ofJob === null && Number.isInteger(sheet.fixedMsat))).toBe(true);
    expect(new Set(drawn.map(({ sheet }) => sheet.fixedMsat)).size).toBeGreaterThan(40);
    expect(drawMarginalCost({ ...uniform, drawn: "node" }, stream(3)).sheet).toEqual(drawn[3]!.sheet);
  });

  test("of jobs are the same whenever asked, differ between jobs and nodes without correlation, and are uniform", () => {
    const [one, other] = [drawMarginalCost({ ...uniform, drawn: "job" }, stream(1)), drawMarginalCost({ ...uniform, drawn: "job" }, stream(2))];
    expect(one.sheet.fixedMsat).toBe(500);
    const a = new Moments();
    let product = 0;
    let square = 0;
    let before = 0;
    let lagged = 0;
    const jobs = 20_000;
    for (let job = 0; job < jobs; job++) {
      const x = one.ofJob!(`chat-${job}`).fixedMsat - 500;
      const y = other.ofJob!(`chat-${job}`).fixedMsat - 500;
      a.add(x);
      product += x * y;
      square += x * x;
      lagged += x * before;
      before = x;
    }
    expect(one.ofJob!("chat-7")).toEqual(one.ofJob!("chat-7"));
    // Uniform on [0, 1000]: SD 288.7; 99 % bounds of the mean, and of correlations of 0.
    expect(Math.abs(a.mean)).toBeLessThan((2.576 * 288.7) / Math.sqrt(jobs) + 0.5);
    expect(Math.sqrt(square / jobs)).toBeCloseTo(288.7, -1);
    expect(Math.abs(product / square)).toBeLessThan(2.576 / Math.sqrt(jobs));
    expect(Math.abs(lagged / square)).toBeLessThan(2.576 / Math.sqrt(jobs));
  });

  test("of electricity: watts beyond idling for the job's node time, rounded up", () => {
    // 360 W over 1,000 tokens of 10 ms are 10 s, 1 Wh; at 120 sat per kWh that is 120 msat.
    const sheet = energyCost({ idleWatts: 40, loadWatts: 400 }, { fixedUs: 0, inputUs: 100, outputUs: 10_000 }, 120_000);
    expect(sheet).toEqual({ inputMsatPerMtok: 1_200, outputMsatPerMtok: 120_000, fixedMsat: 0 });
    expect(costMsat(sheet, 0, 1_000)).toBe(120);
    expect(energyCost({ idleWatts: 0, loadWatts: 1 }, { fixedUs: 1, inputUs: 0, outputUs: 0 }, 1).fixedMsat).toBe(1);
    expect(energyCost({ idleWatts: 10, loadWatts: 5 }, { fixedUs: 1e6, inputUs: 0, outputUs: 0 }, 1e9).fixedMsat).toBe(0);
  });

  describe("that move", () => {
    const hour = 3_600_000_000;
    const still = new ExchangePath(null, [], stream(0));
    /** A bitcoin is worth twice as much from the third hour on. */
    const doubling = new ExchangePath({ kind: "path", points: [{ atUs: 0, relative: 1 }, { atUs: 2 * hour, relative: 2 }] }, [{ currency: "USD", msatPerUnit: 1_000_000 }], stream(0));
    const machine = { power: { idleWatts: 40, loadWatts: 400 }, work: { fixedUs: 0, inputUs: 100, outputUs: 10_000 } };
    const usd = (perKwh: number) => ({ currency: "USD" as const, units: perKwh * 1e6 });

    test("of electricity: three times the price is three times the cost from that moment on, and again in every period", () => {
      const tariff = { steps: [{ atUs: 0, perKwh: { currency: "msat" as const, units: 120_000 } }, { atUs: hour, perKwh: { currency: "msat" as const, units: 360_000 } }], periodUs: 3 * hour };
      const cost = movingEnergyCost(machine.power, machine.work, tariff, still);
      // Asked in no order of time.
      expect([0, 5 * hour, hour - 1, hour, 3 * hour, 3 * hour - 1].map((us) => cost.at(us).outputMsatPerMtok)).toEqual([120_000, 360_000, 120_000, 360_000, 120_000, 360_000]);
      expect([0, hour, 3 * hour].map((us) => cost.nextChangeUs(us))).toEqual([hour, 3 * hour, 4 * hour]);
    });

    test("of electricity in dollars: a bitcoin worth twice as much halves it; the tariff and the rate together", () => {
      const tariff = { steps: [{ atUs: 0, perKwh: usd(0.12) }, { atUs: hour, perKwh: usd(0.36) }], periodUs: null };
      const cost = movingEnergyCost(machine.power, machine.work, tariff, doubling);
      expect([0, hour, 2 * hour].map((us) => cost.at(us).outputMsatPerMtok)).toEqual([120_000, 360_000, 180_000]);
      expect([0, hour, 2 * hour].map((us) => cost.nextChangeUs(us))).toEqual([hour, 2 * hour, Infinity]);
      expect([tariffMoves(tariff, still), tariffMoves(flatTariff(usd(0.12)), doubling), tariffMoves(flatTariff(usd(0.12)), still)]).toEqual([true, true, false]);
      expect(tariffMoves(flatTariff({ currency: "msat", units: 5 }), doubling)).toBe(false);
    });

    test("stated in fiat money follow the rate part by part, drawn for the node or for the job; in msat they stay", () => {
      const spec = { inputMsatPerMtok: 100, outputMsatPerMtok: 301, fixedMsat: { uniform: { min: 0, max: 1_000 } }, inFiat: [false, true, true] as const };
      const node = drawMarginalCost({ ...spec, drawn: "node" }, stream(3), doubling);
      const { moving, sheet } = node;
      expect([0, 2 * hour].map((us) => moving!.at(us).inputMsatPerMtok)).toEqual([100, 100]);
      expect([0, 2 * hour].map((us) => moving!.at(us).outputMsatPerMtok)).toEqual([301, 151]);
      expect(moving!.at(0)).toEqual(sheet);
      expect(Math.abs(moving!.at(2 * hour).fixedMsat - sheet.fixedMsat / 2)).toBeLessThanOrEqual(1);
      // The same draws as where nothing moves.
      expect(drawMarginalCost({ ...spec, drawn: "node" }, stream(3), still)).toEqual({ sheet, ofJob: null, moving: null });
      const job = drawMarginalCost({ ...spec, drawn: "job" }, stream(3), doubling).ofJob!;
      expect(Math.abs(job("a", 2 * hour).fixedMsat - job("a").fixedMsat / 2)).toBeLessThanOrEqual(1);
      expect(job("a", 2 * hour)).toEqual(job("a", 7 * hour));
    });
  });
});
