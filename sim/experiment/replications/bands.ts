import type { Figures } from "../../../protocol/result/figures.ts";
import type { ReplicationsReport } from "../../../protocol/result/replications.ts";
import { Moments } from "../../kernel/statistics/index.ts";
import { hasSeries, SERIES, seriesOf } from "../series.ts";
import type { SeriesName } from "../series.ts";
import { estimateOf } from "./figure-estimates.ts";

/** Series over time over many runs, window by window. */
export class Bands {
  readonly windows: number;
  readonly #moments: Readonly<Record<SeriesName, readonly Moments[]>>;

  constructor(windows: number) {
    this.windows = windows;
    const column = (): Moments[] => Array.from({ length: windows }, () => new Moments());
    this.#moments = { inSystem: column(), latencyUs: column(), perMtokMsat: column() };
  }

  add(figures: Figures): void {
    if (!hasSeries(figures)) return;
    for (const name of SERIES) {
      for (const [i, value] of seriesOf(figures, name, this.windows).entries()) if (value !== null) this.#moments[name][i]!.add(value);
    }
  }

  series(confidence: number): ReplicationsReport["overTime"]["series"] {
    return SERIES.map((name) => {
      const estimates = this.#moments[name].map((moments) => estimateOf(moments, confidence));
      return {
        name, mean: estimates.map(({ mean }) => mean), low: estimates.map(({ interval }) => interval?.low ?? null), high: estimates.map(({ interval }) => interval?.high ?? null),
        least: estimates.map(({ min }) => min), most: estimates.map(({ max }) => max),
      };
    });
  }
}
