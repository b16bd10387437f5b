import type { PriceSheet } from "../../protocol/messages.ts";
import type { PricingReport } from "../../protocol/result/pricing.ts";
import type { Priced } from "../../scheduler/environment.ts";
import type { PricingOptions } from "../../scheduler/pricing/options.ts";
import { pricesAt } from "../../scheduler/pricing/price-level.ts";
import { windowWidthUs } from "./recorder/windows.ts";

/** Means by time window of prices in their three parts. */
class SheetColumn {
  readonly #sums: Float64Array;
  readonly #counts: Float64Array;

  constructor(windows: number) {
    this.#sums = new Float64Array(3 * windows);
    this.#counts = new Float64Array(windows);
  }

  add(window: number, { inputMsatPerMtok, outputMsatPerMtok, fixedMsat }: PriceSheet): void {
    this.#sums[3 * window]! += inputMsatPerMtok;
    this.#sums[3 * window + 1]! += outputMsatPerMtok;
    this.#sums[3 * window + 2]! += fixedMsat;
    this.#counts[window]!++;
  }

  /** Per million tokens of such jobs; a window without news has the last one's. */
  perMtok(windows: number, { input, output, jobs }: Mix): (number | null)[] {
    let last: number | null = null;
    return Array.from({ length: windows }, (_, w) => {
      const count = this.#counts[w]!;
      if (count > 0) {
        const [inputPrice, outputPrice, fixed] = [this.#sums[3 * w]! / count, this.#sums[3 * w + 1]! / count, this.#sums[3 * w + 2]! / count];
        last = (inputPrice * input + outputPrice * output + fixed * jobs * 1e6) / (input + output);
      }
      return last;
    });
  }
}

/** Tokens and number of the jobs in whose proportions price sheets are made one figure. */
export interface Mix {
  readonly input: number;
  readonly output: number;
  readonly jobs: number;
}

interface ModelRow {
  readonly lowest: SheetColumn;
  readonly mean: SheetColumn;
  readonly going: SheetColumn;
  readonly utilisation: Float64Array;
  readonly readings: Float64Array;
}

/** Gathers what routers tell of prices. */
export class PricingTally {
  readonly #kind: PricingOptions["kind"];
  readonly #windowUs: number;
  readonly #windows: number;
  readonly #models = new Map<string, ModelRow>();
  readonly #auctions = { calls: 0, invitations: 0, bids: 0, withinReserve: 0, awarded: 0, setByReserve: 0 };
  readonly #batches = { rounds: 0, bids: 0, asks: 0, trades: 0, empty: 0 };
  readonly #trades = { atAsk: 0, atBid: 0 };
  #priceChanges = 0;
  #paidMsat = 0;

  constructor(kind: PricingOptions["kind"], horizonUs: number) {
    this.#kind = kind;
    this.#windowUs = windowWidthUs(horizonUs);
    this.#windows = Math.ceil(horizonUs / this.#windowUs);
  }

  add(event: Priced, atUs: number): void {
    const window = Math.floor(atUs / this.#windowUs);
    const inside = window < this.#windows;
    switch (event.kind) {
      case "state": {
        if (!inside) return;
        const row = this.#row(event.model);
        if (event.lowestAsk !== null) row.lowest.add(window, event.lowestAsk);
        if (event.meanAsk !== null) row.mean.add(window, event.meanAsk);
        if (event.going !== null) row.going.add(window, event.going);
        row.utilisation[window]! += event.utilisation;
        row.readings[window]!++;
        return;
      }
      case "going":
        this.#priceChanges++;
        if (inside) this.#row(event.model).going.add(window, event.prices);
        return;
      case "auction":
        this.#auctions.calls++;
        this.#auctions.invitations += event.invited;
        this.#auctions.bids += event.bids;
        this.#auctions.withinReserve += event.withinReserve;
        if (event.byReserve) this.#auctions.setByReserve++;
        if (event.paidMsat >= 0) {
          this.#auctions.awarded++;
          this.#paidMsat += event.paidMsat;
        }
        return;
      case "clearing":
        this.#batches.rounds++;
        this.#batches.bids += event.bids;
        this.#batches.asks += event.asks;
        this.#batches.trades += event.trades;
        if (event.trades === 0) this.#batches.empty++;
        else if (inside) this.#row(event.model).going.add(window, pricesAt(event.unit, event.buyersPay));
        return;
      case "trade": this.#trades[event.rested === "ask" ? "atAsk" : "atBid"]++;
    }
  }

  /** Counts so far, by the report's names. */
  totals(add: (name: string, total: number) => void): void {
    add("pricing.priceChanges", this.#priceChanges);
    for (const [part, counts] of [["auctions", this.#auctions], ["batches", this.#batches], ["trades", this.#trades]] as const) {
      for (const [name, count] of Object.entries(counts)) add(`pricing.${part}.${name}`, count);
    }
    add("pricing.auctions.allPaidMsat", this.#paidMsat);
  }

  /** @param windows of the report, which may have been cut short. */
  report(windows: number, ofJobs: Mix): PricingReport {
    // Where nothing was bought there is no mix: four tokens in for one out.
    const mix = ofJobs.input + ofJobs.output > 0 ? ofJobs : { input: 4, output: 1, jobs: 0 };
    const kind = this.#kind;
    return {
      mechanism: kind,
      priceChanges: this.#priceChanges,
      auctions: kind === "call-for-bids" ? { ...this.#auctions, paidMsat: this.#auctions.awarded === 0 ? null : this.#paidMsat / this.#auctions.awarded } : null,
      batches: kind === "uniform-price" || kind === "call-market" ? this.#batches : null,
      trades: kind === "continuous" ? this.#trades : null,
      models: [...this.#models.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([model, row]) => ({
        model,
        lowestAskMsatPerMtok: row.lowest.perMtok(windows, mix),
        meanAskMsatPerMtok: row.mean.perMtok(windows, mix),
        goingMsatPerMtok: row.going.perMtok(windows, mix),
        utilisation: Array.from({ length: windows }, (_, w) => (row.readings[w] === 0 ? null : row.utilisation[w]! / row.readings[w]!)),
      })),
    };
  }

  #row(model: string): ModelRow {
    let row = this.#models.get(model);
    if (row === undefined) {
      const column = (): SheetColumn => new SheetColumn(this.#windows);
      row = { lowest: column(), mean: column(), going: column(), utilisation: new Float64Array(this.#windows), readings: new Float64Array(this.#windows) };
      this.#models.set(model, row);
    }
    return row;
  }
}
