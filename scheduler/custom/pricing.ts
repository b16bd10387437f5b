import type { PriceSheet } from "../../protocol/messages.ts";
import type { Random } from "../environment.ts";
import { LEVEL_MAX, UNIT_LEVEL } from "../pricing/price-level.ts";
import { Guard } from "./guard.ts";
import type { CustomPolicy, Settings } from "./source.ts";

/**
 * A way of your own in which a model's price comes about: the default export of a TypeScript or JavaScript file that a
 * scenario names, `pricing: {policy: ./my-policy.ts}`.
 *
 * For each model (and router, and run) `openMarket` is called once; what it returns is asked for a price at once, and again after
 * every interval. A job keeps the price at which it was awarded.
 *
 * The file stands alone: it may import types, nothing else. It has the language, what it is told, and the random stream that
 * it is given; no clock, no `Math.random`, no files. So the same scenario and seed give the same bytes.
 *
 * @example
 * ```ts
 * import type { PricingPolicy } from "infernet-lab";
 *
 * const policy: PricingPolicy<{ target: number; step: number }> = {
 *   options: { target: 0.7, step: 0.1 },
 *   openMarket({ options }) {
 *     let factor = 1;
 *     return ({ utilisation }) => {
 *       factor = Math.min(5, Math.max(1, factor * (1 + options.step * (utilisation - options.target))));
 *       return { factor };
 *     };
 *   },
 * };
 * export default policy;
 * ```
 */
export interface PricingPolicy<Options extends Settings = Settings> {
  /** Its settings and their defaults. A scenario changes them by `options`; others than these, and other types, are refused. */
  readonly options?: Options;
  /** A model's market opens. @returns what is asked for its price. */
  openMarket(market: PricedMarket<Options>): (seen: MarketReading) => Price;
}

/** A market as it opens. */
export interface PricedMarket<Options extends Settings = Settings> {
  /** The model that is traded. */
  readonly model: string;
  /** The policy's settings, as the scenario has them. */
  readonly options: Options;
  /** Time between two prices, µs. */
  readonly intervalUs: number;
  /** The mean of what all nodes of the scenario post at the start. */
  readonly posted: PriceSheet;
  /** The policy's own stream: the same seed gives the same numbers. */
  readonly random: Random;
}

/** What a router knows of a model's market when a price is wanted; never what only the simulator knows. */
export interface MarketReading {
  /** Time since the start, µs. */
  readonly nowUs: number;
  /** 0 as the market opens, before anybody has offered or asked; then 1, 2, ... */
  readonly interval: number;
  /** Mean number of jobs at nodes over the last interval, and of those that wait now, over the slots that serve at the going price; above 1 where jobs wait; 1 where nobody serves at it. */
  readonly utilisation: number;
  /** Jobs asked for in the last interval. */
  readonly jobs: number;
  /** Jobs that wait at the router now. */
  readonly waiting: number;
  /** Nodes that can be reached. */
  readonly nodes: number;
  /** Their slots. */
  readonly slots: number;
  /** What each of them asks, in the order of their ids. */
  readonly asks: readonly PriceSheet[];
  /** The going price; null as the market opens. */
  readonly price: Price | null;
}

/**
 * A price: one for all nodes, in whole msat (nodes serve the jobs for which it covers what they ask), or the factor, 1 to
 * 1,000, by which each node's own posted price is raised.
 */
export type Price = PriceSheet | { readonly factor: number };

/** The largest factor. */
const FACTOR_MAX = LEVEL_MAX / UNIT_LEVEL;

/** A user's pricing policy, with every answer checked. */
export class CustomPricing {
  readonly #guard: Guard<PricingPolicy>;
  readonly #models = new Map<string, (seen: MarketReading) => unknown>();

  /** @throws PolicyError where the file is no pricing policy. */
  constructor(policy: CustomPolicy) {
    this.#guard = new Guard<PricingPolicy>(policy, "PricingPolicy", "openMarket");
  }

  open(market: Omit<PricedMarket, "options">): void {
    const next = this.#guard.call(`openMarket(${JSON.stringify(market.model)})`, () => this.#guard.policy.openMarket({ ...market, options: this.#guard.options }));
    if (typeof next !== "function") this.#guard.refuse(`what openMarket returns: found ${this.#guard.say(next)}; allowed: a function that returns a price`);
    this.#models.set(market.model, next as (seen: MarketReading) => unknown);
  }

  price(model: string, seen: MarketReading): Price {
    const where = `the price of ${model} at ${seen.nowUs} us`;
    const price = this.#guard.call(where, () => this.#models.get(model)!(seen));
    if (typeof price === "object" && price !== null && "factor" in price) {
      const { factor } = price;
      if (typeof factor !== "number" || !(factor >= 1 && factor <= FACTOR_MAX)) this.#guard.refuse(`${where}: found the factor ${this.#guard.say(factor)}; allowed: a number from 1 to ${FACTOR_MAX}; nodes do not serve for less than they ask`);
      return { factor: factor as number };
    }
    return this.#guard.sheet(price, where, ", or a factor on posted prices, {factor}");
  }
}
