import { randomBytes } from "node:crypto";
import { z } from "zod";
import { nostrEvent } from "../../protocol/event.ts";
import { CLOCK_AHEAD_MAX_S, PROTOCOL_VERSION } from "../../protocol/limits.ts";
import { hex32 } from "../../protocol/messages.ts";
import type { PeerId } from "../../protocol/messages.ts";
import type { Signer } from "../../protocol/signer.ts";
import { answerChallenge, checkAnswer } from "./challenge.ts";

/*
 * How router and peer prove to each other who they are when a connection opens: each signs the other's challenge.
 *
 *     router -> peer    {"type":"challenge","version":2,"nonce":...,"audience":"router:KEY"}
 *     peer -> router    {"type":"answer","event":...,"nonce":...}    the event answers the router's nonce
 *     router -> peer    {"type":"welcome","event":...}               the event answers the peer's nonce, for "peer:KEY"
 */

/** An outcome, or one sentence for the other side. */
export type Proof<T> = ({ readonly ok: true } & T) | { readonly ok: false; readonly detail: string };

const challenge = z.strictObject({ type: z.literal("challenge"), version: z.int(), nonce: hex32, audience: z.string().max(128) });
const answer = z.strictObject({ type: z.literal("answer"), event: nostrEvent, nonce: hex32 });
const welcome = z.strictObject({ type: z.literal("welcome"), event: nostrEvent });

const routerAudience = (router: PeerId): string => `router:${router}`;
const peerAudience = (peer: PeerId): string => `peer:${peer}`;

/** 32 random bytes in hexadecimal. */
export const newNonce = (): string => randomBytes(32).toString("hex");

/** Router: the first frame. */
export function challengeFrame(nonce: string, router: PeerId): string {
  return JSON.stringify({ type: "challenge", version: PROTOCOL_VERSION, nonce, audience: routerAudience(router) });
}

/**
 * Peer: the answer to the first frame.
 * @param nonce the peer's own
 * @param router whom the peer meant to connect to
 */
export function answerFrame(frame: string, nonce: string, signer: Signer, router: PeerId, nowS: number): Proof<{ readonly frame: string }> {
  const asked = challenge.safeParse(parsed(frame));
  if (!asked.success) return refused("what answers there is no infernet router");
  const { version, nonce: theirs, audience } = asked.data;
  if (version !== PROTOCOL_VERSION) return refused(`the router speaks version ${version} of the protocol, this is version ${PROTOCOL_VERSION}`);
  if (audience !== routerAudience(router)) return refused(`another router answers there: ${audience}, not ${routerAudience(router)}`);
  const event = answerChallenge(signer, { nonce: theirs, audience }, nowS);
  return { ok: true, frame: JSON.stringify({ type: "answer", event, nonce }) };
}

/** Router: whose connection it is, and the last frame. @param nonce the router's own */
export function welcomeFrame(frame: string, nonce: string, signer: Signer, nowS: number): Proof<{ readonly peer: PeerId; readonly frame: string }> {
  const answered = answer.safeParse(parsed(frame));
  if (!answered.success) return refused("the challenge was not answered");
  const { event, nonce: theirs } = answered.data;
  const aheadS = event.created_at - nowS;
  if (Math.abs(aheadS) > CLOCK_AHEAD_MAX_S) {
    return refused(`your clock is ${Math.abs(aheadS)} s ${aheadS > 0 ? "ahead of" : "behind"} the router's; ${CLOCK_AHEAD_MAX_S} s are allowed`);
  }
  const proven = checkAnswer(event, { nonce, audience: routerAudience(signer.publicKey) }, nowS);
  if (!proven.ok) return proven;
  if (proven.peer === signer.publicKey) return refused("this is the router's own key");
  const proof = answerChallenge(signer, { nonce: theirs, audience: peerAudience(proven.peer) }, nowS);
  return { ok: true, peer: proven.peer, frame: JSON.stringify({ type: "welcome", event: proof }) };
}

/** Peer: whether the router is who it says. @param nonce the peer's own */
export function checkWelcome(frame: string, nonce: string, self: PeerId, router: PeerId, nowS: number): Proof<object> {
  const welcomed = welcome.safeParse(parsed(frame));
  if (!welcomed.success) return refused("the router did not say who it is");
  const proven = checkAnswer(welcomed.data.event, { nonce, audience: peerAudience(self) }, nowS);
  return proven.ok && proven.peer !== router ? refused("the router does not hold its key") : proven;
}

function parsed(frame: string): unknown {
  try {
    return JSON.parse(frame);
  } catch {
    return undefined;
  }
}

function refused(detail: string): { readonly ok: false; readonly detail: string } {
  return { ok: false, detail };
}
