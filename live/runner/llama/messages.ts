import type { RefusalReason } from "../../../protocol/messages.ts";

/** Which of llama.cpp's builds to take: `auto` is the best that is installed and works; false is the processor alone. */
export type GpuKind = "auto" | "cuda" | "vulkan" | "metal" | false;

/** How the next token is picked. */
export interface Sampling {
  /** 0: always the likeliest. */
  readonly temperature: number;
  /** 1: no bound. */
  readonly topP: number;
  /** 0: no bound. */
  readonly topK: number;
  readonly seed: number;
}

/** How the child loads its model. */
export interface LlamaSettings {
  readonly file: string;
  readonly gpu: GpuKind;
  /** Layers on the GPU; null: as many as fit. */
  readonly gpuLayers: number | null;
  readonly threads: number;
  /** Sequences of the context: jobs at once. */
  readonly sequences: number;
  /** Context of each sequence, tokens. */
  readonly contextTokens: number;
  /** Most tokens in a step. */
  readonly batchTokens: number;
  readonly vocabulary: number;
  readonly tokensIntervalMs: number;
  readonly sampling: Sampling;
}

/** A job as the child has it. */
export interface ChildJob {
  readonly ref: number;
  /** Null: so many pseudo-random tokens. */
  readonly prompt: string | null;
  readonly inputTokens: number;
  readonly maxOutputTokens: number;
  /** Where the output ends by decree, tokens; null: where the model ends it. */
  readonly endsAt: number | null;
  /** The model's own end is passed over. */
  readonly ignoreEos: boolean;
  /** Of the pseudo-random prompt. */
  readonly seed: number;
}

/** A measurement on an idle engine, with sequences 0 to n - 1; what they hold stays until `clear`. */
export type Measurement =
  /** So many tokens onto the end of each of the first sequences, in as few steps as the batch allows. */
  | { readonly kind: "prefill"; readonly sequences: number; readonly tokensEach: number }
  /** One token onto the end of each of the first sequences, so many times. */
  | { readonly kind: "decode"; readonly sequences: number; readonly steps: number }
  /** One step with prompt tokens for the sequence after the first ones, which get one token each. */
  | { readonly kind: "mixed"; readonly sequences: number; readonly promptTokens: number }
  | { readonly kind: "clear" };

/** What a step took, µs. */
export interface StepTime {
  /** From the step's beginning to its tokens: what a job notices. */
  readonly us: number;
  /** Of that, llama.cpp's own decoding. */
  readonly decodeUs: number;
  /** The process's CPU time, of all its threads: on a machine that others use, steadier than the clock. */
  readonly cpuUs: number;
  /** Tokens in the step's batch. */
  readonly tokens: number;
}

export type ToChild =
  | { readonly kind: "load"; readonly settings: LlamaSettings }
  | { readonly kind: "run"; readonly job: ChildJob }
  | { readonly kind: "cancel"; readonly ref: number }
  | { readonly kind: "watch"; readonly ref: number; readonly outputTokens: number }
  | { readonly kind: "measure"; readonly id: number; readonly what: Measurement };

export type ChildEvent =
  | { readonly kind: "started"; readonly ref: number; readonly inputTokens: number }
  | { readonly kind: "tokens"; readonly ref: number; readonly count: number; readonly text: string }
  | { readonly kind: "finished"; readonly ref: number; readonly reason: "stop" | "length"; readonly hash: string }
  | { readonly kind: "failed"; readonly ref: number; readonly reason: RefusalReason };

/** What the child says of itself once its model is loaded. */
export interface ChildFacts {
  /** Such as "llama.cpp b6673 (node-llama-cpp 3.21.1, CPU)". */
  readonly engine: string;
  /** Such as "b6673". */
  readonly release: string;
  /** Such as "cuda"; "cpu" without a GPU. */
  readonly backend: string;
  readonly gpuLayers: number;
  /** From the load's beginning to the context's readiness, µs. */
  readonly loadUs: number;
  /** Whether the model asks for a token before every prompt. */
  readonly addsBos: boolean;
}

export type FromChild =
  | { readonly kind: "loaded"; readonly facts: ChildFacts }
  | { readonly kind: "not-loaded"; readonly message: string }
  | { readonly kind: "events"; readonly events: readonly ChildEvent[] }
  | { readonly kind: "measured"; readonly id: number; readonly steps: readonly StepTime[] }
  | { readonly kind: "not-measured"; readonly id: number; readonly message: string };
