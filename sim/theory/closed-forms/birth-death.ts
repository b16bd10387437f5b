/** States of an infinite chain that are looked at; what lies beyond must weigh less than the last digit. */
const STATES_MAX = 20_000;

/**
 * Stationary probabilities of a birth-death chain: p(n) is proportional to the product of birth(i - 1) / death(i) for
 * i = 1 to n (Gross, Shortle, Thompson, Harris, Fundamentals of Queueing Theory, 4th ed., 2008, section 2.1).
 * @param birth rate from n to n + 1, for n = 0, 1, ...; 0 ends the chain there.
 * @param death rate from n to n - 1, for n = 1, 2, ...; above 0.
 * @returns p(0), p(1), ..., summing to 1; cut where the rest has no weight.
 * @throws RangeError where the chain has no stationary distribution, or one with too heavy a tail.
 */
export function birthDeath(birth: (n: number) => number, death: (n: number) => number): readonly number[] {
  const weights = [1];
  let total = 1;
  for (let n = 1; n < STATES_MAX; n++) {
    const weight = (weights[n - 1]! * birth(n - 1)) / death(n);
    if (weight === 0) break;
    weights.push(weight);
    total += weight;
    const falling = weight < weights[n - 1]!;
    if (falling && weight < total * 1e-18) break;
    if (n === STATES_MAX - 1) throw new RangeError("The chain does not settle: births outweigh deaths, or nearly so.");
  }
  return weights.map((weight) => weight / total);
}

/** Mean of a distribution over 0, 1, 2, ... of some value of the state; the state itself by default. */
export function meanOver(probabilities: readonly number[], value: (n: number) => number = (n) => n): number {
  return probabilities.reduce((sum, p, n) => sum + p * value(n), 0);
}
