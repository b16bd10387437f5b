import type { Distribution } from "../kernel/distributions/index.ts";
import type { Random } from "../kernel/random.ts";
import { tokenCount } from "./token-count.ts";

/** Where jobs' lengths come from. The pair that `next` returns is overwritten by the next call. */
export interface LengthSource {
  /** Lengths of one more job, each an integer of at least 1. */
  next(): { readonly inputTokens: number; readonly outputTokens: number };
}

/** Input and output drawn independently, each from a stream of its own, so that changing one leaves the other's draws alone. */
export class IndependentLengths implements LengthSource {
  inputTokens = 1;
  outputTokens = 1;
  readonly #input: Distribution;
  readonly #output: Distribution;
  readonly #inputRandom: Random;
  readonly #outputRandom: Random;

  constructor(input: Distribution, output: Distribution, inputRandom: Random, outputRandom: Random) {
    this.#input = input;
    this.#output = output;
    this.#inputRandom = inputRandom;
    this.#outputRandom = outputRandom;
  }

  next(): this {
    this.inputTokens = tokenCount(this.#input.sample(this.#inputRandom));
    this.outputTokens = tokenCount(this.#output.sample(this.#outputRandom));
    return this;
  }
}

/** Pairs drawn with replacement from a list of pairs: input and output stay as correlated as they are there. */
export class JointLengths implements LengthSource {
  inputTokens = 1;
  outputTokens = 1;
  readonly #inputs: ArrayLike<number>;
  readonly #outputs: ArrayLike<number>;
  readonly #random: Random;

  /** @param inputs and @param outputs equally long, at least one pair */
  constructor(inputs: ArrayLike<number>, outputs: ArrayLike<number>, random: Random) {
    this.#inputs = inputs;
    this.#outputs = outputs;
    this.#random = random;
  }

  next(): this {
    const index = Math.floor(this.#random.next() * this.#inputs.length);
    this.inputTokens = tokenCount(this.#inputs[index]!);
    this.outputTokens = tokenCount(this.#outputs[index]!);
    return this;
  }
}
