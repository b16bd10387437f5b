import type { HostSpec, ShareTables } from "../scenario/sections/hosts.ts";

/**
 * The share of its full speed that each of so many busy engines on a host has: as measured, and beyond the table its last total
 * divided by them all; or, without a table, the free cores divided by them all, and never above 1.
 */
export function shareOf({ cores, usedCores, shares }: HostSpec, busy: number): number {
  return shareIn(shares, cores - usedCores, busy);
}

/** The same for steps that hold prompt tokens. */
export function promptShareOf({ cores, usedCores, shares, promptShares }: HostSpec, busy: number): number {
  return shareIn(promptShares.length === 0 ? shares : promptShares, cores - usedCores, busy);
}

function shareIn(shares: readonly number[], freeCores: number, busy: number): number {
  if (busy === 0) return 1;
  const last = shares.length;
  if (last === 0) return Math.min(1, freeCores / busy);
  return busy <= last ? shares[busy - 1]! : (shares[last - 1]! * last) / busy;
}

/** Where an operator's nodes are. */
interface Place {
  /** Name of the host; absent: every node has a machine of its own. */
  readonly host?: string;
  /** What its engines keep of their speed there; absent: what the host says. */
  readonly hostShares?: ShareTables;
}

/** Nodes that lose alike. */
interface Alike {
  readonly tables: HostSpec;
  readonly nodes: number[];
}

/** Tells the engines that compute on the same machine which share of it each has, whenever one of them begins or ends to be busy. */
export class Hosts {
  /** By node: the index of its host, -1 where it has a machine of its own. */
  readonly #hostOf: Int32Array;
  /** By node, where it is on a host. */
  readonly #tablesOf: readonly (HostSpec | undefined)[];
  /** By host. */
  readonly #alikeOn: readonly (readonly Alike[])[];
  readonly #busy: Uint8Array;
  readonly #busyOn: Int32Array;
  readonly #setShare: (node: number, factor: number, promptFactor: number) => void;

  /**
   * @param places by node.
   * @throws RangeError for a name that no host has.
   */
  constructor(hosts: readonly HostSpec[], places: readonly Place[], setShare: (node: number, factor: number, promptFactor: number) => void) {
    this.#hostOf = Int32Array.from(places, ({ host: name }) => {
      if (name === undefined) return -1;
      const host = hosts.findIndex((one) => one.name === name);
      if (host < 0) throw new RangeError(`no host is called ${name}; there are: ${hosts.map((one) => one.name).join(", ")}`);
      return host;
    });
    const alikeOn = hosts.map((): Map<ShareTables, Alike> => new Map());
    this.#tablesOf = places.map(({ hostShares }, node) => {
      const host = this.#hostOf[node]!;
      if (host < 0) return undefined;
      const known = alikeOn[host]!.get(hostShares ?? hosts[host]!);
      const alike = known ?? { tables: tablesFor(hosts[host]!, hostShares), nodes: [] };
      if (known === undefined) alikeOn[host]!.set(hostShares ?? hosts[host]!, alike);
      alike.nodes.push(node);
      return alike.tables;
    });
    this.#alikeOn = alikeOn.map((alike) => [...alike.values()]);
    this.#busy = new Uint8Array(places.length);
    this.#busyOn = new Int32Array(hosts.length);
    this.#setShare = setShare;
  }

  /** The node's engine has something to run, or has not. */
  changed(node: number, busy: boolean): void {
    const host = this.#hostOf[node]!;
    const flag = busy ? 1 : 0;
    if (host < 0 || this.#busy[node] === flag) return;
    this.#busy[node] = flag;
    const before = this.#busyOn[host]!;
    const count = before + (busy ? 1 : -1);
    this.#busyOn[host] = count;
    const own = this.#tablesOf[node]!;
    if (busy) this.#setShare(node, shareOf(own, count), promptShareOf(own, count));
    for (const { tables, nodes } of this.#alikeOn[host]!) {
      const share = shareOf(tables, count);
      const promptShare = promptShareOf(tables, count);
      if (share === shareOf(tables, before) && promptShare === promptShareOf(tables, before)) continue;
      for (const other of nodes) if (other !== node && this.#busy[other] === 1) this.#setShare(other, share, promptShare);
    }
  }
}

/** The host, with what an operator says of its own engines there. */
function tablesFor(host: HostSpec, own: ShareTables | undefined): HostSpec {
  if (own === undefined) return host;
  if (own.shares.length === 0) return { ...host, promptShares: own.promptShares };
  return { ...host, ...own };
}
