import type { PeerId } from "../../protocol/messages.ts";
import type { Random } from "../../scheduler/environment.ts";
import { Operator } from "../../scheduler/strategy/operator.ts";
import type { StrategyOptions } from "../../scheduler/strategy/strategy.ts";
import { distribution, type DistributionSpec } from "../kernel/distributions/index.ts";
import type { StrategyRule, StrategySpec } from "../scenario/sections/strategy.ts";
import type { NodePlan } from "./supply.ts";

/** Costs of which fewer than this share are higher count as unbounded by nothing else. */
const TAIL = 1e-9;

/**
 * The operator behind a node; undefined where its prices never change.
 * @param stream the node's own stream by purpose.
 * @param nowUs the time, for costs that move.
 */
export function operatorOf(spec: StrategySpec, { descriptor, marginalCost }: NodePlan, self: PeerId, stream: (purpose: string) => Random, nowUs: () => number): Operator | undefined {
  if (spec.rule.kind === "fixed") return undefined;
  const { repriceUs } = spec;
  const { sheet, ofJob, moving } = marginalCost;
  return new Operator(self, descriptor, {
    strategy: optionsOf(spec.rule), repriceUs, startSlots: spec.startSlots ?? undefined, cost: moving === null ? sheet : () => moving.at(nowUs()), costOf: ofJob === null ? undefined : (jobId) => ofJob(jobId, nowUs()),
    firstUs: spec.firstUs ?? 1 + Math.floor(stream("time of the first decision").next() * repriceUs),
  }, stream);
}

function optionsOf(rule: StrategyRule): StrategyOptions {
  return rule.kind === "equilibrium-bid" ? { kind: rule.kind, bidders: rule.bidders, ...beliefs(rule.costMsat) } : rule;
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
