import type { PriceSheet } from "../../protocol/messages.ts";
import type { CustomPolicy } from "../custom/source.ts";

/** How the price of a job comes about. Times in µs, amounts in msat, factors and shares as plain numbers. */
export type PricingOptions =
  /** Every node's own posted prices. */
  | { readonly kind: "posted" }
  /** One price for all, set by the network. */
  | { readonly kind: "network"; readonly prices: PriceSheet }
  /** Posted prices times a factor that grows with the model's utilisation: 1 + slope x (utilisation - above), at most max. */
  | { readonly kind: "surge"; readonly above: number; readonly slope: number; readonly max: number; readonly intervalUs: number }
  /** One price per model that follows its utilisation, as EIP-1559 has it. */
  | {
    readonly kind: "base-fee"; readonly start: PriceSheet; readonly floor: PriceSheet;
    /** Band of utilisation in which the price rests. */
    readonly target: { readonly low: number; readonly high: number };
    /** Largest change in one interval. */
    readonly step: number;
    readonly intervalUs: number;
  }
  /** One price per model, or a factor on posted prices, set at intervals by a user's own policy. */
  | {
    readonly kind: "custom"; readonly policy: CustomPolicy;
    /** The mean of what nodes post at the start, which the policy is told. */
    readonly posted: PriceSheet;
    readonly intervalUs: number;
  }
  /** Sealed-bid procurement, one auction per job. */
  | {
    readonly kind: "call-for-bids"; readonly payment: "first-price" | "second-price";
    /** How long bids are taken; an auction ends earlier where all who were invited have bid. */
    readonly windowUs: number;
    /** Nodes called, drawn among the eligible. */
    readonly invited: number;
    /** Most that a job may cost, without the router's fee; null: no bound but the client's. */
    readonly reserveMsat: number | null;
    /** Calls for one job on which nobody bids before it is given up. */
    readonly rounds: number;
  }
  /** Jobs and free slots are matched at intervals, at the price of the lowest ask that was not taken. */
  | { readonly kind: "uniform-price"; readonly intervalUs: number }
  /** Jobs and free slots are matched at intervals, where supply meets demand. */
  | { readonly kind: "call-market"; readonly intervalUs: number; readonly rule: "midpoint" | "mcafee" }
  /** Each job meets the best ask at once or rests; whoever rested sets the price. */
  | { readonly kind: "continuous" };
