import type { ErrorCode, Message, PeerId } from "../../protocol/messages.ts";
import type { RunnerEvent, RunnerJob, Telemetry, WalletEvent } from "../../scheduler/environment.ts";

/** Whose process it is. */
export type Role = "router" | "node" | "client" | "ledger";

/**
 * Looks on while a participant works, from outside: it is told what passes between the participant and its environment, and
 * changes none of it. Each hears what it has a method for. Messages and runner events may carry prompts and outputs: a watcher
 * takes names, counts and times of them, and nothing else.
 */
export interface Watcher {
  readonly telemetry?: Partial<Telemetry>;
  /** A message for the participant arrived. */
  heard?(from: PeerId, message: Message): void;
  /** The participant sent a message. */
  sent?(to: PeerId, message: Message): void;
  /** The node handed a job to its runner. */
  runnerTook?(job: RunnerJob): void;
  runnerSaid?(event: RunnerEvent): void;
  /** The node had its runner forget a job. */
  runnerForgot?(jobId: string): void;
  walletSaid?(event: WalletEvent): void;
  /** An envelope, or a connection's words, were refused. */
  refused?(code: ErrorCode, detail: string): void;
  /** A connection to this peer came up or went down. */
  peer?(peer: PeerId, connected: boolean): void;
  /** There is no connection to a server (such as "router ws://..."), and the next try comes in so many ms: told at each try. */
  down?(server: string, why: string, retryMs: number): void;
  /** There is one (again). */
  up?(server: string): void;
  /** The program has a fault. */
  fault?(error: unknown): void;
}
