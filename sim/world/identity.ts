import { sha256Hex } from "../../protocol/canonical.ts";
import { publicKeyOf as curvePublicKey } from "../../protocol/keys.ts";
import type { PeerId } from "../../protocol/messages.ts";
import { hexToBytes } from "@noble/hashes/utils.js";

/**
 * Secret key of a simulated peer: 32 bytes, derived from the run's seed and the peer's name, so that it is
 * the same in every run of the scenario. Worth nothing outside a simulation.
 */
export function secretKeyOf(seed: number, name: string): Uint8Array {
  return hexToBytes(sha256Hex(`infernet-lab/secret/${seed}/${name}`));
}

/** A peer id for runs that sign nothing: looks like a public key, costs a hash instead of a curve multiplication. */
export function peerIdOf(seed: number, name: string): PeerId {
  return flat(sha256Hex(`infernet-lab/peer/${seed}/${name}`));
}

/** The peer's real public key (BIP-340, x-only), hexadecimal. */
export function publicKeyOf(seed: number, name: string): PeerId {
  return flat(curvePublicKey(secretKeyOf(seed, name)));
}

/**
 * The same text as the engine keeps names of properties: one copy, in one piece. Hexadecimal that was put together byte by byte
 * stays a tree of pieces, and comparing two of those takes a call out of compiled code.
 */
function flat(text: string): string {
  return Object.keys({ [text]: 0 })[0]!;
}
