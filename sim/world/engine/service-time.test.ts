import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ReferenceServiceTimeEngine } from "./reference/service-time.ts";
import { difference, play, type Act } from "./reference/play.ts";
import { ServiceTimeEngine, type ServiceTimeOptions } from "./service-time.ts";

const submitAt = (gapUs: number, priority = 0): Act => ({ gapUs, advanceFirst: false, do: "submit", input: 0, output: 1, priority });
/** When each job ended, in order of its handle. */
const ends = (options: ServiceTimeOptions, worksUs: readonly number[], acts: readonly Act[]): number[] => {
  const { events } = play(new ServiceTimeEngine({ ...options, work: (ref) => worksUs[ref]! }), acts);
  return worksUs.map((_, ref) => events.find((event) => event.kind === "finished" && event.ref === ref)!.atUs);
};

const onGrid = (us: number): number => Math.round(us * 2 ** 20) / 2 ** 20;
const options: fc.Arbitrary<ServiceTimeOptions> = fc.record(
  {
    slots: fc.integer({ min: 1, max: 5 }),
    discipline: fc.constantFrom("fifo" as const, "priority" as const, "processor-sharing" as const),
    rates: fc.array(fc.double({ min: 0.1, max: 4, noNaN: true }), { minLength: 1, maxLength: 6 }),
  },
  { requiredKeys: ["discipline"] },
);
const when = { gapUs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 300 })), advanceFirst: fc.boolean() };
const submit: fc.Arbitrary<Act> = fc.record({ ...when, do: fc.constant("submit" as const), input: fc.constant(0), output: fc.constant(1), priority: fc.integer({ min: 0, max: 9 }) });
const cancel: fc.Arbitrary<Act> = fc.record({ ...when, do: fc.constant("cancel" as const), which: fc.nat(20) });
const clear: fc.Arbitrary<Act> = fc.record({ ...when, do: fc.constant("clear" as const) });
const speed: fc.Arbitrary<Act> = fc.record({ ...when, do: fc.constantFrom("speed" as const, "share" as const), factor: fc.constantFrom(0.1, 0.5, 1, 1.7) });
const acts = fc.array(
  fc.oneof({ weight: 30, arbitrary: submit }, { weight: 8, arbitrary: cancel }, { weight: 2, arbitrary: speed }, { weight: 1, arbitrary: clear }),
  { minLength: 1, maxLength: 40 },
);
// Spread without bias to the ends of the range: under shared rates, which of two equal jobs ends first is a matter of rounding.
const worksUs = fc.array(fc.noBias(fc.integer({ min: 0, max: 2 ** 40 })).map((draw) => onGrid(draw / 2 ** 30)), { minLength: 40, maxLength: 40 });

describe("service-time in closed form", () => {
  test("equals the reference that drains every job by hand, for all disciplines, with cancellation and slow-downs", () => {
    fc.assert(
      fc.property(options, acts, worksUs, (rule, list, works) => {
        const withWork = { ...rule, work: (ref: number) => works[ref]! };
        expect(difference(play(new ServiceTimeEngine(withWork), list), play(new ReferenceServiceTimeEngine(withWork), list), 1)).toBe("");
      }),
      { seed: 1, numRuns: 1_000 },
    );
  });

  test("ties of whole microseconds are exact at rate 1", () => {
    const plain = fc.record({ slots: fc.integer({ min: 1, max: 4 }), discipline: fc.constantFrom("fifo" as const, "priority" as const) });
    const small = fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 40, maxLength: 40 });
    const soon = fc.array(
      fc.oneof({ weight: 8, arbitrary: submit }, { weight: 2, arbitrary: cancel }).map((act) => ({ ...act, gapUs: act.gapUs % 4 })),
      { minLength: 1, maxLength: 40 },
    );
    fc.assert(
      fc.property(plain, soon, small, (rule, list, works) => {
        const withWork = { ...rule, work: (ref: number) => works[ref]! };
        expect(difference(play(new ServiceTimeEngine(withWork), list), play(new ReferenceServiceTimeEngine(withWork), list), 0)).toBe("");
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  test("cancelling among many jobs in service leaves the others' order alone", () => {
    const crowd = fc.array(submit.map((act) => ({ ...act, gapUs: act.gapUs % 3 })), { minLength: 15, maxLength: 40 });
    const leaving = fc.array(fc.record({ ...when, gapUs: fc.nat(3), do: fc.constant("cancel" as const), which: fc.nat(40) }), { minLength: 1, maxLength: 15 });
    fc.assert(
      fc.property(crowd, leaving, worksUs, (list, cancels, works) => {
        const sharing = { discipline: "processor-sharing", work: (ref: number) => works[ref]! } as const;
        const all = [...list, ...cancels];
        expect(difference(play(new ServiceTimeEngine(sharing), all), play(new ReferenceServiceTimeEngine(sharing), all), 1)).toBe("");
      }),
      { seed: 1, numRuns: 200 },
    );
  });

  test("one server serves D after D: the n-th of n that come together ends at n D", () => {
    expect(ends({}, [100, 100, 100], [submitAt(7), submitAt(0), submitAt(0)])).toEqual([107, 207, 307]);
  });

  test("two servers take the third job when the first is free", () => {
    expect(ends({ slots: 2 }, [100, 30, 50], [submitAt(0), submitAt(0), submitAt(0)])).toEqual([100, 30, 80]);
  });

  test("priority is head of the line and does not preempt", () => {
    expect(ends({ discipline: "priority" }, [100, 10, 10, 10], [submitAt(0), submitAt(1), submitAt(1, 5), submitAt(1, 9)])).toEqual([100, 130, 120, 110]);
  });

  test("processor sharing: two jobs run at half speed while both are there", () => {
    // Alone until 40; then both at 1/2: the second's 20 take 40; the first has 100 - 40 - 20 = 40 left.
    expect(ends({ discipline: "processor-sharing" }, [100, 20], [submitAt(0), submitAt(40)])).toEqual([120, 80]);
  });

  test("a batch server's total rate depends on how many it serves", () => {
    // Two jobs at a total rate of 1.6, each at 0.8: the first 80 take 100; the rest of the second alone.
    expect(ends({ slots: 2, rates: [1, 1.6] }, [80, 100], [submitAt(0), submitAt(0)])).toEqual([100, 120]);
  });

  test("at half speed the rest of the work takes twice as long", () => {
    const slow: Act = { gapUs: 50, advanceFirst: false, do: "speed", factor: 0.5 };
    expect(ends({}, [100], [submitAt(0), slow])).toEqual([150]);
  });

  test("an end inside a microsecond is told rounded up, and the next job starts inside it", () => {
    expect(ends({}, [0.25, 0.5, 0.5], [submitAt(0), submitAt(0), submitAt(0)])).toEqual([1, 1, 2]);
  });

  test("rates and works out of range are refused", () => {
    expect(() => new ServiceTimeEngine({ rates: [] })).toThrow(RangeError);
    expect(() => new ServiceTimeEngine({ rates: [1, 0] })).toThrow(/rates has 0/);
    expect(() => new ServiceTimeEngine({ slots: 0 })).toThrow(/slots is 0/);
    const engine = new ServiceTimeEngine({});
    expect(() => engine.submitWork(0, 1, -1, 0)).toThrow(RangeError);
    expect(() => engine.submitWork(0, 1, NaN, 0)).toThrow(RangeError);
    expect(() => engine.submitWork(0, 1, 1, 10)).toThrow(/priority is 10/);
    expect(() => engine.submit(0, 1, 1, 1, 0)).toThrow(/submitWork/);
  });

  test("work done in a day-long busy period keeps its microseconds", () => {
    const engine = new ServiceTimeEngine({ slots: 2 });
    const heard: number[] = [];
    const sink = { started() {}, firstToken() {}, finished: (_: number, atUs: number) => void heard.push(atUs), preempted() {} };
    // Two servers, one always busy: the counter passes its limit and is set back.
    for (let hour = 0; hour < 24; hour++) {
      engine.submitWork(hour * 1_800_000_000, hour, 3_600_000_000, 0);
      while (engine.nextUs < (hour + 1) * 1_800_000_000) engine.advance(engine.nextUs, sink);
    }
    while (engine.nextUs < Infinity) engine.advance(engine.nextUs, sink);
    expect(heard).toEqual(Array.from({ length: 24 }, (_, hour) => hour * 1_800_000_000 + 3_600_000_000));
  });
});
