import { createHash } from "node:crypto";

/** Tokens that are decoded again with the next ones: for the tokenizer's rules about spaces, and for halves of characters. */
const CONTEXT_TOKENS = 8;
/** What a half character is decoded to, one for all of its bytes, and what becomes no character. */
const NO_CHARACTER = "\u{FFFD}";

/** Turns tokens into text piece by piece, holds half a character back until its other half is there, and hashes it all. */
export class OutputText {
  readonly #detokenize: (tokens: readonly number[]) => string;
  readonly #hash = createHash("sha256");
  #window: number[];
  /** Characters of the window's text that have been given out, or belong to what came before. */
  #told: number;

  /** @param before the last tokens of the prompt. */
  constructor(detokenize: (tokens: readonly number[]) => string, before: readonly number[]) {
    this.#detokenize = detokenize;
    this.#window = before.slice(-CONTEXT_TOKENS);
    this.#told = this.#window.length === 0 ? 0 : detokenize(this.#window).length;
  }

  push(token: number): void {
    this.#window.push(token);
  }

  /** The text that is certain by now. @param all also what may be half a character: nothing more will come. */
  take(all: boolean): string {
    const whole = this.#detokenize(this.#window);
    const held = !all && whole.length > this.#told && whole.endsWith(NO_CHARACTER) ? 1 : 0;
    const text = whole.slice(this.#told, whole.length - held);
    this.#window = this.#window.slice(-CONTEXT_TOKENS);
    this.#told = this.#detokenize(this.#window).length - held;
    this.#hash.update(text);
    return text;
  }

  /** SHA-256 of all that was taken, in UTF-8; ends the text. */
  hash(): string {
    return this.#hash.digest("hex");
  }
}
