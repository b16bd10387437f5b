import type {
  Assumption, PricePoint, Replicated, TornadoBar, ViabilityReplication, ViabilityReport,
} from "../../../protocol/result/viability.ts";
import { VIABILITY_SCHEMA, VIABILITY_VERSION, viabilityDigest, viabilityReport } from "../../../protocol/result/viability.ts";
import { canonicalJson, sha256Hex } from "../../../protocol/canonical.ts";
import type { PriceSheet } from "../../../protocol/messages.ts";
import { RandomStreams } from "../../kernel/random.ts";
import type { Scenario } from "../../scenario/scenario.ts";
import type { Costs, NodeOutcome } from "./accounts.ts";
import { hoursPerMonth, meanOutcome, monthlyAccount, paybackMonths } from "./accounts.ts";
import { answerOf, findingsOf, notModelled } from "./answer.ts";
import { bracketOf, breakEvenUtilisation, heldVolume, nextFactor } from "./break-even.ts";
import { independentMonths, replicatedSummary, sampleQuantile, shareInterval } from "./estimates.ts";
import type { Play, Power } from "./market.ts";
import { play, pricesTimes, withPrices } from "./market.ts";
import { costVariations, marketVariations, priceFactors } from "./tornado.ts";

/** Everything that is asked: a machine in a market, and what it costs its owner. */
export interface ViabilityQuestion {
  /** The market, the machine in it. */
  readonly scenario: Scenario;
  /** Name of the machine's operator class; it has one node. */
  readonly operator: string;
  readonly machine: Omit<ViabilityReport["machine"], "inputMsatPerMtok" | "outputMsatPerMtok" | "fixedMsat" | "operator">;
  readonly prices: PriceSheet;
  readonly power: Power;
  readonly costs: Costs;
  readonly assumptions: readonly Assumption[];
  readonly rental: { readonly usdPerHour: number; readonly source: string } | null;
  readonly seed: number;
  /** At least 1. */
  readonly replications: number;
  readonly sets: readonly string[];
  readonly lab: { readonly name: string; readonly version: string };
}

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
  const variations = marketVariations(scenario);
  const trialPlays = shown.length * furtherTrials;
  const shownPlays = shown.length * (2 * variations.length + triedFactors.length);

  const played = yield { plays: playsOf(scenario, seeds), purpose: "replications", later: shownPlays + trialPlays };
  const outcomes = played.filter((outcome) => outcome !== null);
  if (outcomes.length === 0) return null;
  let interrupted = outcomes.length < seeds.length;
  const few = outcomes.slice(0, shown.length);
  const average = meanOutcome(outcomes);
  const pointOf = (factor: number, some: readonly NodeOutcome[]): PricePoint => pricePoint(prices, factor, leveled(meanOutcome(some), meanOutcome(few), average), some.length, costs);

  const markets = [...variations.flatMap(({ low, high }) => [low.scenario, high.scenario]), ...triedFactors.map((factor) => withPrices(scenario, operator, pricesTimes(prices, factor)))];
  const answers: NodeOutcome[][] = [];
  const points: PricePoint[] = [pricePoint(prices, 1, average, outcomes.length, costs)];
  if (!interrupted) {
    const batch = yield { plays: markets.flatMap((market) => playsOf(market, shown)), purpose: "other assumptions", later: trialPlays };
    interrupted = batch.includes(null);
    if (!interrupted) markets.forEach((_, i) => answers.push(batch.slice(i * shown.length, (i + 1) * shown.length) as NodeOutcome[]));
  }
  answers.slice(2 * variations.length).forEach((some, i) => points.push(pointOf(triedFactors[i]!, some)));

  const base = monthlyAccount(average, costs);
  const costUsd = base.revenueUsd - base.profitUsd;
  for (let trial = 0; trial < furtherTrials && !interrupted && !isFree(prices); trial++) {
    const factor = nextTrial(points, costUsd);
    if (factor === null) break;
    const batch = yield { plays: playsOf(withPrices(scenario, operator, pricesTimes(prices, factor)), shown), purpose: "break-even price", later: (furtherTrials - trial - 1) * shown.length };
    interrupted = batch.includes(null);
    if (!interrupted) points.push(pointOf(factor, batch as NodeOutcome[]));
  }
  points.sort((a, b) => a.factor - b.factor);

  const tornado: TornadoBar[] = [
    ...costVariations(costs, question.machine.wattsScope === "board").map(({ low, high, ...rest }): TornadoBar => bar(rest, low.text, outcomesProfit(outcomes, low.costs), high.text, outcomesProfit(outcomes, high.costs), false)),
    ...variations.flatMap(({ low, high, ...rest }, i): TornadoBar[] => {
      const [below, above] = [answers[2 * i], answers[2 * i + 1]];
      if (below === undefined || above === undefined) return [];
      const profit = (some: readonly NodeOutcome[]): number => monthlyAccount(leveled(meanOutcome(some), meanOutcome(few), average), costs).profitUsd;
      const busy = (some: readonly NodeOutcome[], text: string): string => rest.id === "demand" ? `${text} (busy ${percent(meanOutcome(some).utilisation)})` : text;
      return [bar(rest, busy(below, low.text), profit(below), busy(above, high.text), profit(above), true)];
    }),
    ...priceBar(points),
  ].sort((a, b) => b.swingUsd - a.swingUsd || (a.id < b.id ? -1 : 1));

  const rows = outcomes.map((outcome) => replicationRow(outcome, costs));
  const of = (what: (row: ViabilityReplication) => number): Replicated => replicatedSummary(rows.map(what));
  const paybacks = rows.map(({ paybackMonths: months }) => months ?? Infinity).sort((a, b) => a - b);
  const lifeMonths = 12 * costs.lifeYears;
  const wins = rows.filter(({ profitUsd }) => profitUsd > 0).length;
  const revenuePerHourOn = base.revenueUsd / (hoursPerMonth * costs.uptime);
  const facts: Omit<ViabilityReport, "provenance" | "answer" | "headline" | "findings"> = {
    schema: VIABILITY_SCHEMA,
    schemaVersion: VIABILITY_VERSION,
    machine: { ...question.machine, operator, ...prices },
    hoursPerMonth,
    measuredHours: average.measuredHours,
    profit: of(({ profitUsd }) => profitUsd),
    independentHours: independentMonths(rows.map(({ profitUsd }) => profitUsd), hoursPerMonth * costs.uptime / average.measuredHours),
    runningProfit: of(({ runningProfitUsd }) => runningProfitUsd),
    probabilityOfProfit: { share: wins / rows.length, interval: shareInterval(wins, rows.length) },
    revenue: of(({ revenueUsd }) => revenueUsd),
    costs: { electricityUsd: base.electricityUsd, depreciationUsd: base.depreciationUsd, rentUsd: base.rentUsd, capitalUsd: base.capitalUsd, upkeepUsd: base.upkeepUsd, otherUsd: base.otherUsd },
    utilisation: of(({ utilisation }) => utilisation),
    busyShare: of(({ busyShare }) => busyShare),
    payback: {
      p5: finiteOrNull(sampleQuantile(paybacks, 0.05)), p50: finiteOrNull(sampleQuantile(paybacks, 0.5)), p95: finiteOrNull(sampleQuantile(paybacks, 0.95)),
      neverShare: share(paybacks, (months) => months === Infinity),
      afterLifeShare: share(paybacks, (months) => months > lifeMonths),
      lifeMonths,
    },
    breakEven: {
      heldVolume: heldVolume(average, costs),
      market: marketBreakEven(points),
      bestPrice: points.length > 1 ? points.reduce((best, point) => point.profitUsd > best.profitUsd ? point : best) : null,
      prices: points,
      utilisation: breakEvenUtilisation(average, costs),
    },
    rental: question.rental === null ? null : {
      ...question.rental, marketRevenueUsdPerHour: revenuePerHourOn,
      ratio: question.rental.usdPerHour === 0 ? null : revenuePerHourOn / question.rental.usdPerHour,
    },
    tornado,
    assumptions: [...question.assumptions],
    notModelled: [...notModelled],
    replications: rows,
  };
  const results = { ...facts, ...answerOf(facts), findings: findingsOf(facts) };
  const report: ViabilityReport = {
    ...results,
    provenance: {
      lab: question.lab,
      scenario: { name: scenario.name, question: scenario.question, hash: sha256Hex(canonicalJson(scenario)), resolved: scenario as never },
      seed: question.seed,
      sets: [...question.sets],
      ...(interrupted ? { interrupted } : {}),
      resultsDigest: viabilityDigest(results),
    },
  };
  return viabilityReport.parse(report);
}

/** Answers the question, playing one market after the other. */
export function answer(question: ViabilityQuestion): ViabilityReport {
  const running = study(question);
  let next = running.next();
  while (next.done !== true) next = running.next(next.value.plays.map(play));
  return next.value!;
}

/**
 * What a changed market brings on average, estimated from few replications: the ratio of what they bring changed and
 * unchanged, the random numbers being the same, times what all replications bring unchanged (ratio estimator). So that what
 * is not changed comes out as it did.
 */
function leveled(changed: NodeOutcome, few: NodeOutcome, all: NodeOutcome): NodeOutcome {
  const ratio = (of: (outcome: NodeOutcome) => number): number => of(few) === 0 ? of(changed) : of(changed) * of(all) / of(few);
  return {
    ...changed,
    revenueMsat: ratio(({ revenueMsat }) => revenueMsat),
    jobs: ratio(({ jobs }) => jobs),
    inputTokens: ratio(({ inputTokens }) => inputTokens),
    outputTokens: ratio(({ outputTokens }) => outputTokens),
    utilisation: Math.min(1, ratio(({ utilisation }) => utilisation)),
    busyShare: Math.min(1, ratio(({ busyShare }) => busyShare)),
  };
}

function pricePoint(prices: PriceSheet, factor: number, outcome: NodeOutcome, replications: number, costs: Costs): PricePoint {
  const { profitUsd, revenueUsd } = monthlyAccount(outcome, costs);
  const tokens = (outcome.inputTokens + outcome.outputTokens) / outcome.measuredHours * hoursPerMonth * costs.uptime;
  return { factor, ...pricesTimes(prices, factor), profitUsd, revenueUsd, tokens, utilisation: outcome.utilisation, replications };
}

/** Where the market just pays, as far as it was looked for. */
function marketBreakEven(points: readonly PricePoint[]): ViabilityReport["breakEven"]["market"] {
  if (points.length < 2) return { found: "not searched", point: null, usdPerMtok: null };
  const bracket = bracketOf(points);
  if (bracket === null) return { found: "none", point: null, usdPerMtok: null };
  const { high } = bracket;
  return { found: "price", point: high, usdPerMtok: high.tokens === 0 ? null : high.revenueUsd / high.tokens * 1e6 };
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

function priceBar(points: readonly PricePoint[]): TornadoBar[] {
  const at = (factor: number): PricePoint | undefined => points.find((point) => point.factor === factor);
  const [low, high] = [at(priceFactors.low), at(priceFactors.high)];
  if (low === undefined || high === undefined) return [];
  return [bar({ id: "price", name: "Price asked", base: "x 1" }, `x ${priceFactors.low}`, low.profitUsd, `x ${priceFactors.high}`, high.profitUsd, true)];
}

function bar(what: { readonly id: string; readonly name: string; readonly base: string }, low: string, lowUsd: number, high: string, highUsd: number, replayed: boolean): TornadoBar {
  return { id: what.id, name: what.name, base: what.base, low: { text: low, profitUsd: lowUsd }, high: { text: high, profitUsd: highUsd }, swingUsd: Math.abs(highUsd - lowUsd), replayed };
}

function replicationRow(outcome: NodeOutcome, costs: Costs): ViabilityReplication {
  const account = monthlyAccount(outcome, costs);
  const { seed, jobs, inputTokens, outputTokens, revenueMsat, utilisation, busyShare } = outcome;
  return { seed, jobs, inputTokens, outputTokens, revenueMsat, utilisation, busyShare, ...account, paybackMonths: finiteOrNull(paybackMonths(account, costs)) };
}

function outcomesProfit(outcomes: readonly NodeOutcome[], costs: Costs): number {
  return mean(outcomes.map((outcome) => monthlyAccount(outcome, costs).profitUsd));
}

function isFree({ inputMsatPerMtok, outputMsatPerMtok, fixedMsat }: PriceSheet): boolean {
  return inputMsatPerMtok === 0 && outputMsatPerMtok === 0 && fixedMsat === 0;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function share(values: readonly number[], holds: (value: number) => boolean): number {
  return values.filter(holds).length / values.length;
}

function finiteOrNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

function percent(value: number): string {
  return `${Math.round(value * 100)} %`;
}
