import { z } from "zod";
import { ESCROW_PARTS_MAX, type FeeTerms } from "../../../protocol/messages.ts";
import type { SettlementPlan } from "../../../scheduler/settlement/plan.ts";
import type { QuantityInput } from "../../../input/fields.ts";
import { oneOf, quantity } from "../../../input/fields.ts";
import { money, positiveDuration, positiveRate, positiveTokens, share, yearlyShare } from "../../../input/quantities.ts";
import { describeValue } from "../../../input/units.ts";
import type { Path, SectionContext } from "./context.ts";

const positiveMoney = quantity("PositiveMoney", "money", { positive: true });
const payWithin = positiveDuration.default("10s").describe("Time that a client has from a node's call for payment until the money is there; then the node gives the job up.");

/** How jobs are paid. */
export const settlement = oneOf({
  prepay: z.strictObject({ payWithin }).describe("The most that the job can cost, before work; the node pays back what was not used."),
  escrow: z.strictObject({
    payWithin,
    timeout: positiveDuration.default("10min").describe("What the node has neither taken nor released goes back to the client after so long."),
    parts: z.int().min(1).max(ESCROW_PARTS_MAX).default(1).describe("Hold invoices that the amount is spread over. Each is taken whole or not at all: of the last one taken, the node pays back what is too much."),
  }).describe("The most that the job can cost is locked by hold invoices before work; the node takes what it earned after delivery."),
  streaming: z.strictObject({
    payWithin,
    every: positiveTokens.default(256).describe("Output tokens paid for at a time, before they are handed out; the prompt with the first of them."),
    stall: positiveDuration.default("1min").describe("The client stops where what it has paid for has not come after so long."),
  }).describe("Chunk by chunk: neither side is ever exposed to more than the price of one chunk."),
}, ["postpay", "prepay", "escrow", "streaming"]);

const channel = z.strictObject({
  capacity: positiveMoney.describe("Capacity of each peer's channel to the network."),
  outbound: share.default("50 %").describe("Share of it that the peer can send at the start; the rest is what it can receive."),
  traffic: z.strictObject({
    rate: positiveRate.describe("Payments of the peer's other business per second (Poisson)."),
    amount: positiveMoney.describe("Amount of each."),
    outward: share.default("50 %").describe("Share of them that go out."),
  }).optional().describe("Other payments through the channel: its balance walks at random between the ends (default: none)."),
  rebalance: z.strictObject({
    every: positiveDuration.describe("How often the balance is brought back to the share it began with."),
    feePpm: z.int().min(0).max(1_000_000).default(1000).describe("Price in millionths of the amount moved, paid by the peer."),
  }).optional().describe("Rebalancing by swaps with the rest of the network (default: none)."),
}).optional().describe("Directional liquidity of each peer of the class (default: without bounds).");

/** Fields of a client class. */
export const clientSettlementFields = {
  settlement: settlement.optional().describe("How the jobs of this class are paid (default: the market's `settlement`)."),
  nonPayment: z.union([share, z.strictObject({
    clients: share.default("100 %").describe("Share of the clients of the class who are dishonest."),
    jobs: share.default("100 %").describe("Share of these clients' jobs that they do not pay."),
  })]).default(0).describe("Share of jobs that their client does not pay, although it could: it keeps the result, or never answers the call for payment."),
  channel,
};

/** Fields of an operator class. */
export const operatorSettlementFields = {
  nonDelivery: share.default(0).describe("Share of jobs for which the node takes what is paid beforehand and delivers nothing."),
  channel,
};

/** Fields of `payment`. */
export const paymentSettlementFields = {
  feeBearer: z.enum(["payer", "payee", "router"]).default("payer").describe("Who bears Lightning's routing fees. payer: on top of the amount. payee: out of the amount. router: the market's router pays them back to the payer, as far as it has earned so much."),
  capital: yearlyShare.default("5 %/year").describe("Cost of the money that is locked in payments, hold invoices and channels."),
  refundWithin: positiveDuration.default("1min").describe("How long after a job's end a client waits for what it paid too much, before it writes it off and disputes."),
};

/** Fields of `router.fee`. */
export const feeSettlementFields = {
  min: money.optional().describe("Least fee per job (default: none)."),
  max: money.optional().describe("Greatest fee per job (default: none)."),
  bearer: z.enum(["client", "operator"]).default("client").describe("client: the fee comes on top of the job's amount. operator: the node pays it out of the amount."),
};

/** Liquidity of a peer; see `sim/world/money/channels.ts`. */
export interface ChannelSpec {
  readonly capacityMsat: number;
  readonly outboundShare: number;
  readonly traffic: { readonly ratePerS: number; readonly amountMsat: number; readonly outwardShare: number } | null;
  readonly rebalance: { readonly everyUs: number; readonly feePpm: number } | null;
}

export interface ClientSettlementSpec {
  /** null: after the result. */
  readonly terms: SettlementPlan | null;
  /** Share of the class's clients who are dishonest, and of their jobs that they do not pay. */
  readonly dishonestShare: number;
  readonly nonPaymentShare: number;
  readonly channel: ChannelSpec | null;
}

export interface OperatorSettlementSpec {
  readonly nonDeliveryShare: number;
  readonly channel: ChannelSpec | null;
}

/** Part of a scenario's `payment`. */
export interface PaymentSettlementSpec {
  readonly feeBearer: "payer" | "payee" | "router";
  /** Cost of capital per year, as a share. */
  readonly capitalPerYear: number;
  /** From a job's end until its client gives up what it paid too much, µs. */
  readonly refundWithinUs: number;
}

type SettlementInput = z.output<typeof settlement>;
type ClientInput = z.output<z.ZodObject<typeof clientSettlementFields>>;
type OperatorInput = z.output<z.ZodObject<typeof operatorSettlementFields>>;
type PaymentInput = z.output<z.ZodObject<typeof paymentSettlementFields>>;
type FeeInput = z.output<z.ZodObject<typeof feeSettlementFields>>;

function resolveTerms(input: SettlementInput, path: Path, context: SectionContext): SettlementPlan | null {
  if (input === "postpay") return null;
  const full = typeof input === "string" ? settlement.parse({ [input]: {} }) : input;
  if (typeof full === "string") throw new Error(`${full} passed as a map`);
  const us = (value: QuantityInput, ...more: string[]): number => context.us(value, [...path, ...more]);
  if ("prepay" in full) return { kind: "prepay", payWithinUs: us(full.prepay.payWithin, "prepay", "payWithin") };
  if ("escrow" in full) {
    const { payWithin: within, timeout, parts } = full.escrow;
    return { kind: "escrow", payWithinUs: us(within, "escrow", "payWithin"), timeoutUs: us(timeout, "escrow", "timeout"), parts };
  }
  const { payWithin: within, every, stall } = full.streaming;
  return {
    kind: "streaming", payWithinUs: us(within, "streaming", "payWithin"),
    everyTokens: context.number("tokens", every, [...path, "streaming", "every"]), stallUs: us(stall, "streaming", "stall"),
  };
}

function resolveChannel(input: z.output<typeof channel>, path: Path, context: SectionContext): ChannelSpec | null {
  if (input === undefined) return null;
  const { capacity, outbound, traffic, rebalance } = input;
  return {
    capacityMsat: context.number("money", capacity, [...path, "capacity"]),
    outboundShare: context.number("share", outbound, [...path, "outbound"]),
    traffic: traffic === undefined ? null : {
      ratePerS: context.number("rate", traffic.rate, [...path, "traffic", "rate"]),
      amountMsat: context.number("money", traffic.amount, [...path, "traffic", "amount"]),
      outwardShare: context.number("share", traffic.outward, [...path, "traffic", "outward"]),
    },
    rebalance: rebalance === undefined ? null : { everyUs: context.us(rebalance.every, [...path, "rebalance", "every"]), feePpm: rebalance.feePpm },
  };
}

/** @param market what the scenario says for all classes. */
export function resolveClientSettlement(input: ClientInput, market: SettlementInput, path: Path, context: SectionContext): ClientSettlementSpec {
  const { nonPayment } = input;
  const at = [...path, "nonPayment"];
  const shares = typeof nonPayment === "object"
    ? { dishonestShare: context.number("share", nonPayment.clients, [...at, "clients"]), nonPaymentShare: context.number("share", nonPayment.jobs, [...at, "jobs"]) }
    : { dishonestShare: 1, nonPaymentShare: context.number("share", nonPayment, at) };
  return {
    terms: input.settlement === undefined ? resolveTerms(market, ["settlement"], context) : resolveTerms(input.settlement, [...path, "settlement"], context),
    ...shares,
    channel: resolveChannel(input.channel, [...path, "channel"], context),
  };
}

export function resolveOperatorSettlement(input: OperatorInput, path: Path, context: SectionContext): OperatorSettlementSpec {
  return { nonDeliveryShare: context.number("share", input.nonDelivery, [...path, "nonDelivery"]), channel: resolveChannel(input.channel, [...path, "channel"], context) };
}

export function resolvePaymentSettlement(input: PaymentInput, path: Path, context: SectionContext): PaymentSettlementSpec {
  return {
    feeBearer: input.feeBearer,
    capitalPerYear: context.number("yearly share", input.capital, [...path, "capital"]),
    refundWithinUs: context.us(input.refundWithin, [...path, "refundWithin"]),
  };
}

export function resolveFeeTerms(input: FeeInput, path: Path, context: SectionContext): Pick<FeeTerms, "minMsat" | "maxMsat" | "bearer"> {
  const min = input.min === undefined ? undefined : context.number("money", input.min, [...path, "min"]);
  const max = input.max === undefined ? undefined : context.number("money", input.max, [...path, "max"]);
  if (min !== undefined && max !== undefined && min > max) context.finding({ path: [...path, "max"], found: describeValue(input.max), allowed: `at least min, ${describeValue(input.min)}` });
  return { ...(min === undefined ? {} : { minMsat: min }), ...(max === undefined ? {} : { maxMsat: max }), ...(input.bearer === "client" ? {} : { bearer: input.bearer }) };
}

/** Names of the arrangements that a scenario's classes use, one per class. */
export function arrangementOf({ terms }: ClientSettlementSpec): string {
  return terms === null ? "postpay" : terms.kind;
}
