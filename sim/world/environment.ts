import type { Message, PeerId } from "../../protocol/messages.ts";
import type { Environment, Random, Runner, Telemetry, Timer, TimerId, Wallet } from "../../scheduler/environment.ts";

/** What a simulated environment hands on to the world. */
export interface EnvironmentHost {
  readonly kernel: { readonly nowUs: number };
  send(from: number, to: PeerId, message: Message): void;
  after(peer: number, delayUs: number, timer: Timer): TimerId;
  cancelTimer(id: TimerId): boolean;
  stream(peer: number, purpose: string): Random;
}

/** A participant's view of the simulated world: its own name, wallet and runner, the clock, and nothing of the truth. */
export class SimulatedEnvironment implements Environment {
  readonly self: PeerId;
  readonly wallet: Wallet;
  readonly telemetry: Telemetry;
  readonly #host: EnvironmentHost;
  readonly #peer: number;
  readonly #runner: Runner | null;

  constructor(host: EnvironmentHost, peer: number, self: PeerId, wallet: Wallet, runner: Runner | null, telemetry: Telemetry) {
    this.#host = host;
    this.#peer = peer;
    this.self = self;
    this.wallet = wallet;
    this.#runner = runner;
    this.telemetry = telemetry;
  }

  get nowUs(): number {
    return this.#host.kernel.nowUs;
  }

  /** @throws Error for a participant that has none: only nodes run models. */
  get runner(): Runner {
    if (this.#runner === null) throw new Error(`peer ${this.self} has no runner`);
    return this.#runner;
  }

  send(to: PeerId, message: Message): void {
    this.#host.send(this.#peer, to, message);
  }

  after(delayUs: number, timer: Timer): TimerId {
    return this.#host.after(this.#peer, delayUs, timer);
  }

  cancel(id: TimerId): boolean {
    return this.#host.cancelTimer(id);
  }

  random(purpose: string): Random {
    return this.#host.stream(this.#peer, purpose);
  }
}
