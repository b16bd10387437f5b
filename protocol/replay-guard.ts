import type { PeerId } from "./messages/scalars.ts";

/** What a replay guard knows an envelope by. Times in whole seconds. */
export interface Sighting {
  readonly from: PeerId;
  /** The event id. */
  readonly id: string;
  readonly createdAtS: number;
  /** From this second on the envelope is refused as expired. */
  readonly expiresAtS: number;
}

export interface ReplayGuardOptions {
  /** Most senders remembered at once; 4,096 if not given. */
  readonly maxKeys?: number;
  /**
   * Most envelopes remembered per sender; 4,096 if not given. A sender within it for as long as its envelopes live loses
   * none. An envelope takes some 170 bytes.
   */
  readonly maxIdsPerKey?: number;
  /**
   * Envelopes remembered in all, beyond which each sender has an even share of them, where that is less; no bound if not given.
   * Those that have less than their share then may still fill it: there are never twice as many.
   */
  readonly maxIds?: number;
  /**
   * Envelopes made in this second or earlier are refused. A receiver that restarts has forgotten what it saw, and passes
   * the present time. -1, the default, refuses none.
   */
  readonly startS?: number;
}

/** Why a guard turns an envelope down. `rate-limited`: it has no room for a further sender until others' envelopes expire. */
export type ReplayRefusal = "replayed" | "expired" | "rate-limited";

interface Sender {
  /** By event id, in the order of arrival. */
  readonly seen: Map<string, Pick<Sighting, "createdAtS" | "expiresAtS">>;
  /** Nothing made in this second or earlier is taken any more: something of that age was forgotten before it expired. */
  watermarkS: number;
  /** From this second on, every envelope ever taken from this sender has expired. */
  quietAtS: number;
}

/**
 * Remembers whose envelopes were acted on, so that none is acted on twice, in bounded memory: at most `maxKeys` senders
 * and `maxIdsPerKey` envelopes of each, and of all together about `maxIds`. What is forgotten stays refused, by one of three
 * means: it has expired; or the sender's watermark has passed it; or, for a sender forgotten as a whole, everything it sent
 * has expired.
 *
 * No sender can make the guard forget or refuse another's envelopes, save by filling it: with senders, which locks out
 * newcomers and nobody else; with envelopes, which leaves each an even share of the room.
 */
export class ReplayGuard {
  readonly #maxKeys: number;
  readonly #maxIdsPerKey: number;
  readonly #maxIds: number;
  readonly #startS: number;
  /** Envelopes remembered, of all senders together. */
  #ids = 0;
  readonly #senders = new Map<PeerId, Sender>();
  /** The latest time seen. A clock that is set back must not bring expired envelopes back to life. */
  #latestS = -1;
  /** No sender falls quiet before this second. A lower bound: it is made exact when it comes to matter. */
  #nextQuietS = Infinity;

  /** @throws RangeError where a bound is not a whole number of at least 1 */
  constructor(options: ReplayGuardOptions = {}) {
    this.#maxKeys = options.maxKeys ?? 4_096;
    this.#maxIdsPerKey = options.maxIdsPerKey ?? 4_096;
    this.#maxIds = options.maxIds ?? Number.MAX_SAFE_INTEGER;
    this.#startS = options.startS ?? -1;
    for (const bound of [this.#maxKeys, this.#maxIdsPerKey, this.#maxIds]) {
      if (!Number.isSafeInteger(bound) || bound < 1) throw new RangeError(`a replay guard's bounds are whole numbers from 1, not ${bound}`);
    }
  }

  /** Senders remembered: at most `maxKeys`. */
  get keys(): number {
    return this.#senders.size;
  }

  /** Envelopes remembered in all. */
  get ids(): number {
    return this.#ids;
  }

  /** Envelopes remembered of one sender: at most `maxIdsPerKey`. */
  idsOf(from: PeerId): number {
    return this.#senders.get(from)?.seen.size ?? 0;
  }

  /** Why this envelope would be turned down now, or `undefined` where it would be taken. Changes nothing. */
  refusal(sighting: Sighting, nowS: number): ReplayRefusal | undefined {
    const clockS = Math.max(nowS, this.#latestS);
    if (sighting.expiresAtS <= clockS) return "expired";
    const sender = this.#senders.get(sighting.from);
    if (sighting.createdAtS <= (sender?.watermarkS ?? this.#startS)) return "replayed";
    if (sender !== undefined) return sender.seen.has(sighting.id) ? "replayed" : undefined;
    return this.#senders.size < this.#maxKeys || this.#anyQuiet(clockS) ? undefined : "rate-limited";
  }

  /**
   * Takes the envelope and remembers it, or says why not. To be called once everything else about it, its signature above
   * all, was found right: whoever can make the guard remember can make it forget.
   *
   * @returns `undefined` where it was taken
   */
  admit(sighting: Sighting, nowS: number): ReplayRefusal | undefined {
    const refusal = this.refusal(sighting, nowS);
    if (refusal !== undefined) return refusal;
    this.#latestS = Math.max(nowS, this.#latestS);
    const sender = this.#senders.get(sighting.from) ?? this.#newSender(sighting.from);
    this.#forgetExpired(sender);
    while (sender.seen.size >= this.#share) this.#forgetOldest(sender);
    const { createdAtS, expiresAtS } = sighting;
    sender.seen.set(sighting.id, { createdAtS, expiresAtS });
    this.#ids++;
    sender.quietAtS = Math.max(sender.quietAtS, sighting.expiresAtS);
    this.#nextQuietS = Math.min(this.#nextQuietS, sender.quietAtS);
    return undefined;
  }

  /**
   * Lets go of what has expired: without it a sender's is kept until its next envelope, or until there is no room for another
   * sender. Changes nothing of what is taken and what is not.
   */
  forget(nowS: number): void {
    this.#latestS = Math.max(nowS, this.#latestS);
    for (const sender of this.#senders.values()) this.#forgetExpired(sender);
    this.#forgetQuiet();
  }

  /** How many envelopes a sender may have. */
  get #share(): number {
    return this.#ids < this.#maxIds ? this.#maxIdsPerKey : Math.max(1, Math.min(this.#maxIdsPerKey, Math.floor(this.#maxIds / this.#senders.size)));
  }

  #newSender(from: PeerId): Sender {
    if (this.#senders.size >= this.#maxKeys) this.#forgetQuiet();
    const sender: Sender = { seen: new Map(), watermarkS: this.#startS, quietAtS: 0 };
    this.#senders.set(from, sender);
    return sender;
  }

  // Looks through all senders once a second at most: afterwards the bound is exact, and lies in the future or is taken.
  #anyQuiet(clockS: number): boolean {
    if (this.#nextQuietS > clockS) return false;
    this.#nextQuietS = Infinity;
    for (const sender of this.#senders.values()) this.#nextQuietS = Math.min(this.#nextQuietS, sender.quietAtS);
    return this.#nextQuietS <= clockS;
  }

  #forgetQuiet(): void {
    for (const [from, sender] of this.#senders) {
      if (sender.quietAtS > this.#latestS) continue;
      this.#ids -= sender.seen.size;
      this.#senders.delete(from);
    }
  }

  #forgetExpired({ seen }: Sender): void {
    for (const [id, { expiresAtS }] of seen) {
      if (expiresAtS > this.#latestS) return;
      seen.delete(id);
      this.#ids--;
    }
  }

  #forgetOldest(sender: Sender): void {
    for (const [id, { createdAtS }] of sender.seen) {
      sender.seen.delete(id);
      this.#ids--;
      sender.watermarkS = Math.max(sender.watermarkS, createdAtS);
      return;
    }
  }
}
