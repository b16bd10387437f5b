import { describe, expect, test } from "vitest";
import type { PaymentCall, PaymentRequest } from "../../protocol/messages.ts";
import type { WalletEvent } from "../environment.ts";
import { Client, type ClientOptions } from "../client.ts";
import { FakeEnvironment, hex32 } from "../testing/fake-environment.ts";
import { paymentRequest, prices, request, result } from "../testing/market.ts";
import type { SettlementPlan } from "./plan.ts";

const [ROUTER, NODE, OTHER] = [hex32("router"), hex32("node"), hex32("other node")];
const PREPAY: SettlementPlan = { kind: "prepay", payWithinUs: 1_000 };
const STREAMING: SettlementPlan = { kind: "streaming", payWithinUs: 1_000, everyTokens: 40, stallUs: 500 };
/** A msat a token: 100 for the prompt, 100 for the most output. */
const SHEET = prices(1_000_000);

/** A client with one job of 100 tokens in and at most 100 out, and its wallet in the test's hands. */
function client(settlement: SettlementPlan, options: Partial<ClientOptions> = {}, maxPriceMsat = 200) {
  const env = new FakeEnvironment(hex32("client"));
  const participant = new Client(env, { routers: [ROUTER], paymentAttempts: 2, paymentRetryUs: 100, refundWithinUs: 10_000, settlement, ...options });
  participant.submit(request("j", { maxPriceMsat }));
  const job = request("j", { maxPriceMsat });
  const call = (node: string, attempt: number, throughTokens: number, amountMsat: number, changes: Partial<PaymentCall> = {}, payment: Partial<PaymentRequest> = {}): PaymentCall => ({
    type: "payment-call", jobId: "j", attempt, promptHash: job.promptHash, prices: SHEET, throughTokens,
    payments: [paymentRequest(job, node, amountMsat, { paymentHash: hex32(`${node} ${attempt} ${throughTokens}`), ...payment })], ...changes,
  });
  const paid = (asked: PaymentRequest): void => participant.onWallet({ kind: "paid", jobId: "j", purpose: asked.purpose, payee: asked.payee, amountMsat: asked.amountMsat, paymentHash: asked.paymentHash, preimage: asked.paymentHash });
  const failed = (asked: PaymentRequest, reason: string): void => participant.onWallet({ kind: "payment-failed", jobId: "j", purpose: asked.purpose, payee: asked.payee, amountMsat: asked.amountMsat, paymentHash: asked.paymentHash, reason });
  const refunded = (payer: string, amountMsat: number): void => participant.onWallet({ kind: "received", jobId: "j", purpose: "refund", amountMsat, paymentHash: hex32("refund"), payer } satisfies WalletEvent);
  const { asked } = env.wallet;
  env.take();
  const done = (node: string, attempt: number, outputTokens: number, changes = {}) => result(job, node, attempt, { outputTokens, prices: SHEET, ...changes });
  return { env, participant, call, asked, paid, failed, refunded, done, ends: () => env.telemetry.of("ended"), disputes: () => env.telemetry.of("disputed").map((fact) => fact[2]) };
}

test("the job says how it is paid, and where refunds go", () => {
  const env = new FakeEnvironment(hex32("client"));
  new Client(env, { routers: [ROUTER], paymentAttempts: 1, paymentRetryUs: 1, settlement: PREPAY }).submit(request("j"));
  expect(env.sent[0]?.message).toMatchObject({ type: "job", job: { settlement: { ...PREPAY, refundTo: env.wallet.invoices[0]!.paymentHash } } });
});

describe("prepay", () => {
  test("pays the right call once, and completes when the result is in and the rest is back", () => {
    const { participant, call, asked, paid, refunded, done, ends } = client(PREPAY);
    participant.onMessage(NODE, call(NODE, 1, 100, 200));
    participant.onMessage(NODE, call(NODE, 1, 100, 200));
    expect(asked).toHaveLength(1);
    paid(asked[0]!);
    participant.onMessage(NODE, done(NODE, 1, 30));
    expect(ends()).toEqual([]);
    refunded(NODE, 69);
    expect(ends()).toEqual([]);
    refunded(NODE, 1);
    expect(ends()).toEqual([["ended", "j", "completed", ""]]);
  });

  const wrong: readonly (readonly [string, (c: ReturnType<typeof client>["call"]) => [string, PaymentCall], boolean])[] = [
    ["from somebody who does not have the job", (c) => [OTHER, c(OTHER, 1, 100, 200, { promptHash: hex32("guess") })], false],
    ["for more than the prices say", (c) => [NODE, c(NODE, 1, 100, 201)], true],
    ["for less than all", (c) => [NODE, c(NODE, 1, 50, 150, {}, { amountMsat: 151 })], true],
    ["for tokens that were not asked for", (c) => [NODE, c(NODE, 1, 101, 201)], true],
    ["that pays somebody else", (c) => [NODE, c(NODE, 1, 100, 200, {}, { payee: OTHER })], true],
    ["for another job", (c) => [NODE, c(NODE, 1, 100, 200, {}, { jobId: "k" })], true],
    ["for the router's fee", (c) => [NODE, c(NODE, 1, 100, 200, {}, { purpose: "fee" })], true],
  ];
  test.each(wrong)("pays no call %s", (_, make, disputed) => {
    const { participant, call, asked, disputes } = client(PREPAY);
    participant.onMessage(...make(call));
    expect([asked, disputes()]).toEqual([[], disputed ? ["over-charged"] : []]);
  });

  test("never spends more than the job's maximum: another node waits until the first has paid back", () => {
    const { participant, call, asked, paid, refunded, env } = client(PREPAY, {}, 250);
    participant.onMessage(NODE, call(NODE, 1, 100, 200));
    paid(asked[0]!);
    participant.onMessage(OTHER, call(OTHER, 2, 100, 200));
    expect(asked).toHaveLength(1);
    refunded(NODE, 100);
    expect(asked).toHaveLength(1);
    refunded(NODE, 50);
    expect(asked.map(({ payee }) => payee)).toEqual([NODE, OTHER]);
    // What the first still has is written off in the end.
    env.advance(participant, 10_000);
    expect(env.telemetry.of("writtenOff")).toEqual([["writtenOff", "j", NODE, false]]);
    // And a word of an earlier attempt changes nothing.
    participant.onMessage(hex32("third"), call(hex32("third"), 1, 100, 200));
    expect(asked).toHaveLength(2);
  });

  test("tries a failed payment again, then gives the job up; one that the node withdrew is left alone", () => {
    const { participant, call, asked, failed, env, ends } = client(PREPAY);
    participant.onMessage(NODE, call(NODE, 1, 100, 200));
    failed(asked[0]!, "no-route");
    env.advance(participant, 100);
    expect(asked).toHaveLength(2);
    failed(asked[1]!, "no-route");
    expect(ends()).toEqual([["ended", "j", "failed", "payment-failed: no-route"]]);
    expect(env.take().map(({ to, message }) => [to, message.type])).toEqual([[ROUTER, "cancel"]]);
    const withdrawn = client(PREPAY);
    withdrawn.participant.onMessage(NODE, withdrawn.call(NODE, 1, 100, 200));
    withdrawn.failed(withdrawn.asked[0]!, "invoice-expired");
    withdrawn.env.advance(withdrawn.participant, 1_000);
    expect([withdrawn.asked.length, withdrawn.ends()]).toEqual([1, []]);
  });

  test("takes a result that bills less input than declared, and waits for the rest", () => {
    const { participant, call, asked, paid, refunded, done, ends } = client(PREPAY);
    participant.onMessage(NODE, call(NODE, 1, 100, 200));
    paid(asked[0]!);
    participant.onMessage(NODE, done(NODE, 1, 30, { inputTokens: 20, amountMsat: 50 }));
    refunded(NODE, 149);
    expect(ends()).toEqual([]);
    refunded(NODE, 1);
    expect(ends()).toEqual([["ended", "j", "completed", ""]]);
  });

  test("finds wrong a result that costs more than was agreed, and one that asks for the work's money again", () => {
    for (const make of [
      (c: ReturnType<typeof client>) => c.done(NODE, 1, 30, { prices: prices(1_000_000, 1_100_000) }),
      (c: ReturnType<typeof client>) => ({ ...c.done(NODE, 1, 30), payments: [paymentRequest(request("j"), NODE, 130)] }),
      (c: ReturnType<typeof client>) => c.done(OTHER, 1, 30),
    ]) {
      const one = client(PREPAY);
      one.participant.onMessage(NODE, one.call(NODE, 1, 100, 200));
      one.paid(one.asked[0]!);
      const bad = make(one);
      one.participant.onMessage(bad.receipt.node, bad);
      expect([one.ends(), one.disputes()]).toEqual([[["ended", "j", "failed", "over-charged"]], ["over-charged"]]);
    }
  });

  test("a refund that does not come is disputed and written off; the job is completed all the same", () => {
    const { participant, call, asked, paid, done, env, ends, disputes } = client(PREPAY);
    participant.onMessage(NODE, call(NODE, 1, 100, 200));
    paid(asked[0]!);
    participant.onMessage(NODE, done(NODE, 1, 30));
    env.advance(participant, 9_999);
    expect(ends()).toEqual([]);
    env.advance(participant, 1);
    expect([ends(), disputes(), env.telemetry.of("writtenOff")]).toEqual([[["ended", "j", "completed", ""]], ["over-charged"], [["writtenOff", "j", NODE, false]]]);
    expect(env.pending).toEqual([]);
  });

  test("a result that comes after the client has left costs what it costs, without a dispute", () => {
    const { participant, call, asked, paid, done, refunded, env, disputes } = client(PREPAY);
    participant.onMessage(NODE, call(NODE, 1, 100, 200));
    paid(asked[0]!);
    participant.cancel("j");
    participant.onMessage(NODE, done(NODE, 1, 30));
    refunded(NODE, 70);
    expect([env.telemetry.of("writtenOff"), disputes(), env.pending]).toEqual([[["writtenOff", "j", NODE, true]], [], []]);
  });

  test("who does not mean to pay says nothing", () => {
    const { participant, call, asked, env } = client(PREPAY, { nonPaymentShare: 1 });
    participant.onMessage(NODE, call(NODE, 1, 100, 200));
    expect([asked, env.take()]).toEqual([[], []]);
  });
});

describe("streaming", () => {
  const tokens = (firstToken: number, count: number) => ({ type: "token-chunk" as const, jobId: "j", attempt: 1, firstToken, tokens: count });

  test("pays for the next chunk only when the one before has come", () => {
    const { participant, call, asked, paid, disputes } = client(STREAMING);
    participant.onMessage(NODE, call(NODE, 1, 40, 140));
    paid(asked[0]!);
    participant.onMessage(NODE, tokens(0, 1));
    participant.onMessage(NODE, call(NODE, 1, 80, 40));
    expect([asked.length, disputes()]).toEqual([1, ["over-charged"]]);
    participant.onMessage(NODE, tokens(1, 39));
    participant.onMessage(NODE, call(NODE, 1, 100, 60));
    expect(asked).toHaveLength(1);
    participant.onMessage(NODE, call(NODE, 1, 80, 40));
    expect(asked.map(({ amountMsat }) => amountMsat)).toEqual([140, 40]);
  });

  test("stops where what it paid for does not come", () => {
    const { participant, call, asked, paid, env, ends, disputes } = client(STREAMING);
    participant.onMessage(NODE, call(NODE, 1, 40, 140));
    paid(asked[0]!);
    env.advance(participant, 499);
    expect(ends()).toEqual([]);
    env.advance(participant, 1);
    expect([ends(), disputes()]).toEqual([[["ended", "j", "failed", "not-delivered"]], ["not-delivered"]]);
    expect(env.take().map(({ message }) => message.type)).toEqual(["dispute", "cancel"]);
    // Half of it comes late: that much was delivered after all.
    participant.onMessage(NODE, tokens(0, 20));
    expect(env.telemetry.of("delivered")).toEqual([["delivered", "j", NODE, 120]]);
  });

  test("tokens beyond what was paid for count for nothing", () => {
    const { participant, call, asked, paid, env } = client(STREAMING);
    participant.onMessage(NODE, call(NODE, 1, 40, 140));
    paid(asked[0]!);
    participant.onMessage(NODE, tokens(0, 90));
    expect(env.telemetry.of("delivered")).toEqual([["delivered", "j", NODE, 140]]);
  });
});
