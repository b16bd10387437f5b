import type { PeerId } from "../../protocol/messages.ts";
import type { Participant } from "../../scheduler/environment.ts";
import type { Random } from "../kernel/random.ts";

/** All that the world keeps of one participant, in one place: an event that concerns a peer touches little memory. */
export class Peer {
  readonly id: PeerId;
  readonly name: string;
  /** What its random streams are derived from, with its role: never depends on how many other peers there are. */
  readonly entity: string;
  /** Index of its region in the network. */
  readonly region: number;
  /** Its account in the ledger. */
  readonly account: number;
  /** Its stream of network noise. */
  readonly noise: Random;
  up = true;
  /** Counts its lives: timers of an earlier one are not delivered. */
  epoch = 0;
  /** Until when it is busy signing and verifying, µs. */
  cpuFreeUs = 0;
  participant: Participant = nobody;

  constructor(id: PeerId, name: string, entity: string, region: number, account: number, noise: Random) {
    this.id = id;
    this.name = name;
    this.entity = entity;
    this.region = region;
    this.account = account;
    this.noise = noise;
  }
}

const absent = (): never => {
  throw new Error("a peer was addressed before it had a participant");
};
const nobody: Participant = { onMessage: absent, onTimer: absent, onRunner: absent, onWallet: absent };
