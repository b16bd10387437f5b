import type { Message, PeerId } from "../../protocol/messages.ts";
import type { Link } from "../link/link.ts";

/** Clients whose way is remembered, at most. */
const WAYS_MAX = 65_536;

/** A node's way to everybody: to routers over their own connections, to clients over that of the router that named them. */
export class Routes implements Link {
  readonly #uplinks: ReadonlyMap<PeerId, Link>;
  readonly #first: Link;
  /** The link over which others were heard of last; those not heard of for longest are first. */
  readonly #ways = new Map<PeerId, Link>();

  /** @param uplinks by their router; at least one */
  constructor(uplinks: ReadonlyMap<PeerId, Link>) {
    this.#uplinks = uplinks;
    const [first] = uplinks.values();
    if (first === undefined) throw new RangeError("a node needs at least one router");
    this.#first = first;
  }

  send(to: PeerId, message: Message): void {
    (this.#uplinks.get(to) ?? this.#ways.get(to) ?? this.#first).send(to, message);
  }

  /** A message came over this router's connection: whom it is about is reached over it. */
  heard(router: PeerId, from: PeerId, message: Message): void {
    const link = this.#uplinks.get(router)!;
    if (message.type === "award" && from === router) this.#learn(message.job.client, link);
    else if (!this.#uplinks.has(from)) this.#learn(from, link);
  }

  #learn(peer: PeerId, link: Link): void {
    this.#ways.delete(peer);
    this.#ways.set(peer, link);
    if (this.#ways.size > WAYS_MAX) this.#ways.delete(this.#ways.keys().next().value!);
  }
}
