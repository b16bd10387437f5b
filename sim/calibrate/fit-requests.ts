import type { FittedCost } from "../../protocol/fitted-cost.ts";
import type { Engine, StepCost } from "../world/engine/engine.ts";
import { fittedStepCost } from "../world/engine/fitted-cost.ts";
import { type MeanErrors, meanErrors, replay, timesOf } from "../world/engine/replay/replay.ts";
import type { TimedRequest } from "../world/engine/replay/requests.ts";
import { minimiseSimplex } from "./simplex.ts";
import { fitErrorMax, percent, type Verdict } from "./verdict.ts";

/** Forms whose coefficients timed requests can tell. */
export type RequestForm = "affine" | "roofline";

/** How timed requests are to be fitted. */
export interface RequestFitOptions {
  /** A new, idle engine with this cost, as the requests' server was set up. */
  readonly engine: (cost: StepCost) => Engine;
  readonly form: RequestForm;
  /** Only the times of so many of the first requests are fitted; of the others, only when they came and how long they were is known. Default: all. */
  readonly first?: number;
  /** Most tokens in a pass; null, and the default: a step is one pass. */
  readonly passTokens?: number | null;
  /** Default shared. */
  readonly mixed?: FittedCost["mixed"];
}

/** A cost fitted to timed requests. */
export interface RequestFit {
  readonly cost: FittedCost;
  /** Errors of means: over the requests fitted, over all, and over those not fitted (null where there are none). */
  readonly fitted: MeanErrors;
  readonly all: MeanErrors;
  readonly heldOut: MeanErrors | null;
  /** By request: simulated over measured, less one. */
  readonly residuals: readonly MeanErrors[];
  readonly preemptions: number;
  readonly verdict: Verdict;
}

/** Weight of a request's time to first token beside its other two times: the queue amplifies what is off. */
const firstTokenWeight = 0.3;
/** Weight of each mean's error beside the mean of the errors. */
const meanWeight = 0.3;
const startsTaken = 3;
const firstSizes = [0.5, -0.3];
const sizes = [0.2, -0.1, 0.05];
const iterations = 50;

/**
 * Fits an engine's cost to requests that a real server served under load, by playing them on the simulated engine.
 * Four coefficients, each with a meaning: fixed part of a step, reading the weights (roofline) or a part for each
 * sequence (affine), arithmetic of a token, and reading a token of context. Minimised are the absolute logarithmic errors
 * of time to first token, time per token and end to end, request by request, and those of their means.
 * @throws RangeError where there are no requests, or one could never run on the engine.
 */
export function fitRequests(requests: readonly TimedRequest[], options: RequestFitOptions): RequestFit {
  const first = Math.min(options.first ?? requests.length, requests.length);
  if (first < 1) throw new RangeError("there are no requests to fit");
  const of = costFrom(options);
  const fitted = requests.slice(0, first);
  const near = requests.slice(0, withinReach(requests, first));
  const loss = (logs: readonly number[]): number => {
    const times = replay(options.engine(fittedStepCost(of(logs))), near);
    let sum = 0;
    for (let i = 0; i < first; i++) {
      const request = requests[i]!;
      const real = timesOf(request, request.firstTokenUs, request.lastTokenUs);
      const ours = timesOf(request, times.firstTokenUs[i]!, times.lastTokenUs[i]!);
      sum += Math.abs(Math.log(ours.endToEnd / real.endToEnd)) + firstTokenWeight * Math.abs(Math.log(ours.ttft / real.ttft));
      if (real.tpot > 0) sum += Math.abs(Math.log(ours.tpot / real.tpot));
    }
    const { ttft, tpot, endToEnd } = meanErrors(fitted, times);
    const total = sum / first + meanWeight * [ttft, tpot, endToEnd].reduce((rest, error) => rest + Math.abs(Math.log(1 + error)), 0);
    return Number.isNaN(total) ? Infinity : total;
  };
  const starts = startsFrom(fitted).map((x) => ({ x, loss: loss(x) })).sort((a, b) => a.loss - b.loss).slice(0, startsTaken);
  const tried = starts.map(({ x }) => minimiseSimplex(loss, x, firstSizes, iterations));
  const best = tried.reduce((taken, next) => (next.loss < taken.loss ? next : taken));
  const cost = of(minimiseSimplex(loss, best.x, sizes, iterations).x);

  const times = replay(options.engine(fittedStepCost(cost)), requests);
  const residuals = requests.map((request, i): MeanErrors => {
    const real = timesOf(request, request.firstTokenUs, request.lastTokenUs);
    const ours = timesOf(request, times.firstTokenUs[i]!, times.lastTokenUs[i]!);
    return { ttft: ours.ttft / real.ttft - 1, tpot: ours.tpot / real.tpot - 1, endToEnd: ours.endToEnd / real.endToEnd - 1 };
  });
  const all = meanErrors(requests, times);
  return {
    cost, all, residuals, fitted: meanErrors(requests, times, 0, first),
    heldOut: first === requests.length ? null : meanErrors(requests, times, first),
    preemptions: times.preemptions, verdict: judge(all, residuals),
  };
}

/** How many of the requests can matter to the first ones: those that came before the last of them had ended, and half as long after. */
function withinReach(requests: readonly TimedRequest[], first: number): number {
  const endUs = requests.slice(0, first).reduce((end, { lastTokenUs }) => Math.max(end, lastTokenUs), 0);
  const beyond = requests.findIndex(({ queuedUs }, i) => i >= first && queuedUs > 1.5 * endUs);
  return beyond < 0 ? requests.length : beyond;
}

/** Coefficients from their logarithms: fixed, read or per sequence, per token, context. */
function costFrom({ form, passTokens = null, mixed = "shared" }: RequestFitOptions): (logs: readonly number[]) => FittedCost {
  return (logs) => {
    const [fixedUs, second, tokenUs, contextUs] = logs.map((log) => Math.min(1e12, Math.exp(log))) as [number, number, number, number];
    return {
      form, passTokens, mixed, fixedUs, tokenUs, contextUs, batchedUs: 0, promptContextUs: 0, experts: null, steps: null,
      readUs: form === "roofline" ? second : 0, sequenceUs: form === "affine" ? second : 0,
    };
  };
}

/**
 * Where the search may start, as logarithms: steps as short as the shortest time per token, prompt tokens as quick as the
 * quickest or quicker, and the step's time divided in several ways between its parts.
 */
function startsFrom(requests: readonly TimedRequest[]): number[][] {
  let stepUs = Infinity;
  let tokenUs = Infinity;
  let context = 0;
  for (const { queuedUs, inputTokens, outputTokens, firstTokenUs, lastTokenUs } of requests) {
    tokenUs = Math.min(tokenUs, (firstTokenUs - queuedUs) / Math.max(1, inputTokens));
    if (outputTokens > 1) stepUs = Math.min(stepUs, (lastTokenUs - firstTokenUs) / (outputTokens - 1));
    context += (inputTokens + outputTokens / 2) / requests.length;
  }
  if (stepUs === Infinity) stepUs = tokenUs;
  return [0.05, 0.2].flatMap((fixed) => [0.25, 0.5, 0.75].flatMap((second) => [1, 0.7].flatMap((token) => [400, 100, 25].map((sequences) =>
    [stepUs * fixed, stepUs * second, tokenUs * token, stepUs / sequences / Math.max(1, context)].map((us) => Math.log(Math.max(1e-6, us)))))));
}

const names = { ttft: "time to first token", tpot: "time per token", endToEnd: "end to end" } as const;

function judge(all: MeanErrors, residuals: readonly MeanErrors[]): Verdict {
  const faults: string[] = [];
  for (const name of ["ttft", "tpot", "endToEnd"] as const) {
    if (Math.abs(all[name]) > fitErrorMax) faults.push(`mean ${names[name]} by ${percent(all[name])}`);
    const thirds = [0, 1, 2].map((third) => {
      const part = residuals.slice(Math.floor(third * residuals.length / 3), Math.floor((third + 1) * residuals.length / 3)).map((residual) => residual[name]).filter((error) => !Number.isNaN(error)).sort((a, b) => a - b);
      return part.length === 0 ? 0 : part[Math.floor(part.length / 2)]!;
    });
    // To first tokens, the queue carries what is off from request to request: they show no trend of the form.
    if (name !== "ttft" && Math.max(...thirds) - Math.min(...thirds) > 2 * fitErrorMax) {
      faults.push(`${names[name]} drifts from ${percent(thirds[0]!)} in the first third to ${percent(thirds[2]!)} in the last`);
    }
  }
  const limit = percent(fitErrorMax, false);
  return faults.length === 0
    ? { fits: true, text: `The form fits: the means lie within ${limit}, and no time drifts by more than ${percent(2 * fitErrorMax, false)} from the first third of the requests to the last.` }
    : { fits: false, text: `The form does NOT fit (limit ${limit}): ${faults.join("; ")}.` };
}
