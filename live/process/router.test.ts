import { afterEach, describe, expect, test } from "vitest";
import { seal } from "../../protocol/envelope.ts";
import type { Message } from "../../protocol/messages.ts";
import { FakeTelemetry } from "../../scheduler/testing/fake-environment.ts";
import type { RouterOptions } from "../../scheduler/router-options.ts";
import { startUplink, testSigner, until } from "../testing/peers.ts";
import { RawPeer } from "../testing/raw-peer.ts";
import { descriptorOf, heartbeatOf, jobOf, resultOf, serve } from "../testing/scripted-node.ts";
import { MemoryBank } from "../wallet/memory.ts";
import { type RunningRouter, startRouter, type StartRouterOptions } from "./router.ts";

const rules: RouterOptions = {
  policy: { kind: "least-loaded" }, fee: { shareBps: 100, flatMsat: 0 }, staleAfterUs: 30_000_000, sweepUs: 1_000_000, attempts: 3, acceptTimeoutUs: 2_000_000,
  jobTimeoutUs: 60_000_000, queueLimit: 100, queueWaitUs: 20_000_000, circuitBreaker: { failures: 3, coolDownUs: 1_000_000, growth: 2, maxCoolDownUs: 60_000_000 }, quoteValidUs: 1_000_000,
};

const toStop: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const stop of toStop.splice(0).reverse()) await stop();
});

const routerUp = async (options: Partial<StartRouterOptions> = {}): Promise<{ readonly running: RunningRouter; readonly telemetry: FakeTelemetry; readonly faults: unknown[] }> => {
  const bank = new MemoryBank();
  toStop.push(() => bank.close());
  const signer = testSigner();
  const telemetry = new FakeTelemetry();
  const faults: unknown[] = [];
  const running = await startRouter({
    signer, router: rules, host: "127.0.0.1", port: 0, wallet: bank.wallet(signer.publicKey), telemetry, newKey: true, onFault: (error) => faults.push(error), ...options,
  });
  toStop.push(() => running.stop(0));
  return { running, telemetry, faults };
};

const uplinkUp = async (...args: Parameters<typeof startUplink>): ReturnType<typeof startUplink> => {
  const up = await startUplink(...args);
  toStop.push(() => up.uplink.stop());
  return up;
};

/** A node that serves what it is awarded; or, where `serves` is false, accepts it and no more. */
const nodeUp = async ({ url, peer }: RunningRouter, serves = true): Promise<Awaited<ReturnType<typeof startUplink>>> => {
  const node = await uplinkUp(url, peer);
  const self = node.signer.publicKey;
  node.ear.onMessage = (from, message) => {
    node.ear.messages.push({ from, message });
    if (message.type !== "award") return;
    if (serves) serve(node.uplink, self, peer, message);
    else node.uplink.send(peer, { type: "accept", jobId: message.job.jobId, attempt: message.attempt });
  };
  node.uplink.send(peer, descriptorOf(self));
  return node;
};

const kinds = (messages: readonly { readonly message: Message }[]): string[] => messages.map(({ message }) => (message.type === "refuse" ? `refuse: ${message.reason}` : message.type));

describe("a live router", () => {
  test("takes jobs over sockets, has nodes serve them, and forgets them when they are done", async () => {
    const { running, telemetry, faults } = await routerUp();
    const node = await nodeUp(running);
    const client = await uplinkUp(running.url, running.peer);
    await until(() => running.router.registry.size === 1, "the node is registered");
    for (let i = 0; i < 20; i++) client.uplink.send(running.peer, jobOf(`job-${i}`, client.signer.publicKey));
    await until(() => kinds(client.ear.messages).filter((kind) => kind === "result").length === 20 && running.router.open === 0, "all results arrive");
    expect(telemetry.of("assigned").length).toBe(20);
    expect(kinds(node.ear.messages)).toEqual(Array.from({ length: 20 }, () => "award"));
    // Twenty accept and result time-outs were set, and every one was cancelled: what is left is the sweep.
    expect(running.timers).toBe(1);
    expect(running.stats).toMatchObject({ peers: 2, opens: 1 + 20 + 40, passedOn: 40, refused: {} });
    expect(faults).toEqual([]);
  });

  test("that is stopped takes no more jobs, and waits for those at nodes", async () => {
    const { running } = await routerUp({ router: { ...rules, fee: { shareBps: 0, flatMsat: 0 } } });
    const node = await nodeUp(running, false);
    const client = await uplinkUp(running.url, running.peer);
    const self = client.signer.publicKey;
    await until(() => running.router.registry.size === 1, "the node is registered");
    client.uplink.send(running.peer, jobOf("early", self));
    await until(() => kinds(node.ear.messages).includes("award"), "the award arrives");
    let stopped = false;
    const stopping = running.stop(30_000).then(() => { stopped = true; });
    client.uplink.send(running.peer, jobOf("late", self));
    await until(() => kinds(client.ear.messages).includes("refuse: shutting-down"), "the late job is refused");
    expect(stopped).toBe(false);
    const [award] = node.ear.messages.map(({ message }) => message).filter((message) => message.type === "award");
    serve(node.uplink, node.signer.publicKey, running.peer, award!);
    await stopping;
    expect(kinds(client.ear.messages)).toEqual(["refuse: shutting-down", "token-chunk", "result"]);
  });

  test("that is stopped and cannot wait any longer has the rest given up, and says so to client and node", async () => {
    const { running } = await routerUp();
    const node = await nodeUp(running, false);
    const client = await uplinkUp(running.url, running.peer);
    await until(() => running.router.registry.size === 1, "the node is registered");
    client.uplink.send(running.peer, jobOf("stuck", client.signer.publicKey));
    await until(() => kinds(node.ear.messages).includes("award"), "the award arrives");
    await running.stop(30);
    await until(() => kinds(client.ear.messages).includes("refuse: shutting-down") && kinds(node.ear.messages).includes("cancel"), "both are told");
    expect(running.router.open).toBe(0);
  });

  test("is not moved by what a stranger says of others' jobs, whether or not it is well signed", async () => {
    const { running, telemetry, faults } = await routerUp();
    const node = await nodeUp(running, false);
    await until(() => running.router.registry.size === 1, "the node is registered");
    const [owner, stranger] = [testSigner(), testSigner()];
    const client = await new RawPeer(running.url).prove(owner, running.peer);
    const hostile = await new RawPeer(running.url).prove(stranger, running.peer);
    toStop.push(() => client.ws.terminate(), () => hostile.ws.terminate());
    const sealed = (message: Message, signer = stranger): string =>
      JSON.stringify(seal(message, { signer, to: running.peer, nowS: Math.floor(Date.now() / 1_000), expiresInS: 60 }));
    const job = jobOf("theirs", owner.publicKey);
    const text = sealed(job, owner);
    client.ws.send(text);
    await until(() => kinds(node.ear.messages).includes("award") && running.stats.opens === 3, "the job is at the node");
    const award = node.ear.messages.map(({ message }) => message).find((message) => message.type === "award")!;
    const before = { facts: telemetry.facts.length, open: running.router.open, timers: running.timers };

    const inTheirName = JSON.parse(sealed({ type: "accept", jobId: "theirs", attempt: 1 })) as Record<string, unknown>;
    const attempts = [
      text, // replayed over a connection of another's
      JSON.stringify({ ...inTheirName, pubkey: node.signer.publicKey }),
      sealed({ type: "cancel", jobId: "theirs", reason: "user" }),
      sealed({ type: "accept", jobId: "theirs", attempt: 1 }),
      sealed({ type: "refuse", jobId: "theirs", attempt: 1, reason: "queue-full" }),
      sealed(resultOf(award, stranger.publicKey)),
      sealed(jobOf("theirs", stranger.publicKey)),
      sealed(heartbeatOf(1)),
    ];
    for (const attempt of attempts) hostile.ws.send(attempt);
    client.ws.send(text);
    await until(() => running.stats.received === 4 + attempts.length, "all arrive");
    expect(running.stats.refused).toEqual({ "bad-signature": 2, replayed: 1 });
    expect({ facts: telemetry.facts.length, open: running.router.open, timers: running.timers }).toEqual(before);
    expect(running.router.registry.size).toBe(1);

    serve(node.uplink, node.signer.publicKey, running.peer, award);
    await until(() => running.router.open === 0, "the job ends as it would have");
    expect(faults).toEqual([]);
  });

  test("says where another sits on its port, and leaves nothing behind", async () => {
    const { running } = await routerUp();
    await expect(routerUp({ port: running.port })).rejects.toMatchObject({ code: "EADDRINUSE" });
  });
});
