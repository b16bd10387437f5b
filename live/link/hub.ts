import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import { ENVELOPE_BYTES_MAX } from "../../protocol/limits.ts";
import type { ErrorCode, Message, PeerId } from "../../protocol/messages.ts";
import type { Signer } from "../../protocol/signer.ts";
import type { Clock } from "../clock.ts";
import { addressOf } from "./address.ts";
import { Allowance } from "./allowance.ts";
import { Away } from "./away.ts";
import { Courier } from "./courier.ts";
import { challengeFrame, newNonce, welcomeFrame } from "./handshake.ts";
import { CLOSE, DEFAULT_LIMITS } from "./limits.ts";
import type { LinkLimits } from "./limits.ts";
import type { Link, LinkListener } from "./link.ts";
import { Wire } from "./wire.ts";

export interface HubOptions {
  readonly signer: Signer;
  readonly clock: Clock;
  /** What differs from {@link DEFAULT_LIMITS}. */
  readonly limits?: Partial<LinkLimits> | undefined;
  /** The signer's key has never been used before; otherwise the hub opens in the next full second. */
  readonly newKey?: boolean | undefined;
}

/** What a hub has done since its start. */
export interface HubStats {
  /** Connections now whose peer is proven. */
  peers: number;
  /** Connections that were proven, and those of them that took an older one's place. */
  opened: number;
  replaced: number;
  /** Connections that failed to prove themselves, or for which there was no room. */
  turnedAway: number;
  /** Connections that were cut off: silent, not reading, or sending what is no good. */
  silent: number;
  stuck: number;
  misbehaved: number;
  /** Envelopes that came in; those for the hub's own peer that were found right; and those passed on to others. */
  received: number;
  opens: number;
  passedOn: number;
  /** Envelopes of the hub's own peer that went out. */
  sent: number;
  /** Envelopes to peers that are not there. */
  undelivered: number;
  /** How often somebody who sent too much was not read for a while. */
  pauses: number;
  /** What was refused, by the reason. */
  readonly refused: Partial<Record<ErrorCode, number>>;
}

interface Connection {
  readonly wire: Wire;
  /** What its peer is asked to sign. */
  readonly nonce: string;
  readonly sinceUs: number;
  readonly envelopes: Allowance;
  readonly bytes: Allowance;
  readonly strikes: Allowance;
  /** When it was last told of an envelope refused, µs. */
  toldUs: number;
  /** "" until it is proven. */
  peer: PeerId;
}

/** Refusals that say more of the sender's program or clock than of its intent: it is told of them. */
const TELLING: ReadonlySet<ErrorCode> = new Set(["bad-envelope", "bad-message", "expired", "oversized", "unsupported-version"]);

/**
 * A router's server of WebSockets. Every connection proves whose it is when it opens; then it carries envelopes, one a frame.
 * Those for the router are opened and checked in every respect; the others are passed on, unopened, to the connection of the
 * peer that they are for: who gets them checks them.
 */
export class Hub implements Link {
  readonly stats: HubStats = {
    peers: 0, opened: 0, replaced: 0, turnedAway: 0, silent: 0, stuck: 0, misbehaved: 0, received: 0, opens: 0, passedOn: 0, sent: 0, undelivered: 0, pauses: 0, refused: {},
  };
  readonly #signer: Signer;
  readonly #clock: Clock;
  readonly #limits: LinkLimits;
  readonly #courier: Courier;
  readonly #away: Away;
  readonly #http: Server;
  readonly #server: WebSocketServer;
  /** All connections, opening ones included. */
  readonly #connections = new Set<Connection>();
  readonly #byPeer = new Map<PeerId, Connection>();
  #listener: LinkListener | null = null;
  #tick: NodeJS.Timeout | null = null;
  #stopping = false;

  constructor(options: HubOptions) {
    this.#signer = options.signer;
    this.#clock = options.clock;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#courier = new Courier(options.signer, options.clock, options.newKey ?? false);
    this.#away = new Away(options.clock, this.#limits);
    const { openingMs, connections } = this.#limits;
    this.#http = createServer({ keepAlive: false, requestTimeout: openingMs, headersTimeout: openingMs, connectionsCheckingInterval: openingMs }, (_request, response) => {
      response.writeHead(426, { "content-type": "text/plain", connection: "close" }).end("This is an infernet router: it speaks WebSocket.\n");
    });
    // Beyond it sockets are closed unread; up to it they are told why there is no room.
    this.#http.maxConnections = 2 * connections;
    this.#server = new WebSocketServer({ server: this.#http, maxPayload: ENVELOPE_BYTES_MAX, perMessageDeflate: false, clientTracking: false });
    this.#server.on("connection", (ws, request) => this.#onConnection(ws, request));
  }

  /** Who hears of what happens; to be said once, before the start. */
  listen(listener: LinkListener): void {
    this.#listener = listener;
  }

  /**
   * Opens the server.
   * @param port 0: one that is free
   * @returns where it is
   * @throws Error of node:net, such as EADDRINUSE
   */
  async start(host: string, port: number): Promise<{ readonly address: string; readonly port: number }> {
    await this.#courier.ready();
    await new Promise<void>((resolve, reject) => {
      // The WebSocket server hands on the errors of the one that it sits on.
      this.#server.once("error", reject);
      this.#http.listen({ host, port, backlog: 1_024 }, () => {
        this.#server.off("error", reject);
        this.#server.on("error", () => {});
        resolve();
      });
    });
    this.#tick = setInterval(() => this.#onTick(), this.#limits.tickMs);
    const at = this.#http.address() as AddressInfo;
    return { address: at.address, port: at.port };
  }

  /** Whether this peer is connected now. */
  isConnected(peer: PeerId): boolean {
    return this.#byPeer.has(peer);
  }

  /** @throws RangeError where the message is not valid. */
  send(to: PeerId, message: Message): void {
    if (this.#stopping) return;
    const connection = this.#byPeer.get(to);
    // Signing is dear: not for nobody.
    if (connection === undefined && !this.#away.isExpected(to)) {
      this.stats.undelivered++;
      return;
    }
    this.stats.sent++;
    this.#deliver(to, this.#courier.seal(to, message));
  }

  /** Closes all connections, within a second or so, and the server. */
  async stop(): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    const closed = new Promise<void>((resolve) => this.#http.close(() => resolve()));
    this.#server.close();
    for (const { wire } of this.#connections) wire.close(CLOSE.goingAway);
    const deadline = setTimeout(() => {
      for (const { wire } of this.#connections) wire.cut();
      this.#http.closeAllConnections();
    }, 1_000);
    await closed;
    clearTimeout(deadline);
    if (this.#tick !== null) clearInterval(this.#tick);
    this.#tick = null;
  }

  #onConnection(ws: WebSocket, request: IncomingMessage): void {
    const { nowUs } = this.#clock;
    const { socket } = request;
    const { envelopesPerS, bytesPerS, burstS, strikes } = this.#limits;
    socket.setNoDelay(true);
    const connection: Connection = {
      wire: new Wire(ws, socket, this.#clock, this.#limits, (data, isBinary) => this.#onFrame(connection, data, isBinary)),
      nonce: newNonce(),
      sinceUs: nowUs,
      envelopes: new Allowance(envelopesPerS, envelopesPerS * burstS, nowUs),
      bytes: new Allowance(bytesPerS, bytesPerS * burstS, nowUs),
      strikes: new Allowance(1, strikes, nowUs),
      toldUs: -Infinity,
      peer: "",
    };
    ws.on("error", (error: Error & { readonly code?: string }) => this.#onWireError(connection, error));
    ws.on("close", () => this.#onClose(connection));
    if (this.#stopping || this.#connections.size >= this.#limits.connections) {
      this.stats.turnedAway++;
      ws.close(CLOSE.tryLater);
      setTimeout(() => ws.terminate(), 1_000).unref();
      return;
    }
    this.#connections.add(connection);
    this.#boundOpening(connection, request);
    connection.wire.send(challengeFrame(connection.nonce, this.#courier.self));
  }

  /** A frame is heard of when it is whole, and may be long: what comes before the proof is counted as it comes. */
  #boundOpening(connection: Connection, { socket }: IncomingMessage): void {
    let bytes = 0;
    const count = (data: Buffer): void => {
      bytes += data.length;
      if (connection.peer !== "") socket.off("data", count);
      else if (bytes > this.#limits.openingBytes) {
        socket.off("data", count);
        this.#refused("oversized", "a connection sent more than a connection may before it has proven whose it is");
        connection.wire.cut();
      }
    };
    socket.on("data", count);
  }

  #onFrame(connection: Connection, data: Buffer, isBinary: boolean): void {
    if (this.#stopping || !connection.wire.isOpen) return;
    if (connection.peer === "") return this.#onAnswer(connection, data, isBinary);
    this.stats.received++;
    const { nowUs } = this.#clock;
    const owedUs = Math.max(connection.envelopes.take(1, nowUs), connection.bytes.take(data.length, nowUs));
    if (owedUs > 0) {
      this.stats.pauses++;
      connection.wire.pause(owedUs);
    }
    if (isBinary) return this.#strike(connection, "bad-envelope", "a frame is not text");
    let envelope: unknown;
    try {
      envelope = JSON.parse(data.toString());
    } catch {
      return this.#strike(connection, "bad-envelope", "a frame is not JSON");
    }
    const address = addressOf(envelope);
    if (address === undefined) return this.#strike(connection, "bad-envelope", "a frame is not an envelope");
    if (address.from !== connection.peer) return this.#strike(connection, "bad-signature", "an envelope is not of the peer whose connection it came over");
    if (address.to === this.#courier.self) return this.#open(connection, envelope);
    if (this.#deliver(address.to, data)) this.stats.passedOn++;
  }

  #open(connection: Connection, envelope: unknown): void {
    const opened = this.#courier.open(envelope);
    if (opened.ok) {
      this.stats.opens++;
      this.#listener?.onMessage(opened.from, opened.message);
      return;
    }
    const { code, field, detail } = opened;
    this.#strike(connection, code, detail);
    const { nowUs } = this.#clock;
    if (!TELLING.has(code) || nowUs - connection.toldUs < 1_000_000 || !connection.wire.isOpen) return;
    connection.toldUs = nowUs;
    this.send(connection.peer, { type: "error", code, ...(field === "" ? {} : { field }), detail });
  }

  #onAnswer(connection: Connection, data: Buffer, isBinary: boolean): void {
    const proof = welcomeFrame(isBinary ? "" : data.toString(), connection.nonce, this.#signer, this.#clock.unixS);
    if (!proof.ok) {
      this.#refused("bad-signature", proof.detail);
      this.stats.turnedAway++;
      connection.wire.close(CLOSE.openingRefused, proof.detail);
      return;
    }
    const { peer } = proof;
    const older = this.#byPeer.get(peer);
    if (older !== undefined) {
      this.stats.replaced++;
      this.#leave(older);
      older.wire.close(CLOSE.replaced);
    }
    connection.peer = peer;
    this.#byPeer.set(peer, connection);
    this.stats.opened++;
    this.stats.peers = this.#byPeer.size;
    connection.wire.send(proof.frame);
    for (const frame of this.#away.take(peer)) connection.wire.send(frame);
    this.#listener?.onPeer?.(peer, true);
  }

  /** False where the peer is not there, and nothing is kept for it. */
  #deliver(to: PeerId, frame: string | Buffer): boolean {
    const connection = this.#byPeer.get(to);
    const wasOpen = connection?.wire.isOpen === true;
    if (connection === undefined ? this.#away.keep(to, frame) : connection.wire.send(frame)) return true;
    this.stats.undelivered++;
    if (wasOpen) this.stats.stuck++;
    return false;
  }

  #onWireError(connection: Connection, { code, message }: Error & { readonly code?: string }): void {
    // Errors of the socket itself (a reset) are no refusals.
    if (code?.startsWith("WS_ERR") !== true) return;
    const isLong = code === "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH";
    this.#refused(isLong ? "oversized" : "bad-envelope", isLong ? `a frame takes at most ${ENVELOPE_BYTES_MAX} bytes` : `a frame is against RFC 6455: ${message}`);
    // WebSocket sends its own close frame; the other side need not answer.
    connection.wire.close(isLong ? CLOSE.tooBig : CLOSE.misbehaved);
  }

  #onClose(connection: Connection): void {
    this.#connections.delete(connection);
    if (this.#byPeer.get(connection.peer) === connection) {
      this.#leave(connection);
      if (!this.#stopping) this.#away.expect(connection.peer);
    }
  }

  #leave(connection: Connection): void {
    this.#byPeer.delete(connection.peer);
    this.stats.peers = this.#byPeer.size;
    this.#listener?.onPeer?.(connection.peer, false);
  }

  /** An envelope was no good: it changes nothing, but too many of them end the connection. */
  #strike(connection: Connection, code: ErrorCode, detail: string): void {
    this.#refused(code, detail);
    if (connection.strikes.take(1, this.#clock.nowUs) === 0) return;
    this.stats.misbehaved++;
    connection.wire.close(CLOSE.misbehaved, "too many envelopes that were no good");
  }

  #refused(code: ErrorCode, detail: string): void {
    const { refused } = this.stats;
    refused[code] = (refused[code] ?? 0) + 1;
    this.#listener?.onRefused?.(code, detail);
  }

  #onTick(): void {
    this.#courier.forget();
    const openingUs = this.#limits.openingMs * 1_000;
    const { nowUs } = this.#clock;
    let buffered = 0;
    let slowest: Connection | null = null;
    for (const connection of this.#connections) {
      const { wire } = connection;
      const cut = wire.look();
      if (cut !== undefined) this.stats[cut]++;
      else if (connection.peer === "" && nowUs - connection.sinceUs > openingUs) {
        this.stats.turnedAway++;
        wire.cut();
      }
      buffered += wire.buffered;
      if (slowest === null || wire.buffered > slowest.wire.buffered) slowest = connection;
    }
    if (slowest !== null && buffered > this.#limits.bufferedBytesInAll) {
      this.stats.stuck++;
      slowest.wire.cut();
    }
    this.stats.undelivered += this.#away.giveUp();
  }
}
