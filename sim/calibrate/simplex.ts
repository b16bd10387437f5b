/** A point, and the loss there. */
export interface Vertex {
  readonly x: readonly number[];
  readonly loss: number;
}

/**
 * Nelder and Mead's simplex ("A Simplex Method for Function Minimization", Computer J. 7(4), 1965), started anew around
 * the best point with each of the `sizes` in turn; a negative one points the other way. Needs no derivatives, which a replay does not have. Deterministic.
 */
export function minimiseSimplex(loss: (x: readonly number[]) => number, start: readonly number[], sizes: readonly number[], iterations: number): Vertex {
  let best: Vertex = { x: start, loss: loss(start) };
  for (const size of sizes) best = descend(loss, best, size, iterations);
  return best;
}

function descend(loss: (x: readonly number[]) => number, start: Vertex, size: number, iterations: number): Vertex {
  const n = start.x.length;
  const at = (x: readonly number[]): Vertex => ({ x, loss: loss(x) });
  const simplex = [start, ...start.x.map((_, i) => at(start.x.map((value, j) => value + (i === j ? size : 0))))];
  const byLoss = (a: Vertex, b: Vertex): number => a.loss - b.loss;
  for (let iteration = 0; iteration < iterations; iteration++) {
    simplex.sort(byLoss);
    const [best, worst] = [simplex[0]!, simplex[n]!];
    const centre = start.x.map((_, j) => simplex.slice(0, n).reduce((sum, { x }) => sum + x[j]!, 0) / n);
    const along = (factor: number): Vertex => at(centre.map((value, j) => value + factor * (worst.x[j]! - value)));
    const reflected = along(-1);
    if (reflected.loss < best.loss) {
      const expanded = along(-2);
      simplex[n] = expanded.loss < reflected.loss ? expanded : reflected;
    } else if (reflected.loss < simplex[n - 1]!.loss) simplex[n] = reflected;
    else {
      const contracted = along(reflected.loss < worst.loss ? -0.5 : 0.5);
      if (contracted.loss < Math.min(reflected.loss, worst.loss)) simplex[n] = contracted;
      else for (let i = 1; i <= n; i++) simplex[i] = at(simplex[i]!.x.map((value, j) => (value + best.x[j]!) / 2));
    }
  }
  return simplex.sort(byLoss)[0]!;
}
