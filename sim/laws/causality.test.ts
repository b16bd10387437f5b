import { describe, expect, test } from "vitest";
import { Recorder } from "../experiment/recorder/recorder.ts";
import { Latency } from "../world/latency.ts";
import { SimulatedTelemetry } from "../world/telemetry.ts";
import { arbitraryScenario } from "./testing/arbitrary-scenario.ts";
import { deliveries } from "./testing/deliveries.ts";
import { type Fault, patch } from "./testing/patches.ts";
import { type Played, play } from "./testing/play.ts";
import { firstViolation, inRandomMarkets, must } from "./testing/violation.ts";

const STAGES = ["submitted", "assigned", "started", "first-token", "finished", "ended"];

/**
 * Law 5: the clock never goes back; submitted <= assigned <= started <= first token <= finished <= settled, in every row
 * and among the events of every attempt; nothing is heard before it was said, and each pair's words arrive in order.
 */
export function checkCausality({ events, rows, seen, scenario }: Played): number {
  let nowUs = 0;
  for (const { atUs } of [...seen, { atUs: Infinity }]) {
    must(atUs >= nowUs, () => `the clock went back from ${nowUs} us to ${atUs} us`);
    nowUs = atUs;
  }
  for (const row of rows) {
    const steps = [row.submittedUs, row.assignedUs, row.startedUs, row.firstTokenUs, row.finishedUs, row.endedUs];
    const known = steps.filter((us) => us >= 0);
    must(known.every((us, i) => Number.isSafeInteger(us) && (i === 0 || us >= known[i - 1]!)), () => `${row.job} has its times in the order ${steps.join(", ")}`);
    must(row.status !== "completed" || known.length === 6, () => `${row.job} is completed and lacks a time: ${steps.join(", ")}`);
    must(row.status !== "completed" || row.amountMsat === 0 || row.endedUs >= row.finishedUs + scenario.payment.latencyUs, () => `${row.job} was settled ${row.endedUs - row.finishedUs} us after its result`);
  }
  const reached = new Set<string>();
  let eventUs = 0;
  for (const event of events) {
    must(event.atUs >= eventUs, () => `the events go back from ${eventUs} us to ${event.atUs} us`);
    eventUs = event.atUs;
    if (!("job" in event)) continue;
    const stage = STAGES.indexOf(event.event);
    const attempt = "attempt" in event ? ` ${event.attempt}` : "";
    const needs = stage === 0 ? "" : stage === 1 || event.event === "ended" || event.event === "disputed" ? `${event.job} submitted` : event.event === "attempt-failed" ? `${event.job} assigned${attempt}` : `${event.job} ${STAGES[stage - 1]}${attempt}`;
    must(needs === "" || reached.has(needs), () => `${event.job} is ${event.event} at ${event.atUs} us without being ${needs}`);
    reached.add(`${event.job} ${event.event}${attempt}`);
  }
  return deliveries(seen).length;
}

describe("law 5: causality and time", () => {
  test("nothing in random markets happens before its cause", () => {
    let said = 0;
    inRandomMarkets(arbitraryScenario(), 60, 5, (scenario) => void (said += checkCausality(play(scenario))));
    expect(said).toBeGreaterThan(50_000);
  });

  test("the same where prices are found", () => {
    inRandomMarkets(arbitraryScenario({ pricing: "found" }), 20, 5, (scenario) => void checkCausality(play(scenario)));
  });

  test.each<readonly [string, RegExp, Fault]>([
    ["the books write a start down too early", /law of causality is broken/, () => patch(Recorder.prototype, "started", (original) => function (this: Recorder, slot, nowUs, attempt) { original.call(this, slot, nowUs - 1_000, attempt); })],
    ["the books miss a start", /law of causality is broken/, () => patch(Recorder.prototype, "started", (original) => function (this: Recorder, slot, nowUs, attempt) { if (slot !== 1) original.call(this, slot, nowUs, attempt); })],
    ["a start is not told of", /without being|law of causality/, () => patch(SimulatedTelemetry.prototype, "started", (original) => function (this: SimulatedTelemetry, jobId, attempt) { if (!jobId.endsWith("4")) original.call(this, jobId, attempt); })],
    ["messages overtake each other", /overtaken|law of causality/, () => patch(Latency.prototype, "arrivalUs", (original) => function (this: Latency, nowUs, from, to, pair, random) {
      return original.call(this, nowUs, from, to, pair, random) + (nowUs % 7) * 200_000;
    })],
  ])("is seen to be broken where %s", (_, how, fault) => {
    expect(firstViolation(arbitraryScenario(), (scenario) => void checkCausality(play(scenario, { faults: [fault] })))).toMatch(how);
  });
});
