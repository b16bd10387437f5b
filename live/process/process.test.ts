import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { sha256Hex } from "../../protocol/canonical.ts";
import { subjects } from "../runner/testing/subjects.ts";
import { until } from "../testing/peers.ts";
import { SmallMarket } from "../testing/small-market.ts";
import { boundOnTokens, type JobSpec, startClient, type SubmittedJob } from "./client.ts";
import { testSigner } from "../testing/peers.ts";
import { NoWallet } from "../wallet/no-wallet.ts";
import type { TokenPart } from "./token-stream.ts";

const PROMPT = "Geheimnis 🤫: why is the sky blue?";
const ask: JobSpec = { model: "mock", prompt: PROMPT, inputTokens: 40, maxOutputTokens: 30, maxPriceMsat: 100_000, patienceUs: 20_000_000 };

let market: SmallMarket;
beforeEach(async () => { market = await new SmallMarket().start(); });
afterEach(async () => {
  await market.stop();
  // Whatever was done to it: no fault of the program, and no money from nowhere.
  expect(market.faults).toEqual([]);
  market.bank.ledger.check();
});

const read = async (job: SubmittedJob): Promise<TokenPart[]> => {
  const parts: TokenPart[] = [];
  for await (const part of job.tokens) parts.push(part);
  return parts;
};

describe("a job over sockets", () => {
  test("streams its text, is billed what was metered, paid to the millisatoshi, and told in events without a word of it", async () => {
    const node = await market.node({ decodeTokensPerS: 2_000, outputTokens: () => 20 });
    const client = await market.client();
    const job = client.submit(ask);
    const parts = await read(job);
    const outcome = await job.outcome;
    const text = parts.map((part) => part.text).join("");
    expect(outcome).toMatchObject({ status: "completed", reason: "", finishReason: "stop", feeMsat: 12, receipt: { node: node.peer, inputTokens: 40, outputTokens: 20, amountMsat: 120, outputHash: sha256Hex(text), promptHash: sha256Hex(PROMPT) } });
    expect([parts.reduce((sum, { tokens }) => sum + tokens, 0), parts.every(({ restarted }) => !restarted), text.length > 20]).toEqual([20, true, true]);
    await until(() => market.gained(node.peer) === 120 && market.gained(market.router.peer) === 12, "node and router are paid");
    expect(market.gained(client.peer)).toBe(-132);
    await until(() => node.node.open === 0 && market.router.router.open === 0, "all is forgotten");
    expect(market.events.map(({ event }) => event)).toEqual(["submitted", "assigned", "started", "first-token", "finished", "ended"]);
    for (const words of [PROMPT, "sky", text.slice(0, 12)]) expect(JSON.stringify(market.events)).not.toContain(words);
    expect(market.events.every(({ atUs }, i) => i === 0 || atUs >= market.events[i - 1]!.atUs)).toBe(true);
  });

  test("a router that is asked to stop in the midst of it is paid its fee all the same", async () => {
    const node = await market.node({ decodeTokensPerS: 500, outputTokens: () => 20 });
    const signer = testSigner();
    const wallet = market.bank.wallet(signer.publicKey);
    const { pay } = wallet;
    // A payment takes its time.
    wallet.pay = (request) => void setTimeout(() => pay(request), 200);
    const client = await market.client({ signer, wallet });
    const job = client.submit(ask);
    await until(() => market.events.some(({ event }) => event === "started"), "the job runs");
    const stopping = market.router.stop();
    expect(await job.outcome).toMatchObject({ status: "completed" });
    await stopping;
    expect(market.gained(market.router.peer)).toBe(12);
    await until(() => market.gained(node.peer) === 120, "the node is paid");
  });

  test("many at once over two nodes: each ends once, and the money is where the receipts say", async () => {
    const nodes = [await market.node({ slots: 4 }), await market.node({ slots: 4 })];
    const client = await market.client();
    const outcomes = await Promise.all(Array.from({ length: 40 }, () => client.submit({ ...ask, maxPriceMsat: 1_000 }).outcome));
    expect(new Set(outcomes.map(({ status }) => status))).toEqual(new Set(["completed"]));
    await until(() => nodes.every(({ node }) => node.open === 0), "every node is paid");
    for (const { peer } of nodes) expect(market.gained(peer)).toBe(outcomes.filter(({ receipt }) => receipt?.node === peer).reduce((sum, { receipt }) => sum + receipt!.amountMsat, 0));
    expect(market.events.filter(({ event }) => event === "ended")).toHaveLength(40);
  });

  test.each(["prepay", "escrow", "streaming"] as const)("paid by %s: as much as was metered, no more", async (kind) => {
    const node = await market.node({ decodeTokensPerS: 2_000, outputTokens: () => 21 });
    const terms = { payWithinUs: 2_000_000 };
    const client = await market.client({
      settlement: kind === "prepay" ? { kind, ...terms } : kind === "escrow" ? { kind, ...terms, timeoutUs: 5_000_000, parts: 3 } : { kind, ...terms, everyTokens: 8, stallUs: 2_000_000 },
    });
    const job = client.submit(ask);
    const parts = await read(job);
    const outcome = await job.outcome;
    expect(outcome).toMatchObject({ status: "completed", receipt: { outputTokens: 21, amountMsat: 122, outputHash: sha256Hex(parts.map(({ text }) => text).join("")) } });
    await until(() => node.node.open === 0 && market.gained(node.peer) === 122 && market.gained(market.router.peer) === 12, "node and router have what they earned");
    expect(market.gained(client.peer)).toBe(-122 - 12);
  });

  test("a quote says the most that it can cost, and who would serve it", async () => {
    const client = await market.client();
    expect(await client.quote(ask)).toMatchObject({ type: "refuse", reason: "no-eligible-node" });
    const node = await market.node();
    expect(await client.quote(ask)).toMatchObject({ type: "quote", node: node.peer, maxAmountMsat: 154 });
  });

  test("who declares nothing declares a bound: no tokenizer makes more of it", () => {
    expect(boundOnTokens("")).toBe(16);
    expect(boundOnTokens("ä🤫")).toBe(22);
  });

  test("a job that is cancelled ends so, and its node forgets it", async () => {
    const node = await market.node({ decodeTokensPerS: 20 });
    const client = await market.client();
    const job = client.submit(ask);
    for await (const part of job.tokens) if (part.tokens > 0) job.cancel();
    expect(await job.outcome).toMatchObject({ status: "cancelled", reason: "user", receipt: null });
    await until(() => node.node.open === 0, "the node forgets it");
    expect([job.cancel(), market.gained(node.peer)]).toEqual([false, 0]);
  });
});

describe("a node", () => {
  test("of two routers serves the clients of both, each over the way that they are reached by", async () => {
    const other = await new SmallMarket(market.bank).start();
    try {
      const node = await market.node({}, { routers: [market, other].map(({ router }) => ({ url: router.url, key: router.peer })) });
      await until(() => node.connected === 2 && other.router.router.registry.size === 1, "it is registered with both");
      const clients = await Promise.all([market.client(), other.client()]);
      const outcomes = await Promise.all(clients.flatMap((client) => [client.submit(ask).outcome, client.submit(ask).outcome]));
      expect(outcomes.map(({ status, receipt }) => [status, receipt?.node])).toEqual(Array.from({ length: 4 }, () => ["completed", node.peer]));
    } finally {
      await other.stop();
    }
  });

  test("measures its speed where its operator does not say", async () => {
    const { speed } = await market.node({ prefillTokensPerS: 100, decodeTokensPerS: 25 }, { speed: null });
    // Over a second for each: on a busy machine beginning and end may be heard of half a second late.
    expect(speed.prefillTokensPerS).toBeGreaterThan(30);
    expect(speed.prefillTokensPerS).toBeLessThan(200);
    expect(speed.decodeTokensPerS).toBeGreaterThan(5);
    expect(speed.decodeTokensPerS).toBeLessThan(60);
    expect(market.events).toEqual([]);
  });

  test("whose model does not load says why, and leaves nothing behind", async () => {
    await expect(market.node({ failStart: "there is no model file tiny.gguf" })).rejects.toThrow("there is no model file tiny.gguf");
    expect(market.router.stats.peers).toBe(0);
  });
});

describe.each(subjects.map((subject) => [subject.name, subject] as const))("with the %s runner", (_, subject) => {
  test.skipIf(subject.skipped !== "")(`what is streamed is what the receipt says, however it is paid${subject.skipped === "" ? "" : ` (skipped: ${subject.skipped})`}`, async () => {
    await subject.prepare();
    try {
      await market.node({}, { runner: subject.runner({ slots: 2, tokensIntervalMs: 20 }) });
      const terms = { payWithinUs: 2_000_000 };
      const clients = await Promise.all([market.client(), market.client({ settlement: { kind: "streaming", ...terms, everyTokens: 7, stallUs: 5_000_000 } })]);
      const spec = { ...ask, model: "m", prompt: subject.prompt(25), inputTokens: 40, maxOutputTokens: 24 };
      await Promise.all(clients.map(async (client) => {
        const job = client.submit(spec);
        const text = (await read(job)).map((part) => part.text).join("");
        expect(await job.outcome).toMatchObject({ status: "completed", receipt: { inputTokens: subject.counts ? 25 : expect.any(Number) as number, outputHash: sha256Hex(text) } });
      }));
      if (subject.counts) expect(await clients[0]!.submit({ ...spec, inputTokens: 24 }).outcome).toMatchObject({ status: "rejected", reason: "input-over-declared" });
    } finally {
      await market.stop();
      await subject.dispose();
    }
  });
});

describe("leaving in good order", () => {
  test("a node finishes what runs, hands back what waits, and gets its money", async () => {
    // Long enough for the second node to come before the first job's end.
    const first = await market.node({ slots: 1, decodeTokensPerS: 15 });
    const client = await market.client();
    const running = client.submit(ask);
    await until(() => market.events.some(({ event }) => event === "first-token"), "the first job runs");
    const waiting = client.submit(ask);
    await until(() => first.node.open === 2, "the second waits there");
    const second = await market.node();
    await first.stop(30_000);
    expect(await running.outcome).toMatchObject({ status: "completed", receipt: { node: first.peer } });
    expect(await waiting.outcome).toMatchObject({ status: "completed", receipt: { node: second.peer, attempt: 2 } });
    expect(market.gained(first.peer)).toBe(140);
    expect(market.events.filter(({ event }) => event === "attempt-failed")).toMatchObject([{ reason: "shutting-down" }]);
  });

  test("where time is up it hands back what runs, too", async () => {
    const first = await market.node({ decodeTokensPerS: 5 });
    const client = await market.client();
    const job = client.submit(ask);
    const reading = read(job);
    await until(() => market.events.some(({ event }) => event === "first-token"), "it runs");
    const second = await market.node({ decodeTokensPerS: 1_000 });
    await first.stop(50);
    expect(await job.outcome).toMatchObject({ status: "completed", receipt: { node: second.peer, attempt: 2 } });
    // The answer began again, at the other node.
    expect((await reading).filter(({ restarted }) => restarted)).toMatchObject([{ node: second.peer, attempt: 2 }]);
  });

  test("a client cancels what it has", async () => {
    const node = await market.node({ decodeTokensPerS: 5 });
    const client = await market.client();
    const job = client.submit(ask);
    await until(() => node.node.open === 1, "it is there");
    await client.stop();
    expect(await job.outcome).toMatchObject({ status: "cancelled", reason: "shutdown" });
    await until(() => node.node.open === 0, "the node heard of it");
    expect(() => client.submit(ask)).toThrow("stopped");
  });
});

describe("a client says in one sentence", () => {
  const options = (url: string, key: string) => ({ signer: testSigner(), router: { url, key }, region: "eu", wallet: new NoWallet(), newKey: true, onFault: () => {} });

  test("that there is no router", async () => {
    await expect(startClient(options("ws://127.0.0.1:9", market.router.peer))).rejects.toThrow(/^No router at ws:\/\/127\.0\.0\.1:9: connect ECONNREFUSED/);
  });

  test("that another router answers than the one that is meant", async () => {
    await expect(startClient(options(market.router.url, testSigner().publicKey))).rejects.toThrow(/^No router at ws:\/\/127\.0\.0\.1:\d+: .*(another|key)/);
  });

  test("and without a wallet it gets what is free, and fails to pay what is not", async () => {
    await market.node();
    const client = await market.client({ wallet: new NoWallet(), paymentAttempts: 1 });
    expect(await client.submit(ask).outcome).toMatchObject({ status: "failed", reason: "payment-failed: no-wallet" });
  });
});
