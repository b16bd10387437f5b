/** One thing to do with the engine. Sequences count from the first; contexts grow until they are cleared. */
export type BenchStep =
  | { readonly kind: "clear" }
  /** Prompts of so many tokens onto the ends of the first sequences. */
  | { readonly kind: "prefill"; readonly sequences: number; readonly tokens: number }
  /** So many tokens, one at a time, onto the ends of the first sequences. */
  | { readonly kind: "decode"; readonly batch: number; readonly steps: number }
  /** One token onto each of the first sequences, and a prompt onto the next one, in one step. */
  | { readonly kind: "mixed"; readonly batch: number; readonly promptTokens: number };

/** What is to be measured. */
export interface BenchGrid {
  /** Lengths of prompts, tokens; rising. */
  readonly prompts: readonly number[];
  /** Context before generation, and before prompts beside those that start empty, tokens; rising, at least 1. */
  readonly contexts: readonly number[];
  /** Sequences that generate together; rising. */
  readonly batches: readonly number[];
  /** Tokens generated in a row for one measurement. */
  readonly steps: number;
  /** Context of one sequence, tokens: what does not fit is left out. */
  readonly contextTokens: number;
  /** Most tokens in one step of the engine. */
  readonly batchTokens: number;
}

/** What `infernet bench` measures where nothing else is said. */
export const usualGrid = { prompts: [16, 64, 256, 512, 1_024], contexts: [64, 512, 2_048], batches: [1, 2, 4, 8], steps: 32, repetitions: 5 } as const;
/** The same with `--quick`. */
export const quickGrid = { prompts: [16, 64, 256], contexts: [64, 512], batches: [1, 2, 4], steps: 16, repetitions: 3 } as const;

/**
 * Shorter prompts are not measured after a context: on processors llama.cpp computes the attention of fewer than 64 tokens one
 * by one, and 16 tokens after 512 may take longer than 64 do. They would give the others a wrong slope.
 */
const SHORTEST_CONTINUED = 64;

/** Context that a sequence must have so that the whole grid fits, tokens. */
export function contextNeeded({ prompts, contexts, batches, steps }: Pick<BenchGrid, "prompts" | "contexts" | "batches" | "steps">): number {
  const longest = contexts.at(-1)!;
  return Math.max(longest + (batches.length + 1) * steps, longest + Math.min(prompts.at(-1)!, 512), prompts.at(-1)! + 1);
}

/**
 * One round of measurements; repetitions are further rounds, so that what changes slowly, such as heat, falls on all alike.
 * Largest batch first: the sequences of a smaller one then have equal contexts too.
 */
export function planRound({ prompts, contexts, batches, steps, contextTokens, batchTokens }: BenchGrid): BenchStep[] {
  const plan: BenchStep[] = [];
  for (const tokens of prompts) if (tokens <= contextTokens) plan.push({ kind: "clear" }, { kind: "prefill", sequences: 1, tokens });
  const most = batches.at(-1)!;
  for (const context of contexts) {
    if (context + steps > contextTokens) continue;
    plan.push({ kind: "clear" }, { kind: "prefill", sequences: 1, tokens: context });
    let used = context;
    for (const tokens of prompts) {
      if (tokens < SHORTEST_CONTINUED) continue;
      if (used + tokens > contextTokens) break;
      plan.push({ kind: "prefill", sequences: 1, tokens });
      used += tokens;
    }
    plan.push({ kind: "clear" }, { kind: "prefill", sequences: most, tokens: context });
    used = context;
    for (const batch of batches.toReversed()) {
      if (used + steps > contextTokens) break;
      plan.push({ kind: "decode", batch, steps });
      used += steps;
    }
    if (context !== contexts[0]) continue;
    // Whether prompts share a pass with those who generate can be told at one context.
    for (const batch of batches) {
      const promptTokens = prompts.findLast((tokens) => tokens + batch <= batchTokens && context + tokens <= contextTokens);
      if (batch >= most || promptTokens === undefined || used + batches.length > contextTokens) continue;
      plan.push({ kind: "clear" }, { kind: "prefill", sequences: batch + 1, tokens: context }, { kind: "mixed", batch, promptTokens });
    }
  }
  return plan;
}
