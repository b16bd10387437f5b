import type { CallForBids, PeerId, PriceSheet } from "../../protocol/messages.ts";
import { costMsat, scaledPrices } from "../../protocol/money.ts";
import { customStrategy } from "../custom/strategy.ts";
import type { Random } from "../environment.ts";
import { type Bandit, EpsilonGreedy, Exp3 } from "./bandits.ts";
import { type BidOptions, equilibriumBid } from "./equilibrium-bid.ts";
import { atLeast, atMost } from "./prices.ts";
import { cournot, newsvendor } from "./quantities.ts";
import type { Strategy, StrategyOptions } from "./strategy.ts";

/** Factors on prices are whole millionths. */
const PPM = 1_000_000;

/** What a strategy starts from. */
export interface Opening {
  /** The operator's own node. */
  readonly self: PeerId;
  /** Prices that it opens with: what learners multiply, and the most that undercutting asks. */
  readonly prices: PriceSheet;
  /** Jobs that it offers to take at once to begin with. */
  readonly slots: number;
  /** For learners: asked for once. */
  readonly random: () => Random;
}

/**
 * A strategy at its beginning.
 * @throws RangeError where a setting is out of its range; PolicyError where a user's own strategy is none.
 */
export function newStrategy(options: StrategyOptions, opening: Opening): Strategy {
  switch (options.kind) {
    case "fixed": return { prices: ({ prices }) => prices };
    case "cost-plus": return costPlus(options.markup);
    case "utilisation": return utilisation(options.target, options.step, opening.prices);
    case "undercut": return undercut(options.by, opening);
    case "truthful": return { prices: ({ cost }) => cost, bid: (_, cost) => cost };
    case "equilibrium-bid": return { prices: ({ prices }) => prices, bid: (call, cost) => withMargin(call, cost, options) };
    case "epsilon-greedy": return learner(options.grid, opening.prices, (arms) => new EpsilonGreedy(arms, options.epsilon, opening.random()));
    case "exp3": return learner(options.grid, opening.prices, (arms) => new Exp3(arms, options.gamma, opening.random()));
    case "cournot": return cournot(options.slopeMsat, options.speed, opening.slots);
    case "newsvendor": return newsvendor(options.slotCostMsat, options.step, opening.slots);
    case "custom": return customStrategy(options.policy, opening);
  }
}

/** Marginal cost and a share of it. */
function costPlus(markup: number): Strategy {
  if (!(markup >= 0)) throw new RangeError(`a mark-up is not negative, found ${markup}`);
  return { prices: ({ cost }) => atLeast(times(cost, 1 + markup), cost) };
}

/**
 * Up by the whole step when every slot is busy, down by it when none is, in proportion in between, and still at the target.
 * Stays between a hundredth and a hundred times the opening prices, and never falls below cost.
 */
function utilisation(target: number, step: number, opening: PriceSheet): Strategy {
  if (!(target > 0 && target < 1)) throw new RangeError(`a target utilisation is between 0 and 1, found ${target}`);
  if (!(step > 0 && step < 1)) throw new RangeError(`a step is a share between 0 and 1, found ${step}`);
  let level = 1;
  return {
    prices(seen) {
      const off = seen.utilisation - target;
      level = Math.min(100, Math.max(0.01, level * (1 + step * (off >= 0 ? off / (1 - target) : off / target))));
      return atLeast(times(opening, level), seen.cost);
    },
  };
}

/**
 * A share below the cheapest rival that its router told of, part by part; where that is above the opening prices, or there
 * is no rival, those; where it is below cost, cost.
 */
function undercut(by: number, opening: Opening): Strategy {
  if (!(by > 0 && by < 1)) throw new RangeError(`to undercut takes a share between 0 and 1, found ${by}`);
  return {
    prices({ market, cost }) {
      const rival = market?.asks.find(({ node }) => node !== opening.self);
      const wished = rival === undefined ? opening.prices : atMost(times(rival.prices, 1 - by), opening.prices);
      return atLeast(wished, cost);
    },
  };
}

/** The equilibrium's margin over the cost of the whole job goes into the fixed part: whatever its length, it is kept. */
function withMargin({ job }: CallForBids, cost: PriceSheet, options: BidOptions): PriceSheet {
  const jobMsat = costMsat(cost, job.inputTokens, job.maxOutputTokens);
  const margin = Math.floor(equilibriumBid(jobMsat, options) - jobMsat);
  return { ...cost, fixedMsat: cost.fixedMsat + Math.max(0, margin) };
}

/**
 * A bandit over multiples of the opening prices, each raised to cost where it is below. Its reward is the profit per second
 * since the last decision: what was billed, less the marginal cost of the jobs delivered. Jobs are under way while prices
 * change, so decisions should be many service times apart.
 */
function learner(grid: readonly number[], opening: PriceSheet, make: (arms: number) => Bandit): Strategy {
  if (grid.some((factor) => !(factor > 0))) throw new RangeError(`a price grid holds factors above 0, found ${grid.join(", ")}`);
  const bandit = make(grid.length);
  let playing = false;
  return {
    prices(seen) {
      if (playing) bandit.learn(((seen.revenueMsat - seen.costMsat) * 1e6) / seen.elapsedUs);
      playing = true;
      return atLeast(times(opening, grid[bandit.choose()]!), seen.cost);
    },
  };
}

/** Prices times a factor, in millionths. */
function times(prices: PriceSheet, factor: number): PriceSheet {
  return scaledPrices(prices, Math.round(factor * PPM), PPM);
}

