import type { Message, PeerId } from "./messages.ts";

/** Who a message says it comes from, and the field that says so. */
export interface Author {
  readonly peer: PeerId;
  readonly field: string;
}

/**
 * The peer that a message itself names as its sender, or `undefined` where its content names none. An envelope whose
 * signer is another is refused: nobody describes another's node, orders in another's name or signs another's receipt.
 */
export function authorOf(message: Message): Author | undefined {
  switch (message.type) {
    case "descriptor":
    case "metering-receipt":
      return { peer: message.node, field: "node" };
    case "job":
    case "quote-request":
      return { peer: message.job.client, field: "job.client" };
    case "result":
      return { peer: message.receipt.node, field: "receipt.node" };
    case "payment-request":
      return { peer: message.payee, field: "payee" };
    case "payment-receipt":
      return { peer: message.payer, field: "payer" };
    default:
      return undefined;
  }
}
