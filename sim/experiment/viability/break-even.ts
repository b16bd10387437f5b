import type { Costs, NodeOutcome } from "./accounts.ts";
import { hoursPerMonth, monthlyAccount } from "./accounts.ts";

/** Precision of a break-even price found in the market: a share of the price. */
const priceTolerance = 0.01;

/** The price at which the same jobs would just pay. */
export interface HeldVolume {
  /** Times the price asked. */
  readonly factor: number;
  /** Per million tokens, input and output together. */
  readonly usdPerMtok: number;
  /** The account at this price, drawn up again. */
  readonly profitUsd: number;
}

/** Break-even price with the volume held: monthly cost over monthly tokens. null where no token was sold, or all was free. */
export function heldVolume(outcome: NodeOutcome, costs: Costs): HeldVolume | null {
  const account = monthlyAccount(outcome, costs);
  const tokens = (outcome.inputTokens + outcome.outputTokens) / outcome.measuredHours * hoursPerMonth * costs.uptime;
  if (tokens === 0 || account.revenueUsd === 0) return null;
  const costUsd = account.revenueUsd - account.profitUsd;
  const factor = costUsd / account.revenueUsd;
  return { factor, usdPerMtok: costUsd / tokens * 1e6, profitUsd: monthlyAccount({ ...outcome, revenueMsat: outcome.revenueMsat * factor }, costs).profitUsd };
}

/** An outcome with its slots busy for another share of the time, revenue and work per busy slot held. */
export function atUtilisation(outcome: NodeOutcome, utilisation: number): NodeOutcome {
  const factor = utilisation / outcome.utilisation;
  return {
    ...outcome,
    utilisation,
    revenueMsat: outcome.revenueMsat * factor,
    jobs: outcome.jobs * factor,
    inputTokens: outcome.inputTokens * factor,
    outputTokens: outcome.outputTokens * factor,
    // Jobs spread over time as they were, so that idle time fills up in proportion, until none is left.
    busyShare: Math.min(1, outcome.busyShare * factor),
  };
}

/**
 * Share of the slots that must be busy for the month to pay, by bisection: profit is piecewise linear in it, and rises once
 * it has crossed zero.
 * @returns `share` null where not even full slots pay; null where nothing was served
 */
export function breakEvenUtilisation(outcome: NodeOutcome, costs: Costs): { readonly share: number | null; readonly profitUsd: number | null } | null {
  if (outcome.utilisation === 0 || outcome.revenueMsat === 0) return null;
  const profit = (share: number): number => monthlyAccount(atUtilisation(outcome, share), costs).profitUsd;
  if (profit(0) >= 0) return { share: 0, profitUsd: profit(0) };
  if (profit(1) < 0) return { share: null, profitUsd: null };
  let low = 0;
  let high = 1;
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (profit(middle) < 0) low = middle;
    else high = middle;
  }
  return { share: high, profitUsd: profit(high) };
}

/** A factor on the price, and the mean profit with it. */
export interface PriceTrial {
  readonly factor: number;
  readonly profitUsd: number;
}

/**
 * The bracket of the lowest factor at which profit becomes positive, among trials in order of their factors; null where
 * none pays. A factor of 0 brings nothing and so loses.
 */
export function bracketOf<Trial extends PriceTrial>(trials: readonly Trial[]): { readonly low: Trial | null; readonly high: Trial } | null {
  const first = trials.findIndex(({ profitUsd }) => profitUsd >= 0);
  return first === -1 ? null : { low: trials[first - 1] ?? null, high: trials[first]! };
}

/**
 * The factor to try next between the ends of a bracket: where the straight line between them crosses zero, kept off the
 * ends so that both close in. null where they are close enough, or the upper one just pays.
 */
export function nextFactor(low: PriceTrial | null, high: PriceTrial, costUsd: number): number | null {
  if (high.profitUsd <= 1e-4 * costUsd) return null;
  if (low === null) return high.factor / 2;
  const width = high.factor - low.factor;
  if (width <= priceTolerance * high.factor) return null;
  const crossing = low.factor + width * -low.profitUsd / (high.profitUsd - low.profitUsd);
  return Math.min(high.factor - 0.1 * width, Math.max(low.factor + 0.1 * width, crossing));
}
