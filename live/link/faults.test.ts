import { randomBytes } from "node:crypto";
import { createConnection } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { canonicalJson } from "../../protocol/canonical.ts";
import { seal } from "../../protocol/envelope.ts";
import { eventId, type NostrEvent } from "../../protocol/event.ts";
import { ENVELOPE_BYTES_MAX } from "../../protocol/limits.ts";
import type { Message, PeerId } from "../../protocol/messages.ts";
import type { Signer } from "../../protocol/signer.ts";
import { MonotonicClock } from "../clock.ts";
import { testSigner, until } from "../testing/peers.ts";
import { FreezingProxy, RawPeer } from "../testing/raw-peer.ts";
import { hubUp, toStop, uplinkUp } from "../testing/stage.ts";
import { answerFrame, newNonce } from "./handshake.ts";
import { Uplink } from "./uplink.ts";

const accept = (jobId: string): Message => ({ type: "accept", jobId, attempt: 1 });
const nowS = (): number => Math.floor(Date.now() / 1_000);

const rawUp = (url: string): RawPeer => {
  const peer = new RawPeer(url);
  toStop.push(() => peer.ws.terminate());
  return peer;
};

const sealed = (message: Message, signer: Signer, to: PeerId, change: { nowS?: number } = {}): NostrEvent => seal(message, { signer, to, nowS: nowS(), expiresInS: 60, ...change });

/** Envelopes that a proven peer sends and that are not right; what they are refused as. */
const wrongs: Readonly<Record<string, readonly [code: string, make: (self: Signer, router: PeerId) => string | Buffer]>> = {
  "no JSON": ["bad-envelope", () => "not JSON"],
  "no envelope": ["bad-envelope", () => '{"pubkey":7,"tags":[["p"]]}'],
  "null": ["bad-envelope", () => "null"],
  "binary": ["bad-envelope", () => randomBytes(100)],
  "in another's name": ["bad-signature", (_self, router) => JSON.stringify(sealed(accept("j"), testSigner(), router))],
  "a claim to be another": ["bad-signature", (self, router) => JSON.stringify({ ...sealed(accept("j"), self, router), pubkey: testSigner().publicKey })],
  "forged": ["bad-signature", (self, router) => JSON.stringify({ ...sealed(accept("j"), self, router), sig: "ab".repeat(64) })],
  "changed": ["bad-envelope", (self, router) => JSON.stringify({ ...sealed(accept("j"), self, router), content: canonicalJson(accept("k")) })],
  "changed, with its id": ["bad-signature", (self, router) => {
    const event = { ...sealed(accept("j"), self, router), content: canonicalJson(accept("k")) };
    return JSON.stringify({ ...event, id: eventId(event) });
  }],
  "expired": ["expired", (self, router) => JSON.stringify(sealed(accept("j"), self, router, { nowS: nowS() - 61 }))],
  "from the future": ["bad-envelope", (self, router) => JSON.stringify(sealed(accept("j"), self, router, { nowS: nowS() + 100 }))],
  "of a message that is none": ["bad-message", (self, router) => {
    const event = { ...sealed(accept("j"), self, router), content: '{"type":"accept"}' };
    const id = eventId(event);
    return JSON.stringify({ ...event, id, sig: self.sign(id) });
  }],
};

describe("a hub that gets what is wrong", () => {
  test.each(Object.keys(wrongs))("envelope: %s: refuses and counts it, does nothing, and goes on", async (name) => {
    const [code, make] = wrongs[name]!;
    const { hub, ear, signer, url } = await hubUp();
    const self = testSigner();
    const peer = await rawUp(url).prove(self, signer.publicKey);
    peer.ws.send(make(self, signer.publicKey));
    await until(() => ear.refused.length === 1, "it is refused");
    expect(hub.stats.refused).toEqual({ [code]: 1 });
    peer.ws.send(JSON.stringify(sealed(accept("right"), self, signer.publicKey)));
    await until(() => ear.messages.length > 0, "the next one is taken");
    expect(ear.messages).toEqual([{ from: self.publicKey, message: accept("right") }]);
  });

  test("an envelope that was acted on is not acted on again", async () => {
    const { hub, ear, signer, url } = await hubUp();
    const self = testSigner();
    const peer = await rawUp(url).prove(self, signer.publicKey);
    const text = JSON.stringify(sealed(accept("once"), self, signer.publicKey));
    for (let i = 0; i < 3; i++) peer.ws.send(text);
    // Nor over another connection of the same peer.
    await until(() => hub.stats.received === 3, "they arrive");
    const again = await rawUp(url).prove(self, signer.publicKey);
    again.ws.send(text);
    await until(() => hub.stats.received === 4, "it arrives");
    expect(ear.messages.length).toBe(1);
    expect(hub.stats.refused).toEqual({ replayed: 3 });
  });

  test("what is for another goes to no one else; that peer finds out what is wrong with it, and the router cannot have it act twice", async () => {
    const { hub, ear, signer, url } = await hubUp();
    const client = await uplinkUp(url, signer.publicKey);
    const self = testSigner();
    const peer = await rawUp(url).prove(self, signer.publicKey);
    const good = JSON.stringify(sealed(accept("good"), self, client.signer.publicKey));
    const forged = JSON.stringify({ ...sealed(accept("bad"), self, client.signer.publicKey), sig: "ab".repeat(64) });
    for (const text of [good, good, forged]) peer.ws.send(text);
    await until(() => client.ear.refused.length === 2 && client.ear.messages.length === 1, "the client has seen them");
    expect(client.uplink.stats.refused).toEqual({ replayed: 1, "bad-signature": 1 });
    expect(ear.messages).toEqual([]);
    expect(hub.stats).toMatchObject({ passedOn: 3, opens: 0, refused: {} });
  });

  test("who sends rubbish without end is cut off, and may come back", async () => {
    const { hub, signer, url } = await hubUp({ limits: { strikes: 5 } });
    const self = testSigner();
    const peer = await rawUp(url).prove(self, signer.publicKey);
    for (let i = 0; i < 50; i++) peer.ws.send("rubbish");
    await until(() => peer.closed !== null, "it is cut off");
    expect(hub.stats.misbehaved).toBe(1);
    expect(hub.stats.refused["bad-envelope"]).toBe(6);
    await rawUp(url).prove(self, signer.publicKey);
  });

  test("a sender whose clock or program is wrong is told of it, once a second at most", async () => {
    const { signer, url } = await hubUp();
    const self = testSigner();
    const peer = await rawUp(url).prove(self, signer.publicKey);
    for (let i = 0; i < 3; i++) peer.ws.send(JSON.stringify(sealed(accept(`j${i}`), self, signer.publicKey, { nowS: nowS() - 100 })));
    const told = JSON.parse((JSON.parse(await peer.frame(2)) as NostrEvent).content) as Message;
    expect(told).toMatchObject({ type: "error", code: "expired" });
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(peer.frames.length).toBe(3);
  });

  test("a frame of more than an envelope's length ends its connection, before it is read to its end", async () => {
    const { hub, ear, signer, url } = await hubUp();
    const peer = await rawUp(url).prove(testSigner(), signer.publicKey);
    peer.ws.send("x".repeat(ENVELOPE_BYTES_MAX + 1));
    await until(() => peer.closed !== null, "it is cut off");
    expect(hub.stats.refused).toEqual({ oversized: 1 });
    expect(ear.messages).toEqual([]);
  });

  test("what is no WebSocket at all changes nothing", async () => {
    const { hub, signer, url, port } = await hubUp();
    for (const bytes of [randomBytes(2_000), "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "\r\n\r\n", "GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"]) {
      const socket = createConnection(port, "127.0.0.1");
      socket.on("error", () => {});
      socket.write(bytes);
      await new Promise<void>((resolve) => {
        socket.on("data", () => {});
        socket.on("close", () => resolve());
        setTimeout(() => socket.destroy(), 200).unref();
      });
    }
    expect(hub.stats.peers).toBe(0);
    await uplinkUp(url, signer.publicKey);
    expect(hub.stats.peers).toBe(1);
  });
});

describe("the opening of a connection", () => {
  const answers: Readonly<Record<string, readonly [reason: string, make: (challenge: string, router: PeerId) => string]>> = {
    "no JSON": ["the challenge was not answered", () => "hello"],
    "an envelope in place of an answer": ["the challenge was not answered", (_, router) => JSON.stringify(sealed(accept("j"), testSigner(), router))],
    "a wrong signature": ["sig is not the sender's signature of the event's id (BIP-340)", (challenge, router) => {
      const answer = JSON.parse(answered(challenge, router)) as { event: NostrEvent };
      return JSON.stringify({ ...answer, event: { ...answer.event, sig: "ab".repeat(64) } });
    }],
    "another's key": ["id is not the SHA-256 of the event's serialisation (NIP-01)", (challenge, router) => {
      const answer = JSON.parse(answered(challenge, router)) as { event: NostrEvent };
      return JSON.stringify({ ...answer, event: { ...answer.event, pubkey: testSigner().publicKey } });
    }],
    "an answer to an earlier challenge": ["the answer is to another challenge", (challenge, router) => answered(JSON.stringify({ ...JSON.parse(challenge), nonce: "ab".repeat(32) }), router)],
    "an answer to another router": ["the answer is for another server", (challenge) => {
      const other = testSigner().publicKey;
      return answered(JSON.stringify({ ...JSON.parse(challenge), audience: `router:${other}` }), other);
    }],
    "a clock that is wrong": ["your clock is 90 s behind the router's; 60 s are allowed", (challenge, router) => answered(challenge, router, nowS() - 90)],
  };
  const answered = (challenge: string, router: PeerId, atS = nowS()): string => {
    const answer = answerFrame(challenge, newNonce(), testSigner(), router, atS);
    if (!answer.ok) throw new Error(answer.detail);
    return answer.frame;
  };

  test.each(Object.keys(answers))("with %s is refused, with the reason", async (name) => {
    const [reason, make] = answers[name]!;
    const { hub, ear, signer, url } = await hubUp();
    const peer = rawUp(url);
    peer.ws.send(make(await peer.frame(0), signer.publicKey));
    await until(() => peer.closed !== null, "it is closed");
    expect(peer.closed).toEqual({ code: 4_000, reason });
    expect(peer.frames.length).toBe(1);
    expect(hub.stats).toMatchObject({ peers: 0, opened: 0, turnedAway: 1 });
    expect(ear.peers).toEqual([]);
  });

  test("that never comes is not waited for", async () => {
    const { hub, url } = await hubUp({ limits: { openingMs: 1_000, tickMs: 5 } });
    const peer = rawUp(url);
    await until(() => peer.closed !== null, "it is cut off");
    expect(hub.stats.turnedAway).toBe(1);
  });

  test("that does not even begin is not waited for", async () => {
    const { port } = await hubUp({ limits: { openingMs: 50, tickMs: 5 } });
    const socket = createConnection(port, "127.0.0.1");
    toStop.push(() => void socket.destroy());
    let closed = false;
    socket.on("error", () => {});
    socket.on("data", () => {});
    socket.on("close", () => { closed = true; });
    await until(() => closed, "it is closed");
  });

  test("takes no long frames: they are cut off as they come", async () => {
    const { hub, url } = await hubUp();
    const peer = rawUp(url);
    await peer.frame(0);
    peer.ws.send("x".repeat(5_000_000));
    await until(() => peer.closed !== null, "it is cut off");
    expect(hub.stats.refused).toEqual({ oversized: 1 });
  });

  test("a server that cannot prove its key is not trusted with anything", async () => {
    // It passes the router's challenge on, and answers nothing itself: a man in the middle who kills the welcome.
    const { signer } = await hubUp();
    const { WebSocketServer } = await import("ws");
    const fake = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    toStop.push(() => fake.close());
    const got: string[] = [];
    const impostor = testSigner();
    fake.on("connection", (ws) => {
      ws.send(JSON.stringify({ type: "challenge", version: 2, nonce: "ab".repeat(32), audience: `router:${signer.publicKey}` }));
      ws.on("message", (data) => {
        got.push((data as Buffer).toString());
        const { event, nonce } = JSON.parse(got.at(-1)!) as { event: NostrEvent; nonce: string };
        const unsigned = { pubkey: impostor.publicKey, created_at: nowS(), kind: 22_242, tags: [["relay", `peer:${event.pubkey}`], ["challenge", nonce]], content: "" };
        const id = eventId(unsigned);
        ws.send(JSON.stringify({ type: "welcome", event: { id, ...unsigned, sig: impostor.sign(id) } }));
      });
    });
    await until(() => fake.address() !== null, "it listens");
    const downs: string[] = [];
    const { port } = fake.address() as { port: number };
    const uplink = new Uplink({ signer: testSigner(), clock: new MonotonicClock(), url: `ws://127.0.0.1:${port}`, router: signer.publicKey, newKey: true, backOff: { firstMs: 60_000, mostMs: 60_000 }, onDown: (why) => downs.push(why) });
    toStop.push(() => uplink.stop());
    uplink.send(signer.publicKey, accept("secret"));
    await uplink.start();
    await until(() => downs.length === 1, "it gives up");
    expect(downs[0]).toBe("the router does not hold its key");
    expect(got.length).toBe(1);
  });

  test("there are no more connections than are allowed", async () => {
    const { hub, signer, url } = await hubUp({ limits: { connections: 2 } });
    await uplinkUp(url, signer.publicKey);
    await uplinkUp(url, signer.publicKey);
    const third = rawUp(url);
    await until(() => third.closed !== null, "it is turned away");
    expect(third.closed!.code).toBe(1_013);
    expect(hub.stats).toMatchObject({ peers: 2, turnedAway: 1 });
  });
});

describe("connections that are no good", () => {
  test("half open: both ends find out, and the uplink comes back", async () => {
    const limits = { silenceMs: 100, tickMs: 10 };
    const { hub, ear, signer, port } = await hubUp({ limits });
    const proxy = new FreezingProxy(port);
    const url = await proxy.start();
    toStop.push(() => proxy.stop());
    const { uplink } = await uplinkUp(url, signer.publicKey, { limits });
    proxy.freeze();
    await until(() => uplink.stats.opened >= 2 && hub.stats.silent + hub.stats.replaced >= 1, "it is back");
    uplink.send(signer.publicKey, accept("again"));
    await until(() => ear.messages.length === 1, "messages pass again");
  });

  test("that are idle but alive stay", async () => {
    const limits = { silenceMs: 200, tickMs: 20 };
    const { hub, signer, url } = await hubUp({ limits });
    const { uplink } = await uplinkUp(url, signer.publicKey, { limits });
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(uplink.stats).toMatchObject({ opened: 1, lost: 0 });
    expect(hub.stats.silent).toBe(0);
  });

  test("that do not read are cut off when too much waits for them, and hold up no one else", async () => {
    const { hub, signer, url } = await hubUp({ limits: { bufferedBytes: 2_000_000 } });
    const node = await uplinkUp(url, signer.publicKey);
    const other = await uplinkUp(url, signer.publicKey);
    const slow = testSigner();
    const peer = await rawUp(url).prove(slow, signer.publicKey);
    peer.ws.pause();
    const chunk = (jobId: string): Message => ({ type: "token-chunk", jobId, attempt: 1, firstToken: 0, tokens: 1, text: "x".repeat(500_000) });
    for (let i = 0; hub.stats.stuck === 0; i++) {
      if (i > 200) throw new Error("a reader that does not read was sent 100 MB");
      node.uplink.send(slow.publicKey, chunk(`slow-${i}`));
      node.uplink.send(other.signer.publicKey, accept(`other-${i}`));
      await until(() => other.ear.messages.length === i + 1, "the other one is served");
    }
    await until(() => hub.stats.peers === 2, "it is gone");
    expect(node.uplink.stats.lost + other.uplink.stats.lost).toBe(0);
  });

  test("that are stuck are cut off after a time, though little waits for them", async () => {
    const { hub, signer, url } = await hubUp({ limits: { stuckMs: 50, tickMs: 10, silenceMs: 60_000 } });
    const node = await uplinkUp(url, signer.publicKey);
    const slow = testSigner();
    const peer = await rawUp(url).prove(slow, signer.publicKey);
    peer.ws.pause();
    // More than the system's own buffers take.
    for (let i = 0; i < 40; i++) node.uplink.send(slow.publicKey, { type: "token-chunk", jobId: "j", attempt: 1, firstToken: 0, tokens: 1, text: "x".repeat(400_000) });
    await until(() => hub.stats.stuck === 1, "it is cut off");
  });

  test("that send frames without an end are cut off when all together hold too much", async () => {
    const { hub, signer, url } = await hubUp({ limits: { bufferedBytesInAll: 4_000_000, tickMs: 10 } });
    const good = await uplinkUp(url, signer.publicKey);
    const peers = await Promise.all(Array.from({ length: 5 }, () => rawUp(url).prove(testSigner(), signer.publicKey)));
    for (const { ws } of peers) ws.send("x".repeat(1_000_000), { fin: false });
    await until(() => hub.stats.stuck >= 2, "two of five are cut off");
    expect(hub.stats.peers).toBeGreaterThanOrEqual(3);
    expect(good.uplink.stats.lost).toBe(0);
  });

  test("that send too much are read more slowly, lose nothing, and hold up no one else", async () => {
    const { hub, ear, signer, url } = await hubUp({ limits: { envelopesPerS: 1_000, burstS: 0.05 } });
    const self = testSigner();
    const flood = await rawUp(url).prove(self, signer.publicKey);
    const other = await uplinkUp(url, signer.publicKey);
    const texts = Array.from({ length: 600 }, (_, i) => JSON.stringify(sealed(accept(`f${i}`), self, signer.publicKey)));
    const fromMs = performance.now();
    for (const text of texts) flood.ws.send(text);
    other.uplink.send(signer.publicKey, accept("other"));
    const of = (peer: PeerId): number => ear.messages.filter(({ from }) => from === peer).length;
    await until(() => of(other.signer.publicKey) === 1, "the other one is heard");
    expect(of(self.publicKey)).toBeLessThan(600);
    await until(() => of(self.publicKey) === 600, "all arrive");
    expect(performance.now() - fromMs).toBeGreaterThan(400);
    expect(hub.stats.pauses).toBeGreaterThan(0);
  });

  test("1,000 idle ones are borne, and leave nothing behind", async () => {
    setFlagsFromString("--expose-gc");
    const gc = runInNewContext("gc") as () => void;
    const { hub, ear, signer, url } = await hubUp();
    const open = async (count: number): Promise<void> => {
      const peers: RawPeer[] = [];
      for (let i = 0; i < count; i += 100) {
        peers.push(...await Promise.all(Array.from({ length: Math.min(100, count - i) }, () => new RawPeer(url).prove(testSigner(), signer.publicKey))));
      }
      expect(hub.stats.peers).toBe(count);
      heldBytes = held();
      for (const { ws } of peers) ws.terminate();
      await until(() => hub.stats.peers === 0, "all are gone");
      ear.peers.length = 0;
    };
    const held = (): number => {
      gc();
      const { heapUsed, external } = process.memoryUsage();
      return heapUsed + external;
    };
    let heldBytes = 0;
    // The first ones are for what is compiled and kept once.
    await open(200);
    const before = held();
    await open(1_000);
    const perConnection = (heldBytes - before) / 1_000;
    const left = held() - before;
    // Both ends live in this process: some 60 kB for the two.
    expect(perConnection).toBeLessThan(200_000);
    expect(left).toBeLessThan(3_000_000);
    const { uplink } = await uplinkUp(url, signer.publicKey);
    expect(uplink.isConnected).toBe(true);
  });
});
