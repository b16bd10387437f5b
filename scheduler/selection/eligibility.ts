import type { FeeTerms, JobRequest } from "../../protocol/messages.ts";
import { maxAmountMsat } from "../../protocol/units.ts";
import type { ExclusionRule } from "../environment.ts";
import type { ModelMarket } from "../model-market.ts";
import { inWords } from "../pricing/in-words.ts";
import type { Registry } from "../registry.ts";

/** Rules in the order in which they are judged; 0 is "eligible". What may pass by itself comes last. */
export const rules = [
  "eligible", "no-model", "banned", "under-staked", "wrong-region", "not-attested", "context-too-short", "too-dear",
  "asks-more", "already-tried", "unregistered", "stale", "not-accepting", "circuit-open", "full",
] as const satisfies readonly ("eligible" | ExclusionRule)[];

const codes = Object.fromEntries(rules.map((rule, code) => [rule, code])) as Record<(typeof rules)[number], number>;
const { banned: BANNED, stale: STALE, full: FULL } = codes;
const UNDER_STAKED = codes["under-staked"];
const WRONG_REGION = codes["wrong-region"];
const NOT_ATTESTED = codes["not-attested"];
const CONTEXT_TOO_SHORT = codes["context-too-short"];
const TOO_DEAR = codes["too-dear"];
const ASKS_MORE = codes["asks-more"];
const ALREADY_TRIED = codes["already-tried"];
const NOT_ACCEPTING = codes["not-accepting"];
const CIRCUIT_OPEN = codes["circuit-open"];

/** Whether the rule can stop applying without anybody changing an offer: worth waiting for. */
export function isTemporary(code: number): boolean {
  return code >= NOT_ACCEPTING;
}

/**
 * Judges one job against offers. Set it up with {@link Eligibility.begin} once per decision, then ask
 * {@link Eligibility.judge} for each offer: the same code decides and explains.
 */
export class Eligibility {
  /** Offers at the last {@link gather} that only a passing rule excluded. */
  waitable = 0;
  /** Likewise: that were too dear. */
  tooDear = 0;
  readonly #registry: Registry;
  readonly #fee: FeeTerms;
  readonly #staleAfterUs: number;
  #job!: JobRequest;
  #market!: ModelMarket;
  #tried: readonly number[] = [];
  #nowUs = 0;
  #contextTokens = 0;
  #maxPriceMsat = 0;
  #inputTokens = 0;
  #maxOutputTokens = 0;
  #feeFactor = 1;
  /** Whether the fee is its flat part and its share, on top of the amount, and nothing else. */
  readonly #plainFee: boolean;
  #minStakeMsat = 0;
  #attested = false;
  #anyRegion = true;
  readonly #regions: number[] = [];

  /**
   * @param fee the router's charge, part of what the client's maximum must cover.
   * @param staleAfterUs a node not heard of for longer than this is not considered, µs.
   */
  constructor(registry: Registry, fee: FeeTerms, staleAfterUs: number) {
    this.#registry = registry;
    this.#fee = fee;
    this.#staleAfterUs = staleAfterUs;
    this.#feeFactor = 1 + fee.shareBps / 10_000;
    this.#plainFee = fee.minMsat === undefined && fee.maxMsat === undefined && fee.bearer !== "operator";
  }

  /**
   * The job and the offers that all questions are about until the next call.
   * @param tried registry indexes of nodes that had their chance with this job.
   */
  begin(job: JobRequest, market: ModelMarket, tried: readonly number[], nowUs: number): void {
    this.#job = job;
    this.#market = market;
    this.#tried = tried;
    this.#nowUs = nowUs;
    this.#inputTokens = job.inputTokens;
    this.#maxOutputTokens = job.maxOutputTokens;
    this.#contextTokens = job.inputTokens + job.maxOutputTokens;
    this.#maxPriceMsat = job.maxPriceMsat;
    this.#minStakeMsat = job.minStakeMsat;
    this.#attested = job.privacy === "attested";
    this.#anyRegion = job.allowedRegions === undefined;
    if (job.allowedRegions === undefined) return;
    this.#regions.length = 0;
    for (const name of job.allowedRegions) this.#regions.push(this.#registry.region(name));
  }

  /** The most the job can cost there, fee left out, in msat; not rounded: for comparisons between offers. */
  amountMsat(offer: number): number {
    const market = this.#market;
    let fixedMsat = market.fixedMsat[offer]!;
    // A node that does not serve every job: what those pay that it serves.
    if (fixedMsat === Infinity) fixedMsat = market.prices[offer]?.fixedMsat ?? Infinity;
    return (this.#inputTokens * market.inputMsatPerMtok[offer]! + this.#maxOutputTokens * market.outputMsatPerMtok[offer]!) / 1e6 + fixedMsat;
  }

  /**
   * Collects all eligible offers, in order, with what the job can cost at most there (as {@link amountMsat} has it).
   * The plain case is settled in one pass over flat arrays; whatever is out of the ordinary goes through {@link judge}.
   * @param candidates room for as many offers as the market has; likewise `amountsMsat`.
   * @returns how many are eligible; how many are not, but may be without anybody changing an offer, is in `waitable`.
   */
  gather(candidates: Int32Array, amountsMsat: Float64Array): number {
    const { node, contextTokensMax, inputMsatPerMtok, outputMsatPerMtok, fixedMsat, count: offers } = this.#market;
    const { lastSeenUs, own, others, capacity, banned, accepting } = this.#registry;
    const { coolDownsUs } = this.#registry.breaker;
    const asksMore = this.#minStakeMsat > 0 || this.#attested || !this.#anyRegion || this.#tried.length > 0;
    const freshFromUs = this.#nowUs - this.#staleAfterUs;
    const contextTokens = this.#contextTokens;
    const inputTokens = this.#inputTokens;
    const maxOutputTokens = this.#maxOutputTokens;
    // Whatever costs less than this is affordable, however the amounts are rounded.
    const surelyMsat = ((this.#maxPriceMsat - this.#fee.flatMsat - (this.#fee.minMsat ?? 0) - 3) / this.#feeFactor) * (1 - 1e-11);
    let count = 0;
    let waitable = 0;
    let tooDear = 0;
    for (let offer = 0; offer < offers; offer++) {
      const n = node[offer]!;
      let amountMsat = (inputTokens * inputMsatPerMtok[offer]! + maxOutputTokens * outputMsatPerMtok[offer]!) / 1e6 + fixedMsat[offer]!;
      if (
        asksMore || amountMsat > surelyMsat || contextTokensMax[offer]! < contextTokens || lastSeenUs[n]! < freshFromUs
        || own[n]! + others[n]! >= capacity[n]! || banned[n] !== 0 || accepting[n] === 0 || coolDownsUs[n] !== 0
      ) {
        const code = this.judge(offer);
        if (code !== 0) {
          if (isTemporary(code)) waitable++;
          else if (code === TOO_DEAR) tooDear++;
          continue;
        }
        if (amountMsat === Infinity) amountMsat = this.amountMsat(offer);
      }
      candidates[count] = offer;
      amountsMsat[count++] = amountMsat;
    }
    this.waitable = waitable;
    this.tooDear = tooDear;
    return count;
  }

  /** Index into {@link rules}: 0 where the offer at this position of the market is eligible. */
  judge(offer: number): number {
    const registry = this.#registry;
    const market = this.#market;
    const n = market.node[offer]!;
    if (registry.banned[n] !== 0) return BANNED;
    if (registry.stakeMsat[n]! < this.#minStakeMsat) return UNDER_STAKED;
    if (!this.#anyRegion && !this.#regions.includes(registry.regionIndex[n]!)) return WRONG_REGION;
    if (this.#attested && registry.attested[n] === 0) return NOT_ATTESTED;
    if (market.contextTokensMax[offer]! < this.#contextTokens) return CONTEXT_TOO_SHORT;
    if (!market.serves(offer, this.#inputTokens, this.#maxOutputTokens)) return ASKS_MORE;
    if (this.#tooDear(offer)) return TOO_DEAR;
    if (this.#tried.length > 0 && this.#tried.includes(n)) return ALREADY_TRIED;
    if (this.#nowUs - registry.lastSeenUs[n]! > this.#staleAfterUs) return STALE;
    if (registry.accepting[n] === 0) return NOT_ACCEPTING;
    const own = registry.own[n]!;
    if (!registry.breaker.allows(n, own, this.#nowUs)) return CIRCUIT_OPEN;
    if (!registry.hasRoom(n)) return FULL;
    return 0;
  }

  /** The rule's figures, in words. */
  detail(offer: number, code: number): string {
    const registry = this.#registry;
    const n = this.#market.node[offer]!;
    switch (rules[code]) {
      case "under-staked": return `has staked ${registry.stakeMsat[n]} msat, the client asks for ${this.#minStakeMsat} msat`;
      case "wrong-region": return `is in ${registry.descriptors[n]!.region}, the client allows ${this.#job.allowedRegions?.join(", ")}`;
      case "not-attested": return "is not attested, the client asks for it";
      case "context-too-short": return `takes at most ${this.#market.contextTokensMax[offer]} tokens, the job may need ${this.#contextTokens}`;
      case "too-dear": return `may cost ${this.#exactMsat(offer)} msat with the fee, the client pays at most ${this.#maxPriceMsat} msat`;
      case "asks-more": return `asks ${inWords(this.#market.offers[offer]!.prices)}: more than the going price for this job at some length`;
      case "already-tried": return "has failed this job before";
      case "stale": return `was last heard of ${this.#nowUs - registry.lastSeenUs[n]!} us ago, the limit is ${this.#staleAfterUs} us`;
      case "not-accepting": return "takes no new jobs";
      case "circuit-open": return `failed repeatedly; is left alone until ${registry.breaker.openUntilUs(n)} us, then tried with one job at a time`;
      case "full": return `holds ${registry.own[n]! + registry.others[n]!} of ${registry.capacity[n]} jobs`;
      case "banned": return "is banned";
      default: return "";
    }
  }

  #exactMsat(offer: number): number {
    const prices = this.#market.prices[offer]!;
    return prices === null ? Infinity : maxAmountMsat(prices, this.#fee, this.#inputTokens, this.#maxOutputTokens);
  }

  /** Doubles settle all but the close calls; those are computed exactly. */
  #tooDear(offer: number): boolean {
    if (!this.#plainFee) return this.#exactMsat(offer) > this.#maxPriceMsat;
    const roughMsat = this.amountMsat(offer) * this.#feeFactor + this.#fee.flatMsat;
    const slack = 3 + roughMsat * 1e-12;
    if (roughMsat + slack <= this.#maxPriceMsat) return false;
    if (roughMsat - slack > this.#maxPriceMsat) return true;
    return this.#exactMsat(offer) > this.#maxPriceMsat;
  }
}
