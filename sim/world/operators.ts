import type { PeerId } from "../../protocol/messages.ts";
import type { Random } from "../../scheduler/environment.ts";
import { Operator } from "../../scheduler/strategy/operator.ts";
import type { StrategyOptions } from "../../scheduler/strategy/strategy.ts";
import { distribution, type DistributionSpec } from "../kernel/distributions/index.ts";
import type { StrategyRule, StrategySpec } from "../scenario/sections/strategy.ts";
import type { NodePlan } from "./supply.ts";

/** Costs of which fewer than this share are higher count as unbounded by nothing else. */
const TAIL = 1e-9;

/** The moment: its time, and what fiat money is worth then, as a multiple of its worth at time 0. */
export interface Now {
  timeUs(): number;
  fiatWorth(): number;
}

/**
 * The operator behind a node; undefined where its prices never change.
 * @param stream the node's own stream by purpose.
 * @param now what of the world an operator sees that its costs follow.
 */
export function operatorOf(spec: StrategySpec, { descriptor, marginalCost }: NodePlan, self: PeerId, stream: (purpose: string) => Random, now: Now): Operator | undefined {
  if (spec.rule.kind === "fixed") return undefined;
  const { repriceUs } = spec;
  const { sheet, ofJob, moving } = marginalCost;
  return new Operator(self, descriptor, {
    strategy: optionsOf(spec.rule, now), repriceUs, startSlots: spec.startSlots ?? undefined, cost: moving === null ? sheet : () => moving.at(now.timeUs()), costOf: ofJob === null ? undefined : (jobId) => ofJob(jobId, now.timeUs()),
    firstUs: spec.firstUs ?? 1 + Math.floor(stream("time of the first decision").next() * repriceUs),
  }, stream);
}

function optionsOf(rule: StrategyRule, now: Now): StrategyOptions {
  return rule.kind === "equilibrium-bid" ? { kind: rule.kind, bidders: rule.bidders, ...beliefs(rule.costMsat), ...(rule.inFiat === true ? { worth: () => now.fiatWorth() } : {}) } : rule;
}

/** Bounds and distribution function of what bidders believe of costs. */
function beliefs(spec: DistributionSpec): { readonly minMsat: number; readonly maxMsat: number; readonly cdf?: (costMsat: number) => number } {
  if (typeof spec === "object" && "uniform" in spec) return { minMsat: spec.uniform.min, maxMsat: spec.uniform.max };
  const { cdf } = distribution(spec);
  let high = 1;
  while (cdf(high) < 1 - TAIL) high *= 2;
  let low = 0;
  while (high - low > 1) {
    const middle = (low + high) / 2;
    if (cdf(middle) < 1 - TAIL) low = middle;
    else high = middle;
  }
  return { minMsat: 0, maxMsat: high, cdf };
}
