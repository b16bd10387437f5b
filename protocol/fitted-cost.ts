import { z } from "zod";

const us = z.number().min(0).max(1e12);
const count = z.int().min(1).max(65_536);

/**
 * What an engine's step costs, as a formula with coefficients fitted to measurements. A step with P prompt tokens and B
 * decoding sequences is computed in passes through the model:
 *
 * - `affine` (dense models on llama.cpp): every pass takes `fixedUs` (reading the weights, launching kernels), `batchedUs`
 *   more where it holds more than one token, and `tokenUs` for each.
 * - `experts`: beside that, a pass of n tokens takes `experts.readUs` times the share of experts that its tokens touch,
 *   1 - (1 - activeShare)^(n^agreement).
 * - `roofline` (vLLM): a pass takes `fixedUs` and the longer of reading the weights (`readUs`) and computing (`tokenUs` for
 *   each token): one hides behind the other.
 * - `steps` (llama.cpp on processors): decoding takes what it took at the batch sizes measured, linear in between and
 *   beyond; prompts as in `affine`. No curve is assumed.
 *
 * In each form, `sequenceUs` comes on top for every decoding sequence, `contextUs` for every token of context that
 * decoding reads, and `promptContextUs` for every pair of a prompt token and a token before it.
 */
export const fittedCost = z.strictObject({
  form: z.enum(["affine", "experts", "roofline", "steps"]),
  passTokens: z.int().min(1).max(2 ** 31 - 1).nullable().describe("Most tokens in a pass; null: a step is one pass."),
  mixed: z.enum(["shared", "separate"])
    .describe("Whether a step's prompt tokens and its decoding sequences share passes, or are computed one after the other."),
  fixedUs: us.describe("Of a pass."),
  batchedUs: us.describe("More of a pass with more than one token, as where captured graphs serve single tokens alone."),
  readUs: us.describe("Reading the weights in a pass, which hides behind computing; form roofline, else 0."),
  tokenUs: us.describe("Of a token in a pass; in form steps, of a prompt token."),
  sequenceUs: us.describe("More for each decoding sequence: output layer, sampling."),
  contextUs: us.describe("Of a token of context read by a decoding sequence."),
  promptContextUs: us.describe("Of a pair of a prompt token and a token before it."),
  experts: z.strictObject({
    readUs: us.describe("Reading all of them."),
    activeShare: z.number().gt(0).max(1).describe("Of a layer's experts, those that one token visits."),
    agreement: z.number().gt(0).max(1).describe("n tokens touch as many experts as n^agreement that choose independently would: tokens agree on some."),
  }).nullable().describe("Form experts, else null."),
  steps: z.array(z.strictObject({ sequences: count, us: us.gt(0) })).min(1).max(1_000).nullable()
    .describe("Duration of a decode step without the context part, at rising numbers of sequences; form steps, else null."),
});
export type FittedCost = z.infer<typeof fittedCost>;
