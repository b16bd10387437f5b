import { digest } from "../../../protocol/canonical.ts";
import { experimentDigest } from "../../../protocol/result/experiment.ts";
import type { SensitivityReport } from "../../../protocol/result/sensitivity.ts";
import { SENSITIVITY_SCHEMA, SENSITIVITY_VERSION } from "../../../protocol/result/sensitivity.ts";
import type { Scenario } from "../../scenario/scenario.ts";
import type { SensitivitySpec } from "../../scenario/sections/sensitivity.ts";
import type { Experiment } from "../plan.ts";
import { sensitivityStudy } from "./study.ts";

/** Everything that is asked: a market, and what in it is varied. */
export interface SensitivityQuestion {
  /** The market as it stands, after `sets`. */
  readonly scenario: Scenario;
  readonly spec: SensitivitySpec;
  readonly seed: number;
  /** Changes made on the command line, for the provenance. */
  readonly sets: readonly string[];
  readonly lab: { readonly name: string; readonly version: string };
}

/**
 * Which factors of a market matter for which figures: a `sensitivityStudy` with its provenance.
 * @returns null where not one run was played without an error
 */
export function* sensitivity({ scenario, spec, seed, sets, lab }: SensitivityQuestion): Experiment<SensitivityReport | null> {
  const end = yield* sensitivityStudy(spec, seed);
  if (end === null) return null;
  const results = { schema: SENSITIVITY_SCHEMA, schemaVersion: SENSITIVITY_VERSION, ...end.results } as const;
  return {
    ...results,
    provenance: {
      lab: { ...lab },
      scenario: { name: scenario.name, question: scenario.question, hash: digest(scenario), resolved: scenario as never },
      seed, sets: [...sets],
      ...(end.interrupted ? { interrupted: true } : {}),
      resultsDigest: experimentDigest(results),
    },
  };
}
