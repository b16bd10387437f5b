import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Award, PaymentCall, SettlementTerms } from "../../protocol/messages.ts";
import { Node, type NodeOptions } from "../node.ts";
import { FakeEnvironment, hex32 } from "../testing/fake-environment.ts";
import { descriptor, FREE, offer, prices, request } from "../testing/market.ts";
import { partsOf } from "./node-advances.ts";

const [ROUTER, CLIENT, REFUND] = [hex32("router"), hex32("client"), hex32("refund")];
const SHEET = prices(1_000_000);
const PREPAY: SettlementTerms = { kind: "prepay", payWithinUs: 1_000, refundTo: REFUND };
const ESCROW: SettlementTerms = { kind: "escrow", payWithinUs: 1_000, refundTo: REFUND, timeoutUs: 50_000, parts: 3 };
const STREAMING: SettlementTerms = { kind: "streaming", payWithinUs: 1_000, refundTo: REFUND, everyTokens: 40, stallUs: 500 };

/** A node that is awarded one job of 100 tokens in and at most 100 out, a msat each, and its wallet and runner in the test's hands. */
function node(terms: SettlementTerms | undefined, options: Partial<NodeOptions> = {}, fee: Award["fee"] = FREE) {
  const env = new FakeEnvironment(hex32("node"));
  const { type: _, node: __, ...described } = descriptor("node", { offers: [offer({ prices: SHEET })] });
  const participant = new Node(env, { descriptor: described, routers: [ROUTER], heartbeatUs: 1e9, heartbeatOffsetUs: 1e9, invoiceExpiryUs: 1e9, paymentAttempts: 2, paymentRetryUs: 100, ...options });
  const job = request("j", terms === undefined ? {} : { settlement: terms });
  participant.onMessage(ROUTER, { type: "award", job, attempt: 1, prices: SHEET, fee, feePaymentHash: hex32("fee") });
  const sent = (): unknown[] => env.take().map(({ to, message }) => [to, message.type]);
  const lastCall = (): PaymentCall => env.sent.map(({ message }) => message).findLast((message) => message.type === "payment-call")!;
  const money = (kind: "received" | "held" | "lapsed", { paymentHash, amountMsat }: { paymentHash: string; amountMsat: number }): void => participant.onWallet({ kind, jobId: "j", purpose: "job", amountMsat, paymentHash });
  const pay = (kind: "received" | "held" = "received"): void => { for (const payment of lastCall().payments) money(kind, payment); };
  const finish = (outputTokens: number): void => {
    env.runner.remove("j");
    participant.onRunner({ kind: "finished", jobId: "j", outputTokens, finishReason: "stop", outputHash: hex32("output") });
  };
  const refunds = (): unknown[] => env.wallet.asked.filter(({ purpose }) => purpose === "refund").map(({ payee, amountMsat, paymentHash }) => [payee, amountMsat, paymentHash]);
  return { env, participant, sent, lastCall, money, pay, finish, refunds, running: () => env.runner.jobs.length };
}

describe("prepay", () => {
  test("begins when the money is there, delivers, and pays back what was not used", () => {
    const { sent, lastCall, running, pay, finish, refunds, participant } = node(PREPAY);
    expect([sent(), running()]).toEqual([[[ROUTER, "accept"], [CLIENT, "payment-call"]], 0]);
    expect(lastCall()).toMatchObject({ throughTokens: 100, payments: [{ amountMsat: 200, purpose: "job", expiresInUs: 1_000 }] });
    pay();
    expect(running()).toBe(1);
    finish(30);
    expect([sent(), refunds()]).toEqual([[[CLIENT, "result"], [ROUTER, "result"]], [[CLIENT, 70, REFUND]]]);
    expect(participant.open).toBe(1);
    participant.onWallet({ kind: "paid", jobId: "j", purpose: "refund", payee: CLIENT, amountMsat: 70, paymentHash: REFUND, preimage: REFUND });
    expect(participant.open).toBe(0);
  });

  test("pays back the input too that was declared and not counted", () => {
    const { env, participant, pay, refunds } = node(PREPAY);
    pay();
    env.runner.remove("j");
    participant.onRunner({ kind: "finished", jobId: "j", outputTokens: 30, finishReason: "stop", outputHash: hex32("output"), inputTokens: 20 });
    expect(refunds()).toEqual([[CLIENT, 150, REFUND]]);
  });

  test("gives the job up where it is not paid in time, and takes no money for it any more", () => {
    const { env, participant, sent, lastCall, running } = node(PREPAY);
    sent();
    env.advance(participant, 1_000);
    expect([env.take().map(({ message }) => message), running(), participant.open]).toEqual([[{ type: "refuse", jobId: "j", attempt: 1, reason: "unpaid" }], 0, 0]);
    expect(env.wallet.released).toEqual([lastCall().payments[0]!.paymentHash]);
  });

  test("gives all back where the runner fails, or the router takes the job away", () => {
    for (const stop of [(one: ReturnType<typeof node>) => one.participant.onRunner({ kind: "failed", jobId: "j", reason: "runner-failed" }), (one: ReturnType<typeof node>) => one.participant.onMessage(ROUTER, { type: "cancel", jobId: "j", reason: "superseded" })]) {
      const one = node(PREPAY);
      one.pay();
      stop(one);
      expect(one.refunds()).toEqual([[CLIENT, 200, REFUND]]);
    }
  });

  test("a refund that fails is tried again", () => {
    const { env, participant, pay, finish, refunds } = node(PREPAY);
    pay();
    finish(30);
    const failed = { kind: "payment-failed" as const, jobId: "j", purpose: "refund" as const, payee: CLIENT, amountMsat: 70, paymentHash: REFUND, reason: "no-route" };
    participant.onWallet(failed);
    env.advance(participant, 100);
    expect(refunds()).toHaveLength(2);
    participant.onWallet(failed);
    env.advance(participant, 10_000);
    expect([refunds().length, participant.open]).toEqual([2, 0]);
  });

  test("a job that costs nothing needs no payment", () => {
    const env = new FakeEnvironment(hex32("node"));
    const { type: _, node: __, ...described } = descriptor("node", { offers: [offer({ prices: prices(0) })] });
    const participant = new Node(env, { descriptor: described, routers: [ROUTER], heartbeatUs: 1e9, heartbeatOffsetUs: 1e9, invoiceExpiryUs: 1e9 });
    participant.onMessage(ROUTER, { type: "award", job: request("j", { settlement: PREPAY }), attempt: 1, prices: prices(0), fee: FREE });
    expect([env.runner.jobs.length, env.wallet.invoices]).toEqual([1, []]);
  });
});

describe("escrow", () => {
  test("begins when every part is locked, takes as many as are due and releases the others; the rest of the last comes back", () => {
    const { env, lastCall, money, pay, running, finish, refunds } = node(ESCROW);
    const { payments } = lastCall();
    expect(payments.map(({ amountMsat }) => amountMsat)).toEqual([67, 67, 66]);
    money("held", payments[0]!);
    money("held", payments[2]!);
    expect(running()).toBe(0);
    pay("held");
    expect(running()).toBe(1);
    finish(10);
    expect([env.wallet.taken, env.wallet.released]).toEqual([[payments[0]!.paymentHash, payments[1]!.paymentHash], [payments[2]!.paymentHash]]);
    money("received", payments[0]!);
    expect(refunds()).toEqual([]);
    money("received", payments[1]!);
    expect(refunds()).toEqual([[CLIENT, 24, REFUND]]);
  });

  test("whose time is over while the job is served ends it, and releases the other parts", () => {
    const { env, participant, lastCall, money, pay, running } = node(ESCROW);
    pay("held");
    money("lapsed", lastCall().payments[1]!);
    expect([running(), participant.open, env.sent.at(-1)?.message]).toEqual([0, 0, { type: "refuse", jobId: "j", attempt: 1, reason: "payment-expired" }]);
    expect(env.wallet.released).toEqual([lastCall().payments[0]!.paymentHash, lastCall().payments[2]!.paymentHash]);
  });

  test.each([["one part goes", ["received", "lapsed"]], ["all goes", ["lapsed", "lapsed"]]] as const)("whose time is over as it is taken: %s back to the client, and the node is done", (_, ends) => {
    const { participant, lastCall, money, pay, finish, refunds } = node(ESCROW);
    const { payments } = lastCall();
    pay("held");
    finish(10);
    ends.forEach((kind, i) => money(kind, payments[i]!));
    // What is left is less than the 110 that are due.
    expect([refunds(), participant.open]).toEqual([[], 0]);
  });

  test("parts are nearly equal and sum to the whole", () => {
    fc.assert(fc.property(fc.maxSafeNat(), fc.integer({ min: 1, max: 16 }), (amount, parts) => {
      const made = partsOf(amount, parts);
      expect(made.reduce((sum, part) => sum + part, 0)).toBe(amount);
      expect(made.length).toBe(Math.min(parts, amount));
      if (made.length > 0) expect(made[0]! - made.at(-1)!).toBeLessThanOrEqual(1);
    }), { seed: 1 });
  });
});

describe("streaming", () => {
  test("hands out what is paid for, calls for the next chunk, and delivers when all is paid", () => {
    const { env, participant, sent, lastCall, pay, finish, refunds } = node(STREAMING);
    expect(lastCall()).toMatchObject({ throughTokens: 40, payments: [{ amountMsat: 140 }] });
    pay();
    expect(env.runner.watched.get("j")).toBe(40);
    participant.onRunner({ kind: "first-token", jobId: "j" });
    sent();
    participant.onRunner({ kind: "progress", jobId: "j", outputTokens: 40 });
    expect(env.take().map(({ message }) => message)).toMatchObject([{ type: "token-chunk", firstToken: 1, tokens: 39 }, { type: "payment-call", throughTokens: 80, payments: [{ amountMsat: 40 }] }]);
    // The work goes on meanwhile; what is not paid for stays here.
    finish(70);
    expect(sent()).toEqual([]);
    pay();
    expect([sent(), refunds()]).toEqual([[[CLIENT, "result"], [ROUTER, "result"]], [[CLIENT, 10, REFUND]]]);
  });

  test("text goes out with the tokens that it belongs to, once they are paid for", () => {
    const { env, participant, sent, pay, finish } = node(STREAMING);
    const handed = (): unknown[] => env.take().flatMap(({ message }) => (message.type === "token-chunk" ? [[message.firstToken, message.tokens, message.text]] : []));
    const tokens = (firstToken: number, count: number, text: string): void => participant.onRunner({ kind: "tokens", jobId: "j", firstToken, tokens: count, text });
    pay();
    sent();
    participant.onRunner({ kind: "first-token", jobId: "j", text: "a" });
    tokens(1, 20, "b");
    tokens(21, 10, "c");
    // This one reaches beyond the forty that are paid for.
    tokens(31, 20, "d");
    expect(handed()).toEqual([[0, 1, "a"], [1, 20, "b"], [21, 10, "c"], [31, 9, ""]]);
    tokens(51, 4, "e");
    participant.onRunner({ kind: "progress", jobId: "j", outputTokens: 40 });
    finish(55);
    expect(handed()).toEqual([]);
    pay();
    expect(env.take().map(({ message }) => message)).toMatchObject([{ type: "token-chunk", firstToken: 40, tokens: 15, text: "de" }, { type: "result" }, { type: "result" }]);
  });

  test("knows what the last chunk costs once the job is done", () => {
    const { lastCall, participant, pay, finish, refunds } = node(STREAMING);
    pay();
    participant.onRunner({ kind: "first-token", jobId: "j" });
    finish(55);
    expect(lastCall()).toMatchObject({ throughTokens: 55, payments: [{ amountMsat: 15 }] });
    pay();
    expect(refunds()).toEqual([]);
  });

  test("stops where the next chunk is not paid, and keeps what it handed out", () => {
    const { env, participant, pay, running, refunds } = node(STREAMING);
    pay();
    participant.onRunner({ kind: "first-token", jobId: "j" });
    participant.onRunner({ kind: "progress", jobId: "j", outputTokens: 40 });
    env.advance(participant, 1_000);
    expect([running(), env.runner.cancelled, refunds()]).toEqual([0, ["j"], []]);
    expect(env.sent.at(-1)?.message).toMatchObject({ type: "refuse", reason: "unpaid" });
    const early = node(STREAMING);
    early.pay();
    early.participant.onRunner({ kind: "first-token", jobId: "j" });
    early.participant.onMessage(CLIENT, { type: "cancel", jobId: "j", reason: "patience" });
    // A token was handed out: the prompt and it are earned.
    expect(early.refunds()).toEqual([[CLIENT, 39, REFUND]]);
  });
});

describe("a node that means to deliver nothing", () => {
  test("takes what it gets and is silent", () => {
    for (const [terms, kind] of [[PREPAY, "received"], [ESCROW, "held"], [STREAMING, "received"]] as const) {
      const { env, participant, pay, running, sent, refunds, lastCall } = node(terms, { nonDeliveryShare: 1 });
      sent();
      pay(kind);
      expect([sent(), running(), participant.open, refunds()]).toEqual([[], 0, 0, []]);
      expect(env.telemetry.of("reneged")).toEqual([["reneged", "j"]]);
      expect(env.wallet.taken).toEqual(kind === "held" ? lastCall().payments.map(({ paymentHash }) => paymentHash) : []);
    }
    const after = node(undefined, { nonDeliveryShare: 1 });
    expect([after.sent(), after.running(), after.participant.open]).toEqual([[[ROUTER, "accept"]], 0, 0]);
  });
});

test("where operators bear the router's fee, the client is not asked for it, and the node pays it once it was paid", () => {
  const fee = { shareBps: 1_000, flatMsat: 0, bearer: "operator" as const };
  const { env, participant, finish } = node(undefined, {}, fee);
  finish(30);
  const result = env.sent.map(({ message }) => message).find((message) => message.type === "result")!;
  expect(result.payments.map(({ purpose, amountMsat }) => [purpose, amountMsat])).toEqual([["job", 130]]);
  expect(env.wallet.asked).toEqual([]);
  participant.onWallet({ kind: "received", jobId: "j", purpose: "job", amountMsat: 130, paymentHash: result.payments[0]!.paymentHash });
  expect(env.wallet.asked.map(({ purpose, payee, amountMsat, paymentHash }) => [purpose, payee, amountMsat, paymentHash])).toEqual([["fee", ROUTER, 13, hex32("fee")]]);
  for (const terms of [PREPAY, ESCROW]) {
    const one = node(terms, {}, fee);
    one.pay(terms === ESCROW ? "held" : "received");
    one.finish(30);
    if (terms === ESCROW) for (const payment of one.lastCall().payments.slice(0, 2)) one.money("received", payment);
    expect(one.env.wallet.asked.map(({ purpose, amountMsat }) => [purpose, amountMsat])).toEqual([["refund", terms === ESCROW ? 4 : 70], ["fee", 13]]);
  }
});

test("an invoice that is written off is disputed, and withdrawn", () => {
  const { env, participant, finish } = node(undefined, { heartbeatUs: 1_000, heartbeatOffsetUs: 1_000, invoiceExpiryUs: 5_000 });
  participant.start();
  finish(30);
  env.advance(participant, 6_000);
  expect(participant.unpaidMsat).toBe(130);
  expect(env.wallet.released).toEqual([env.wallet.invoices[0]!.paymentHash]);
  expect(env.sent.map(({ message }) => message).filter((message) => message.type === "dispute")).toMatchObject([{ claim: "not-paid", jobId: "j" }]);
});
