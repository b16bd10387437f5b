import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Kernel } from "./kernel.ts";

describe("Kernel", () => {
  test("plays events in order of time, ties as planned, and moves the clock to the end", () => {
    const kernel = new Kernel();
    const seen: number[][] = [];
    kernel.at(20, 1, 10, -10);
    kernel.at(10, 2, 20, -20);
    kernel.at(20, 3, 30, -30);
    kernel.run((...event) => {
      seen.push([kernel.nowUs, ...event]);
      if (event[0] === 2) kernel.after(10, 4, 40, -40);
    }, 100);
    expect(seen).toEqual([[10, 2, 20, -20], [20, 1, 10, -10], [20, 3, 30, -30], [20, 4, 40, -40]]);
    expect([kernel.nowUs, kernel.pending, kernel.nextUs]).toEqual([100, 0, Infinity]);
  });

  test("the clock never goes back, cancelled events never happen, all others do once", () => {
    const plan = fc.array(fc.record({ delay: fc.nat(50), then: fc.nat(50), cancels: fc.option(fc.nat(200)) }), { maxLength: 100 });
    fc.assert(
      fc.property(plan, (events) => {
        const kernel = new Kernel();
        const ids: number[] = [];
        const state: ("pending" | "cancelled" | "happened")[] = [];
        const add = (delay: number, from: number): void => {
          ids.push(kernel.after(delay, from, ids.length, 0));
          state.push("pending");
        };
        for (const [i, { delay }] of events.entries()) add(delay, i);
        let before = 0;
        kernel.run((from, own) => {
          expect(kernel.nowUs).toBeGreaterThanOrEqual(before);
          before = kernel.nowUs;
          expect(state[own]).toBe("pending");
          state[own] = "happened";
          expect(kernel.cancel(ids[own]!)).toBe(false);
          const { then, cancels } = events[from]!;
          if (own < events.length) add(then, from);
          if (cancels !== null && cancels < ids.length) {
            expect(kernel.cancel(ids[cancels]!)).toBe(state[cancels] === "pending");
            expect(kernel.cancel(ids[cancels]!)).toBe(false);
            if (state[cancels] === "pending") state[cancels] = "cancelled";
          }
          expect(kernel.pending).toBe(state.filter((each) => each === "pending").length);
        });
        expect(state).not.toContain("pending");
      }),
      { seed: 1, numRuns: 200 },
    );
  });

  test("stops where told, at the horizon or by a handler, and goes on later", () => {
    const kernel = new Kernel();
    const seen: number[] = [];
    for (const time of [1, 2, 3, 4]) kernel.at(time, time, 0, 0);
    kernel.run((kind) => {
      seen.push(kind);
      if (kind === 2) kernel.stop();
    }, 3);
    expect([seen, kernel.nowUs, kernel.pending]).toEqual([[1, 2], 2, 2]);
    kernel.run((kind) => seen.push(kind), 3);
    expect([seen, kernel.nowUs]).toEqual([[1, 2, 3], 3]);
    kernel.run((kind) => seen.push(kind));
    expect([seen, kernel.nowUs]).toEqual([[1, 2, 3, 4], 4]);
    kernel.run(() => {}, 2);
    expect(kernel.nowUs).toBe(4);
  });

  test("refuses the past, fractions and payloads beyond 32 bits", () => {
    const kernel = new Kernel();
    kernel.run(() => {}, 10);
    for (const time of [9, 10.5, NaN, Infinity, -1, 2 ** 53]) expect(() => kernel.at(time, 0, 0, 0)).toThrow(`Event at ${time} us`);
    for (const delay of [-1, 0.5, NaN, Infinity]) expect(() => kernel.after(delay, 0, 0, 0)).toThrow(RangeError);
    for (const value of [2 ** 31, -(2 ** 31) - 1, 0.5, NaN]) {
      expect(() => kernel.at(10, value, 0, 0)).toThrow("32-bit");
      expect(() => kernel.at(10, 0, value, 0)).toThrow("32-bit");
      expect(() => kernel.at(10, 0, 0, value)).toThrow("32-bit");
    }
    expect(kernel.pending).toBe(0);
  });

  test("does not run within a run, and survives a handler that throws", () => {
    const kernel = new Kernel();
    kernel.at(1, 0, 0, 0);
    kernel.at(2, 0, 0, 0);
    expect(() => kernel.run(() => kernel.run(() => {}))).toThrow("from within");
    expect([kernel.nowUs, kernel.pending]).toEqual([1, 1]);
    kernel.run(() => {}, 5);
    expect(kernel.nowUs).toBe(5);
  });
});
