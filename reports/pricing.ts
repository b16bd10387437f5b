import type { RunReport } from "../protocol/result.ts";
import type { PricingReport } from "../protocol/result/pricing.ts";
import { formatMsat, formatMsatPerMtok, formatNumber, formatPercent } from "../protocol/units.ts";
import type { Block, Section } from "./blocks.ts";

const NONE = "–";

const MECHANISMS: Readonly<Record<PricingReport["mechanism"], string>> = {
  posted: "Every node has a price of its own, and jobs pay that of the node that serves them.",
  network: "One price for all, set by the network; nodes served the jobs for which it covers what they ask.",
  surge: "Jobs pay what their node posts, times a factor that the router sets by utilisation.",
  "base-fee": "One price per model, which the router moves with utilisation; a job pays the price at its award.",
  custom: "Prices were set by a policy of the scenario's own, at intervals; a job pays the price at its award.",
  "call-for-bids": "Each job was put out to tender among a few nodes; the lowest bid won.",
  "uniform-price": "Jobs and free slots were matched at intervals; all that traded paid one price.",
  "call-market": "Jobs and free slots were matched at intervals, where supply met demand.",
  continuous: "Jobs met the best ask at once or rested until a slot became free at their price.",
};

/** How prices came about and how they moved; nothing where they were posted and did not move. */
export function pricingSection(report: RunReport): Section[] {
  const { pricing } = report;
  if (pricing === null) return [];
  const blocks: Block[] = [
    { kind: "text", text: MECHANISMS[pricing.mechanism] },
    { kind: "plot", name: "pricing" },
  ];
  if (pricing.models.length > 0) {
    blocks.push({
      kind: "table", caption: "Prices per million tokens, in the mix of this run's jobs; means over time", head: ["model", "lowest ask", "mean ask", "going price", "its least", "its greatest", "utilisation"],
      rows: pricing.models.slice(0, 50).map((row) => {
        const going = row.goingMsatPerMtok.filter((value) => value !== null);
        return [
          row.model, price(mean(row.lowestAskMsatPerMtok)), price(mean(row.meanAskMsatPerMtok)), price(mean(row.goingMsatPerMtok)),
          price(going.length === 0 ? null : Math.min(...going)), price(going.length === 0 ? null : Math.max(...going)), share(mean(row.utilisation)),
        ];
      }),
    });
  }
  const facts = figures(pricing);
  if (facts.length > 0) blocks.push({ kind: "table", caption: "How prices were found, warm-up included", head: ["", "all"], rows: facts });
  return [{ title: "How prices came about", blocks }];
}

function figures({ auctions, batches, trades, priceChanges }: PricingReport): string[][] {
  const rows: string[][] = [];
  if (priceChanges > 0) rows.push(["times a price was set", formatNumber(priceChanges)]);
  if (auctions !== null) {
    rows.push(
      ["calls for bids", formatNumber(auctions.calls)], ["nodes called", formatNumber(auctions.invitations)], ["bids in time", formatNumber(auctions.bids)],
      ["bids within the reserve", part(auctions.withinReserve, auctions.bids)], ["calls with an award", part(auctions.awarded, auctions.calls)],
      ["awards priced by the reserve", part(auctions.setByReserve, auctions.awarded)], ["mean price of an award, for the job at its longest", auctions.paidMsat === null ? NONE : formatMsat(auctions.paidMsat)],
    );
  }
  if (batches !== null) {
    rows.push(
      ["batches", formatNumber(batches.rounds)], ["batches without a trade", part(batches.empty, batches.rounds)], ["bids in them", formatNumber(batches.bids)],
      ["free slots in them", formatNumber(batches.asks)], ["trades", formatNumber(batches.trades)],
    );
  }
  if (trades !== null) rows.push(["jobs that met a slot that rested", formatNumber(trades.atAsk)], ["slots that met a job that rested", formatNumber(trades.atBid)]);
  return rows;
}

function mean(column: readonly (number | null)[]): number | null {
  const known = column.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
}

function price(value: number | null): string {
  return value === null ? NONE : formatMsatPerMtok(value);
}

function share(value: number | null): string {
  return value === null ? NONE : formatPercent(value);
}

function part(count: number, of: number): string {
  return of === 0 ? formatNumber(count) : `${formatNumber(count)} (${formatPercent(count / of)})`;
}
