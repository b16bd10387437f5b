import type { ChoiceRule, FeeTerms, JobRequest } from "../../protocol/messages.ts";
import { roughTotalMsat } from "../../protocol/units.ts";
import type { Candidate, Decision, Exclusion, Random } from "../environment.ts";
import { CustomScorer } from "../custom/choice.ts";
import { hashString, mix } from "../hash.ts";
import type { ModelMarket } from "../model-market.ts";
import { inWords } from "../pricing/in-words.ts";
import type { Registry } from "../registry.ts";
import { Eligibility, isTemporary, rules } from "./eligibility.ts";
import { describePolicy, type PolicyOptions } from "./policy.ts";
import { LoadScorer, PriceScorer, type Scorer, WeightedScorer } from "./scores.ts";

/** Random probes that fail before a sampling policy looks at all offers. Bounds the work; does not change the odds. */
const PROBES_MAX = 16;

/** How a mechanism that finds prices job by job, or batch by batch, wants its choice explained. */
export interface Account {
  /** In words: how the node was chosen. */
  readonly how: string;
  /** In words: how the price came about. */
  readonly price: string;
  /** What this offer asks for the job at most, msat; a word where it asked for nothing. */
  readonly ask: (offer: number) => number | string;
}

/**
 * Picks a node for a job: filters the market's offers by {@link Eligibility}, scores what remains, and lets the policy
 * choose. Ties go to the highest rendezvous hash of (job, node), then to the lowest id: whoever registered first gains
 * nothing, and equal nodes share the work.
 *
 * Cost: one pass over the model's offers in typed arrays; `random` and `power-of-two` probe a few offers instead,
 * unless most of the market is ineligible.
 */
export class Selector {
  /** Offers at the last {@link choose} that only a passing rule excluded (full, not accepting, circuit open). */
  waitable = 0;
  /** Offers at the last {@link choose} that the price excluded. */
  tooDear = 0;
  /** Whether at the last {@link choose} the client, on whose behalf was chosen, would rather do without. */
  declined = false;
  readonly #registry: Registry;
  readonly #policy: PolicyOptions;
  readonly #random: Random;
  readonly #eligibility: Eligibility;
  readonly #policyScorer: Scorer;
  /** The one in use: the policy's, or that of the job's own choice. */
  #scorer: Scorer;
  #byPrice: Scorer | null = null;
  #byScore: Scorer | null = null;
  readonly #fee: FeeTerms;
  #candidates = new Int32Array(64);
  #amountsMsat = new Float64Array(64);
  #scores = new Float64Array(64);
  readonly #picks: number[] = [];
  #count = 0;
  #tieBase = 0;
  #how = "";
  /** What a sampling policy says of itself where there are candidates enough: put into words once, not for each job. */
  readonly #usualHow: string;

  /**
   * @param fee the router's charge, part of what the client's maximum must cover.
   * @param staleAfterUs a node not heard of for longer than this is not considered, µs.
   * @param random what sampling policies draw from.
   * @throws RangeError where a setting of the policy is out of its range.
   */
  constructor(registry: Registry, policy: PolicyOptions, fee: FeeTerms, staleAfterUs: number, random: Random) {
    checkPolicy(policy);
    this.#registry = registry;
    this.#policy = policy;
    this.#random = random;
    this.#eligibility = new Eligibility(registry, fee, staleAfterUs);
    this.#fee = fee;
    this.#policyScorer = scorerFor(registry, policy);
    this.#scorer = this.#policyScorer;
    this.#usualHow = usualHow(policy);
  }

  /**
   * The policy's choice among the eligible offers.
   * @param tried registry indexes of nodes that had their chance with this job.
   * @returns position of the chosen offer in the market, or -1 where none is eligible.
   */
  choose(job: JobRequest, market: ModelMarket, tried: readonly number[], nowUs: number): number {
    this.#eligibility.begin(job, market, tried, nowUs);
    const rule = job.choice;
    this.#scorer = rule === undefined ? this.#policyScorer : this.#scorerOf(rule);
    this.#scorer.begin(job, market);
    this.#tieBase = hashString(job.jobId);
    this.waitable = 0;
    this.tooDear = 0;
    this.declined = false;
    if (rule !== undefined) return rule.rule === "logit" ? this.#logit(market, rule, tried.length === 0) : this.#best(market);
    const policy = this.#policy;
    switch (policy.kind) {
      case "cheapest":
      case "least-loaded":
      case "weighted-score":
      case "custom": return this.#best(market);
      case "random": return this.#sample(market);
      case "power-of-two": return this.#powerOfChoices(market, policy.choices);
      case "round-robin": return this.#roundRobin(market);
      case "softmax": return this.#softmax(market, policy.temperature);
      case "top-n-random": return this.#topN(market, policy.n);
    }
  }

  /**
   * Draws up to `most` different eligible offers uniformly; `picks` has them.
   * @returns how many they are; `waitable` tells how many more there might be, where there was none.
   */
  draw(job: JobRequest, market: ModelMarket, tried: readonly number[], most: number, nowUs: number): number {
    this.#eligibility.begin(job, market, tried, nowUs);
    this.waitable = 0;
    this.tooDear = 0;
    this.declined = false;
    return this.#draw(market, most);
  }

  /**
   * All eligible offers, in order: `candidates` has them, `amountsMsat` what the job can cost there at most.
   * @returns how many they are.
   */
  gather(job: JobRequest, market: ModelMarket, tried: readonly number[], nowUs: number): number {
    this.#eligibility.begin(job, market, tried, nowUs);
    this.declined = false;
    this.#gather(market);
    return this.#count;
  }

  get candidates(): Int32Array {
    return this.#candidates;
  }

  get amountsMsat(): Float64Array {
    return this.#amountsMsat;
  }

  /** The offers that were drawn last. */
  get picks(): readonly number[] {
    return this.#picks;
  }

  /** Decides between equals: the higher one wins, by the rendezvous hash of job and node. */
  tieKeyOf(jobId: string, n: number): number {
    return mix(hashString(jobId) ^ this.#registry.salt[n]!);
  }

  /** Whether this one offer could take the job now, all rules considered. */
  fits(job: JobRequest, market: ModelMarket, offer: number, tried: readonly number[], nowUs: number): boolean {
    this.#eligibility.begin(job, market, tried, nowUs);
    return this.#eligibility.judge(offer) === 0;
  }

  /**
   * A choice among the offers as they are now, explained by what they ask instead of by the policy.
   * @param chosen position of the chosen offer, -1: none.
   */
  account(job: JobRequest, market: ModelMarket, attempt: number, chosen: number, tried: readonly number[], nowUs: number, account: Account): Decision {
    this.#eligibility.begin(job, market, tried, nowUs);
    this.declined = false;
    return this.explain(job, market, attempt, chosen, account);
  }

  /** The last choice, explained: call it right after {@link choose}, before anything changes. */
  explain(job: JobRequest, market: ModelMarket, attempt: number, chosen: number, account: Account | null = null): Decision {
    const candidates: Candidate[] = [];
    const excluded: Exclusion[] = [];
    const inMarket = new Uint8Array(this.#registry.size);
    for (let offer = 0; offer < market.count; offer++) {
      const n = market.node[offer]!;
      inMarket[n] = 1;
      const node = this.#registry.ids[n]!;
      const code = this.#eligibility.judge(offer);
      if (code === 0 && account !== null) {
        const ask = account.ask(offer);
        if (typeof ask === "string") excluded.push({ node, rule: "no-bid", detail: ask });
        else candidates.push({ node, score: 0 - ask, parts: [{ name: "ask", value: ask, unit: "msat", contribution: 0 - ask }] });
      } else if (code === 0) {
        const amountMsat = this.#eligibility.amountMsat(offer);
        candidates.push({ node, score: this.#scorer.score(offer, amountMsat), parts: this.#scorer.parts(offer, amountMsat) });
      } else {
        excluded.push({ node, rule: rules[code] as Exclusion["rule"], detail: this.#eligibility.detail(offer, code) });
      }
    }
    for (let n = 0; n < this.#registry.size; n++) {
      if (inMarket[n] === 0 && this.#registry.ids[n] !== "") excluded.push({ node: this.#registry.ids[n]!, rule: "no-model", detail: `does not offer ${job.model}` });
    }
    candidates.sort((a, b) => b.score - a.score || (a.node < b.node ? -1 : 1));
    excluded.sort((a, b) => (a.node < b.node ? -1 : 1));
    return {
      jobId: job.jobId,
      attempt,
      policy: account !== null ? "price" : job.choice === undefined ? describePolicy(this.#policy) : `the client's choice: ${job.choice.rule}`,
      chosen: chosen < 0 ? "" : this.#registry.ids[market.node[chosen]!]!,
      how: account !== null ? account.how : this.declined ? `the client does without: ${this.#how}` : chosen < 0 ? "no node is eligible" : this.#how,
      price: account !== null ? account.price : chosen < 0 ? "" : describePrice(market, chosen),
      candidates,
      excluded,
    };
  }

  #gather(market: ModelMarket): void {
    if (this.#candidates.length < market.count) {
      const length = Math.max(market.count, this.#candidates.length * 2);
      this.#candidates = new Int32Array(length);
      this.#amountsMsat = new Float64Array(length);
      this.#scores = new Float64Array(length);
    }
    this.#count = this.#eligibility.gather(this.#candidates, this.#amountsMsat);
    this.waitable = this.#eligibility.waitable;
    this.tooDear = this.#eligibility.tooDear;
  }

  #tieKey(market: ModelMarket, offer: number): number {
    return mix(this.#tieBase ^ this.#registry.salt[market.node[offer]!]!);
  }

  /** Whether offer `a` beats offer `b`, whose scores are given; positions follow the nodes' ids. */
  #beats(market: ModelMarket, a: number, scoreA: number, b: number, scoreB: number): boolean {
    if (scoreA !== scoreB) return scoreA > scoreB;
    const keyA = this.#tieKey(market, a);
    const keyB = this.#tieKey(market, b);
    return keyA !== keyB ? keyA > keyB : a < b;
  }

  #best(market: ModelMarket): number {
    this.#gather(market);
    const candidates = this.#candidates;
    const scores = this.#scores;
    const count = this.#count;
    this.#scorer.scoreAll(candidates, this.#amountsMsat, count, scores);
    let best = -1;
    let bestScore = -Infinity;
    for (let i = 0; i < count; i++) {
      const score = scores[i]!;
      if (score < bestScore) continue;
      const offer = candidates[i]!;
      if (score > bestScore || best < 0 || this.#beats(market, offer, score, best, bestScore)) {
        best = offer;
        bestScore = score;
      }
    }
    this.#how = "highest score; ties by rendezvous hash of job and node, then by id";
    return best;
  }

  /** A uniform draw among the eligible: probes first (rejection sampling), then the whole list. */
  #sample(market: ModelMarket): number {
    this.#how = "uniform draw among the candidates";
    for (let probe = 0; probe < PROBES_MAX && market.count > 0; probe++) {
      const offer = Math.floor(this.#random.next() * market.count);
      if (this.#eligibility.judge(offer) === 0) return offer;
    }
    this.#gather(market);
    if (this.#count === 0) return -1;
    return this.#candidates[Math.floor(this.#random.next() * this.#count)]!;
  }

  /** The best by load of `choices` different eligible offers drawn uniformly (Mitzenmacher 2001, power of d choices). */
  #powerOfChoices(market: ModelMarket, choices: number): number {
    const picks = this.#picks;
    const count = this.#draw(market, choices);
    let best = -1;
    let bestScore = -Infinity;
    for (let i = 0; i < count; i++) {
      const offer = picks[i]!;
      const score = this.#scorer.score(offer, 0);
      if (best < 0 || this.#beats(market, offer, score, best, bestScore)) {
        best = offer;
        bestScore = score;
      }
    }
    this.#how = this.#policy.kind === "power-of-two" && count === this.#policy.choices ? this.#usualHow : `least loaded of ${count} candidates drawn uniformly`;
    return best;
  }

  /** So many different eligible offers, drawn uniformly, or all that there are: probes first, then the whole list. */
  #draw(market: ModelMarket, choices: number): number {
    const picks = this.#picks;
    let count = 0;
    for (let probe = 0; probe < PROBES_MAX && count < choices && market.count > 0 && choices <= market.count; probe++) {
      const offer = Math.floor(this.#random.next() * market.count);
      if (!contains(picks, count, offer) && this.#eligibility.judge(offer) === 0) picks[count++] = offer;
    }
    if (count < choices) {
      this.#gather(market);
      count = Math.min(choices, this.#count);
      for (let i = 0; i < count; i++) {
        const j = i + Math.floor(this.#random.next() * (this.#count - i));
        const swap = this.#candidates[i]!;
        this.#candidates[i] = this.#candidates[j]!;
        this.#candidates[j] = swap;
        picks[i] = this.#candidates[i]!;
      }
    }
    return count;
  }

  /** The first eligible offer after the node that was served last, in the order of the nodes' ids. */
  #roundRobin(market: ModelMarket): number {
    this.#how = "next eligible node in the order of ids";
    let waitable = 0;
    let offer = market.indexAfter(market.lastServed);
    for (let step = 0; step < market.count; step++) {
      const code = this.#eligibility.judge(offer);
      if (code === 0) return offer;
      if (isTemporary(code)) waitable++;
      if (rules[code] === "too-dear") this.tooDear++;
      if (++offer === market.count) offer = 0;
    }
    this.waitable = waitable;
    return -1;
  }

  #scorerOf({ rule }: ChoiceRule): Scorer {
    if (rule === "score") return (this.#byScore ??= new WeightedScorer(this.#registry, { price: 1, latency: 1, load: 1, reliability: 1 }));
    return (this.#byPrice ??= new PriceScorer());
  }

  /**
   * Multinomial logit (McFadden 1974): a candidate is drawn with odds exp(-price / scale), its price being the most that the
   * job can cost there with the router's fee; doing without is drawn with the odds of its own price, at the first attempt.
   */
  #logit(market: ModelMarket, { scaleMsat, outsideMsat }: Extract<ChoiceRule, { rule: "logit" }>, first: boolean): number {
    this.#gather(market);
    if (this.#count === 0) return -1;
    this.#how = `drawn with odds exp(-price / ${scaleMsat} msat)${outsideMsat === undefined ? "" : `, against doing without at ${outsideMsat} msat`}`;
    const outside = first ? outsideMsat ?? Infinity : Infinity;
    let least = outside;
    for (let i = 0; i < this.#count; i++) {
      const priceMsat = roughTotalMsat(this.#fee, this.#amountsMsat[i]!);
      this.#scores[i] = priceMsat;
      if (priceMsat < least) least = priceMsat;
    }
    const without = Math.exp((least - outside) / scaleMsat);
    let total = without;
    for (let i = 0; i < this.#count; i++) {
      total += Math.exp((least - this.#scores[i]!) / scaleMsat);
      this.#scores[i] = total;
    }
    const draw = this.#random.next() * total;
    if (draw < without) {
      this.declined = true;
      return -1;
    }
    let i = 0;
    while (i < this.#count - 1 && this.#scores[i]! <= draw) i++;
    return this.#candidates[i]!;
  }

  /** Draws a candidate with odds exp(score / temperature). */
  #softmax(market: ModelMarket, temperature: number): number {
    this.#gather(market);
    if (this.#count === 0) return -1;
    this.#scorer.scoreAll(this.#candidates, this.#amountsMsat, this.#count, this.#scores);
    let top = -Infinity;
    for (let i = 0; i < this.#count; i++) if (this.#scores[i]! > top) top = this.#scores[i]!;
    let total = 0;
    for (let i = 0; i < this.#count; i++) {
      total += Math.exp((this.#scores[i]! - top) / temperature);
      this.#scores[i] = total;
    }
    const draw = this.#random.next() * total;
    let i = 0;
    while (i < this.#count - 1 && this.#scores[i]! <= draw) i++;
    this.#how = this.#usualHow;
    return this.#candidates[i]!;
  }

  /** A uniform draw among the n best scores: near-equals share what would otherwise all go to one. */
  #topN(market: ModelMarket, n: number): number {
    this.#gather(market);
    if (this.#count === 0) return -1;
    const kept = Math.min(n, this.#count);
    this.#scorer.scoreAll(this.#candidates, this.#amountsMsat, this.#count, this.#scores);
    for (let i = 0; i < this.#count; i++) {
      const offer = this.#candidates[i]!;
      const score = this.#scores[i]!;
      let at = Math.min(i, kept);
      if (i >= kept && !this.#beats(market, offer, score, this.#candidates[kept - 1]!, this.#scores[kept - 1]!)) continue;
      if (i >= kept) at = kept - 1;
      while (at > 0 && this.#beats(market, offer, score, this.#candidates[at - 1]!, this.#scores[at - 1]!)) {
        this.#candidates[at] = this.#candidates[at - 1]!;
        this.#scores[at] = this.#scores[at - 1]!;
        at--;
      }
      this.#candidates[at] = offer;
      this.#scores[at] = score;
    }
    this.#how = kept === n ? this.#usualHow : `uniform draw among the ${kept} highest scores`;
    return this.#candidates[Math.floor(this.#random.next() * kept)]!;
  }
}

/** The price of an award under posted or going prices, beside what the node asks. */
function describePrice(market: ModelMarket, offer: number): string {
  const paid = market.prices[offer]!;
  const asked = market.offers[offer]!.prices;
  return paid === null ? "" : paid === asked ? `the node's posted price, ${inWords(paid)}` : `${inWords(paid)}; the node asks ${inWords(asked)}`;
}

function contains(values: readonly number[], count: number, value: number): boolean {
  for (let i = 0; i < count; i++) if (values[i] === value) return true;
  return false;
}

/** @throws RangeError where a setting is out of its range; weights are the scorer's business. */
function checkPolicy(policy: PolicyOptions): void {
  const counts = policy.kind === "power-of-two" ? policy.choices : policy.kind === "top-n-random" ? policy.n : 1;
  if (!(Number.isInteger(counts) && counts >= 1)) throw new RangeError(`${policy.kind} needs a whole number of at least 1, found ${counts}`);
  if (policy.kind === "softmax" && !(policy.temperature > 0)) throw new RangeError(`softmax needs a temperature above 0, found ${policy.temperature}`);
}

function scorerFor(registry: Registry, policy: PolicyOptions): Scorer {
  switch (policy.kind) {
    case "cheapest": return new PriceScorer();
    case "least-loaded":
    case "power-of-two":
    case "random":
    case "round-robin": return new LoadScorer(registry);
    case "weighted-score":
    case "softmax":
    case "top-n-random": return new WeightedScorer(registry, policy.weights);
    case "custom": return new CustomScorer(registry, policy.policy);
  }
}

function usualHow(policy: PolicyOptions): string {
  switch (policy.kind) {
    case "power-of-two": return `least loaded of ${policy.choices} candidates drawn uniformly`;
    case "softmax": return `drawn with odds exp(score / ${policy.temperature})`;
    case "top-n-random": return `uniform draw among the ${policy.n} highest scores`;
    default: return "";
  }
}
