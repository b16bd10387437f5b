import type { PriceSheet } from "../../protocol/messages.ts";
import { affordableMsat, MSAT_PER_BTC, pricesPaying } from "../../protocol/money.ts";
import { amountMsat } from "../../protocol/units.ts";
import type { ModelMarket } from "../model-market.ts";
import { unitOf } from "../pricing/price-level.ts";
import type { RoutedJob } from "../routed-job.ts";
import type { Floor, Mechanism } from "./mechanism.ts";

/**
 * A continuous double auction: a node's free slots rest as asks at its posted prices, a job comes in with a limit, the most
 * that its client pays. It meets the best ask within the limit at once and pays that; otherwise it rests, and the next slot
 * that becomes free at or below its limit goes to the best bid and is paid that. Price first, then time: of equal asks the
 * node that has rested longest, of equal bids the older job. A job that pays any price (a bitcoin or more) is a market
 * order: it pays what the node asks, whoever rested.
 *
 * Jobs differ in length and in the nodes that may serve them, so bids are compared by their multiple of what the node asks
 * for the job. Among equal jobs that any node may serve, trades are those of an {@link OrderBook}.
 *
 * No more orders rest than the router's queue has room for: where it is full, a job that bids more than the lowest order of
 * its model, as a multiple of what nodes ask on average, takes the place of that, and the lowest is turned away; of equal
 * ones the younger.
 */
export class Continuous implements Mechanism {
  readonly #floor: Floor;
  /** By node: since when its ask rests, µs. */
  readonly #sinceUs: number[] = [];

  constructor(floor: Floor) {
    this.#floor = floor;
  }

  start(): void {}
  onBid(): void {}
  onTimer(): void {}
  withdraw(): boolean {
    return false;
  }

  released(n: number): void {
    const { env, registry } = this.#floor;
    if (registry.own[n]! + registry.others[n]! + 1 === registry.slots[n]) this.#sinceUs[n] = env.nowUs;
  }

  place(job: RoutedJob, market: ModelMarket): void {
    const { env, registry, selector, fee, queueLimit } = this.#floor;
    const { request, attempt, tried } = job;
    const { own, others, slots } = registry;
    const count = selector.gather(request, market, tried, env.nowUs);
    let best = -1;
    let bestMsat = Infinity;
    for (let i = 0; i < count; i++) {
      const offer = selector.candidates[i]!;
      const n = market.node[offer]!;
      if (own[n]! + others[n]! >= slots[n]!) continue;
      const askMsat = selector.amountsMsat[i]!;
      if (askMsat > bestMsat || (askMsat === bestMsat && (this.#sinceUs[n] ?? 0) >= (this.#sinceUs[market.node[best]!] ?? 0))) continue;
      best = offer;
      bestMsat = askMsat;
    }
    if (env.telemetry.wantsDecision(request.jobId)) {
      const asked = best < 0 ? "no slot is free within its limit" : "the best ask of a free slot; of equal ones the one that has rested longest";
      this.#explain(job, market, best, asked, best < 0 ? "" : "the ask, which rested");
    }
    if (best >= 0) {
      env.telemetry.priced({ kind: "trade", model: request.model, rested: "ask" });
      this.#floor.award(job, market, best, market.offers[best]!.prices, fee);
    } else if (queueLimit > 0 && count + selector.waitable + selector.tooDear > 0) {
      // Nobody asks so little: if the job rests in vain, that is the price's doing, not the queue's.
      if (count + selector.waitable === 0) env.telemetry.tooDear(request.jobId);
      this.#rest(job, market);
    } else {
      this.#floor.giveUp(job, attempt === 0 ? "no-eligible-node" : "attempts-exhausted");
    }
  }

  #rest(job: RoutedJob, market: ModelMarket): void {
    const { waiting, queueLimit } = this.#floor;
    if (waiting.size >= queueLimit) {
      const usual = unitOf(market.offers.map(({ prices }) => prices));
      let lowest: RoutedJob | null = null;
      let lowestLevel = Infinity;
      waiting.walk(job.request.model, (other) => {
        const level = this.#level(other, usual);
        if (level <= lowestLevel) {
          lowest = other;
          lowestLevel = level;
        }
        return "skip";
      }, () => {});
      if (lowest !== null && this.#outbids(job, this.#level(job, usual), lowest, lowestLevel)) {
        this.#floor.dequeue(lowest);
        this.#floor.giveUp(lowest, "router-queue-full");
      }
    }
    this.#floor.enqueue(job);
  }

  #outbids(job: RoutedJob, level: number, other: RoutedJob, otherLevel: number): boolean {
    return level > otherLevel || (level === otherLevel && job.request.priority > other.request.priority);
  }

  /** Free slots of the node go to the best bids that rest. */
  fill(n: number): boolean {
    const { env, registry, waiting, selector } = this.#floor;
    if (waiting.size === 0) return true;
    for (const { model } of registry.descriptors[n]!.offers) {
      const market = registry.market(model);
      const offer = market.indexOf(registry.ids[n]!);
      while (offer >= 0 && registry.own[n]! + registry.others[n]! < registry.slots[n]!) {
        let best: RoutedJob | null = null;
        let bestLevel = -1;
        waiting.walk(model, (job) => {
          const level = this.#level(job, market.offers[offer]!.prices);
          if (level > bestLevel && selector.fits(job.request, market, offer, job.tried, env.nowUs)) {
            best = job;
            bestLevel = level;
          }
          return "skip";
        }, () => {});
        if (best === null) break;
        this.#sell(best, market, offer);
      }
    }
    return true;
  }

  /** In the order of ids: which node is filled first may decide who serves the best bid. */
  fillAll(): boolean {
    const { ids } = this.#floor.registry;
    const order = ids.map((_, n) => n).sort((a, b) => (ids[a]! < ids[b]! ? -1 : 1));
    for (const n of order) if (this.#floor.waiting.size > 0) this.fill(n);
    return true;
  }

  #sell(job: RoutedJob, market: ModelMarket, offer: number): void {
    const { env, fee } = this.#floor;
    const { request } = job;
    const ask = market.offers[offer]!.prices;
    const isMarketOrder = request.maxPriceMsat >= MSAT_PER_BTC;
    const prices = isMarketOrder ? ask : pricesPaying(ask, request.inputTokens, request.maxOutputTokens, affordableMsat(fee, request.maxPriceMsat));
    this.#floor.dequeue(job);
    if (env.telemetry.wantsDecision(request.jobId)) {
      this.#explain(job, market, offer, "a slot became free, and this was the best bid that rested", isMarketOrder ? "the ask: the job takes any price" : "the bid, which rested");
    }
    env.telemetry.priced({ kind: "trade", model: request.model, rested: "bid" });
    this.#floor.award(job, market, offer, prices, fee);
  }

  /** The job's limit as a multiple of what it would cost at these prices. */
  #level({ request }: RoutedJob, ask: PriceSheet): number {
    const askMsat = (request.inputTokens * ask.inputMsatPerMtok + request.maxOutputTokens * ask.outputMsatPerMtok) / 1e6 + ask.fixedMsat;
    return request.maxPriceMsat / Math.max(1, askMsat);
  }

  #explain({ request, attempt, tried }: RoutedJob, market: ModelMarket, chosen: number, how: string, price: string): void {
    const { env, registry, selector } = this.#floor;
    env.telemetry.decided(selector.account(request, market, attempt + 1, chosen, tried, env.nowUs, {
      how, price,
      ask: (offer) => {
        const n = market.node[offer]!;
        return registry.own[n]! + registry.others[n]! < registry.slots[n]! ? amountMsat(market.offers[offer]!.prices, request.inputTokens, request.maxOutputTokens) : "has no free slot, and asks for none";
      },
    }));
  }
}
