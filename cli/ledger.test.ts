import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { RemoteWallet } from "../live/wallet/remote-wallet.ts";
import { testSigner, until } from "../live/testing/peers.ts";
import type { WalletEvent } from "../scheduler/environment.ts";
import { Journal } from "../live/wallet/journal.ts";
import { Ledger } from "../live/wallet/ledger.ts";
import { infernet, start, testFolder } from "./testing/process.ts";

const folder = testFolder("ledger");
const children: { kill(signal: "SIGKILL"): boolean }[] = [];
afterAll(() => { for (const child of children) child.kill("SIGKILL"); });

const startLedger = async (...args: string[]) => {
  const { child, outcome } = start(folder, "ledger", ...args);
  children.push(child);
  const [line] = await Promise.race([once(child.stdout, "data"), outcome.then(({ stderr }) => { throw new Error(stderr); })]) as [string];
  return { child, outcome, url: line.trim() };
};

test("a ledger that is killed, again and again, loses nothing and pays nothing twice", async () => {
  const first = await startLedger("--listen", "127.0.0.1:0", "--journal", "a/ledger.journal", "--credit", "1000 sat");
  const { port } = new URL(first.url);
  const wallets = await Promise.all([0, 1].map(async () => {
    const signer = testSigner();
    const wallet = new RemoteWallet({ url: first.url, signer, backOff: { firstMs: 10, mostMs: 50 } });
    const events: WalletEvent[] = [];
    wallet.listen((event) => events.push(event));
    await wallet.start();
    return { wallet, events, key: signer.publicKey };
  }));
  const [client, node] = wallets as [typeof wallets[0], typeof wallets[0]];
  let asked = 0;
  const payer = setInterval(() => {
    asked++;
    const { paymentHash } = node.wallet.invoice(`job-${asked}`, "job", 7);
    client.wallet.pay({ type: "payment-request", jobId: `job-${asked}`, purpose: "job", payee: node.key, amountMsat: 7, paymentHash, expiresInUs: 60_000_000 });
  }, 10);
  let { child, outcome } = first;
  for (let life = 0; life < 3; life++) {
    const before = client.events.length;
    await until(() => client.events.length > before + 5, "payments go on");
    child.kill("SIGKILL");
    await outcome;
    ({ child, outcome } = await startLedger("--listen", `127.0.0.1:${port}`, "--journal", "a/ledger.journal", "--durability", life === 0 ? "process" : "power"));
  }
  await pause(20);
  clearInterval(payer);
  await until(() => client.events.length === asked && node.events.length === asked, "every payment ends");
  expect(new Set(client.events.map(({ jobId }) => jobId)).size).toBe(asked);
  expect(client.events.every(({ kind }) => kind === "paid")).toBe(true);
  const sumMsat = 7 * asked;
  await until(() => client.wallet.balanceMsat === 1_000_000 - sumMsat && node.wallet.balanceMsat === 1_000_000 + sumMsat, "balances agree");
  await Promise.all(wallets.map(({ wallet }) => wallet.stop()));

  child.kill("SIGTERM");
  const { status, stdout, stderr } = await outcome;
  expect(status).toBe(143);
  expect(stderr).toContain("Play money, in the place of Lightning");
  expect(stdout).toMatch(/Issued 2,000 sat = accounts 2,000 sat \+ in flight 0 msat \+ held 0 msat \+ fees 0 msat\.\n$/);
  const journal = new Journal(join(folder, "a/ledger.journal"));
  const ledger = new Ledger();
  ledger.replay(journal.takeEntries());
  journal.close();
  expect([...ledger.accounts()].map(({ balanceMsat }) => balanceMsat).sort()).toEqual([1_000_000 - sumMsat, 1_000_000 + sumMsat].sort());
});

test("a ledger says in words what it cannot use", async () => {
  const taken = createServer();
  taken.listen(0, "127.0.0.1");
  await once(taken, "listening");
  const { port } = taken.address() as AddressInfo;
  const busy = infernet(folder, "ledger", "--listen", `127.0.0.1:${port}`, "--no-journal");
  taken.close();
  expect(busy).toMatchObject({ status: 2, stderr: `error: cannot listen on 127.0.0.1:${port}: another process does. Give another: --listen HOST:PORT\n` });
  expect(infernet(folder, "ledger", "--credit", "5 kg")).toMatchObject({ status: 2, stderr: expect.stringContaining("Allowed: an amount such as '50000 sat'.") });
  expect(infernet(folder, "ledger", "--listen", "7800").stderr).toContain("Allowed: HOST:PORT, such as 127.0.0.1:7800.");
});
