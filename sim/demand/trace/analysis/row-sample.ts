import type { Random } from "../../../kernel/random.ts";
import { Correlation } from "./correlation.ts";

/** Pairs of lengths, each of the rows so far equally likely to be among them (J. Vitter's algorithm R, 1985). */
export class RowSample {
  readonly inputs: Int32Array;
  readonly outputs: Int32Array;
  /** Rows kept. */
  size = 0;
  #rows = 0;
  readonly #random: Random;

  /** @param capacity rows kept at most */
  constructor(capacity: number, random: Random) {
    this.inputs = new Int32Array(capacity);
    this.outputs = new Int32Array(capacity);
    this.#random = random;
  }

  add(inputTokens: number, outputTokens: number): void {
    this.#rows += 1;
    const place = this.size < this.inputs.length ? this.size : Math.floor(this.#random.next() * this.#rows);
    if (place >= this.inputs.length) return;
    this.inputs[place] = inputTokens;
    this.outputs[place] = outputTokens;
    if (place === this.size) this.size += 1;
  }

  /** Spearman's rank correlation, ties at their mean rank; NaN where either side is constant. */
  rankCorrelation(): number {
    const inputRanks = ranks(this.inputs.subarray(0, this.size));
    const outputRanks = ranks(this.outputs.subarray(0, this.size));
    const correlation = new Correlation();
    for (let at = 0; at < this.size; at += 1) correlation.add(inputRanks[at]!, outputRanks[at]!);
    return correlation.value;
  }
}

function ranks(values: Int32Array): Float64Array {
  const order = Array.from(values, (_, index) => index).sort((a, b) => values[a]! - values[b]!);
  const result = new Float64Array(values.length);
  for (let from = 0; from < order.length; ) {
    let to = from + 1;
    while (to < order.length && values[order[to]!] === values[order[from]!]) to += 1;
    for (let at = from; at < to; at += 1) result[order[at]!] = (from + to - 1) / 2;
    from = to;
  }
  return result;
}
