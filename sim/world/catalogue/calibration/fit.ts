import type { Build, Efficiency } from "../efficiency.ts";
import { stepCost } from "../step-cost.ts";
import type { MachineFamily } from "../types.ts";
import type { Measurement } from "./measurements.ts";
import { minimise } from "./search.ts";

/** Weights stream at no more than this share of peak bandwidth: about what a copy benchmark reaches. */
export const bandwidthShareMax = 0.92;

/** Matrix products run at no more than this share of peak arithmetic: about what large ones reach in vendors' libraries. */
export const computeShareMax = 0.85;

type Figures = Pick<Build, "layerUs" | "kvShare" | "attentionShare">;

/** Efficiencies of one family, as fitted. */
export interface FamilyFit {
  readonly family: MachineFamily;
  readonly bandwidth: number;
  readonly compute: number;
}

/** What a set of measurements says about one build of llama.cpp and the families it ran on. */
export interface LlamaCppFit extends Figures {
  readonly families: readonly FamilyFit[];
}

/** Prediction over measurement, less one. */
export function relativeError(measurement: Measurement, efficiency?: Efficiency): number {
  if (measurement.tokensPerS === null) return NaN;
  const { machine, model, quantisation } = measurement;
  return measurement.predict(stepCost(machine, model, quantisation, "llama.cpp", efficiency)) / measurement.tokensPerS - 1;
}

/** Mean over machines, models and kinds of the mean absolute logarithmic error in each: no table counts for its length. */
function groups(measurements: readonly Measurement[]): Measurement[][] {
  const byGroup = new Map<string, Measurement[]>();
  for (const measurement of measurements) {
    if (measurement.tokensPerS === null) continue;
    const key = `${measurement.machine.name}|${measurement.model.name}|${measurement.kind}`;
    const group = byGroup.get(key);
    if (group === undefined) byGroup.set(key, [measurement]);
    else group.push(measurement);
  }
  return [...byGroup.values()];
}

/**
 * Fits one build: a fixed time per layer, the shares that KV cache and prompt attention reach, and for every family one
 * bandwidth and one compute efficiency. Absolute logarithmic errors, so that an odd row pulls no harder than another.
 * @param known - figures of the build taken as given; the others are fitted.
 */
export function fitLlamaCpp(measurements: readonly Measurement[], known: Partial<Figures> = {}): LlamaCppFit {
  const sets = groups(measurements);
  const families = [...new Set(measurements.map(({ machine }) => machine.family))];
  const decode = (point: readonly number[]): LlamaCppFit => ({
    layerUs: known.layerUs ?? point[0] as number,
    kvShare: known.kvShare ?? point[1] as number,
    attentionShare: known.attentionShare ?? point[2] as number,
    families: families.map((family, i) => ({ family, bandwidth: point[3 + 2 * i] as number, compute: point[4 + 2 * i] as number })),
  });
  const loss = (point: readonly number[]): number => {
    const { families: fits, ...figures } = decode(point);
    const build: Build = { name: "", passUs: 0, overlap: 0, ...figures };
    let sum = 0;
    for (const set of sets) {
      let ofSet = 0;
      for (const measurement of set) {
        const fit = fits.find(({ family }) => family === measurement.machine.family) as FamilyFit;
        ofSet += Math.abs(Math.log(1 + relativeError(measurement, { engine: "llama.cpp", build, basis: "fitted", from: "", ...fit })));
      }
      sum += ofSet / set.length;
    }
    return sum / sets.length;
  };
  return decode(minimise(loss, [
    { min: 0, max: 150, start: 75 },
    { min: 0.1, max: 1, start: 0.5 },
    { min: 0.02, max: 1, start: 0.3 },
    ...families.flatMap(() => [{ min: 0.2, max: bandwidthShareMax, start: 0.8 }, { min: 0.02, max: computeShareMax, start: 0.4 }]),
  ]));
}
