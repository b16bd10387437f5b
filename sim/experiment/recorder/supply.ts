import type { Supply, SupplyAccount } from "../../../protocol/result.ts";
import type { SupplyBook } from "../../supply/book.ts";
import { type CostAccount, sumOfCosts } from "../../supply/costs.ts";
import { InvariantError, LAWS } from "./invariant.ts";

const US_PER_HOUR = 3_600_000_000;

/** What only the driver of entry and quotes knows. */
export interface SupplyEnd {
  readonly entry: Supply["entry"];
  readonly requotes: number;
}

/**
 * The operators' accounts, after the book's last flush.
 * @param revenueMsat of each node, as in the rest of the report
 * @param windows of the report, and their lengths in µs
 * @throws InvariantError where an account does not add up
 */
export function supplyReport(book: SupplyBook, revenueMsat: readonly number[], windows: readonly number[], end: SupplyEnd, nodeNames: readonly string[], seed: number | string): Supply {
  const { nodes, operatorClasses } = book.setup;
  const accounts = book.accounts();
  const members = (index: number): number[] => nodes.flatMap(({ operatorClass }, node) => (operatorClass === index ? [node] : []));
  const report: Supply = {
    operatorClasses: operatorClasses.map(({ name, unknown }, index) => {
      const of = members(index);
      const owned = of.reduce((sum, node) => sum + accounts[node]!.ownedUs, 0);
      const revenue = of.reduce((sum, node) => sum + revenueMsat[node]!, 0);
      return { name, unknown: [...unknown] as Supply["operatorClasses"][number]["unknown"], ...account(owned, revenue, sumOfCosts(of.map((node) => accounts[node]!.costs))) };
    }),
    nodes: accounts.map(({ ownedUs, costs }, node) => ({ name: nodeNames[node]!, ...account(ownedUs, revenueMsat[node]!, costs) })),
    overTime: operatorClasses.map(({ name }, index) => {
      const { ownedUs, revenueMsat: revenue, costsMsat } = book.series(index);
      const of = <T>(value: (window: number) => T): T[] => windows.map((_, window) => value(window));
      return {
        name,
        nodes: of((window) => ownedUs[window]! / windows[window]!),
        revenueMsat: of((window) => revenue[window]!),
        costsMsat: of((window) => costsMsat[window]!),
        profitMsatPerHour: of((window) => (ownedUs[window]! === 0 ? null : (revenue[window]! - costsMsat[window]!) * US_PER_HOUR / ownedUs[window]!)),
      };
    }),
    entry: end.entry,
    exchange: exchangeReport(book, windows, end.requotes),
  };
  checkSupply(report, nodes.map(({ operatorClass }) => operatorClass), seed);
  return report;
}

/** What the electricity of each node cost; for the rest of the report. */
export function electricityOf(report: Supply): number[] {
  return report.nodes.map(({ electricityMsat }) => electricityMsat);
}

/**
 * Law: the costs of an account sum to `costsMsat`, revenue less costs is profit, a class is the sum of its nodes, and
 * what the exchange rate gives to one it takes from another.
 * @throws InvariantError
 */
export function checkSupply({ nodes, operatorClasses, exchange }: Pick<Supply, "nodes" | "operatorClasses" | "exchange">, classOf: readonly number[], seed: number | string): void {
  const broken = (detail: string): never => { throw new InvariantError(LAWS.profit, "", seed, detail); };
  for (const row of [...nodes, ...operatorClasses]) {
    const parts = row.electricityMsat + row.depreciationMsat + row.rentMsat + row.capitalMsat + row.stakeMsat + row.maintenanceMsat + row.bandwidthMsat + row.routerFeesMsat + row.lightningFeesMsat;
    if (parts !== row.costsMsat) broken(`${row.name}'s costs are ${row.costsMsat} msat, their parts sum to ${parts} msat`);
    if (row.revenueMsat - row.costsMsat !== row.profitMsat) broken(`${row.name}'s profit is ${row.profitMsat} msat, revenue less costs is ${row.revenueMsat - row.costsMsat} msat`);
  }
  operatorClasses.forEach((row, index) => {
    for (const key of ["ownedUs", "revenueMsat", "costsMsat", "profitMsat"] as const) {
      const sum = nodes.reduce((total, node, at) => (classOf[at] === index ? total + node[key] : total), 0);
      if (sum !== row[key]) broken(`${key} of ${row.name} is ${row[key]}, its nodes' sum to ${sum}`);
    }
  });
  if (exchange === null) return;
  const gains = exchange.parties.reduce((sum, { gainMsat }) => sum + gainMsat, 0);
  if (gains !== 0) broken(`gains and losses by exchange rates sum to ${gains} msat`);
  const inFiat = exchange.parties.reduce((sum, party) => (party.inFiat ? sum + party.gainMsat : sum), 0);
  if (inFiat !== exchange.heldByFiatMsat) broken(`those who count in fiat money gained ${inFiat} msat by exchange rates, not ${exchange.heldByFiatMsat} msat`);
}

function account(ownedUs: number, revenueMsat: number, costs: CostAccount): SupplyAccount {
  const profitMsat = revenueMsat - costs.costsMsat;
  return { ownedUs, revenueMsat, ...costs, profitMsat, profitMsatPerHour: ownedUs === 0 ? null : profitMsat * US_PER_HOUR / ownedUs };
}

function exchangeReport(book: SupplyBook, windows: readonly number[], requotes: number): Supply["exchange"] {
  const { exchange, horizonUs, windowUs } = book.setup;
  if (!exchange.moving) return null;
  const playedUs = Math.min(horizonUs, windows.reduce((sum, length) => sum + length, 0));
  let least = 1;
  let most = 1;
  for (let us = 0; us < playedUs; us = exchange.nextChangeUs(us)) {
    const relative = exchange.relativeAt(us);
    least = Math.min(least, relative);
    most = Math.max(most, relative);
  }
  const end = exchange.relativeAt(playedUs - 1);
  const parties = book.parties();
  return {
    rates: exchange.perBitcoin.map(({ currency, start }) => ({ currency, start, end: start * end, least: start * least, most: start * most })),
    relative: windows.map((length, window) => exchange.relativeAt(window * windowUs + length - 1)),
    requotes,
    payments: book.payments,
    parties,
    heldByFiatMsat: parties.reduce((sum, party) => (party.inFiat ? sum + party.gainMsat : sum), 0),
  };
}
