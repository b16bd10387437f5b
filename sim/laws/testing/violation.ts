import fc from "fast-check";
import { InvariantError } from "../../experiment/recorder/invariant.ts";
import type { Scenario } from "../../scenario/scenario.ts";

/** A law is broken. */
export class Violation extends Error {
  override readonly name = "Violation";
}

/** @throws Violation unless the condition holds. */
export function must(holds: boolean, detail: () => string): asserts holds {
  if (!holds) throw new Violation(detail());
}

/** Finds the first of some random markets in which a law is seen to be broken, by its test or by the run itself. @returns in words, how; "" where it holds in all. */
export function firstViolation(scenarios: fc.Arbitrary<Scenario>, check: (scenario: Scenario) => void, tries = 60): string {
  for (const scenario of fc.sample(scenarios, { seed: 7, numRuns: tries })) {
    try {
      check(scenario);
    } catch (error) {
      if (error instanceof Violation || error instanceof InvariantError) return error.message;
      throw error;
    }
  }
  return "";
}

/**
 * Checks a law in so many random markets. Failures are not made smaller: with markets that takes minutes; the message
 * tells seed and path, with which `fc.assert` does it on demand.
 */
export function inRandomMarkets(scenarios: fc.Arbitrary<Scenario>, numRuns: number, seed: number, check: (scenario: Scenario) => void): void {
  fc.assert(fc.property(scenarios, check), { seed, numRuns, endOnFailure: true });
}
