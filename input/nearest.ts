import { distance } from "fastest-levenshtein";

/**
 * The candidate most like `word`, or undefined where none is like it: a third of the letters may differ, and case and order
 * altogether. A word that others begin with stands for the shortest of them: `RTX 3060` for `RTX 3060 12GB`.
 */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const begun = candidates.filter((candidate) => candidate.toLowerCase().startsWith(`${word.toLowerCase()} `)).sort((a, b) => a.length - b.length);
  if (begun[0] !== undefined) return begun[0];
  let best: string | undefined;
  let bestDistance = Infinity;
  for (const candidate of candidates) {
    const length = Math.max(word.length, candidate.length);
    const apart = distance(word.toLowerCase(), candidate.toLowerCase());
    const edits = sorted(word) === sorted(candidate) ? Math.min(1, apart) : apart;
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
