import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Welfare, type WelfareAccounts } from "./accounts.ts";
import { LOSS_CAUSES } from "./causes.ts";
import { planningWindowUs } from "./setup.ts";
import { HOUR_US, postedPrice, SECOND_US, smallSetup } from "./testing/market.ts";

const JOBS = 20_000;
/** Values uniform on [0, 1000) msat, cost 200 msat a job. */
const A = 1_000;
const C = 200;
const uniform = (u: number): number => u * A;
const parts = (welfare: NonNullable<WelfareAccounts["welfare"]>): number[] =>
  [welfare.consumerSurplusMsat, welfare.operatorSurplusMsat, welfare.deadweightMsat, welfare.firstBestMsat].map((msat) => msat / JOBS);

describe("linear demand, values uniform on [0, a], constant cost c: the triangles of the textbook", () => {
  // A mean over n jobs of a term with standard deviation below a/2 is within 2.576 * a / (2 sqrt n) at 99 %.
  const bound = (2.576 * A) / (2 * Math.sqrt(JOBS));
  const near = (found: readonly number[], expected: readonly number[]): void => found.forEach((value, i) => expect(Math.abs(value - expected[i]!)).toBeLessThan(bound));

  test("competition, p = c: consumers have (a - c)^2 / 2a, operators nothing, and nothing is lost", () => {
    const { welfare, lernerOf } = postedPrice(smallSetup(20, C), JOBS, C, uniform);
    near(parts(welfare!), [((A - C) * (A - C)) / (2 * A), 0, 0, ((A - C) * (A - C)) / (2 * A)]);
    expect([welfare!.operatorSurplusMsat, welfare!.deadweightMsat, welfare!.shareReached]).toEqual([0, 0, 1]);
    expect(lernerOf[0]).toBe(lernerOf[1]);
  });

  test("monopoly, p = (a + c) / 2: consumers have a quarter of it, the operator half, and the price destroys the last quarter", () => {
    const square = ((A - C) * (A - C)) / (8 * A);
    const { welfare, lernerOf } = postedPrice(smallSetup(20, C), JOBS, (A + C) / 2, uniform);
    near(parts(welfare!), [square, 2 * square, square, 4 * square]);
    expect(welfare!.losses.price).toBe(welfare!.deadweightMsat);
    expect(welfare!.shareReached).toBeCloseTo(0.75, 1);
    // Lerner: (600 - 200) / 600.
    expect((lernerOf[0] - lernerOf[1]) / lernerOf[0]).toBeCloseTo(2 / 3, 12);
  });

  test("a fee of f on a competitive price: the router has f (a - c - f) / a, and a triangle of f^2 / 2a is lost", () => {
    const f = 300;
    const { welfare } = postedPrice(smallSetup(20, C), JOBS, C + f, uniform, f);
    near([welfare!.routerRevenueMsat / JOBS, welfare!.losses.price / JOBS, welfare!.consumerSurplusMsat / JOBS], [(f * (A - C - f)) / A, (f * f) / (2 * A), ((A - C - f) * (A - C - f)) / (2 * A)]);
    expect(welfare!.operatorSurplusMsat).toBe(0);
  });

  test("a price below cost: what is served to those who value it less than it costs is misallocated", () => {
    const { welfare } = postedPrice(smallSetup(20, C), JOBS, 0, uniform);
    near([welfare!.losses.misallocation / JOBS], [(C * C) / (2 * A)]);
    expect(welfare!.operatorSurplusMsat).toBe(-C * JOBS);
  });

  test("less capacity than is wanted: the planner serves the most valuable half, and whoever serves as they come loses a quarter of its value", () => {
    // An hour of 10,000 / 3600 nodes' worth: exactly half of the jobs fit.
    const setup = smallSetup(1, 0, { nodes: [{ ...smallSetup(1, 0).nodes[0]!, work: { fixedUs: HOUR_US / 10_000, inputUs: 0, outputUs: 0 } }] });
    const welfare = new Welfare(setup);
    for (let job = 0; job < JOBS; job++) {
      welfare.offered(0, job, 0, ((job * 7_919) % JOBS) / 20, 500, 0);
      if (job % 2 === 0) {
        welfare.delivered(0, job, 0, 500, 0);
        welfare.ended(0, "completed", "");
      } else {
        welfare.ended(0, "rejected", "router-queue-full");
      }
    }
    const report = welfare.finish(HOUR_US, HOUR_US).welfare!;
    near([report.firstBestMsat / JOBS, report.totalMsat / JOBS], [375, 250]);
    // Every place was used: not the rejections cost anything, but who was served.
    expect(report.losses.misallocation / report.deadweightMsat).toBeGreaterThan(0.98);
  });
});

describe("causes", () => {
  const lost = (play: (welfare: Welfare) => void): string[] => {
    const welfare = new Welfare(smallSetup(2, 10));
    welfare.offered(0, 0, 0, 100, 500, 20);
    play(welfare);
    const { losses, deadweightMsat } = welfare.finish(HOUR_US, HOUR_US).welfare!;
    expect(deadweightMsat).toBe(90);
    return LOSS_CAUSES.filter((cause) => losses[cause] === 90);
  };
  test.each<[string, (welfare: Welfare) => void]>([
    ["price", (welfare) => { welfare.tooDear(0); welfare.ended(0, "rejected", "no-eligible-node"); }],
    ["price", (welfare) => welfare.ended(0, "rejected", "declined")],
    ["rejection", (welfare) => welfare.ended(0, "rejected", "router-queue-full")],
    ["rejection", (welfare) => { welfare.attemptFailed(0, "queue-full"); welfare.ended(0, "failed", "attempts-exhausted"); }],
    ["congestion", (welfare) => welfare.ended(0, "rejected", "router-wait-too-long")],
    ["congestion", (welfare) => welfare.ended(0, "expired", "patience")],
    ["abandonment", (welfare) => { welfare.started(0); welfare.ended(0, "expired", "patience"); }],
    ["abandonment", (welfare) => welfare.ended(0, "cancelled", "user")],
    ["failure", (welfare) => { welfare.started(0); welfare.attemptFailed(0, "node-stale"); welfare.ended(0, "failed", "attempts-exhausted"); }],
    ["failure", (welfare) => { welfare.attemptFailed(0, "job-timeout"); welfare.ended(0, "expired", "patience"); }],
    ["failure", (welfare) => welfare.ended(0, "failed", "payment-failed: payee-offline")],
    ["failure", (welfare) => { welfare.attemptFailed(0, "payment-expired"); welfare.attemptFailed(0, "runner-failed"); welfare.ended(0, "failed", "attempts-exhausted"); }],
    ["nonpayment", (welfare) => { welfare.attemptFailed(0, "unpaid"); welfare.ended(0, "rejected", "unpaid"); }],
    ["nonpayment", (welfare) => { welfare.attemptFailed(0, "job-timeout"); welfare.attemptFailed(0, "unpaid"); welfare.ended(0, "rejected", "unpaid"); }],
    ["nonpayment", (welfare) => { welfare.attemptFailed(0, "payment-expired"); welfare.ended(0, "failed", "attempts-exhausted"); }],
    ["nonpayment", (welfare) => welfare.ended(0, "failed", "payment-failed: no-liquidity")],
  ])("%s", (cause, play) => {
    expect(lost(play)).toEqual([cause]);
  });

  test("budget: a job that its client withheld was wanted all the same", () => {
    const welfare = new Welfare(smallSetup(1, 10));
    welfare.withheld(0, 0, 0, 100, 500, 20);
    const { losses, jobs } = welfare.finish(HOUR_US, HOUR_US).welfare!;
    expect([losses.budget, jobs]).toEqual([90, 1]);
  });

  test("waiting: ten seconds at 2.5 msat a second, rounded up against the client, and never more than the job is worth", () => {
    const waited = (seconds: number): number => {
      const setup = smallSetup(1, 10);
      const welfare = new Welfare({ ...setup, clientClasses: [{ ...setup.clientClasses[0]!, delayMsatPerS: 2.5 }] });
      welfare.offered(0, 0, 0, 100, 500, 20);
      welfare.delivered(0, seconds * SECOND_US, 0, 500, 20);
      welfare.ended(0, "completed", "");
      const { losses, totalMsat } = welfare.finish(HOUR_US, HOUR_US).welfare!;
      expect(totalMsat).toBe(90 - losses.waiting);
      return losses.waiting;
    };
    expect([waited(10), waited(0.1), waited(100)]).toEqual([25, 1, 100]);
  });
});

test("jobs of the warm-up, and those that have not ended, are left out, and their money with them", () => {
  const welfare = new Welfare(smallSetup(1, 10, { warmupUs: SECOND_US }));
  welfare.offered(0, 0, 0, 100, 500, 0);
  welfare.offered(1, SECOND_US, 0, 100, 500, 0);
  welfare.offered(2, SECOND_US, 0, 100, 500, 0);
  for (const slot of [0, 1, 2]) {
    welfare.delivered(slot, 2 * SECOND_US, 0, 500, 0);
    welfare.moved(slot, 3 * SECOND_US, 0, 0, 41, 40, 0, 1);
  }
  welfare.ended(0, "completed", "");
  welfare.ended(2, "completed", "");
  const report = welfare.finish(HOUR_US, HOUR_US).welfare!;
  expect([report.jobs, report.consumerSurplusMsat, report.operatorSurplusMsat, report.routingFeesMsat, report.totalMsat, report.firstBestMsat]).toEqual([1, 59, 30, 1, 90, 90]);
});

test("a step of costs within a run that prices follow by half is a pass-through of a half; where costs stand still there is none", () => {
  const slope = (costsMove: boolean): number | null => {
    const welfare = new Welfare(smallSetup(1, 0, { windowUs: HOUR_US / 60, ...(costsMove ? { nextCostUs: (timeUs: number) => (timeUs < HOUR_US / 2 ? HOUR_US / 2 : Infinity) } : {}), costMsat: (_, __, ___, atUs) => (atUs < HOUR_US / 2 ? 200 : 300) }));
    for (let job = 0; job < 600; job++) {
      const atUs = (job * HOUR_US) / 600;
      welfare.offered(0, atUs, 0, 1_000, 500, 0);
      welfare.delivered(0, atUs, 0, 500, 0);
      welfare.moved(0, atUs, 0, 0, atUs < HOUR_US / 2 ? 600 : 650, atUs < HOUR_US / 2 ? 600 : 650, 0, 0);
      welfare.ended(0, "completed", "");
    }
    return welfare.finish(HOUR_US, HOUR_US).passThrough.slope;
  };
  expect(slope(true)).toBeCloseTo(0.5, 9);
  expect(slope(false)).toBeNull();
});

test("a node that is down is not there for the planner either", () => {
  const welfare = new Welfare(smallSetup(1, 0));
  welfare.nodeDown(0, 0);
  welfare.offered(0, 10, 0, 100, 500, 0);
  welfare.ended(0, "rejected", "no-eligible-node");
  welfare.nodeUp(0, HOUR_US - SECOND_US / 2);
  // Half a second is left, which is half of the job.
  expect(welfare.finish(HOUR_US, HOUR_US).welfare!).toMatchObject({ firstBestMsat: 50, losses: { rejection: 50 } });
});

describe("the accounts add up to the msat in random histories", () => {
  const step = fc.record({
    gapUs: fc.nat(20 * SECOND_US), does: fc.constantFrom("offer", "offer", "offer", "withhold", "deliver", "deliver", "deliver", "pay", "pay", "end", "end", "down", "up", "dear", "fault", "unpaid", "refund", "split"),
    slot: fc.nat(2), node: fc.nat(3), clientClass: fc.nat(1), value: fc.nat(500), tokens: fc.nat(2_000), output: fc.nat(300), paid: fc.nat(400),
    status: fc.constantFrom("failed" as const, "rejected" as const, "expired" as const, "cancelled" as const),
  });
  type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

  const history = (steps: readonly Step[], tamper?: (welfare: Welfare) => void): NonNullable<WelfareAccounts["welfare"]> => {
    const costs = [0, 7, 30, 30];
    const welfare = new Welfare({
      seed: 1, warmupUs: 60 * SECOND_US, horizonUs: HOUR_US / 2, windowUs: 120 * SECOND_US,
      clientClasses: [{ name: "a", nodes: [0, 1, 2, 3], delayMsatPerS: 0 }, { name: "b", nodes: [1, 2], delayMsatPerS: 3 }],
      operatorClasses: [{ name: "x" }, { name: "y" }],
      nodes: costs.map((cost, node) => ({ operatorClass: node % 2, work: { fixedUs: 1e6 * (node + 1), inputUs: 20 * node, outputUs: 10_000 }, costKey: String(cost), asked: { inputMsatPerMtok: 0, outputMsatPerMtok: 0, fixedMsat: cost } })),
      costMsat: (node, inputTokens, outputTokens) => costs[node]! + Math.ceil((costs[node]! * (inputTokens + outputTokens)) / 1_000),
    });
    const open = new Map<number, boolean>();
    let nowUs = 0;
    for (const { gapUs, does, slot, node, clientClass, value, tokens, output, paid, status } of steps) {
      nowUs += gapUs;
      const delivered = open.get(slot);
      if (does === "offer" && delivered === undefined) {
        welfare.offered(slot, nowUs, clientClass, value, tokens, output);
        open.set(slot, false);
      } else if (does === "withhold") welfare.withheld(slot, nowUs, clientClass, value, tokens, output);
      else if (does === "down") welfare.nodeDown(node, nowUs);
      else if (does === "up") welfare.nodeUp(node, nowUs);
      else if (does === "refund") welfare.moved(-1, nowUs, clientClass, node, -paid, -paid - 2, 0, 2);
      else if (delivered === undefined) continue;
      else if (does === "deliver" && !delivered) {
        welfare.delivered(slot, nowUs, node, tokens, output);
        open.set(slot, true);
      } else if (does === "pay") welfare.moved(slot, nowUs, clientClass, node, paid + 3, paid, 0, 3);
      else if (does === "split") welfare.moved(slot, nowUs, clientClass, -1, paid, 0, paid, 0);
      else if (does === "dear") welfare.tooDear(slot);
      else if (does === "fault") welfare.attemptFailed(slot, "runner-failed");
      else if (does === "unpaid") welfare.attemptFailed(slot, "unpaid");
      else if (does === "end") {
        welfare.ended(slot, delivered ? "completed" : status, delivered ? "" : "no-eligible-node");
        open.delete(slot);
      }
    }
    tamper?.(welfare);
    return welfare.finish(Math.max(nowUs, HOUR_US / 2), HOUR_US / 2).welfare!;
  };

  const steps = fc.array(step, { minLength: 1, maxLength: 160, size: "max" });

  test("surplus parts, losses, first-best, classes", () => {
    let reached = 0;
    const causes = new Set<string>();
    fc.assert(fc.property(steps, (given) => {
      const report = history(given);
      const { losses, clientClasses, operatorClasses } = report;
      const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
      expect(report.consumerSurplusMsat + report.operatorSurplusMsat + report.routerRevenueMsat + report.routingFeesMsat).toBe(report.totalMsat);
      expect(report.totalMsat + sum(Object.values(losses))).toBe(report.firstBestMsat);
      expect(sum(clientClasses.map(({ surplusMsat }) => surplusMsat))).toBe(report.consumerSurplusMsat);
      expect(sum(operatorClasses.map(({ surplusMsat }) => surplusMsat))).toBe(report.operatorSurplusMsat);
      expect(sum(clientClasses.map(({ jobs }) => jobs))).toBe(report.jobs);
      if (report.delivered > 0) reached++;
      for (const cause of LOSS_CAUSES) if (losses[cause] > 0) causes.add(cause);
    }), { seed: 1, numRuns: 400 });
    expect(reached).toBeGreaterThan(200);
    expect([...causes].sort()).toEqual([...LOSS_CAUSES].sort());
  });

  test("planted faults are found: money out of nowhere, a lost payment, a fee nobody paid", () => {
    const given = fc.sample(steps, { seed: 2, numRuns: 1 })[0]!;
    expect(() => history(given)).not.toThrow();
    const faults: ((welfare: Welfare) => void)[] = [
      (welfare) => welfare.moved(-1, HOUR_US / 4, 0, 0, 5, 6, 0, 0),
      (welfare) => welfare.moved(-1, HOUR_US / 4, 0, 0, 5, 0, 0, 0),
      (welfare) => welfare.moved(-1, HOUR_US / 4, 0, -1, 5, 0, 5, 1),
    ];
    for (const fault of faults) expect(() => history(given, fault)).toThrow(/welfare accounts.*parts of the surplus/);
  });
});

test("the planner's window is as long as clients are patient, within the measured interval and a two-hundredth of it", () => {
  expect(planningWindowUs([120e6, 600e6], HOUR_US)).toBe(120e6);
  expect(planningWindowUs([1e15], HOUR_US)).toBe(HOUR_US);
  expect(planningWindowUs([Infinity], HOUR_US)).toBe(HOUR_US);
  expect(planningWindowUs([1e6], HOUR_US)).toBe(HOUR_US / 200);
});
