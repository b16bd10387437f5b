import type { DecodePoint, MixedPoint, PrefillPoint } from "../../protocol/profile.ts";

/** Measurements that an engine's cost is fitted to. */
export interface Measurements {
  readonly prefill: readonly Pick<PrefillPoint, "sequences" | "tokens" | "contextTokens" | "us">[];
  readonly decode: readonly Pick<DecodePoint, "batch" | "contextTokens" | "steps" | "usPerStep">[];
  /** Steps with prompt tokens and decoding sequences: not fitted, but they tell whether both share passes. */
  readonly mixed?: readonly Pick<MixedPoint, "batch" | "contextTokens" | "promptTokens" | "promptContextTokens" | "us">[];
  /** Most tokens in a pass through the model (llama.cpp: --ubatch-size); null where a step is one pass. */
  readonly passTokens: number | null;
}

/** A measured duration, in the quantities that a step's cost depends on. */
export interface Point {
  readonly kind: "prefill" | "decode";
  /** In the measurements' list of that kind. */
  readonly index: number;
  readonly us: number;
  /** Prompts processed or sequences decoding at once. */
  readonly sequences: number;
  /** Tokens of each sequence's context before. */
  readonly contextTokens: number;
  /** Tokens computed. */
  readonly tokens: number;
  /** Passes through the model that they take. */
  readonly passes: number;
  /** Tokens of context that decoding sequences read, on average over the steps. */
  readonly contextRead: number;
  /** Pairs of a prompt token and a token before it. */
  readonly pairs: number;
}

/** All measurements as points, prompts first. */
export function pointsOf({ prefill, decode, passTokens }: Measurements): Point[] {
  return [
    ...prefill.map(({ sequences, tokens, contextTokens, us }, index): Point => ({
      kind: "prefill", index, us, sequences, contextTokens, tokens: sequences * tokens,
      passes: passTokens === null ? 1 : Math.ceil(sequences * tokens / passTokens),
      contextRead: 0,
      pairs: sequences * (tokens * contextTokens + tokens * (tokens - 1) / 2),
    })),
    ...decode.map(({ batch, contextTokens, steps, usPerStep }, index): Point => ({
      kind: "decode", index, us: usPerStep, sequences: batch, contextTokens, tokens: batch,
      passes: passTokens === null ? 1 : Math.ceil(batch / passTokens),
      // Each step reads the token that it takes in as well.
      contextRead: batch * (contextTokens + (steps + 1) / 2),
      pairs: 0,
    })),
  ];
}
