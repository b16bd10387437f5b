import type { Bid, FeeTerms, PeerId, PriceSheet, RefusalReason } from "../../protocol/messages.ts";
import type { Environment } from "../environment.ts";
import type { ModelMarket } from "../model-market.ts";
import type { Registry } from "../registry.ts";
import type { RoutedJob } from "../routed-job.ts";
import type { Selector } from "../selection/selector.ts";
import type { WaitingJobs } from "../waiting-jobs.ts";

/** What a router lets its pricing mechanism see and do. */
export interface Floor {
  readonly env: Environment;
  readonly registry: Registry;
  readonly selector: Selector;
  readonly fee: FeeTerms;
  /** Jobs in the router's own queue. */
  readonly waiting: WaitingJobs<RoutedJob>;
  /** Jobs that may wait for a later round, and for how long, µs. */
  readonly queueLimit: number;
  readonly queueWaitUs: number;
  /** A node not heard of for longer than this takes no part, µs. */
  readonly staleAfterUs: number;
  /** The job goes to the node of this offer, at these prices and this fee. */
  award(job: RoutedJob, market: ModelMarket, offer: number, prices: PriceSheet, fee: FeeTerms): void;
  /** The job waits in the router's queue, or is given up where that is full. */
  enqueue(job: RoutedJob): void;
  /** The job leaves the router's queue. */
  dequeue(job: RoutedJob): void;
  giveUp(job: RoutedJob, reason: RefusalReason): void;
  /** Jobs that wait may find a node now. */
  fillAll(): void;
}

/**
 * How jobs and nodes find each other where prices are not just there: by auction, in batches, or continuously. It takes a
 * job over from the router and hands it back by awarding it, having it wait, or giving it up.
 */
export interface Mechanism {
  start(): void;
  /** A job seeks a node. */
  place(job: RoutedJob, market: ModelMarket): void;
  /** The job is over. @returns whether the mechanism had it. */
  withdraw(job: RoutedJob): boolean;
  onBid(from: PeerId, bid: Bid): void;
  /** A timer of the mechanism is due; `jobId` is "" where it is about no job. */
  onTimer(jobId: string): void;
  /** A node has room, or has a new descriptor. @returns whether the mechanism sees to the waiting jobs itself. */
  fill(n: number): boolean;
  /** The same for all nodes. */
  fillAll(): boolean;
  /** A node has one job less. */
  released(n: number): void;
}
