import type { PeerId } from "../../protocol/messages.ts";
import type { Clock } from "../clock.ts";
import type { LinkLimits } from "./limits.ts";

interface Pigeonhole {
  readonly untilUs: number;
  readonly frames: (string | Buffer)[];
  bytes: number;
}

/**
 * Keeps what is for peers whose connection went down, for a while and within bounds. At first everyone counts as such: when a
 * router has been started again, a node is often back before the client that it has something for.
 */
export class Away {
  readonly #clock: Clock;
  readonly #limits: LinkLimits;
  readonly #holes = new Map<PeerId, Pigeonhole>();
  readonly #startUs: number;
  #bytes = 0;

  constructor(clock: Clock, limits: LinkLimits) {
    this.#clock = clock;
    this.#limits = limits;
    this.#startUs = clock.nowUs;
  }

  /** Peers that are waited for. */
  get peers(): number {
    return this.#holes.size;
  }

  /** Bytes that are kept. */
  get bytes(): number {
    return this.#bytes;
  }

  isExpected(peer: PeerId): boolean {
    return this.#holes.has(peer) || this.#clock.nowUs - this.#startUs < this.#limits.awayMs * 1_000;
  }

  /** From now on this peer is waited for. */
  expect(peer: PeerId): void {
    this.take(peer);
    if (this.#holes.size >= this.#limits.connections) return;
    this.#holes.set(peer, { untilUs: this.#clock.nowUs + this.#limits.awayMs * 1_000, frames: [], bytes: 0 });
  }

  /** Keeps a frame for a peer that is waited for. False where it is not, or where there is no room. */
  keep(peer: PeerId, frame: string | Buffer): boolean {
    if (!this.#holes.has(peer) && this.isExpected(peer)) this.expect(peer);
    const hole = this.#holes.get(peer);
    const { awayMessages, awayBytes, awayBytesInAll } = this.#limits;
    if (hole === undefined || hole.frames.length >= awayMessages || hole.bytes + frame.length > awayBytes || this.#bytes + frame.length > awayBytesInAll) return false;
    hole.frames.push(frame);
    hole.bytes += frame.length;
    this.#bytes += frame.length;
    return true;
  }

  /** The peer is back, or given up: what was kept for it, in order. */
  take(peer: PeerId): readonly (string | Buffer)[] {
    const hole = this.#holes.get(peer);
    if (hole === undefined) return [];
    this.#holes.delete(peer);
    this.#bytes -= hole.bytes;
    return hole.frames;
  }

  /** Gives up those who were away too long. @returns frames that are lost by it. */
  giveUp(): number {
    const { nowUs } = this.#clock;
    let lost = 0;
    // Whoever went first is first in the map.
    for (const [peer, hole] of this.#holes) {
      if (hole.untilUs > nowUs) break;
      lost += hole.frames.length;
      this.take(peer);
    }
    return lost;
  }
}
