import { describe, expect, test } from "vitest";
import type { RunReport } from "../protocol/result.ts";
import { type PricingReport, pricingReport } from "../protocol/result/pricing.ts";
import { pricingSection } from "./pricing.ts";
import { pricingFigure } from "./plots/pricing.ts";
import { toy as toyReport } from "./testing/reports.ts";

const windows = toyReport.overTime.startUs.length;
const column = (of: (window: number) => number | null): (number | null)[] => Array.from({ length: windows }, (_, w) => of(w));
const pricing: PricingReport = pricingReport.parse({
  mechanism: "call-for-bids", priceChanges: 0,
  auctions: { calls: 200, invitations: 1_600, bids: 1_500, withinReserve: 1_200, awarded: 180, setByReserve: 9, paidMsat: 84.5 },
  batches: null, trades: null,
  models: [{
    model: "toy", lowestAskMsatPerMtok: column(() => 20_000), meanAskMsatPerMtok: column((w) => (w === 0 ? null : 30_000)),
    goingMsatPerMtok: column((w) => (w === 0 ? null : 25_000 + 1_000 * (w % 2))), utilisation: column(() => 0.5),
  }],
});
const report: RunReport = { ...toyReport, pricing };

describe("how prices came about", () => {
  test("is not told where prices are posted and do not move", () => {
    expect(pricingSection({ ...toyReport, pricing: null })).toEqual([]);
    expect(pricingFigure({ ...toyReport, pricing: null }).panels).toEqual([]);
  });

  test("tells counts with their shares, and means over the windows with news", () => {
    const [section] = pricingSection(report);
    const tables = section!.blocks.filter((block) => block.kind === "table");
    expect(tables[0]!.rows[0]!.slice(0, 3)).toEqual(["toy", "20 sat/Mtok", "30 sat/Mtok"]);
    expect(tables[0]!.rows[0]!.slice(4)).toEqual(["25 sat/Mtok", "26 sat/Mtok", "50 %"]);
    expect(tables[1]!.rows).toEqual([
      ["calls for bids", "200"], ["nodes called", "1,600"], ["bids in time", "1,500"], ["bids within the reserve", "1,200 (80 %)"],
      ["calls with an award", "180 (90 %)"], ["awards priced by the reserve", "9 (5 %)"], ["mean price of an award, for the job at its longest", "84.5 msat"],
    ]);
  });

  test("is drawn with what nodes asked, the going price and what was paid", () => {
    const { panels } = pricingFigure(report);
    expect(panels.map(({ heading, keys }) => [heading, keys?.map(({ name }) => name)])).toEqual([
      ["Price per million tokens of toy", ["lowest ask", "mean ask", "going price", "paid, router's fee included"]],
    ]);
  });
});
