import type { Engine } from "../engine.ts";
import type { TimedRequest } from "./requests.ts";

/** When the simulated engine had served the requests, by their place in the list; microseconds. */
export interface Served {
  readonly firstTokenUs: Float64Array;
  readonly lastTokenUs: Float64Array;
  readonly preemptions: number;
}

/**
 * Plays the requests on an engine that has served nobody yet.
 * @throws RangeError for a request that could never run there.
 */
export function replay(engine: Engine, requests: readonly TimedRequest[]): Served {
  const firstTokenUs = new Float64Array(requests.length);
  const lastTokenUs = new Float64Array(requests.length);
  let preemptions = 0;
  const sink = {
    started: (): void => {},
    firstToken: (ref: number, atUs: number): void => { firstTokenUs[ref] = atUs; },
    finished: (ref: number, atUs: number): void => { lastTokenUs[ref] = atUs; },
    preempted: (): void => { preemptions++; },
  };
  for (const [ref, { queuedUs, inputTokens, outputTokens }] of requests.entries()) {
    while (engine.nextUs < queuedUs) engine.advance(engine.nextUs, sink);
    engine.submit(queuedUs, ref, inputTokens, outputTokens, 0);
  }
  while (engine.nextUs < Infinity) engine.advance(engine.nextUs, sink);
  return { firstTokenUs, lastTokenUs, preemptions };
}

/** Relative errors of the simulated means, less one: time to first token, time per output token after it, end to end. */
export interface MeanErrors {
  readonly ttft: number;
  readonly tpot: number;
  readonly endToEnd: number;
}

/** The three times of a request, in microseconds; `tpot` is NaN where there is one token only. */
export function timesOf({ queuedUs, outputTokens }: TimedRequest, firstUs: number, lastUs: number): MeanErrors {
  return { ttft: firstUs - queuedUs, tpot: outputTokens > 1 ? (lastUs - firstUs) / (outputTokens - 1) : NaN, endToEnd: lastUs - queuedUs };
}

/** Errors of the means over the requests from `from` to `to`, `to` not included. */
export function meanErrors(requests: readonly TimedRequest[], served: Served, from = 0, to = requests.length): MeanErrors {
  const real = { ttft: 0, tpot: 0, endToEnd: 0 };
  const simulated = { ttft: 0, tpot: 0, endToEnd: 0 };
  for (let i = from; i < to; i++) {
    const request = requests[i]!;
    const theirs = timesOf(request, request.firstTokenUs, request.lastTokenUs);
    const ours = timesOf(request, served.firstTokenUs[i]!, served.lastTokenUs[i]!);
    for (const name of ["ttft", "tpot", "endToEnd"] as const) {
      if (Number.isNaN(theirs[name])) continue;
      real[name] += theirs[name];
      simulated[name] += ours[name];
    }
  }
  const error = (name: keyof MeanErrors): number => (real[name] === 0 ? 0 : simulated[name] / real[name] - 1);
  return { ttft: error("ttft"), tpot: error("tpot"), endToEnd: error("endToEnd") };
}
