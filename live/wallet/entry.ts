import { z } from "zod";
import { hex32, msat, peerId } from "../../protocol/messages.ts";

/** Why a payment came to nothing, at its payer. */
export const failReason = z.enum([
  "insufficient-balance", "payee-offline", "invoice-expired", "wrong-amount", "paid-already", "released", "escrow-timeout", "busy", "wallet-offline",
]);
export type FailReason = z.infer<typeof failReason>;

/** Why a payee does not take a payment. */
export const payeeReason = failReason.extract(["invoice-expired", "wrong-amount", "paid-already", "released"]);
export type PayeeReason = z.infer<typeof payeeReason>;

/** A payment's name, chosen at random by the payer's wallet: 32 hexadecimal digits. */
export const paymentId = z.string().regex(/^[0-9a-f]{32}$/);

/** The ledger's own number of a payment, from 1. */
export const paymentNumber = z.int().min(1).max(Number.MAX_SAFE_INTEGER);

/** Milliseconds since 1970. */
const unixMs = z.int().min(0).max(Number.MAX_SAFE_INTEGER);

const locked = {
  payment: paymentNumber, id: paymentId, payer: peerId, payee: peerId, amountMsat: msat, feeMsat: msat, paymentHash: hex32,
  showPayer: z.boolean(), untilMs: unixMs,
};

/** What happened, in the order in which it happened: the ledger is what its entries make of it, and nothing else. */
export const entry = z.discriminatedUnion("entry", [
  /** An account with its opening credit. */
  z.strictObject({ entry: z.literal("open"), atMs: unixMs, account: peerId, creditMsat: msat }),
  /** An account that is as it was opened, and whose wallet has gone: its key would open the same again. */
  z.strictObject({ entry: z.literal("close"), atMs: unixMs, account: peerId }),
  /** The payer's money is locked, and the payee asked for the preimage. */
  z.strictObject({ entry: z.literal("lock"), atMs: unixMs, ...locked }),
  /** The payee keeps the payment locked for now. */
  z.strictObject({ entry: z.literal("hold"), atMs: unixMs, payment: paymentNumber, untilMs: unixMs }),
  /** The payee has given the preimage: the money is the payee's. */
  z.strictObject({ entry: z.literal("settle"), atMs: unixMs, payment: paymentNumber, preimage: hex32 }),
  /** The money is the payer's again. */
  z.strictObject({ entry: z.literal("fail"), atMs: unixMs, payment: paymentNumber, reason: failReason }),
  /** One side knows how the payment ended, or will not be told any more; once that holds of both, it is forgotten. */
  z.strictObject({ entry: z.literal("known"), atMs: unixMs, payment: paymentNumber, by: z.enum(["payer", "payee"]) }),
  /** In place of all that was before: an account as it stands, ... */
  z.strictObject({ entry: z.literal("account"), account: peerId, creditMsat: msat, balanceMsat: msat }),
  /** ... what fees have come in, and the number of the next payment, ... */
  z.strictObject({ entry: z.literal("sums"), feesMsat: msat, nextPayment: paymentNumber }),
  /** ... and a payment that is not forgotten. */
  z.strictObject({
    entry: z.literal("payment"), ...locked, state: z.enum(["offered", "held", "settled", "failed"]), reason: failReason.nullable(), preimage: hex32.nullable(),
    payerKnows: z.boolean(), payeeKnows: z.boolean(),
  }),
]);
export type Entry = z.infer<typeof entry>;
