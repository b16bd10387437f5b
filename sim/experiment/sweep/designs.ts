import type { Random } from "../../kernel/random.ts";
import { SobolSequence } from "../../kernel/low-discrepancy/sobol.ts";

/** Every value of each axis with every value of the others, as indexes; the last axis runs fastest. @param counts values of each axis */
export function* product(counts: readonly number[]): Generator<number[]> {
  const total = counts.reduce((all, count) => all * count, 1);
  for (let i = 0; i < total; i++) {
    const point: number[] = [];
    let rest = i;
    for (const count of counts.toReversed()) {
      point.unshift(rest % count);
      rest = Math.floor(rest / count);
    }
    yield point;
  }
}

/**
 * A Latin hypercube: of as many equal parts of each axis as there are points, each has one point, anywhere in it. Coordinates in [0, 1).
 * M. D. McKay, R. J. Beckman and W. J. Conover, Technometrics 21 (1979), 239-245.
 */
export function latinHypercube(points: number, dimensions: number, random: Random): number[][] {
  const columns = Array.from({ length: dimensions }, () => {
    const parts = Array.from({ length: points }, (_, i) => i);
    for (let i = points - 1; i > 0; i--) {
      const j = Math.floor(random.next() * (i + 1));
      [parts[i], parts[j]] = [parts[j]!, parts[i]!];
    }
    return parts.map((part) => (part + random.next()) / points);
  });
  return Array.from({ length: points }, (_, i) => columns.map((column) => column[i]!));
}

/** The first points of the Sobol sequence, origin included. @param random scrambles them; left out: the plain sequence */
export function sobolPoints(points: number, dimensions: number, random?: Random): number[][] {
  const sequence = new SobolSequence(dimensions, random);
  return Array.from({ length: points }, () => [...sequence.next()]);
}

/** Which of `count` values a coordinate in [0, 1) stands for, each as often as the others. */
export function levelOf(share: number, count: number): number {
  return Math.min(count - 1, Math.floor(share * count));
}
