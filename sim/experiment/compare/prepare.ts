import { findMetric, KEY_METRICS } from "../../../protocol/result/metrics.ts";
import type { Metric } from "../../../protocol/result/metrics.ts";
import { checkVariations } from "../../scenario/check-variations.ts";
import type { LoadedScenario, LoadOptions } from "../../scenario/load.ts";
import type { ArmsSpec } from "../../scenario/sections/arms.ts";
import type { ReplicationsSpec } from "../../scenario/sections/replications.ts";
import type { ComparisonQuestion } from "./compare.ts";

/** Something about a comparison that its user can put right. */
export class ComparisonError extends Error {
  override readonly name = "UserError";
}

export interface PrepareComparisonOptions {
  /** Which markets; left out: what the scenario says. */
  readonly arms?: ArmsSpec | null | undefined;
  /** Name of an arm; left out: what the scenario says. */
  readonly baseline?: string | undefined;
  /** Left out: what the scenario says, then {@link usualReplications}. */
  readonly replications?: ReplicationsSpec | undefined;
  /** Left out: what the scenario says, then the usual ones. */
  readonly metrics?: readonly Metric[] | undefined;
  /** Of the intervals; 95 % where it is not given. */
  readonly confidence?: number | undefined;
  /** Also the differences between arms none of which is the baseline. */
  readonly allPairs?: boolean | undefined;
  /** Left out: the scenario's. */
  readonly seed?: number | undefined;
  /** Changes that the scenario was loaded with. */
  readonly sets?: readonly string[] | undefined;
  readonly fileExists?: LoadOptions["fileExists"] | undefined;
  readonly lab: ComparisonQuestion["lab"];
}

/** Runs of each arm where nobody says how many. */
export const usualReplications = 10;

/**
 * Makes a comparison ready to be played, and checks that each arm's market can be.
 * @param fileName of the scenario, for messages
 * @throws ComparisonError, ScenarioError
 */
export function prepareComparison({ scenario, experiment, source }: LoadedScenario, fileName: string, options: PrepareComparisonOptions): ComparisonQuestion {
  const { sets = [], seed = scenario.seed, confidence = 0.95, allPairs = false, lab } = options;
  const spec = options.arms ?? experiment.arms;
  if (spec === null) throw new ComparisonError(`${fileName} has no arms: name variations of its market under \`arms:\`, such as \`arms: {one: {}, other: {router.policy: random}}\`.`);
  const names = spec.arms.map(({ name }) => name);
  const baseline = options.baseline ?? spec.baseline;
  if (!names.includes(baseline)) throw new ComparisonError(`found ${JSON.stringify(baseline)} as the baseline; allowed: one of the arms ${names.join(", ")}.`);
  checkVariations(source, fileName, spec.arms.map(({ variation }) => variation), { sets, ...(options.fileExists === undefined ? {} : { fileExists: options.fileExists }) });
  const asked = options.metrics ?? experiment.metrics;
  return {
    scenario, arms: spec.arms, baseline, confidence, allPairs, seed, sets, lab,
    metrics: asked ?? KEY_METRICS.flatMap((id) => findMetric(id) ?? []), metricsAsked: asked !== null,
    replications: options.replications ?? experiment.replications ?? { count: usualReplications, until: null },
  };
}
