import type { JobRequest, PeerId, PriceSheet } from "../../protocol/messages.ts";
import type { ScorePart } from "../environment.ts";
import type { ModelMarket } from "../model-market.ts";
import type { Registry } from "../registry.ts";
import type { Scorer } from "../selection/scores.ts";
import { Guard } from "./guard.ts";
import type { CustomPolicy, Settings } from "./source.ts";

/**
 * A way of your own in which a router picks among the nodes that may have a job: the default export of a file that a scenario
 * names, `router.policy: ./my-choice.ts`. The highest score has the job; between equals decides the hash of job and node. The
 * file stands alone, as one with a {@link PricingPolicy} does.
 *
 * @example
 * ```ts
 * import type { ChoicePolicy } from "infernet-lab";
 *
 * const policy: ChoicePolicy<{ patience: number }> = {
 *   options: { patience: 50 },
 *   openRouter: ({ options }) => (node) => -node.amountMsat - (options.patience * node.jobs) / node.slots,
 * };
 * export default policy;
 * ```
 */
export interface ChoicePolicy<Options extends Settings = Settings> {
  /** Its settings and their defaults. */
  readonly options?: Options;
  /** A router opens. @returns the score of a node for a job: finite, higher is better. It depends on nothing but the two: whoever explains a choice asks once more. */
  openRouter(router: { readonly options: Options }): (node: ScoredNode, job: JobRequest) => number;
}

/** A node that may have the job, as the router knows it. One object serves all nodes: copy what you keep. */
export interface ScoredNode {
  readonly node: PeerId;
  /** The most that the job can cost there, without the router's fee, msat. */
  readonly amountMsat: number;
  /** What an award pays there; null where that depends on the job. */
  readonly prices: PriceSheet | null;
  /** Jobs there, as far as the router knows. */
  readonly jobs: number;
  /** Jobs that it runs at once. */
  readonly slots: number;
  /** Smoothed share of dispatches that ended well. */
  readonly reliability: number;
  /** As advertised. */
  readonly prefillTokensPerS: number;
  /** As advertised, of one job. */
  readonly decodeTokensPerS: number;
  readonly region: string;
  readonly stakeMsat: number;
}

/** @throws PolicyError where the file is no such policy. */
export function checkChoicePolicy(policy: CustomPolicy): void {
  void new Guard<ChoicePolicy>(policy, "ChoicePolicy", "openRouter");
}

/** Scores by a user's policy. */
export class CustomScorer implements Scorer {
  readonly #registry: Registry;
  readonly #guard: Guard<ChoicePolicy>;
  readonly #score: (node: ScoredNode, job: JobRequest) => unknown;
  readonly #node: { -readonly [Key in keyof ScoredNode]: ScoredNode[Key] } = {
    node: "", amountMsat: 0, prices: null, jobs: 0, slots: 0, reliability: 1, prefillTokensPerS: 0, decodeTokensPerS: 0, region: "", stakeMsat: 0,
  };
  #job!: JobRequest;
  #market!: ModelMarket;

  /** @throws PolicyError where the file is no such policy. */
  constructor(registry: Registry, policy: CustomPolicy) {
    this.#registry = registry;
    this.#guard = new Guard<ChoicePolicy>(policy, "ChoicePolicy", "openRouter");
    const score: unknown = this.#guard.call("openRouter", () => this.#guard.policy.openRouter({ options: this.#guard.options }));
    if (typeof score !== "function") this.#guard.refuse(`what openRouter returns: found ${this.#guard.say(score)}; allowed: a function that gives a node's score`);
    this.#score = score as (node: ScoredNode, job: JobRequest) => unknown;
  }

  begin(job: JobRequest, market: ModelMarket): void {
    this.#job = job;
    this.#market = market;
  }

  score(offer: number, amountMsat: number): number {
    const { ids, descriptors, own, others, slots, reliability, stakeMsat } = this.#registry;
    const n = this.#market.node[offer]!;
    const { prefillTokensPerS, decodeTokensPerS } = this.#market.offers[offer]!;
    const node = this.#node;
    node.node = ids[n]!;
    node.amountMsat = amountMsat;
    node.prices = this.#market.prices[offer]!;
    node.jobs = own[n]! + others[n]!;
    node.slots = slots[n]!;
    node.reliability = reliability[n]!;
    node.prefillTokensPerS = prefillTokensPerS;
    node.decodeTokensPerS = decodeTokensPerS;
    node.region = descriptors[n]!.region;
    node.stakeMsat = stakeMsat[n]!;
    const score = this.#guard.call(`the score of ${node.node} for job ${this.#job.jobId}`, () => this.#score(node, this.#job));
    if (typeof score !== "number" || !Number.isFinite(score)) this.#guard.refuse(`the score of ${node.node} for job ${this.#job.jobId}: found ${this.#guard.say(score)}; allowed: a finite number`);
    return score as number;
  }

  scoreAll(candidates: Int32Array, amountsMsat: Float64Array, count: number, scores: Float64Array): void {
    for (let i = 0; i < count; i++) scores[i] = this.score(candidates[i]!, amountsMsat[i]!);
  }

  parts(offer: number, amountMsat: number): ScorePart[] {
    const contribution = this.score(offer, amountMsat);
    return [{ name: "policy", value: contribution, unit: "points", contribution }];
  }
}
