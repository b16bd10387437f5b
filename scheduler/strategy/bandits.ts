import type { Random } from "../environment.ts";

/** Chooses one of several arms again and again, and learns from what each brought. */
export interface Bandit {
  /** The arm to play next. */
  choose(): number;
  /** What the arm chosen last brought; any unit, the same each time. */
  learn(reward: number): void;
}

/**
 * Plays the arm with the best mean reward so far, and with probability epsilon any arm. Every arm is tried once to begin
 * with, in order. (Sutton and Barto, Reinforcement Learning, 2nd ed., 2.2 to 2.4.)
 */
export class EpsilonGreedy implements Bandit {
  readonly #random: Random;
  readonly #epsilon: number;
  readonly #plays: Float64Array;
  readonly #means: Float64Array;
  #chosen = 0;

  /** @throws RangeError where there is no arm, or epsilon is not a share. */
  constructor(arms: number, epsilon: number, random: Random) {
    checkArms(arms);
    checkShare("epsilon", epsilon);
    this.#random = random;
    this.#epsilon = epsilon;
    this.#plays = new Float64Array(arms);
    this.#means = new Float64Array(arms);
  }

  choose(): number {
    const untried = this.#plays.indexOf(0);
    if (untried >= 0) this.#chosen = untried;
    else if (this.#random.next() < this.#epsilon) this.#chosen = Math.floor(this.#random.next() * this.#plays.length);
    else this.#chosen = best(this.#means);
    return this.#chosen;
  }

  learn(reward: number): void {
    const arm = this.#chosen;
    const plays = ++this.#plays[arm]!;
    this.#means[arm]! += (reward - this.#means[arm]!) / plays;
  }

  /** The arm with the best mean; the first of equals. */
  get favourite(): number {
    return best(this.#means);
  }
}

/**
 * EXP3 (Auer, Cesa-Bianchi, Freund, Schapire 2002, SIAM J. Comput. 32, figure 1): plays arm i with probability
 *
 *     p_i = (1 - gamma) w_i / sum of w + gamma / K,   w_i = exp(gamma G_i / K)
 *
 * where G_i sums reward / p_i over the plays of arm i: an unbiased estimate of what the arm would have brought had it been
 * played all along. It assumes nothing of where rewards come from, not even that they are random: rivals may learn too.
 *
 * The paper's rewards lie in [0, 1]. Here they are divided by the largest seen so far, and the sums are kept undivided,
 * so that a new largest rescales the whole past alike. What is below 0 counts as 0.
 */
export class Exp3 implements Bandit {
  readonly #random: Random;
  readonly #gamma: number;
  /** Undivided estimates of each arm's sum of rewards. */
  readonly #gains: Float64Array;
  readonly #probabilities: Float64Array;
  #largest = 0;
  #chosen = 0;

  /** @throws RangeError where there is no arm, or gamma is not a share above 0. */
  constructor(arms: number, gamma: number, random: Random) {
    checkArms(arms);
    checkShare("gamma", gamma);
    if (gamma === 0) throw new RangeError("gamma is above 0, found 0");
    this.#random = random;
    this.#gamma = gamma;
    this.#gains = new Float64Array(arms);
    this.#probabilities = new Float64Array(arms).fill(1 / arms);
  }

  /** Odds of the next choice; they sum to 1. */
  get probabilities(): Readonly<Float64Array> {
    return this.#probabilities;
  }

  choose(): number {
    const arms = this.#probabilities.length;
    let left = this.#random.next();
    let arm = 0;
    while (arm < arms - 1 && left >= this.#probabilities[arm]!) left -= this.#probabilities[arm++]!;
    this.#chosen = arm;
    return arm;
  }

  learn(reward: number): void {
    const gained = Math.max(0, reward);
    this.#gains[this.#chosen]! += gained / this.#probabilities[this.#chosen]!;
    this.#largest = Math.max(this.#largest, gained);
    this.#weigh();
  }

  /** Weights are taken relative to the largest, so that none overflows. */
  #weigh(): void {
    const arms = this.#gains.length;
    const largest = this.#largest === 0 ? 1 : this.#largest;
    const top = this.#gains[best(this.#gains)]!;
    let sum = 0;
    for (let i = 0; i < arms; i++) sum += this.#probabilities[i] = Math.exp((this.#gamma / arms) * ((this.#gains[i]! - top) / largest));
    for (let i = 0; i < arms; i++) this.#probabilities[i] = (1 - this.#gamma) * (this.#probabilities[i]! / sum) + this.#gamma / arms;
  }
}

function best(values: Float64Array): number {
  let found = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[found]!) found = i;
  return found;
}

function checkArms(arms: number): void {
  if (!(Number.isInteger(arms) && arms >= 1)) throw new RangeError(`a bandit has at least one arm, found ${arms}`);
}

function checkShare(name: string, value: number): void {
  if (!(value >= 0 && value <= 1)) throw new RangeError(`${name} is from 0 to 1, found ${value}`);
}
