import type { FeeTerms, PriceSheet } from "../../protocol/messages.ts";
import { amountMsat } from "../../protocol/units.ts";
import type { ModelMarket } from "../model-market.ts";
import { atOnePrice, type Clearing, type Crossing, crossing, tradeReduction } from "../pricing/double-auction.ts";
import { inWords } from "../pricing/in-words.ts";
import type { PricingOptions } from "../pricing/options.ts";
import { askLevel, bidLevel, LEVEL_MAX, pricesAt, unitOf } from "../pricing/price-level.ts";
import type { RoutedJob } from "../routed-job.ts";
import type { Floor, Mechanism } from "./mechanism.ts";

const FREE: PriceSheet = { inputMsatPerMtok: 0, outputMsatPerMtok: 0, fixedMsat: 0 };

/** One free slot, at what its node asks. */
interface Unit {
  /** Its node's offer in the market. */
  readonly offer: number;
  readonly level: number;
  taken: boolean;
}

/** A job, at what its client pays. */
interface Bidder {
  readonly job: RoutedJob;
  /** Since when it waits, µs. */
  readonly sinceUs: number;
  readonly level: number;
  slot: Unit | null;
}

/**
 * Jobs and free slots of a model are collected and matched at intervals. A node asks its posted prices for each of its free
 * slots; a job bids the most that its client pays. Both count by their level ({@link askLevel}, {@link bidLevel}) in units
 * of the batch's mean ask; the level of an ask covers every job of the batch.
 *
 * - uniform-price: all trade at the upper end of the clearing interval, the first ask that is not served or the last bid
 *   that is, whichever is lower: with k eager buyers the (k+1)-th lowest ask. Truthful for sellers of one slot.
 * - call-market, midpoint: all trade in the middle of the interval. Truthful for neither side.
 * - call-market, mcafee: trade reduction. Truthful for both; what buyers pay beyond what sellers get is part of the
 *   router's fee.
 *
 * The highest bids are served, each at the cheapest slot sold that can take it; of equal bids the higher priority, then
 * the older job. A job that is not served waits for the next round, as long as the router's queue has it.
 */
export class Batch implements Mechanism {
  readonly #floor: Floor;
  readonly #options: Extract<PricingOptions, { kind: "uniform-price" | "call-market" }>;
  /** By model: jobs with the time since when they wait, µs. */
  readonly #jobs = new Map<string, Map<RoutedJob, number>>();

  /** @throws RangeError where trade reduction's rest would be charged to operators, who bear the fee. */
  constructor(floor: Floor, options: Extract<PricingOptions, { kind: "uniform-price" | "call-market" }>) {
    if (options.kind === "call-market" && options.rule === "mcafee" && floor.fee.bearer === "operator") {
      throw new RangeError("trade reduction needs a fee that clients bear: what they pay beyond what nodes get is part of it");
    }
    this.#floor = floor;
    this.#options = options;
    // Prices are the clearing's business, not a rule of eligibility.
    floor.registry.onNewMarket = (_, market) => market.reprice(() => FREE);
  }

  start(): void {
    this.#floor.env.after(this.#options.intervalUs, { kind: "mechanism", jobId: "", attempt: 0 });
  }

  place(job: RoutedJob): void {
    const { model } = job.request;
    let jobs = this.#jobs.get(model);
    if (jobs === undefined) this.#jobs.set(model, (jobs = new Map()));
    jobs.set(job, this.#floor.env.nowUs);
    this.#floor.env.telemetry.waitingAtRouter(1);
  }

  withdraw(job: RoutedJob): boolean {
    const had = this.#jobs.get(job.request.model)?.delete(job) === true;
    if (had) this.#floor.env.telemetry.waitingAtRouter(-1);
    return had;
  }

  onBid(): void {}
  released(): void {}
  fill(): boolean {
    return true;
  }
  fillAll(): boolean {
    return true;
  }

  onTimer(): void {
    for (const model of [...this.#jobs.keys()].sort()) this.#clear(model, this.#jobs.get(model)!);
    this.#floor.env.after(this.#options.intervalUs, { kind: "mechanism", jobId: "", attempt: 0 });
  }

  #clear(model: string, jobs: Map<RoutedJob, number>): void {
    if (jobs.size === 0) return;
    const { env, registry, selector, fee } = this.#floor;
    const market = registry.market(model);
    const unit = unitOf(market.offers.map(({ prices }) => prices));
    const units = this.#units(market, unit, [...jobs.keys()]);
    const all = [...jobs.entries()].map(([job, sinceUs]): Bidder => ({ job, sinceUs, level: bidLevel(unit, fee, job.request), slot: null }));
    all.sort((a, b) => b.level - a.level || b.job.request.priority - a.job.request.priority || a.sinceUs - b.sinceUs || (a.job.request.jobId < b.job.request.jobId ? -1 : 1));
    const { cross, clearing: { trades, buyersPay, sellersGet } } = this.#match(all, units, market);
    // Down to a whole level: against the payee, and never below an ask, which is whole.
    const paid = Math.floor(sellersGet);
    const charged = Math.floor(buyersPay);
    env.telemetry.priced({ kind: "clearing", model, bids: all.length, asks: units.length, trades, unit, low: cross.low, high: Math.min(LEVEL_MAX, cross.high), buyersPay: charged, sellersGet: paid });
    const prices = pricesAt(unit, paid);
    const chargedPrices = pricesAt(unit, charged);
    const price = trades === 0 ? "" : this.#priceInWords(prices, chargedPrices, trades);
    const unsold: Bidder[] = [];
    for (const bidder of all) {
      const { job, slot } = bidder;
      // The job before may have been the one that a node on probation is given.
      const fits = slot !== null && selector.fits(job.request, market, slot.offer, job.tried, env.nowUs);
      const sold = fits ? slot.offer : -1;
      if (env.telemetry.wantsDecision(job.request.jobId)) this.#explain(job, market, sold, `batch of ${all.length} jobs and ${units.length} free slots, ${trades} trades; ${fits ? "this bid is among them" : "this bid is not"}`, fits ? price : "");
      if (!fits) {
        unsold.push(bidder);
        continue;
      }
      jobs.delete(job);
      env.telemetry.waitingAtRouter(-1);
      this.#floor.award(job, market, sold, prices, this.#feeOn(job, prices, chargedPrices, fee));
    }
    // What a bid fell short of: the price of those that traded, or the lowest ask; where no slot was free, not of a price.
    this.#giveUp(market, jobs, unsold, trades > 0 ? charged : units.length > 0 ? units[0]!.level : -1);
  }

  /** Free slots by what they cost, cheapest first; of equal ones in the order of nodes' ids. At most one more than jobs count. */
  #units(market: ModelMarket, unit: PriceSheet, jobs: readonly RoutedJob[]): Unit[] {
    const { env, registry, staleAfterUs } = this.#floor;
    const { own, others, slots, lastSeenUs, accepting, banned, breaker } = registry;
    const units: Unit[] = [];
    // Whoever covers the jobs at the corners covers all in between: what a job is paid beyond the ask is linear in its lengths.
    let shortest = Infinity;
    let longest = 0;
    let maxOutputTokens = 0;
    for (const { request } of jobs) {
      shortest = Math.min(shortest, request.inputTokens);
      longest = Math.max(longest, request.inputTokens);
      maxOutputTokens = Math.max(maxOutputTokens, request.maxOutputTokens);
    }
    for (let offer = 0; offer < market.count; offer++) {
      const n = market.node[offer]!;
      if (env.nowUs - lastSeenUs[n]! > staleAfterUs || accepting[n] === 0 || banned[n] !== 0 || !breaker.allows(n, own[n]!, env.nowUs)) continue;
      const ask = market.offers[offer]!.prices;
      const level = Math.max(askLevel(unit, ask, shortest, maxOutputTokens), askLevel(unit, ask, longest, maxOutputTokens));
      if (level > LEVEL_MAX) continue;
      const free = Math.min(jobs.length + 1, slots[n]! - own[n]! - others[n]!);
      for (let i = 0; i < free; i++) units.push({ offer, level, taken: false });
    }
    return units.sort((a, b) => a.level - b.level);
  }

  /**
   * Finds the trades, and a slot for each. Not every slot suits every job (region, stake, a node that has failed it). Where
   * a bid that would trade finds no slot among those sold, the batch is cleared again: without the bid where no slot that is
   * left at its price suits it, otherwise without the cheaper slots that nobody could use. What cannot trade sets no price.
   */
  #match(all: readonly Bidder[], allUnits: readonly Unit[], market: ModelMarket): { readonly cross: Crossing; readonly clearing: Clearing } {
    let units = allUnits;
    for (let bids = all; ;) {
      const askLevels = Float64Array.from(units, ({ level }) => level);
      const bidLevels = Float64Array.from(bids, ({ level }) => level);
      const cross = crossing(bidLevels, bids.length, askLevels, units.length);
      const clearing = this.#options.kind === "uniform-price"
        ? atOnePrice(cross, 1)
        : this.#options.rule === "midpoint" ? atOnePrice(cross, 0.5) : tradeReduction(bidLevels, bids.length, askLevels, units.length);
      const { trades } = clearing;
      for (const unit of units) unit.taken = false;
      for (const bid of all) bid.slot = null;
      for (let i = 0; i < trades; i++) {
        const slot = this.#slotFor(bids[i]!.job, market, units, 0, trades);
        if (slot === null) continue;
        slot.taken = true;
        bids[i]!.slot = slot;
      }
      const left = bids.filter(({ slot }, i) => i < trades && slot === null);
      if (left.length === 0) return { cross, clearing };
      const hopeless = new Set(left.filter(({ job, level }) => (this.#slotFor(job, market, units, trades, units.length)?.level ?? Infinity) > level));
      if (hopeless.size > 0) bids = bids.filter((bid) => !hopeless.has(bid));
      else units = units.filter(({ taken }, i) => i >= trades || taken);
    }
  }

  /** @returns the cheapest of these slots that is left and can take the job, null: none. */
  #slotFor({ request, tried }: RoutedJob, market: ModelMarket, units: readonly Unit[], from: number, to: number): Unit | null {
    const { env, selector } = this.#floor;
    for (let i = from; i < to; i++) {
      const slot = units[i]!;
      if (!slot.taken && selector.fits(request, market, slot.offer, tried, env.nowUs)) return slot;
    }
    return null;
  }

  /**
   * What buyers pay beyond what sellers get is the router's, of the job at its longest: a flat part of its fee, which the
   * fee's bounds do not touch, since they move up with it.
   */
  #feeOn({ request }: RoutedJob, prices: PriceSheet, charged: PriceSheet, fee: FeeTerms): FeeTerms {
    if (charged.inputMsatPerMtok === prices.inputMsatPerMtok && charged.outputMsatPerMtok === prices.outputMsatPerMtok && charged.fixedMsat === prices.fixedMsat) return fee;
    const { inputTokens, maxOutputTokens } = request;
    const rest = amountMsat(charged, inputTokens, maxOutputTokens) - amountMsat(prices, inputTokens, maxOutputTokens);
    return {
      ...fee, flatMsat: fee.flatMsat + rest,
      ...(fee.minMsat === undefined ? {} : { minMsat: fee.minMsat + rest }),
      ...(fee.maxMsat === undefined ? {} : { maxMsat: fee.maxMsat + rest }),
    };
  }

  /**
   * Gives up what no node could ever take, what has waited too long, and what is more than may wait: the lowest bids.
   * @param unsold the best first.
   */
  #giveUp(market: ModelMarket, jobs: Map<RoutedJob, number>, unsold: readonly Bidder[], goingLevel: number): void {
    const { env, selector, queueLimit, queueWaitUs } = this.#floor;
    let kept = 0;
    for (const { job, sinceUs, level } of unsold) {
      const { request, attempt, tried } = job;
      const possible = selector.draw(request, market, tried, 1, env.nowUs) > 0 || selector.waitable > 0;
      const tooLong = env.nowUs - sinceUs >= queueWaitUs;
      if (possible && !tooLong && kept < queueLimit) {
        kept++;
        continue;
      }
      jobs.delete(job);
      env.telemetry.waitingAtRouter(-1);
      if (possible && level < goingLevel) env.telemetry.tooDear(request.jobId);
      this.#floor.giveUp(job, !possible ? (attempt === 0 ? "no-eligible-node" : "attempts-exhausted") : tooLong ? "router-wait-too-long" : "router-queue-full");
    }
  }

  #priceInWords(prices: PriceSheet, charged: PriceSheet, trades: number): string {
    if (this.#options.kind === "uniform-price") return `uniform price of ${trades} trades, the first ask not served or the last bid served: ${inWords(prices)}`;
    if (this.#options.rule === "midpoint") return `middle of the clearing interval of ${trades} trades: ${inWords(prices)}`;
    return `trade reduction, ${trades} trades: the node gets ${inWords(prices)}, the client pays ${inWords(charged)}`;
  }

  #explain({ request, attempt, tried }: RoutedJob, market: ModelMarket, chosen: number, how: string, price: string): void {
    const { env, selector } = this.#floor;
    env.telemetry.decided(selector.account(request, market, attempt + 1, chosen, tried, env.nowUs, {
      how, price, ask: (offer) => amountMsat(market.offers[offer]!.prices, request.inputTokens, request.maxOutputTokens),
    }));
  }
}
