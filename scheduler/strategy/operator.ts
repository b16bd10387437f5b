import type { CallForBids, Descriptor, JobId, MarketState, ModelOffer, PeerId, PriceSheet } from "../../protocol/messages.ts";
import { costMsat } from "../../protocol/money.ts";
import type { Random } from "../environment.ts";
import { newStrategy } from "./pricers.ts";
import { samePrices } from "./prices.ts";
import type { Strategy, StrategyOptions } from "./strategy.ts";

/** Who decides on a node's prices, and by what. */
export interface OperatorOptions {
  readonly strategy: StrategyOptions;
  /** Time between decisions, µs; Infinity: prices stay as they are. */
  readonly repriceUs: number;
  /** Jobs at once that it takes to begin with; all that it can by default. */
  readonly startSlots?: number | undefined;
  /** Time to the first decision, µs, so that operators do not all decide at once; `repriceUs` by default. */
  readonly firstUs?: number | undefined;
  /** Its marginal cost, as a price sheet: its own secret. Where it moves, what it is at the moment of asking. */
  readonly cost: PriceSheet | (() => PriceSheet);
  /** Where it differs from job to job: the cost of one job, at the moment of asking. */
  readonly costOf?: ((jobId: JobId) => PriceSheet) | undefined;
}

/** One model's prices and what came of them since the last decision. */
interface Line {
  readonly model: string;
  readonly strategy: Strategy;
  offer: ModelOffer;
  market: MarketState | undefined;
  jobs: number;
  revenueMsat: number;
  costMsat: number;
}

/**
 * The mind behind a node: keeps its books, and sets its prices, quantities and bids by a strategy, one for each model. It
 * outlives the node's restarts. All that it learns, it learns from the node: its own jobs, and what routers send.
 */
export class Operator {
  /** Time between decisions, µs. */
  readonly repriceUs: number;
  /** Time from the node's start to its first decision, µs. */
  readonly firstUs: number;
  readonly #options: OperatorOptions;
  readonly #slots: number;
  readonly #lines: Line[];
  #offered: number;
  /** Since the last decision. */
  #sinceUs = 0;
  #held = 0;
  #peak = 0;
  #busyUs = 0;
  #changedUs = 0;

  /**
   * @param self the node's id, so that it knows its own ask among others.
   * @param random a stream by purpose.
   * @throws RangeError where a setting of the strategy is out of its range.
   */
  constructor(self: PeerId, { offers, slots }: Pick<Descriptor, "offers" | "slots">, options: OperatorOptions, random: (purpose: string) => Random) {
    this.repriceUs = options.repriceUs;
    this.firstUs = options.firstUs ?? options.repriceUs;
    this.#options = options;
    this.#slots = slots;
    this.#offered = Math.min(slots, options.startSlots ?? slots);
    this.#lines = offers.map((offer) => ({
      model: offer.model,
      strategy: newStrategy(options.strategy, { self, prices: offer.prices, slots: this.#offered, random: () => random(`strategy ${offer.model}`) }),
      offer, market: undefined, jobs: 0, revenueMsat: 0, costMsat: 0,
    }));
  }

  /** What it offers now. */
  get offers(): ModelOffer[] {
    return this.#lines.map(({ offer }) => offer);
  }

  /** How many jobs at once it takes now. */
  get offered(): number {
    return this.#offered;
  }

  /** The node is up, or up again, and holds no jobs: a new period begins. */
  start(nowUs: number): void {
    this.#held = 0;
    this.#begin(nowUs);
  }

  /** A router described a model's market. */
  heard(state: MarketState): void {
    const line = this.#line(state.model);
    if (line !== undefined) line.market = state;
  }

  /** The node took a job (1), or is rid of one (-1). */
  held(change: 1 | -1, nowUs: number): void {
    this.#settle(nowUs);
    this.#held += change;
    if (this.#held > this.#peak) this.#peak = this.#held;
  }

  /** A job was delivered and billed. */
  delivered(jobId: JobId, model: string, amountMsat: number, inputTokens: number, outputTokens: number): void {
    const line = this.#line(model);
    if (line === undefined) return;
    line.jobs++;
    line.revenueMsat += amountMsat;
    line.costMsat += costMsat(this.#costOf(jobId), inputTokens, outputTokens);
  }

  /** What to bid for a job; undefined: nothing. */
  bidFor(call: CallForBids, posted: PriceSheet): PriceSheet | undefined {
    const bid = this.#line(call.job.model)?.strategy.bid;
    return bid === undefined ? posted : bid(call, this.#costOf(call.job.jobId));
  }

  /** Time for a decision. @returns whether anything changed. */
  decide(nowUs: number): boolean {
    this.#settle(nowUs);
    const elapsedUs = nowUs - this.#sinceUs;
    if (elapsedUs <= 0) return false;
    const offered = this.#offered;
    const utilisation = Math.min(1, this.#busyUs / (elapsedUs * offered));
    let next = this.#slots;
    let changed = false;
    const cost = this.#cost;
    for (const line of this.#lines) {
      const { prices } = line.offer;
      const seen = {
        elapsedUs, prices, cost, slots: this.#slots, offered, utilisation, peak: this.#peak,
        jobs: line.jobs, revenueMsat: line.revenueMsat, costMsat: line.costMsat, market: line.market,
      };
      const asked = line.strategy.prices(seen);
      if (line.strategy.offer !== undefined) next = Math.min(next, line.strategy.offer(seen));
      if (!samePrices(asked, prices)) {
        line.offer = { ...line.offer, prices: asked };
        changed = true;
      }
      line.jobs = line.revenueMsat = line.costMsat = 0;
    }
    if (next !== offered) changed = true;
    this.#offered = next;
    this.#begin(nowUs);
    return changed;
  }

  #settle(nowUs: number): void {
    this.#busyUs += this.#held * (nowUs - this.#changedUs);
    this.#changedUs = nowUs;
  }

  #begin(nowUs: number): void {
    this.#sinceUs = this.#changedUs = nowUs;
    this.#busyUs = 0;
    this.#peak = this.#held;
  }

  #costOf(jobId: JobId): PriceSheet {
    const { costOf } = this.#options;
    return costOf === undefined ? this.#cost : costOf(jobId);
  }

  get #cost(): PriceSheet {
    const { cost } = this.#options;
    return typeof cost === "function" ? cost() : cost;
  }

  #line(model: string): Line | undefined {
    return this.#lines[0]?.model === model ? this.#lines[0] : this.#lines.find((line) => line.model === model);
  }
}
