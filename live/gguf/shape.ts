import { GgufError } from "./gguf-error.ts";
import { VOCABULARY_MIN } from "./vocabulary.ts";

/** Sizes of a model of the llama architecture. */
export interface ModelShape {
  readonly vocabulary: number;
  readonly embedding: number;
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly feedForward: number;
}

/** Fewest parameters that a synthetic model can have: the smallest vocabulary at a width of 64 and one layer. */
export const PARAMETERS_MIN = 100_000;
export const PARAMETERS_MAX = 100_000_000_000;

/** Parameters of a model of this shape. */
export const parametersOf = ({ vocabulary, embedding, layers, heads, kvHeads, feedForward }: ModelShape): number => {
  const kvWidth = (embedding / heads) * kvHeads;
  return embedding * (2 * vocabulary + 1) + layers * embedding * (2 * embedding + 2 * kvWidth + 3 * feedForward + 2);
};

/** A vocabulary that leaves most parameters to the layers, as in real models. */
const usualVocabulary = (parameters: number): number => (parameters < 3e6 ? 512 : parameters < 3e7 ? 2_048 : parameters < 3e8 ? 8_192 : 32_000);

/** Layers at this width in published models: 12 at 768 (GPT-2), 22 at 2,048 (TinyLlama), 32 at 4,096 and 80 at 8,192 (Llama 2). */
const usualLayers = (embedding: number): number => (embedding < 1_024 ? embedding / 64 : 12 + embedding / 192);

/**
 * A shape with nearly so many parameters and the proportions of real models: heads of 64 numbers (128 from a width of 2,048
 * on, 32 below 128; llama.cpp's attention is made for such: on heads of 16 it takes three times as long), two to four heads for each of the KV cache's, and a feed-forward part 8/3 as wide as the model, moved
 * in steps of 32 until the count fits.
 * @throws GgufError where there is none.
 */
export const shapeFor = (parameters: number, vocabulary = usualVocabulary(parameters)): ModelShape => {
  if (!(parameters >= PARAMETERS_MIN && parameters <= PARAMETERS_MAX)) throw new GgufError(`a synthetic model has from 100 thousand to 100 billion parameters, not ${parameters}`);
  if (!(Number.isInteger(vocabulary) && vocabulary >= VOCABULARY_MIN && vocabulary <= 256_000)) throw new GgufError(`a vocabulary has from ${VOCABULARY_MIN} to 256000 tokens, not ${vocabulary}`);
  let best: ModelShape | null = null;
  let bestScore = Infinity;
  for (let embedding = 64; embedding <= 16_384; embedding += embedding < 1_024 ? 64 : 256) {
    const headWidth = embedding < 128 ? 32 : embedding < 2_048 ? 64 : 128;
    const heads = embedding / headWidth;
    const kvHeads = heads % 4 === 0 ? heads / 4 : heads % 3 === 0 ? heads / 3 : heads % 2 === 0 ? heads / 2 : heads;
    const usual = { vocabulary, embedding, heads, kvHeads, feedForward: Math.round(embedding / 12) * 32 };
    const none = parametersOf({ ...usual, layers: 0 });
    const each = parametersOf({ ...usual, layers: 1 }) - none;
    for (const layers of new Set([Math.floor((parameters - none) / each), Math.ceil((parameters - none) / each)])) {
      if (layers < 1) continue;
      const withoutFeed = parametersOf({ ...usual, layers, feedForward: 0 });
      const feedForward = Math.max(32, Math.round((parameters - withoutFeed) / (3 * embedding * layers * 32)) * 32);
      const shape = { ...usual, layers, feedForward };
      const error = Math.abs(Math.log(parametersOf(shape) / parameters));
      const score = Math.abs(Math.log(layers / usualLayers(embedding))) + Math.abs(Math.log(feedForward / usual.feedForward)) + 20 * error;
      if (score < bestScore) [best, bestScore] = [shape, score];
    }
  }
  if (best === null || Math.abs(parametersOf(best) / parameters - 1) > 0.1) throw new GgufError(`no model of ${parameters} parameters has a vocabulary of ${vocabulary} tokens; try a smaller one`);
  return best;
};
