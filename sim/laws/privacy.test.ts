import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseMessage } from "../../protocol/parse.ts";
import { PROMPT_CODE_POINTS_MAX } from "../../protocol/limits.ts";
import type { Message } from "../../protocol/messages.ts";
import { Client } from "../../scheduler/client.ts";
import { Router } from "../../scheduler/router.ts";
import type { Scenario } from "../scenario/scenario.ts";
import { plainEnvelopes } from "../world/envelopes.ts";
import { SimulatedRunner } from "../world/runner.ts";
import { SimulatedTelemetry } from "../world/telemetry.ts";
import { arbitraryScenario } from "./testing/arbitrary-scenario.ts";
import { type Fault, patch } from "./testing/patches.ts";
import { play } from "./testing/play.ts";
import { firstViolation, inRandomMarkets, must } from "./testing/violation.ts";

const PROMPT = "the secret question";
const OUTPUT = "the secret answer";

/** Every client asks in words, and every node answers in words. */
const words: Fault = () => {
  const restores = [
    patch(Client.prototype, "submit", (original) => function (this: Client, request) { return original.call(this, request, PROMPT); }),
    patch(plainEnvelopes, "seal", (original) => (from, to, message, departUs) => original(from, to, message.type === "token-chunk" ? { ...message, text: OUTPUT } : message, departUs)),
  ];
  return () => { for (const restore of restores.reverse()) restore(); };
};

/** Law 14: no prompt or output text in an event, a decision, a row of the jobs or the report; it reaches the runner and the client alone. */
export function checkPrivacy(scenario: Scenario, faults: readonly Fault[] = []): { executed: number; answered: number } {
  let executed = 0;
  const counted: Fault = () => patch(SimulatedRunner.prototype, "submit", (original) => function (this: SimulatedRunner, job) {
    if (job.prompt === PROMPT) executed++;
    original.call(this, job);
  });
  const { report, rows, events, seen } = play(scenario, { faults: [words, counted, ...faults] });
  const kept = { report, rows, events, decisions: seen.flatMap((entry) => (entry.kind === "decided" ? [entry.decision] : [])) };
  for (const [name, value] of Object.entries(kept)) {
    for (const text of [PROMPT, OUTPUT]) must(!JSON.stringify(value).includes(text), () => `${name} hold "${text}"`);
  }
  const heard = (type: Message["type"], text: string): number => seen.filter((entry) => entry.kind === "deliver" && entry.message.type === type && JSON.stringify(entry.message).includes(text)).length;
  for (const entry of seen) {
    if (entry.kind !== "deliver" || entry.message.type === "job" || entry.message.type === "award" || entry.message.type === "token-chunk") continue;
    must(!JSON.stringify(entry.message).includes("secret"), () => `a ${entry.message.type} carries text`);
  }
  return { executed, answered: heard("token-chunk", OUTPUT) };
}

describe("law 14: privacy", () => {
  test("what is said in random markets is nowhere in what is kept of them", () => {
    let executed = 0;
    let answered = 0;
    inRandomMarkets(arbitraryScenario(), 30, 14, (scenario) => {
      const checked = checkPrivacy(scenario);
      executed += checked.executed;
      answered += checked.answered;
    });
    expect(executed).toBeGreaterThan(500);
    expect(answered).toBeGreaterThan(300);
  });

  test("a fault of the program is described without the text that it happened on", () => {
    const overlong: Fault = () => patch(Client.prototype, "submit", (original) => function (this: Client, request) { return original.call(this, request, PROMPT.repeat(Math.ceil(PROMPT_CODE_POINTS_MAX / PROMPT.length))); });
    const [scenario] = fc.sample(arbitraryScenario({ network: { messages: "checked" } }), { seed: 3, numRuns: 1 });
    expect(() => play(scenario!, { faults: [overlong] })).toThrow(/^((?!secret).)*$/s);
    expect(() => play(scenario!, { faults: [overlong] })).toThrow(/protocol does not allow/);
    const parsed = parseMessage({ type: "job", prompt: PROMPT, extra: OUTPUT });
    expect(parsed.ok).toBe(false);
    expect(JSON.stringify(parsed)).not.toContain("secret");
  });

  test.each<readonly [string, RegExp, Fault]>([
    ["events hold the prompt", /events hold/, () => patch(SimulatedTelemetry.prototype, "submitted", (original) => function (this: SimulatedTelemetry, job) { original.call(this, { ...job, model: `${job.model}: ${PROMPT}` }); })],
    ["the reason of an end holds it", /hold "the secret question"/, () => patch(SimulatedTelemetry.prototype, "ended", (original) => function (this: SimulatedTelemetry, jobId, status, reason) { original.call(this, jobId, status, status === "completed" ? reason : `${reason} at ${PROMPT}`); })],
    ["a receipt carries it", /carries text/, () => patch(plainEnvelopes, "seal", (original) => (from, to, message, departUs) => original(from, to, message.type === "result" ? { ...message, receipt: { ...message.receipt, model: OUTPUT } } : message, departUs))],
    ["a decision quotes it", /(events|decisions) hold/, () => patch(Router.prototype, "onMessage", (original) => function (this: Router, from, message) {
      original.call(this, from, message.type === "job" && message.job.jobId.endsWith("3") ? { ...message, job: { ...message.job, jobId: `${message.job.jobId} ${message.prompt}` } } : message);
    })],
  ])("is seen to be broken where %s", (_, how, fault) => {
    expect(firstViolation(arbitraryScenario(), (scenario) => void checkPrivacy(scenario, [fault]))).toMatch(how);
  });
});
