import { z } from "zod";
import type { ChoiceRule } from "../../../protocol/messages.ts";
import type { BudgetOptions } from "../../../scheduler/budget.ts";
import type { DistributionSpec } from "../../kernel/distributions/index.ts";
import { oneOf } from "../../../input/fields.ts";
import { money, monies, positiveDuration, positiveRealMoney, realMoney, share } from "../../../input/quantities.ts";
import { describeValue } from "../../../input/units.ts";
import type { Path, SectionContext } from "./context.ts";

/** What jobs are worth to a client class, and how it spends its money: fields of a client class. */
export const worthFields = {
  maxPrice: monies.optional().describe("The most the client pays for a job, or `unlimited` (default: what the job is worth where `value` or `elasticity` say so, else unlimited)."),
  value: monies.optional().describe("What a job is worth to its client; private, no participant sees it (default: its maximum price). `{uniform: {min: 0 msat, max: 1000 msat}}` makes demand linear in the price."),
  elasticity: z.strictObject({
    of: z.number().gt(0).max(100).describe("By how many percent demand falls when the price rises by one percent."),
    from: positiveRealMoney.describe("Every job is worth at least this: up to this price all is demanded."),
    to: positiveRealMoney.optional().describe("No job is worth more."),
  }).optional().describe("Demand of constant price elasticity, in place of `value`: values follow a Pareto distribution."),
  shading: share.default(0).describe("By how much a client's maximum price stays below what the job is worth to it, where `maxPrice` is not given."),
  delayCost: realMoney.default("0 msat").describe("What each second from submission to result takes off what the job is worth."),
  budget: z.strictObject({
    amount: money.describe("What each client participant of the class may spend in a period."),
    per: positiveDuration.describe("The period."),
    spent: z.enum(["stop", "lower"]).default("stop").describe("What happens to a job that what is left does not cover. stop: it is not posted. lower: it is posted at what is left."),
  }).optional().describe("Most that a client spends in a period (default: whatever it costs)."),
  choice: oneOf({
    logit: z.strictObject({
      scale: positiveRealMoney.describe("Price difference that changes the odds by a factor of e."),
      outside: z.union([money, z.literal("none")]).optional().describe("Price of doing without, drawn with the same odds, or `none` (default: the job's maximum price)."),
    }).describe("A node is drawn with odds exp(-price / scale), the price being the most the job can cost there, fee included."),
  }, ["router", "price", "score"]).default("router").describe("How a node is chosen on the client's behalf. router: by the router's policy. price: the cheapest. score: the best by price, latency, load and reliability alike. price, score and logit choose among prices that are there before the job comes: posted, network, surge, base-fee; elsewhere only the price counts, so that router and price are the same there and the others are refused."),
};

/** As a client class of a scenario has it. */
export interface WorthSpec {
  /** What a job is worth, msat; null: as much as its maximum price. */
  readonly valueMsat: DistributionSpec | null;
  /** The maximum price as a share of the value; null: it is drawn on its own. */
  readonly maxPriceShare: number | null;
  /** What a second from submission to result takes off it, msat. */
  readonly delayMsatPerS: number;
  /** Of each client participant; null: whatever it costs. */
  readonly budget: BudgetOptions | null;
  /** null: the router's policy chooses. An `outsideMsat` of -1 stands for the job's maximum price. */
  readonly choice: ChoiceRule | null;
}

/** The same as it is written, with defaults filled in. */
export type WorthInput = z.output<z.ZodObject<typeof worthFields>>;

/** @returns also what the client pays at most, msat. */
export function resolveWorth(input: WorthInput, path: Path, context: SectionContext): { readonly worth: WorthSpec; readonly maxPriceMsat: DistributionSpec } {
  const valueMsat = valueOf(input, path, context);
  const shading = context.number("share", input.shading, [...path, "shading"]);
  if (shading > 0 && (input.maxPrice !== undefined || valueMsat === null)) {
    context.finding({ path: [...path, "shading"], found: describeValue(input.shading), allowed: "shading only where `value` or `elasticity` is given and `maxPrice` is not" });
  }
  const maxPriceMsat = input.maxPrice === undefined
    ? valueMsat ?? context.distribution("money", "unlimited", [...path, "maxPrice"])
    : context.distribution("money", input.maxPrice, [...path, "maxPrice"]);
  return {
    maxPriceMsat,
    worth: {
      valueMsat,
      maxPriceShare: input.maxPrice === undefined && valueMsat !== null ? 1 - shading : null,
      delayMsatPerS: context.number("money", input.delayCost, [...path, "delayCost"], true),
      budget: input.budget === undefined ? null : {
        amountMsat: context.number("money", input.budget.amount, [...path, "budget", "amount"]), perUs: context.us(input.budget.per, [...path, "budget", "per"]), spent: input.budget.spent,
      },
      choice: choiceOf(input, path, context),
    },
  };
}

function valueOf({ value, elasticity }: WorthInput, path: Path, context: SectionContext): DistributionSpec | null {
  if (elasticity === undefined) return value === undefined ? null : context.distribution("money", value, [...path, "value"]);
  if (value !== undefined) context.finding({ path: [...path, "elasticity"], found: "both `value` and `elasticity`", allowed: "one of them: each says what jobs are worth", atKey: true });
  const at = [...path, "elasticity"];
  const min = context.number("money", elasticity.from, [...at, "from"], true);
  if (elasticity.to === undefined) return { pareto: { min, shape: elasticity.of } };
  const max = context.number("money", elasticity.to, [...at, "to"], true);
  if (max <= min) context.finding({ path: [...at, "to"], found: describeValue(elasticity.to), allowed: `more than from, ${describeValue(elasticity.from)}` });
  return { clip: { of: { pareto: { min, shape: elasticity.of } }, max } };
}

function choiceOf({ choice }: WorthInput, path: Path, context: SectionContext): ChoiceRule | null {
  if (choice === "router") return null;
  if (typeof choice === "string") return { rule: choice };
  const { scale, outside } = choice.logit;
  const at = [...path, "choice", "logit"];
  return {
    rule: "logit", scaleMsat: context.number("money", scale, [...at, "scale"], true),
    ...(outside === "none" ? {} : { outsideMsat: outside === undefined ? -1 : context.number("money", outside, [...at, "outside"]) }),
  };
}
