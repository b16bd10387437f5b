import fc from "fast-check";
import { expect, test } from "vitest";
import { CircuitBreaker, type CircuitBreakerOptions } from "./circuit-breaker.ts";

const options: CircuitBreakerOptions = { failures: 3, coolDownUs: 100, growth: 2, maxCoolDownUs: 350 };

function breaker(changes: Partial<CircuitBreakerOptions> = {}): CircuitBreaker {
  const made = new CircuitBreaker({ ...options, ...changes });
  made.add();
  return made;
}

test("it opens at the third failure in a row, and only then", () => {
  const circuit = breaker();
  expect([circuit.failure(0, 10), circuit.failure(0, 20), circuit.allows(0, 9, 20)]).toEqual([false, false, true]);
  circuit.success(0);
  expect([circuit.failure(0, 30), circuit.failure(0, 40), circuit.failure(0, 50)]).toEqual([false, false, true]);
  expect(circuit.openUntilUs(0)).toBe(150);
  expect([circuit.allows(0, 0, 50), circuit.allows(0, 0, 149)]).toEqual([false, false]);
});

test("after the cool-down it lets one job through at a time", () => {
  const circuit = breaker({ failures: 1 });
  circuit.failure(0, 0);
  expect([circuit.allows(0, 0, 100), circuit.allows(0, 1, 100), circuit.allows(0, 2, 1e9)]).toEqual([true, false, false]);
  circuit.success(0);
  expect([circuit.allows(0, 5, 100), circuit.openUntilUs(0)]).toEqual([true, 0]);
});

test("each further opening lasts longer, up to the longest; a success begins anew", () => {
  const circuit = breaker({ failures: 1 });
  const lengths: number[] = [];
  let nowUs = 0;
  for (let i = 0; i < 4; i++) {
    expect(circuit.failure(0, nowUs)).toBe(true);
    lengths.push(circuit.openUntilUs(0) - nowUs);
    nowUs = circuit.openUntilUs(0);
  }
  expect(lengths).toEqual([100, 200, 350, 350]);
  circuit.success(0);
  circuit.failure(0, nowUs);
  expect(circuit.openUntilUs(0) - nowUs).toBe(100);
});

test("jobs that were under way when it opened change nothing", () => {
  const circuit = breaker({ failures: 1 });
  circuit.failure(0, 0);
  expect([circuit.failure(0, 99), circuit.openUntilUs(0)]).toEqual([false, 100]);
});

test("the first cool-down is no longer than the longest", () => {
  const circuit = breaker({ failures: 1, maxCoolDownUs: 40 });
  circuit.failure(0, 0);
  expect(circuit.openUntilUs(0)).toBe(40);
});

test.each([{ failures: 0 }, { coolDownUs: 0 }, { growth: 0.5 }, { maxCoolDownUs: 0 }, { growth: NaN }])("%o is refused", (changes) => {
  expect(() => breaker(changes)).toThrow(RangeError);
});

/** The rules as a table of what happened, without any state carried along but the history itself. */
class Model {
  readonly #options: CircuitBreakerOptions;
  #history: number[] = [];

  constructor(given: CircuitBreakerOptions) {
    this.#options = given;
  }

  success(): void {
    this.#history = [];
  }

  failure(nowUs: number): void {
    this.#history.push(nowUs);
  }

  /** [number of openings, open until] by replaying the failures since the last success. */
  state(): { openings: number; untilUs: number } {
    let [count, openings, untilUs] = [0, 0, 0];
    for (const atUs of this.#history) {
      count++;
      if (openings === 0 ? count < this.#options.failures : atUs < untilUs) continue;
      let lengthUs = Math.min(this.#options.maxCoolDownUs, this.#options.coolDownUs);
      for (let i = 0; i < openings; i++) lengthUs = Math.min(this.#options.maxCoolDownUs, Math.round(lengthUs * this.#options.growth));
      openings++;
      untilUs = atUs + lengthUs;
    }
    return { openings, untilUs };
  }
}

test("over any history of many nodes it does what the rules say", () => {
  const act = fc.record({ node: fc.nat(70), does: fc.constantFrom("failure", "failure", "failure", "success", "wait"), us: fc.nat(400), inFlight: fc.nat(2) });
  fc.assert(
    fc.property(
      fc.record({ failures: fc.integer({ min: 1, max: 4 }), coolDownUs: fc.integer({ min: 1, max: 300 }), growth: fc.constantFrom(1, 1.5, 2, 10), maxCoolDownUs: fc.integer({ min: 1, max: 3000 }) }),
      fc.array(act, { maxLength: 120 }),
      (given, acts) => {
        const circuits = new CircuitBreaker(given);
        const models = Array.from({ length: 71 }, () => (circuits.add(), new Model(given)));
        let nowUs = 0;
        for (const { node: drawn, does, us, inFlight } of acts) {
          // Few nodes see most of the action, and one beyond the first growth of the arrays takes part.
          const node = drawn > 4 && drawn < 70 ? drawn % 3 : drawn;
          const model = models[node]!;
          const before = model.state().openings;
          if (does === "success") {
            circuits.success(node);
            model.success();
          } else if (does === "failure") {
            model.failure(nowUs);
            expect(circuits.failure(node, nowUs)).toBe(model.state().openings > before);
          } else {
            nowUs += us;
          }
          const { openings, untilUs } = model.state();
          expect(circuits.openUntilUs(node)).toBe(untilUs);
          expect(circuits.allows(node, inFlight, nowUs)).toBe(openings === 0 || (nowUs >= untilUs && inFlight === 0));
          expect(circuits.coolDownsUs[node]! > 0).toBe(openings > 0);
        }
      },
    ),
    { seed: 1, numRuns: 300 },
  );
});
