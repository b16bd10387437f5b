import { describe, expect, test } from "vitest";
import { InvariantError, LAWS } from "./invariant.ts";
import { Recorder } from "./recorder.ts";
import type { RecorderSetup, RunEnd } from "./setup.ts";

const SETUP: RecorderSetup = {
  seed: 42, horizonUs: 1_000, warmupUs: 100,
  clientClasses: [{ name: "chat", goals: {} }],
  operatorClasses: [{ name: "gpu" }],
  nodes: ["n0", "n1"].map((name) => ({ name, operatorClass: 0, region: "eu", machine: "m", model: "m", slots: 2, kvTokensMax: 10, inputMsatPerMtok: 1, outputMsatPerMtok: 1 })),
  jobName: (slot) => `job-${slot}`,
};
const END: RunEnd = { provenance: { lab: { name: "lab", version: "0" }, scenario: { name: "laws", question: "", hash: "0".repeat(64), resolved: {} }, seed: 42, sets: [] } };
const account = (openingMsat: number, closingMsat: number): NonNullable<RunEnd["money"]>["accounts"][number] => ({ kind: "all", accounts: 1, openingMsat, closingMsat, changeMsat: closingMsat - openingMsat });

/** A recorder with a job in slot 0 that was submitted at 100 µs, and played as far as asked. */
function after(step: "submitted" | "assigned" | "started" | "streamed" | "finished" | "ended"): Recorder {
  const recorder = new Recorder(SETUP);
  const steps = [
    () => recorder.submitted(0, 100, 0, 10, 20, 1_000),
    () => recorder.assigned(0, 110, 0, 1),
    () => recorder.started(0, 120, 1),
    () => recorder.firstToken(0, 130, 1),
    () => recorder.finished(0, 140, 0, 1, 10, 20, 900, 100),
    () => recorder.ended(0, 150, "completed", ""),
  ];
  const last = ["submitted", "assigned", "started", "streamed", "finished", "ended"].indexOf(step);
  for (const tell of steps.slice(0, last + 1)) tell();
  return recorder;
}

test("a life without fault passes, and the checks are counted", () => {
  const report = after("ended").finish(1_000, { ...END, money: { accounts: [account(5, 5)] }, laws: [{ law: LAWS.money, passed: 7 }, { law: "envelopes", passed: 2 }] });
  expect(Object.fromEntries(report.checks.laws.map(({ law, passed }) => [law, passed]))).toEqual({
    [LAWS.jobs]: 2, [LAWS.terminal]: 1, [LAWS.causality]: 4, [LAWS.metering]: 1, [LAWS.capacity]: 0, [LAWS.little]: 1, [LAWS.money]: 8, envelopes: 2,
  });
});

describe("a planted fault is caught", () => {
  test.each<[fault: string, law: string, plant: () => unknown]>([
    ["the clock goes back", LAWS.causality, () => after("started").firstToken(0, 119, 1)],
    ["the clock is not a number", LAWS.causality, () => after("started").firstToken(0, Number.NaN, 1)],
    ["work starts before it is assigned", LAWS.causality, () => after("submitted").started(0, 120, 1)],
    ["an attempt is skipped", LAWS.causality, () => after("submitted").assigned(0, 120, 0, 2)],
    ["an attempt is made twice", LAWS.causality, () => after("assigned").assigned(0, 120, 0, 1)],
    ["a job goes to a node that is not there", LAWS.causality, () => after("submitted").assigned(0, 120, 2, 1)],
    ["a token comes before the start", LAWS.causality, () => after("assigned").firstToken(0, 120, 1)],
    ["a result comes before the start", LAWS.causality, () => after("assigned").finished(0, 120, 0, 1, 10, 0, 0, 0)],
    ["a result comes before its first token", LAWS.causality, () => after("started").finished(0, 130, 0, 1, 10, 1, 0, 0)],
    ["a result comes from a node that was not asked", LAWS.causality, () => after("streamed").finished(0, 140, 1, 1, 10, 20, 900, 100)],
    ["a result comes twice", LAWS.causality, () => after("finished").finished(0, 150, 0, 1, 10, 20, 900, 100)],
    ["an attempt fails that was never made", LAWS.causality, () => after("assigned").attemptFailed(0, 120, 0, 2, "x")],
    ["a job completes without a result", LAWS.causality, () => after("streamed").ended(0, 150, "completed", "")],
    ["a job ends twice", LAWS.terminal, () => after("ended").ended(0, 160, "expired", "patience")],
    ["an ended job is assigned", LAWS.terminal, () => after("ended").assigned(0, 160, 0, 2)],
    ["a job ends that never began", LAWS.terminal, () => after("submitted").ended(1, 160, "expired", "patience")],
    ["a slot is given away while its job is under way", LAWS.jobs, () => after("started").submitted(0, 130, 0, 10, 20, 1_000)],
    ["more input is billed than was sent", LAWS.metering, () => after("streamed").finished(0, 140, 0, 1, 11, 20, 900, 100)],
    ["more output is billed than was allowed", LAWS.metering, () => after("streamed").finished(0, 140, 0, 1, 10, 21, 900, 100)],
    ["the fee takes the price above the client's maximum", LAWS.metering, () => after("streamed").finished(0, 140, 0, 1, 10, 20, 900, 101)],
    ["a fraction of a millisatoshi is billed", LAWS.metering, () => after("streamed").finished(0, 140, 0, 1, 10, 20, 0.5, 0)],
    ["a negative amount is billed", LAWS.metering, () => after("streamed").finished(0, 140, 0, 1, 10, 20, -1, 0)],
    ["more runs than there are slots", LAWS.capacity, () => after("submitted").nodeState(0, 120, 3, 0)],
    ["a negative number runs", LAWS.capacity, () => after("submitted").nodeState(0, 120, -1, 0)],
    ["a negative number waits", LAWS.capacity, () => after("submitted").nodeState(0, 120, 0, -1)],
    ["a node works while it is down", LAWS.capacity, () => { const recorder = after("submitted"); recorder.nodeDown(0, 120); recorder.nodeState(0, 130, 1, 0); }],
    ["more KV cache is in use than there is", LAWS.capacity, () => { const recorder = new Recorder(SETUP); recorder.meterKv(100, () => 0); recorder.meterKv(1_000, () => 9_001); }],
    ["money appears", LAWS.money, () => after("ended").finish(1_000, { ...END, money: { accounts: [account(5, 6)] } })],
  ])("%s", (_, law, plant) => {
    let caught: unknown;
    try {
      plant();
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(InvariantError);
    expect(caught).toMatchObject({ law, seed: 42 });
    expect((caught as Error).message).toContain("seed 42");
  });

  test("and the job is named", () => {
    expect(() => after("finished").finished(0, 150, 0, 1, 10, 20, 900, 100)).toThrow(/by job job-0: it finished at 140 µs and again at 150 µs/);
  });
});

test("a second start of the same attempt, after a preemption, changes nothing", () => {
  const once = after("ended").finish(1_000, END);
  const recorder = after("started");
  recorder.started(0, 125, 1);
  recorder.firstToken(0, 130, 1);
  recorder.finished(0, 140, 0, 1, 10, 20, 900, 100);
  recorder.ended(0, 150, "completed", "");
  expect(recorder.finish(1_000, END).overall.latency).toEqual(once.overall.latency);
});

test("the result of an attempt that the router had given up counts with that attempt's times and node", () => {
  const recorder = after("streamed");
  recorder.attemptFailed(0, 131, 0, 1, "timeout");
  recorder.assigned(0, 132, 1, 2);
  recorder.started(0, 133, 2);
  recorder.finished(0, 140, 0, 1, 10, 20, 900, 100);
  recorder.ended(0, 150, "completed", "");
  const { overall, nodes } = recorder.finish(1_000, END);
  expect([overall.latency.ttftUs.mean, overall.latency.queueingUs.mean]).toEqual([30, 20]);
  expect(nodes.map(({ jobs }) => jobs)).toEqual([1, 0]);
});

test("a node's down time counts against its availability, and not as idle", () => {
  const recorder = new Recorder(SETUP);
  recorder.nodeState(0, 50, 2, 1);
  recorder.nodeDown(0, 550);
  recorder.nodeUp(0, 775);
  const [node] = recorder.finish(1_200, END).nodes;
  expect(node).toMatchObject({ availability: 0.75, utilisation: 450 / 675, downs: 1 });
});

test("KV use is metered over the measured interval, and null where it was not", () => {
  const metered = new Recorder(SETUP);
  metered.meterKv(100, () => 500);
  metered.meterKv(1_000, () => 5_000);
  expect(metered.finish(1_000, END).nodes[0]!.kvUtilisation).toBe(0.5);
  expect(new Recorder(SETUP).finish(1_000, END).nodes[0]!.kvUtilisation).toBeNull();
});

test("a market without anything in it still has a report", async () => {
  const report = new Recorder({ ...SETUP, clientClasses: [], operatorClasses: [], nodes: [] }).finish(1_000, END);
  const { overall, nodes, overTime } = report;
  expect([overall.jobs.submitted, overall.latency.ttftUs.mean, nodes.length]).toEqual([0, null, 0]);
  expect(overTime.utilisation.every((share) => share === null)).toBe(true);
  await expect(`${JSON.stringify(report)}\n`).toMatchFileSnapshot("../../../reports/fixtures/empty-report.json");
});

test("a warm-up that leaves nothing to measure is refused", () => {
  expect(() => new Recorder({ ...SETUP, warmupUs: 1_000 })).toThrow(/warm-up of 1000 µs must end before the horizon of 1000 µs/);
});
