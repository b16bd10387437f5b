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
  #of = "";

  add({ attempt, tokens, text = "" }: TokenChunk, node: PeerId): void {
    const of = `${attempt} ${node}`;
    this.#parts.push({ text, tokens, node, attempt, restarted: this.#of !== "" && this.#of !== of });
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
