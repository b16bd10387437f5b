import { open, seal } from "../../protocol/envelope.ts";
import type { Opened } from "../../protocol/envelope.ts";
import type { Message, PeerId } from "../../protocol/messages.ts";
import { ReplayGuard } from "../../protocol/replay-guard.ts";
import type { Signer } from "../../protocol/signer.ts";
import type { Clock } from "../clock.ts";
import { useFastestCurve } from "../native-curve.ts";
import { ENVELOPE_LIFETIME_S, REMEMBERED_IN_ALL, REMEMBERED_PER_SENDER } from "./limits.ts";

/** Seals what a peer sends and opens what is for it. */
export class Courier {
  readonly #signer: Signer;
  readonly #clock: Clock;
  readonly #replay: ReplayGuard;
  readonly #startS: number;

  /**
   * @param newKey nobody has sent anything to this key before. Otherwise envelopes made up to the present second are refused,
   * for the peer may have acted on them before it was started again: {@link ready} says when it can be reached.
   */
  constructor(signer: Signer, clock: Clock, newKey: boolean) {
    useFastestCurve();
    this.#signer = signer;
    this.#clock = clock;
    this.#startS = newKey ? -1 : clock.unixS;
    this.#replay = new ReplayGuard({ startS: this.#startS, maxIdsPerKey: REMEMBERED_PER_SENDER, maxIds: REMEMBERED_IN_ALL });
  }

  /** Resolves in the second after the start: from then on nothing honest is refused as old. */
  async ready(): Promise<void> {
    while (this.#clock.unixS <= this.#startS) await new Promise((resolve) => setTimeout(resolve, 20));
  }

  get self(): PeerId {
    return this.#signer.publicKey;
  }

  /** @returns an envelope, as JSON text. @throws RangeError where the message is not valid. */
  seal(to: PeerId, message: Message): string {
    return JSON.stringify(seal(message, { signer: this.#signer, to, nowS: this.#clock.unixS, expiresInS: ENVELOPE_LIFETIME_S }));
  }

  /** @param envelope JSON text, or the value that it stands for. */
  open(envelope: unknown): Opened {
    return open(envelope, { self: this.#signer.publicKey, nowS: this.#clock.unixS, replay: this.#replay });
  }

  /** To be called now and then: lets go of envelopes that have expired. */
  forget(): void {
    this.#replay.forget(this.#clock.unixS);
  }
}
