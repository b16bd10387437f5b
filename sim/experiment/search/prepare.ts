import { checkVariations } from "../../scenario/check-variations.ts";
import type { LoadedScenario, LoadOptions } from "../../scenario/load.ts";
import { samplesOf } from "../../scenario/sections/grid.ts";
import type { EquilibriumSpec } from "../../scenario/sections/equilibrium.ts";
import type { SearchSpec } from "../../scenario/sections/search.ts";
import type { EquilibriumQuestion } from "../equilibrium/report.ts";
import type { SearchQuestion } from "./report.ts";

/** Something about a search or a game that its user can put right. */
export class SearchError extends Error {
  override readonly name = "UserError";
}

export interface PrepareOptions<Spec> {
  /** Left out: what the scenario says. */
  readonly spec?: Spec | undefined;
  /** Left out: the scenario's. */
  readonly seed?: number | undefined;
  /** Changes that the scenario was loaded with. */
  readonly sets?: readonly string[] | undefined;
  readonly fileExists?: LoadOptions["fileExists"] | undefined;
  readonly lab: SearchQuestion["lab"];
}

/**
 * Makes a search ready to be played, and checks that every value fits the market.
 * @param fileName of the scenario, for messages
 * @throws SearchError, ScenarioError
 */
export function prepareSearch(loaded: LoadedScenario, fileName: string, options: PrepareOptions<SearchSpec>): SearchQuestion {
  const spec = options.spec ?? loaded.experiment.search;
  if (spec === null) throw new SearchError(`${fileName} has no search: say under \`search:\` what is to be found, such as \`search: {maximise: profit, over: {router.fee.flat: [0 msat, 100 msat]}}\`.`);
  return { ...checked(loaded, fileName, options, [spec.axes]), spec };
}

/**
 * Makes a game ready to be played, and checks that every strategy fits the market.
 * @param fileName of the scenario, for messages
 * @throws SearchError, ScenarioError
 */
export function prepareEquilibrium(loaded: LoadedScenario, fileName: string, options: PrepareOptions<EquilibriumSpec>): EquilibriumQuestion {
  const spec = options.spec ?? loaded.experiment.equilibrium;
  if (spec === null) throw new SearchError(`${fileName} has no equilibrium: say under \`equilibrium:\` who chooses among what, such as \`equilibrium: {players: {gpu: {operators.gpu.price.output: [20 sat/Mtok, 40 sat/Mtok]}}}\`.`);
  return { ...checked(loaded, fileName, options, spec.players.map(({ axes }) => axes)), spec };
}

function checked({ scenario, source }: LoadedScenario, fileName: string, { seed = scenario.seed, sets = [], fileExists, lab }: Omit<PrepareOptions<never>, "spec">, axes: readonly SearchSpec["axes"][]): Omit<SearchQuestion, "spec"> {
  checkVariations(source, fileName, axes.flatMap(samplesOf), { sets, ...(fileExists === undefined ? {} : { fileExists }) });
  return { scenario, seed, sets, lab };
}
