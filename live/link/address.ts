import type { PeerId } from "../../protocol/messages.ts";

/** What the outside of an envelope says: whose it is, and for whom. Nothing of it is proven. */
export interface Address {
  readonly from: PeerId;
  readonly to: PeerId;
}

/** Reads the outside of a parsed envelope; undefined where it is none. */
export function addressOf(envelope: unknown): Address | undefined {
  if (typeof envelope !== "object" || envelope === null) return undefined;
  const { pubkey, tags } = envelope as { readonly pubkey?: unknown; readonly tags?: unknown };
  if (typeof pubkey !== "string" || !Array.isArray(tags)) return undefined;
  for (const tag of tags as readonly unknown[]) {
    if (Array.isArray(tag) && tag[0] === "p") return typeof tag[1] === "string" ? { from: pubkey, to: tag[1] } : undefined;
  }
  return undefined;
}
