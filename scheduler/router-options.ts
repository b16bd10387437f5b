import type { FeeTerms } from "../protocol/messages.ts";
import type { CircuitBreakerOptions } from "./circuit-breaker.ts";
import type { PricingOptions } from "./pricing/options.ts";
import type { PolicyOptions } from "./selection/policy.ts";

/** A router's rules. Times in µs. */
export interface RouterOptions {
  /** How a node is picked among the eligible. Where a mechanism finds the price job by job or in batches, that decides. */
  readonly policy: PolicyOptions;
  /** How prices come about; absent: every node's posted prices. */
  readonly pricing?: PricingOptions | undefined;
  /** How often nodes are told how their markets stand, µs; 0 or absent: never. */
  readonly marketStateUs?: number | undefined;
  /** What the router charges on each job. */
  readonly fee: FeeTerms;
  /** A node not heard of for longer than this is not considered, and its jobs go elsewhere; µs. */
  readonly staleAfterUs: number;
  /** How often the router looks for nodes that have gone stale, µs. */
  readonly sweepUs: number;
  /**
   * A node not heard of for so long is forgotten, with what was learned of it, and a model that nobody offers any more likewise;
   * µs. Absent, as in the simulation: never.
   */
  readonly forgetAfterUs?: number | undefined;
  /** Nodes that it knows at once, at most: where there are so many, those that are stale are forgotten sooner. Absent: no bound. */
  readonly nodesMax?: number | undefined;
  /** Nodes tried for one job before it is given up; at least 1. */
  readonly attempts: number;
  /** How long a node may take to accept or refuse, µs. */
  readonly acceptTimeoutUs: number;
  /** How long an accepted job may take until its result, µs. */
  readonly jobTimeoutUs: number;
  /** Jobs that may wait at the router while every node that could serve them is full; 0: none. */
  readonly queueLimit: number;
  /** How long a job may wait there at a time, µs. */
  readonly queueWaitUs: number;
  /** When a node that fails is left alone, and for how long. */
  readonly circuitBreaker: CircuitBreakerOptions;
  /** How long a quote is meant to hold, µs. */
  readonly quoteValidUs: number;
}
