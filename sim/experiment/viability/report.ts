import type { PricePoint, Replicated, TornadoBar, ViabilityReplication, ViabilityReport } from "../../../protocol/result/viability.ts";
import { VIABILITY_SCHEMA, VIABILITY_VERSION, viabilityDigest, viabilityReport } from "../../../protocol/result/viability.ts";
import { canonicalJson, sha256Hex } from "../../../protocol/canonical.ts";
import type { Costs, NodeOutcome } from "./accounts.ts";
import { hoursPerMonth, meanOutcome, monthlyAccount, paybackMonths } from "./accounts.ts";
import type { ViabilityFacts } from "./answer.ts";
import { answerOf, findingsOf, notModelled } from "./answer.ts";
import { bracketOf, breakEvenUtilisation, heldVolume } from "./break-even.ts";
import { independentMonths, replicatedSummary, sampleQuantile, shareInterval } from "./estimates.ts";
import { pricesTimes } from "./market.ts";
import type { ViabilityQuestion } from "./question.ts";
import { costVariations, marketVariations, priceFactors } from "./tornado.ts";

/** What a study has found out. */
export interface Evidence {
  /** Of the replications, at least one. */
  readonly outcomes: readonly NodeOutcome[];
  /** What each low and each high end of `marketVariations` brings on average, in this order; empty where they were not played. */
  readonly variations: readonly NodeOutcome[];
  /** Prices tried, in any order; the one asked among them. */
  readonly points: readonly PricePoint[];
  readonly interrupted: boolean;
}

/** What a price, a factor times the one asked, brings in a month. */
export function pricePoint({ prices, costs }: ViabilityQuestion, factor: number, outcome: NodeOutcome, replications: number): PricePoint {
  const { profitUsd, revenueUsd } = monthlyAccount(outcome, costs);
  const tokens = (outcome.inputTokens + outcome.outputTokens) / outcome.measuredHours * hoursPerMonth * costs.uptime;
  return { factor, ...pricesTimes(prices, factor), profitUsd, revenueUsd, tokens, utilisation: outcome.utilisation, replications };
}

/** Draws up the report. */
export function reportOf(question: ViabilityQuestion, evidence: Evidence): ViabilityReport {
  const { scenario, lab, seed, sets } = question;
  const facts = factsOf(question, evidence);
  const results = { ...facts, ...answerOf(facts), findings: findingsOf(facts) };
  return viabilityReport.parse({
    ...results,
    provenance: {
      lab,
      scenario: { name: scenario.name, question: scenario.question, hash: sha256Hex(canonicalJson(scenario)), resolved: scenario as never },
      seed,
      sets: [...sets],
      ...(evidence.interrupted ? { interrupted: true } : {}),
      resultsDigest: viabilityDigest(results),
    },
  } satisfies ViabilityReport);
}

function factsOf(question: ViabilityQuestion, { outcomes, variations, points: tried }: Evidence): ViabilityFacts {
  const { costs, prices, operator } = question;
  const points = tried.toSorted((a, b) => a.factor - b.factor);
  const average = meanOutcome(outcomes);
  const base = monthlyAccount(average, costs);
  const rows = outcomes.map((outcome) => replicationRow(outcome, costs));
  const of = (what: (row: ViabilityReplication) => number): Replicated => replicatedSummary(rows.map(what));
  const paybacks = rows.map(({ paybackMonths: months }) => months ?? Infinity).sort((a, b) => a - b);
  const lifeMonths = 12 * costs.lifeYears;
  const wins = rows.filter(({ profitUsd }) => profitUsd > 0).length;
  const revenuePerHourOn = base.revenueUsd / (hoursPerMonth * costs.uptime);
  return {
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
    tornado: tornadoOf(question, outcomes, variations, points),
    assumptions: [...question.assumptions],
    notModelled: [...notModelled],
    replications: rows,
  };
}

/** Every assumption's bar, what matters most first. */
function tornadoOf({ costs, scenario, machine }: ViabilityQuestion, outcomes: readonly NodeOutcome[], variations: readonly NodeOutcome[], points: readonly PricePoint[]): TornadoBar[] {
  const profit = (outcome: NodeOutcome, under = costs): number => monthlyAccount(outcome, under).profitUsd;
  const average = meanOutcome(outcomes);
  return [
    ...costVariations(costs, machine.wattsScope === "board").map(({ low, high, ...what }): TornadoBar => bar(what, low.text, profit(average, low.costs), high.text, profit(average, high.costs), false)),
    ...marketVariations(scenario).flatMap(({ low, high, ...what }, i): TornadoBar[] => {
      const [below, above] = [variations[2 * i], variations[2 * i + 1]];
      if (below === undefined || above === undefined) return [];
      const busy = ({ utilisation }: NodeOutcome, text: string): string => what.id === "demand" ? `${text} (busy ${Math.round(utilisation * 100)} %)` : text;
      return [bar(what, busy(below, low.text), profit(below), busy(above, high.text), profit(above), true)];
    }),
    ...priceBar(points),
  ].sort((a, b) => b.swingUsd - a.swingUsd || (a.id < b.id ? -1 : 1));
}

/** Where the market just pays, as far as it was looked for. */
function marketBreakEven(points: readonly PricePoint[]): ViabilityReport["breakEven"]["market"] {
  if (points.length < 2) return { found: "not searched", point: null, usdPerMtok: null };
  const bracket = bracketOf(points);
  if (bracket === null) return { found: "none", point: null, usdPerMtok: null };
  const { high } = bracket;
  return { found: "price", point: high, usdPerMtok: high.tokens === 0 ? null : high.revenueUsd / high.tokens * 1e6 };
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

function share(values: readonly number[], holds: (value: number) => boolean): number {
  return values.filter(holds).length / values.length;
}

function finiteOrNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

