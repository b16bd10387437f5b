import type { SensitivityReport } from "../../../protocol/result/sensitivity.ts";
import { SENSITIVITY_SCHEMA, SENSITIVITY_VERSION } from "../../../protocol/result/sensitivity.ts";
import type { SensitivitySpec } from "../../scenario/sections/sensitivity.ts";
import type { Experiment } from "../plan.ts";
import { withProvenance } from "../question.ts";
import type { ExperimentQuestion } from "../question.ts";
import { sensitivityStudy } from "./study.ts";

/** Everything that is asked: a market, and what in it is varied. */
export interface SensitivityQuestion extends ExperimentQuestion {
  readonly spec: SensitivitySpec;
}

/**
 * Which factors of a market matter for which figures: a `sensitivityStudy` with its provenance.
 * @returns null where not one run was played without an error
 */
export function* sensitivity(question: SensitivityQuestion): Experiment<SensitivityReport | null> {
  const end = yield* sensitivityStudy(question.spec, question.seed);
  if (end === null) return null;
  const results = { schema: SENSITIVITY_SCHEMA, schemaVersion: SENSITIVITY_VERSION, ...end.results } as const;
  return withProvenance(results, question, end.interrupted);
}
