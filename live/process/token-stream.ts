import type { PeerId, TokenChunk } from "../../protocol/messages.ts";

/** Some of a job's output. */
export interface TokenPart {
  /** "" where the node tells no text. */
  readonly text: string;
  readonly tokens: number;
  readonly node: PeerId;
  readonly attempt: number;
  /** The first part of another node's output: what came before it came to nothing. */
  readonly restarted: boolean;
}

/** A job's output as it comes, for one reader. What is not read yet is kept. */
export class TokenStream implements AsyncIterable<TokenPart> {
  readonly #parts: TokenPart[] = [];
  #wake: (() => void) | null = null;
  #ended = false;
  /** Whose output it is, and what came of it. */
  #of = "";
  #text = "";
  #tokens = 0;

  /** What begins with the first token says the whole output again: the reader gets what it does not have yet. */
  add({ attempt, firstToken, tokens, text = "" }: TokenChunk, node: PeerId): void {
    const of = `${attempt} ${node}`;
    const isAgain = of === this.#of && firstToken === 0;
    if (isAgain && text.startsWith(this.#text)) {
      const [fresh, more] = [text.slice(this.#text.length), Math.max(0, tokens - this.#tokens)];
      if (fresh !== "" || more > 0) this.#parts.push({ text: fresh, tokens: more, node, attempt, restarted: false });
    } else this.#parts.push({ text, tokens, node, attempt, restarted: isAgain || (this.#of !== "" && this.#of !== of) });
    this.#text = isAgain || of !== this.#of ? text : this.#text + text;
    this.#tokens = firstToken + tokens;
    this.#of = of;
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncIterator<TokenPart> {
    for (;;) {
      for (let part = this.#parts.shift(); part !== undefined; part = this.#parts.shift()) yield part;
      if (this.#ended) return;
      await new Promise<void>((resolve) => { this.#wake = resolve; });
      this.#wake = null;
    }
  }
}
