import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import { sha256Hex } from "../protocol/canonical.ts";
import type { MeteringReceipt, PeerId, TokenChunk } from "../protocol/messages.ts";

/** Attempts at one job whose output is followed; an honest router makes far fewer. */
const MAX_STREAMS = 32;
const NOTHING = sha256Hex("");

interface Stream {
  readonly from: PeerId;
  readonly attempt: number;
  hash: ReturnType<typeof sha256.create>;
  tokens: number;
  /** Something is missing in its middle, or came twice. */
  broken: boolean;
}

/** Follows what comes of one job's output, so that the receipt can be held against it. Keeps hashes, no text. */
export class OutputCheck {
  readonly #streams: Stream[] = [];

  /**
   * Tokens have come. What begins with the first one says the whole output again, as after a connection that broke.
   * @returns whether these are the first of this attempt
   */
  add(from: PeerId, { attempt, firstToken, tokens, text }: TokenChunk): boolean {
    let stream = this.#of(from, attempt);
    const isNew = stream === undefined;
    if (stream === undefined) {
      if (this.#streams.length >= MAX_STREAMS) return false;
      stream = { from, attempt, hash: sha256.create(), tokens: 0, broken: false };
      this.#streams.push(stream);
    } else if (firstToken === 0) {
      stream.hash = sha256.create();
      stream.tokens = 0;
      stream.broken = false;
    }
    if (firstToken !== stream.tokens) stream.broken = true;
    stream.tokens = firstToken + tokens;
    if (text !== undefined) stream.hash.update(utf8ToBytes(text));
    return isNew;
  }

  /** "" where this output came, whole and in order: as many tokens as are billed, with the hash that was signed. */
  wrongWith(from: PeerId, { attempt, outputTokens, outputHash }: MeteringReceipt): "" | "not-delivered" | "wrong-output" {
    const stream = this.#of(from, attempt);
    if (stream === undefined) return outputTokens > 0 ? "not-delivered" : outputHash === NOTHING ? "" : "wrong-output";
    if (stream.broken || stream.tokens < outputTokens) return "not-delivered";
    return stream.tokens === outputTokens && bytesToHex(stream.hash.clone().digest()) === outputHash ? "" : "wrong-output";
  }

  #of(from: PeerId, attempt: number): Stream | undefined {
    return this.#streams.find((stream) => stream.from === from && stream.attempt === attempt);
  }
}
