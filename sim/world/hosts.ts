import type { HostSpec } from "../scenario/sections/hosts.ts";

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

/** Tells the engines that compute on the same machine which share of it each has, whenever one of them begins or ends to be busy. */
export class Hosts {
  readonly #hosts: readonly HostSpec[];
  /** By node: the index of its host, -1 where it has a machine of its own. */
  readonly #hostOf: Int32Array;
  readonly #nodesOf: readonly (readonly number[])[];
  readonly #busy: Uint8Array;
  readonly #busyOn: Int32Array;
  readonly #setShare: (node: number, factor: number, promptFactor: number) => void;

  /**
   * @param hostNames by node: the name of its host; undefined where it has a machine of its own.
   * @throws RangeError for a name that no host has.
   */
  constructor(hosts: readonly HostSpec[], hostNames: readonly (string | undefined)[], setShare: (node: number, factor: number, promptFactor: number) => void) {
    this.#hosts = hosts;
    this.#hostOf = Int32Array.from(hostNames, (name) => {
      if (name === undefined) return -1;
      const host = hosts.findIndex((one) => one.name === name);
      if (host < 0) throw new RangeError(`no host is called ${name}; there are: ${hosts.map((one) => one.name).join(", ")}`);
      return host;
    });
    this.#nodesOf = hosts.map((_, host) => hostNames.flatMap((__, node) => (this.#hostOf[node] === host ? [node] : [])));
    this.#busy = new Uint8Array(hostNames.length);
    this.#busyOn = new Int32Array(hosts.length);
    this.#setShare = setShare;
  }

  /** The node's engine has something to run, or has not. */
  changed(node: number, busy: boolean): void {
    const host = this.#hostOf[node]!;
    const flag = busy ? 1 : 0;
    if (host < 0 || this.#busy[node] === flag) return;
    this.#busy[node] = flag;
    const spec = this.#hosts[host]!;
    const before = this.#busyOn[host]!;
    const count = before + (busy ? 1 : -1);
    this.#busyOn[host] = count;
    const share = shareOf(spec, count);
    const promptShare = promptShareOf(spec, count);
    if (busy) this.#setShare(node, share, promptShare);
    if (share === shareOf(spec, before) && promptShare === promptShareOf(spec, before)) return;
    for (const other of this.#nodesOf[host]!) if (other !== node && this.#busy[other] === 1) this.#setShare(other, share, promptShare);
  }
}
