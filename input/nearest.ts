import { distance } from "fastest-levenshtein";

/**
 * The candidate most like `word`, or undefined where none is like it: a third of the letters may differ, and case and order
 * altogether.
 */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = Infinity;
  for (const candidate of candidates) {
    const length = Math.max(word.length, candidate.length);
    const edits = sorted(word) === sorted(candidate) ? 1 : distance(word.toLowerCase(), candidate.toLowerCase());
    if (edits <= Math.max(length > 3 ? 2 : 1, Math.floor(length / 3)) && edits < Math.min(bestDistance, length)) {
      best = candidate;
      bestDistance = edits;
    }
  }
  return best;
}

function sorted(word: string): string {
  return [...word.toLowerCase()].sort().join("");
}
