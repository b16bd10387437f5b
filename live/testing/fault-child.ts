import type { PeerId } from "../../protocol/messages.ts";
import { liveSigner } from "../keys.ts";
import { type JobSpec, startClient } from "../process/client.ts";
import { startNode } from "../process/node.ts";
import { startRouter } from "../process/router.ts";
import { MockRunner } from "../runner/mock.ts";
import { telemetryTo } from "../telemetry.ts";
import { RemoteWallet } from "../wallet/remote-wallet.ts";
import { prices, rules } from "./small-market.ts";

/* A process of a live market that a test may kill or freeze. What it is to be comes as the first message of its parent. */

/** What a child is to be. */
export type Role = { readonly key: string; readonly ledgerUrl: string; readonly newKey: boolean } & (
  | { readonly role: "router"; readonly port: number }
  | { readonly role: "node"; readonly url: string; readonly router: PeerId; readonly decodeTokensPerS: number }
  /** Submits one job, and dies by its own hand once it has the result, before it pays. */
  | { readonly role: "thief"; readonly url: string; readonly router: PeerId; readonly job: JobSpec }
);

/** What a child says. */
export type Word =
  | { readonly word: "ready"; readonly peer: PeerId; readonly url: string }
  | { readonly word: "fault"; readonly what: string };

const say = (word: Word): void => void process.send?.(word);
const onFault = (error: unknown): void => say({ word: "fault", what: error instanceof Error ? (error.stack ?? error.message) : String(error) });

process.on("disconnect", () => process.exit(0));
process.on("uncaughtException", onFault);
process.once("message", (role: Role) => void begin(role).catch(onFault));

async function begin(role: Role): Promise<void> {
  const { newKey } = role;
  const signer = liveSigner(Uint8Array.from(Buffer.from(role.key, "hex")));
  const wallet = new RemoteWallet({ url: role.ledgerUrl, signer, backOff: { firstMs: 10, mostMs: 50 } });
  const common = { signer, wallet, newKey, telemetry: telemetryTo(), backOff: { firstMs: 10, mostMs: 50 }, onFault };
  if (role.role === "router") {
    const { peer, url } = await startRouter({ ...common, router: rules, host: "127.0.0.1", port: role.port });
    return say({ word: "ready", peer, url });
  }
  const at = { url: role.url, key: role.router };
  if (role.role === "node") {
    const { peer } = await startNode({
      ...common, routers: [at], region: "eu", machine: "test", prices, speed: { prefillTokensPerS: 1_000, decodeTokensPerS: 1_000 }, queueLimit: 4, heartbeatUs: 100_000, invoiceExpiryUs: 10_000_000,
      runner: new MockRunner({ models: ["mock"], slots: 2, decodeTokensPerS: role.decodeTokensPerS }),
    });
    return say({ word: "ready", peer, url: "" });
  }
  const client = await startClient({ ...common, router: at, region: "eu", telemetry: { finished: () => process.kill(process.pid, "SIGKILL") } });
  client.submit(role.job);
  say({ word: "ready", peer: client.peer, url: "" });
}
