import { z } from "zod";
import { durationUs, hex32, msat, peerId } from "../../protocol/messages.ts";
import { label } from "../../protocol/text.ts";
import { failReason, payeeReason, paymentId, paymentNumber } from "./entry.ts";

/** Longest frame between a wallet and the ledger, bytes. */
export const FRAME_BYTES_MAX = 4_096;

/** What a wallet says to the ledger, once it has shown whose it is. All of it can be said again without harm. */
export const walletMessage = z.discriminatedUnion("type", [
  /** Pay this, or say what became of the payment of this name. */
  z.strictObject({ type: z.literal("pay"), id: paymentId, payee: peerId, amountMsat: msat, paymentHash: hex32, showPayer: z.boolean() }),
  /** Answers to `incoming`: take it with this preimage, ... */
  z.strictObject({ type: z.literal("settle"), payment: paymentNumber, preimage: hex32 }),
  /** ... keep it locked for so long, ... */
  z.strictObject({ type: z.literal("hold"), payment: paymentNumber, timeoutUs: durationUs.min(1) }),
  /** ... or give it back. */
  z.strictObject({ type: z.literal("fail"), payment: paymentNumber, reason: payeeReason }),
  /** This wallet knows how its payments ended: the ledger may forget them. */
  z.strictObject({ type: z.literal("known"), outgoing: z.array(paymentId).max(64), incoming: z.array(paymentNumber).max(64) }),
]);
export type WalletMessage = z.infer<typeof walletMessage>;

/** What the ledger says to a wallet. Balances are what the wallet could pay at that moment. */
export const ledgerMessage = z.discriminatedUnion("type", [
  /** Sign this first (`live/link/challenge.ts`). */
  z.strictObject({ type: z.literal("challenge"), nonce: hex32, audience: label(128) }),
  z.strictObject({ type: z.literal("welcome"), balanceMsat: msat, feeBaseMsat: msat, feePpm: z.int().min(0) }),
  /** The state of a payment of this wallet's: locked (`offered`), or how it ended. */
  z.strictObject({ type: z.literal("outgoing"), id: paymentId, state: z.enum(["offered", "settled", "failed"]), preimage: hex32.nullable(), reason: failReason.nullable(), balanceMsat: msat }),
  /** The state of a payment to this wallet; `offered` asks for an answer. */
  z.strictObject({
    type: z.literal("incoming"), payment: paymentNumber, state: z.enum(["offered", "held", "settled", "failed"]), paymentHash: hex32, amountMsat: msat,
    payer: peerId.nullable().describe("who pays, where the payer lets that be known"), balanceMsat: msat,
  }),
]);
export type LedgerMessage = z.infer<typeof ledgerMessage>;
