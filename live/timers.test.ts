import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FakeTime } from "./testing/fake-time.ts";
import { Timers } from "./timers.ts";

const timersOf = (time: FakeTime): { readonly timers: Timers<string>; readonly due: [string, number][] } => {
  const due: [string, number][] = [];
  return { timers: new Timers<string>(time, time, (what) => due.push([what, time.nowUs])), due };
};

describe("timers", () => {
  test("are due in order of their time, and of one instant in the order in which they were set; none early, each within a ms", () => {
    const time = new FakeTime();
    const { timers, due } = timersOf(time);
    timers.after(2_500, "c");
    timers.after(1_000, "a");
    timers.after(1_000, "b");
    timers.after(0, "now");
    expect(due).toEqual([]);
    time.pass(10_000);
    expect(due).toEqual([["now", 1_000], ["a", 1_000], ["b", 1_000], ["c", 3_000]]);
    expect(timers.pending).toBe(0);
  });

  test("can be cancelled until they are due, once", () => {
    const time = new FakeTime();
    const { timers, due } = timersOf(time);
    const first = timers.after(1_000, "first");
    const second = timers.after(2_000, "second");
    expect(timers.cancel(first)).toBe(true);
    expect(timers.cancel(first)).toBe(false);
    time.pass(5_000);
    expect(due.map(([what]) => what)).toEqual(["second"]);
    expect(timers.cancel(second)).toBe(false);
  });

  test("wait longer than the event loop's own can", () => {
    const time = new FakeTime();
    const { timers, due } = timersOf(time);
    const monthUs = 30 * 86_400 * 1_000_000;
    timers.after(monthUs, "month");
    time.pass(monthUs - 1);
    expect(due).toEqual([]);
    time.pass(1_001);
    expect(due.length).toBe(1);
  });

  test("that set each other for now leave room for others in between", () => {
    const time = new FakeTime();
    let rounds = 0;
    const timers: Timers<string> = new Timers<string>(time, time, () => {
      rounds++;
      timers.after(0, "again");
    });
    timers.after(0, "again");
    time.pass(10_000);
    expect(rounds).toBe(10);
  });

  test("agree with a plain list, whatever is set and cancelled when", () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant("after" as const), us: fc.integer({ min: 0, max: 20_000 }) }),
      fc.record({ kind: fc.constant("cancel" as const), us: fc.integer({ min: 0, max: 30 }) }),
      fc.record({ kind: fc.constant("pass" as const), us: fc.integer({ min: 1, max: 5_000 }) }),
    );
    fc.assert(fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const time = new FakeTime();
      const due: number[] = [];
      const timers = new Timers<number>(time, time, (id) => due.push(id));
      const plain: { readonly id: number; readonly dueUs: number; gone: boolean }[] = [];
      for (const { kind, us } of steps) {
        if (kind === "after") plain.push({ id: timers.after(us, plain.length), dueUs: time.nowUs + us, gone: false });
        else if (kind === "pass") time.pass(us);
        else if (us < plain.length) {
          const timer = plain[us]!;
          const cancelled = timers.cancel(timer.id);
          expect(cancelled).toBe(!timer.gone && !due.includes(timer.id));
          timer.gone ||= cancelled;
        }
        for (const timer of plain) if (!timer.gone && timer.dueUs + 1_000 < time.nowUs) expect(due).toContain(timer.id);
      }
      time.pass(100_000);
      const left = plain.filter(({ gone }) => !gone).map(({ id }) => id).sort((a, b) => a - b);
      expect(due.toSorted((a, b) => a - b)).toEqual(left);
    }), { seed: 1, numRuns: 200 });
  });

  test("refuse what is no delay", () => {
    const { timers } = timersOf(new FakeTime());
    for (const us of [-1, Number.NaN]) expect(() => timers.after(us, "x")).toThrow("0 us or more");
  });
});
