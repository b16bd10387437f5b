import { distribution } from "../kernel/distributions/index.ts";
import type { DistributionSpec } from "../kernel/distributions/index.ts";
import { generateUs, promptUs } from "../world/catalogue/step-cost.ts";
import { planEngine } from "./engine-plan.ts";
import type { ArrivalsSpec, ClientSpec, OperatorSpec, Scenario } from "./scenario.ts";

/** What a scenario asks of its market, roughly: means only, no queueing, no network. */
export interface LoadEstimate {
  readonly nodes: number;
  /** Jobs that can be in service at the same time. */
  readonly slots: number;
  /** Mean over the horizon; null where a client class replays a trace, whose rate only the trace tells. */
  readonly jobsPerS: number | null;
  readonly inputTokensPerS: number | null;
  readonly outputTokensPerS: number | null;
  /**
   * Share of what the nodes can do with full batches, churn taken off. Above 1: more is asked than can be served.
   * null where the rate is not known, or where nobody serves a class.
   */
  readonly load: number | null;
}

/** Estimates a scenario's load. @throws UnknownNameError for a machine or model that the catalogue does not have. */
export function estimateLoad(scenario: Scenario): LoadEstimate {
  const { operators, clients } = scenario;
  let jobsPerS: number | null = 0;
  let inputTokensPerS: number | null = 0;
  let outputTokensPerS: number | null = 0;
  let load: number | null = 0;
  for (const client of clients) {
    const tokens = meanTokens(client);
    const ratePerS = meanRatePerS(client.arrivals, scenario.horizonUs);
    const capacityPerS = tokens === null ? null : operators.reduce((sum, operator) => sum + jobsPerSOf(operator, client.model, tokens), 0);
    jobsPerS = jobsPerS === null || ratePerS === null ? null : jobsPerS + ratePerS;
    inputTokensPerS = inputTokensPerS === null || ratePerS === null || tokens === null ? null : inputTokensPerS + ratePerS * tokens.input;
    outputTokensPerS = outputTokensPerS === null || ratePerS === null || tokens === null ? null : outputTokensPerS + ratePerS * tokens.output;
    load = load === null || ratePerS === null || capacityPerS === null || capacityPerS === 0 ? null : load + ratePerS / capacityPerS;
  }
  return {
    nodes: operators.reduce((sum, { count }) => sum + count, 0),
    slots: operators.reduce((sum, operator) => sum + operator.count * slotsOf(operator), 0),
    jobsPerS, inputTokensPerS, outputTokensPerS, load,
  };
}

interface Tokens {
  readonly input: number;
  readonly output: number;
}

/** null where only a trace knows. */
function meanTokens({ inputTokens, outputTokens, maxOutputTokens }: ClientSpec): Tokens | null {
  if (inputTokens === "trace" || outputTokens === "trace") return null;
  return { input: Math.max(1, distribution(inputTokens).mean), output: Math.max(1, cappedMean(outputTokens, maxOutputTokens)) };
}

/** Mean of min(X, cap) for X >= 0: the integral of 1 - F up to the cap. */
function cappedMean(spec: DistributionSpec, cap: number): number {
  const law = distribution(spec);
  const steps = 2_000;
  let sum = 0;
  for (let i = 0; i < steps; i++) sum += 1 - law.cdf((i + 0.5) * cap / steps);
  return sum * cap / steps;
}

function meanRatePerS(arrivals: ArrivalsSpec, horizonUs: number): number | null {
  switch (arrivals.kind) {
    case "regular": case "poisson": case "gamma": case "weibull": return arrivals.ratePerS;
    case "mmpp": {
      const cycleUs = arrivals.states.reduce((sum, { meanUs }) => sum + meanUs, 0);
      return arrivals.states.reduce((sum, { ratePerS, meanUs }) => sum + ratePerS * meanUs, 0) / cycleUs;
    }
    case "varying": {
      const steps = 2_000;
      let sum = 0;
      for (let i = 0; i < steps; i++) sum += rateAt(arrivals.points, arrivals.periodUs, (i + 0.5) * horizonUs / steps);
      return sum / steps;
    }
    // At most: as if jobs took no time.
    case "closed": return arrivals.users * 1e6 / distribution(arrivals.thinkTimeUs).mean;
    case "trace": return null;
  }
}

function rateAt(points: readonly { readonly atUs: number; readonly ratePerS: number }[], periodUs: number | null, timeUs: number): number {
  const atUs = periodUs === null ? timeUs : timeUs % periodUs;
  const next = points.findIndex((point) => point.atUs > atUs);
  if (next === -1) return points.at(-1)!.ratePerS;
  const after = points[next]!;
  const before = points[next - 1];
  if (before === undefined) return after.ratePerS;
  return before.ratePerS + (after.ratePerS - before.ratePerS) * (atUs - before.atUs) / (after.atUs - before.atUs);
}

function slotsOf({ engine }: OperatorSpec): number {
  switch (engine.kind) {
    case "llama.cpp": case "service-time": return engine.slots;
    case "vllm": return engine.maxSequences;
    case "sequential": return 1;
  }
}

/** Such jobs that the whole class can finish per second with full batches. */
function jobsPerSOf(operator: OperatorSpec, model: string, tokens: Tokens): number {
  if (!operator.models.includes(model)) return 0;
  return operator.count * availability(operator) * 1e6 / nodeUsPerJob(operator, model, tokens);
}

/** Time that a job takes of a node whose batch is full. */
function nodeUsPerJob(operator: OperatorSpec, model: string, { input, output }: Tokens): number {
  const { engine } = operator;
  if (engine.kind === "service-time") return distribution(engine.serviceUs).mean / engine.rates.at(-1)!;
  const { cost, limits } = planEngine(operator, engine, model);
  const batch = Math.max(1, Math.min(limits.slots, Math.floor(limits.kvTokensMax / (input + output / 2))));
  if (batch === 1) return promptUs(cost, input, limits.stepTokens) + generateUs(cost, output, input);
  const stepUs = cost.baseUs(0, batch) + cost.contextUs * batch * (input + output / 2);
  return promptUs(cost, input, limits.stepTokens) + output * stepUs / batch;
}

function availability({ churn: { presence } }: OperatorSpec): number {
  if (presence === null) return 1;
  const up = distribution(presence.uptimeUs).mean;
  const down = distribution(presence.downtimeUs).mean;
  return Number.isFinite(up) && up + down > 0 ? up / (up + down) : 1;
}
