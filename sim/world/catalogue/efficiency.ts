import type { EngineKind, MachineFamily } from "./types.ts";

/** Software whose overheads and attention are alike: engine, backend and the month of the build that was measured. */
export interface Build {
  readonly name: string;
  /** Fixed time of a pass through the model, µs, whatever is in it: sampling, scheduling, synchronisation. */
  readonly passUs: number;
  /** The same per layer, µs: kernel launches. */
  readonly layerUs: number;
  /** Share of the weights' bandwidth efficiency that reading the KV cache reaches. */
  readonly kvShare: number;
  /** Share of the matrix products' compute efficiency that attention over a prompt reaches. */
  readonly attentionShare: number;
  /** How far arithmetic hides behind memory reads: 0, one after the other; 1, the slower of the two alone counts. */
  readonly overlap: number;
}

/** One engine on one family of machines: the shares of its peaks that it reaches. */
export interface Efficiency {
  readonly engine: EngineKind;
  readonly family: MachineFamily | "generic";
  readonly build: Build;
  /** Share of peak bandwidth reached when reading weights. */
  readonly bandwidth: number;
  /** Share of peak FLOP/s reached in the matrix products of a prompt. */
  readonly compute: number;
  /** fitted: to the measurements named; assumed: taken over, for the reason named. */
  readonly basis: "fitted" | "assumed";
  readonly from: string;
}
