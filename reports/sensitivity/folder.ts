import type { Figures } from "../../protocol/result/figures.ts";
import type { SensitivityReport } from "../../protocol/result/sensitivity.ts";
import { ExperimentFolder } from "../experiment-folder.ts";
import { sensitivityContent } from "./content.ts";
import { renderSensitivityPlots } from "./figures.ts";
import type { SensitivityPlotName } from "./titles.ts";
import { plotsOf, SENSITIVITY_TITLES } from "./titles.ts";

/** A factor's column in the table of runs. */
export interface FactorOfRuns {
  readonly name: string;
  /** Whose values the column holds. */
  readonly path: string;
  /** Of the values; "" where they have none. */
  readonly unit: string;
}

/** A run of a study. */
export interface SensitivityRun {
  readonly name: string;
  readonly seed: number;
  /** The changes that it was played with, as path=value. */
  readonly sets: readonly string[];
  readonly error: string | null;
  readonly digest: string | null;
  readonly figures: Figures | null;
}

/** A folder that takes a sensitivity report. */
export class SensitivityFolder extends ExperimentFolder<SensitivityReport, SensitivityPlotName> {
  readonly #factors: readonly FactorOfRuns[];
  readonly #replications: number;

  /** Makes the folder where it is missing. @throws as `DraftFolder` does */
  constructor(path: string, scenario: string, method: SensitivityReport["method"]["kind"], factors: readonly FactorOfRuns[], replications: number) {
    super(path, {
      name: "sensitivity", plots: plotsOf(method), titles: SENSITIVITY_TITLES, market: "The market as it stands", content: sensitivityContent, render: renderSensitivityPlots,
    }, { factors: factors.map(({ name, unit }) => ({ name: unit === "" ? name : `${name} (${unit})`, numeric: true })), about: { scenario } });
    this.#factors = factors;
    this.#replications = replications;
  }

  /** Adds a run to the table of runs, in order. */
  addRun({ name, seed, sets, error, digest, figures }: SensitivityRun): void {
    const values = this.#factors.map(({ path }) => {
      const set = sets.find((one) => one.startsWith(`${path}=`));
      return set === undefined ? null : Number.parseFloat(set.slice(path.length + 1));
    });
    this.addRow({ run: name, factors: values, replication: this.rows % this.#replications, seed, error, digest, figures });
  }
}
