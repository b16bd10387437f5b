import type { RunReport } from "../protocol/result.ts";
import type { LossCause } from "../protocol/result/welfare.ts";
import { formatDurationUs, formatMsat, formatMsatPerMtok, formatNumber, formatPercent, formatSignificant } from "../protocol/units.ts";
import type { Block, Section } from "./blocks.ts";

const NONE = "–";

/** What each cause of loss means, for people who are no economists. */
export const CAUSE_WORDS: Readonly<Record<LossCause, string>> = {
  price: "the price was above what the client would pay, though not the cost",
  budget: "the client's budget was spent",
  rejection: "turned away for want of room",
  congestion: "given up while waiting for a place",
  abandonment: "given up after work had begun",
  failure: "a node failed, left, did not answer, or took an advance and did nothing",
  nonpayment: "the client did not pay in advance, or its payment failed on the way",
  misallocation: "served at a dearer node than necessary, or in the place of something worth more",
  waiting: "what waiting took off the value of what was served",
};

/** Who gained what, in tables and plots. */
export function welfareSection(report: RunReport): Section {
  const { welfare } = report;
  const title = "Who gained";
  if (welfare === null) {
    const [first] = report.clientClasses;
    return {
      title,
      blocks: [
        { kind: "text", text: `There are no accounts of who gained how much, and of what was lost: at least one client class does not state what its jobs are worth. Add the key clients[].value to the scenario (an amount or a distribution), or clients[].maxPrice, which then counts as the value.${first === undefined ? "" : " To try it:"}` },
        ...(first === undefined ? [] : [{ kind: "verbatim" as const, text: `--set 'clients${/^[\w-]+$/.test(first.name) ? `.${first.name}` : "[0]"}.value=200 msat'` }]),
      ],
    };
  }
  const { losses, firstBestMsat } = welfare;
  const causes = (Object.keys(CAUSE_WORDS) as LossCause[]).filter((cause) => losses[cause] > 0);
  const part = (amount: number): string => (firstBestMsat === 0 ? NONE : formatPercent(amount / firstBestMsat));
  const row = (name: string, amount: number): string[] => [name, money(amount), part(amount)];
  const blocks: Block[] = [
    { kind: "plot", name: "surplus" },
    { kind: "text", text: headline(welfare) },
    {
      kind: "table", caption: "The gains from trade, and what was lost of them", head: ["", "amount", "of what was possible"],
      rows: [
        row("clients: worth to them, less what they paid", welfare.consumerSurplusMsat),
        row("operators: received, less marginal cost", welfare.operatorSurplusMsat),
        row("routers: fees", welfare.routerRevenueMsat),
        row("Lightning network: routing fees", welfare.routingFeesMsat),
        row("gained in all", welfare.totalMsat),
        ...causes.map((cause) => row(`lost, ${cause}: ${CAUSE_WORDS[cause]}`, losses[cause])),
        row("possible at best", firstBestMsat),
      ],
    },
    {
      kind: "table", caption: "Clients", head: ["client class", "jobs", "delivered", "worth", ...(welfare.waitingMsat > 0 ? ["lost by waiting"] : []), "paid", "gained", "per delivered job"],
      rows: welfare.clientClasses.map((of) => [
        of.name, formatNumber(of.jobs), formatNumber(of.delivered), money(of.valueMsat), ...(welfare.waitingMsat > 0 ? [money(of.waitingMsat)] : []), money(of.paidMsat), money(of.surplusMsat),
        of.delivered === 0 ? NONE : money(of.surplusMsat / of.delivered),
      ]),
    },
    {
      kind: "table", caption: "Operators", head: ["operator class", "received", "marginal cost", "gained"],
      rows: welfare.operatorClasses.map((of) => [of.name, money(of.receivedMsat), money(of.costMsat), money(of.surplusMsat)]),
    },
    { kind: "plot", name: "curves" },
    {
      kind: "text",
      text: `How this is counted: a job is worth to its client what the scenario says, or its maximum price. Operators' costs are those that one more job causes; machines, idle power and stakes are not in them. Job by job, prices are rounded down and costs up to whole millisatoshi, so that at a price equal to its cost a job loses its node up to 1 msat. The best possible is what a planner who knows all values and costs makes of the same jobs: in each of ${formatNumber(welfare.planner.windows)} windows of at most ${formatDurationUs(welfare.planner.windowUs)} (as long as clients are patient, but no more than 200 in all), the most valuable jobs go to the cheapest nodes that were up, as fast as they are with full batches.${
        welfare.planner.ownWindows > 0 ? ` In ${formatNumber(welfare.planner.ownWindows)} of them the market did better, and its own result counts as the best.` : ""
      } Gains and losses add up to it to the millisatoshi; a run in which they do not gives no report.`,
    },
  ];
  return { title, blocks };
}

function headline(welfare: NonNullable<RunReport["welfare"]>): string {
  const { shareReached, losses, deadweightMsat, totalMsat, consumerSurplusMsat } = welfare;
  if (shareReached === null) return "No job was worth more than it would have cost to serve: there was nothing to gain.";
  const worst = (Object.keys(CAUSE_WORDS) as LossCause[]).reduce((a, b) => (losses[b] > losses[a] ? b : a));
  const reached = `The market reached ${most(shareReached)} of what was possible.`;
  const lost = deadweightMsat === 0 ? "" : ` What it lost most by was ${worst}: ${CAUSE_WORDS[worst]} (${formatPercent(losses[worst] / deadweightMsat)} of the loss).`;
  const split = totalMsat > 0 && consumerSurplusMsat >= 0 ? ` Of each 100 msat gained, clients have ${formatNumber((100 * consumerSurplusMsat) / totalMsat, 1)} msat.` : "";
  return reached + lost + split;
}

/** How competitive the market is. */
export function structureSection({ structure }: RunReport): Section {
  const { paid, posted, lerner, hhi, gini, passThrough } = structure;
  const ratio = (value: number | null): string => maybe(value, (found) => formatSignificant(found, 3));
  return {
    title: "Competition",
    blocks: [
      { kind: "plot", name: "lorenz" },
      {
        kind: "table", caption: "How competitive the market is", head: ["measure", "value", "what it says"],
        rows: [
          ["Lerner index", ratio(lerner), "part of the price that is not marginal cost: 0 in perfect competition, 1 where serving costs nothing or buyers have no choice"],
          ["prices paid: p90 / p10", ratio(paid.ratio), `a tenth of the jobs paid ${maybe(paid.p10, price)} or less per million tokens, a tenth ${maybe(paid.p90, price)} or more`],
          ["prices paid: CV", ratio(paid.cv), "standard deviation over mean"],
          ["posted output prices: CV", ratio(posted.cv), `over ${formatNumber(posted.count)} nodes, at the start`],
          ["HHI, nodes", ratio(hhi.nodes), "concentration of revenue, each node a firm of its own: 1 / n where all n earn alike, 1 where one earns everything"],
          ["HHI, operator classes", ratio(hhi.operatorClasses), "the same, each operator class one firm; above 0.18 authorities call a market highly concentrated"],
          ["Gini coefficient", ratio(gini), "inequality of revenue between nodes: 0 all alike, towards 1 one has everything"],
          ...(passThrough.slope === null ? [] : [["pass-through", formatNumber(passThrough.slope, 3), "rise of the mean price paid over the rise of the mean marginal cost, between the times when costs changed; 1 where all is passed on"]]),
        ],
      },
      ...(passThrough.slope === null ? [] : [{ kind: "text" as const, text: passedOn(passThrough.slope) }]),
    ],
  };
}

/** Who bears costs that move, in words. Within a twentieth of nothing, or of all, it is said to be that. */
function passedOn(slope: number): string {
  const [found, change] = [formatSignificant(Math.abs(slope), 3), "Operators' marginal costs moved while this was measured, with the price of electricity or the exchange rate."];
  if (slope < -0.05) return `${change} Prices went the other way: for each msat that a job came to cost more, clients paid ${found} msat less.`;
  if (slope <= 0.05) return `${change} Prices did not follow: operators bear what a job costs more, and keep what it costs less.`;
  if (slope < 0.95) return `${change} Of each msat that a job came to cost more or less, ${found} msat were passed on to clients; operators bear the rest.`;
  if (slope <= 1.05) return `${change} Prices followed in full: clients bear it, with ${found} msat for each msat.`;
  return `${change} Prices moved by more than costs, ${found} msat for each msat, as where operators add a share of the cost to it, or count cost and price in the same fiat money: they earn on a rise.`;
}

/** What stands out, in sentences. */
export function welfareFindings({ welfare }: RunReport): string[] {
  if (welfare === null || welfare.shareReached === null || welfare.shareReached >= 0.95) return [];
  return [headline(welfare)];
}

/** A share that is not quite all is never shown as 100 %. */
function most(share: number): string {
  const text = formatPercent(share);
  return share < 1 && text === "100 %" ? "more than 99.9 %" : text;
}

function maybe(value: number | null, format: (value: number) => string): string {
  return value === null ? NONE : format(value);
}

/** Four digits are enough to compare; report.json has the rest. */
function money(msat: number): string {
  return formatMsat(Number(msat.toPrecision(4)));
}

function price(msatPerMtok: number): string {
  return formatMsatPerMtok(Number(msatPerMtok.toPrecision(4)));
}
