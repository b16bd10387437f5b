import type { Bid, CallForBids, JobRequest, PeerId, PriceSheet } from "../../protocol/messages.ts";
import { affordableMsat, pricesPaying } from "../../protocol/money.ts";
import { amountMsat } from "../../protocol/units.ts";
import { JobMap } from "../job-map.ts";
import type { ModelMarket } from "../model-market.ts";
import type { PricingOptions } from "../pricing/options.ts";
import { noOutcome, procure } from "../pricing/procurement.ts";
import type { RoutedJob } from "../routed-job.ts";
import type { Floor, Mechanism } from "./mechanism.ts";

/** A call for bids that is open. */
interface Call {
  readonly job: RoutedJob;
  /** How many calls for this job came before, at this attempt. */
  readonly round: number;
  /** Registry indexes of the nodes that were called. */
  readonly invited: readonly number[];
  readonly reserveMsat: number;
  readonly bids: StandingBid[];
}

interface StandingBid {
  readonly n: number;
  readonly prices: PriceSheet;
  readonly amountMsat: number;
  /** Decides between equal bids: the higher one wins. */
  readonly key: number;
}

const FREE: PriceSheet = { inputMsatPerMtok: 0, outputMsatPerMtok: 0, fixedMsat: 0 };

/**
 * One sealed-bid auction per job: some of the eligible nodes are called, bids are taken until the window closes or all
 * have bid, the lowest wins. Bids are compared by what the job can cost at most; equal ones by the rendezvous hash of job
 * and node, so that neither the order of arrival nor of registration counts. Bids of nodes that were not called, second
 * bids and late ones are not looked at. A node that can no longer take the job when the call closes has no bid.
 *
 * The reserve is told to the bidders: the router's, or the client's maximum less the fee where that is lower.
 */
export class SealedBids implements Mechanism {
  readonly #floor: Floor;
  readonly #options: Extract<PricingOptions, { kind: "call-for-bids" }>;
  readonly #calls = new JobMap<Call>();
  readonly #outcome = noOutcome();
  #amounts = new Float64Array(64);

  constructor(floor: Floor, options: Extract<PricingOptions, { kind: "call-for-bids" }>) {
    this.#floor = floor;
    this.#options = options;
    // What a node posts does not keep it from bidding less.
    floor.registry.onNewMarket = (_, market) => market.reprice(() => FREE);
  }

  start(): void {}
  released(): void {}
  fill(): boolean {
    return false;
  }
  fillAll(): boolean {
    return false;
  }

  place(job: RoutedJob, market: ModelMarket): void {
    this.#call(job, market, 1);
  }

  withdraw(job: RoutedJob): boolean {
    return this.#calls.delete(job.request.jobId);
  }

  onBid(from: PeerId, { jobId, prices }: Bid): void {
    const call = this.#calls.get(jobId);
    if (call === undefined) return;
    const n = this.#floor.registry.indexOf(from);
    if (!call.invited.includes(n)) return;
    for (const bid of call.bids) if (bid.n === n) return;
    const { inputTokens, maxOutputTokens } = call.job.request;
    call.bids.push({ n, prices, amountMsat: amountMsat(prices, inputTokens, maxOutputTokens), key: this.#floor.selector.tieKeyOf(jobId, n) });
    if (call.bids.length < call.invited.length) return;
    this.#floor.env.cancel(call.job.timer);
    this.#close(call);
  }

  onTimer(jobId: string): void {
    const call = this.#calls.get(jobId);
    if (call !== undefined) this.#close(call);
  }

  #call(job: RoutedJob, market: ModelMarket, round: number): void {
    const { env, registry, selector, fee, queueLimit } = this.#floor;
    const { windowUs, invited: most, reserveMsat: bound } = this.#options;
    const { request, tried } = job;
    const count = selector.draw(request, market, tried, most, env.nowUs);
    if (count === 0) {
      if (env.telemetry.wantsDecision(request.jobId)) this.#explain(job, market, -1, "no node is eligible", "", null);
      if (selector.waitable > 0 && queueLimit > 0) this.#floor.enqueue(job);
      else this.#floor.giveUp(job, job.attempt === 0 ? "no-eligible-node" : "attempts-exhausted");
      return;
    }
    const invited = Array.from({ length: count }, (_, i) => market.node[selector.picks[i]!]!);
    const affordable = affordableMsat(fee, request.maxPriceMsat);
    const reserveMsat = bound === null ? affordable : Math.min(bound, affordable);
    this.#calls.set(request.jobId, { job, round, invited, reserveMsat, bids: [] });
    const call: CallForBids = { type: "call-for-bids", job: request, closesInUs: windowUs, reserveMsat };
    for (const n of invited) env.send(registry.ids[n]!, call);
    job.timer = env.after(windowUs, { kind: "mechanism", jobId: request.jobId, attempt: job.attempt });
  }

  #close(call: Call): void {
    const { job, bids, reserveMsat, round, invited } = call;
    const { env, registry, selector, fee } = this.#floor;
    const { request, tried } = job;
    this.#calls.delete(request.jobId);
    const market = registry.market(request.model);
    const standing = bids.filter(({ n }) => {
      const offer = market.indexOf(registry.ids[n]!);
      return offer >= 0 && selector.fits(request, market, offer, tried, env.nowUs);
    });
    standing.sort((a, b) => b.key - a.key || a.n - b.n);
    if (this.#amounts.length < standing.length) this.#amounts = new Float64Array(standing.length * 2);
    let withinReserve = 0;
    standing.forEach((bid, i) => {
      this.#amounts[i] = bid.amountMsat;
      if (bid.amountMsat <= reserveMsat) withinReserve++;
    });
    const { winner, pay, byRival } = procure(this.#options.payment, this.#amounts, standing.length, reserveMsat, this.#outcome);
    const byReserve = this.#options.payment === "second-price" && winner >= 0 && !byRival;
    env.telemetry.priced({ kind: "auction", model: request.model, invited: invited.length, bids: bids.length, withinReserve, paidMsat: winner < 0 ? -1 : pay, byReserve });
    const won = standing[winner];
    if (won === undefined) return this.#nobody(call, market);
    const offer = market.indexOf(registry.ids[won.n]!);
    const prices = pay === won.amountMsat ? won.prices : pricesPaying(won.prices, request.inputTokens, request.maxOutputTokens, pay);
    if (env.telemetry.wantsDecision(request.jobId)) {
      const amounts = new Map(standing.map((bid) => [bid.n, bid.amountMsat]));
      const how = `lowest of ${withinReserve} bids within the reserve of ${reserveMsat} msat; ${invited.length} nodes were called, ${bids.length} bid; equal bids by rendezvous hash`;
      const price = this.#options.payment === "first-price"
        ? `first price: the winner is paid its bid, at most ${pay} msat`
        : `second price: the winner bid ${won.amountMsat} msat and is paid ${byRival ? "the lowest rival bid" : "the reserve"}, at most ${pay} msat`;
      this.#explain(job, market, offer, round === 1 ? how : `call ${round}: ${how}`, price, { invited, amounts });
    }
    this.#floor.award(job, market, offer, prices, fee);
  }

  #nobody(call: Call, market: ModelMarket): void {
    const { env } = this.#floor;
    const { job, invited, bids, reserveMsat, round } = call;
    if (env.telemetry.wantsDecision(job.request.jobId)) {
      this.#explain(job, market, -1, `${invited.length} nodes were called, ${bids.length} bid, no bid within the reserve of ${reserveMsat} msat stands`, "", { invited, amounts: new Map() });
    }
    if (round < this.#options.rounds) return this.#call(job, market, round + 1);
    // A bid within the reserve that no longer stands: its node has filled up since, and price is not to blame.
    if (bids.length > 0 && bids.every(({ amountMsat: askedMsat }) => askedMsat > reserveMsat)) env.telemetry.tooDear(job.request.jobId);
    this.#floor.giveUp(job, job.attempt === 0 ? "no-bid" : "attempts-exhausted");
  }

  #explain(
    { request, attempt, tried }: { readonly request: JobRequest; readonly attempt: number; readonly tried: readonly number[] }, market: ModelMarket, chosen: number,
    how: string, price: string, call: { readonly invited: readonly number[]; readonly amounts: ReadonlyMap<number, number> } | null,
  ): void {
    const { env, selector } = this.#floor;
    env.telemetry.decided(selector.account(request, market, attempt + 1, chosen, tried, env.nowUs, {
      how, price,
      ask: (offer) => {
        const n = market.node[offer]!;
        return call?.amounts.get(n) ?? (call?.invited.includes(n) === true ? "was called and made no bid that stands" : "was not called");
      },
    }));
  }
}
