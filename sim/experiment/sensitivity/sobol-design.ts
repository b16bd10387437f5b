import { SobolSequence } from "../../kernel/low-discrepancy/sobol.ts";
import type { RandomStreams } from "../../kernel/random.ts";
import type { Design } from "./design.ts";
import { withOne } from "./design.ts";

/**
 * Saltelli's design: each block has two points of their own, A and B; for each factor A with that factor as in B; and, for
 * second-order indices, for each factor B with that factor as in A. A and B together are a point of a scrambled Sobol' sequence
 * in twice as many dimensions, so that another seed gives another design of the same quality.
 *
 * A. Saltelli et al., "Variance based sensitivity analysis of model output", Computer Physics Communications 181 (2010) 259-270.
 * @param blocks powers of two use the sequence best
 */
export function sobolDesign(factors: number, blocks: number, secondOrder: boolean, streams: RandomStreams): Design {
  return {
    factors, blocks, points: (secondOrder ? 2 : 1) * factors + 2,
    *[Symbol.iterator]() {
      const sequence = new SobolSequence(2 * factors, streams.stream("sensitivity", "sobol", "scrambling"));
      for (let block = 0; block < blocks; block++) {
        const both = sequence.next();
        const a = both.slice(0, factors);
        const b = both.slice(factors);
        const points: Float64Array[] = [a, b];
        for (let i = 0; i < factors; i++) points.push(withOne(a, b[i]!, i));
        if (secondOrder) for (let i = 0; i < factors; i++) points.push(withOne(b, a[i]!, i));
        yield points;
      }
    },
  };
}
