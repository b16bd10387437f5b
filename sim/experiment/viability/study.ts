import type { PricePoint, ViabilityReport } from "../../../protocol/result/viability.ts";
import type { PriceSheet } from "../../../protocol/messages.ts";
import { RandomStreams } from "../../kernel/random.ts";
import type { Scenario } from "../../scenario/scenario.ts";
import type { NodeOutcome } from "./accounts.ts";
import { meanOutcome, monthlyAccount } from "./accounts.ts";
import { bracketOf, nextFactor } from "./break-even.ts";
import { leveled } from "./estimates.ts";
import type { Play } from "./market.ts";
import { play, pricesTimes, withPrices } from "./market.ts";
import type { ViabilityQuestion } from "./question.ts";
import { pricePoint, reportOf } from "./report.ts";
import { marketVariations, priceFactors } from "./tornado.ts";

/** Plays wanted next; they are independent of each other. */
export interface PlayBatch {
  readonly plays: readonly Play[];
  /** What they are for, in words. */
  readonly purpose: string;
  /** Plays that will be wanted after these, at most. */
  readonly later: number;
}

/** Replications of what only shows how much something matters: with the same seeds, few are enough. */
const shownReplications = 3;
/** Factors on the price that are tried besides 1. */
const triedFactors = [0.35, priceFactors.low, priceFactors.high, 2, 4, 8];
/** Price trials beyond those: to widen the range, and to close in on the break-even. */
const furtherTrials = 6;
/** No price above this many times the one asked is tried. */
const largestFactor = 64;

/** The replications' seeds: the same for every question with this seed, so that answers can be compared. */
export function replicationSeeds(seed: number, replications: number): number[] {
  const random = new RandomStreams(seed).stream("experiment", "viability", "replication");
  return Array.from({ length: replications }, () => Math.floor(random.next() * 4_294_967_296));
}

/**
 * Answers the question. Yields the plays it needs next, batch by batch, and wants their outcomes in the same order; null for
 * one that was not played. After a batch with a null it asks for nothing more, and reports what there is.
 * @returns null where not one replication was played
 */
export function* study(question: ViabilityQuestion): Generator<PlayBatch, ViabilityReport | null, readonly (NodeOutcome | null)[]> {
  const { scenario, operator, costs, prices, power, replications } = question;
  const seeds = replicationSeeds(question.seed, replications);
  const shown = seeds.slice(0, shownReplications);
  const playsOf = (market: Scenario, some: readonly number[]): Play[] => some.map((seed) => ({ scenario: market, operator, seed, power }));
  const priced = (factor: number): Scenario => withPrices(scenario, operator, pricesTimes(prices, factor));
  const variants = [...marketVariations(scenario).flatMap(({ low, high }) => [low.scenario, high.scenario]), ...triedFactors.map(priced)];
  const trialPlays = shown.length * furtherTrials;

  const played = yield { plays: playsOf(scenario, seeds), purpose: "replications", later: shown.length * variants.length + trialPlays };
  const outcomes = played.filter((outcome) => outcome !== null);
  if (outcomes.length === 0) return null;
  const average = meanOutcome(outcomes);
  const points: PricePoint[] = [pricePoint(question, 1, average, outcomes.length)];
  if (outcomes.length < seeds.length) return reportOf(question, { outcomes, variations: [], points, interrupted: true });

  const few = meanOutcome(outcomes.slice(0, shown.length));
  const changed = (some: readonly NodeOutcome[]): NodeOutcome => leveled(meanOutcome(some), few, average);
  const batch = yield { plays: variants.flatMap((market) => playsOf(market, shown)), purpose: "other assumptions", later: trialPlays };
  if (!isWhole(batch)) return reportOf(question, { outcomes, variations: [], points, interrupted: true });
  const answers = variants.map((_, i) => changed(batch.slice(i * shown.length, (i + 1) * shown.length)));
  const variations = answers.slice(0, answers.length - triedFactors.length);
  answers.slice(variations.length).forEach((outcome, i) => points.push(pricePoint(question, triedFactors[i]!, outcome, shown.length)));

  const { revenueUsd, profitUsd } = monthlyAccount(average, costs);
  for (let trial = 1; trial <= furtherTrials && !isFree(prices); trial++) {
    const factor = nextTrial(points, revenueUsd - profitUsd);
    if (factor === null) break;
    const trials = yield { plays: playsOf(priced(factor), shown), purpose: "break-even price", later: (furtherTrials - trial) * shown.length };
    if (!isWhole(trials)) return reportOf(question, { outcomes, variations, points, interrupted: true });
    points.push(pricePoint(question, factor, changed(trials), shown.length));
  }
  return reportOf(question, { outcomes, variations, points, interrupted: false });
}

/** Answers the question, playing one market after the other. */
export function answer(question: ViabilityQuestion): ViabilityReport {
  const running = study(question);
  let next = running.next();
  while (next.done !== true) next = running.next(next.value.plays.map(play));
  return next.value!;
}

/** Where to try next: inside the bracket of the break-even, or beyond the highest price while profit still grows there. */
function nextTrial(points: readonly PricePoint[], costUsd: number): number | null {
  const sorted = points.toSorted((a, b) => a.factor - b.factor);
  const bracket = bracketOf(sorted);
  if (bracket !== null) return nextFactor(bracket.low, bracket.high, costUsd);
  const last = sorted.at(-1)!;
  const rises = last.profitUsd > sorted.at(-2)!.profitUsd;
  return rises && last.factor < largestFactor ? last.factor * 2 : null;
}

function isFree({ inputMsatPerMtok, outputMsatPerMtok, fixedMsat }: PriceSheet): boolean {
  return inputMsatPerMtok === 0 && outputMsatPerMtok === 0 && fixedMsat === 0;
}

function isWhole(outcomes: readonly (NodeOutcome | null)[]): outcomes is readonly NodeOutcome[] {
  return !outcomes.includes(null);
}
