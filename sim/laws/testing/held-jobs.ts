import type { Seen } from "./play.ts";
import type { Who } from "./who.ts";

/** Jobs that each node has accepted and neither delivered, failed nor been told to stop, by what was said alone. */
export class HeldJobs {
  readonly #who: Who;
  readonly #held = new Map<number, Set<string>>();
  #seen = 0;

  constructor(who: Who) {
    this.#who = who;
  }

  /** @param n index among the nodes. */
  at(n: number): ReadonlySet<string> {
    return this.#of(this.#who.firstNode + n);
  }

  /** Takes in what happened since the last call. */
  follow(seen: readonly Seen[]): void {
    for (; this.#seen < seen.length; this.#seen++) {
      const entry = seen[this.#seen]!;
      if (entry.kind === "node-down") {
        this.#of(this.#who.firstNode + this.#who.plans.findIndex(({ name }) => name === entry.node)).clear();
      } else if ((entry.kind === "send" || entry.kind === "deliver") && this.#who.isNode(entry.peer)) {
        const { message } = entry;
        if (entry.kind === "send" && message.type === "accept") this.#of(entry.peer).add(message.jobId);
        else if (message.type === "result" || message.type === "refuse" && message.reason !== "duplicate-job" || entry.kind === "deliver" && message.type === "cancel") this.#of(entry.peer).delete(message.jobId);
      }
    }
  }

  #of(peer: number): Set<string> {
    let held = this.#held.get(peer);
    if (held === undefined) this.#held.set(peer, (held = new Set()));
    return held;
  }
}
