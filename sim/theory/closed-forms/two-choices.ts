import { solveLinear } from "./linear.ts";

/** Levels of the queue that are looked at; at load 0.95 a share of 1e-22 of the servers has more jobs. */
const LEVELS = 10;

/**
 * Power of two choices with infinitely many servers: share of servers with at least i jobs, for i = 1, 2, ...,
 * rho^(2^i - 1). N. Vvedenskaya, R. Dobrushin, F. Karpelevich, Problems of Information Transmission 32(1), 1996;
 * M. Mitzenmacher, IEEE Transactions on Parallel and Distributed Systems 12(10), 2001.
 * @param load of each server, below 1.
 */
export function twoChoicesShares(load: number): readonly number[] {
  return Array.from({ length: LEVELS }, (_, i) => Math.exp((2 ** (i + 1) - 1) * Math.log(load)));
}

/** Mean time in the system with infinitely many servers, sum over i of rho^(2^i - 2), in mean service times. */
export function twoChoicesSojourn(load: number): number {
  return twoChoicesShares(load).reduce((sum, share) => sum + share, 0) / load;
}

/**
 * The same with N servers, to first order in 1/N: shares of the fixed point plus V / N. The noise around the fixed point
 * has covariance W / N with A W + W A' + Q = 0, and shifts the mean by V = -A⁻¹ (C + B·W / 2), where A and B are the
 * drift's first and second derivatives, Q the jumps' covariance and C the drift's own 1/N part. N. Gast, B. Van Houdt,
 * A refined mean field approximation, Proceedings of the ACM on Measurement and Analysis of Computing Systems 1(2), 2017.
 * @param distinct whether the two servers drawn are always different; otherwise drawn with replacement, as in Mitzenmacher.
 */
export function twoChoicesSharesFinite(load: number, servers: number, distinct: boolean): readonly number[] {
  const shares = twoChoicesShares(load);
  const at = (level: number): number => (level === 0 ? 1 : (shares[level - 1] ?? 0));
  const levels = Array.from({ length: LEVELS }, (_, i) => i + 1);
  const slope = levels.map((i) => levels.map((j) => (j === i - 1 ? 2 * load * at(j) : j === i ? -2 * load * at(i) - 1 : j === i + 1 ? 1 : 0)));
  const noise = levels.map((i) => load * (at(i - 1) * at(i - 1) - at(i) * at(i)) + at(i) - at(i + 1));

  const equations: number[][] = [];
  const right: number[] = [];
  for (let i = 0; i < LEVELS; i++) {
    for (let j = 0; j < LEVELS; j++) {
      const equation = new Array<number>(LEVELS * LEVELS).fill(0);
      for (let k = 0; k < LEVELS; k++) {
        equation[k * LEVELS + j] = equation[k * LEVELS + j]! + slope[i]![k]!;
        equation[i * LEVELS + k] = equation[i * LEVELS + k]! + slope[j]![k]!;
      }
      equations.push(equation);
      right.push(i === j ? -noise[i]! : 0);
    }
  }
  const covariance = solveLinear(equations, right);
  const variance = (level: number): number => (level === 0 ? 0 : covariance[(level - 1) * LEVELS + level - 1]!);
  // Two different servers both have i jobs or more with probability x² + (x² - x) / N, to first order.
  const fromDrawing = (level: number): number => (distinct ? at(level) * at(level) - at(level) : 0);
  const push = levels.map((i) => -load * (fromDrawing(i - 1) - fromDrawing(i) + variance(i - 1) - variance(i)));
  const shift = solveLinear(slope, push);
  return shares.map((share, i) => share + shift[i]! / servers);
}

/** Mean time in the system with this many servers, in mean service times; off by the order of 1 / servers². */
export function twoChoicesSojournFinite(load: number, servers: number, distinct: boolean): number {
  return twoChoicesSharesFinite(load, servers, distinct).reduce((sum, share) => sum + share, 0) / load;
}
