import fs, { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import type { PaymentPurpose } from "../../protocol/messages.ts";
import type { Signer } from "../../protocol/signer.ts";
import type { WalletEvent } from "../../scheduler/environment.ts";
import { answerChallenge } from "../link/challenge.ts";
import { testSigner, until } from "../testing/peers.ts";
import { Journal } from "./journal.ts";
import { LedgerServer, type LedgerServerOptions } from "./ledger-server.ts";
import { RemoteWallet, type RemoteWalletOptions } from "./remote-wallet.ts";
import { FRAME_BYTES_MAX } from "./wire.ts";

const CREDIT_MSAT = 1_000_000;
const folder = mkdtempSync(join(tmpdir(), "infernet-ledger-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const running: { stop(): Promise<void> }[] = [];
afterEach(async () => { await Promise.all(running.splice(0).map((one) => one.stop())); });
let files = 0;
const newFile = (): string => join(folder, `${files++}.journal`);

const startLedger = async (options: Partial<LedgerServerOptions> = {}) => {
  const server = new LedgerServer({ listen: { host: "127.0.0.1", port: 0 }, durability: "process", ...options, ledger: { creditMsat: CREDIT_MSAT, ...options.ledger } });
  running.push(server);
  const url = await server.start();
  return { server, url, port: Number(new URL(url).port) };
};

const startWallet = async (url: string, signer: Signer = testSigner(), options: Partial<RemoteWalletOptions> = {}) => {
  const downs: string[] = [];
  const wallet = new RemoteWallet({ url, signer, backOff: { firstMs: 10, mostMs: 50 }, onDown: (why) => downs.push(why), ...options });
  running.push(wallet);
  const events: WalletEvent[] = [];
  wallet.listen((event) => events.push(event));
  await wallet.start();
  const pay = (to: { readonly signer: Signer }, paymentHash: string, amountMsat: number, purpose: PaymentPurpose = "job"): void =>
    wallet.pay({ type: "payment-request", jobId: "job-1", purpose, payee: to.signer.publicKey, amountMsat, paymentHash, expiresInUs: 60_000_000 });
  return { wallet, signer, events, downs, pay };
};

describe("over sockets", () => {
  test("money is paid, held and taken", async () => {
    const { server, url } = await startLedger();
    const [client, node] = [await startWallet(url), await startWallet(url)];
    expect(client.wallet.balanceMsat).toBe(CREDIT_MSAT);
    client.pay(node, node.wallet.invoice("job-1", "job", 700).paymentHash, 700);
    expect(client.events).toEqual([]);
    const held = node.wallet.holdInvoice("job-1", 300, 60_000_000).paymentHash;
    client.pay(node, held, 300);
    await until(() => node.events.some(({ kind }) => kind === "held"), "held");
    expect(node.wallet.take(held)).toBe(true);
    await until(() => client.events.length === 2 && node.events.length === 3, "paid twice");
    expect(client.events.map(({ kind }) => kind)).toEqual(["paid", "paid"]);
    await until(() => server.ledger.size.payments === 0, "both sides know");
    expect([client.wallet.balanceMsat, node.wallet.balanceMsat]).toEqual([CREDIT_MSAT - 1_000, CREDIT_MSAT + 1_000]);
    server.ledger.check();
  });

  test("the same key keeps its account, and its newest connection", async () => {
    const { server, url } = await startLedger();
    const payee = await startWallet(url);
    const first = await startWallet(url);
    first.pay(payee, payee.wallet.invoice("job-1", "job", 700).paymentHash, 700);
    await until(() => first.events.length === 1, "paid");
    const second = await startWallet(url, first.signer);
    expect(second.wallet.balanceMsat).toBe(CREDIT_MSAT - 700);
    await until(() => first.downs.length === 1, "the first connection is closed");
    expect(first.downs).toEqual(["another connection has come with the same key"]);
    await until(() => server.ledger.size.payments === 0, "both sides know of the payment");
  });

  test("a wallet insists on its ledger, and says what is wrong", async () => {
    const { url, port } = await startLedger();
    await Promise.all([
      expect(startWallet(`ws://127.0.0.1:${port}#${"0".repeat(64)}`, testSigner(), { startMs: 2_000 })).rejects.toThrow(/another ledger answers there/),
      expect(startWallet("ws://127.0.0.1:1", testSigner(), { startMs: 1_500 })).rejects.toThrow(/no ledger at ws:\/\/127\.0\.0\.1:1 within 1\.5 s \(connect ECONNREFUSED 127\.0\.0\.1:1\); start one: infernet ledger --listen 127\.0\.0\.1:1/),
    ]);
    expect(() => new RemoteWallet({ url: "http://a", signer: testSigner() })).toThrow(/ws:\/\//);
    expect(() => new RemoteWallet({ url: `${url}0`, signer: testSigner() })).toThrow(/64 hexadecimal/);
  });

  const raw = async (url: string) => {
    const socket = new WebSocket(url.split("#")[0]!);
    socket.on("error", () => {});
    const said: unknown[] = [];
    socket.on("message", (data) => said.push(JSON.parse((data as Buffer).toString())));
    let closed = "";
    socket.on("close", (code, reason) => { closed = `${code} ${reason.toString()}`; });
    await until(() => said.length > 0 || closed !== "", "a challenge");
    return { socket, said, closed: () => closed };
  };

  test.each([
    ["garbage", "garbage", /^4000 an answer to the challenge comes first/],
    ["a binary frame", Buffer.from([1, 2, 3]), /^4000/],
    ["an order before it is known whose", JSON.stringify({ type: "pay" }), /^4000 an answer to the challenge comes first/],
    ["an answer that is none", JSON.stringify({ type: "answer", event: {} }), /^4000 the answer is not a Nostr event/],
    ["a frame that is too long", "x".repeat(FRAME_BYTES_MAX + 1), /^1009/],
  ])("%s ends a new connection, and nothing else", async (_, frame, why) => {
    const { server, url } = await startLedger();
    const wallet = await startWallet(url);
    const { socket, closed } = await raw(url);
    socket.send(frame);
    await until(() => closed() !== "", "closed");
    expect(closed()).toMatch(why);
    await until(() => server.traffic.connections === 1, "the ledger has seen it close too");
    expect(wallet.wallet.isConnected).toBe(true);
  });

  test("a connection that says nothing is closed, and more than there may be are turned away", async () => {
    const { server, url } = await startLedger({ answerMs: 1_500, connectionsMax: 2 });
    const [one, two] = [await raw(url), await raw(url)];
    const third = await raw(url);
    await until(() => third.closed() !== "", "turned away");
    expect(third.closed()).toMatch(/^1013 this ledger has as many connections/);
    await until(() => one.closed() !== "" && two.closed() !== "", "closed");
    expect(one.closed()).toBe("4000 the challenge was not answered in time");
    await until(() => server.traffic.connections === 0, "no connection is left");
  });

  test("a flood is cut off", async () => {
    const { url } = await startLedger({ messagesPerS: 10 });
    const flood = await startWallet(url);
    const payee = await startWallet(url);
    for (let n = 0; n < 40; n++) flood.pay(payee, "0".repeat(64), 1);
    await until(() => flood.downs.length > 0, "cut off");
    expect(flood.downs[0]).toBe("more than 10 messages per second");
  });
});

describe("a journal", () => {
  test("brings a ledger back, to the msat", async () => {
    const journal = newFile();
    const signers = [testSigner(), testSigner()];
    const first = await startLedger({ journal });
    const [client, node] = [await startWallet(first.url, signers[0]), await startWallet(first.url, signers[1])];
    client.pay(node, node.wallet.invoice("job-1", "job", 700).paymentHash, 700);
    const held = node.wallet.holdInvoice("job-1", 300, 60_000_000).paymentHash;
    client.pay(node, held, 300);
    await until(() => node.events.some(({ kind }) => kind === "held") && client.events.length === 1, "held and paid");
    await first.server.stop();
    expect(existsSync(`${journal}.lock`)).toBe(false);

    // A last line that was cut off was never answered for.
    appendFileSync(journal, '{"entry":"settle","atMs":1,"paym');
    const second = await startLedger({ journal, listen: { host: "127.0.0.1", port: first.port } });
    expect(second.server.tornBytes).toBe(32);
    expect(second.server.ledgerId).toBe(first.server.ledgerId);
    expect(second.server.ledger.sums).toEqual({ issuedMsat: 2 * CREDIT_MSAT, inFlightMsat: 0, heldMsat: 300, feesMsat: 0 });
    await until(() => client.wallet.isConnected && node.wallet.isConnected, "both are back");
    expect(node.wallet.take(held)).toBe(true);
    await until(() => client.events.length === 2 && node.events.length === 3, "taken");
    expect(second.server.ledger.balanceMsat(signers[1]!.publicKey)).toBe(CREDIT_MSAT + 1_000);
  });

  test("is used by one ledger at a time", async () => {
    const journal = newFile();
    const { server } = await startLedger({ journal });
    expect(() => new Journal(journal)).toThrow(/this process has it open already/);
    await server.stop();
    // Process 1 is always there.
    writeFileSync(`${journal}.lock`, "1\n");
    expect(() => new Journal(journal)).toThrow(/the ledger of process 1 has it open/);
    // A process that is gone holds nothing.
    writeFileSync(`${journal}.lock`, "4194305\n");
    new Journal(journal).close();
  });

  test.each([
    ["another kind of file", "hello\n", /:1: the line is not JSON/],
    ["an empty file", "", /not a ledger's journal/],
    ["another version", '{"journal":"infernet-ledger","version":2,"ledger":""}\n', /:1: version must be 1; found 2\./],
    ["a line that is damaged", `{"journal":"infernet-ledger","version":1,"ledger":"${"0".repeat(64)}"}\n{"entry":\n{}\n`, /:2: the line is not JSON/],
    ["an entry that leads nowhere", `{"journal":"infernet-ledger","version":1,"ledger":"${"0".repeat(64)}"}\n{"entry":"fail","atMs":1,"payment":1,"reason":"released"}\n`, /payment 1 is not under way/],
  ])("that is %s is refused, and left as it is", (_, text, why) => {
    const journal = newFile();
    writeFileSync(journal, text);
    expect(() => new LedgerServer({ listen: { host: "127.0.0.1", port: 0 }, journal })).toThrow(why);
    expect(readFileSync(journal, "utf8")).toBe(text);
    expect(existsSync(`${journal}.lock`)).toBe(false);
  });

  test("stays short, however many come and go", async () => {
    const journal = newFile();
    const { server, url } = await startLedger({ journal, compactBytes: 4_000 });
    for (let round = 0; round < 30; round++) await (await startWallet(url)).wallet.stop();
    await until(() => server.ledger.accountCount === 0, "their accounts are closed");
    expect(server.ledger.sums.issuedMsat).toBe(0);
    expect(server.traffic.journalBytes).toBeLessThan(4_000);
  });

  test.each(["process", "power"] as const)("stays short, whatever is paid (%s)", async (durability) => {
    const journal = newFile();
    const { server, url } = await startLedger({ journal, durability, compactBytes: 20_000 });
    const [client, node] = [await startWallet(url), await startWallet(url)];
    for (let round = 1; round <= 8; round++) {
      for (let n = 0; n < 10; n++) client.pay(node, node.wallet.invoice("job-1", "job", 1).paymentHash, 1);
      await until(() => client.events.length === 10 * round && server.ledger.size.payments === 0, "paid");
    }
    expect(server.traffic.journalBytes).toBeLessThan(22_000);
    await server.stop();
    const again = new LedgerServer({ listen: { host: "127.0.0.1", port: 0 }, journal });
    expect(again.ledger.balanceMsat(node.signer.publicKey)).toBe(CREDIT_MSAT + 80);
    await again.stop();
  });
});

describe("a full disk", () => {
  const { writeSync, fdatasync } = fs;
  afterEach(() => {
    Object.assign(fs, { writeSync, fdatasync });
    syncBuiltinESMExports();
  });

  test.each([["as it is written to", "process"], ["as it is synced", "power"]] as const)("%s ends the ledger before it says what it has not kept", async (_, durability) => {
    const journal = newFile();
    const failures: unknown[] = [];
    const first = await startLedger({ journal, durability, onFailure: (error) => failures.push(error) });
    const [client, node] = [await startWallet(first.url), await startWallet(first.url)];
    client.pay(node, node.wallet.invoice("job-1", "job", 700).paymentHash, 700);
    await until(() => client.events.length === 1 && first.server.ledger.size.payments === 0, "paid");
    const full = Object.assign(new Error("no space"), { code: "ENOSPC" });
    Object.assign(fs, durability === "process"
      ? { writeSync: (fd: number, bytes: Uint8Array) => { writeSync(fd, bytes, 0, 9); throw full; } }
      : { fdatasync: (_fd: number, then: (error: Error) => void) => setImmediate(() => then(full)) });
    syncBuiltinESMExports();
    client.pay(node, node.wallet.invoice("job-2", "job", 100).paymentHash, 100);
    await until(() => failures.length === 1 && client.downs.length === 1, "it fails");
    expect(failures).toMatchObject([{ code: "ENOSPC", path: journal }]);
    expect(client.events).toHaveLength(1);
    await first.server.stop();
    Object.assign(fs, { writeSync, fdatasync });
    syncBuiltinESMExports();

    const second = await startLedger({ journal, listen: { host: "127.0.0.1", port: first.port } });
    expect(second.server.tornBytes).toBe(durability === "process" ? 9 : 0);
    await until(() => client.events.length === 2 && node.events.length === 2, "the payment is made once there is room");
    expect(second.server.ledger.balanceMsat(node.signer.publicKey)).toBe(CREDIT_MSAT + 800);
  });
});

describe("a connection that is dead without a word", () => {
  test("is noticed by the wallet, which comes back", async () => {
    // The ledger never pings: to the wallet it is silent.
    const { url } = await startLedger({ pingMs: 1_000_000 });
    const wallet = await startWallet(url, testSigner(), { silenceMs: 100 });
    await until(() => wallet.downs.length > 0, "it gives the connection up");
    expect(wallet.downs[0]).toBe("the ledger was silent");
    await until(() => wallet.wallet.isConnected, "it is back");
  });

  test("is not what a ledger takes a live one for that it was itself too busy to hear", async () => {
    const { url } = await startLedger({ pingMs: 100 });
    // In the same turn as each ping, before the answer can be read, and for longer than until the next one.
    const busy = setInterval(() => {
      const fromMs = performance.now();
      while (performance.now() - fromMs < 200);
    }, 100);
    const wallet = await startWallet(url);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    clearInterval(busy);
    expect(wallet.downs).toEqual([]);
    expect(wallet.wallet.isConnected).toBe(true);
  });

  test("is noticed by the ledger, which cuts it off", async () => {
    const { server, url } = await startLedger({ pingMs: 1_000 });
    const wallet = await startWallet(url);
    const socket = new WebSocket(url.split("#")[0]!, { autoPong: false });
    const signer = testSigner();
    let closed = false;
    socket.on("error", () => {});
    socket.on("close", () => { closed = true; });
    socket.on("message", (data) => {
      const said = JSON.parse((data as Buffer).toString()) as { type: string; nonce: string; audience: string };
      if (said.type === "challenge") socket.send(JSON.stringify({ type: "answer", event: answerChallenge(signer, said, Math.floor(Date.now() / 1_000)) }));
    });
    await until(() => closed, "it is cut off");
    expect(wallet.downs).toEqual([]);
    await until(() => server.traffic.connections === 1, "the ledger has seen it close too");
  });
});
