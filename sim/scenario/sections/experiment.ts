import type { z } from "zod";
import type { Finding } from "../problem.ts";
import { armsShape, resolveArms } from "./arms.ts";
import type { ArmsSpec } from "./arms.ts";

/**
 * What a scenario says of the experiments that are made with it: keys of its own at the top, each in a section file of its own.
 * They are no part of the market: one run plays the scenario as if they were not there, and its hash does not depend on them.
 */
export const experimentShape = {
  ...armsShape,
};

/** What the schema lets through. */
export type ExperimentInput = z.output<z.ZodObject<typeof experimentShape>>;

/** The experiments of a scenario, ready to be planned. */
export interface ExperimentSpec {
  /** Null where the scenario has none. */
  readonly arms: ArmsSpec | null;
}

/** What a scenario's experiments come to. @param finding told of what does not fit */
export function resolveExperiment(input: ExperimentInput, finding: (finding: Finding) => void): ExperimentSpec {
  return {
    arms: resolveArms(input, finding),
  };
}
