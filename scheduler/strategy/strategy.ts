import type { CallForBids, MarketState, PriceSheet } from "../../protocol/messages.ts";
import type { CustomPolicy } from "../custom/source.ts";
import type { BidOptions } from "./equilibrium-bid.ts";

/** What an operator knows of its own business and of the market when it sets its prices. Nothing here is another's secret. */
export interface Observation {
  /** Time since the last decision, µs; positive. */
  readonly elapsedUs: number;
  /** What it asks now. */
  readonly prices: PriceSheet;
  /** Its own marginal cost, as a price sheet. */
  readonly cost: PriceSheet;
  /** Jobs that the machine can run at once. */
  readonly slots: number;
  /** Jobs at once that it offers to take now, at most `slots`. */
  readonly offered: number;
  /** Slot time in use over slot time offered since the last decision, 0 to 1. */
  readonly utilisation: number;
  /** The most jobs that it held at one time since the last decision. */
  readonly peak: number;
  /** Jobs delivered since the last decision. */
  readonly jobs: number;
  /** Billed for them, msat. */
  readonly revenueMsat: number;
  /** Their marginal cost to the operator, msat. */
  readonly costMsat: number;
  /** The market as a router described it last; undefined before it did. */
  readonly market: MarketState | undefined;
}

/** How an operator prices one model's jobs. Deterministic: the same observations and random numbers give the same prices. */
export interface Strategy {
  /** What to ask from now on. */
  prices(seen: Observation): PriceSheet;
  /** How many jobs at once to take from now on, 1 to `slots`; without it, all. */
  offer?(seen: Observation): number;
  /**
   * What to bid for a job, given what serving it costs this operator; without it, the posted prices.
   * @returns undefined: no bid.
   */
  bid?(call: CallForBids, cost: PriceSheet): PriceSheet | undefined;
}

/** A strategy by name, with its settings. Shares are numbers, 0.2 for 20 %. */
export type StrategyOptions =
  | { readonly kind: "fixed" }
  /** Marginal cost plus this share of it. */
  | { readonly kind: "cost-plus"; readonly markup: number }
  /** Up while busier than the target, down while less busy, by at most `step` at a time. */
  | { readonly kind: "utilisation"; readonly target: number; readonly step: number }
  /** This share below the cheapest rival, from its opening prices downwards, never below cost. */
  | { readonly kind: "undercut"; readonly by: number }
  /** Asks and bids its marginal cost. */
  | { readonly kind: "truthful" }
  /** Bids as in the symmetric equilibrium of the first-price auction; asks its opening prices. */
  | { readonly kind: "equilibrium-bid" } & BidOptions
  /** Bandits over multiples of the opening prices. */
  | { readonly kind: "epsilon-greedy"; readonly grid: readonly number[]; readonly epsilon: number }
  | { readonly kind: "exp3"; readonly grid: readonly number[]; readonly gamma: number }
  /** Asks its cost and chooses how many jobs to take: the best reply to what the others leave, approached with this speed. */
  | { readonly kind: "cournot"; readonly slopeMsat: number; readonly speed: number }
  /** Keeps its prices and chooses how many slots to commit, each at this cost per period, before it knows the demand. */
  | { readonly kind: "newsvendor"; readonly slotCostMsat: number; readonly step: number }
  /** A user's own. */
  | { readonly kind: "custom"; readonly policy: CustomPolicy };
