import type { TornadoBar, ViabilityAnswer, ViabilityReport } from "../../../protocol/result/viability.ts";
import { formatNumber, formatPercent, formatSignificant, formatUsd as usd } from "../../../protocol/units.ts";

/** What a study knows before it says what it thinks of it. */
export type ViabilityFacts = Omit<ViabilityReport, "provenance" | "answer" | "headline" | "findings">;

/** What the answer leaves out, whatever the assumptions. */
export const notModelled: readonly string[] = [
  "Taxes, work and space, wear from heat, and the noise.",
  "That prices, demand and rivals change over the months: the scenario's hours are taken as they are.",
  "What it costs to turn bitcoin into dollars.",
];

/**
 * Yes: the mean is above zero beyond chance, and no single assumption, at its bad end, takes it below. Probably: it is above
 * zero, but one can. No and probably not likewise. Uncertain: chance alone leaves it open.
 */
export function answerOf(facts: ViabilityFacts): { readonly answer: ViabilityAnswer; readonly headline: string } {
  const { profit, tornado } = facts;
  const low = profit.meanInterval?.low ?? profit.mean;
  const high = profit.meanInterval?.high ?? profit.mean;
  const ends = tornado.flatMap((bar) => [bar.low.profitUsd, bar.high.profitUsd]);
  const answer: ViabilityAnswer = low > 0
    ? ends.some((usd) => usd <= 0) ? "probably" : "yes"
    : high > 0 ? "uncertain"
    : ends.some((usd) => usd > 0) ? "probably not" : "no";
  return { answer, headline: `${words[answer]}: ${outcome(facts)}` };
}

const words: Readonly<Record<ViabilityAnswer, string>> = { yes: "Yes", probably: "Probably", uncertain: "Hard to say", "probably not": "Probably not", no: "No" };

function outcome({ profit, costs, runningProfit, payback, machine }: ViabilityFacts): string {
  const what = `${machine.model} on ${machine.name} would ${profit.mean < 0 ? "lose" : "earn"} about ${usd(Math.abs(profit.mean))} a month`;
  if (costs.depreciationUsd + costs.capitalUsd === 0) return `${what}.`;
  if (profit.mean < 0) {
    return runningProfit.mean > 0
      ? `${what}, its purchase counted; were it yours already, it would bring ${usd(runningProfit.mean)}.`
      : `${what}; even were it yours already, running it would cost ${usd(-runningProfit.mean)} more than it brings.`;
  }
  return `${what}, its purchase counted${payback.p50 === null ? "" : `, and pay for itself after ${months(payback.p50)}`}.`;
}

/** What stands out, the most important first. */
export function findingsOf(facts: ViabilityFacts): string[] {
  return [...chance(facts), ...levers(facts), ...prices(facts), ...load(facts), ...rent(facts)];
}

function chance({ profit, probabilityOfProfit: { share, interval }, replications, independentHours }: ViabilityFacts): string[] {
  const found = [`${formatNumber(share * replications.length)} of ${formatNumber(replications.length)} replications end with a profit: P(profit > 0) is between ${formatPercent(interval.low)} and ${formatPercent(interval.high)} (${formatPercent(interval.confidence)} confidence), if the assumptions hold.`];
  if (independentHours !== null && profit.p95 > profit.p5) {
    found.push(`The hour that was drawn going on all month, profit lies between ${usd(profit.p5)} and ${usd(profit.p95)} (5 % and 95 %); with hours that are independent of each other, between ${usd(independentHours.low)} and ${usd(independentHours.high)}.`);
  }
  return found;
}

/** The single assumptions that would turn the answer. */
function levers({ profit, tornado }: ViabilityFacts): string[] {
  const turning = tornado.flatMap((bar): { bar: TornadoBar; end: TornadoBar["low"] }[] =>
    [bar.low, bar.high].filter((end) => end.profitUsd > 0 !== profit.mean > 0).map((end) => ({ bar, end })));
  if (turning.length === 0) {
    const [first] = tornado;
    return first === undefined ? [] : [`No single assumption, at the other end of its range, turns the answer. What matters most: ${first.name.toLowerCase()} (${usd(first.swingUsd)} between its ends).`];
  }
  return [`Alone, this would turn the answer: ${turning.slice(0, 4).map(({ bar, end }) => `${bar.name.toLowerCase()} ${end.text} (${usd(end.profitUsd)})`).join(", ")}.`];
}

function prices({ breakEven: { market, heldVolume, bestPrice, prices: tried }, profit }: ViabilityFacts): string[] {
  const found: string[] = [];
  if (market.found === "none") found.push(`No price pays: from ${formatSignificant(tried[0]!.factor)} to ${formatSignificant(tried.at(-1)!.factor)} times the price asked were tried, and dearer finds fewer buyers.${heldVolume === null ? "" : ` With the same jobs, ${formatSignificant(heldVolume.factor)} times the price would be needed.`}`);
  if (bestPrice !== null && bestPrice.factor !== 1) {
    const one = tried.find(({ factor }) => factor === 1);
    const gain = one === undefined ? 0 : bestPrice.profitUsd - one.profitUsd;
    if (gain > 0.05 * Math.abs(profit.mean)) found.push(`Of the prices tried, ${formatSignificant(bestPrice.factor)} times the one asked brings most: ${usd(gain)} a month more.`);
  }
  return found;
}

function load({ utilisation, breakEven }: ViabilityFacts): string[] {
  if (utilisation.mean === 0) return ["No job came to the machine: it is too dear, too slow or too far away for this market's router and clients."];
  const needed = breakEven.utilisation;
  if (needed === null) return [];
  if (needed.share === null) return [`Its slots are busy for ${formatPercent(utilisation.mean)} of the time; at this price not even 100 % would pay.`];
  return [`Its slots are busy for ${formatPercent(utilisation.mean)} of the time; at this price ${formatPercent(needed.share)} would just pay.`];
}

function rent({ rental }: ViabilityFacts): string[] {
  if (rental === null) return [];
  return [`Per hour that it is on, the market brings ${usd(rental.marketRevenueUsdPerHour)}; renters pay ${usd(rental.usdPerHour)} for such a machine${rental.ratio === null ? "" : ` (the market brings ${formatPercent(rental.ratio)} of that)`}.`];
}

/** Months for people. */
export function months(value: number): string {
  return value < 24 ? `${formatSignificant(value)} months` : `${formatSignificant(value / 12)} years`;
}
