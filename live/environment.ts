import { randomBytes } from "node:crypto";
import seedrandom from "seedrandom";
import type { Message, PeerId } from "../protocol/messages.ts";
import type { Environment, Participant, Random, Runner, RunnerEvent, Telemetry, Timer, TimerId, Wallet, WalletEvent } from "../scheduler/environment.ts";
import type { Clock } from "./clock.ts";
import { Inbox } from "./inbox.ts";
import type { Link } from "./link/link.ts";
import { type Alarm, LoopAlarm, Timers } from "./timers.ts";

export interface LiveEnvironmentOptions {
  readonly self: PeerId;
  readonly clock: Clock;
  readonly link: Link;
  readonly wallet: Wallet;
  readonly telemetry: Telemetry;
  /** Nodes have one. */
  readonly runner?: Runner | undefined;
  /** The participant's streams of random numbers; by default seeded by the operating system. */
  readonly random?: ((purpose: string) => Random) | undefined;
  /** What wakes the timers; by default the event loop's own. */
  readonly alarm?: Alarm | undefined;
  /**
   * Told of whatever the participant throws, and of messages of its that cannot be sent: faults of the program. It was not
   * finished with what it did; whether it may go on is for the process to decide.
   */
  readonly onFault: (error: unknown) => void;
}

/**
 * A participant's view of the real world. All that happens reaches the participant through one inbox: one thing at a time, and
 * never within its own call.
 */
export class LiveEnvironment implements Environment {
  readonly self: PeerId;
  readonly wallet: Wallet;
  readonly telemetry: Telemetry;
  readonly #options: LiveEnvironmentOptions;
  readonly #clock: Clock;
  readonly #link: Link;
  readonly #random: (purpose: string) => Random;
  readonly #inbox: Inbox;
  readonly #timers: Timers<Timer>;
  #participant: Participant | null = null;

  constructor(options: LiveEnvironmentOptions) {
    this.self = options.self;
    this.wallet = options.wallet;
    this.telemetry = options.telemetry;
    this.#options = options;
    this.#clock = options.clock;
    this.#link = options.link;
    this.#random = options.random ?? seededRandom(randomBytes(32).toString("hex"));
    this.#inbox = new Inbox(options.onFault);
    this.#timers = new Timers(options.clock, options.alarm ?? new LoopAlarm(), (timer) => this.#inbox.put(() => this.#participant?.onTimer(timer)));
  }

  /** Who lives here. To be said once, before anything can happen. */
  host(participant: Participant): void {
    if (this.#participant !== null) throw new Error("an environment has one participant");
    this.#participant = participant;
  }

  get nowUs(): number {
    return this.#clock.nowUs;
  }

  /** @throws Error for a participant that has none: only nodes run models. */
  get runner(): Runner {
    if (this.#options.runner === undefined) throw new Error(`peer ${this.self} has no runner`);
    return this.#options.runner;
  }

  send(to: PeerId, message: Message): void {
    try {
      this.#link.send(to, message);
    } catch (error) {
      this.#options.onFault(error);
    }
  }

  after(delayUs: number, timer: Timer): TimerId {
    return this.#timers.after(delayUs, timer);
  }

  cancel(id: TimerId): boolean {
    return this.#timers.cancel(id);
  }

  random(purpose: string): Random {
    return this.#random(purpose);
  }

  /** A message arrived whose sender is proven: for the link to call. */
  onMessage(from: PeerId, message: Message): void {
    this.#inbox.put(() => this.#participant?.onMessage(from, message));
  }

  /** For the runner to call. */
  onRunner(event: RunnerEvent): void {
    this.#inbox.put(() => this.#participant?.onRunner(event));
  }

  /** For the wallet to call. */
  onWallet(event: WalletEvent): void {
    this.#inbox.put(() => this.#participant?.onWallet(event));
  }

  /** Has the process do something with the participant, such as starting it, as though it were one more thing that happens. */
  run(task: () => void): void {
    this.#inbox.put(task);
  }

  /** Timers that are pending. */
  get timers(): number {
    return this.#timers.pending;
  }

  /** Nothing reaches the participant any more. */
  close(): void {
    this.#inbox.close();
    this.#timers.clear();
  }
}

/** Streams of random numbers that depend on the seed and their purpose alone. */
export function seededRandom(seed: string): (purpose: string) => Random {
  return (purpose) => ({ next: seedrandom.alea(`${seed}/${purpose}`) });
}
