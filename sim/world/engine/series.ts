/** Sum of the first k terms of a, a + b, a + 2b, ...: k steps in ticks, exact while below 2^53. */
export function seriesSum(a: number, b: number, k: number): number {
  return a * k + b * ((k * (k - 1)) / 2);
}

/** The smallest k of at least 1 with `seriesSum(a, b, k) > x`: the first step boundary after x ticks. a > 0, b >= 0. */
export function firstBoundaryAfter(a: number, b: number, x: number): number {
  const half = a - b / 2;
  const root = Math.sqrt(half * half + 2 * b * x);
  // Two forms of the same root of b/2 k^2 + half k - x: each loses no digits on its side of half = 0.
  let k = Math.floor(half >= 0 ? (2 * x) / (half + root) : (root - half) / b) + 1;
  if (!(k >= 1)) k = 1;
  while (seriesSum(a, b, k) <= x) k++;
  while (k > 1 && seriesSum(a, b, k - 1) > x) k--;
  return k;
}

/** Sum over j < k of (a + b j)(c + d j): an amount that grows by d a step, integrated over k steps that grow by b. */
export function weightedSum(a: number, b: number, c: number, d: number, k: number): number {
  const sum1 = (k * (k - 1)) / 2;
  const sum2 = (sum1 * (2 * k - 1)) / 3;
  return a * c * k + (a * d + b * c) * sum1 + b * d * sum2;
}
