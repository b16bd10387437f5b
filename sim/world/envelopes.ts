import { open, seal } from "../../protocol/envelope.ts";
import type { ErrorCode, Message, PeerId } from "../../protocol/messages.ts";
import { parseMessage } from "../../protocol/parse.ts";
import { ReplayGuard } from "../../protocol/replay-guard.ts";
import { Signer } from "../../protocol/signer.ts";

/** What travels: the message as it is, or its sealed envelope as JSON text. */
export type Parcel = Message | string;

/** What happens to messages between two peers, known by their index: nothing, a check, or a real signature and its proof. */
export interface Envelopes {
  /** @param departUs when it leaves, µs. */
  seal(from: number, to: PeerId, message: Message, departUs: number): Parcel;
  /** @returns the message, or null where it must not reach the receiver. */
  open(to: number, from: PeerId, parcel: Parcel, nowUs: number): Message | null;
}

/** Passes messages as they are. */
export const plainEnvelopes: Envelopes = {
  seal: (_from, _to, message) => message,
  open: (_to, _from, parcel) => parcel as Message,
};

/**
 * Passes messages as they are, each checked against the protocol's schemas.
 * @throws Error where a participant sends what the protocol does not allow: a fault of the program.
 */
export const checkedEnvelopes: Envelopes = {
  seal(_from, _to, message) {
    const parsed = parseMessage(message);
    if (!parsed.ok) throw new Error(`a participant sends a ${message.type} that the protocol does not allow: ${parsed.detail}`);
    return message;
  },
  open: plainEnvelopes.open,
};

/** A second for the clock of envelopes, and how long one lives there. */
const US_PER_S = 1_000_000;
const LIFETIME_S = 600;

/** Seals every message into a signed event and opens it as a live peer would: schema, addressee, expiry, replay, signature. */
export class SignedEnvelopes implements Envelopes {
  readonly #ids: readonly PeerId[];
  readonly #signers: Signer[];
  readonly #guards: ReplayGuard[];
  readonly #onRefused: ((code: ErrorCode) => void) | undefined;

  /**
   * @param secretKeys 32 bytes each, in the order of the peers' indexes.
   * @param onRefused told of every envelope that is refused; without it a refusal is a fault of the program, for all peers
   * are honest.
   */
  constructor(secretKeys: readonly Uint8Array[], onRefused?: (code: ErrorCode) => void) {
    this.#onRefused = onRefused;
    this.#signers = secretKeys.map((key) => new Signer(key));
    this.#ids = this.#signers.map((signer) => signer.publicKey);
    this.#guards = secretKeys.map(() => new ReplayGuard({ maxKeys: Math.max(16, secretKeys.length), maxIdsPerKey: 65_536 }));
  }

  seal(from: number, to: PeerId, message: Message, departUs: number): string {
    return JSON.stringify(seal(message, { signer: this.#signers[from]!, to, nowS: Math.floor(departUs / US_PER_S), expiresInS: LIFETIME_S }));
  }

  /** @throws Error where an envelope is refused and nobody wants to be told. */
  open(to: number, from: PeerId, parcel: Parcel, nowUs: number): Message | null {
    const opened = open(parcel, { self: this.#ids[to]!, nowS: Math.floor(nowUs / US_PER_S), replay: this.#guards[to]! });
    if (opened.ok && opened.from === from) return opened.message;
    const code = opened.ok ? "bad-signature" : opened.code;
    if (this.#onRefused === undefined) {
      throw new Error(`an envelope between honest peers was refused: ${code}, ${opened.ok ? `it was opened as one of ${opened.from} instead of ${from}` : opened.detail}`);
    }
    this.#onRefused(code);
    return null;
  }
}
