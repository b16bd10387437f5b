import { SobolSequence } from "../../kernel/low-discrepancy/sobol.ts";
import type { RandomStreams } from "../../kernel/random.ts";
import type { Design } from "./design.ts";
import { withOne } from "./design.ts";

/** One step of a block: which factor changed, and between which two of the block's points. */
export interface Step {
  readonly factor: number;
  readonly from: number;
  readonly to: number;
}

/** A design in whose blocks each factor changes once. */
export interface MorrisDesign extends Design {
  /** Of each block in order, one step per factor; the same whenever they are asked for. */
  steps(): Iterable<readonly Step[]>;
}

/**
 * Morris's trajectories: from a random place on a grid of `levels` values per factor, each factor changes once, in random
 * order, by `levels / (2 (levels - 1))` of its range, up or down, so that all values are equally likely.
 *
 * M. D. Morris, "Factorial sampling plans for preliminary computational experiments", Technometrics 33 (1991) 161-174.
 * @param levels even, at least 2
 */
export function trajectories(factors: number, blocks: number, levels: number, streams: RandomStreams): MorrisDesign {
  const jump = levels / 2;
  function* walks(): Generator<{ readonly lower: number[]; readonly rises: boolean[]; readonly order: number[] }> {
    const random = streams.stream("sensitivity", "morris", "trajectories");
    const below = (n: number): number => Math.floor(random.next() * n);
    for (let block = 0; block < blocks; block++) {
      // The lower of the two levels that a factor takes, and whether it begins there.
      const lower = Array.from({ length: factors }, () => below(levels - jump));
      const rises = Array.from({ length: factors }, () => below(2) === 1);
      const order = Array.from({ length: factors }, (_, i) => i);
      for (let i = factors - 1; i > 0; i--) {
        const j = below(i + 1);
        [order[i], order[j]] = [order[j]!, order[i]!];
      }
      yield { lower, rises, order };
    }
  }
  return {
    factors, blocks, points: factors + 1,
    *steps() {
      for (const { order } of walks()) yield order.map((factor, step) => ({ factor, from: step, to: step + 1 }));
    },
    *[Symbol.iterator]() {
      for (const { lower, rises, order } of walks()) {
        const level = (factor: number, changed: boolean): number => (lower[factor]! + (rises[factor] === changed ? jump : 0)) / (levels - 1);
        let point: Float64Array = Float64Array.from({ length: factors }, (_, factor) => level(factor, false));
        const points: Float64Array[] = [point];
        for (const factor of order) points.push(point = withOne(point, level(factor, true), factor));
        yield points;
      }
    },
  };
}

/** How many points of the sequence lie between a centre and the values it changes to: neighbours are too alike. */
const apart = 4;

/**
 * Radial design: from a centre each factor changes alone, all others as at the centre. Centres and changes are points of a
 * scrambled Sobol' sequence in twice as many dimensions.
 *
 * F. Campolongo, A. Saltelli and J. Cariboni, "From screening to quantitative sensitivity analysis: a unified approach",
 * Computer Physics Communications 182 (2011) 978-988.
 */
export function radial(factors: number, blocks: number, streams: RandomStreams): MorrisDesign {
  const steps = Array.from({ length: factors }, (_, factor): Step => ({ factor, from: 0, to: factor + 1 }));
  return {
    factors, blocks, points: factors + 1,
    *steps() {
      for (let block = 0; block < blocks; block++) yield steps;
    },
    *[Symbol.iterator]() {
      const sequence = new SobolSequence(2 * factors, streams.stream("sensitivity", "morris", "scrambling"));
      const centres: Float64Array[] = [];
      for (let i = 0; i < blocks + apart; i++) {
        const both = sequence.next();
        centres.push(both.slice(0, factors));
        if (i < apart) continue;
        const centre = centres.shift()!;
        yield [centre, ...Array.from({ length: factors }, (_, factor) => withOne(centre, both[factors + factor]!, factor))];
      }
    },
  };
}
