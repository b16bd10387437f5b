import { createConnection, createServer, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
import { WebSocket } from "ws";
import type { PeerId } from "../../protocol/messages.ts";
import type { Signer } from "../../protocol/signer.ts";
import { answerFrame, newNonce } from "../link/handshake.ts";

/** A WebSocket that does as the test says. */
export class RawPeer {
  readonly ws: WebSocket;
  readonly frames: string[] = [];
  closed: { readonly code: number; readonly reason: string } | null = null;

  constructor(url: string) {
    this.ws = new WebSocket(url, { perMessageDeflate: false });
    this.ws.on("message", (data) => this.frames.push((data as Buffer).toString()));
    this.ws.on("close", (code, reason) => { this.closed = { code, reason: reason.toString() }; });
    this.ws.on("error", () => {});
  }

  /** Waits for the frame of this number. */
  async frame(index: number): Promise<string> {
    const deadline = performance.now() + 30_000;
    while (this.frames.length <= index) {
      if (this.closed !== null || performance.now() > deadline) throw new Error(`no frame ${index}: ${JSON.stringify(this.closed)}`);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    return this.frames[index]!;
  }

  /** Proves itself as it should. */
  async prove(signer: Signer, router: PeerId): Promise<this> {
    const answer = answerFrame(await this.frame(0), newNonce(), signer, router, Math.floor(Date.now() / 1_000));
    if (!answer.ok) throw new Error(answer.detail);
    this.ws.send(answer.frame);
    await this.frame(1);
    return this;
  }
}

/** A TCP proxy whose connections can be frozen: open, and dead. */
export class FreezingProxy {
  readonly #server = createServer((socket) => this.#join(socket));
  readonly #sockets = new Set<Socket>();
  readonly #port: number;

  /** @param port where it leads, on this machine. */
  constructor(port: number) {
    this.#port = port;
  }

  /** @returns ws://... */
  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Nothing goes through the connections that are open now, and neither end is told; new ones work. */
  freeze(): void {
    for (const socket of this.#sockets) {
      socket.removeAllListeners("data");
      socket.removeAllListeners("close");
      socket.pause();
    }
  }

  stop(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #join(near: Socket): void {
    const far = createConnection(this.#port, "127.0.0.1");
    for (const [from, to] of [[near, far], [far, near]] as const) {
      this.#sockets.add(from);
      from.on("data", (data) => to.write(data));
      from.on("close", () => to.destroy());
      from.on("error", () => {});
    }
  }
}
