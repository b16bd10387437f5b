/**
 * Everything that crosses the wire: zod schemas, and the types derived from them. The JSON Schema in
 * `protocol.schema.json` is derived from the same source and accepts exactly the same values.
 *
 * @packageDocumentation
 */
import { z } from "zod";
import { meteringReceipt, result, tokenChunk } from "./messages/delivery.ts";
import { dispute, errorMessage } from "./messages/faults.ts";
import { cancel, job, quoteRequest } from "./messages/job.ts";
import { accept, award, bid, callForBids, marketState, quote, refuse } from "./messages/market.ts";
import { descriptor, heartbeat } from "./messages/node.ts";
import { paymentReceipt, paymentRequest } from "./messages/payment.ts";
import { paymentCall } from "./messages/settlement.ts";

export * from "./messages/choice.ts";
export * from "./messages/delivery.ts";
export * from "./messages/faults.ts";
export * from "./messages/job.ts";
export * from "./messages/market.ts";
export * from "./messages/node.ts";
export * from "./messages/payment.ts";
export * from "./messages/prices.ts";
export * from "./messages/scalars.ts";
export * from "./messages/settlement.ts";

/** Any message; `type` tells which. Fields that a message does not know are refused. */
export const message = z.discriminatedUnion("type", [
  descriptor, heartbeat, quoteRequest, quote, callForBids, bid, marketState, job, award, accept, refuse, tokenChunk, result,
  meteringReceipt, paymentRequest, paymentCall, paymentReceipt, cancel, dispute, errorMessage,
]);
/** Everything that crosses the wire. */
export type Message = z.infer<typeof message>;
export type MessageType = Message["type"];
