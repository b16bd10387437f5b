import type { Socket } from "node:net";
import type { WebSocket } from "ws";
import type { Clock } from "../clock.ts";
import { CLOSE } from "./limits.ts";
import type { LinkLimits } from "./limits.ts";

/** How long the other side may take to say good-bye, µs. */
const FAREWELL_US = 1_000_000;

/** One open WebSocket, looked after: sockets that are half open, stuck, or do not say good-bye are cut off. */
export class Wire {
  readonly ws: WebSocket;
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #limits: LinkLimits;
  #heardUs: number;
  #pinged = false;
  /** Bytes that had gone out when it was last looked at, and since when there have been no more, µs. */
  #gone = -1;
  #goneUs: number;
  #closingUs = Infinity;
  #lookedUs: number;
  #gathering = false;
  /** Bytes since the last whole frame, but for the rest of the chunk in which that came. */
  #unfinished = 0;
  #paused: NodeJS.Timeout | null = null;
  #pausedUntilUs = 0;

  /** @param onFrame called with every whole frame. */
  constructor(ws: WebSocket, socket: Socket, clock: Clock, limits: LinkLimits, onFrame: (data: Buffer, isBinary: boolean) => void) {
    this.ws = ws;
    this.#socket = socket;
    this.#clock = clock;
    this.#limits = limits;
    this.#heardUs = clock.nowUs;
    this.#goneUs = clock.nowUs;
    this.#lookedUs = clock.nowUs;
    // Before the WebSocket itself hears of them.
    socket.prependListener("data", (data: Buffer) => void (this.#unfinished += data.length));
    ws.on("message", (data, isBinary) => {
      this.#unfinished = 0;
      this.#heard();
      onFrame(data as Buffer, isBinary);
    });
    ws.on("pong", () => this.#heard());
    ws.on("ping", () => this.#heard());
    ws.on("close", () => this.#resume());
  }

  get isOpen(): boolean {
    return this.ws.readyState === this.ws.OPEN;
  }

  /** Bytes that are held for it: those that wait to be sent, and those of a frame that has not come whole. */
  get buffered(): number {
    return this.ws.bufferedAmount + this.#unfinished;
  }

  /** Sends a frame of text. @returns false where too much waits already: the connection is cut off. */
  send(frame: string | Buffer): boolean {
    if (!this.isOpen) return false;
    if (this.ws.bufferedAmount + frame.length > this.#limits.bufferedBytes) {
      this.cut();
      return false;
    }
    this.#gather();
    this.ws.send(frame, { binary: false });
    return true;
  }

  /** What goes out within one turn of the event loop goes out in one write: a system call costs more than what it carries. */
  #gather(): void {
    if (this.#gathering) return;
    this.#gathering = true;
    this.#socket.cork();
    process.nextTick(() => {
      this.#gathering = false;
      this.#socket.uncork();
    });
  }

  /** Reads nothing for so long. Frames that have been read already still come, and may make it longer. */
  pause(us: number): void {
    if (!this.isOpen) return;
    this.#pausedUntilUs = Math.max(this.#pausedUntilUs, this.#clock.nowUs + us);
    if (this.#paused !== null) return;
    this.ws.pause();
    this.#goOnLater();
  }

  #goOnLater(): void {
    this.#paused = setTimeout(() => {
      if (this.#clock.nowUs < this.#pausedUntilUs) this.#goOnLater();
      else this.#resume();
    }, Math.max(1, Math.ceil((this.#pausedUntilUs - this.#clock.nowUs) / 1_000)));
  }

  /** Says good-bye. @param reason ASCII; cut to the 123 bytes that RFC 6455 (5.5) allows. */
  close(code: number, reason = ""): void {
    this.#resume();
    this.#closingUs = Math.min(this.#closingUs, this.#clock.nowUs);
    this.ws.close(code, reason.slice(0, 123));
  }

  /** Ends the connection without a word. */
  cut(): void {
    this.ws.terminate();
  }

  /** To be called at every tick. Cuts off what has to be, and says why. */
  look(): "silent" | "stuck" | undefined {
    const { nowUs } = this.#clock;
    if (nowUs - this.#closingUs > FAREWELL_US) {
      this.cut();
      return undefined;
    }
    // Where this process itself was held up, nobody is to blame for it: what came meanwhile has not been read yet.
    if (nowUs - this.#lookedUs > this.#limits.silenceMs * 500) {
      this.#heard();
      this.#goneUs = nowUs;
    }
    this.#lookedUs = nowUs;
    const gone = this.#socket.bytesWritten - this.#socket.writableLength;
    if (gone !== this.#gone || this.ws.bufferedAmount === 0) {
      this.#gone = gone;
      this.#goneUs = nowUs;
    } else if (nowUs - this.#goneUs > this.#limits.stuckMs * 1_000) {
      this.cut();
      return "stuck";
    }
    const silentUs = this.#paused === null ? nowUs - this.#heardUs : 0;
    if (silentUs > 2 * this.#limits.silenceMs * 1_000) {
      this.cut();
      return "silent";
    }
    if (silentUs > this.#limits.silenceMs * 1_000 && !this.#pinged && this.isOpen) {
      this.#pinged = true;
      this.ws.ping();
    }
    return undefined;
  }

  #heard(): void {
    this.#heardUs = this.#clock.nowUs;
    this.#pinged = false;
  }

  #resume(): void {
    if (this.#paused === null) return;
    clearTimeout(this.#paused);
    this.#paused = null;
    this.#heardUs = this.#clock.nowUs;
    this.ws.resume();
  }
}

/** The close code and reason as people read them. */
export function closeWords(code: number, reason: string): string {
  const known: Readonly<Record<number, string>> = {
    1_006: "the connection was lost", [CLOSE.done]: "the other side has ended it", [CLOSE.goingAway]: "the other side is shutting down",
    [CLOSE.tryLater]: "the server has no room for more connections", [CLOSE.tooBig]: "a message was too long",
    [CLOSE.replaced]: "another process has connected with the same key",
  };
  return reason === "" ? (known[code] ?? `closed with code ${code}`) : reason;
}
