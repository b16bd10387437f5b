/** A sequence's share of a step. */
export interface StepPart {
  readonly sequence: number;
  /** Where in the sequence its tokens go. */
  readonly position: number;
  readonly tokens: readonly number[];
  /** Null: no token is wanted after these. */
  readonly sampler: Sampler | null;
}

/** Picks the next token of one sequence. */
export interface Sampler {
  dispose(): void;
}

/** A loaded model with a context of several sequences, as much of llama.cpp as the batch loop needs. */
export interface BatchModel {
  readonly sequences: number;
  /** Most tokens in a step. */
  readonly batchTokens: number;
  /** What llama.cpp's decoding took in the last step, µs. */
  readonly lastDecodeUs: number;
  /** The prompt's tokens, with the one before it that some models ask for. */
  tokenize(text: string): readonly number[];
  /** Half characters come out as U+FFFD. */
  detokenize(tokens: readonly number[]): string;
  /** Whether a token ends the output. */
  isEnd(token: number): boolean;
  /** A token that stands for a prompt without any. */
  readonly emptyPrompt: number;
  newSampler(): Sampler;
  /** Forgets all that the sequence holds. Only between steps. */
  forget(sequence: number): void;
  /** Computes one batch. @returns the picked token of each part that wanted one, -1 of the others. */
  step(parts: readonly StepPart[]): Promise<readonly number[]>;
}
