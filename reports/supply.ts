import type { RunReport, Supply, SupplyAccount } from "../protocol/result.ts";
import { formatDurationUs, formatMsat, formatNumber, formatPercent, formatSignificant } from "../protocol/units.ts";
import type { Block, Section } from "./blocks.ts";

const NONE = "–";
/** Nodes that are listed: those that made most and those that lost most. */
const MOST_NODES = 10;

/** Costs as people read them: kinds that belong together are one column. */
export const COST_COLUMNS: readonly { readonly name: string; readonly of: (account: SupplyAccount) => number }[] = [
  { name: "electricity", of: (account) => account.electricityMsat },
  { name: "machine", of: (account) => account.depreciationMsat + account.rentMsat },
  { name: "capital", of: (account) => account.capitalMsat + account.stakeMsat },
  { name: "upkeep", of: (account) => account.maintenanceMsat },
  { name: "traffic", of: (account) => account.bandwidthMsat },
  { name: "fees", of: (account) => account.routerFeesMsat + account.lightningFeesMsat },
];

/** What operators earned after their costs, whether they stayed, and who bore the exchange rate; nothing where nobody knows. */
export function supplySection({ supply, overTime }: RunReport): Section[] {
  if (supply === null) return [];
  const columns = COST_COLUMNS.filter(({ of }) => supply.operatorClasses.some((account) => of(account) > 0));
  const row = (account: SupplyAccount): string[] => [
    money(account.revenueMsat), ...columns.map(({ of }) => money(of(account))), money(account.profitMsat), maybe(account.profitMsatPerHour, money),
  ];
  const head = ["revenue", ...columns.map(({ name }) => name), "profit", "per machine and hour"];
  const ranked = supply.nodes.filter(({ ownedUs }) => ownedUs > 0).toSorted((a, b) => b.profitMsat - a.profitMsat || (a.name < b.name ? -1 : 1));
  const ends = ranked.length <= 2 * MOST_NODES ? ranked : [...ranked.slice(0, MOST_NODES), ...ranked.slice(-MOST_NODES)];
  const losing = ranked.filter(({ profitMsat }) => profitMsat < 0).length;
  const blocks: Block[] = [
    { kind: "plot", name: "profit" },
    ...(ranked.length === 0 ? [] : [{ kind: "text", text: headline(supply, losing, ranked.length) } as const]),
    { kind: "table", caption: "What operators earned, and what their costs left of it", head: ["operator class", ...head], rows: supply.operatorClasses.map((account) => [account.name, ...row(account)]) },
    ...(ends.length > 1 ? [{
      kind: "table" as const, caption: ends.length < ranked.length ? `The ${MOST_NODES} nodes that earned most and the ${MOST_NODES} that earned least, after costs; nodes.csv has them all` : "Nodes, those that earned most after costs first",
      head: ["node", "there for", ...head], rows: ends.map((account) => [account.name, formatDurationUs(account.ownedUs), ...row(account)]),
    }] : []),
    { kind: "text", text: notes(supply) },
    ...entry(supply),
    ...exchange(supply, overTime.windowUs),
  ];
  return [{ title: "What operators made of it", blocks }];
}

function headline(supply: Supply, losing: number, nodes: number): string {
  const best = supply.operatorClasses.filter((of) => of.profitMsatPerHour !== null).toSorted((a, b) => b.profitMsatPerHour! - a.profitMsatPerHour!);
  const profit = supply.operatorClasses.reduce((sum, { profitMsat }) => sum + profitMsat, 0);
  const lost = losing === 0 ? "No machine lost money." : losing === nodes ? "Every machine lost money." : `${formatNumber(losing)} of ${formatNumber(nodes)} machines lost money.`;
  const spread = best.length < 2 ? "" : ` Per machine and hour, ${best[0]!.name} made most (${money(best[0]!.profitMsatPerHour!)}) and ${best.at(-1)!.name} least (${money(best.at(-1)!.profitMsatPerHour!)}).`;
  const left = profit < 0 ? `What operators earned fell short of their costs by ${money(-profit)}.` : `After their costs, operators were left with ${money(profit)}.`;
  return `${left} ${lost}${spread}`;
}

function notes(supply: Supply): string {
  const missing = (what: "electricity" | "machine"): string[] => supply.operatorClasses.filter(({ unknown }) => unknown.includes(what)).map(({ name }) => name);
  const said = (["electricity", "machine"] as const).map((what) => {
    const names = missing(what);
    if (names.length === 0) return "";
    const cost = what === "machine" ? "the machine" : "electricity";
    return names.length === supply.operatorClasses.length ? ` What ${cost} costs is not stated, and not counted.` : ` What ${cost} costs is not stated, and not counted, for ${names.slice(0, 8).join(", ")}${names.length > 8 ? " and others" : ""}.`;
  });
  return `Costs run while the machine is there, up or not: loss of value in a straight line or rent, interest on the mean book value and on the stake, upkeep; electricity at the price of the hour. Each kind is rounded up once per node, and classes are the sums of their nodes.${said.join("")}`;
}

function entry({ entry: classes, overTime }: Supply): Block[] {
  if (classes.length === 0) return [];
  const late = (name: string): string => {
    const nodes = overTime.find((of) => of.name === name)?.nodes.filter((value) => value !== null) ?? [];
    const tail = nodes.slice(Math.floor(nodes.length / 2));
    return tail.length === 0 ? NONE : formatSignificant(tail.reduce((sum, value) => sum + value, 0) / tail.length, 3);
  };
  return [
    {
      kind: "table", caption: "Who came and went", head: ["operator class", "could take part", "at the start", "joined", "left", "at the end", "mean of the second half", "outside option per hour", "fixed costs per hour"],
      rows: classes.map((of) => [
        of.name, formatNumber(of.potential), formatNumber(of.atStart), formatNumber(of.joins), formatNumber(of.leaves), formatNumber(of.atEnd), late(of.name), maybe(of.outsideMsatPerHour, money), money(of.fixedMsatPerHour),
      ]),
    },
    { kind: "text", text: "An operator joins when its share of what the class takes in, beyond its own fixed costs, promises more than its outside option, and leaves when it does not. Where that has come to rest, one more operator would earn less than elsewhere: the long-run equilibrium of free entry." },
  ];
}

function exchange({ exchange: moved }: Supply, windowUs: number): Block[] {
  if (moved === null) return [];
  const rate = (value: number, currency: string): string => `${formatNumber(Number(value.toPrecision(5)))} ${currency}`;
  const bearers = moved.parties.filter(({ role, movedMsat, jobs }) => jobs > 0 && (role !== "routers" || movedMsat > 0));
  const total = bearers.reduce((sum, { movedMsat, inFiat }) => (inFiat ? sum + movedMsat : sum), 0);
  return [
    {
      kind: "table", caption: "What a bitcoin was worth", head: ["currency", "at the start", "at the end", "least", "most"],
      rows: moved.rates.map((of) => [of.currency, rate(of.start, of.currency), rate(of.end, of.currency), rate(of.least, of.currency), rate(of.most, of.currency)]),
    },
    {
      kind: "table", caption: "Who bore the exchange rate, between the quote and the payment", head: ["", "counts in", "payments concerned", "gained or lost", "moved"],
      rows: bearers.map((of) => [of.role === "routers" ? "routers" : `${of.role}: ${of.name}`, of.inFiat ? "fiat money" : "bitcoin", formatNumber(of.jobs), money(of.gainMsat), money(of.movedMsat)]),
    },
    {
      kind: "text",
      text: `A price is quoted at one rate and paid at another: what the payment is worth beyond that is one side's gain and the other's loss, and sums to nothing. Who counts in fiat money feels it (${money(total)} moved back and forth in all, ${money(moved.heldByFiatMsat)} in sum); who counts in bitcoin is only the other side of it. Prices in fiat money were posted anew ${formatNumber(moved.requotes)} times. The rate is drawn by windows of ${formatDurationUs(windowUs)}.`,
    },
  ];
}

/** A share for plots and texts; "" where nothing was earned. */
export function marginText({ revenueMsat, profitMsat }: SupplyAccount): string {
  return revenueMsat === 0 ? "" : formatPercent(profitMsat / revenueMsat, 2);
}

function maybe(value: number | null, format: (value: number) => string): string {
  return value === null ? NONE : format(value);
}

function money(msat: number): string {
  return formatMsat(Number(msat.toPrecision(4)));
}
