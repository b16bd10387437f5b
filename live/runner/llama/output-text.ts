import { createHash } from "node:crypto";

/** Tokens that are decoded again with the next ones, for the tokenizer's rules about spaces. */
const CONTEXT_TOKENS = 4;
/** A character has 4 bytes at most, and so 4 tokens: what is no character after more will not become one. */
const HELD_TOKENS_MAX = 4;
const NO_CHARACTER = "\u{FFFD}";

/** Turns tokens into text piece by piece, holds half a character back until its other half is there, and hashes it all. */
export class OutputText {
  readonly #detokenize: (tokens: readonly number[]) => string;
  readonly #hash = createHash("sha256");
  #window: number[];
  /** Characters of the window's text that have been given out, or belong to what came before. */
  #told: number;
  #held = 0;

  /** @param before the last tokens of the prompt. */
  constructor(detokenize: (tokens: readonly number[]) => string, before: readonly number[]) {
    this.#detokenize = detokenize;
    this.#window = before.slice(-CONTEXT_TOKENS);
    this.#told = this.#window.length === 0 ? 0 : detokenize(this.#window).length;
  }

  push(token: number): void {
    this.#window.push(token);
    this.#held++;
  }

  /** The text that is certain by now. @param all also what may be half a character: nothing more will come. */
  take(all: boolean): string {
    if (this.#held === 0) return "";
    const whole = this.#detokenize(this.#window);
    let end = whole.length;
    if (!all && this.#held <= HELD_TOKENS_MAX) while (end > 0 && whole[end - 1] === NO_CHARACTER) end--;
    const text = whole.slice(this.#told, end);
    this.#told = Math.max(this.#told, end);
    if (end === whole.length) {
      this.#window = this.#window.slice(-CONTEXT_TOKENS);
      this.#told = this.#detokenize(this.#window).length;
      this.#held = 0;
    }
    this.#hash.update(text);
    return text;
  }

  /** SHA-256 of all that was taken, in UTF-8; ends the text. */
  hash(): string {
    return this.#hash.digest("hex");
  }
}
