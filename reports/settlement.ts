import type { RunReport } from "../protocol/result.ts";
import type { LossCause, SettlementReport } from "../protocol/result/settlement.ts";
import { formatMsat, formatNumber, formatPercent } from "../protocol/units.ts";
import type { Block, Section } from "./blocks.ts";

const NONE = "–";

/** Why money was lost, for people. */
const CAUSES: Readonly<Record<LossCause | "fee-not-paid", string>> = {
  "client-did-not-pay": "the client kept the result and did not pay",
  "insufficient-balance": "the client had no money left",
  "no-liquidity": "a channel had run dry",
  "payment-failed": "the payment kept failing",
  "node-offline": "the node was gone when the client wanted to pay",
  "invoice-expired": "the payment came after the invoice had expired",
  "escrow-timeout": "the escrow went back before it was taken",
  "client-left": "the client left between delivery and payment",
  "not-delivered": "the node took the money and delivered nothing",
  "came-too-late": "the result came after the client had given up",
  "node-failed": "the node was lost with what it had been paid",
  "not-refunded": "the rest of an advance did not come back",
  "fee-not-paid": "the router's fee was not paid, or not yet",
};

/** Who stood to lose how much, what was locked, what was lost, and who bore the fees; nothing where no wallets took part. */
export function settlementSection({ settlement }: RunReport): Section[] {
  if (settlement === null) return [];
  const { exposure, locked, channels, losses, routing, routerFees, payments } = settlement;
  const level = (name: string, { peakMsat, meanMsat, endMsat }: SettlementReport["exposure"]["deliveredUnpaid"]): string[] => [name, money(peakMsat), money(meanMsat), money(endMsat)];
  const blocks: Block[] = [
    { kind: "text", text: headline(settlement) },
    { kind: "plot", name: "exposure" },
    {
      kind: "table", caption: "Money that somebody had to trust somebody with, or that was locked: over the whole run, warm-up and drain included", head: ["", "at most", "on average", "at the end"],
      rows: [
        level("delivered, not paid: nodes' exposure", exposure.deliveredUnpaid),
        level("paid, not delivered: clients' exposure", exposure.paidUndelivered),
        level("in payments under way", locked.inFlight),
        ...(locked.held.peakMsat > 0 ? [level("locked in hold invoices", locked.held)] : []),
      ],
    },
    {
      kind: "table", caption: "What was paid for jobs", head: ["", "amount"],
      rows: [
        ["value delivered", money(settlement.deliveredMsat)],
        ["paid to nodes", money(settlement.paidMsat)],
        ["paid back to clients", money(settlement.refundedMsat)],
        [`router's fees due, borne by ${settlement.routerFeeBearer === "client" ? "clients" : "operators"}`, money(routerFees.billedMsat)],
        ["of it paid", money(routerFees.paidMsat)],
        ["Lightning's routing fees, borne by clients", money(routing.clientsMsat)],
        ["borne by operators", money(routing.nodesMsat)],
        ["borne by routers", money(routing.routersMsat)],
        ...(routing.rebalancingMsat > 0 ? [["rebalancing of channels", money(routing.rebalancingMsat)]] : []),
        [`cost of money under way and locked, at ${formatPercent(settlement.capitalPerYear)} a year`, money(locked.costMsat)],
        ...(channels === null ? [] : [[`cost of ${formatNumber(channels.peers)} channels with ${money(channels.capacityMsat)} in all`, money(channels.costMsat)]]),
      ],
    },
  ];
  if (losses.length > 0) {
    blocks.push({
      kind: "table", caption: "What was lost, and who bore it", head: ["borne by", "because", "jobs", "amount", "of the value delivered"],
      rows: losses.map(({ bearer, cause, jobs, msat }) => [bearer, CAUSES[cause], formatNumber(jobs), money(msat), settlement.deliveredMsat === 0 ? NONE : formatPercent(msat / settlement.deliveredMsat)]),
    });
  }
  if (payments.failed.length > 0) {
    blocks.push({
      kind: "table", caption: `Payments that came to nothing, beside ${formatNumber(payments.arrived)} that arrived`, head: ["reason", "payments", "amount"],
      rows: payments.failed.map(({ reason, payments: count, msat }) => [reason, formatNumber(count), money(msat)]),
    });
  }
  blocks.push({
    kind: "text",
    text: `${settlement.disputes === 0 ? "There were no disputes." : `${formatNumber(settlement.disputes)} disputes went to routers.`} What was paid is what was delivered, with what is open and what was lost; and all of it agrees with the changes of the accounts, to the millisatoshi.`,
  });
  return [{ title: "Who trusted whom", blocks }];
}

function headline({ arrangements, losses, deliveredMsat }: SettlementReport): string {
  const ways = [...new Set(arrangements)];
  const how = ways.length === 1 ? WAYS[ways[0]!] ?? ways[0]! : `in several ways: ${ways.join(", ")}`;
  const lost = (who: string): number => losses.reduce((sum, { bearer, msat }) => sum + (bearer === who ? msat : 0), 0);
  const parts = (["node", "client", "router"] as const).flatMap((who) => (lost(who) > 0 ? [`${who}s lost ${money(lost(who))}${deliveredMsat > 0 ? ` (${formatPercent(lost(who) / deliveredMsat)} of the value delivered)` : ""}`] : []));
  return `Jobs were paid ${how}. ${parts.length === 0 ? "Nobody lost money by it." : `By that, ${parts.join(", ")}.`}`;
}

const WAYS: Readonly<Record<string, string>> = {
  postpay: "after their results",
  prepay: "before work, at the most they could cost; what was not used was paid back",
  escrow: "through escrow: locked before work, taken after delivery",
  streaming: "chunk by chunk, each before it was handed out",
};

function money(msat: number): string {
  return formatMsat(Number(msat.toPrecision(4)));
}
