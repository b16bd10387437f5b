import type { TheoryCase } from "./case.ts";
import { manyServers } from "./cases/many-servers.ts";
import { oneServer } from "./cases/one-server.ts";
import { policies } from "./cases/policies.ts";
import { stateDependent } from "./cases/state-dependent.ts";

/** All cases, in the order of the page. */
export const suite: readonly TheoryCase[] = [...oneServer, ...manyServers, ...stateDependent, ...policies];

/** Comparisons in the whole suite, for the confidence that makes all of them true together. */
export const comparisonsInSuite: number = suite.reduce((sum, { comparisons }) => sum + comparisons.length, 0);

/** Every case has a seed of its own, its place in the suite, so that their errors are independent. */
export function seedOf(theoryCase: TheoryCase): number {
  return 1 + suite.indexOf(theoryCase);
}
