import { authorOf } from "./author.ts";
import { canonicalJson } from "./canonical.ts";
import { contentBytesMax, mayBeSoLong, utf8BytesUpTo } from "./content-size.ts";
import { eventId, nostrEvent } from "./event.ts";
import type { NostrEvent } from "./event.ts";
import { CLOCK_AHEAD_MAX_S, ENVELOPE_BYTES_MAX, ENVELOPE_KIND, LIFETIME_MAX_S, PROTOCOL_VERSION } from "./limits.ts";
import { peerId } from "./messages.ts";
import type { ErrorCode, Message, PeerId } from "./messages.ts";
import { faultOf, parseMessage } from "./parse.ts";
import type { ReplayGuard, ReplayRefusal, Sighting } from "./replay-guard.ts";
import { verifySignature } from "./signer.ts";
import type { Signer } from "./signer.ts";

/** Tag that carries the protocol's version; its presence marks an event as this protocol's. */
const VERSION_TAG = "infernet";
/** Tag that tells like messages of one second apart. (NIP-13 has taken `nonce` for proof of work.) */
const NONCE_TAG = "salt";

export interface SealOptions {
  readonly signer: Signer;
  /** The one peer that is to act on the message. */
  readonly to: PeerId;
  /** The sender's clock: whole seconds since 1970 (UTC), or since the start of a simulated world. */
  readonly nowS: number;
  /** Seconds until the envelope expires, 1 to `LIFETIME_MAX_S`. */
  readonly expiresInS: number;
  /** Up to 128 characters that this sender has not used before in this second; the signer's next one if not given. */
  readonly nonce?: string;
}

export interface OpenOptions {
  /** The receiver. */
  readonly self: PeerId;
  /** The receiver's clock, as `SealOptions.nowS`. */
  readonly nowS: number;
  /** The receiver's memory of what it has acted on. */
  readonly replay: ReplayGuard;
}

/** An envelope's message and its proven sender, or why it must not be acted on. */
export type Opened =
  | { readonly ok: true; readonly from: PeerId; readonly id: string; readonly message: Message }
  | {
    readonly ok: false;
    readonly code: ErrorCode;
    /** Path of the offending field, in the message for `bad-message`, otherwise in the envelope; "" for the whole. */
    readonly field: string;
    /** One sentence for people, without any text from the message. */
    readonly detail: string;
  };

/**
 * Puts a message into a signed Nostr event (NIP-01, BIP-340) for one addressee (`p` tag), with an expiry (NIP-40), the
 * protocol's version and a nonce. The content is the message in canonical JSON (RFC 8785).
 *
 * @throws RangeError where the message is not valid, longer than its type allows, not the signer's own, or where a time
 * or the nonce is out of its range: all of them the sender's own mistakes
 */
export function seal(message: Message, options: SealOptions): NostrEvent {
  const { signer, to, nowS, expiresInS } = options;
  const parsed = parseMessage(message);
  if (!parsed.ok) throw new RangeError(`cannot seal an invalid message: ${parsed.detail}`);
  const author = authorOf(message);
  if (author !== undefined && author.peer !== signer.publicKey) throw new RangeError(`cannot seal a ${message.type} whose ${author.field} is not the signer`);
  if (!Number.isSafeInteger(expiresInS) || expiresInS < 1 || expiresInS > LIFETIME_MAX_S) {
    throw new RangeError(`an envelope lives from 1 to ${LIFETIME_MAX_S} whole seconds, not ${expiresInS}`);
  }
  if (!peerId.safeParse(to).success) throw new RangeError("the addressee is a public key of 64 lower-case hexadecimal digits");
  const content = canonicalJson(message);
  const limit = contentBytesMax(message.type);
  if (utf8BytesUpTo(content, limit) > limit) throw new RangeError(`a ${message.type} takes at most ${limit} bytes`);
  const unsigned = {
    pubkey: signer.publicKey,
    created_at: nowS,
    kind: ENVELOPE_KIND,
    tags: [["p", to], ["expiration", String(nowS + expiresInS)], [VERSION_TAG, String(PROTOCOL_VERSION)], [NONCE_TAG, options.nonce ?? signer.nextNonce()]],
    content,
  };
  const id = eventId(unsigned);
  const event = { id, ...unsigned, sig: signer.sign(id) };
  const shape = nostrEvent.safeParse(event);
  if (!shape.success) throw new RangeError(`cannot seal: ${faultOf(shape.error, event).detail}`);
  const fault = faultInTags(event);
  if (fault !== undefined) throw new RangeError(`cannot seal: ${fault.detail}`);
  return event;
}

/**
 * Opens an envelope: the message and its sender, if everything about it is right, and once only. Cheap checks come
 * first, the signature last but one, and the replay guard learns of the envelope only when all else is found right:
 * an envelope that is refused changes nothing.
 *
 * Never throws, whatever JSON text or value it is given.
 *
 * @param envelope a Nostr event, as JSON text or parsed
 */
export function open(envelope: unknown, options: OpenOptions): Opened {
  const { self, nowS, replay } = options;
  const read = readEvent(envelope);
  if (!read.ok) return read;
  const { event } = read;

  const tagFault = faultInTags(event);
  if (tagFault !== undefined) return tagFault;
  if (tagValue(event, "p") !== self) return refused("misaddressed", "tags", "The envelope is addressed to another peer.");

  const aheadS = event.created_at - nowS;
  if (aheadS > CLOCK_AHEAD_MAX_S) {
    return refused("bad-envelope", "created_at", `The envelope was made ${aheadS} s ahead of this clock; at most ${CLOCK_AHEAD_MAX_S} s are allowed.`);
  }
  if (eventId(event) !== event.id) return refused("bad-envelope", "id", "id is not the SHA-256 of the event's serialisation (NIP-01).");
  const sighting: Sighting = { from: event.pubkey, id: event.id, createdAtS: event.created_at, expiresAtS: Number(tagValue(event, "expiration")) };
  const refusal = replay.refusal(sighting, nowS);
  if (refusal !== undefined) return replayRefused(refusal);

  const content = readContent(event);
  if (!content.ok) return content;
  if (!verifySignature(event.sig, event.id, event.pubkey)) return refused("bad-signature", "sig", "sig is not the sender's signature of the event's id (BIP-340).");
  replay.admit(sighting, nowS);
  return { ok: true, from: event.pubkey, id: event.id, message: content.message };
}

type Refused = Opened & { readonly ok: false };

function refused(code: ErrorCode, field: string, detail: string): Refused {
  return { ok: false, code, field, detail };
}

const REPLAY_DETAILS: Readonly<Record<ReplayRefusal, readonly [field: string, detail: string]>> = {
  expired: ["tags", "The envelope has expired."],
  replayed: ["id", "The envelope was acted on before, or is older than what this receiver remembers."],
  "rate-limited": ["pubkey", "This receiver has no room for a further sender now."],
};

function replayRefused(refusal: ReplayRefusal): Refused {
  return refused(refusal, ...REPLAY_DETAILS[refusal]);
}

function readEvent(envelope: unknown): Refused | { readonly ok: true; readonly event: NostrEvent } {
  let value = envelope;
  if (typeof envelope === "string") {
    if (utf8BytesUpTo(envelope, ENVELOPE_BYTES_MAX) > ENVELOPE_BYTES_MAX) return refused("oversized", "", `An envelope takes at most ${ENVELOPE_BYTES_MAX} bytes.`);
    try {
      value = JSON.parse(envelope);
    } catch {
      return refused("bad-envelope", "", "The envelope is not JSON.");
    }
  }
  const shape = nostrEvent.safeParse(value);
  if (!shape.success) return { ok: false, code: "bad-envelope", ...faultOf(shape.error, value) };
  return { ok: true, event: shape.data };
}

/** The four tags, each once and with one value, and no other; the expiry after the making and not too far from it. */
function faultInTags(event: NostrEvent): Refused | undefined {
  if (event.kind !== ENVELOPE_KIND) return refused("bad-envelope", "kind", `kind must be ${ENVELOPE_KIND}; found ${event.kind}.`);
  const version = tagValue(event, VERSION_TAG);
  if (version !== undefined && version !== String(PROTOCOL_VERSION)) {
    return refused("unsupported-version", "tags", `The envelope is of another version of the protocol; this peer speaks version ${PROTOCOL_VERSION}.`);
  }
  for (const name of ["p", "expiration", VERSION_TAG, NONCE_TAG]) {
    if (tagValue(event, name) === undefined) return refused("bad-envelope", "tags", `tags must hold ["${name}", value] exactly once.`);
  }
  if (event.tags.length !== 4) return refused("bad-envelope", "tags", `tags must hold p, expiration, ${VERSION_TAG} and ${NONCE_TAG}, and no other.`);
  const expiration = tagValue(event, "expiration")!;
  const lifetimeS = Number(expiration) - event.created_at;
  if (!/^(0|[1-9][0-9]{0,15})$/.test(expiration) || lifetimeS < 1 || lifetimeS > LIFETIME_MAX_S) {
    return refused("bad-envelope", "tags", `expiration must be a whole second from 1 to ${LIFETIME_MAX_S} s after created_at.`);
  }
  return undefined;
}

/** The value of the tag with this name, where there is exactly one such tag and it has exactly one value. */
function tagValue(event: NostrEvent, name: string): string | undefined {
  let found: readonly string[] | undefined;
  for (const tag of event.tags) {
    if (tag[0] !== name) continue;
    if (found !== undefined) return undefined;
    found = tag;
  }
  return found?.length === 2 ? found[1] : undefined;
}

function readContent(event: NostrEvent): Refused | { readonly ok: true; readonly message: Message } {
  let value: unknown;
  try {
    value = JSON.parse(event.content);
  } catch {
    return refused("bad-message", "", "The content is not JSON.");
  }
  // Judging megabytes against the schemas takes long: whoever sends them shall not have it for a heartbeat.
  const type: unknown = typeof value === "object" && value !== null && "type" in value ? value.type : undefined;
  if (!mayBeSoLong(type, event.content.length)) return refused("oversized", "content", "The content is longer than any message of its type.");
  const parsed = parseMessage(value);
  if (!parsed.ok) return { ok: false, code: "bad-message", field: parsed.field, detail: parsed.detail };
  const { message } = parsed;
  const limit = contentBytesMax(message.type);
  if (utf8BytesUpTo(event.content, limit) > limit) return refused("oversized", "content", `A ${message.type} takes at most ${limit} bytes.`);
  // One message, one text: no duplicate keys or other spellings that two implementations could read differently.
  if (canonicalJson(message) !== event.content) return refused("bad-message", "", "The content is not in canonical form (RFC 8785).");
  const author = authorOf(message);
  if (author !== undefined && author.peer !== event.pubkey) return refused("bad-message", author.field, `${author.field} must be the envelope's sender.`);
  return { ok: true, message };
}
