import { expect, test } from "vitest";
import type { PaymentRequest, Result } from "../protocol/messages.ts";
import { isReceiptFor, isWithinRequest, wrongWith } from "./bill.ts";
import { hex32 } from "./testing/fake-environment.ts";
import { paymentRequest, request, result } from "./testing/market.ts";

const [NODE, ROUTER] = [hex32("node"), hex32("router")];
/** At most 200 msat for the node and 10 for the router. */
const job = request("j", { maxPriceMsat: 210 });
const work = (changes: Partial<PaymentRequest> = {}) => paymentRequest(job, NODE, 200, changes);
const fee = (changes: Partial<PaymentRequest> = {}) => paymentRequest(job, ROUTER, 10, { purpose: "fee", ...changes });
const bill = (payments: readonly PaymentRequest[], receipt: Partial<Result["receipt"]> = {}): Result => result(job, NODE, 1, receipt, payments);
const verdict = (made: Result): string => wrongWith(job, ROUTER, NODE, made);

test("a right bill is paid: with a fee, without, and without anything", () => {
  expect([bill([work(), fee()]), bill([fee(), work()]), bill([work()]), bill([]), bill([work({ amountMsat: 150 })], { outputTokens: 50 }), bill([work({ amountMsat: 199 })], { inputTokens: 99, amountMsat: 199 })].map(verdict)).toEqual(["", "", "", "", "", ""]);
});

const wrong: Record<string, [string, Result]> = {
  "more output than allowed": ["over-metered", bill([], { outputTokens: 101 })],
  "more input than declared": ["over-metered", bill([], { inputTokens: 101 })],
  "an amount that is not the prices' on the tokens": ["over-charged", bill([work({ amountMsat: 199 })], { amountMsat: 199 })],
  "a request for more than the amount": ["over-charged", bill([work({ amountMsat: 201 })])],
  "a request for less": ["over-charged", bill([work({ amountMsat: 199 })])],
  "the node's money for somebody else": ["over-charged", bill([work({ payee: hex32("thief") })])],
  "the node's money for the router": ["over-charged", bill([work({ payee: ROUTER })])],
  "a fee for the node": ["over-charged", bill([work(), fee({ payee: NODE })])],
  "a fee for somebody else": ["over-charged", bill([work(), fee({ payee: hex32("thief") })])],
  "the work twice": ["over-charged", bill([work({ amountMsat: 100 }), work({ amountMsat: 100 })], { outputTokens: 0, amountMsat: 100 })],
  "the fee twice": ["over-charged", bill([fee({ amountMsat: 5 }), fee({ amountMsat: 5 })])],
  "a payment for another job": ["over-charged", bill([work({ jobId: "k" })])],
  "more than the client's maximum": ["over-charged", bill([work(), fee({ amountMsat: 11 })])],
};

test.each(Object.keys(wrong))("%s is found wrong", (name) => {
  const [claim, made] = wrong[name]!;
  expect(verdict(made)).toBe(claim);
});

test("a receipt is about the job only where everything in it is", () => {
  const right = bill([]);
  expect(isReceiptFor(job, NODE, right)).toBe(true);
  expect(isReceiptFor(job, hex32("thief"), right)).toBe(false);
  expect(isReceiptFor(job, NODE, { ...right, jobId: "k" })).toBe(false);
  expect(isReceiptFor(request("k"), NODE, right)).toBe(false);
  const changes: Partial<Result["receipt"]>[] = [{ node: hex32("thief") }, { jobId: "k" }, { client: hex32("thief") }, { model: "other" }, { promptHash: hex32("guess") }];
  for (const change of changes) expect([change, isReceiptFor(job, NODE, bill([], change))]).toEqual([change, false]);
});

test("within the request: no more input than declared, and no more output than allowed", () => {
  expect([bill([]), bill([], { outputTokens: 0 }), bill([], { outputTokens: 101 }), bill([], { inputTokens: 99 }), bill([], { inputTokens: 101 })].map((made) => isWithinRequest(job, made))).toEqual([true, true, false, true, false]);
});
