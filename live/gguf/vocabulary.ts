/** Kinds of tokens in a GGUF (llama.h, llama_token_type). */
export const TOKEN_TYPE = { normal: 1, unknown: 2, control: 3, byte: 6 } as const;

/** A token of a synthetic vocabulary. */
export interface VocabularyToken {
  readonly text: string;
  readonly score: number;
  readonly type: number;
}

/** What SentencePiece writes for a space. */
const SPACE = "\u2581";
/** Consonant and vowel: 105 syllables, so that longer words come together from halves that are tokens themselves. */
const SYLLABLES: readonly string[] = [..."bcdfghjklmnpqrstvwxyz"].flatMap((consonant) => [..."aeiou"].map((vowel) => consonant + vowel));

/** Numbers of the tokens that are single bytes: from the first to before the second. */
export const BYTE_TOKENS = { from: 3, to: 3 + 256 } as const;
const WORDS_FROM = BYTE_TOKENS.to + 1 + SYLLABLES.length;

/** Every synthetic vocabulary has the bytes, the syllables and the words of one syllable. */
export const VOCABULARY_MIN = WORDS_FROM + SYLLABLES.length;

/** Number of the token that ends an output. */
export const EOS_TOKEN = 2;

/**
 * A vocabulary that llama.cpp's SentencePiece tokenizer works with: `<unk>`, `<s>`, `</s>`, all bytes, a space, syllables,
 * and words of one, two and three syllables with their space before them. Pairs are merged by score, syllables first, so a
 * word of the vocabulary always becomes its one token; any other text falls back to syllables and bytes.
 * @param size from {@link VOCABULARY_MIN} to 256,000.
 */
export function* vocabularyTokens(size: number): Generator<VocabularyToken> {
  yield { text: "<unk>", score: 0, type: TOKEN_TYPE.unknown };
  yield { text: "<s>", score: 0, type: TOKEN_TYPE.control };
  yield { text: "</s>", score: 0, type: TOKEN_TYPE.control };
  for (let byte = 0; byte < 256; byte++) yield { text: `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`, score: 0, type: TOKEN_TYPE.byte };
  let made: number = BYTE_TOKENS.to;
  for (const text of fillers()) {
    if (made === size) return;
    // A higher score is merged earlier: syllables before words, short words before long ones.
    yield { text, score: -made, type: TOKEN_TYPE.normal };
    made++;
  }
}

function* fillers(): Generator<string> {
  yield SPACE;
  yield* SYLLABLES;
  for (const syllable of SYLLABLES) yield SPACE + syllable;
  for (const first of SYLLABLES) for (const second of SYLLABLES) yield SPACE + first + second;
  for (const first of SYLLABLES) for (const second of SYLLABLES) for (const third of SYLLABLES) yield SPACE + first + second + third;
}

/**
 * A text that the tokenizer of every synthetic model turns into exactly `tokens` tokens: words of one syllable, drawn by
 * `seed`. Synthetic models ask for no token before the prompt, so there is none to count; where a model does ask for
 * one (BOS), it counts as part of the prompt, and this text would have one token more.
 * @param tokens at least 1.
 * @param seed 32 bits, unsigned.
 */
export const promptOfTokens = (tokens: number, seed: number): string => {
  let state = (seed ^ 0x9e3779b9) >>> 0;
  const words: string[] = [];
  for (let word = 0; word < tokens; word++) {
    // mulberry32: good enough to draw words.
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    words.push(SYLLABLES[((mixed ^ (mixed >>> 14)) >>> 0) % SYLLABLES.length]!);
  }
  // The tokenizer puts the first space there itself.
  return words.join(" ");
};
