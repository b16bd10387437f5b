import { z } from "zod";
import type { PathPart } from "../../../input/path-part.ts";
import { nearest } from "../../../input/nearest.ts";
import { type Finding, quoted } from "../../../input/problem.ts";
import { alternatives } from "../../../input/units.ts";

/** What engines keep of their speed on a machine that they share. */
export interface ShareTables {
  /** Measured: the share of its full speed that an engine has while 1, 2, 3, ... engines of the host are busy, itself among them; empty: not measured. */
  readonly shares: readonly number[];
  /** The same in steps that hold prompt tokens, which load a machine in another way; empty: as `shares`. */
  readonly promptShares: readonly number[];
}

/** A machine that several nodes compute on. Its tables hold for all engines that have none of their own; without any, the cores say. */
export interface HostSpec extends ShareTables {
  readonly name: string;
  /** Engines that it can serve at full speed at once: cores over the threads of an engine; positive, need not be whole. */
  readonly cores: number;
  /** Cores that others than engines use all the time: routers, clients, the system; at least 0, below `cores`. */
  readonly usedCores: number;
}

const hostName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,63}$/).meta({ title: "letters, digits and hyphens" });
const table = z.array(z.number().gt(0).max(2)).max(1_000).default([]);

export const hosts = z.array(z.strictObject({
  name: hostName.describe("Name of the host, for operators' `host`."),
  cores: z.number().gt(0).max(65_536).describe("Engines that it serves at full speed at once: its cores, where an engine computes on one."),
  used: z.number().min(0).max(65_536).default(0).describe("Cores that others use all the time: routers, clients, the system."),
  shares: table.describe("As measured: the share of its full speed that each engine has while 1, 2, 3, ... of them are busy; with more, their total stays (default: the free cores over the busy engines, at most 1)."),
  promptShares: table.describe("The same while an engine reads prompts, which load a machine in another way than generation (default: as `shares`)."),
})).min(1).max(10_000);

/** An operator's `host`: its name, or that and what the operator's own engines keep there. */
export const place = z.union([hostName, z.strictObject({
  name: hostName.describe("Name of the host."),
  shares: table.describe("As measured of this class: the share of its full speed that one of its engines has while 1, 2, 3, ... engines of the host are busy (default: the host's)."),
  promptShares: table.describe("The same while it reads prompts (default: as `shares` here, or the host's)."),
})]);

/** As the schema gives it. */
export type PlaceInput = z.output<typeof place>;
/** As the schema gives it. */
export type HostsInput = z.output<typeof hosts>;

/** In the scenario's own words. */
export function resolveHosts(input: HostsInput): HostSpec[] {
  return input.map(({ name, cores, used, shares, promptShares }) => ({ name, cores, usedCores: used, shares, promptShares }));
}

/** Where a class is, and what it keeps there if it says so itself. */
export function resolvePlace(input: PlaceInput): { readonly host: string; readonly hostShares?: ShareTables } {
  if (typeof input === "string") return { host: input };
  const { name, shares, promptShares } = input;
  return { host: name, ...(shares.length + promptShares.length === 0 ? {} : { hostShares: { shares, promptShares } }) };
}

/** What the hosts and the operators on them contradict each other in. */
export function checkHosts(hosts: readonly HostSpec[], operators: readonly { readonly host?: string; readonly hostShares?: ShareTables }[]): Finding[] {
  const names = hosts.map(({ name }) => name);
  return [
    ...hosts.flatMap(({ cores, usedCores }, i): Finding[] => (usedCores < cores ? [] : [{ path: ["hosts", i, "used"], found: String(usedCores), allowed: `less than the host's ${cores} cores` }])),
    ...operators.flatMap(({ host, hostShares }, i): Finding[] => {
      if (host === undefined || names.includes(host)) return [];
      const path: PathPart[] = ["operators", i, "host", ...(hostShares === undefined ? [] : ["name"])];
      const guess = nearest(host, names);
      return [{
        path, found: quoted(host), allowed: names.length === 0 ? "a name in a list `hosts` at the top level; there is none" : `one of the hosts: ${alternatives(names)}`,
        ...(guess === undefined ? {} : { suggestion: quoted(guess) }),
      }];
    }),
  ];
}
