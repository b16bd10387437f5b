import { randomBytes } from "node:crypto";
import type { AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import type { PeerId } from "../../protocol/messages.ts";
import { Allowance } from "../link/allowance.ts";
import { checkAnswer } from "../link/challenge.ts";
import { CLOSE } from "../link/limits.ts";
import { Bank, type Teller } from "./bank.ts";
import { type Durability, Journal } from "./journal.ts";
import { Ledger, type LedgerOptions, OrderError } from "./ledger.ts";
import { FRAME_BYTES_MAX, type LedgerMessage, walletMessage } from "./wire.ts";

/** Where a ledger listens, what it keeps, and how much it puts up with. */
export interface LedgerServerOptions {
  readonly listen: { readonly host: string; readonly port: number };
  /** File that the accounts are kept in; absent: they are gone with the process. */
  readonly journal?: string | undefined;
  /** Default: `power`. */
  readonly durability?: Durability | undefined;
  /** Size at which the journal is replaced by a shorter one, bytes; default: 16 MiB. */
  readonly compactBytes?: number;
  readonly ledger?: LedgerOptions;
  /** Connections at once; default: 4,096. */
  readonly connectionsMax?: number;
  /** Time until a new connection must have answered its challenge, ms; default: 5,000. */
  readonly answerMs?: number;
  /** Between two looks whether a connection is still alive, ms; default: 15,000. */
  readonly pingMs?: number;
  /** Messages of one connection per second at most, over time; default: 20,000. */
  readonly messagesPerS?: number;
  /** A connection was turned away or broken off: a sentence for the log, without anything that it said. */
  readonly onRefused?: (detail: string) => void;
  /** The journal cannot be written any more (the disk is full): nobody is served from now on, and nobody was told of what is not in it. */
  readonly onFailure?: (error: unknown) => void;
}

/** Frames that wait for a wallet that does not read, bytes: then it is cut off, and told everything when it comes back. */
const BUFFERED_BYTES_MAX = 1_048_576;
/** Between two looks for payments whose time is over, ms. */
const EXPIRE_EVERY_MS = 100;
/** A look that comes so late, ms, was held up by something. */
const STOPPED_MS = 1_000;
const COMPACT_BYTES = 16 * 1_048_576;

const nowUs = (): number => performance.now() * 1_000;

interface Connection {
  readonly socket: WebSocket;
  readonly nonce: string;
  /** Null until the challenge is answered. */
  account: PeerId | null;
  teller: Teller | null;
  alive: boolean;
  readonly allowance: Allowance;
}

/**
 * The process that stands for Lightning: a {@link Ledger} behind a WebSocket server, and a journal that it comes back from
 * after any end. Nobody is told of anything before the journal has it.
 */
export class LedgerServer {
  readonly ledger: Ledger;
  /** Random, kept in the journal: wallets can insist on it. */
  readonly ledgerId: string;
  /** Bytes of a torn last line that was dropped from the journal. */
  readonly tornBytes: number;
  readonly #options: LedgerServerOptions;
  readonly #journal: Journal | null;
  readonly #bank: Bank;
  readonly #connections = new Set<Connection>();
  readonly #timers: NodeJS.Timeout[] = [];
  #server: WebSocketServer | null = null;
  #outbox: [WebSocket, LedgerMessage][] = [];
  #latestMs = 0;
  /** Bytes of the journal at which it is made shorter. */
  #compactAt: number;
  #messages = 0;
  #failed = false;
  #stopping = false;
  readonly #outcomes: Record<string, number> = {};

  /** Reads the journal. @throws JournalError where it cannot be used. */
  constructor(options: LedgerServerOptions) {
    this.#options = options;
    const { journal, durability, ledger = {} } = options;
    this.#compactAt = options.compactBytes ?? COMPACT_BYTES;
    this.#journal = journal === undefined ? null : new Journal(journal, durability, (error) => this.#fail(error));
    this.ledgerId = this.#journal?.ledgerId ?? randomBytes(32).toString("hex");
    this.tornBytes = this.#journal?.tornBytes ?? 0;
    this.ledger = new Ledger(ledger, {
      record: (entry) => this.#journal?.append(entry),
      changed: (payment) => {
        const { state, reason } = payment;
        if (state === "settled" || state === "failed") {
          const outcome = reason ?? state;
          this.#outcomes[outcome] = (this.#outcomes[outcome] ?? 0) + 1;
        }
        this.#bank.changed(payment);
      },
    });
    this.#bank = new Bank(this.ledger, { feeBaseMsat: ledger.feeBaseMsat ?? 0, feePpm: ledger.feePpm ?? 0 });
    try {
      this.ledger.replay(this.#journal?.takeEntries() ?? []);
    } catch (error) {
      this.#journal?.close();
      throw error;
    }
  }

  /** Begins to listen. @returns the address for wallets, `ws://HOST:PORT#LEDGER`. @throws the system's error where the port is taken. */
  async start(): Promise<string> {
    const { listen, pingMs = 15_000, ledger = {} } = this.#options;
    const server = new WebSocketServer({ ...listen, maxPayload: FRAME_BYTES_MAX, perMessageDeflate: false, clientTracking: false });
    this.#server = server;
    try {
      await new Promise<void>((resolve, reject) => {
        server.once("listening", resolve);
        server.once("error", reject);
      });
    } catch (error) {
      this.#journal?.close();
      throw error;
    }
    server.on("connection", (socket) => this.#onConnection(socket));
    let pingedMs = performance.now();
    this.#timers.push(setInterval(() => {
      const sinceMs = performance.now() - pingedMs;
      pingedMs += sinceMs;
      // Where this process itself was held up, nobody is to blame for it: answers that came meanwhile have not been read yet.
      this.#lookAfter(sinceMs < 1.5 * pingMs);
    }, pingMs));
    // Wallets that were cut off by a restart have the time to come back that a payment has to be answered in.
    const wait = this.ledger.size.pending > 0 ? (ledger.offerMs ?? 10_000) : 0;
    this.#timers.push(setTimeout(() => {
      let lookedMs = performance.now();
      this.#timers.push(setInterval(() => {
        const sinceMs = performance.now() - lookedMs;
        lookedMs += sinceMs;
        // A process that was stopped for a while has answers waiting that came in time: they go first.
        if (sinceMs < STOPPED_MS) this.#turn((nowMs) => this.ledger.expire(nowMs));
      }, EXPIRE_EVERY_MS));
    }, wait));
    const { address, port, family } = server.address() as AddressInfo;
    return `ws://${family === "IPv6" ? `[${address}]` : address}:${port}#${this.ledgerId}`;
  }

  /** Closes the connections and the journal. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const timer of this.#timers) clearInterval(timer);
    for (const { socket } of this.#connections) socket.terminate();
    const server = this.#server;
    if (server !== null && !this.#failed) await new Promise<void>((resolve) => { server.close(() => resolve()); });
    this.#journal?.close();
  }

  /** Connections, those included that have not answered; messages taken; bytes of the journal. */
  get traffic(): { readonly connections: number; readonly messages: number; readonly journalBytes: number } {
    return { connections: this.#connections.size, messages: this.#messages, journalBytes: this.#journal?.bytes ?? 0 };
  }

  /** Payments that ended since the start, by how: `settled`, or why they failed. */
  get outcomes(): Readonly<Record<string, number>> {
    return this.#outcomes;
  }

  #onConnection(socket: WebSocket): void {
    const { connectionsMax = 4_096, answerMs = 5_000, messagesPerS = 20_000 } = this.#options;
    socket.on("error", () => {
      // `close` follows.
    });
    if (this.#connections.size >= connectionsMax) return this.#refuse(socket, CLOSE.tryLater, "this ledger has as many connections as it takes");
    const connection: Connection = { socket, nonce: randomBytes(32).toString("hex"), account: null, teller: null, alive: true, allowance: new Allowance(messagesPerS, 2 * messagesPerS, nowUs()) };
    this.#connections.add(connection);
    const timer = setTimeout(() => this.#refuse(socket, CLOSE.openingRefused, "the challenge was not answered in time"), answerMs);
    socket.on("pong", () => { connection.alive = true; });
    socket.on("close", () => {
      clearTimeout(timer);
      this.#connections.delete(connection);
      const { account, teller } = connection;
      if (account !== null && !this.#stopping) this.#turn((nowMs) => this.#bank.disconnect(account, teller!, nowMs));
    });
    socket.on("message", (data, isBinary) => {
      if (socket.readyState !== socket.OPEN) return;
      connection.alive = true;
      this.#messages++;
      if (connection.allowance.take(1, nowUs()) > 0) return this.#refuse(socket, CLOSE.misbehaved, `more than ${messagesPerS} messages per second`);
      let value: unknown;
      try {
        value = isBinary ? undefined : JSON.parse((data as Buffer).toString("utf8"));
      } catch {
        // Refused below.
      }
      if (connection.account === null) {
        clearTimeout(timer);
        return this.#onAnswer(connection, value);
      }
      this.#onMessage(connection, connection.account, value);
    });
    socket.send(JSON.stringify({ type: "challenge", nonce: connection.nonce, audience: this.#audience } satisfies LedgerMessage));
  }

  #onAnswer(connection: Connection, value: unknown): void {
    const { socket, nonce } = connection;
    const { type, event } = (value ?? {}) as { type?: unknown; event?: unknown };
    const answered = type === "answer" ? checkAnswer(event, { nonce, audience: this.#audience }, Math.floor(Date.now() / 1_000)) : { ok: false as const, detail: "an answer to the challenge comes first" };
    if (!answered.ok) return this.#refuse(socket, CLOSE.openingRefused, answered.detail);
    const account = answered.peer;
    const teller: Teller = {
      tell: (message) => { this.#outbox.push([socket, message]); },
      replaced: () => {
        connection.account = null;
        socket.close(CLOSE.replaced, "another connection has come with the same key");
        // What it still holds back must never arrive.
        setTimeout(() => socket.terminate(), 1_000).unref();
      },
    };
    connection.teller = teller;
    this.#orders(socket, (nowMs) => {
      this.#bank.connect(account, teller, nowMs);
      connection.account = account;
    });
  }

  #onMessage({ socket }: Connection, account: PeerId, value: unknown): void {
    const parsed = walletMessage.safeParse(value);
    if (!parsed.success) return this.#refuse(socket, CLOSE.misbehaved, "that is no message of a wallet's");
    this.#orders(socket, (nowMs) => this.#bank.receive(account, parsed.data, nowMs));
  }

  #orders(socket: WebSocket, act: (nowMs: number) => void): void {
    try {
      this.#turn(act);
    } catch (error) {
      if (!(error instanceof OrderError)) throw error;
      this.#refuse(socket, CLOSE.misbehaved, error.message);
    }
  }

  /** Acts on the ledger, and tells of it once it is written down. */
  #turn(act: (nowMs: number) => void): void {
    if (this.#failed) return;
    // A clock that is set back must not bring payments back to life.
    this.#latestMs = Math.max(this.#latestMs, Date.now());
    act(this.#latestMs);
    const said = this.#outbox;
    if (said.length > 0) this.#outbox = [];
    const tell = (): void => {
      for (const [socket, message] of said) this.#send(socket, message);
    };
    const journal = this.#journal;
    if (journal === null) return tell();
    try {
      journal.commit(tell);
      if (journal.bytes >= this.#compactAt) {
        journal.compact(this.ledger.snapshot());
        this.#compactAt = Math.max(this.#options.compactBytes ?? COMPACT_BYTES, 2 * journal.bytes);
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  /** What is in memory is ahead of the journal: it must not go on. */
  #fail(error: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    for (const timer of this.#timers) clearInterval(timer);
    this.#server?.close();
    for (const { socket } of this.#connections) socket.terminate();
    const { onFailure = (fault: unknown) => { throw fault; } } = this.#options;
    onFailure(error);
  }

  #send(socket: WebSocket, message: LedgerMessage): void {
    if (socket.readyState !== socket.OPEN) return;
    if (socket.bufferedAmount > BUFFERED_BYTES_MAX) {
      this.#options.onRefused?.("a wallet does not read what it is told");
      return socket.terminate();
    }
    socket.send(JSON.stringify(message));
  }

  /** Pings everybody. @param judging cuts off who has not answered since the last time */
  #lookAfter(judging: boolean): void {
    for (const connection of this.#connections) {
      const { socket } = connection;
      if (!connection.alive && judging) socket.terminate();
      connection.alive = false;
      if (socket.readyState === socket.OPEN) socket.ping();
    }
  }

  #refuse(socket: WebSocket, code: number, detail: string): void {
    this.#options.onRefused?.(detail);
    socket.close(code, detail);
    setTimeout(() => socket.terminate(), 1_000).unref();
  }

  get #audience(): string {
    return `ledger:${this.ledgerId}`;
  }
}
