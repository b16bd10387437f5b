import type { JobId, JobRequest, ModelOffer, PriceSheet } from "../../protocol/messages.ts";
import type { LawCheck } from "../../protocol/result.ts";
import { amountMsat, feeMsat, maxAmountMsat } from "../../protocol/units.ts";
import { HONOUR_US } from "../../scheduler/node.ts";
import { samePrices } from "../../scheduler/strategy/prices.ts";
import { InvariantError, LAWS } from "../experiment/recorder/invariant.ts";
import { widened } from "../kernel/widened.ts";
import type { ClientSpec, Scenario } from "../scenario/scenario.ts";
import { isFairAward } from "./award-law.ts";
import { pricesMove } from "./ask-book.ts";
import type { Oracle } from "./oracle.ts";
import type { NodePlan } from "./supply.ts";

/** What an engine says of itself. */
export interface EngineState {
  readonly running: number;
  readonly waiting: number;
  readonly kvTokensUsed: number;
}

/**
 * Checks in every run those laws of the market that only the simulator can judge, since it alone knows the scenario, the
 * posted prices, the true lengths and the engines: who may serve a job, what it may cost, and that no engine rests while
 * jobs wait in front of it. Some ten comparisons per job.
 */
export class Audit {
  readonly #scenario: Scenario;
  readonly #plans: readonly NodePlan[];
  readonly #oracle: Oracle;
  readonly #seed: number;
  /** Row by client class, column by node: the posted prices for the class's jobs; null where the node may never serve them. */
  readonly #prices: readonly (PriceSheet | null)[];
  /** Likewise: the longest context of a job, tokens. */
  readonly #contextTokensMax: Float64Array;
  readonly #kvTokensMax: Float64Array;
  /** 1 for nodes whose slots take a waiting job at any time; others do so between the steps of a batch. */
  readonly #atOnce: Uint8Array;
  readonly #slots: Float64Array;
  /** Whether prices may change while the market runs. */
  readonly #moving: boolean;
  /** What each node has asked lately. */
  readonly #asks: Asked[][];
  /** Where prices change: what a job was awarded at, by node, per slot of the oracle. */
  readonly #awards: (Map<number, PriceSheet> | undefined)[] = [];
  #inputTokens = new Float64Array(256);
  #maxPriceMsat = new Float64Array(256);
  #assignments = 0;
  #bills = 0;
  #engines = 0;

  constructor(scenario: Scenario, plans: readonly NodePlan[], oracle: Oracle, seed: number) {
    this.#scenario = scenario;
    this.#plans = plans;
    this.#oracle = oracle;
    this.#seed = seed;
    const offers = scenario.clients.flatMap((client) => plans.map((plan) => (mayServe(client, plan) ? plan.descriptor.offers.find(({ model }) => model === client.model) : undefined)));
    this.#prices = offers.map((offer) => offer?.prices ?? null);
    this.#contextTokensMax = Float64Array.from(offers, (offer) => offer?.contextTokensMax ?? 0);
    this.#kvTokensMax = Float64Array.from(plans, ({ descriptor }) => descriptor.kvTokensMax);
    this.#slots = Float64Array.from(plans, ({ descriptor }) => descriptor.slots);
    this.#moving = scenario.pricing.kind !== "posted" || pricesMove(scenario);
    this.#asks = plans.map(({ descriptor }) => descriptor.offers.map(({ model, prices }) => ({ model, prices, untilUs: Infinity })));
    this.#atOnce = Uint8Array.from(plans, ({ workUs }) => (workUs === null ? 0 : 1));
  }

  /** The client sent its job out. */
  submitted(slot: number, { inputTokens, maxPriceMsat }: JobRequest): void {
    if (slot >= this.#inputTokens.length) this.#grow(slot);
    if (this.#moving) this.#awards[slot] = undefined;
    this.#inputTokens[slot] = inputTokens;
    this.#maxPriceMsat[slot] = maxPriceMsat;
  }

  /** A node asks other prices from now on. Awards at the former ones are in order for as long as it has to honour them. */
  asks(node: number, offers: readonly ModelOffer[], nowUs: number): void {
    const known = this.#asks[node]!.filter(({ untilUs }) => untilUs >= nowUs);
    for (const ask of known) if (ask.untilUs === Infinity) ask.untilUs = nowUs + HONOUR_US;
    this.#asks[node] = [...known, ...offers.map(({ model, prices }) => ({ model, prices, untilUs: Infinity }))];
  }

  /** A router gave the job to a node, at these prices. */
  assigned(slot: number, node: number, prices: PriceSheet, nowUs: number): void {
    this.#assignments++;
    const place = this.#oracle.clientClass[slot]! * this.#plans.length + node;
    const posted = this.#prices[place]!;
    if (posted === null) this.#broken(LAWS.eligibility, slot, `${this.#name(node)} may not serve it: model, region, stake or attestation`);
    const inputTokens = this.#inputTokens[slot]!;
    const maxOutputTokens = this.#oracle.maxOutputTokens[slot]!;
    if (!(inputTokens + maxOutputTokens <= this.#contextTokensMax[place]!)) {
      this.#broken(LAWS.eligibility, slot, `it may need ${inputTokens + maxOutputTokens} tokens of context, ${this.#name(node)} has ${this.#contextTokensMax[place]}`);
    }
    if (this.#moving) {
      const { model } = this.#scenario.clients[this.#oracle.clientClass[slot]!]!;
      if (!this.#asks[node]!.some((ask) => ask.model === model && ask.untilUs >= nowUs && isFairAward(this.#scenario.pricing, prices, ask.prices, inputTokens, maxOutputTokens))) {
        this.#broken(LAWS.eligibility, slot, `it was awarded to ${this.#name(node)} at prices that do not go with what that has asked lately`);
      }
      (this.#awards[slot] ??= new Map<number, PriceSheet>()).set(node, prices);
    } else if (!samePrices(posted, prices)) {
      this.#broken(LAWS.eligibility, slot, `it was awarded at prices that ${this.#name(node)} never asked`);
    }
    const mostMsat = maxAmountMsat(prices, this.#scenario.router.fee, inputTokens, maxOutputTokens);
    if (!(mostMsat <= this.#maxPriceMsat[slot]!)) {
      this.#broken(LAWS.eligibility, slot, `it may cost ${mostMsat} msat at ${this.#name(node)}, the client pays at most ${this.#maxPriceMsat[slot]} msat`);
    }
  }

  /** The result reached the client, with its bill. */
  finished(slot: number, node: number, inputTokens: number, outputTokens: number, billedMsat: number, billedFeeMsat: number): void {
    this.#bills++;
    const trueTokens = Math.min(this.#oracle.outputTokens[slot]!, this.#oracle.maxOutputTokens[slot]!);
    if (outputTokens !== trueTokens) this.#broken(LAWS.metering, slot, `${this.#name(node)} meters ${outputTokens} output tokens of ${trueTokens}`);
    const posted = this.#prices[this.#oracle.clientClass[slot]! * this.#plans.length + node]!;
    const prices = this.#moving ? this.#awards[slot]?.get(node) : posted;
    if (posted === null || prices === undefined || prices === null) this.#broken(LAWS.eligibility, slot, `${this.#name(node)} served it and may not`);
    const dueMsat = amountMsat(prices, inputTokens, outputTokens);
    if (billedMsat !== dueMsat) this.#broken(LAWS.metering, slot, `${this.#name(node)} bills ${billedMsat} msat, at the prices of its award it is ${dueMsat} msat`);
    const { fee } = this.#scenario.router;
    // What the operator bears is no matter of the client's bill.
    const dueFeeMsat = fee.bearer === "operator" ? 0 : feeMsat(fee, dueMsat);
    const { pricing } = this.#scenario;
    // Trade reduction leaves a rest between what buyers pay and what sellers get.
    if (pricing.kind === "call-market" && pricing.rule === "mcafee" && billedFeeMsat >= dueFeeMsat && dueMsat + billedFeeMsat <= this.#maxPriceMsat[slot]!) return;
    if (billedFeeMsat !== dueFeeMsat) this.#broken(LAWS.metering, slot, `a fee of ${billedFeeMsat} msat is billed, by the router's terms it is ${dueFeeMsat} msat`);
  }

  /** An engine has done all that was due. */
  engine(node: number, { running, waiting, kvTokensUsed }: EngineState): void {
    this.#engines++;
    if (!(kvTokensUsed >= 0 && kvTokensUsed <= this.#kvTokensMax[node]!)) {
      this.#broken(LAWS.capacity, -1, `${this.#name(node)} has ${kvTokensUsed} tokens in a KV cache of ${this.#kvTokensMax[node]}`);
    }
    if (waiting > 0 && (this.#atOnce[node] === 1 ? running < this.#slots[node]! : running === 0)) {
      this.#broken(LAWS.work, -1, `${this.#name(node)} runs ${running} jobs on ${this.#slots[node]} slots while ${waiting} wait in front of it`);
    }
  }

  /** The client says that a job has ended which ended before. */
  endedAgain(jobId: JobId): never {
    throw new InvariantError(LAWS.terminal, jobId, this.#seed, "its client says that it ended, and it is not in flight");
  }

  /** The laws and how often each was checked. */
  laws(): LawCheck[] {
    return [
      { law: LAWS.eligibility, passed: this.#assignments },
      { law: LAWS.metering, passed: this.#bills },
      { law: LAWS.capacity, passed: this.#engines },
      { law: LAWS.work, passed: this.#engines },
    ];
  }

  #name(node: number): string {
    return `node ${this.#plans[node]!.name}`;
  }

  #broken(law: string, slot: number, detail: string): never {
    throw new InvariantError(law, slot < 0 ? "" : this.#oracle.ids[slot] ?? "", this.#seed, detail);
  }

  #grow(slot: number): void {
    const length = Math.max(slot + 1, this.#inputTokens.length * 2);
    this.#inputTokens = widened(this.#inputTokens, length);
    this.#maxPriceMsat = widened(this.#maxPriceMsat, length);
  }
}

/** Prices that a node asks, and until when it takes awards at them. */
interface Asked {
  readonly model: string;
  readonly prices: PriceSheet;
  untilUs: number;
}

/** What the scenario says of a class's jobs and a node, once and for all. */
export function mayServe(client: ClientSpec, { region, descriptor }: NodePlan): boolean {
  return descriptor.stakeMsat >= client.minStakeMsat
    && (client.privacy === "any" || descriptor.attested)
    && (client.allowedRegions === null || client.allowedRegions.includes(region));
}
