import { randomBytes, randomInt } from "node:crypto";
import { WebSocket } from "ws";
import type { Signer } from "../../protocol/signer.ts";
import type { WalletEvent } from "../../scheduler/environment.ts";
import { BackOff, type BackOffOptions } from "../link/back-off.ts";
import { answerChallenge } from "../link/challenge.ts";
import { CLOSE } from "../link/limits.ts";
import { type LiveWallet, WalletError } from "./live-wallet.ts";
import { Purse, type PurseOptions } from "./purse.ts";
import { FRAME_BYTES_MAX, type LedgerMessage, ledgerMessage } from "./wire.ts";

export interface RemoteWalletOptions extends PurseOptions {
  /** `ws://HOST:PORT`; with `#` and a ledger's id behind it, no other ledger will do. */
  readonly url: string;
  /** Whose account it is. */
  readonly signer: Signer;
  /** Pauses between tries to connect; by default from 100 ms to 5 s. */
  readonly backOff?: BackOffOptions | undefined;
  /** How long the first connection may take, ms; default: 10,000. */
  readonly startMs?: number | undefined;
  /** A connection in which nothing came for so long is given up, ms; more than twice the ledger's `pingMs`. Default: 40,000. */
  readonly silenceMs?: number | undefined;
  /** Told why there is no connection, in words for people, and when the next try comes. */
  readonly onDown?: ((why: string, retryMs: number) => void) | undefined;
  /** Told that there is one (again). */
  readonly onUp?: (() => void) | undefined;
}

/** A wallet whose money is at a ledger process ({@link LedgerServer}). Its connection comes back by itself. */
export class RemoteWallet implements LiveWallet {
  readonly #options: RemoteWalletOptions;
  readonly #address: string;
  readonly #purse: Purse;
  readonly #backOff: BackOff;
  readonly #timer: NodeJS.Timeout;
  #onEvent: ((event: WalletEvent) => void) | null = null;
  #socket: WebSocket | null = null;
  #heardMs = 0;
  #retry: NodeJS.Timeout | null = null;
  #stopped = false;
  #connected = false;
  #why = "";
  #started: (() => void) | null = null;

  /** @throws WalletError for an address that is none. */
  constructor(options: RemoteWalletOptions) {
    this.#options = options;
    this.#address = checkedAddress(options.url);
    this.#purse = new Purse({
      get nowUs() { return Math.floor(performance.now() * 1_000); },
      randomHex: (bytes) => randomBytes(bytes).toString("hex"),
      onEvent: (event) => { if (!this.#stopped) this.#onEvent?.(event); },
    }, options);
    this.#backOff = new BackOff(options.backOff ?? { firstMs: 100, mostMs: 5_000 }, () => randomInt(2 ** 32) / 2 ** 32);
    this.#timer = setInterval(() => this.#onTick(), 500);
    this.#timer.unref();
  }

  listen(onEvent: (event: WalletEvent) => void): void {
    this.#onEvent = onEvent;
  }

  async start(): Promise<void> {
    const { startMs = 10_000 } = this.#options;
    this.#connect();
    let timer: NodeJS.Timeout | undefined;
    const inTime = await Promise.race([
      new Promise<true>((resolve) => { this.#started = () => resolve(true); }),
      new Promise<false>((resolve) => { timer = setTimeout(() => resolve(false), startMs); }),
    ]);
    clearTimeout(timer);
    if (inTime) return;
    const why = this.#why;
    await this.stop();
    throw new WalletError(`no ledger at ${this.#options.url} within ${startMs / 1_000} s (${why === "" ? "no answer" : why}); start one: infernet ledger --listen ${new URL(this.#address).host}`);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#purse.disconnected();
    const socket = this.#socket;
    if (socket === null || socket.readyState === socket.CLOSED) return;
    const closed = new Promise<void>((resolve) => { socket.once("close", () => resolve()); });
    socket.close(CLOSE.done);
    const deadline = setTimeout(() => socket.terminate(), 1_000);
    await closed;
    clearTimeout(deadline);
  }

  get isConnected(): boolean { return this.#connected; }
  /** Payments of this wallet's that have not ended, and payments to it that are held or being taken. */
  get open(): { readonly outgoing: number; readonly incoming: number } { return this.#purse.open; }
  get balanceMsat(): number { return this.#purse.balanceMsat; }
  invoice: LiveWallet["invoice"] = (jobId, purpose, amountMsat) => this.#purse.invoice(jobId, purpose, amountMsat);
  holdInvoice: LiveWallet["holdInvoice"] = (jobId, amountMsat, timeoutUs) => this.#purse.holdInvoice(jobId, amountMsat, timeoutUs);
  take: LiveWallet["take"] = (paymentHash) => this.#purse.take(paymentHash);
  release: LiveWallet["release"] = (paymentHash) => this.#purse.release(paymentHash);
  pay: LiveWallet["pay"] = (request) => this.#purse.pay(request);

  #connect(): void {
    this.#retry = null;
    const { signer, onUp } = this.#options;
    const socket = new WebSocket(this.#address, { maxPayload: FRAME_BYTES_MAX, perMessageDeflate: false, handshakeTimeout: 5_000 });
    this.#socket = socket;
    this.#heardMs = performance.now();
    const giveUp = (why: string): void => {
      this.#why = why;
      socket.terminate();
    };
    socket.on("ping", () => { this.#heardMs = performance.now(); });
    socket.on("error", (error) => { this.#why = error.message; });
    socket.on("close", (code, reason) => {
      this.#socket = null;
      this.#connected = false;
      this.#purse.disconnected();
      if (this.#stopped) return;
      if (reason.length > 0) this.#why = reason.toString();
      // Whoever has the same key would be thrown out in turn; who was refused will be again.
      if (code === CLOSE.replaced || code === CLOSE.openingRefused || code === CLOSE.misbehaved) this.#backOff.longest();
      const retryMs = this.#backOff.next();
      this.#retry = setTimeout(() => this.#connect(), retryMs);
      this.#options.onDown?.(this.#why === "" ? "the connection was closed" : this.#why, retryMs);
    });
    socket.on("message", (data, isBinary) => {
      if (this.#stopped || socket.readyState !== socket.OPEN) return;
      this.#heardMs = performance.now();
      const message = isBinary ? undefined : readMessage((data as Buffer).toString());
      if (message === undefined) return giveUp("what answers there is no ledger of this version");
      if (message.type === "challenge") {
        const { nonce, audience } = message;
        const wanted = new URL(this.#options.url).hash.slice(1);
        if (!audience.startsWith("ledger:") || (wanted !== "" && audience !== `ledger:${wanted}`)) return giveUp("another ledger answers there");
        return socket.send(JSON.stringify({ type: "answer", event: answerChallenge(signer, { nonce, audience }, Math.floor(Date.now() / 1_000)) }));
      }
      if (message.type !== "welcome") return this.#purse.receive(message);
      this.#connected = true;
      this.#why = "";
      this.#backOff.reset();
      this.#purse.connected((said) => { if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(said)); }, message);
      this.#started?.();
      onUp?.();
    });
  }

  #onTick(): void {
    if (this.#socket !== null && performance.now() - this.#heardMs > (this.#options.silenceMs ?? 40_000)) {
      this.#why = "the ledger was silent";
      this.#socket.terminate();
    }
    this.#purse.tick();
  }
}

function readMessage(text: string): LedgerMessage | undefined {
  try {
    const parsed = ledgerMessage.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

/** @returns the address without what is not sent. */
function checkedAddress(url: string): string {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw new WalletError(`a ledger's address is ws://HOST:PORT, not ${JSON.stringify(url)}`);
  }
  if (parsed.protocol !== "ws:" && parsed.protocol !== "wss:") throw new WalletError(`a ledger's address begins with ws:// or wss://, not ${parsed.protocol}//`);
  if (parsed.hash !== "" && !/^#[0-9a-f]{64}$/.test(parsed.hash)) throw new WalletError("behind # an address has the ledger's id: 64 hexadecimal digits, as it prints them at its start");
  parsed.hash = "";
  return parsed.href;
}
