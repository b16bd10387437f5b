import { describe, expect, test } from "vitest";
import type { Message } from "../../protocol/messages.ts";
import { Ear, startHub, startUplink, testSigner, until } from "../testing/peers.ts";
import { hubUp, toStop, uplinkUp } from "../testing/stage.ts";
import { MonotonicClock } from "../clock.ts";
import { Uplink } from "./uplink.ts";

const accept = (jobId: string): Message => ({ type: "accept", jobId, attempt: 1 });
const chunk = (jobId: string, text: string): Message => ({ type: "token-chunk", jobId, attempt: 1, firstToken: 0, tokens: 1, text });
const jobs = (ear: Ear): string[] => ear.messages.map(({ message }) => (message.type === "accept" || message.type === "token-chunk" ? message.jobId : message.type));


describe("a hub and its peers", () => {
  test("messages go to the router, from the router, and over it from peer to peer, in order and with a proven sender", async () => {
    const { hub, ear, signer, url } = await hubUp();
    const node = await uplinkUp(url, signer.publicKey);
    const client = await uplinkUp(url, signer.publicKey);
    node.uplink.send(signer.publicKey, accept("to-router"));
    for (let i = 0; i < 50; i++) node.uplink.send(client.signer.publicKey, chunk(`c${i}`, "Grüße 👋"));
    hub.send(client.signer.publicKey, accept("from-router"));
    await until(() => client.ear.messages.length === 51 && ear.messages.length === 1, "all arrive");
    expect(ear.messages).toEqual([{ from: node.signer.publicKey, message: accept("to-router") }]);
    expect(jobs(client.ear).filter((jobId) => jobId !== "from-router")).toEqual(Array.from({ length: 50 }, (_, i) => `c${i}`));
    expect(client.ear.messages.find(({ from }) => from === node.signer.publicKey)?.message).toEqual(chunk("c0", "Grüße 👋"));
    expect(client.ear.messages.find(({ from }) => from === signer.publicKey)?.message).toEqual(accept("from-router"));
    expect(hub.stats).toMatchObject({ peers: 2, received: 51, opens: 1, passedOn: 50, sent: 1, undelivered: 0, refused: {} });
  });

  test("a message of the most that the protocol allows passes", async () => {
    const { signer, url } = await hubUp();
    const node = await uplinkUp(url, signer.publicKey);
    const client = await uplinkUp(url, signer.publicKey);
    // Control characters take six bytes in JSON, and a seventh in the envelope: a chunk of 2 MiB is more than 2 MiB of frame.
    const text = "\u0001".repeat(345_000);
    node.uplink.send(client.signer.publicKey, chunk("long", text));
    await until(() => client.ear.messages.length === 1, "it arrives");
    expect(client.ear.messages[0]!.message).toEqual(chunk("long", text));
  });

  test("what cannot be sent is the sender's fault, at once", async () => {
    const { hub, signer, url } = await hubUp();
    const node = await uplinkUp(url, signer.publicKey);
    expect(() => node.uplink.send(signer.publicKey, { type: "accept", jobId: "?", attempt: 1 })).toThrow("jobId");
    expect(() => hub.send(node.signer.publicKey, { type: "accept", jobId: "?", attempt: 1 })).toThrow("jobId");
  });

  test("an uplink comes back when its router does, and what was sent meanwhile arrives", async () => {
    const first = await startHub();
    const downs: string[] = [];
    const { uplink, ear } = await uplinkUp(first.url, first.signer.publicKey, { onDown: (why) => downs.push(why) });
    await first.hub.stop();
    await until(() => !uplink.isConnected, "the uplink notices");
    uplink.send(first.signer.publicKey, accept("meanwhile"));
    const second = await startHubAt(first.port, first.signer);
    await until(() => second.ear.messages.length === 1, "the message arrives");
    expect(jobs(second.ear)).toEqual(["meanwhile"]);
    expect(ear.peers.map(({ connected }) => connected)).toEqual([true, false, true]);
    expect(downs[0]).toBe("the other side is shutting down");
  });

  test("what an uplink keeps while it is down is bounded, in number and in length", async () => {
    const router = testSigner().publicKey;
    const uplink = new Uplink({ signer: testSigner(), clock: new MonotonicClock(), url: "ws://127.0.0.1:1", router, newKey: true, limits: { awayMessages: 3, awayBytes: 2_000 } });
    for (const length of [900, 900, 900]) uplink.send(router, chunk("j", "x".repeat(length)));
    expect(uplink.stats.undelivered).toBe(1);
    for (let i = 0; i < 3; i++) uplink.send(router, accept("j"));
    expect(uplink.stats.undelivered).toBe(3);
    await uplink.stop();
  });

  test("what is for a peer that has just gone is kept for it, within bounds", async () => {
    const { hub, ear, signer, url } = await hubUp({ limits: { awayMessages: 3, awayMs: 60_000 } });
    const first = await startUplink(url, signer.publicKey);
    const peer = first.signer.publicKey;
    await first.uplink.stop();
    await until(() => ear.peers.length === 2, "the hub notices");
    for (let i = 0; i < 5; i++) hub.send(peer, accept(`kept-${i}`));
    expect(hub.stats.undelivered).toBe(2);
    const second = await uplinkUp(url, signer.publicKey, { signer: first.signer });
    await until(() => second.ear.messages.length === 3, "what was kept arrives");
    expect(jobs(second.ear)).toEqual(["kept-0", "kept-1", "kept-2"]);
  });

  test("a hub that was just started keeps what is for peers that have yet to come, and later what is for strangers does not stay", async () => {
    const real = new MonotonicClock();
    let aheadUs = 0;
    const clock = { get nowUs() { return real.nowUs + aheadUs; }, get unixS() { return real.unixS; } };
    const { hub, signer, url } = await hubUp({ clock, limits: { awayMs: 60_000, tickMs: 5 } });
    const early = testSigner();
    hub.send(early.publicKey, accept("early"));
    const client = await uplinkUp(url, signer.publicKey, { signer: early });
    await until(() => client.ear.messages.length === 1, "it arrives");
    aheadUs = 60_000_000;
    hub.send(testSigner().publicKey, accept("stranger"));
    expect(hub.stats.undelivered).toBe(1);
  });

  test("nothing is kept longer than it is to be", async () => {
    const { hub, ear, signer, url } = await hubUp({ limits: { awayMs: 20, tickMs: 5 } });
    const first = await startUplink(url, signer.publicKey);
    await first.uplink.stop();
    await until(() => ear.peers.length === 2, "the hub notices");
    hub.send(first.signer.publicKey, accept("too-late"));
    await until(() => hub.stats.undelivered === 1, "it is dropped");
    const second = await uplinkUp(url, signer.publicKey, { signer: first.signer });
    hub.send(first.signer.publicKey, accept("now"));
    await until(() => second.ear.messages.length > 0, "the next arrives");
    expect(jobs(second.ear)).toEqual(["now"]);
  });

  test("a newer connection of the same key takes the older one's place", async () => {
    const { hub, ear, signer, url } = await hubUp();
    const older = await uplinkUp(url, signer.publicKey, { backOff: { firstMs: 60_000, mostMs: 60_000 } });
    const newer = await uplinkUp(url, signer.publicKey, { signer: older.signer });
    await until(() => !older.uplink.isConnected, "the older one goes");
    hub.send(older.signer.publicKey, accept("j"));
    await until(() => newer.ear.messages.length === 1, "it reaches the newer one");
    expect(hub.stats).toMatchObject({ peers: 1, opened: 2, replaced: 1 });
    expect(ear.peers.map(({ connected }) => connected)).toEqual([true, false, true]);
  });

  test("who connects to another router than it meant is told so, and goes on trying", async () => {
    const { signer, url } = await hubUp();
    const downs: string[] = [];
    const uplink = new Uplink({
      signer: testSigner(), clock: new MonotonicClock(), url, router: testSigner().publicKey, newKey: true, backOff: { firstMs: 5, mostMs: 5 }, onDown: (why) => downs.push(why),
    });
    toStop.push(() => uplink.stop());
    await uplink.start();
    await until(() => downs.length >= 2, "two tries");
    expect(uplink.isConnected).toBe(false);
    expect(downs[0]).toContain(signer.publicKey);
  });
});

async function startHubAt(port: number, signer: Awaited<ReturnType<typeof startHub>>["signer"]): Promise<{ readonly ear: Ear }> {
  const { Hub } = await import("./hub.ts");
  const hub = new Hub({ signer, clock: new MonotonicClock(), newKey: true });
  const ear = new Ear();
  hub.listen(ear);
  await hub.start("127.0.0.1", port);
  toStop.push(() => hub.stop());
  return { ear };
}
