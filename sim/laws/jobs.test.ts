import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { JOB_STATUSES } from "../../protocol/result.ts";
import { JobMap } from "../../scheduler/job-map.ts";
import { InvariantError } from "../experiment/recorder/invariant.ts";
import { Recorder } from "../experiment/recorder/recorder.ts";
import { Oracle } from "../world/oracle.ts";
import type { World } from "../world/world.ts";
import { arbitraryScenario } from "./testing/arbitrary-scenario.ts";
import { type Fault, patch, withPatches } from "./testing/patches.ts";
import { type Played, play } from "./testing/play.ts";
import { firstViolation, inRandomMarkets, must } from "./testing/violation.ts";

/** Law 2: submitted = completed + failed + rejected + expired + cancelled + in flight, and each job ends once at most. */
export function checkJobs({ events, rows, report, scenario }: Played): number {
  const submitted = new Map<string, string>();
  const ended = new Map<string, string>();
  for (const event of events) {
    if (event.event === "submitted") {
      must(!submitted.has(event.job), () => `${event.job} was submitted twice`);
      submitted.set(event.job, event.clientClass);
    } else if (event.event === "ended") {
      must(submitted.has(event.job), () => `${event.job} ended and was never submitted`);
      must(!ended.has(event.job), () => `${event.job} ended twice`);
      ended.set(event.job, event.status);
    }
  }
  must(rows.length === submitted.size && new Set(rows.map(({ job }) => job)).size === rows.length, () => `${submitted.size} jobs have ${rows.length} rows`);
  for (const row of rows) {
    const status = ended.get(row.job) ?? "in-flight";
    must(row.status === status, () => `${row.job} is reported as ${row.status} and was ${status}`);
  }
  const counts = report.allJobs;
  const total = counts.inFlight + JOB_STATUSES.reduce((sum, status) => sum + counts[status], 0);
  must(counts.submitted === submitted.size && total === submitted.size, () => `of ${submitted.size} jobs the report counts ${counts.submitted} submitted and ${total} accounted for`);
  for (const status of JOB_STATUSES) must(counts[status] === rows.filter((row) => row.status === status).length, () => `the report counts ${counts[status]} jobs ${status}`);
  must(!scenario.drain || counts.inFlight === 0, () => `${counts.inFlight} jobs are in flight after the drain`);
  return submitted.size;
}

/** Long after the last job nothing is left of any: no job at a router, a client or an engine, no payment under way. */
export function checkRest(world: World): void {
  world.run(world.kernel.nowUs + 90_000_000);
  world.routers.forEach(({ registry, open, waiting }, index) => {
    must(waiting === 0 && open === 0, () => `router ${index} still holds ${open} jobs, ${waiting} of them waiting`);
    for (let n = 0; n < registry.size; n++) must(registry.own[n] === 0, () => `router ${index} believes in ${registry.own[n]} jobs of its own at node ${n}`);
  });
  world.clients.forEach(({ open }, index) => must(open === 0, () => `client ${index} still waits for ${open} jobs`));
  world.runners.forEach((runner, index) => must(runner.running === 0 && runner.waiting === 0 && runner.kvTokensUsed === 0, () => `engine ${index} still holds jobs`));
  must(world.oracle.ids.every((id) => id === ""), () => `the oracle still knows ${world.oracle.ids.filter((id) => id !== "").join(", ")}`);
  must(world.ledger.balanceMsat(world.inFlightAccount) === 0, () => "money is still under way");
}

describe("law 2: conservation of jobs", () => {
  test("every job of random markets is accounted for, exactly once", () => {
    let jobs = 0;
    inRandomMarkets(arbitraryScenario(), 60, 2, (scenario) => void (jobs += checkJobs(play(scenario))));
    expect(jobs).toBeGreaterThan(5_000);
  });

  test("nothing is left of any job long after the last one", () => {
    inRandomMarkets(arbitraryScenario({ scenario: { drain: true } }), 40, 2, (scenario) => checkRest(play(scenario).world));
  });

  test("the same where prices are found: by auction, in batches, continuously", () => {
    let jobs = 0;
    inRandomMarkets(arbitraryScenario({ pricing: "found" }), 40, 2, (scenario) => void (jobs += checkJobs(play(scenario))));
    inRandomMarkets(arbitraryScenario({ pricing: "found", scenario: { drain: true } }), 20, 2, (scenario) => checkRest(play(scenario).world));
    expect(jobs).toBeGreaterThan(3_000);
  });

  const impatient = arbitraryScenario({ clients: { patienceUs: 1_500_000 }, scenario: { drain: true } });

  test.each<readonly [string, RegExp, Fault]>([
    ["another end than there was", /is reported as cancelled and was expired/, () => patch(Recorder.prototype, "ended", (original) => function (this: Recorder, slot, nowUs, status, reason) {
      original.call(this, slot, nowUs, status === "expired" ? "cancelled" : status, reason);
    })],
  ])("is seen to be broken where the books tell of %s", (_, how, fault) => {
    expect(firstViolation(impatient, (scenario) => void checkJobs(play(scenario, { faults: [fault] })))).toMatch(how);
  });

  test.each<readonly [string, RegExp, Fault]>([
    ["router", /router \d+ still holds/, () => patch(JobMap.prototype, "delete", (original) => function (this: JobMap<unknown>, id) { return id.endsWith("-7") ? this.has(id) : original.call(this, id); })],
    ["oracle", /oracle still knows/, () => patch(Oracle.prototype, "release", (original) => function (this: Oracle, slot) { if (slot !== 3) original.call(this, slot); })],
  ])("is seen to be broken where something of a job stays behind at the %s", (_, how, fault) => {
    expect(firstViolation(impatient, (scenario) => withPatches([fault], () => checkRest(play(scenario).world)))).toMatch(how);
  });

  test("stops a run in which a job ends twice, naming law, job and seed", () => {
    const twice: Fault = () => patch(Recorder.prototype, "ended", (original) => function (this: Recorder, slot, nowUs, status, reason) {
      original.call(this, slot, nowUs, status, reason);
      original.call(this, slot, nowUs, status, reason);
    });
    const [scenario] = fc.sample(impatient, { seed: 2, numRuns: 1 });
    expect(() => play(scenario!, { faults: [twice] })).toThrow(InvariantError);
    expect(() => play(scenario!, { faults: [twice], seed: 77 })).toThrow(/law of one terminal state .*seed 77/);
  });
});
