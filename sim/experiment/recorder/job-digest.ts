import { createHash } from "node:crypto";

const ROWS = 256;
const DOUBLES = 12;
const WORDS = DOUBLES * 2;
/** The packed rows are little-endian on every machine, so that a digest means the same everywhere. */
const LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/**
 * SHA-256 over all job rows, packed to 96 bytes each and hashed in blocks.
 *
 * A row is 9 little-endian doubles (the job's number in order of submission; the times of submission, assignment, start,
 * first token, finish and end; amount and fee) and 6 little-endian 32-bit integers (input tokens, output tokens, node,
 * client class, status, attempts). Times that never came are -1, and so is the node of a job that was never assigned.
 */
export class JobDigest {
  readonly #doubles = new Float64Array(ROWS * DOUBLES);
  readonly #words = new Int32Array(this.#doubles.buffer);
  readonly #bytes = new Uint8Array(this.#doubles.buffer);
  readonly #hash = createHash("sha256");
  #rows = 0;
  #total = 0;

  add(
    number: number, submittedUs: number, assignedUs: number, startedUs: number, firstTokenUs: number, finishedUs: number, endedUs: number,
    amountMsat: number, feeMsat: number, inputTokens: number, outputTokens: number, node: number, clientClass: number, status: number, attempts: number,
  ): void {
    const doubles = this.#doubles;
    const words = this.#words;
    const at = this.#rows * DOUBLES;
    doubles[at] = number;
    doubles[at + 1] = submittedUs;
    doubles[at + 2] = assignedUs;
    doubles[at + 3] = startedUs;
    doubles[at + 4] = firstTokenUs;
    doubles[at + 5] = finishedUs;
    doubles[at + 6] = endedUs;
    doubles[at + 7] = amountMsat;
    doubles[at + 8] = feeMsat;
    const word = this.#rows * WORDS + 18;
    words[word] = inputTokens;
    words[word + 1] = outputTokens;
    words[word + 2] = node;
    words[word + 3] = clientClass;
    words[word + 4] = status;
    words[word + 5] = attempts;
    this.#total++;
    if (++this.#rows === ROWS) this.#flush();
  }

  get rows(): number {
    return this.#total;
  }

  /** The digest of everything added, as 64 lower-case hexadecimal digits. Nothing can be added afterwards. */
  finish(): string {
    this.#flush();
    return this.#hash.digest("hex");
  }

  #flush(): void {
    const used = this.#bytes.subarray(0, this.#rows * DOUBLES * 8);
    if (!LITTLE_ENDIAN) swap(this.#doubles, this.#rows);
    this.#hash.update(used);
    this.#rows = 0;
  }
}

function swap(doubles: Float64Array, rows: number): void {
  const view = new DataView(doubles.buffer);
  for (let row = 0; row < rows; row++) {
    const at = row * DOUBLES * 8;
    for (let index = 0; index < 9; index++) view.setFloat64(at + index * 8, view.getFloat64(at + index * 8, false), true);
    for (let index = 18; index < WORDS; index++) view.setInt32(at + index * 4, view.getInt32(at + index * 4, false), true);
  }
}
