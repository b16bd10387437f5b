import type { PriceSheet } from "../../protocol/messages.ts";
import { nextBasePrices } from "../pricing/base-fee.ts";
import { networkPrice } from "../pricing/network-price.ts";
import type { PricingOptions } from "../pricing/options.ts";
import { type PriceRule, postedPrice } from "../pricing/posted.ts";
import { ONE_PPM, surgeFactorPpm, surgePrice } from "../pricing/surge.ts";
import { unitOf } from "../pricing/price-level.ts";
import { BusyMeter, capacityOf } from "./busy-meter.ts";
import type { Floor } from "./mechanism.ts";

/** Mechanisms under which a price is there before the job comes. */
export type GoingOptions = Extract<PricingOptions, { kind: "network" | "surge" | "base-fee" }>;

/**
 * A price per model that the router sets: fixed (network price), or anew at intervals from the model's utilisation (surge,
 * base fee). Jobs are placed by the policy among the nodes that serve at it. What a job is awarded at stays its price.
 *
 * Utilisation is the mean number of the router's jobs at nodes over the interval, plus others' jobs by heartbeat and the
 * jobs that wait at the router, over the slots of the nodes that serve at the price and can be reached; where none does,
 * the market counts as full.
 */
export class GoingPrice {
  readonly meter = new BusyMeter();
  readonly #floor: Floor;
  readonly #options: GoingOptions;
  readonly #base = new Map<string, PriceSheet>();
  readonly #surgePpm = new Map<string, number>();

  constructor(floor: Floor, options: GoingOptions) {
    this.#floor = floor;
    this.#options = options;
    floor.registry.onNewMarket = (model, market) => market.reprice(this.#rule(model));
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
      case "surge": return null;
    }
  }

  /** The next interval's prices, from the last one's utilisation. */
  onInterval(): void {
    const { env, registry, waiting, staleAfterUs } = this.#floor;
    const options = this.#options;
    if (options.kind === "network") return;
    for (const model of registry.models()) {
      const { slots, others, unwilling } = capacityOf(registry, model, env.nowUs - staleAfterUs);
      // Nobody to be busy: nothing to learn about the price. Nobody who serves at it: it is too low.
      if (slots === 0 && unwilling === 0) continue;
      const utilisation = slots === 0 ? 1 : (this.meter.mean(model, env.nowUs) + others + waiting.sizeOf(model)) / slots;
      if (options.kind === "base-fee") this.#base.set(model, nextBasePrices(this.prices(model)!, options, utilisation));
      else this.#surgePpm.set(model, surgeFactorPpm(options, utilisation));
      const market = registry.market(model);
      const rule = this.#rule(model);
      market.reprice(rule);
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
    }
  }

  #rule(model: string): PriceRule {
    if (this.#options.kind === "surge") {
      const factorPpm = this.#surgePpm.get(model) ?? ONE_PPM;
      return factorPpm === ONE_PPM ? postedPrice : surgePrice(factorPpm);
    }
    return networkPrice(this.prices(model)!);
  }
}
