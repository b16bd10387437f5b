import { z } from "zod";
import type { ChoiceRule, FeeTerms, PriceSheet } from "../../../protocol/messages.ts";
import type { PricingOptions } from "../../../scheduler/pricing/options.ts";
import { unitOf } from "../../../scheduler/pricing/price-level.ts";
import { oneOf } from "../../../input/fields.ts";
import { money, positiveDuration, share, tokenPrice } from "../../../input/quantities.ts";
import { describeValue } from "../../../input/units.ts";
import { CustomPricing } from "../../../scheduler/custom/pricing.ts";
import type { Path, SectionContext } from "./context.ts";
import { policyFile, resolvePolicyFile } from "./custom.ts";

const sheet = z.strictObject({
  input: tokenPrice.default(0).describe("Price of prompt tokens."),
  output: tokenPrice.default(0).describe("Price of output tokens."),
  fixed: money.default("0 msat").describe("Fixed part per job."),
});
const interval = (value: string): z.ZodDefault<typeof positiveDuration> => positiveDuration.default(value);

const settings = {
  network: z.strictObject({
    price: sheet.optional().describe("The price (default: the mean of what the operators post). A node serves the jobs for which it is at least its own, however many output tokens they come to."),
  }).describe("One price for all, set by the network; nodes serve the jobs for which it covers their own."),
  surge: z.strictObject({
    above: share.default("70 %").describe("Utilisation of the model's nodes above which prices rise."),
    slope: z.number().min(0).max(1_000).default(2).describe("By how many times the posted price for each 100 % of utilisation beyond that."),
    max: z.number().min(1).max(1_000).default(3).describe("The largest factor."),
    interval: interval("10s").describe("How often the factor is set, from the utilisation since the last time."),
  }).describe("Posted prices times a factor that grows with utilisation."),
  "base-fee": z.strictObject({
    start: sheet.optional().describe("The first price (default: the mean of what the operators post). A part that begins at 0 stays 0."),
    target: z.union([share, z.tuple([share, share])]).default(["50 %", "70 %"]).describe("Utilisation at which the price rests, or a band [from, to]. EIP-1559: 50 %."),
    step: share.default("12.5 %").describe("Largest change in one interval: up when all slots are busy, down when none is, in proportion in between. EIP-1559: 12.5 %."),
    floor: sheet.prefault({}).describe("The price never falls below it."),
    interval: interval("1min").describe("How often the price changes, from the utilisation since the last time."),
  }).describe("One price per model that follows its utilisation as EIP-1559's base fee does; a job keeps the price it was awarded at."),
  "call-for-bids": z.strictObject({
    payment: z.enum(["first-price", "second-price"]).default("second-price").describe("first-price: the lowest bidder is paid its bid. second-price: the lowest rival bid, or the reserve."),
    window: interval("200ms").describe("How long bids are taken, counted at the router; less where all who were called have bid."),
    invited: z.int().min(1).max(1_000_000).default(8).describe("Nodes called for a job, drawn among those that could take it."),
    reserve: money.optional().describe("The most that a job may cost without the router's fee (default: no bound but the client's maximum)."),
    rounds: z.int().min(1).max(1_000).default(1).describe("Calls without a bid that stands before a job is given up."),
  }).describe("A sealed-bid procurement auction for each job."),
  "uniform-price": z.strictObject({
    interval: interval("1s").describe("How often jobs and free slots are matched."),
  }).describe("Jobs and free slots are matched at intervals; all trade at the lowest price asked that was not taken (or the lowest bid served, where that is lower)."),
  "call-market": z.strictObject({
    interval: interval("1s").describe("How often jobs and free slots are matched."),
    rule: z.enum(["midpoint", "mcafee"]).default("midpoint").describe("midpoint: the middle of the prices that clear the market. mcafee: trade reduction, so that nobody gains by misstating."),
  }).describe("A double auction at intervals: jobs bid their clients' maximum, free slots ask their nodes' prices."),
  policy: policyFile({ interval: interval("10s").describe("How often the policy is asked for a price.") }, "A pricing policy of your own, a TypeScript or JavaScript file beside the scenario: `policy: ./my-policy.ts`, or with settings `{file, interval, options}`."),
  continuous: z.strictObject({}).describe("A continuous double auction: a job meets the best ask at once or rests; whoever rested sets the price."),
};
const kinds = ["posted", "surge", "network", "base-fee", "call-for-bids", "uniform-price", "call-market", "continuous"] as const;

/** How prices come about. */
export const pricing = oneOf(settings, kinds);
export type PricingInput = z.output<typeof pricing>;

/** How often nodes hear how their markets stand. */
export const marketState = z.union([positiveDuration, z.literal("never")]);

/** What else of the scenario the section depends on. */
export interface PricingSurroundings {
  /** What each node posts at the start. */
  readonly posted: readonly PriceSheet[];
  readonly fee: FeeTerms;
}

/** Brings the section to base units. */
export function resolvePricing(input: PricingInput, { posted, fee }: PricingSurroundings, path: Path, context: SectionContext): PricingOptions {
  const [kind, given] = typeof input === "string" ? [input, {}] : Object.entries(input)[0] as [Exclude<typeof kinds[number], "posted"> | "policy", object];
  const at = [...path, kind];
  const prices = (part: z.output<typeof sheet>, where: Path): PriceSheet => ({
    inputMsatPerMtok: context.number("token price", part.input, [...where, "input"]),
    outputMsatPerMtok: context.number("token price", part.output, [...where, "output"]),
    fixedMsat: context.number("money", part.fixed, [...where, "fixed"]),
  });
  switch (kind) {
    case "posted": return { kind };
    case "network": {
      const { price } = settings.network.parse(given);
      return { kind, prices: price === undefined ? unitOf(posted) : prices(price, [...at, "price"]) };
    }
    case "surge": {
      const { above, slope, max, interval: every } = settings.surge.parse(given);
      return { kind, above: context.number("share", above, [...at, "above"]), slope, max, intervalUs: context.us(every, [...at, "interval"]) };
    }
    case "base-fee": {
      const { start, target, step, floor, interval: every } = settings["base-fee"].parse(given);
      const [low, high] = Array.isArray(target) ? target.map((bound, i) => context.number("share", bound, [...at, "target", i])) : [context.number("share", target, [...at, "target"]), context.number("share", target, [...at, "target"])];
      if (!(low! > 0 && low! <= high! && high! < 1)) context.finding({ path: [...at, "target"], found: Array.isArray(target) ? target.join(" to ") : describeValue(target), allowed: "a share above 0 and below 100 %, or two of them, the lower first" });
      const first = start === undefined ? unitOf(posted) : prices(start, [...at, "start"]);
      const least = prices(floor, [...at, "floor"]);
      for (const part of ["input", "output", "fixed"] as const) {
        const unit = part === "fixed" ? "fixedMsat" as const : `${part}MsatPerMtok` as const;
        if (first[unit] < least[unit]) context.finding({ path: [...at, "floor", part], found: describeValue(floor[part]), allowed: `at most the start's, ${first[unit]} msat` });
      }
      return { kind, start: first, floor: least, target: { low: low!, high: high! }, step: context.number("share", step, [...at, "step"]), intervalUs: context.us(every, [...at, "interval"]) };
    }
    case "call-for-bids": {
      const { payment, window, invited, reserve, rounds } = settings["call-for-bids"].parse(given);
      return { kind, payment, windowUs: context.us(window, [...at, "window"]), invited, reserveMsat: reserve === undefined ? null : context.number("money", reserve, [...at, "reserve"]), rounds };
    }
    case "uniform-price": return { kind, intervalUs: context.us(settings["uniform-price"].parse(given).interval, [...at, "interval"]) };
    case "call-market": {
      const { interval: every, rule } = settings["call-market"].parse(given);
      if (rule === "mcafee" && fee.bearer === "operator") context.finding({ path: [...at, "rule"], found: "mcafee, with a fee that operators bear", allowed: "a fee that clients bear: what they pay beyond what nodes get is part of it" });
      return { kind, intervalUs: context.us(every, [...at, "interval"]), rule };
    }
    case "continuous": return { kind };
    case "policy": {
      const own = settings.policy.parse(given);
      const every = typeof own === "string" ? "10s" : own.interval;
      return {
        kind: "custom", policy: resolvePolicyFile(own, at, context, (policy) => void new CustomPricing(policy)), posted: unitOf(posted),
        intervalUs: context.us(every, [...at, "interval"]),
      };
    }
  }
}

/** Where a mechanism finds price and node at once, a client's own way to choose has no place, unless it goes by the price alone. */
export function checkChoice(pricing: PricingOptions, choice: ChoiceRule | null, path: Path, context: SectionContext): void {
  if (choice === null || choice.rule === "price" || GOING.has(pricing.kind)) return;
  context.finding({
    path: [...path, "choice"], found: `${choice.rule}, under the pricing ${pricing.kind}, where the price alone decides`,
    allowed: `router or price; ${choice.rule} under the pricing ${[...GOING].join(", ")}`,
  });
}

const GOING: ReadonlySet<PricingOptions["kind"]> = new Set(["posted", "network", "surge", "base-fee", "custom"]);
