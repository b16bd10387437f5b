import type { NodeChurn } from "./churn.ts";

/** What the nodes' comings and goings need of the world around them. */
export interface PresenceHost {
  /** Whether the node holds no job. */
  isIdle(n: number): boolean;
  /** The node takes no new jobs from now on. */
  shutDown(n: number): void;
  switchOff(n: number): void;
  switchOn(n: number): void;
  /** The node has left the market for good, or until its operator thinks better of it. */
  gone(n: number): void;
}

/**
 * Which nodes are there. Two things decide: their operators, who enter the market and leave it, and their churn, which has
 * them down for a while. A node is up where it is in the market and its churn has it up; whoever has to leave without
 * losing jobs does so with the last of them.
 */
export class Presence {
  /** Nodes that take no new jobs and leave once they hold none. */
  leaving = 0;
  readonly #host: PresenceHost;
  readonly #churn: NodeChurn[] = [];
  /** 1 for nodes that take no part in the market. */
  readonly #outside: Uint8Array;
  /** 1 for nodes that leave the market once they hold no job. */
  readonly #exiting: Uint8Array;
  /** 1 for nodes that their churn has down. */
  readonly #away: Uint8Array;
  /** 1 for nodes whose churn has begun. */
  readonly #living: Uint8Array;

  /** @param inside by node: whether it takes part in the market from the start. */
  constructor(inside: readonly boolean[], host: PresenceHost) {
    this.#host = host;
    this.#outside = Uint8Array.from(inside, (is) => (is ? 0 : 1));
    this.#exiting = new Uint8Array(inside.length);
    this.#away = new Uint8Array(inside.length);
    this.#living = new Uint8Array(inside.length);
  }

  /** Nodes come in the order of their numbers. */
  add(churn: NodeChurn): void {
    this.#churn.push(churn);
  }

  isInside(n: number): boolean {
    return this.#outside[n] === 0;
  }

  /** The nodes that are there begin to live. */
  start(): void {
    this.#churn.forEach((_, n) => {
      if (this.#outside[n] === 0) this.#live(n);
    });
  }

  /** An event of the node's churn is due. */
  onEvent(n: number, what: number): void {
    this.#churn[n]!.onEvent(what);
  }

  /** A node enters the market. Where its churn has it down just now, it comes up when that is over. */
  join(n: number): void {
    this.#outside[n] = 0;
    if (this.#away[n] === 0) this.#host.switchOn(n);
    if (this.#living[n] === 0) this.#live(n);
  }

  /** A node leaves the market as soon as it holds no job. */
  exit(n: number): void {
    if (this.#away[n] === 1 || this.#leave(n, false)) this.#gone(n);
    else this.#exiting[n] = 1;
  }

  /** The node's churn has it go. @returns false where it has to finish its jobs first. */
  goAway(n: number, abrupt: boolean): boolean {
    const left = this.#outside[n] === 1 || this.#leave(n, abrupt);
    if (!left) return false;
    this.#away[n] = 1;
    if (this.#exiting[n] === 1) {
      this.leaving--;
      this.#gone(n);
    }
    return true;
  }

  /** The node's churn has it return. */
  comeBack(n: number): void {
    this.#away[n] = 0;
    if (this.#outside[n] === 0) this.#host.switchOn(n);
  }

  /** A node that is on its way out leaves with its last job: done, cancelled, paid or written off. To be asked where any is `leaving`. */
  mayHaveDrained(n: number): void {
    if (!this.#host.isIdle(n)) return;
    if (this.#churn[n]!.drained()) this.leaving--;
    if (this.#exiting[n] === 1) {
      this.#leave(n, true);
      this.leaving--;
      this.#gone(n);
    }
  }

  #live(n: number): void {
    this.#living[n] = 1;
    this.#churn[n]!.start();
  }

  #leave(n: number, abrupt: boolean): boolean {
    if (!abrupt && !this.#host.isIdle(n)) {
      this.#host.shutDown(n);
      this.leaving++;
      return false;
    }
    this.#host.switchOff(n);
    return true;
  }

  #gone(n: number): void {
    this.#exiting[n] = 0;
    this.#outside[n] = 1;
    this.#host.gone(n);
  }
}
