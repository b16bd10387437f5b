import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DELIVERED, LOSS_CAUSES, MISALLOCATION, PRICE, REJECTION, UNSERVED_CAUSES } from "./causes.ts";
import { compare, type Compared } from "./losses.ts";

interface Fate {
  /** Value less cost in the market; only of delivered jobs. */
  readonly gain: number;
  readonly planned: number;
  readonly size: number;
  readonly cause: number;
}

function compared(fates: readonly Fate[]): { readonly result: Compared; readonly losses: number[] } {
  const losses = new Float64Array(LOSS_CAUSES.length);
  const result = compare({
    count: fates.length, gainMsat: Float64Array.from(fates, ({ gain, cause }) => (cause === DELIVERED ? gain : 0)), plannedMsat: Float64Array.from(fates, ({ planned }) => planned),
    size: Float64Array.from(fates, ({ size }) => size), cause: Uint8Array.from(fates, ({ cause }) => cause),
  }, losses);
  return { result, losses: [...losses] };
}

const fate = fc.record({ gain: fc.integer({ min: -50, max: 200 }), planned: fc.oneof(fc.constant(0), fc.nat(200)), size: fc.integer({ min: 1, max: 9 }), cause: fc.oneof(fc.constant(DELIVERED), fc.nat(UNSERVED_CAUSES - 1)) });

describe("losses of a window", () => {
  test("fall to the cause for which a job was not served", () => {
    const { result, losses } = compared([{ gain: 10, planned: 10, size: 1, cause: DELIVERED }, { gain: 0, planned: 7, size: 1, cause: PRICE }, { gain: 0, planned: 0, size: 1, cause: REJECTION }]);
    expect(result).toEqual({ firstBestMsat: 17, reachedMsat: 10, own: false });
    expect(losses[PRICE]).toBe(7);
    expect(losses.reduce((sum, loss) => sum + loss, 0)).toBe(7);
  });

  test("are misallocation where others were served in the place of the more valuable", () => {
    // The planner serves the job worth 100, the market the one worth 30: not the rejection costs 70, but the wrong choice.
    const { losses } = compared([{ gain: 30, planned: 0, size: 1, cause: DELIVERED }, { gain: 0, planned: 100, size: 1, cause: REJECTION }]);
    expect([losses[REJECTION], losses[MISALLOCATION]]).toEqual([0, 70]);
    // Half of the place was lost for want of service, half was given to somebody else.
    const half = compared([{ gain: 30, planned: 0, size: 1, cause: DELIVERED }, { gain: 0, planned: 100, size: 2, cause: REJECTION }]).losses;
    expect([half[REJECTION], half[MISALLOCATION]]).toEqual([50, 20]);
  });

  test("are misallocation where a node was dearer than necessary, or a job worth less than its cost", () => {
    expect(compared([{ gain: 4, planned: 9, size: 1, cause: DELIVERED }]).losses[MISALLOCATION]).toBe(5);
    expect(compared([{ gain: -3, planned: 0, size: 1, cause: DELIVERED }]).losses[MISALLOCATION]).toBe(3);
  });

  test("are none where the market did better than the planner's method: its own plan is the first-best", () => {
    const { result, losses } = compared([{ gain: 12, planned: 9, size: 1, cause: DELIVERED }]);
    expect(result).toEqual({ firstBestMsat: 12, reachedMsat: 12, own: true });
    expect(losses.every((loss) => loss === 0)).toBe(true);
  });

  test("are first-best less reached to the msat, and none is negative, whatever happened", () => {
    let misallocated = 0;
    fc.assert(fc.property(fc.array(fate, { maxLength: 40 }), (fates) => {
      const { result, losses } = compared(fates);
      expect(losses.reduce((sum, loss) => sum + loss, 0)).toBe(result.firstBestMsat - result.reachedMsat);
      expect(losses.every((loss) => loss >= 0 && Number.isInteger(loss))).toBe(true);
      if (losses[MISALLOCATION]! > 0) misallocated++;
    }), { seed: 1, numRuns: 2_000 });
    expect(misallocated).toBeGreaterThan(200);
  });
});
