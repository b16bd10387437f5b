import type { Award, JobId, JobRequest, Message, PeerId } from "../../protocol/messages.ts";
import { Router } from "../router.ts";
import type { RouterOptions } from "../router-options.ts";
import { FakeEnvironment, hex32 } from "./fake-environment.ts";
import { descriptor, FREE, heartbeat, request } from "./market.ts";

export const ROUTER_OPTIONS: RouterOptions = {
  policy: { kind: "least-loaded" }, fee: FREE, staleAfterUs: 30_000, sweepUs: 10_000, attempts: 3, acceptTimeoutUs: 1000, jobTimeoutUs: 5000,
  queueLimit: 100, queueWaitUs: 20_000, circuitBreaker: { failures: 3, coolDownUs: 4000, growth: 2, maxCoolDownUs: 60_000 }, quoteValidUs: 1234,
};

/** A router on the bench: named peers speak to it, and what it says is read off. */
export class RouterBench {
  readonly env: FakeEnvironment;
  readonly router: Router;
  readonly #sequences = new Map<string, number>();

  constructor(changes: Partial<RouterOptions> = {}) {
    this.env = new FakeEnvironment(hex32("router"), { nowUs: 1_000_000 });
    this.router = new Router(this.env, { ...ROUTER_OPTIONS, ...changes });
  }

  /** @returns what the router sent in answer, as `[to, message]`. */
  say(from: string, message: Message): [PeerId, Message][] {
    this.env.take();
    this.router.onMessage(hex32(from), message);
    return this.heard();
  }

  heard(): [PeerId, Message][] {
    return this.env.take().map(({ to, message }) => [to, message]);
  }

  register(node: string, changes: Parameters<typeof descriptor>[1] = {}): [PeerId, Message][] {
    return this.say(node, descriptor(node, changes));
  }

  beat(node: string, changes: Parameters<typeof heartbeat>[1] = {}): [PeerId, Message][] {
    const sequence = this.#sequences.get(node) ?? 0;
    this.#sequences.set(node, sequence + 1);
    return this.say(node, heartbeat(sequence, changes));
  }

  submit(jobId: JobId, changes: Partial<JobRequest> = {}, client = "client"): [PeerId, Message][] {
    return this.say(client, { type: "job", job: request(jobId, changes, client) });
  }

  accept(node: string, jobId: JobId, attempt = 1): [PeerId, Message][] {
    return this.say(node, { type: "accept", jobId, attempt });
  }

  refuse(node: string, jobId: JobId, reason: Extract<Message, { type: "refuse" }>["reason"], attempt = 1): [PeerId, Message][] {
    return this.say(node, { type: "refuse", jobId, attempt, reason });
  }

  /** @returns what the router sent meanwhile. */
  advance(byUs: number): [PeerId, Message][] {
    this.env.take();
    this.env.advance(this.router, byUs);
    return this.heard();
  }

  /** Jobs of this router at the node, by its own count. */
  own(node: string): number {
    return this.router.registry.own[this.router.registry.indexOf(hex32(node))]!;
  }
}

/** The awards among some messages, as `node job attempt`, by the nodes' names. */
export function awards(sent: readonly (readonly [PeerId, Message])[], ...names: string[]): string[] {
  return sent.filter((each): each is [PeerId, Award] => each[1].type === "award").map(([to, { job, attempt }]) => `${names.find((name) => hex32(name) === to) ?? to} ${job.jobId} ${attempt}`);
}
