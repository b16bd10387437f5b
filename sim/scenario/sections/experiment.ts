/**
 * What a scenario says of the experiments that are made with it: keys of its own at the top, each in a section file of its own.
 * They are no part of the market: one run plays the scenario as if they were not there, and its hash does not depend on them.
 */
export const experimentShape = {};

/** The experiments of a scenario, ready to be planned. */
export interface ExperimentSpec {}

/** What a scenario's experiments come to. @param input what the schema let through */
export function resolveExperiment(_input: object): ExperimentSpec {
  return {};
}
