import { createHash } from "node:crypto";

const WORDS = [
  "the", "market", "of", "a", "node", "pays", "for", "each", "token", "that", "was", "metered", "and", "price", "moves", "with", "load",
  "until", "router", "finds", "one", "more", "seller", "or", "waits", "as", "buyers", "leave", "in", "time", "every", "sat",
] as const;

/** A text without meaning that is the same for the same key, one word a token. */
export class PseudoText {
  readonly #hash = createHash("sha256");
  #state: number;
  #first = true;

  constructor(key: string) {
    this.#state = createHash("sha256").update(key).digest().readUInt32LE() || 1;
  }

  /** Text of the next tokens. */
  take(tokens: number): string {
    let text = "";
    for (let token = 0; token < tokens; token++) {
      // xorshift32 (Marsaglia 2003).
      let x = this.#state;
      x ^= x << 13;
      x ^= x >>> 17;
      x ^= x << 5;
      this.#state = x >>> 0;
      text += `${this.#first ? "" : " "}${WORDS[this.#state & 31]!}`;
      this.#first = false;
    }
    this.#hash.update(text);
    return text;
  }

  /** SHA-256 of all that was taken; ends the text. */
  hash(): string {
    return this.#hash.digest("hex");
  }
}
