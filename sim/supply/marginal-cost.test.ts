import { describe, expect, test } from "vitest";
import { costMsat } from "../../protocol/money.ts";
import { RandomStreams } from "../kernel/random.ts";
import { Moments } from "../kernel/statistics/moments.ts";
import { drawMarginalCost, energyCost } from "./marginal-cost.ts";

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
});
