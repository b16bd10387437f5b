import type { FittedCost } from "../../protocol/fitted-cost.ts";
import type { FitResidual } from "../../protocol/profile.ts";
import { meanOf } from "../kernel/statistics/lists.ts";
import { fittedStepCost } from "../world/engine/fitted-cost.ts";
import type { ModelFacts } from "./facts.ts";
import { fitForm, type FormOptions, type PointForm } from "./forms.ts";
import { type Measurements, type Point, pointsOf } from "./points.ts";
import { type Verdict, verdictOn } from "./verdict.ts";

/** How a fit is to be made; what is left out takes its default. */
export interface FitOptions {
  /** Default: experts where the facts have any, else affine where it predicts well points that it did not see, else the best of affine, line and steps at that. */
  readonly form?: PointForm;
  /** Default: a dense model of which nothing else is known. */
  readonly facts?: ModelFacts | null;
  /** Default: what mixed steps show that were measured; else shared. llama.cpp with a KV stream for each sequence, as node-llama-cpp runs it: separate. */
  readonly mixed?: FittedCost["mixed"];
  /** Numbers of sequences whose points are fitted; the others are predicted. Default: all. */
  readonly batches?: readonly number[];
}

/** How far predictions lie from the measurements of one kind: relative errors, predicted over measured less one. */
export interface KindErrors {
  readonly points: number;
  /** Points that the fit saw, and the mean and the largest of their absolute errors. */
  readonly used: number;
  readonly mean: number;
  readonly max: number;
  /** Points that were predicted by a fit that had not seen them, and their mean absolute error; null where there are none. */
  readonly heldOut: { readonly points: number; readonly mean: number; readonly max: number } | null;
}

/** A cost fitted to measured points. */
export interface PointFit {
  readonly cost: FittedCost;
  /** One for each point: prompts, decode steps, mixed steps. */
  readonly residuals: readonly FitResidual[];
  readonly prefill: KindErrors;
  readonly decode: KindErrors;
  /** Of steps with both, which are only predicted; null where none was measured. */
  readonly mixed: KindErrors | null;
  readonly verdict: Verdict;
  /** Forms that were tried, and the mean absolute error of their predictions for points not seen; the one taken is the cost's. */
  readonly tried: readonly { readonly form: PointForm; readonly heldOut: number }[];
}

/** In so many parts at most are the points divided to be left out in turn. */
const foldsMax = 20;
const unbatched = "Steps were measured with one number of sequences alone: what others cost is inferred, each token as one of a prompt.";
/** A straight line that predicts points it has not seen as well as this is taken, for it has fewer figures, each with a meaning. */
const goodEnough = 0.025;

/** Microseconds that the cost predicts for a point. */
export function predictUs(cost: FittedCost, point: Point): number {
  const { baseUs, contextUs, prefillContextUs } = fittedStepCost(cost);
  const base = point.kind === "decode" ? baseUs(0, point.sequences) : baseUs(point.tokens, 0);
  return base + contextUs * point.contextRead + prefillContextUs * point.pairs;
}

/** Microseconds that the cost predicts for a step of prompt tokens and decoding sequences. */
export function predictMixedUs(cost: FittedCost, { batch, contextTokens, promptTokens, promptContextTokens }: Omit<MixedMeasurement, "us">): number {
  const { baseUs, contextUs, prefillContextUs } = fittedStepCost(cost);
  return baseUs(promptTokens, batch) + contextUs * batch * (contextTokens + 1) + prefillContextUs * promptTokens * (promptContextTokens + (promptTokens - 1) / 2);
}

type MixedMeasurement = NonNullable<Measurements["mixed"]>[number];

/**
 * Fits an engine's cost to measured prompts and decode steps.
 * @throws RangeError where there are no prompts or no decode steps to fit, or the form asked for needs facts that are missing.
 */
export function fitPoints(measurements: Measurements, options: FitOptions = {}): PointFit {
  const points = pointsOf(measurements);
  const { batches } = options;
  const used = points.map(({ sequences }) => batches === undefined || batches.includes(sequences));
  for (const kind of ["prefill", "decode"] as const) {
    if (!points.some((point, i) => point.kind === kind && used[i])) {
      throw new RangeError(`there is no ${kind === "prefill" ? "prompt" : "decode step"} among the measurements to fit${batches === undefined ? "" : ` with ${batches.join(", ")} sequences`}`);
    }
  }
  const facts = options.facts ?? null;
  const form: FormOptions = { passTokens: measurements.passTokens, mixed: options.mixed ?? "shared", facts };
  const sizes = new Set(points.filter(({ kind }, i) => kind === "decode" && used[i]).map(({ sequences }) => sequences)).size;
  // A line needs two batch sizes, and a curve three; a single one says nothing of batches, but the affine form's physics does.
  const curves = (["line", "steps"] as const).slice(0, Math.min(2, sizes - 1));
  const candidates: readonly PointForm[] = options.form !== undefined ? [options.form] : facts?.experts ? ["experts"] : ["affine", ...curves];
  const fits = candidates.map((candidate) => fitOne(candidate, points, used, form));
  const best = fits.reduce((taken, next) =>
    ((!taken.verdict.fits || taken.heldOut > goodEnough) && next.heldOut < taken.heldOut ? next : taken));
  const { prefill, decode } = best;
  const verdict = sizes > 1 ? best.verdict : { ...best.verdict, text: `${best.verdict.text} ${unbatched}` };
  const steps = measurements.mixed ?? [];
  const mixes = (["shared", "separate"] as const).filter((mixed) => mixed === (options.mixed ?? (steps.length > 0 ? mixed : "shared"))).map((mixed) => {
    const cost = { ...best.cost, mixed };
    const residuals = steps.map((step, index): FitResidual => ({ kind: "mixed", index, used: false, measuredUs: step.us, fittedUs: predictMixedUs(cost, step) }));
    const errors = residuals.map(relativeError);
    return { cost, residuals, mean: meanAbsolute(errors), max: maxAbsolute(errors) };
  });
  const { cost, residuals, mean, max } = mixes.reduce((taken, next) => (next.mean < taken.mean ? next : taken));
  return {
    cost, residuals: [...best.residuals, ...residuals], prefill, decode, verdict,
    mixed: steps.length === 0 ? null : { points: steps.length, used: 0, mean: 0, max: 0, heldOut: { points: steps.length, mean, max } },
    tried: fits.map((fit) => ({ form: fit.form, heldOut: fit.heldOut })),
  };
}

/** Predicted over measured, less one. */
export function relativeError({ fittedUs, measuredUs }: Pick<FitResidual, "fittedUs" | "measuredUs">): number {
  return fittedUs / measuredUs - 1;
}

interface OneFit extends Omit<PointFit, "tried" | "mixed"> {
  readonly form: PointForm;
  /** Mean absolute error of predictions that had not seen the point; prompts and decode steps count the same. */
  readonly heldOut: number;
}

/** Fits a form to the points in use; predicts the others, or, where all are in use, each from a fit without it. */
function fitOne(form: PointForm, points: readonly Point[], used: readonly boolean[], options: FormOptions): OneFit {
  const known = points.filter((_, i) => used[i]);
  const { cost } = fitForm(form, known, options);
  const unseen = points.map(() => NaN);
  if (known.length < points.length) {
    points.forEach((point, i) => {
      if (!used[i]) unseen[i] = predictUs(cost, point) / point.us - 1;
    });
  } else {
    const folds = Math.min(points.length, foldsMax);
    // The agreement of experts is taken from all points: searching it anew each time would take too long.
    const given = cost.experts === null ? options : { ...options, agreement: cost.experts.agreement };
    for (let fold = 0; fold < folds; fold++) {
      const rest = points.filter((_, i) => i % folds !== fold);
      if (!rest.some(({ kind }) => kind === "decode") || !rest.some(({ kind }) => kind === "prefill")) continue;
      const without = fitForm(form, rest, given).cost;
      points.forEach((point, i) => {
        if (i % folds === fold) unseen[i] = predictUs(without, point) / point.us - 1;
      });
    }
  }

  const residuals = points.map((point, i): FitResidual => ({
    kind: point.kind, index: point.index, used: used[i]!, measuredUs: point.us, fittedUs: predictUs(cost, point),
  }));
  const errorsOf = (kind: Point["kind"]): KindErrors => {
    const inFit = residuals.filter((residual) => residual.kind === kind && residual.used).map(relativeError);
    const predicted = points.flatMap((point, i) => (point.kind === kind && !Number.isNaN(unseen[i]) ? [unseen[i]!] : []));
    return {
      points: points.filter((point) => point.kind === kind).length, used: inFit.length, mean: meanAbsolute(inFit), max: maxAbsolute(inFit),
      heldOut: predicted.length === 0 ? null : { points: predicted.length, mean: meanAbsolute(predicted), max: maxAbsolute(predicted) },
    };
  };
  const prefill = errorsOf("prefill");
  const decode = errorsOf("decode");
  return {
    form, cost, residuals, prefill, decode, verdict: verdictOn(points, residuals.map(relativeError), { prefill, decode }),
    heldOut: ((prefill.heldOut?.mean ?? 0) + (decode.heldOut?.mean ?? 0)) / 2,
  };
}

function meanAbsolute(errors: readonly number[]): number {
  return errors.length === 0 ? 0 : meanOf(errors.map(Math.abs));
}

function maxAbsolute(errors: readonly number[]): number {
  return errors.reduce((max, error) => Math.max(max, Math.abs(error)), 0);
}
