import type { MeasuredSpeeds } from "./measured.ts";

/** What decides which efficiency figures apply to a machine. Any other word gets the generic ones. */
export type MachineFamily =
  | "cpu" | "apple" | "amd" | "amd-rdna" | "amd-cdna"
  | "nvidia" | "nvidia-volta" | "nvidia-ampere" | "nvidia-ada" | "nvidia-hopper" | "nvidia-blackwell";

/** What the step cost and the electricity bill need to know of a machine. A scenario may describe its own. */
export interface Machine {
  readonly name: string;
  /** One of {@link MachineFamily}; another word is taken, with generic efficiencies. */
  readonly family: string;
  /** Memory the weights and the KV cache share, bytes: the card's, or the whole machine's where it is unified. */
  readonly memoryBytes: number;
  /** Peak memory bandwidth, bytes/s. */
  readonly bandwidthBytesPerS: number;
  /** Peak dense arithmetic, FLOP/s: FP16 products on accelerators (summed in FP16 where that is faster), FP32 on processors. */
  readonly flopPerS: number;
  /** The same with sums in FP32, where it is slower: GeForce cards halve their rate. vLLM computes so. */
  readonly flopPerSWideSums?: number;
  /** Whether an operating system and other programs live in the same memory. Default: only for families apple and cpu. */
  readonly sharedMemory?: boolean;
  readonly idleWatts: number;
  readonly loadWatts: number;
  /** Measured with the model and engine it is used with; they take the place of what its figures predict. */
  readonly measured?: MeasuredSpeeds;
}

/** A machine of the catalogue: the figures, what exactly they are, and where they come from. */
export interface CatalogueMachine extends Machine {
  readonly family: MachineFamily;
  readonly sharedMemory: boolean;
  /** Which arithmetic `flopPerS` counts. */
  readonly flopPrecision: string;
  /** board: the accelerator alone, its host not included; machine: at the wall. */
  readonly wattsScope: "board" | "machine";
  /** Purchase price, USD, of what `wattsScope` names, in `priceYear`. */
  readonly priceUsd: number;
  readonly priceYear: number;
  /** Public specification: title and address. */
  readonly source: string;
}

/** Weights stored in some precision. */
export interface Quantisation {
  /** Lower case, as in `q4_k_m`. */
  readonly name: string;
  /** Bytes of the weights on disk and in memory. */
  readonly fileBytes: number;
  /** Bytes of `fileBytes` in routed experts, where they are stored at other precision than the rest; else their share is by parameters. */
  readonly expertBytes?: number;
  /** published: size of a published file; derived: parameters x the format's bits per weight. */
  readonly basis: "published" | "derived";
}

/** Routed experts of a mixture-of-experts model. */
export interface Experts {
  /** Experts per layer. */
  readonly count: number;
  /** Experts that each token visits, per layer. */
  readonly active: number;
  /** Parameters in all experts of all layers. */
  readonly parameters: number;
}

/** What the step cost needs to know of a transformer. */
export interface Model {
  readonly name: string;
  /** All weights, the embedding table included. */
  readonly parameters: number;
  /** Weights in play for one token: all, less the experts it does not visit. */
  readonly activeParameters: number;
  readonly layers: number;
  /** Width of the residual stream. */
  readonly hiddenSize: number;
  /** Query heads. */
  readonly heads: number;
  /** Key and value heads (grouped-query attention). */
  readonly kvHeads: number;
  readonly headDim: number;
  readonly vocabulary: number;
  /** Whether the output layer is the embedding table; if not, the table is only looked up, never read whole. */
  readonly tiedEmbeddings: boolean;
  readonly experts?: Experts;
  /** Longest context it was made for, tokens. */
  readonly contextTokensMax: number;
}

/** A model of the catalogue, with its quantisations by name. */
export interface CatalogueModel extends Model {
  /** The first is taken where a name states none. */
  readonly quantisations: readonly Quantisation[];
  /** Parameter count as published with the weights. */
  readonly publishedParameters: number;
  /** Configuration and file sizes: where they were published. */
  readonly source: string;
  /** What the figures leave out; "" where nothing. */
  readonly note: string;
}

/** Engines whose speed follows from hardware and model figures. */
export type EngineKind = "llama.cpp" | "vllm" | "sequential";
