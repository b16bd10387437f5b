import type { PricePoint, Replicated, ViabilityReport } from "../../protocol/result/viability.ts";
import { formatMsat, formatMsatPerMtok, formatNumber, formatPercent, formatSignificant, formatUsd } from "../../protocol/units.ts";
import type { Block, Content, Section } from "../blocks.ts";
import { provenanceSection } from "../provenance.ts";
import type { ViabilityPlotName } from "./titles.ts";

type Part = Section<ViabilityPlotName>;
type Piece = Block<ViabilityPlotName>;

const NONE = "–";

/** A viability report in words, tables and plots, the answer first. */
export function viabilityContent(report: ViabilityReport): Content<ViabilityPlotName> {
  return {
    title: "Would I earn money?",
    question: `${report.machine.model} on ${report.machine.name}, in the market of ${report.provenance.scenario.name}`,
    sections: [answer(report), month(report), matters(report), price(report), payback(report), reading(report), assumptions(report), replications(report), provenanceSection(report, { hash: "hash of the scenario, the machine in it" })],
  };
}

function answer(report: ViabilityReport): Part {
  const { headline, findings, provenance: { interrupted } } = report;
  return {
    title: "Answer",
    blocks: [
      { kind: "text", text: headline },
      { kind: "list", items: [...(interrupted === true ? ["The study was interrupted: it rests on the replications that were over, and what was not played again is missing."] : []), ...findings] },
    ],
  };
}

function month({ revenue, costs, profit, runningProfit, utilisation, busyShare, probabilityOfProfit, independentHours }: ViabilityReport): Part {
  const row = (name: string, { mean, meanInterval, p5, p50, p95 }: Replicated, format: (value: number) => string): string[] =>
    [name, format(mean), meanInterval === null ? NONE : `${format(meanInterval.low)} to ${format(meanInterval.high)}`, format(p5), format(p50), format(p95)];
  const cost = (name: string, usd: number): string[] => [name, formatUsd(-usd), NONE, NONE, NONE, NONE];
  return {
    title: "A month",
    blocks: [
      { kind: "plot", name: "profit" },
      {
        kind: "table", caption: "A month, over the replications", head: ["", "mean", "mean lies within (95 %)", "5 %", "median", "95 %"],
        rows: [
          row("revenue", revenue, formatUsd),
          cost("electricity", costs.electricityUsd), cost("wear of the machine (purchase less residual value, over its life)", costs.depreciationUsd), cost("rent", costs.rentUsd), cost("cost of capital", costs.capitalUsd), cost("upkeep", costs.upkeepUsd), cost("other costs", costs.otherUsd),
          row("profit", profit, formatUsd), row("profit, were the machine yours already", runningProfit, formatUsd),
          row("slots busy", utilisation, formatPercent), row("time with a job", busyShare, formatPercent),
        ],
      },
      { kind: "text", text: `P(profit > 0) = ${formatPercent(probabilityOfProfit.share)}, between ${formatPercent(probabilityOfProfit.interval.low)} and ${formatPercent(probabilityOfProfit.interval.high)} with ${formatPercent(probabilityOfProfit.interval.confidence)} confidence (Clopper and Pearson).${independentHours === null ? "" : ` Were the hours of a month independent of each other, 90 % of months would bring ${formatUsd(independentHours.low)} to ${formatUsd(independentHours.high)}.`}` },
    ],
  };
}

function matters({ tornado }: ViabilityReport): Part {
  return {
    title: "What matters most",
    blocks: [
      { kind: "plot", name: "tornado" },
      {
        kind: "table", caption: "Profit of a month with one assumption changed, all others as they are", head: ["assumption", "as assumed", "low", "profit", "high", "profit", "market"],
        rows: tornado.map(({ name, base, low, high, replayed }) => [name, base, low.text, formatUsd(low.profitUsd), high.text, formatUsd(high.profitUsd), replayed ? "played again" : "as it was"]),
      },
    ],
  };
}

function price({ breakEven }: ViabilityReport): Part {
  const { heldVolume, market, utilisation, prices, bestPrice } = breakEven;
  const sheet = (point: PricePoint): string => `${formatMsatPerMtok(point.inputMsatPerMtok)} for prompts, ${formatMsatPerMtok(point.outputMsatPerMtok)} for answers${point.fixedMsat > 0 ? `, ${formatMsat(point.fixedMsat)} per job` : ""}`;
  const rows: string[][] = [];
  if (market.found === "price" && market.point !== null) {
    rows.push(["price that just pays in the market, played again with it", `${sheet(market.point)}; ${formatUsd(market.usdPerMtok ?? 0)} per Mtok served`, `${formatUsd(market.point.profitUsd)} a month there`]);
  } else {
    rows.push(["price that just pays in the market", market.found === "none" ? "none of those tried" : "not looked for", ""]);
  }
  if (heldVolume !== null) rows.push(["price at which the same jobs would just pay", `${formatSignificant(heldVolume.factor)} times the price asked; ${formatUsd(heldVolume.usdPerMtok)} per Mtok served`, `${formatUsd(rounded(heldVolume.profitUsd))} a month there`]);
  if (utilisation !== null) rows.push(["share of the slots that must be busy at the price asked", utilisation.share === null ? "not even 100 %" : formatPercent(utilisation.share), utilisation.profitUsd === null ? "" : `${formatUsd(rounded(utilisation.profitUsd))} a month there`]);
  if (bestPrice !== null) rows.push(["price with the highest profit, of those tried", sheet(bestPrice), `${formatUsd(bestPrice.profitUsd)} a month there`]);
  const blocks: Piece[] = [
    { kind: "plot", name: "prices" },
    { kind: "table", caption: "Break-even", head: ["", "", "checked"], rows },
    {
      kind: "table", caption: "Prices tried", head: ["times the price asked", "prompts", "answers", "slots busy", "revenue", "profit"],
      rows: prices.map((point) => [formatSignificant(point.factor), formatMsatPerMtok(point.inputMsatPerMtok), formatMsatPerMtok(point.outputMsatPerMtok), formatPercent(point.utilisation), formatUsd(point.revenueUsd), formatUsd(point.profitUsd)]),
    },
  ];
  return { title: "Prices", blocks };
}

function payback({ payback: { p5, p50, p95, neverShare, afterLifeShare, lifeMonths }, rental }: ViabilityReport): Part {
  const after = (months: number | null): string => months === null ? "never" : `${formatSignificant(months)} months`;
  const blocks: Piece[] = [
    { kind: "table", caption: "Months until the running profit has paid the purchase price", head: ["5 %", "median", "95 %", "never", "not within its life"], rows: [[after(p5), after(p50), after(p95), formatPercent(neverShare), `${formatPercent(afterLifeShare)} (${formatSignificant(lifeMonths)} months)`]] },
  ];
  if (rental === null) blocks.push({ kind: "text", text: "No marketplace rent is known for such a machine; --rental states one." });
  else {
    blocks.push(
      { kind: "table", caption: "Per hour that it is on", head: ["this market brings", "renters pay", "ratio"], rows: [[formatUsd(rental.marketRevenueUsdPerHour), formatUsd(rental.usdPerHour), rental.ratio === null ? NONE : formatPercent(rental.ratio)]] },
      { kind: "text", text: `Rent: ${rental.source}. It is what renters pay while somebody rents: the marketplace keeps a part, and there are hours without a renter.` },
    );
  }
  return { title: "Payback, and renting it out instead", blocks };
}

function reading({ hoursPerMonth, measuredHours, replications: rows, notModelled, machine }: ViabilityReport): Part {
  return {
    title: "How to read this",
    blocks: [
      { kind: "text", text: `The market was played ${formatNumber(rows.length)} times, with other random numbers each time and the machine as one node more; everybody else is as in the scenario. In each replication ${formatSignificant(measuredHours)} hours were measured. A month has ${formatNumber(hoursPerMonth, 1)} hours; for those in which the machine is on, the measured time is taken for all of them: no nights, weekends, seasons or growth but those that the scenario plays.` },
      { kind: "text", text: "The intervals cover the chance between replications, and nothing else. What the assumptions may be wrong by is the tornado's matter, one at a time; several may be wrong at once. The exchange rate there moves what earnings are worth, while prices stay as they are asked, in satoshi." },
      { kind: "text", text: `5 % and 95 % are those of the replications, each gone on for a month: right if what chance decided in an hour (who the rivals are, what they ask) stays decided. If it is decided anew every hour, months differ far less.` },
      ...(machine.measured ? [{ kind: "text", text: "The machine's speeds are those of a file of measurements." } as const] : []),
      { kind: "text", text: "Not counted:" },
      { kind: "list", items: notModelled },
    ],
  };
}

function assumptions({ assumptions: rows }: ViabilityReport): Part {
  return {
    title: "Assumptions",
    blocks: [{ kind: "table", caption: "What was assumed, where it comes from, and what changes it", head: ["", "", "source", "flag"], rows: rows.map(({ name, text, source, flag }) => [name, text, source, flag]) }],
  };
}

function replications({ replications: rows }: ViabilityReport): Part {
  const shown = rows.slice(0, 100);
  return {
    title: "Replications",
    blocks: [{
      kind: "table", caption: shown.length < rows.length ? `The first ${shown.length} of ${rows.length}; viability.json has them all` : "Each replication, brought to a month", head: ["seed", "jobs measured", "slots busy", "revenue", "electricity", "profit"],
      rows: shown.map((row) => [String(row.seed), formatNumber(row.jobs), formatPercent(row.utilisation), formatUsd(row.revenueUsd), formatUsd(row.electricityUsd), formatUsd(row.profitUsd)]),
    }],
  };
}

/** What is left of an exact zero by doubles is nothing. */
function rounded(usd: number): number {
  return Math.abs(usd) < 5e-7 ? 0 : usd;
}
