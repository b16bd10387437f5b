import type { ErrorCode, Message, PeerId } from "../../protocol/messages.ts";

/** What an environment sends through. Envelopes are sealed and opened here: beyond it there are messages with a proven sender. */
export interface Link {
  /**
   * Sends and forgets. What is sent to one peer arrives in the order of sending, or not at all: messages to a peer that
   * is not connected wait for a bounded time and number, and are dropped then.
   */
  send(to: PeerId, message: Message): void;
}

/** What a link tells. */
export interface LinkListener {
  /** A message arrived whose envelope was found right in every respect. */
  onMessage(from: PeerId, message: Message): void;
  /** An envelope or a frame was refused; nothing else came of it. */
  onRefused?(code: ErrorCode, detail: string): void;
  /** A peer's connection came up or went down. */
  onPeer?(peer: PeerId, connected: boolean): void;
}
