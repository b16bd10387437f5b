import { describe, expect, test } from "vitest";
import type { Message, Result } from "../../protocol/messages.ts";
import { Kernel } from "../kernel/kernel.ts";
import type { NetworkSpec, PaymentSpec } from "../scenario/scenario.ts";
import { ServiceTimeEngine } from "../world/engine/service-time.ts";
import { Latency } from "../world/latency.ts";
import { arbitraryScenario } from "./testing/arbitrary-scenario.ts";
import { type Delivery, deliveries } from "./testing/deliveries.ts";
import { type Fault, patch } from "./testing/patches.ts";
import { type Played, play, type Seen } from "./testing/play.ts";
import { firstViolation, inRandomMarkets, must } from "./testing/violation.ts";
import { Who } from "./testing/who.ts";

/** Where a completed job's time went, µs. */
interface Parts {
  networkUs: number;
  signingUs: number;
  routerUs: number;
  queueUs: number;
  serviceUs: number;
  settlementUs: number;
}

/**
 * Law 8: every delay occupies a resource or is a declared pure delay. A job's time from submission to settlement is, to
 * the microsecond: the network's latencies; signing and verifying, for which its peer is busy with nothing else and never
 * idle meanwhile; waiting at the router, only where no node was eligible or an attempt failed; waiting at the node, only
 * behind other jobs; service, at the engine's pace; and the declared time of its payments.
 */
export function checkDelays(played: Played): Parts & { jobs: number } {
  const { scenario, seed, seen, rows } = played;
  const who = new Who(scenario, seed);
  const all = deliveries(seen);
  for (const { from, to, departUs, arrivalUs, message } of all) {
    const latencyUs = latencyOf(scenario.network, who.regions[from]!, who.regions[to]!);
    must(arrivalUs - departUs === latencyUs, () => `a ${message.type} is under way for ${arrivalUs - departUs} us, the network takes ${latencyUs} us`);
  }
  checkSigning(played, all, who);

  const spent = { networkUs: 0, signingUs: 0, routerUs: 0, queueUs: 0, serviceUs: 0, settlementUs: 0, jobs: 0 };
  const histories = new Map<string, Seen[]>();
  for (const entry of seen) {
    const job = jobOf(entry);
    if (job === "") continue;
    const history = histories.get(job);
    if (history === undefined) histories.set(job, [entry]);
    else history.push(entry);
  }
  const ways = new Map(all.map((delivery) => [keyOf(delivery.to, delivery.message), delivery]));
  for (const row of rows) {
    if (row.status !== "completed") continue;
    const history = histories.get(row.job)!;
    const node = who.firstNode + who.plans.findIndex(({ name }) => name === row.node);
    const posted = ways.get(history.flatMap((entry) => (entry.kind === "deliver" && entry.message.type === "job" ? [keyOf(entry.peer, entry.message)] : []))[0]!)!;
    // The first of several results counts.
    const delivered = ways.get(history.flatMap((entry) => (entry.kind === "deliver" && entry.message.type === "result" && entry.peer >= who.firstClient ? [keyOf(entry.peer, entry.message)] : []))[0]!)!;
    const { attempt } = (delivered.message as Result).receipt;
    const awarded = ways.get(`${node} award ${row.job} ${attempt}`)!;
    const runnerEvents = history.filter((entry) => entry.kind === "runner-event" && entry.peer === node && entry.atUs >= awarded.heardUs);
    const at = (kind: string): number => runnerEvents.find((entry) => entry.kind === "runner-event" && entry.event.kind === kind)!.atUs;
    const startedUs = at("started");
    const finishedUs = at("finished");
    must(posted.saidUs === row.submittedUs && delivered.heardUs === row.finishedUs && startedUs === row.startedUs, () => `${row.job} has other times in the books than in the market`);
    must(delivered.saidUs === finishedUs, () => `${row.job} was done at ${finishedUs} us and delivered at ${delivered.saidUs} us`);
    const legs = [posted, awarded, delivered];
    const parts: Parts = {
      networkUs: legs.reduce((sum, { from, to }) => sum + latencyOf(scenario.network, who.regions[from]!, who.regions[to]!), 0),
      signingUs: legs.reduce((sum, { saidUs, departUs, arrivalUs, heardUs }) => sum + (departUs - saidUs) + (heardUs - arrivalUs), 0),
      routerUs: awarded.saidUs - posted.heardUs,
      queueUs: startedUs - awarded.heardUs,
      serviceUs: finishedUs - startedUs,
      settlementUs: settlementOf(scenario.payment, history, row.job, row.finishedUs),
    };
    const sumUs = Object.values(parts).reduce((sum, us: number) => sum + us, 0);
    must(sumUs === row.endedUs - row.submittedUs, () => `${row.job} took ${row.endedUs - row.submittedUs} us, its parts sum to ${sumUs} us: ${JSON.stringify(parts)}`);
    const waited = attempt > 1 || history.some((entry) => entry.kind === "decided" && entry.decision.chosen === "");
    must(waited ? parts.routerUs >= 0 : parts.routerUs === 0, () => `${row.job} spends ${parts.routerUs} us at the router, for no reason`);
    must(parts.queueUs >= 0, () => `${row.job} starts before it is there`);
    checkService(played, row.job, row.node, parts.serviceUs, who);
    for (const key of Object.keys(parts) as (keyof Parts)[]) spent[key] += parts[key];
    spent.jobs++;
  }
  return spent;
}

/** Signing and verifying occupy a peer: one message at a time, and without a pause while there is something to do. */
function checkSigning({ scenario, events }: Played, all: readonly Delivery[], who: Who): void {
  const { signingUs, verifyingUs } = scenario.network;
  const everDown = new Set(events.flatMap((event) => (event.event === "node-down" ? [who.firstNode + who.plans.findIndex(({ name }) => name === event.node)] : [])));
  const tasks: { readonly askedUs: number; readonly startUs: number; readonly endUs: number }[][] = [];
  const task = (peer: number, askedUs: number, endUs: number, lengthUs: number): void => {
    must(endUs - lengthUs >= askedUs, () => `peer ${peer} takes ${endUs - askedUs} us for what occupies it for ${lengthUs} us`);
    if (lengthUs === 0) must(endUs === askedUs, () => `peer ${peer} takes ${endUs - askedUs} us for what takes no time`);
    else (tasks[peer] ??= []).push({ askedUs, startUs: endUs - lengthUs, endUs });
  };
  for (const { from, to, saidUs, departUs, arrivalUs, heardUs } of all) {
    task(from, saidUs, departUs, signingUs);
    if (heardUs >= 0) task(to, arrivalUs, heardUs, verifyingUs);
  }
  tasks.forEach((line, peer) => {
    line.sort((a, b) => a.startUs - b.startUs);
    line.forEach(({ askedUs, startUs }, i) => {
      const freeUs = line[i - 1]?.endUs ?? 0;
      must(startUs >= freeUs, () => `peer ${peer} signs or verifies two messages at ${startUs} us`);
      // What arrives at a peer that is down occupies it too, and nobody sees when that is done.
      must(startUs === askedUs || startUs === freeUs || everDown.has(peer), () => `peer ${peer} is idle from ${freeUs} us to ${startUs} us while a message waits from ${askedUs} us`);
    });
  });
}

/** A server of queueing theory with independent places and constant speed serves a job for as long as its work says. */
function checkService({ scenario, truth }: Played, job: string, node: string, serviceUs: number, who: Who): void {
  const plan = who.planOfName.get(node)!;
  const { engine, churn } = scenario.operators[plan.operatorClass]!;
  must(serviceUs > 0 || engine.kind === "service-time", () => `${job} is served in no time`);
  if (engine.kind !== "service-time" || churn.slowdown !== null || engine.rates.some((rate, i) => rate !== i + 1)) return;
  const workUs = plan.workUs!(truth.get(job)!.workSeed);
  must(Math.abs(serviceUs - workUs) < 1.001, () => `${job} has ${workUs} us of work and is served for ${serviceUs} us`);
}

/** From the result to the last payment's arrival: declared latency, and declared pauses between tries. */
function settlementOf({ latencyUs, retryUs }: PaymentSpec, history: readonly Seen[], job: string, finishedUs: number): number {
  let endUs = finishedUs;
  for (const purpose of ["job", "fee"]) {
    let dueUs = finishedUs;
    let pauseUs = retryUs;
    for (const entry of history) {
      if (entry.kind !== "pay" || entry.purpose !== purpose) continue;
      must(entry.atUs === dueUs, () => `${job} pays its ${purpose} at ${entry.atUs} us, ${dueUs} us was due`);
      endUs = Math.max(endUs, entry.atUs + latencyUs);
      dueUs = entry.atUs + latencyUs + pauseUs;
      pauseUs *= 2;
    }
  }
  return endUs - finishedUs;
}

function latencyOf({ between, sameRegionUs, latencyUs }: NetworkSpec, a: string, b: string): number {
  if (a === b) return sameRegionUs;
  return between.find((pair) => (pair.a === a && pair.b === b) || (pair.a === b && pair.b === a))?.latencyUs ?? latencyUs;
}

function keyOf(to: number, message: Message): string {
  const attempt = message.type === "result" ? message.receipt.attempt : "attempt" in message ? message.attempt : 0;
  return `${to} ${message.type} ${jobIn(message)} ${attempt}`;
}

function jobIn(message: Message): string {
  return message.type === "job" || message.type === "award" ? message.job.jobId : ("jobId" in message ? message.jobId : undefined) ?? "";
}

function jobOf(entry: Seen): string {
  switch (entry.kind) {
    case "deliver":
    case "send": return jobIn(entry.message);
    case "pay": return entry.jobId;
    case "runner-event": return entry.event.jobId;
    case "decided": return entry.decision.jobId;
    default: return "";
  }
}

describe("law 8: every delay occupies a resource or is declared", () => {
  const steady = arbitraryScenario({ network: { jitterCv: 0 } });
  test("the time of every completed job of random markets adds up to the microsecond", () => {
    const spent = { networkUs: 0, signingUs: 0, routerUs: 0, queueUs: 0, serviceUs: 0, settlementUs: 0, jobs: 0 };
    inRandomMarkets(steady, 45, 8, (scenario) => {
      const parts = checkDelays(play(scenario));
      for (const key of Object.keys(spent) as (keyof typeof spent)[]) spent[key] += parts[key];
    });
    for (const total of Object.values(spent)) expect(total).toBeGreaterThan(1_000);
  });

  test.each<readonly [string, RegExp, Fault]>([
    ["the network is a microsecond slower than declared", /the network takes/, () => patch(Latency.prototype, "arrivalUs", (original) => function (this: Latency, ...way) { return original.apply(this, way) + 1; })],
    ["a payment takes longer than declared", /its parts sum to|us was due/, () => patch(Kernel.prototype, "after", (original) => function (this: Kernel, delayUs, kind, a, b) { return original.call(this, kind === 4 ? delayUs + 1 : delayUs, kind, a, b); })],
    ["a message lies about before it is verified", /is idle from|signs or verifies two/, () => patch(Kernel.prototype, "at", (original) => function (this: Kernel, timeUs, kind, a, b) { return original.call(this, kind === 2 ? timeUs + 7 : timeUs, kind, a, b); })],
    ["service takes longer than the work", /us of work and is served/, () => patch(ServiceTimeEngine.prototype, "submitWork", (original) => function (this: ServiceTimeEngine, nowUs, ref, workUs, priority) {
      original.call(this, nowUs, ref, workUs + 5, priority);
    })],
  ])("is seen to be broken where %s", (_, how, fault) => {
    expect(firstViolation(steady, (scenario) => void checkDelays(play(scenario, { faults: [fault] })))).toMatch(how);
  });
});
