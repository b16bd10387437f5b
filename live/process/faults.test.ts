import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { publicKeyOf } from "../../protocol/keys.ts";
import type { MarketEvent } from "../../protocol/result/market-event.ts";
import { MonotonicClock } from "../clock.ts";
import { liveSigner, newSecretKey } from "../keys.ts";
import { MockRunner } from "../runner/mock.ts";
import { LiveTelemetry } from "../telemetry.ts";
import type { Role, Word } from "../testing/fault-child.ts";
import { until } from "../testing/peers.ts";
import { prices, rules } from "../testing/small-market.ts";
import { LedgerServer } from "../wallet/ledger-server.ts";
import { RemoteWallet } from "../wallet/remote-wallet.ts";
import { type JobSpec, type RunningClient, startClient } from "./client.ts";
import { type RunningNode, startNode } from "./node.ts";
import { type RunningRouter, startRouter } from "./router.ts";

/*
 * Real processes, killed and frozen. What is not to be killed lives in this process, so that its state can be looked at. Whatever
 * happens: every job ends in exactly one state, and the ledger balances.
 */

const script = fileURLToPath(new URL("../testing/fault-child.ts", import.meta.url));
const CREDIT_MSAT = 1_000_000;
const backOff = { firstMs: 10, mostMs: 50 };
type Shape<T> = T extends unknown ? Omit<T, "key" | "ledgerUrl" | "newKey"> : never;

/** A child with its key. */
interface Child {
  readonly process: ChildProcess;
  readonly peer: string;
  readonly key: string;
  url: string;
}

let ledger: LedgerServer;
let ledgerUrl: string;
let clock: MonotonicClock;
let events: MarketEvent[];
let faults: string[];
let children: ChildProcess[];
let toStop: (() => Promise<unknown>)[];

beforeEach(async () => {
  ledger = new LedgerServer({ listen: { host: "127.0.0.1", port: 0 }, ledger: { creditMsat: CREDIT_MSAT, offerMs: 5_000 } });
  ledgerUrl = await ledger.start();
  clock = new MonotonicClock();
  [events, faults, children, toStop] = [[], [], [], []];
});

afterEach(async () => {
  for (const child of children) child.kill("SIGKILL");
  for (const stop of toStop.reverse()) await stop();
  await ledger.stop();
  expect(faults).toEqual([]);
  ledger.ledger.check();
  // Every job that was submitted here ended once.
  const submitted = events.filter(({ event }) => event === "submitted").map((event) => (event as { readonly job: string }).job);
  const ended = events.filter(({ event }) => event === "ended").map((event) => (event as { readonly job: string }).job);
  expect(ended.sort()).toEqual(submitted.sort());
});

const spawn = async (shape: Shape<Role>, key = Buffer.from(newSecretKey()).toString("hex"), newKey = true): Promise<Child> => {
  const process_ = fork(script, { stdio: "inherit", execArgv: [], env: { ...process.env, NODE_COMPILE_CACHE: join(tmpdir(), "infernet-compile-cache") } });
  children.push(process_);
  const child: Child = { process: process_, key, peer: publicKeyOf(Uint8Array.from(Buffer.from(key, "hex"))), url: "" };
  const ready = new Promise<void>((resolve, reject) => {
    process_.on("message", (word: Word) => {
      if (word.word === "fault") {
        faults.push(word.what);
        return reject(new Error(word.what));
      }
      child.url = word.url;
      resolve();
    });
  });
  process_.send({ ...shape, key, ledgerUrl, newKey } as Role);
  await ready;
  return child;
};

const kill = async (child: Child): Promise<void> => {
  const gone = once(child.process, "exit");
  child.process.kill("SIGKILL");
  await gone;
};

const identity = () => {
  const signer = liveSigner(newSecretKey());
  return {
    signer, wallet: new RemoteWallet({ url: ledgerUrl, signer, backOff }), telemetry: new LiveTelemetry({ clock, onEvent: (event) => events.push(event) }), clock, newKey: true, backOff,
    onFault: (error: unknown) => void faults.push(String(error)),
  };
};

const routerHere = async (): Promise<RunningRouter> => {
  const router = await startRouter({ ...identity(), router: rules, host: "127.0.0.1", port: 0 });
  toStop.push(() => router.stop(0));
  return router;
};

const nodeHere = async (url: string, router: string, decodeTokensPerS: number, invoiceExpiryUs = 30_000_000): Promise<RunningNode> => {
  const node = await startNode({
    ...identity(), routers: [{ url, key: router }], region: "eu", machine: "test", prices, speed: { prefillTokensPerS: 1_000, decodeTokensPerS: 1_000 }, queueLimit: 4, heartbeatUs: 100_000,
    invoiceExpiryUs, runner: new MockRunner({ models: ["mock"], slots: 2, decodeTokensPerS }),
  });
  toStop.push(() => node.stop(0));
  return node;
};

const clientHere = async (url: string, router: string): Promise<RunningClient> => {
  const client = await startClient({ ...identity(), router: { url, key: router }, region: "eu" });
  toStop.push(() => client.stop(0));
  return client;
};

const job: JobSpec = { model: "mock", prompt: "Tell me.", inputTokens: 40, maxOutputTokens: 40, maxPriceMsat: 100_000, patienceUs: 40_000_000 };

const gained = (peer: string): number => {
  for (const { account, balanceMsat } of ledger.ledger.accounts()) if (account === peer) return balanceMsat - CREDIT_MSAT;
  return 0;
};

const firstTokens = (): number => events.filter(({ event }) => event === "first-token").length;

/** Two nodes in processes of their own; the first serves slowly and is the only one when the job comes. */
const midStream = async (): Promise<{ readonly first: Child; readonly second: Child; readonly client: RunningClient; readonly outcome: ReturnType<RunningClient["submit"]>["outcome"]; readonly router: RunningRouter }> => {
  const router = await routerHere();
  const node = { role: "node", url: router.url, router: router.peer } as const;
  const [first, client] = await Promise.all([spawn({ ...node, decodeTokensPerS: 4 }), clientHere(router.url, router.peer)]);
  await until(() => router.router.registry.size === 1, "the first node is registered");
  const { outcome } = client.submit(job);
  await until(() => firstTokens() === 1, "the first token is there");
  const second = await spawn({ ...node, decodeTokensPerS: 1_000 });
  await until(() => router.router.registry.size === 2, "the second node is registered");
  return { first, second, client, outcome, router };
};

describe("for real", () => {
  test("kill -9 of a node in mid-stream: another one serves the job, and is paid for it alone", async () => {
    const { first, second, client, outcome, router } = await midStream();
    await kill(first);
    expect(await outcome).toMatchObject({ status: "completed", receipt: { node: second.peer, attempt: 2, outputTokens: 40 } });
    await until(() => gained(second.peer) === 160 && gained(router.peer) === 16, "everybody is paid");
    expect([gained(first.peer), gained(client.peer)]).toEqual([0, -176]);
    expect(events.filter(({ event }) => event === "attempt-failed")).toMatchObject([{ node: first.peer, attempt: 1, reason: "node-stale" }]);
    // The market goes on.
    expect(await client.submit(job).outcome).toMatchObject({ status: "completed", receipt: { node: second.peer } });
  });

  test("a node that is frozen in mid-stream: another one serves the job; thawed, it is told, gets nothing for it, and serves again", async () => {
    const { first, second, client, outcome, router } = await midStream();
    first.process.kill("SIGSTOP");
    expect(await outcome).toMatchObject({ status: "completed", receipt: { node: second.peer, attempt: 2 } });
    await until(() => gained(second.peer) === 160 && gained(router.peer) === 16, "everybody is paid");
    first.process.kill("SIGCONT");
    const n = router.router.registry.indexOf(first.peer);
    const heardUs = router.router.registry.lastSeenUs[n]!;
    await until(() => router.router.registry.lastSeenUs[n]! > heardUs, "it beats again");
    await kill(second);
    expect(await client.submit({ ...job, maxOutputTokens: 5 }).outcome).toMatchObject({ status: "completed", receipt: { node: first.peer, outputTokens: 5 } });
    await until(() => gained(first.peer) === 90 && gained(router.peer) === 16 + 9, "it is paid for what it served");
    expect(gained(client.peer)).toBe(-176 - 99);
  });

  test("kill -9 of a router between award and result: node and client go on, come back to the next one, and the job is delivered and paid", async () => {
    const router = await spawn({ role: "router", port: 0 });
    const [node, client] = await Promise.all([nodeHere(router.url, router.peer, 25), clientHere(router.url, router.peer)]);
    await until(() => node.connected === 1, "the node is connected");
    const running = client.submit(job);
    await until(() => firstTokens() === 1, "the job runs");
    await kill(router);
    await until(() => node.connected === 0, "the node has lost its router");
    const again = await spawn({ role: "router", port: Number(new URL(router.url).port) }, router.key, false);
    expect(again.url).toBe(router.url);
    expect(await running.outcome).toMatchObject({ status: "completed", receipt: { node: node.peer, outputTokens: 40 } });
    await until(() => gained(node.peer) === 160, "the node is paid");
    // It is registered with the new one, without waiting for anything.
    expect(await client.submit({ ...job, maxOutputTokens: 5 }).outcome).toMatchObject({ status: "completed", receipt: { node: node.peer } });
    await until(() => node.node.open === 0, "the node forgets both");
  });

  test("kill -9 of a router that does not come back: the client gives up, the node writes off, and both stay up", async () => {
    const router = await spawn({ role: "router", port: 0 });
    const [node, client] = await Promise.all([nodeHere(router.url, router.peer, 40, 300_000), clientHere(router.url, router.peer)]);
    await until(() => node.connected === 1, "the node is connected");
    const running = client.submit({ ...job, patienceUs: 3_000_000 });
    await until(() => firstTokens() === 1, "the job runs");
    await kill(router);
    expect(await running.outcome).toMatchObject({ status: "expired", reason: "patience" });
    await until(() => node.node.open === 0, "the node has written it off");
    expect([node.node.unpaidMsat, gained(node.peer), gained(client.peer)]).toEqual([160, 0, 0]);
  });

  test("kill -9 of a client between result and payment: the node writes off what it is owed, and disputes it", async () => {
    const router = await routerHere();
    const node = await nodeHere(router.url, router.peer, 1_000, 300_000);
    await until(() => router.router.registry.size === 1, "the node is registered");
    const thief = await spawn({ role: "thief", url: router.url, router: router.peer, job });
    if (thief.process.exitCode === null && thief.process.signalCode === null) await once(thief.process, "exit");
    expect(thief.process.signalCode).toBe("SIGKILL");
    await until(() => node.node.unpaidMsat === 160, "it is written off");
    expect(events.filter(({ event }) => event === "disputed")).toMatchObject([{ claim: "not-paid" }]);
    await until(() => node.node.open === 0 && router.router.open === 0, "node and router have forgotten it");
    expect([gained(node.peer), gained(thief.peer)]).toEqual([0, 0]);
    const client = await clientHere(router.url, router.peer);
    expect(await client.submit(job).outcome).toMatchObject({ status: "completed" });
  });
});
