import { describe, expect, test } from "vitest";
import type { Award, Bid, Descriptor, PeerId, PriceSheet } from "../../protocol/messages.ts";
import { scaledPrices } from "../../protocol/money.ts";
import { GoingPrice } from "../../scheduler/mechanism/going-price.ts";
import { SealedBids } from "../../scheduler/mechanism/sealed-bids.ts";
import { ModelMarket } from "../../scheduler/model-market.ts";
import { Audit } from "../world/audit.ts";
import { arbitraryScenario } from "./testing/arbitrary-scenario.ts";
import { type Fault, patch } from "./testing/patches.ts";
import { type Played, play } from "./testing/play.ts";
import { amountOf, feeOf, RouterView, worthOf } from "./testing/router-view.ts";
import { firstViolation, inRandomMarkets, must } from "./testing/violation.ts";

const PARTS = ["inputMsatPerMtok", "outputMsatPerMtok", "fixedMsat"] as const;

/** What one router has heard and said of prices. */
interface Heard {
  readonly asks: Map<PeerId, Descriptor>;
  /** By job: whom it called last, and who has bid since. */
  readonly calls: Map<string, { readonly atUs: number; readonly reserveMsat: number; readonly invited: Set<PeerId>; readonly bids: Map<PeerId, Bid> }>;
  /** Of the award before, by model: when, at which prices. */
  readonly last: Map<string, { readonly atUs: number; readonly prices: PriceSheet }>;
}

/**
 * The law of prices, mechanism by mechanism, judged by the messages alone: whoever is awarded a job is paid at least what
 * it asks or bids, without output and with all that is allowed, and so at every length in between; no client can be charged more than its maximum; the price is the one that the mechanism's
 * rules give.
 */
export function checkPrices({ scenario, seen }: Played): number {
  const { pricing, router } = scenario;
  const heardBy = Array.from({ length: router.count }, (): Heard => ({ asks: new Map(), calls: new Map(), last: new Map() }));
  const views = heardBy.map((_, peer) => new RouterView(scenario, peer));
  let awards = 0;
  const onAward = (heard: Heard, view: RouterView, to: PeerId, award: Award, atUs: number): void => {
    const { job, prices, fee } = award;
    const what = `${job.jobId} under ${pricing.kind} at ${atUs} us`;
    const amount = amountOf(prices, job.inputTokens, job.maxOutputTokens);
    must(amount + feeOf(fee, amount) <= BigInt(job.maxPriceMsat), () => `${what} may cost ${amount + feeOf(fee, amount)} msat, its client pays at most ${job.maxPriceMsat} msat`);
    const extra = pricing.kind === "call-market" && pricing.rule === "mcafee" ? fee.flatMsat >= router.fee.flatMsat : fee.flatMsat === router.fee.flatMsat;
    must(extra && fee.shareBps === router.fee.shareBps, () => `${what} has a fee of its own`);
    const call = heard.calls.get(job.jobId);
    const ask = pricing.kind === "call-for-bids" ? call?.bids.get(to)?.prices : heard.asks.get(to)!.offers.find(({ model }) => model === job.model)!.prices;
    must(ask !== undefined, () => `${what} goes to a node that has not bid`);
    must([0, job.maxOutputTokens].every((output) => worthOf(prices, job.inputTokens, output) >= worthOf(ask, job.inputTokens, output)), () => `${what} pays less than the node asks`);
    const last = heard.last.get(job.model);
    heard.last.set(job.model, { atUs, prices });
    const same = (other: PriceSheet): boolean => PARTS.every((part) => prices[part] === other[part]);
    switch (pricing.kind) {
      case "posted": return must(same(ask), () => `${what} does not pay the posted price`);
      case "network": return must(same(pricing.prices), () => `${what} does not pay the network's price`);
      case "surge": return must(PARTS.every((part) => prices[part] <= ask[part] * pricing.max), () => `${what} pays more than ${pricing.max} times the posted price`);
      case "base-fee": {
        must(PARTS.every((part) => prices[part] >= pricing.floor[part]), () => `${what} pays less than the floor`);
        if (last === undefined) return;
        // At most one step in each interval that has begun since, one msat more by rounding.
        const intervals = Math.floor(atUs / pricing.intervalUs) - Math.floor(last.atUs / pricing.intervalUs) + 1;
        const most = Math.exp(intervals * Math.log(1 + pricing.step));
        return must(PARTS.every((part) => prices[part] <= last.prices[part] * most + intervals + 1 && prices[part] >= last.prices[part] / (most * most) - 2 * intervals - 1), () => `${what} pays a price that has leapt`);
      }
      case "call-for-bids": {
        const amounts = [...call!.bids].filter(([node]) => node === to || view.objections(job, view.jobs.get(job.jobId)!.tried, node, atUs).every((rule) => rule === "too-dear"))
          .map(([node, bid]) => ({ node, amount: amountOf(bid.prices, job.inputTokens, job.maxOutputTokens) }));
        const own = amountOf(ask, job.inputTokens, job.maxOutputTokens);
        const rivals = amounts.filter(({ node }) => node !== to).map((bid) => bid.amount);
        const second = rivals.reduce((least, rival) => (rival < least ? rival : least), BigInt(call!.reserveMsat));
        must(atUs <= call!.atUs + pricing.windowUs, () => `${what} is awarded after the call has closed`);
        must(own <= BigInt(call!.reserveMsat), () => `${what} goes to a bid of ${own} msat, above the reserve of ${call!.reserveMsat} msat`);
        must(rivals.every((rival) => own <= rival), () => `${what} does not go to the lowest bid`);
        if (pricing.payment === "first-price") return must(same(ask), () => `${what} does not pay the winner's bid`);
        // Parts are rounded down: at most one msat in a million tokens each, and one for the fixed part.
        const rounding = BigInt(Math.ceil((job.inputTokens + job.maxOutputTokens) / 1e6) + 2);
        return must(amount <= second && amount + rounding >= second, () => `${what} pays ${amount} msat, the second price is ${second} msat`);
      }
      case "uniform-price":
      case "custom": return;
      case "call-market":
        return must(last === undefined || last.atUs !== atUs || same(last.prices), () => `${what} pays another price than the same batch's others`);
      case "continuous": {
        if (same(ask)) return;
        const rounding = BigInt(Math.ceil((job.inputTokens + job.maxOutputTokens) / 1e6) + 2);
        return must(amount + feeOf(fee, amount) + rounding * 3n >= BigInt(job.maxPriceMsat), () => `${what} pays neither the ask nor the bid`);
      }
    }
  };
  for (const entry of seen) {
    const heard = "peer" in entry ? heardBy[entry.peer] : undefined;
    if (heard !== undefined && entry.kind === "deliver" && entry.message.type === "descriptor" && entry.message.node === entry.from) {
      const before = heard.asks.get(entry.from);
      if (before === undefined || before.incarnation <= entry.message.incarnation) heard.asks.set(entry.from, entry.message);
    } else if (heard !== undefined && entry.kind === "deliver" && entry.message.type === "bid") {
      const call = heard.calls.get(entry.message.jobId);
      if (call?.invited.has(entry.from) === true && !call.bids.has(entry.from) && entry.atUs <= call.atUs + (pricing.kind === "call-for-bids" ? pricing.windowUs : 0)) call.bids.set(entry.from, entry.message);
    } else if (heard !== undefined && entry.kind === "send" && entry.message.type === "call-for-bids") {
      const { job, reserveMsat } = entry.message;
      const call = heard.calls.get(job.jobId);
      if (call?.atUs === entry.atUs) call.invited.add(entry.to);
      else heard.calls.set(job.jobId, { atUs: entry.atUs, reserveMsat: reserveMsat!, invited: new Set([entry.to]), bids: new Map() });
    } else if (heard !== undefined && entry.kind === "send" && entry.message.type === "award") {
      awards++;
      onAward(heard, views[entry.peer]!, entry.to, entry.message, entry.atUs);
    }
    for (const view of views) view.see(entry);
  }
  return awards;
}

describe("the law of prices", () => {
  const found = arbitraryScenario({ pricing: "found" });

  test("every award in random markets pays what the mechanism's rules give, at least the ask and at most the client's maximum", () => {
    const awards = new Map<string, number>();
    inRandomMarkets(found, 120, 15, (scenario) => {
      const { kind } = scenario.pricing;
      awards.set(kind, (awards.get(kind) ?? 0) + checkPrices(play(scenario)));
    });
    for (const kind of ["network", "surge", "base-fee", "custom", "call-for-bids", "uniform-price", "call-market", "continuous"]) expect(awards.get(kind), kind).toBeGreaterThan(100);
  });

  /** Without the check that every run makes: here it is the second opinion that has to notice. */
  const unaudited: readonly Fault[] = [() => patch(Audit.prototype, "assigned", () => () => {}), () => patch(Audit.prototype, "finished", () => () => {})];
  const faults: readonly [string, RegExp, Fault][] = [
    ["does not look at the first bid of each call", /not go to the lowest bid|second price/, () => {
      const called = new Set<string>();
      return patch(SealedBids.prototype, "onBid", (original) => function (this: SealedBids, from, bid) {
        if (called.has(bid.jobId)) original.call(this, from, bid);
        called.add(bid.jobId);
      });
    }],
    ["waits for bids that come late", /after the call has closed|has not bid/, () => patch(SealedBids.prototype, "onTimer", () => () => {})],
    ["pays a tenth of what is asked", /less than the node asks/, () => patch(ModelMarket.prototype, "reprice", (original) => function (this: ModelMarket, rule) {
      original.call(this, (ask) => {
        const paid = rule(ask);
        return paid === null ? null : scaledPrices(paid, 1, 10);
      });
    })],
    ["has nodes serve whatever they ask", /less than the node asks/, () => patch(ModelMarket.prototype, "serves", () => () => true)],
    ["mistakes the going price", /network.s price|leapt|floor|at most/, () => patch(GoingPrice.prototype, "prices", (original) => function (this: GoingPrice, model) {
      const prices = original.call(this, model);
      return prices === null || prices.outputMsatPerMtok > 1e12 ? prices : scaledPrices(prices, 5, 1);
    })],
  ];
  test.each(faults)("is seen to be broken by a router that %s", (_, how, fault) => {
    expect(firstViolation(found, (scenario) => void checkPrices(play(scenario, { faults: [...unaudited, fault] })), 120)).toMatch(how);
  });
});
