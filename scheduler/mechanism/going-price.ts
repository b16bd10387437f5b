import type { JobRequest, PriceSheet } from "../../protocol/messages.ts";
import { CustomPricing, type Price } from "../custom/pricing.ts";
import type { ModelMarket } from "../model-market.ts";
import { nextBasePrices } from "../pricing/base-fee.ts";
import { networkPrice } from "../pricing/network-price.ts";
import type { PricingOptions } from "../pricing/options.ts";
import { type PriceRule, postedPrice } from "../pricing/posted.ts";
import { ONE_PPM, surgeFactorPpm, surgePrice } from "../pricing/surge.ts";
import { unitOf } from "../pricing/price-level.ts";
import { BusyMeter, capacityOf } from "./busy-meter.ts";
import type { Registry } from "../registry.ts";
import type { Floor } from "./mechanism.ts";

type Length = Pick<JobRequest, "inputTokens" | "maxOutputTokens">;

/** How many jobs stand for all where nodes serve some and not others. */
const SAMPLE = 64;
/** What a model's jobs are taken to be before the first, tokens. */
const ORDINARY: Length = { inputTokens: 1_000, maxOutputTokens: 1_000 };

/** Mechanisms under which a price is there before the job comes. */
export type GoingOptions = Extract<PricingOptions, { kind: "network" | "surge" | "base-fee" | "custom" }>;

/**
 * A price per model that the router sets: fixed (network price), or anew at intervals from the model's utilisation (surge,
 * base fee) or as a user's own policy has it. Jobs are placed by the policy among the nodes that serve at it. What a job is awarded at stays its price.
 *
 * A node serves the jobs for which the price is at least what it asks (`coversJob`).
 *
 * Utilisation is the mean number of the router's jobs at nodes over the interval, plus others' jobs by heartbeat and the
 * jobs that wait at the router, over the slots of the nodes that serve at the price and can be reached; where none does,
 * the market counts as full. Where nodes serve some jobs and not others, it is what that of the last jobs finds that finds
 * least room: a slot that stands idle for long prompts does not make room for short ones.
 */
export class GoingPrice {
  readonly meter = new BusyMeter();
  readonly #floor: Floor;
  readonly #options: GoingOptions;
  readonly #base = new Map<string, PriceSheet>();
  /** By model: the lengths of its last jobs. */
  readonly #asked = new Map<string, Length[]>();
  #next = 0;
  readonly #surgePpm = new Map<string, number>();
  readonly #custom: CustomPricing | null;
  /** By model: what the user's own policy said last, how often it was asked, and the jobs that came since. */
  readonly #said = new Map<string, { price: Price; interval: number; jobs: number }>();

  constructor(floor: Floor, options: GoingOptions) {
    this.#floor = floor;
    this.#options = options;
    this.#custom = options.kind === "custom" ? new CustomPricing(options.policy) : null;
    floor.registry.onNewMarket = (model, market) => {
      if (options.kind === "custom") this.#open(model, options.posted, options.intervalUs);
      market.reprice(this.#rule(model), true);
    };
  }

  start(): void {
    this.meter.restart(this.#floor.env.nowUs);
    if (this.#options.kind !== "network") this.#floor.env.after(this.#options.intervalUs, { kind: "price-interval", jobId: "", attempt: 0 });
  }

  /** What all awards for the model pay now; null where it depends on the node. */
  prices(model: string): PriceSheet | null {
    switch (this.#options.kind) {
      case "network": return this.#options.prices;
      case "base-fee": return this.#base.get(model) ?? this.#options.start;
      case "custom": {
        const price = this.#said.get(model)?.price;
        return price === undefined || "factor" in price ? null : price;
      }
      case "surge": return null;
    }
  }

  /** The next interval's prices, from the last one's utilisation. */
  onInterval(): void {
    const { env, registry } = this.#floor;
    const options = this.#options;
    if (options.kind === "network") return;
    for (const model of registry.models()) {
      const utilisation = this.#utilisation(model);
      if (utilisation === null) continue;
      if (options.kind === "base-fee") this.#base.set(model, nextBasePrices(this.prices(model)!, options, utilisation));
      else if (options.kind === "surge") this.#surgePpm.set(model, surgeFactorPpm(options, utilisation));
      else this.#ask(model, utilisation);
      const market = registry.market(model);
      const rule = this.#rule(model);
      market.reprice(rule, true);
      env.telemetry.priced({ kind: "going", model, prices: this.prices(model) ?? rule(unitOf(market.offers.map(({ prices }) => prices)))!, utilisation });
    }
    this.meter.restart(env.nowUs);
    env.after(options.intervalUs, { kind: "price-interval", jobId: "", attempt: 0 });
    this.#floor.fillAll();
  }

  /** How the price comes about, in words. */
  describe(model: string): string {
    switch (this.#options.kind) {
      case "network": return "the network's price";
      case "base-fee": return `base fee of the model, from its utilisation in the last ${this.#options.intervalUs} us`;
      case "surge": return `posted price times ${(this.#surgePpm.get(model) ?? ONE_PPM) / ONE_PPM}, from the model's utilisation in the last ${this.#options.intervalUs} us`;
      case "custom": {
        const price = this.#said.get(model)?.price;
        return price !== undefined && "factor" in price ? `posted price times ${price.factor}, by ${this.#options.policy.file}` : `price of the model, by ${this.#options.policy.file}`;
      }
    }
  }

  /** A job comes in. */
  asked({ model, inputTokens, maxOutputTokens }: JobRequest): void {
    const said = this.#said.get(model);
    if (said !== undefined) said.jobs++;
    let last = this.#asked.get(model);
    if (last === undefined) this.#asked.set(model, (last = []));
    if (last.length < SAMPLE) last.push({ inputTokens, maxOutputTokens });
    else {
      last[this.#next % SAMPLE] = { inputTokens, maxOutputTokens };
      this.#next++;
    }
  }

  /** Null where nobody is there to be busy: nothing to learn about the price. */
  #utilisation(model: string): number | null {
    const { env, registry, waiting, staleAfterUs } = this.#floor;
    const market = registry.market(model);
    const jobs = this.#asked.get(model) ?? [ORDINARY];
    const mean = this.meter.mean(model, env.nowUs);
    const all = heldBy(registry, market);
    const found = (job: Length): number | null => {
      const { slots, own, others, unwilling } = capacityOf(registry, model, env.nowUs - staleAfterUs, job.inputTokens, job.maxOutputTokens);
      // Nobody serves at this price: it is too low.
      if (slots === 0) return unwilling === 0 ? null : 1;
      return ((own === all ? mean : (mean * own) / all) + others + waiting.sizeOf(model)) / slots;
    };
    // Where nodes serve every job or none, all jobs find the same.
    const some = market.servesSome ? jobs : jobs.slice(0, 1);
    let most: number | null = null;
    for (const job of some) {
      const one = found(job);
      if (one === null) return null;
      if (most === null || one > most) most = one;
    }
    return most;
  }

  #open(model: string, posted: PriceSheet, intervalUs: number): void {
    const { env } = this.#floor;
    this.#custom!.open({ model, intervalUs, posted, random: env.random(`pricing policy ${model}`) });
    const price = this.#custom!.price(model, { nowUs: env.nowUs, interval: 0, utilisation: 0, jobs: 0, waiting: 0, nodes: 0, slots: 0, asks: [], price: null });
    this.#said.set(model, { price, interval: 0, jobs: 0 });
  }

  #ask(model: string, utilisation: number): void {
    const { env, registry, waiting, staleAfterUs } = this.#floor;
    const said = this.#said.get(model)!;
    const market = registry.market(model);
    const asks: PriceSheet[] = [];
    let slots = 0;
    for (let offer = 0; offer < market.count; offer++) {
      const n = market.node[offer]!;
      if (registry.lastSeenUs[n]! < env.nowUs - staleAfterUs || registry.accepting[n] === 0 || registry.banned[n] !== 0) continue;
      slots += registry.slots[n]!;
      asks.push(market.offers[offer]!.prices);
    }
    said.price = this.#custom!.price(model, {
      nowUs: env.nowUs, interval: ++said.interval, utilisation, jobs: said.jobs, waiting: waiting.sizeOf(model), nodes: asks.length, slots, asks, price: said.price,
    });
    said.jobs = 0;
  }

  #rule(model: string): PriceRule {
    if (this.#options.kind === "custom") {
      const { price } = this.#said.get(model)!;
      return "factor" in price ? surgePrice(Math.round(price.factor * ONE_PPM)) : networkPrice(price);
    }
    if (this.#options.kind === "surge") {
      const factorPpm = this.#surgePpm.get(model) ?? ONE_PPM;
      return factorPpm === ONE_PPM ? postedPrice : surgePrice(factorPpm);
    }
    return networkPrice(this.prices(model)!);
  }
}

/** The router's jobs at all nodes that offer the model. */
function heldBy({ own }: Registry, { node, count }: ModelMarket): number {
  let held = 0;
  for (let offer = 0; offer < count; offer++) held += own[node[offer]!]!;
  return held;
}
