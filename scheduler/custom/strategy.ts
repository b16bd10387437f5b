import type { CallForBids, PeerId, PriceSheet } from "../../protocol/messages.ts";
import type { Random } from "../environment.ts";
import type { Observation, Strategy } from "../strategy/strategy.ts";
import { Guard } from "./guard.ts";
import type { CustomPolicy, Settings } from "./source.ts";

/**
 * A way of your own in which operators set their prices: the default export of a file that a scenario names,
 * `operators[].strategy: {policy: ./my-strategy.ts}`. `openNode` is called once for each node and model; what it returns decides
 * at every `reprice`. The file stands alone, as one with a {@link PricingPolicy} does.
 *
 * @example
 * ```ts
 * import type { StrategyPolicy } from "infernet-lab";
 *
 * const policy: StrategyPolicy<{ margin: number }> = {
 *   options: { margin: 0.3 },
 *   openNode({ options }) {
 *     const marked = (part: number): number => Math.ceil(part * (1 + options.margin));
 *     return {
 *       prices: ({ cost }) => ({ inputMsatPerMtok: marked(cost.inputMsatPerMtok), outputMsatPerMtok: marked(cost.outputMsatPerMtok), fixedMsat: marked(cost.fixedMsat) }),
 *     };
 *   },
 * };
 * export default policy;
 * ```
 */
export interface StrategyPolicy<Options extends Settings = Settings> {
  /** Its settings and their defaults. */
  readonly options?: Options;
  /** A node opens for a model. @returns what decides its prices, and where it has `offer` or `bid`, its slots and bids. */
  openNode(node: OpeningNode<Options>): Strategy;
}

/** A node at its beginning, as its operator sees it. */
export interface OpeningNode<Options extends Settings = Settings> {
  /** The node's id, as in what routers tell of asks. */
  readonly node: PeerId;
  /** The policy's settings, as the scenario has them. */
  readonly options: Options;
  /** Prices that it opens with. */
  readonly prices: PriceSheet;
  /** Jobs at once that it offers to take. */
  readonly slots: number;
  /** The node's own stream. */
  readonly random: Random;
}

/** @throws PolicyError where the file is no strategy. */
export function checkStrategyPolicy(policy: CustomPolicy): void {
  void new Guard<StrategyPolicy>(policy, "StrategyPolicy", "openNode");
}

/** What a strategy starts from. */
interface Opening {
  readonly self: PeerId;
  readonly prices: PriceSheet;
  readonly slots: number;
  readonly random: () => Random;
}

/** A user's strategy, with every answer checked. @throws PolicyError where the file is none. */
export function customStrategy(policy: CustomPolicy, { self, prices, slots, random }: Opening): Strategy {
  const guard = new Guard<StrategyPolicy>(policy, "StrategyPolicy", "openNode");
  const strategy: Partial<Strategy> | undefined = guard.call(`openNode for ${self}`, () => guard.policy.openNode({ node: self, options: guard.options, prices, slots, random: random() }));
  if (typeof strategy?.prices !== "function") guard.refuse(`what openNode returns: found ${guard.say(strategy)}; allowed: an object with the method prices, and perhaps offer and bid`);
  const own = strategy as Strategy;
  return {
    prices: (seen) => guard.sheet(guard.call("prices", () => own.prices(seen)), "prices"),
    ...(own.offer === undefined ? {} : { offer: (seen: Observation) => slotsOf(guard, guard.call("offer", () => own.offer!(seen)), seen.slots) }),
    ...(own.bid === undefined ? {} : {
      bid(call: CallForBids, cost: PriceSheet): PriceSheet | undefined {
        const bid = guard.call("bid", () => own.bid!(call, cost));
        return bid === undefined ? undefined : guard.sheet(bid, "bid", ", or undefined for no bid");
      },
    }),
  };
}

function slotsOf(guard: Guard<StrategyPolicy>, found: unknown, most: number): number {
  if (!Number.isInteger(found) || (found as number) < 1 || (found as number) > most) guard.refuse(`offer: found ${guard.say(found)}; allowed: a whole number of slots from 1 to ${most}`);
  return found as number;
}
