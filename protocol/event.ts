import { z } from "zod";
import { sha256Hex } from "./canonical.ts";
import { CONTENT_BYTES_MAX } from "./limits.ts";
import { hex32, peerId } from "./messages/scalars.ts";
import { jsonText, label } from "./text.ts";

/** Seconds since 1970-01-01T00:00:00Z, as Nostr counts time: 0 to 2^53 - 1. */
const unixSeconds = z.int().min(0).max(Number.MAX_SAFE_INTEGER);

/**
 * A Nostr event (NIP-01), and nothing beside its seven fields.
 *
 * The limits on tags are this protocol's own. Neither tags nor content may hold raw control characters: NIP-01 would put
 * most of them verbatim into the text that is hashed, JSON libraries escape them, and the ids would differ.
 */
export const nostrEvent = z.strictObject({
  id: hex32.describe("SHA-256 of the event's serialisation (NIP-01)"),
  pubkey: peerId.describe("the sender"),
  created_at: unixSeconds.describe("when the sender made it, in seconds since 1970 (UTC)"),
  kind: z.int().min(0).max(65_535),
  tags: z.array(z.array(label(128)).min(1).max(4)).max(16),
  content: jsonText(CONTENT_BYTES_MAX).describe("the message in canonical JSON (RFC 8785)"),
  sig: z.string().regex(/^[0-9a-f]{128}$/).describe("BIP-340 signature of the id, in hexadecimal"),
}).meta({ id: "Envelope", description: "a signed Nostr event (NIP-01) that carries one message" });
export type NostrEvent = z.infer<typeof nostrEvent>;

/** What is hashed and signed: an event before it has its id and signature. */
export type UnsignedEvent = Omit<NostrEvent, "id" | "sig">;

/** The text whose SHA-256 in UTF-8 is the event's id (NIP-01). */
export function serializeEvent(event: UnsignedEvent): string {
  return JSON.stringify([0, event.pubkey, event.created_at, event.kind, event.tags, event.content]);
}

/** The event's id: 64 lower-case hexadecimal digits. */
export function eventId(event: UnsignedEvent): string {
  return sha256Hex(serializeEvent(event));
}
