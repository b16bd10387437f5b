import type { Kernel } from "../kernel/kernel.ts";
import type { Random } from "../kernel/random.ts";
import type { ChurnSpec } from "../scenario/scenario.ts";
import { WholeDraws } from "./whole-draws.ts";

/** What a node's churn needs of the world around it. */
export interface ChurnHost {
  readonly kernel: Kernel;
  /** Kernel event kind with which the world calls {@link NodeChurn.onEvent}; its payload is (node, what). */
  readonly eventKind: number;
  readonly node: number;
  /** Nothing new happens at or after this time. */
  readonly horizonUs: number;
  stream(purpose: string): Random;
  /** @returns false where the node has to finish its jobs first; `drained` is called when they have ended. */
  leave(abrupt: boolean): boolean;
  comeBack(): void;
  setSpeed(factor: number): void;
}

const LEAVE = 0;
const RETURN = 1;
const SLOW_DOWN = 2;
const SPEED_UP = 3;

/** A node's life: it leaves and returns, slows down and recovers, each from random streams of its own. */
export class NodeChurn {
  readonly #spec: ChurnSpec;
  readonly #host: ChurnHost;
  readonly #draws: Record<"uptime" | "downtime" | "slowEvery" | "slowLasts", WholeDraws | null>;
  readonly #manner: Random;
  #leaving = false;

  constructor(spec: ChurnSpec, host: ChurnHost) {
    this.#spec = spec;
    this.#host = host;
    const { presence, slowdown } = spec;
    this.#draws = {
      uptime: presence && new WholeDraws(presence.uptimeUs, host.stream("uptime"), 1),
      downtime: presence && new WholeDraws(presence.downtimeUs, host.stream("downtime"), 1),
      slowEvery: slowdown && new WholeDraws(slowdown.everyUs, host.stream("slowdown interval"), 1),
      slowLasts: slowdown && new WholeDraws(slowdown.lastsUs, host.stream("slowdown length"), 1),
    };
    this.#manner = host.stream("manner of leaving");
  }

  start(): void {
    this.#plan(this.#draws.uptime, LEAVE);
    this.#plan(this.#draws.slowEvery, SLOW_DOWN);
  }

  onEvent(what: number): void {
    switch (what) {
      case LEAVE: {
        const abrupt = this.#manner.next() < this.#spec.presence!.abruptShare;
        if (this.#host.leave(abrupt)) this.#plan(this.#draws.downtime, RETURN);
        else this.#leaving = true;
        return;
      }
      case RETURN:
        this.#host.comeBack();
        return this.#plan(this.#draws.uptime, LEAVE);
      case SLOW_DOWN:
        this.#host.setSpeed(this.#spec.slowdown!.factor);
        return this.#plan(this.#draws.slowLasts, SPEED_UP);
      case SPEED_UP:
        this.#host.setSpeed(1);
        return this.#plan(this.#draws.slowEvery, SLOW_DOWN);
    }
  }

  /** The node holds no job: if it was on its way out, it leaves. @returns whether it was. */
  drained(): boolean {
    if (!this.#leaving) return false;
    this.#leaving = false;
    this.#host.leave(true);
    this.#plan(this.#draws.downtime, RETURN);
    return true;
  }

  #plan(draw: WholeDraws | null, what: number): void {
    if (draw === null) return;
    const atUs = this.#host.kernel.nowUs + draw.next();
    // What comes back may do so late, or jobs that wait for it would never end.
    if (atUs < this.#host.horizonUs || what === RETURN || what === SPEED_UP) this.#host.kernel.at(atUs, this.#host.eventKind, this.#host.node, what);
  }
}
