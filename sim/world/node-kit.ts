import type { ModelOffer } from "../../protocol/messages.ts";
import type { Machine } from "./catalogue/types.ts";
import type { Engine } from "./engine/engine.ts";

/**
 * Node time that a job takes with full batches: a line in its prompt and output tokens, µs. The time to read the context,
 * which grows within a job, is not in it: it makes a node look a little faster than it is.
 */
export interface WorkSheet {
  readonly fixedUs: number;
  readonly inputUs: number;
  readonly outputUs: number;
}

/** What the nodes of a class have in common. */
export interface NodeKit {
  readonly machine: string;
  /** Electrical power of the machine; null where it is not known. */
  readonly power: { readonly idleWatts: number; readonly loadWatts: number } | null;
  readonly slots: number;
  readonly kvTokensMax: number;
  readonly offers: readonly Omit<ModelOffer, "prices">[];
  /** Node time of a job at full batches, for accounts of capacity. */
  readonly work: WorkSheet;
  readonly workUs: ((seed: number) => number) | null;
  engine(workOf: (slot: number) => number): Engine;
}

/** A machine's electrical power; null where no machine or no power is stated. */
export function powerOf(machine: Machine | null): NodeKit["power"] {
  return machine === null || machine.loadWatts === 0 ? null : { idleWatts: machine.idleWatts, loadWatts: machine.loadWatts };
}
