import { z } from "zod";
import { oneOf } from "../../input/fields.ts";
import { positiveDuration, positiveTokens } from "../../input/quantities.ts";
import type { PathPart } from "../../input/path-part.ts";
import { quoted } from "../../input/problem.ts";
import { ESCROW_PARTS_MAX } from "../../protocol/messages.ts";
import type { PeerId } from "../../protocol/messages.ts";
import { decodePublicKey } from "../../protocol/keys.ts";
import type { SettlementPlan } from "../../scheduler/settlement/plan.ts";
import type { Reading } from "./read.ts";

/** What files of settings have in common: how it is written, and how it is read. */

export const host = z.string().min(1).max(253);
export const port = z.int().min(0).max(65_535);
export const file = z.string().min(1).max(4_096);
export const region = z.string().regex(/^[a-z0-9-]{1,32}$/).meta({ title: "a region: lower-case letters, digits and hyphens" });
export const model = z.string().regex(/^[A-Za-z0-9._:/-]{1,128}$/).meta({ title: "a model's name such as llama-3.1-8b:q4_k_m" });
export const publicKey = z.string().regex(/^(?:npub1[02-9ac-hj-np-z]{58}|[0-9a-f]{64})$/).meta({ title: "a public key: npub1... or 64 hexadecimal digits" });
export const socketUrl = z.string().max(2_048).regex(/^wss?:\/\/[^\s/?#]+(?:\/[^\s?#]*)?$/).meta({ title: "an address such as ws://127.0.0.1:7700 or wss://router.example" });
export const httpUrl = z.string().max(2_048).regex(/^https?:\/\/[^\s/?#]+(?:\/[^\s?#]*)?$/).meta({ title: "an address such as http://127.0.0.1:8080" });

const ledgerUrl = z.string().max(2_048).regex(/^wss?:\/\/[^\s/?#]+(?:\/[^\s?#]*)?(?:#[0-9a-f]{64})?$/).meta({ title: "an address such as ws://127.0.0.1:7800" });

/** A router as nodes and clients name it. */
export const router = z.strictObject({
  url: socketUrl.describe("Where it listens."),
  key: publicKey.describe("Its public key, as `infernet keygen` and the router itself print it: who answers there must prove to hold it."),
});

/** The wallet of a live peer. */
export const wallet = z.union([z.literal("none"), z.strictObject({
  ledger: ledgerUrl.describe("Where a ledger of play money listens, as `infernet ledger` prints it; with `#` and the ledger's id, no other ledger will do. The account is the peer's own key."),
})]);

/** Where the numbers of a process are to be seen. */
export const metrics = z.union([z.literal("none"), z.strictObject({
  host: host.default("127.0.0.1").describe("Address to listen on."),
  port: port.describe("Port to listen on; 0: any that is free."),
})]).default("none").describe("Prometheus metrics over HTTP, at /metrics.");

export const logLevel = z.enum(["silent", "error", "warn", "info", "debug"]).default("info").describe("How much is logged, as JSON lines on stderr. Prompts and outputs never are.");

const payWithin = positiveDuration.default("10s").describe("Time from a node's call for payment until the money has to be there.");
/** How a client's jobs are paid. */
export const settlement = oneOf({
  prepay: z.strictObject({ payWithin }).describe("The most that the job can cost, before work; the node pays back what was not used."),
  escrow: z.strictObject({
    payWithin,
    timeout: positiveDuration.default("10min").describe("What the node has neither taken nor released goes back after so long."),
    parts: z.int().min(1).max(ESCROW_PARTS_MAX).default(1).describe("Hold invoices that the amount is spread over."),
  }).describe("The most that the job can cost is locked before work; the node takes what it earned after delivery."),
  streaming: z.strictObject({
    payWithin,
    every: positiveTokens.default(256).describe("Output tokens paid for at a time, before they are handed out."),
    stall: positiveDuration.default("1min").describe("The client stops where what it has paid for has not come after so long."),
  }).describe("Chunk by chunk: neither side is ever exposed to more than the price of one chunk."),
}, ["postpay", "prepay", "escrow", "streaming"]).default("postpay").describe("How jobs are paid. postpay: after the result.");

/** Where a wallet's money is; null: there is none. */
export type WalletSettings = { readonly ledgerUrl: string } | null;
/** Where metrics are served; null: nowhere. */
export type MetricsSettings = { readonly host: string; readonly port: number } | null;
export interface RouterAddress {
  readonly url: string;
  readonly key: PeerId;
}

export function readWallet(value: z.output<typeof wallet>): WalletSettings {
  return value === "none" ? null : { ledgerUrl: value.ledger };
}

export function readMetrics(value: z.output<typeof metrics>): MetricsSettings {
  return value === "none" ? null : value;
}

export function readRouter({ wrong }: Reading<unknown>, { url, key }: z.output<typeof router>, at: readonly PathPart[]): RouterAddress {
  try {
    return { url, key: decodePublicKey(key) };
  } catch {
    wrong({ path: [...at, "key"], found: `${quoted(key)}, whose checksum is wrong`, allowed: "a public key: npub1... or 64 hexadecimal digits" });
    return { url, key: "" };
  }
}

/** @returns undefined: after the result */
export function readSettlement({ number }: Pick<Reading<unknown>, "number">, value: z.output<typeof settlement>, at: readonly PathPart[]): SettlementPlan | undefined {
  if (value === "postpay") return undefined;
  // The bare word stands for its defaults.
  if (typeof value === "string") return readSettlement({ number }, settlement.parse({ [value]: {} }), at);
  const us = (duration: unknown, ...path: string[]): number => number("duration", duration, [...at, ...path]);
  if ("prepay" in value) return { kind: "prepay", payWithinUs: us(value.prepay.payWithin, "prepay", "payWithin") };
  if ("escrow" in value) {
    const { payWithin: within, timeout, parts } = value.escrow;
    return { kind: "escrow", payWithinUs: us(within, "escrow", "payWithin"), timeoutUs: us(timeout, "escrow", "timeout"), parts };
  }
  const { payWithin: within, every, stall } = value.streaming;
  return { kind: "streaming", payWithinUs: us(within, "streaming", "payWithin"), everyTokens: number("tokens", every, [...at, "streaming", "every"]), stallUs: us(stall, "streaming", "stall") };
}
