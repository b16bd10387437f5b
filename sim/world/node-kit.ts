import type { ModelOffer } from "../../protocol/messages.ts";
import type { Engine } from "./engine/engine.ts";

/** What the nodes of a class have in common. */
export interface NodeKit {
  readonly machine: string;
  readonly slots: number;
  readonly kvTokensMax: number;
  readonly offers: readonly Omit<ModelOffer, "prices">[];
  readonly workUs: ((seed: number) => number) | null;
  engine(workOf: (slot: number) => number): Engine;
}
