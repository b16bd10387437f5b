/** The most tokens that the protocol's messages can name. */
const mostTokens = 2 ** 31 - 1;

/** A drawn length as a number of tokens: rounded to the nearest, at least 1, at most 2^31 - 1. */
export function tokenCount(drawn: number): number {
  const rounded = Math.floor(drawn + 0.5);
  return rounded >= 1 ? (rounded <= mostTokens ? rounded : mostTokens) : 1;
}
