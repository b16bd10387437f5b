import { createHash } from "node:crypto";
import type { ErrorCode, Message, PeerId } from "../../protocol/messages.ts";
import { Signer } from "../../protocol/signer.ts";
import { MonotonicClock } from "../clock.ts";
import { Hub, type HubOptions } from "../link/hub.ts";
import type { LinkListener } from "../link/link.ts";
import { Uplink, type UplinkOptions } from "../link/uplink.ts";

let keys = 0;

/** A signer whose key no other test of this process uses. */
export function testSigner(): Signer {
  return new Signer(createHash("sha256").update(`${process.pid}/${keys++}`).digest(), { noncePrefix: `t${process.pid}x` });
}

/** Keeps what a link tells. */
export class Ear implements LinkListener {
  readonly messages: { readonly from: PeerId; readonly message: Message }[] = [];
  readonly refused: { readonly code: ErrorCode; readonly detail: string }[] = [];
  readonly peers: { readonly peer: PeerId; readonly connected: boolean }[] = [];

  onMessage(from: PeerId, message: Message): void {
    this.messages.push({ from, message });
  }
  onRefused(code: ErrorCode, detail: string): void {
    this.refused.push({ code, detail });
  }
  onPeer(peer: PeerId, connected: boolean): void {
    this.peers.push({ peer, connected });
  }
}

/** Waits until it holds. @throws Error where it does not within so many ms: as long as the slowest machine may need, since only what fails waits for it. */
export async function until(holds: () => boolean, what: string, withinMs = 30_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** A hub on a free port, with an ear. */
export async function startHub(options: Partial<HubOptions> = {}): Promise<{ readonly hub: Hub; readonly ear: Ear; readonly signer: Signer; readonly url: string; readonly port: number }> {
  const signer = options.signer ?? testSigner();
  const hub = new Hub({ clock: new MonotonicClock(), newKey: true, ...options, signer });
  const ear = new Ear();
  hub.listen(ear);
  const { port } = await hub.start("127.0.0.1", 0);
  return { hub, ear, signer, url: `ws://127.0.0.1:${port}`, port };
}

/** An uplink that is connected, with an ear. */
export async function startUplink(url: string, router: PeerId, options: Partial<UplinkOptions> = {}): Promise<{ readonly uplink: Uplink; readonly ear: Ear; readonly signer: Signer }> {
  const signer = options.signer ?? testSigner();
  const uplink = new Uplink({ clock: new MonotonicClock(), newKey: true, backOff: { firstMs: 10, mostMs: 50 }, ...options, url, router, signer });
  const ear = new Ear();
  uplink.listen(ear);
  await uplink.start();
  await until(() => uplink.isConnected, "an uplink connects");
  return { uplink, ear, signer };
}
