import { describe, expect, test } from "vitest";
import type { Result } from "../../protocol/messages.ts";
import { Node } from "../../scheduler/node.ts";
import { Eligibility, rules } from "../../scheduler/selection/eligibility.ts";
import { Client } from "../../scheduler/client.ts";
import { Recorder } from "../experiment/recorder/recorder.ts";
import { plainEnvelopes } from "../world/envelopes.ts";
import { arbitraryScenario } from "./testing/arbitrary-scenario.ts";
import { type Fault, patch } from "./testing/patches.ts";
import { type Played, play } from "./testing/play.ts";
import { amountOf, feeOf } from "./testing/router-view.ts";
import { firstViolation, inRandomMarkets, must } from "./testing/violation.ts";
import { Who } from "./testing/who.ts";

/**
 * Law 6: billed = metered = what was truly produced, at most the limit; the amount is the posted price applied to it,
 * rounded down once; amount and fee together never exceed what the client is willing to pay; nothing else is paid.
 */
export function checkMetering({ scenario, seed, seen, rows, truth, report }: Played): number {
  const who = new Who(scenario, seed);
  const model = new Map(scenario.clients.map((spec) => [spec.name, spec.model]));
  const receipts = new Map<string, Result>();
  const paid = new Map<string, number>();
  for (const entry of seen) {
    if (entry.kind === "deliver" && entry.message.type === "result" && entry.peer >= who.firstClient) {
      if (!receipts.has(entry.message.jobId)) receipts.set(entry.message.jobId, entry.message);
    } else if (entry.kind === "wallet-event" && entry.event.kind === "paid") {
      const { jobId, purpose, amountMsat } = entry.event;
      must(!paid.has(`${jobId} ${purpose}`), () => `${jobId} paid its ${purpose} twice`);
      paid.set(`${jobId} ${purpose}`, amountMsat);
    }
  }
  let billed = 0;
  let paidMsat = 0;
  for (const row of rows) {
    if (row.finishedUs < 0) {
      must(row.amountMsat === 0 && row.feeMsat === 0 && !paid.has(`${row.job} job`), () => `${row.job} has no result and is billed`);
      continue;
    }
    billed++;
    const { receipt, payments, finishReason } = receipts.get(row.job)!;
    const { outputTokens: trueTokens, maxOutputTokens } = truth.get(row.job)!;
    const tokens = Math.min(trueTokens, maxOutputTokens);
    must(row.outputTokens === tokens && receipt.outputTokens === tokens, () => `${row.job} produced ${tokens} tokens, ${receipt.outputTokens} were metered and ${row.outputTokens} billed`);
    must(receipt.inputTokens === row.inputTokens, () => `${row.job} has ${row.inputTokens} input tokens, ${receipt.inputTokens} were metered`);
    must((finishReason === "length") === trueTokens > maxOutputTokens, () => `${row.job} ended by ${finishReason} after ${trueTokens} of ${maxOutputTokens} tokens`);
    const posted = who.planOfName.get(row.node)!.descriptor.offers.find((offer) => offer.model === model.get(row.clientClass))!.prices;
    const amount = amountOf(posted, row.inputTokens, tokens);
    must(BigInt(row.amountMsat) === amount && BigInt(receipt.amountMsat) === amount, () => `${row.job} costs ${amount} msat at the posted prices, ${row.amountMsat} msat are billed`);
    const fee = feeOf(scenario.router.fee, amount);
    must(BigInt(row.feeMsat) === fee, () => `${row.job} owes a fee of ${fee} msat, ${row.feeMsat} msat are billed`);
    must(amount + fee <= BigInt(row.maxPriceMsat), () => `${row.job} is billed ${amount + fee} msat, the client pays at most ${row.maxPriceMsat} msat`);
    const asked = payments.reduce((sum, payment) => sum + BigInt(payment.amountMsat), 0n);
    must(asked === amount + fee, () => `${row.job} is billed ${amount + fee} msat and asked for ${asked} msat`);
    const jobPaid = paid.get(`${row.job} job`);
    must(jobPaid === undefined ? row.status !== "completed" || amount === 0n : BigInt(jobPaid) === amount, () => `${row.job} is ${row.status} and paid ${jobPaid} msat of ${amount} msat`);
    const feePaid = paid.get(`${row.job} fee`);
    must(feePaid === undefined || BigInt(feePaid) === fee, () => `${row.job} paid a fee of ${feePaid} msat instead of ${fee} msat`);
    if (row.status === "completed" && row.measured) paidMsat += row.amountMsat + row.feeMsat;
  }
  must(report.overall.paidMsat === paidMsat, () => `completed jobs were billed ${paidMsat} msat, the report says ${report.overall.paidMsat} msat`);
  return billed;
}

describe("law 6: metering", () => {
  test("every bill in random markets is the posted price of what was truly produced", () => {
    let billed = 0;
    inRandomMarkets(arbitraryScenario(), 60, 6, (scenario) => void (billed += checkMetering(play(scenario))));
    expect(billed).toBeGreaterThan(2_000);
  });

  const dear = arbitraryScenario({ clients: { maxPriceMsat: { uniform: { min: 10, max: 120 } } }, router: { fee: { shareBps: 700, flatMsat: 0 } } });
  const charged = (change: (message: Result) => Result): Fault => () => patch(plainEnvelopes, "seal", (original) => (from, to, message, departUs) =>
    original(from, to, message.type === "result" && message.payments.length > 0 ? change(message) : message, departUs));
  test.each<readonly [string, RegExp, readonly Fault[]]>([
    ["meters one token too many", /were metered|law of metering/, [() => patch(Node.prototype, "onRunner", (original) => function (this: Node, event) {
      original.call(this, event.kind === "finished" ? { ...event, outputTokens: event.outputTokens + 1 } : event);
    })]],
    ["tells the books another amount", /msat are billed/, [() => patch(Recorder.prototype, "finished", (original) => function (this: Recorder, slot, nowUs, node, attempt, input, output, amountMsat, feeMsat) {
      original.call(this, slot, nowUs, node, attempt, input, output, Math.max(0, amountMsat - 1), feeMsat);
    })]],
    ["asks for a higher fee", /msat are billed|law of/, [charged((message) => ({ ...message, payments: message.payments.map((payment) => (payment.purpose === "fee" ? { ...payment, amountMsat: payment.amountMsat + 1 } : payment)) }))]],
    ["goes beyond what the client is willing to pay", /pays at most|law of metering/, [
      () => patch(Eligibility.prototype, "judge", (original) => function (this: Eligibility, offer) { const code = original.call(this, offer); return rules[code] === "too-dear" ? 0 : code; }),
      () => patch(Client.prototype, "onMessage", (original) => function (this: Client, from, message) {
        original.call(this, from, message.type === "result" ? { ...message, payments: [] } : message);
      }),
    ]],
  ])("is seen to be broken where somebody %s", (_, how, faults) => {
    expect(firstViolation(dear, (scenario) => void checkMetering(play(scenario, { faults })))).toMatch(how);
  });
});
