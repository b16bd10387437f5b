import { join } from "node:path";
import Table from "cli-table3";
import pc from "picocolors";
import type { Replicated, ViabilityReport } from "../protocol/result/viability.ts";
import { formatMsatPerMtok, formatNumber, formatPercent, formatSignificant, formatUsd } from "../protocol/units.ts";
import { wrap } from "../reports/plots/figure.ts";

/** Columns of a terminal that everything fits into. */
const width = 80;
/** Assumptions shown as mattering most. */
const shownBars = 6;
const plain = { head: [], border: [], compact: true };

/** A viability report for the terminal: the answer, the month's account, what matters most, the assumptions. */
export const viabilityText = (report: ViabilityReport, out: string | null): string => {
  const { headline, findings, provenance, replications, measuredHours, machine } = report;
  const [first = "", ...others] = lines(headline, width);
  const colon = first.indexOf(":") + 1;
  const parts = [
    pc.bold(first.slice(0, colon)) + first.slice(colon), ...others, "",
    ...lines(`${replications.length === 1 ? "1 replication" : `${formatNumber(replications.length)} replications`} of ${formatSignificant(measuredHours)} h of the market ${provenance.scenario.name}, each brought to a month; ${machine.engine} with ${machine.slots === 1 ? "1 slot" : `${formatNumber(machine.slots)} slots`}.`, width),
    monthTable(report), "",
    ...findings.flatMap((finding) => lines(finding, width - 2).map((line, i) => `${i === 0 ? "- " : "  "}${line}`)), "",
    tornadoTable(report), "",
    assumptionsTable(report), "",
    ...lines("5 % and 95 % are those of the replications. The intervals cover chance between replications, and nothing of what the assumptions may be wrong by.", width),
  ];
  if (out !== null) parts.push("", `${pc.bold("Report:")} ${join(out, "viability.html")} (open it in a browser)`);
  return `${parts.join("\n")}\n`;
};

const monthTable = (report: ViabilityReport): string => {
  const { revenue, costs, profit, runningProfit, utilisation, payback, probabilityOfProfit, breakEven, rental } = report;
  const table = new Table({ head: ["a month", "mean", "5 %", "95 %"], colAligns: ["left", "right", "right", "right"], style: plain });
  const row = (name: string, { mean, p5, p95 }: Replicated, format: (value: number) => string): unknown => table.push([name, format(mean), format(p5), format(p95)]);
  const cost = (name: string, usd: number): unknown => usd === 0 ? 0 : table.push([name, formatUsd(-usd), "", ""]);
  row("revenue", revenue, formatUsd);
  cost("electricity", costs.electricityUsd);
  cost("wear of the machine", costs.depreciationUsd);
  cost("rent", costs.rentUsd);
  cost("cost of capital", costs.capitalUsd);
  cost("upkeep", costs.upkeepUsd);
  cost("other costs", costs.otherUsd);
  row("profit", profit, formatUsd);
  if (profit.meanInterval !== null) table.push([`  its mean, ${formatPercent(profit.meanInterval.confidence)} sure`, "", formatUsd(profit.meanInterval.low), formatUsd(profit.meanInterval.high)]);
  if (costs.depreciationUsd + costs.capitalUsd > 0) row("profit, were it yours already", runningProfit, formatUsd);
  table.push(["P(profit > 0)", formatPercent(probabilityOfProfit.share), formatPercent(probabilityOfProfit.interval.low), formatPercent(probabilityOfProfit.interval.high)]);
  row("slots busy", utilisation, formatPercent);
  const time = (months: number | null): string => months === null ? "never" : months < 24 ? `${formatSignificant(months)} months` : `${formatSignificant(months / 12)} years`;
  table.push([`pays for itself (life: ${time(payback.lifeMonths)})`, time(payback.p50), time(payback.p5), time(payback.p95)]);
  table.push(["break-even: slots busy", breakEven.utilisation === null ? "-" : breakEven.utilisation.share === null ? "> 100 %" : formatPercent(breakEven.utilisation.share), "", ""]);
  const { point, found } = breakEven.market;
  table.push(["break-even: price of prompts", point === null ? found : price(point.inputMsatPerMtok), "", ""]);
  if (point !== null) table.push(["break-even: price of answers", price(point.outputMsatPerMtok), "", ""]);
  if (breakEven.market.usdPerMtok !== null) table.push(["  per million tokens served", formatUsd(breakEven.market.usdPerMtok), "", ""]);
  if (rental !== null) table.push(["per hour: here | rented out", formatUsd(rental.marketRevenueUsdPerHour), formatUsd(rental.usdPerHour), ""]);
  return table.toString();
};

const tornadoTable = ({ tornado }: ViabilityReport): string => {
  const table = new Table({ head: ["what matters most", "if", "profit", "if", "profit"], colAligns: ["left", "right", "right", "right", "right"], style: plain });
  for (const { name, low, high } of tornado.slice(0, shownBars)) table.push([name, short(low.text), formatUsd(low.profitUsd), short(high.text), formatUsd(high.profitUsd)]);
  return table.toString();
};

const assumptionsTable = ({ assumptions }: ViabilityReport): string => {
  const table = new Table({ head: ["assumed", "", "changed by"], style: plain });
  for (const { name, text, flag } of assumptions) table.push([name, clipped(text, 33), flag.split(", ")[0]!]);
  return table.toString();
};

/** Text in lines; a number keeps its unit. */
const lines = (text: string, most: number): string[] => wrap(text.replace(/(\d) (?=%|USD|sat|msat|months|years|h\b)/g, "$1\u00a0"), most).map((line) => line.replaceAll("\u00a0", " "));

/** Three digits are enough to compare, and leave room. */
const price = (msatPerMtok: number): string => formatMsatPerMtok(Number(msatPerMtok.toPrecision(3)));

/** A bar's end without what the report adds to it. */
const short = (text: string): string => text.replace(/ \(.*\)$/, "");

const clipped = (text: string, most: number): string => text.length <= most ? text : `${text.slice(0, most - 1)}…`;
