import { randomInt } from "node:crypto";
import type { Socket } from "node:net";
import { WebSocket } from "ws";
import { ENVELOPE_BYTES_MAX } from "../../protocol/limits.ts";
import type { ErrorCode, Message, PeerId } from "../../protocol/messages.ts";
import type { Signer } from "../../protocol/signer.ts";
import type { Clock } from "../clock.ts";
import { BackOff, type BackOffOptions } from "./back-off.ts";
import { Courier } from "./courier.ts";
import { answerFrame, checkWelcome, newNonce } from "./handshake.ts";
import { CLOSE, DEFAULT_LIMITS } from "./limits.ts";
import type { LinkLimits } from "./limits.ts";
import type { Link, LinkListener } from "./link.ts";
import { closeWords, Wire } from "./wire.ts";

export interface UplinkOptions {
  readonly signer: Signer;
  readonly clock: Clock;
  /** ws:// or wss:// */
  readonly url: string;
  /** The router's key; who answers must prove that it holds it. */
  readonly router: PeerId;
  readonly limits?: Partial<LinkLimits> | undefined;
  /** Pauses between tries to connect; by default from 250 ms to 30 s. */
  readonly backOff?: BackOffOptions | undefined;
  /** The signer's key has never been used before; otherwise the first try comes in the next full second. */
  readonly newKey?: boolean | undefined;
  /** Told why there is no connection, in words for people, and when the next try comes. */
  readonly onDown?: ((why: string, retryMs: number) => void) | undefined;
}

/** What an uplink has done since its start. */
export interface UplinkStats {
  /** Connections that were proven. */
  opened: number;
  /** Tries that failed, and connections that were lost. */
  lost: number;
  received: number;
  sent: number;
  /** Messages that were dropped while there was no connection. */
  undelivered: number;
  readonly refused: Partial<Record<ErrorCode, number>>;
}

/** A connection must stand so long before the next one is tried without much of a pause, µs. */
const STEADY_US = 5_000_000;

interface Kept {
  readonly to: PeerId;
  readonly message: Message;
  readonly characters: number;
  readonly untilUs: number;
}

/** About how long a message is: what is not text is short. */
function lengthOf(message: Message): number {
  return ("prompt" in message ? message.prompt?.length ?? 0 : 0) + ("text" in message ? message.text?.length ?? 0 : 0);
}

/**
 * A node's or client's connection to its router, over which it reaches all others. Comes back by itself; what is sent
 * meanwhile is kept for a while, and sealed only when it goes out.
 */
export class Uplink implements Link {
  readonly stats: UplinkStats = { opened: 0, lost: 0, received: 0, sent: 0, undelivered: 0, refused: {} };
  readonly #options: UplinkOptions;
  readonly #clock: Clock;
  readonly #limits: LinkLimits;
  readonly #courier: Courier;
  readonly #backOff: BackOff;
  #listener: LinkListener | null = null;
  #ws: WebSocket | null = null;
  /** Once the other side has proven itself. */
  #wire: Wire | null = null;
  #openedUs = 0;
  #kept: Kept[] = [];
  #tick: NodeJS.Timeout | null = null;
  #retry: NodeJS.Timeout | null = null;
  #stopped = false;

  constructor(options: UplinkOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#courier = new Courier(options.signer, options.clock, options.newKey ?? false);
    this.#backOff = new BackOff(options.backOff ?? { firstMs: 250, mostMs: 30_000 }, () => randomInt(2 ** 32) / 2 ** 32);
  }

  /** Who hears of what happens; to be said once, before the start. */
  listen(listener: LinkListener): void {
    this.#listener = listener;
  }

  /** Begins to connect, and does so until it is stopped. Resolves when the first try is made, whatever comes of it. */
  async start(): Promise<void> {
    await this.#courier.ready();
    if (this.#stopped) return;
    this.#tick = setInterval(() => this.#onTick(), this.#limits.tickMs);
    this.#connect();
  }

  get isConnected(): boolean {
    return this.#wire !== null;
  }

  /** @throws RangeError where the message is not valid. */
  send(to: PeerId, message: Message): void {
    if (this.#stopped) return;
    if (this.#wire !== null) return this.#sendNow(to, message);
    const characters = lengthOf(message);
    const held = this.#kept.reduce((sum, kept) => sum + kept.characters, characters);
    if (this.#kept.length >= this.#limits.awayMessages || held > this.#limits.awayBytes) {
      this.stats.undelivered++;
      return;
    }
    this.#kept.push({ to, message, characters, untilUs: this.#clock.nowUs + this.#limits.awayMs * 1_000 });
  }

  /** Sends what waits, for a second at most, and closes. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    if (this.#tick !== null) clearInterval(this.#tick);
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#kept = [];
    const ws = this.#ws;
    if (ws === null || ws.readyState === ws.CLOSED) return;
    const closed = new Promise<void>((resolve) => ws.once("close", () => resolve()));
    ws.close(CLOSE.done);
    const deadline = setTimeout(() => ws.terminate(), 1_000);
    await closed;
    clearTimeout(deadline);
  }

  #connect(): void {
    this.#retry = null;
    const { url, signer, router } = this.#options;
    const ws = new WebSocket(url, { maxPayload: ENVELOPE_BYTES_MAX, perMessageDeflate: false, handshakeTimeout: this.#limits.openingMs });
    this.#ws = ws;
    let socket: Socket | null = null;
    const nonce = newNonce();
    let answered = false;
    let why = "";
    const giveUp = (detail: string): void => {
      why = detail;
      ws.terminate();
    };
    const opening = setTimeout(() => giveUp("the router did not answer in time"), 2 * this.#limits.openingMs);
    ws.on("upgrade", (response) => {
      socket = response.socket;
      socket.setNoDelay(true);
    });
    const onOpening = (data: unknown, isBinary: boolean): void => {
      const frame = isBinary ? "" : (data as Buffer).toString();
      const { unixS } = this.#clock;
      if (!answered) {
        const answer = answerFrame(frame, nonce, signer, router, unixS);
        if (!answer.ok) return giveUp(answer.detail);
        answered = true;
        ws.send(answer.frame);
        return;
      }
      const proof = checkWelcome(frame, nonce, signer.publicKey, router, unixS);
      if (!proof.ok) return giveUp(proof.detail);
      clearTimeout(opening);
      ws.off("message", onOpening);
      this.#onOpen(new Wire(ws, socket!, this.#clock, this.#limits, (data, isBinary) => this.#onFrame(data, isBinary)));
    };
    ws.on("message", onOpening);
    ws.on("error", (error) => {
      if (why === "") why = error.message;
    });
    ws.on("close", (code, reason) => {
      clearTimeout(opening);
      this.#onClose(code, why === "" ? closeWords(code, reason.toString()) : why);
    });
  }

  #onOpen(wire: Wire): void {
    this.#wire = wire;
    this.#openedUs = this.#clock.nowUs;
    this.stats.opened++;
    const kept = this.#kept;
    this.#kept = [];
    for (const { to, message, untilUs } of kept) {
      if (untilUs < this.#clock.nowUs) this.stats.undelivered++;
      else this.#sendKept(to, message);
    }
    this.#listener?.onPeer?.(this.#options.router, true);
  }

  #sendKept(to: PeerId, message: Message): void {
    try {
      this.#sendNow(to, message);
    } catch (error) {
      // Its sender is not there any more to be told.
      this.#refused("internal", error instanceof Error ? error.message : String(error));
    }
  }

  #sendNow(to: PeerId, message: Message): void {
    if (this.#wire?.send(this.#courier.seal(to, message)) === true) this.stats.sent++;
    else this.stats.undelivered++;
  }

  #onFrame(data: Buffer, isBinary: boolean): void {
    if (this.#stopped) return;
    this.stats.received++;
    if (isBinary) return this.#refused("bad-envelope", "a frame is not text");
    const opened = this.#courier.open(data.toString());
    if (opened.ok) this.#listener?.onMessage(opened.from, opened.message);
    else this.#refused(opened.code, opened.detail);
  }

  #onClose(code: number, why: string): void {
    this.#ws = null;
    this.stats.lost++;
    const wasUp = this.#wire !== null;
    this.#wire = null;
    if (wasUp) this.#listener?.onPeer?.(this.#options.router, false);
    if (this.#stopped) return;
    if (wasUp && this.#clock.nowUs - this.#openedUs > STEADY_US) this.#backOff.reset();
    // Whoever has the same key would be thrown out in turn.
    if (code === CLOSE.replaced) this.#backOff.longest();
    const retryMs = this.#backOff.next();
    this.#retry = setTimeout(() => this.#connect(), retryMs);
    this.#options.onDown?.(why, retryMs);
  }

  #refused(code: ErrorCode, detail: string): void {
    const { refused } = this.stats;
    refused[code] = (refused[code] ?? 0) + 1;
    this.#listener?.onRefused?.(code, detail);
  }

  #onTick(): void {
    this.#courier.forget();
    this.#wire?.look();
    const { nowUs } = this.#clock;
    const waiting = this.#kept.length;
    if (waiting > 0) this.#kept = this.#kept.filter(({ untilUs }) => untilUs >= nowUs);
    this.stats.undelivered += waiting - this.#kept.length;
  }
}
