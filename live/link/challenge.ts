import { eventId, nostrEvent } from "../../protocol/event.ts";
import type { NostrEvent, UnsignedEvent } from "../../protocol/event.ts";
import type { PeerId } from "../../protocol/messages.ts";
import { verifySignature } from "../../protocol/signer.ts";
import type { Signer } from "../../protocol/signer.ts";

/** Nostr event kind of an answer to a challenge, as clients prove themselves to relays (NIP-42). */
export const ANSWER_KIND = 22_242;
/** An answer made longer ago, or further ahead, than this by the server's clock is refused, seconds (NIP-42 says about ten minutes). */
export const ANSWER_AGE_MAX_S = 600;

/** What a server asks of a new connection, before it takes anything else from it. */
export interface Challenge {
  /** 64 hexadecimal digits, new and random for each connection. */
  readonly nonce: string;
  /**
   * Whom the answer is for, such as `router:<public key>`: the connecting side checks that it is whom it meant, so that a
   * server cannot pass another's challenge on and speak in its client's name. Up to 128 characters.
   */
  readonly audience: string;
}

/** Who answered, or one sentence on what is wrong with the answer. */
export type Answered = { readonly ok: true; readonly peer: PeerId } | { readonly ok: false; readonly detail: string };

/**
 * Signs a server's challenge (NIP-42's event, with the audience in the place of the relay's address).
 *
 * @param nowS seconds since 1970
 */
export function answerChallenge(signer: Signer, { nonce, audience }: Challenge, nowS: number): NostrEvent {
  const unsigned: UnsignedEvent = {
    pubkey: signer.publicKey, created_at: nowS, kind: ANSWER_KIND, tags: [["relay", audience], ["challenge", nonce]], content: "",
  };
  const id = eventId(unsigned);
  return { id, ...unsigned, sig: signer.sign(id) };
}

/** Checks an answer: right in form, to this challenge, made about now, and signed by the key that it names. Never throws. */
export function checkAnswer(answer: unknown, { nonce, audience }: Challenge, nowS: number): Answered {
  const shape = nostrEvent.safeParse(answer);
  if (!shape.success) return refused("the answer is not a Nostr event");
  const event = shape.data;
  const [relay, challenge, ...others] = event.tags;
  if (event.kind !== ANSWER_KIND || event.content !== "" || others.length > 0) return refused(`an answer is an empty event of kind ${ANSWER_KIND} with two tags`);
  if (!isTag(relay, "relay", audience)) return refused("the answer is for another server");
  if (!isTag(challenge, "challenge", nonce)) return refused("the answer is to another challenge");
  if (Math.abs(event.created_at - nowS) > ANSWER_AGE_MAX_S) return refused(`the answer was made ${event.created_at - nowS} s from this clock's time`);
  if (eventId(event) !== event.id) return refused("id is not the SHA-256 of the event's serialisation (NIP-01)");
  if (!verifySignature(event.sig, event.id, event.pubkey)) return refused("sig is not the sender's signature of the event's id (BIP-340)");
  return { ok: true, peer: event.pubkey };
}

function isTag(tag: readonly string[] | undefined, name: string, value: string): boolean {
  return tag !== undefined && tag.length === 2 && tag[0] === name && tag[1] === value;
}

function refused(detail: string): Answered {
  return { ok: false, detail };
}
