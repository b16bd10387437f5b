import { afterEach, expect, test } from "vitest";
import type { WalletEvent } from "../../scheduler/environment.ts";
import { until } from "../testing/peers.ts";
import { MemoryBank } from "./memory.ts";

let bank: MemoryBank;
afterEach(() => bank.close());

const open = async (key: string) => {
  const wallet = bank.wallet(key.repeat(64));
  const events: WalletEvent[] = [];
  wallet.listen((event) => events.push(event));
  await wallet.start();
  const pay = (payee: string, paymentHash: string, amountMsat: number): void =>
    wallet.pay({ type: "payment-request", jobId: "job-1", purpose: "job", payee: payee.repeat(64), amountMsat, paymentHash, expiresInUs: 1_000_000 });
  return { wallet, events, pay };
};

test("wallets of one process pay each other, and hear of it after the call", async () => {
  bank = new MemoryBank({ creditMsat: 1_000 });
  const [alice, bob] = [await open("a"), await open("b")];
  expect(alice.wallet.balanceMsat).toBe(1_000);
  alice.pay("b", bob.wallet.invoice("job-1", "job", 300).paymentHash, 300);
  const held = bob.wallet.holdInvoice("job-1", 200, 60_000_000).paymentHash;
  alice.pay("b", held, 200);
  expect([alice.events, bob.events]).toEqual([[], []]);
  await until(() => bob.events.length === 2, "received and held");
  expect(bob.events.map(({ kind }) => kind)).toEqual(["received", "held"]);
  expect(bob.wallet.take(held)).toBe(true);
  expect(bob.events).toHaveLength(2);
  await until(() => alice.events.length === 2, "paid");
  expect([alice.wallet.balanceMsat, bob.wallet.balanceMsat]).toEqual([500, 1_500]);
  bank.ledger.check();
});

test("what is not answered goes back in time, and a wallet that is stopped hears nothing", async () => {
  let nowMs = 0;
  bank = new MemoryBank({ creditMsat: 1_000, offerMs: 500 }, () => nowMs);
  const [alice, bob] = [await open("a"), await open("b")];
  const { paymentHash } = bob.wallet.invoice("job-1", "job", 300);
  await bob.wallet.stop();
  alice.pay("b", paymentHash, 300);
  await until(() => bank.ledger.sums.inFlightMsat === 300, "in flight");
  nowMs = 500;
  bank.tick();
  await until(() => alice.events.length === 1, "it failed");
  expect(alice.events).toMatchObject([{ kind: "payment-failed", reason: "payee-offline" }]);
  expect(bob.events).toEqual([]);
});

test("a wallet without a listener does not start", async () => {
  bank = new MemoryBank();
  await expect(bank.wallet("c".repeat(64)).start()).rejects.toThrow(/listener/);
});
