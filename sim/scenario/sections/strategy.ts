import { z } from "zod";
import { checkStrategyPolicy } from "../../../scheduler/custom/strategy.ts";
import type { StrategyOptions } from "../../../scheduler/strategy/strategy.ts";
import type { DistributionSpec } from "../../kernel/distributions/index.ts";
import type { MarginalCostSpec } from "../../supply/marginal-cost.ts";
import { oneOf } from "../../../input/fields.ts";
import { monies, multiple, positiveDuration, positiveMultiple, positiveRealMoney, realMoney, share, tokenPrices } from "../../../input/quantities.ts";
import { describeValue } from "../../../input/units.ts";
import type { Path, SectionContext } from "./context.ts";
import { policyFile, resolvePolicyFile } from "./custom.ts";
import { statesFiat } from "./exchange.ts";

const grid = z.union([
  z.strictObject({
    from: positiveMultiple.describe("Lowest price."),
    to: positiveMultiple.describe("Highest price."),
    steps: z.int().min(2).max(1000).default(11).describe("Prices, evenly spaced, both ends included."),
  }),
  z.array(positiveMultiple).min(1).max(1000),
]).prefault({ from: "50 %", to: "200 %" }).describe("Prices to choose from, as multiples of `price`.");

const strategy = oneOf({
  "cost-plus": z.strictObject({ markup: multiple.default("20 %").describe("On top of the marginal cost.") }).describe("Marginal cost and a share of it."),
  utilisation: z.strictObject({
    target: share.default("70 %").describe("Busy share of slots at which the price stays as it is."),
    step: share.default("5 %").describe("Change of the price when all slots are busy (up) or none (down); in proportion in between."),
  }).describe("Dearer when busy, cheaper when idle; never below marginal cost."),
  undercut: z.strictObject({ by: share.default("1 %").describe("By how much.") }).describe("Below the cheapest rival that the router tells of, never above `price`, never below marginal cost."),
  "equilibrium-bid": z.strictObject({
    bidders: z.int().min(1).max(1_000_000).describe("Bidders in a call, itself among them, as the operator believes."),
    costs: monies.optional().describe("What a job costs any of them, as all believe (default: the operator's own `marginalCost.fixed`)."),
  }).describe("Bids in calls for bids as in the equilibrium of the first-price auction; asks `price` otherwise."),
  "epsilon-greedy": z.strictObject({ grid, epsilon: share.default("10 %").describe("Share of decisions that try any price.") }).describe("Learns which price of a grid earns most: the best so far, and now and then any."),
  exp3: z.strictObject({ grid, gamma: share.default("10 %").describe("Share of decisions that try any price; also how fast it learns.") }).describe("Learns which price of a grid earns most, whatever rivals do (EXP3)."),
  cournot: z.strictObject({
    slope: positiveRealMoney.describe("What one more job offered at a time takes from the price, as the operator believes."),
    speed: share.default("30 %").describe("Share of the way to the best reply at each decision."),
    start: z.int().min(1).max(65_536).optional().describe("Slots offered at first (default: all)."),
  }).describe("Asks marginal cost and offers as many slots as are the best reply to the others' quantities. Needs pricing with one price for all."),
  newsvendor: z.strictObject({
    slotCost: realMoney.describe("What a slot committed from one decision to the next costs, used or not."),
    step: z.number().gt(0).max(65_536).default(1).describe("How far the quantity moves."),
    start: z.int().min(1).max(65_536).optional().describe("Slots committed at first (default: all)."),
  }).describe("Keeps `price` and commits as many slots as pay, not knowing the demand to come."),
  policy: policyFile({}, "A strategy of your own, a TypeScript or JavaScript file beside the scenario: `policy: ./my-strategy.ts`, or with settings `{file, options}`."),
}, ["fixed", "truthful", "cost-plus", "utilisation", "undercut", "epsilon-greedy", "exp3"]);

const marginalCost = z.union([
  z.enum(["electricity", "none"]),
  z.strictObject({
    input: tokenPrices.default(0).describe("Of prompt tokens."),
    output: tokenPrices.default(0).describe("Of output tokens."),
    fixed: monies.default("0 msat").describe("Of a job beside its tokens."),
    drawn: z.enum(["node", "job"]).default("node").describe("Where a part is a distribution: drawn once for each node, or anew for each job at each node."),
  }),
]);

/** How an operator sets its prices, and what it knows of its costs: fields of an operator class. */
export const strategyFields = {
  strategy: strategy.default("fixed").describe("How prices change. fixed: not at all. truthful: asks and bids marginal cost."),
  reprice: z.union([
    positiveDuration,
    z.strictObject({
      every: positiveDuration.default("10min").describe("Time between decisions."),
      first: positiveDuration.optional().describe("From a node's start to its first decision (default: each node at a time of its own, drawn up to `every`)."),
    }),
  ]).default("10min").describe("How often the strategy decides."),
  marginalCost: marginalCost.default("electricity").describe("What one more job costs the operator; private. electricity: what its share of a full batch draws beyond idling, where the machine's power and the price of electricity are known, else nothing. It follows the price of electricity and, where in fiat money, the exchange rate."),
};

/** As an operator class of a scenario has it. */
export interface StrategySpec {
  readonly rule: StrategyRule;
  /** Time between decisions, µs. */
  readonly repriceUs: number;
  /** From the node's start to its first decision, µs; null: drawn. */
  readonly firstUs: number | null;
  /** Slots offered at first; null: all. */
  readonly startSlots: number | null;
  /** null: derived from electricity. */
  readonly marginalCost: MarginalCostSpec | null;
}

/** A strategy in figures; what bidders believe of costs as a distribution, msat. */
export type StrategyRule = Exclude<StrategyOptions, { readonly kind: "equilibrium-bid" }> | {
  readonly kind: "equilibrium-bid"; readonly bidders: number; readonly costMsat: DistributionSpec;
  /** Stated in fiat money while the exchange rate moves: the msat are those of time 0, and follow the rate. */
  readonly inFiat?: true;
};

export type StrategyInput = z.output<z.ZodObject<typeof strategyFields>>;

/** Brings an operator class's strategy to base units. */
export function resolveStrategy(input: StrategyInput, path: Path, context: SectionContext): StrategySpec {
  const given = typeof input.strategy === "object" && ("cournot" in input.strategy ? input.strategy.cournot : "newsvendor" in input.strategy ? input.strategy.newsvendor : undefined);
  return {
    rule: ruleOf(input, [...path, "strategy"], context),
    ...(typeof input.reprice === "object"
      ? { repriceUs: context.us(input.reprice.every, [...path, "reprice", "every"]), firstUs: input.reprice.first === undefined ? null : context.us(input.reprice.first, [...path, "reprice", "first"]) }
      : { repriceUs: context.us(input.reprice, [...path, "reprice"]), firstUs: null }),
    startSlots: (given || {}).start ?? null,
    marginalCost: costOf(input.marginalCost, [...path, "marginalCost"], context),
  };
}

function ruleOf({ strategy: input, marginalCost: cost }: StrategyInput, path: Path, context: SectionContext): StrategyRule {
  if (typeof input === "string") {
    return input === "fixed" || input === "truthful" ? { kind: input } : ruleOf({ strategy: strategy.parse({ [input]: {} }), marginalCost: cost, reprice: 0 }, path, context);
  }
  const number = (value: string | number, ...more: string[]): number => context.number("share", value, [...path, ...more]);
  const between = (value: string | number, ...more: string[]): number => {
    const found = number(value, ...more);
    if (found <= 0 || found >= 1) context.finding({ path: [...path, ...more], found: describeValue(value), allowed: "more than 0 % and less than 100 %" });
    return found;
  };
  if ("cost-plus" in input) return { kind: "cost-plus", markup: number(input["cost-plus"].markup, "cost-plus", "markup") };
  if ("utilisation" in input) return { kind: "utilisation", target: between(input.utilisation.target, "utilisation", "target"), step: between(input.utilisation.step, "utilisation", "step") };
  if ("undercut" in input) return { kind: "undercut", by: between(input.undercut.by, "undercut", "by") };
  if ("epsilon-greedy" in input) {
    const { grid: prices, epsilon } = input["epsilon-greedy"];
    return { kind: "epsilon-greedy", grid: gridOf(prices, [...path, "epsilon-greedy", "grid"], context), epsilon: number(epsilon, "epsilon-greedy", "epsilon") };
  }
  if ("exp3" in input) return { kind: "exp3", grid: gridOf(input.exp3.grid, [...path, "exp3", "grid"], context), gamma: between(input.exp3.gamma, "exp3", "gamma") };
  if ("cournot" in input) {
    const speed = number(input.cournot.speed, "cournot", "speed");
    if (speed === 0) context.finding({ path: [...path, "cournot", "speed"], found: describeValue(input.cournot.speed), allowed: "more than 0 %" });
    return { kind: "cournot", slopeMsat: context.number("money", input.cournot.slope, [...path, "cournot", "slope"], true), speed };
  }
  if ("policy" in input) return { kind: "custom", policy: resolvePolicyFile(input.policy, [...path, "policy"], context, checkStrategyPolicy) };
  if ("newsvendor" in input) return { kind: "newsvendor", slotCostMsat: context.number("money", input.newsvendor.slotCost, [...path, "newsvendor", "slotCost"], true), step: input.newsvendor.step };
  const { bidders, costs } = input["equilibrium-bid"];
  const at = [...path, "equilibrium-bid"];
  if (costs === undefined && typeof cost === "string") {
    context.finding({ path: [...at, "costs"], found: "nothing", allowed: "what a job costs the bidders, here or as `marginalCost.fixed`" });
    return { kind: "equilibrium-bid", bidders, costMsat: 0 };
  }
  const believed = costs ?? (cost as Exclude<typeof cost, string>).fixed;
  return { kind: "equilibrium-bid", bidders, ...(context.moving && statesFiat(believed) ? { inFiat: true } : {}), costMsat: context.distribution("money", believed, costs === undefined ? [...path.slice(0, -1), "marginalCost", "fixed"] : [...at, "costs"]) };
}

function gridOf(input: z.output<typeof grid>, path: Path, context: SectionContext): number[] {
  if (Array.isArray(input)) return input.map((value, i) => context.number("share", value, [...path, i]));
  const from = context.number("share", input.from, [...path, "from"]);
  const to = context.number("share", input.to, [...path, "to"]);
  if (to <= from) context.finding({ path: [...path, "to"], found: describeValue(input.to), allowed: `more than from, ${describeValue(input.from)}` });
  // Rounded to millionths, so that what is meant as 0.65 is 0.65.
  return Array.from({ length: input.steps }, (_, i) => Math.round((from + ((to - from) * i) / (input.steps - 1)) * 1e6) / 1e6);
}

function costOf(input: StrategyInput["marginalCost"], path: Path, context: SectionContext): MarginalCostSpec | null {
  if (input === "electricity") return null;
  if (input === "none") return { inputMsatPerMtok: 0, outputMsatPerMtok: 0, fixedMsat: 0, drawn: "node" };
  const { input: prompt, output, fixed } = input;
  const inFiat: [boolean, boolean, boolean] = [statesFiat(prompt), statesFiat(output), statesFiat(fixed)];
  return {
    inputMsatPerMtok: context.distribution("token price", prompt, [...path, "input"]),
    outputMsatPerMtok: context.distribution("token price", output, [...path, "output"]),
    fixedMsat: context.distribution("money", fixed, [...path, "fixed"]),
    drawn: input.drawn,
    ...(context.moving && inFiat.includes(true) ? { inFiat } : {}),
  };
}
