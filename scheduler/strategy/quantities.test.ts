import { describe, expect, test } from "vitest";
import { newStrategy } from "./pricers.ts";
import { flat, observation, randomOf } from "./testing/observation.ts";

describe("Cournot", () => {
  test.each([[1, 600], [2, 466.67], [3, 400], [5, 333.33]])("%i operators who reply to each other end at P = (a + n c)/(n + 1) = %d", (operators, expected) => {
    // Inverse demand P = 1000 - Q, cost 200; a hundredfold finer than whole slots of the textbook's example.
    const firms = Array.from({ length: operators }, () => newStrategy({ kind: "cournot", slopeMsat: 1, speed: 0.3 }, { self: "", prices: flat(0), slots: 100, random: () => randomOf(1) }));
    const offered = firms.map((_, i) => 100 + i);
    const price = (): number => Math.max(200, 1_000 - offered.reduce((sum, q) => sum + q, 0));
    for (let round = 0; round < 100; round++) {
      const p = price();
      firms.forEach((firm, i) => { offered[i] = firm.offer!(observation({ slots: 1_000, offered: offered[i]!, jobs: offered[i]!, revenueMsat: p * offered[i]!, costMsat: 200 * offered[i]!, cost: flat(200) })); });
    }
    expect(Math.abs(price() - expected)).toBeLessThan(operators);
  });

  test("keeps its quantity where it sold nothing, for want of a price", () => {
    const firm = newStrategy({ kind: "cournot", slopeMsat: 1, speed: 1 }, { self: "", prices: flat(0), slots: 7, random: () => randomOf(1) });
    expect(firm.offer!(observation({ offered: 7 }))).toBe(7);
  });
});

describe("newsvendor", () => {
  test.each([0.2, 0.5, 0.9])("finds the quantile of demand at the critical ratio %d, seeing sales alone", (ratio) => {
    // Price 100, cost of a slot 100 (1 - ratio), demand uniform on 1 to 200: the quantile is 200 times the ratio.
    const firm = newStrategy({ kind: "newsvendor", slotCostMsat: 100 * (1 - ratio), step: 1 }, { self: "", prices: flat(100), slots: 100, random: () => randomOf(1) });
    const random = randomOf(42);
    let offered = 100;
    let sum = 0;
    for (let period = 0; period < 30_000; period++) {
      const demand = 1 + Math.floor(random.next() * 200);
      const sold = Math.min(demand, offered);
      offered = firm.offer!(observation({ slots: 1_000, offered, peak: sold, jobs: sold, revenueMsat: 100 * sold }));
      if (period >= 5_000) sum += offered;
    }
    expect(Math.abs(sum / 25_000 - 200 * ratio)).toBeLessThan(3);
  });
});
