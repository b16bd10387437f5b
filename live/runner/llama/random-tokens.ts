/** Control tokens that vocabularies begin with are left out. */
const FIRST_TOKEN = 3;

/** Pseudo-random token ids, the same for the same seed. @param seed 32 bits. */
export const randomTokens = (count: number, vocabulary: number, seed: number): number[] => {
  let state = (seed ^ 0x9e3779b9) >>> 0 || 1;
  return Array.from({ length: count }, () => {
    // xorshift32 (Marsaglia 2003).
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return FIRST_TOKEN + ((state >>> 0) % (vocabulary - FIRST_TOKEN));
  });
};
