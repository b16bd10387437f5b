import { digest } from "../../protocol/canonical.ts";
import { experimentDigest } from "../../protocol/result/experiment.ts";
import type { ExperimentProvenance } from "../../protocol/result/experiment.ts";
import type { Scenario } from "../scenario/scenario.ts";

/** What every experiment's question says: the market that it is about, and where it comes from. */
export interface ExperimentQuestion {
  /** The market without any variation, after `sets`. */
  readonly scenario: Scenario;
  /** Of the experiment; the runs' seeds follow from it. */
  readonly seed: number;
  /** Changes made on the command line, for the provenance. */
  readonly sets: readonly string[];
  readonly lab: { readonly name: string; readonly version: string };
}

/** Where a report comes from, as far as that is known before its results are. */
export function originOf({ scenario, seed, sets, lab }: ExperimentQuestion, interrupted: boolean): Omit<ExperimentProvenance, "resultsDigest"> {
  return {
    lab: { ...lab },
    scenario: { name: scenario.name, question: scenario.question, hash: digest(scenario), resolved: scenario as never },
    seed,
    sets: [...sets],
    ...(interrupted ? { interrupted } : {}),
  };
}

/** Results as a report, with their digest. */
export function withProvenance<Results extends object>(results: Results, question: ExperimentQuestion, interrupted: boolean): Results & { provenance: ExperimentProvenance } {
  return { ...results, provenance: { ...originOf(question, interrupted), resultsDigest: experimentDigest(results) } };
}
