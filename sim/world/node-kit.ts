import type { ModelOffer } from "../../protocol/messages.ts";
import type { Machine } from "./catalogue/types.ts";
import type { Engine } from "./engine/engine.ts";

/** What the nodes of a class have in common. */
export interface NodeKit {
  readonly machine: string;
  /** Electrical power of the machine; null where it is not known. */
  readonly power: { readonly idleWatts: number; readonly loadWatts: number } | null;
  readonly slots: number;
  readonly kvTokensMax: number;
  readonly offers: readonly Omit<ModelOffer, "prices">[];
  readonly workUs: ((seed: number) => number) | null;
  engine(workOf: (slot: number) => number): Engine;
}

/** A machine's electrical power; null where no machine or no power is stated. */
export function powerOf(machine: Machine | null): NodeKit["power"] {
  return machine === null || machine.loadWatts === 0 ? null : { idleWatts: machine.idleWatts, loadWatts: machine.loadWatts };
}
