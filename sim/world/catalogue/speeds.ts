import type { StepCost } from "../engine/engine.ts";
import { generateUs, promptUs } from "./step-cost.ts";

/** Length of the prompt, and of the answer after it, that advertised speeds refer to; tokens. */
export const advertisedPromptTokens = 512;
const advertisedOutputTokens = 128;

/** What an operator claims of an otherwise idle node, in the descriptor's terms. */
export interface AdvertisedSpeeds {
  readonly prefillTokensPerS: number;
  readonly decodeTokensPerS: number;
}

/** Speeds of an idle node: a prompt of 512 tokens, then 128 tokens after it in a single sequence. */
export function advertisedSpeeds(cost: StepCost): AdvertisedSpeeds {
  return {
    prefillTokensPerS: advertisedPromptTokens * 1e6 / promptUs(cost, advertisedPromptTokens),
    decodeTokensPerS: advertisedOutputTokens * 1e6 / generateUs(cost, advertisedOutputTokens, advertisedPromptTokens),
  };
}
