import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Award, JobRequest, Message, RefusalReason } from "../protocol/messages.ts";
import { maxAmountMsat } from "../protocol/units.ts";
import type { RouterOptions } from "./router-options.ts";
import { hex32 } from "./testing/fake-environment.ts";
import { descriptor, offer, prices, request, result } from "./testing/market.ts";
import { allPolicies } from "./testing/policies.ts";
import { RouterBench, ROUTER_OPTIONS } from "./testing/router-bench.ts";

const NODES = ["a", "b", "c", "d"] as const;
const OFFERS = {
  a: [offer({ model: "m1", prices: prices(1_000_000) })],
  b: [offer({ model: "m1", prices: prices(2_000_000) }), offer({ model: "m2", prices: prices(2_000_000) })],
  c: [offer({ model: "m2", prices: prices(1_000_000) })],
  d: [offer({ model: "m1", prices: prices(4_000_000) }), offer({ model: "m2", prices: prices(500_000) })],
};

const node = fc.constantFrom(...NODES);
const which = fc.nat(1000);
const reason = fc.constantFrom<RefusalReason>("queue-full", "shutting-down", "runner-failed", "price-changed", "duplicate-job");
/** What may happen at a router: what peers say, honest or not, and time passing. */
const act = fc.oneof(
  { weight: 6, arbitrary: fc.record({ does: fc.constant("submit" as const), client: fc.constantFrom("x", "y"), model: fc.constantFrom("m1", "m2"), priority: fc.nat(2), maxPriceMsat: fc.constantFrom(150, 300, 1000), minStakeMsat: fc.constantFrom(0, 0, 5) }) },
  { weight: 4, arbitrary: fc.record({ does: fc.constant("accept" as const), which }) },
  { weight: 3, arbitrary: fc.record({ does: fc.constant("refuse" as const), which, reason }) },
  { weight: 4, arbitrary: fc.record({ does: fc.constant("result" as const), which, outputTokens: fc.constantFrom(1, 100, 101) }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant("cancel" as const), which }) },
  { weight: 3, arbitrary: fc.record({ does: fc.constant("beat" as const), node, running: fc.nat(3), waiting: fc.nat(1), accepting: fc.constantFrom(true, true, true, false), incarnationLag: fc.constantFrom(0, 0, 0, 1) }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant("register" as const), node, restarts: fc.constantFrom(0, 0, 1, -1), slots: fc.integer({ min: 1, max: 3 }), queueLimit: fc.nat(1), stakeMsat: fc.constantFrom(0, 5) }) },
  { weight: 4, arbitrary: fc.record({ does: fc.constant("wait" as const), us: fc.oneof(fc.nat(1200), fc.nat(12_000)) }) },
  { weight: 3, arbitrary: fc.record({ does: fc.constant("forge" as const), which, from: fc.constantFrom("a", "b", "c", "d", "x", "y", "z"), as: fc.constantFrom("accept", "refuse", "result", "cancel", "job") }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant("quote" as const), model: fc.constantFrom("m1", "m2", "m3") }) },
);
type Act = typeof act extends fc.Arbitrary<infer T> ? T : never;

/** What the test knows of a job from messages and telemetry alone. */
interface Job {
  readonly request: JobRequest;
  readonly client: string;
  readonly attempts: string[];
  /** Name of the node that has it; "" while it waits; undefined when it is over. */
  at: string | undefined;
}

class Play {
  readonly bench: RouterBench;
  readonly jobs: Job[] = [];
  readonly #incarnations = new Map<string, number>();
  readonly #byId = new Map<string, Job>();
  #facts = 0;

  constructor(options: Partial<RouterOptions>) {
    this.bench = new RouterBench(options);
    this.bench.router.start();
    for (const name of NODES) this.bench.register(name, { slots: 1, offers: OFFERS[name] });
  }

  step(step: Act): void {
    const { bench } = this;
    switch (step.does) {
      case "submit": {
        const { client, model, priority, maxPriceMsat, minStakeMsat } = step;
        const job: Job = { request: request(`j${this.jobs.length}`, { model, priority, maxPriceMsat, minStakeMsat }, client), client, attempts: [], at: "" };
        this.jobs.push(job);
        this.#byId.set(job.request.jobId, job);
        this.#take(bench.say(client, { type: "job", job: job.request }));
        break;
      }
      case "accept":
      case "refuse":
      case "result": {
        const [job, attempt] = this.#attempt(step.which);
        if (job === undefined) return;
        const from = job.attempts[attempt - 1]!;
        const { jobId } = job.request;
        if (step.does === "result") {
          // The first result of any attempt ends the job.
          job.at = undefined;
          this.#take(bench.say(from, result(job.request, hex32(from), attempt, { outputTokens: step.outputTokens })));
        } else {
          this.#take(bench.say(from, step.does === "accept" ? { type: "accept", jobId, attempt } : { type: "refuse", jobId, attempt, reason: step.reason }));
        }
        break;
      }
      case "cancel": {
        const job = this.jobs[step.which % Math.max(1, this.jobs.length)];
        if (job === undefined) return;
        job.at = undefined;
        this.#take(bench.say(job.client, { type: "cancel", jobId: job.request.jobId, reason: "user" }));
        break;
      }
      case "beat": {
        const { running, waiting, accepting } = step;
        this.#take(bench.beat(step.node, { running, waiting, accepting, incarnation: this.#incarnation(step.node) + step.incarnationLag }));
        break;
      }
      case "register": {
        const { slots, queueLimit, stakeMsat } = step;
        const incarnation = Math.max(0, this.#incarnation(step.node) + step.restarts);
        if (step.restarts > 0) this.#incarnations.set(step.node, incarnation);
        this.#take(bench.say(step.node, descriptor(step.node, { slots, queueLimit, stakeMsat, incarnation, offers: OFFERS[step.node] })));
        break;
      }
      case "wait":
        bench.env.advance(bench.router, step.us, () => {
          this.#take(bench.heard());
          this.check();
        });
        break;
      case "forge": return this.#forge(step.which, step.from, step.as);
      case "quote":
        for (const [, { type }] of bench.say("x", { type: "quote-request", job: request("q", { model: step.model }, "x") })) expect(["quote", "refuse"]).toContain(type);
        break;
    }
    this.check();
  }

  /** Everything that is to hold between any two events. */
  check(): void {
    const { router, env } = this.bench;
    const { registry } = router;
    const open = this.jobs.filter((job) => job.at !== undefined);
    const waiting = open.filter((job) => job.at === "");
    expect([router.open, router.waiting, env.telemetry.waiting]).toEqual([open.length, waiting.length, waiting.length]);
    for (const name of NODES) expect([name, this.bench.own(name)]).toEqual([name, open.filter((job) => job.at === name).length]);
    // Work conservation: no node that is known to have room, and may have the job, while it waits.
    for (const { request: job, attempts } of waiting) {
      for (const name of NODES) {
        const n = registry.indexOf(hex32(name));
        const { slots, queueLimit, stakeMsat, offers } = registry.descriptors[n]!;
        const offered = offers.find(({ model }) => model === job.model);
        const idle = offered !== undefined && !attempts.includes(name) && stakeMsat >= job.minStakeMsat
          && maxAmountMsat(offered.prices, ROUTER_OPTIONS.fee, job.inputTokens, job.maxOutputTokens) <= job.maxPriceMsat
          && env.nowUs - registry.lastSeenUs[n]! <= ROUTER_OPTIONS.staleAfterUs && registry.accepting[n] === 1
          && registry.own[n]! + registry.others[n]! < slots + queueLimit && registry.breaker.allows(n, registry.own[n]!, env.nowUs);
        expect([job.jobId, name, idle]).toEqual([job.jobId, name, false]);
      }
    }
  }

  /** Lets all clocks run out. */
  finish(): void {
    this.step({ does: "wait", us: 300_000 });
    expect([this.bench.router.open, this.bench.router.waiting]).toEqual([0, 0]);
    expect(this.bench.env.pending.filter((kind) => kind !== "cool-down")).toEqual(["sweep"]);
    expect(this.jobs.filter(({ at }) => at !== undefined)).toEqual([]);
  }

  #incarnation(name: string): number {
    return this.#incarnations.get(name) ?? 0;
  }

  /** One of all attempts ever made, and its number. */
  #attempt(pick: number): [Job | undefined, number] {
    const all = this.jobs.flatMap((job) => job.attempts.map((_, i): [Job, number] => [job, i + 1]));
    return all[all.length - 1 - (pick % Math.max(1, Math.min(all.length, 8)))] ?? [undefined, 0];
  }

  /** Follows what the router says: awards, failed attempts and refusals, in their order. */
  #take(sent: readonly [string, Message][]): void {
    const { facts } = this.bench.env.telemetry;
    for (; this.#facts < facts.length; this.#facts++) {
      const [fact, jobId, id, attempt] = facts[this.#facts]! as [string, string, string, number];
      const job = this.#byId.get(jobId)!;
      const name = NODES.find((each) => hex32(each) === id)!;
      if (fact === "assigned") {
        expect([job.at, job.attempts.includes(name), attempt]).toEqual(["", false, job.attempts.length + 1]);
        expect(attempt).toBeLessThanOrEqual(ROUTER_OPTIONS.attempts);
        job.attempts.push(name);
        job.at = name;
      } else {
        if (fact === "tooDear") {
          expect(job.at).toBe("");
          continue;
        }
        expect([fact, job.at, attempt]).toEqual(["attemptFailed", name, job.attempts.length]);
        job.at = "";
      }
    }
    for (const [to, message] of sent) {
      if (message.type === "award") this.#awarded(to, message);
      if (message.type !== "refuse") continue;
      const job = this.#byId.get(message.jobId)!;
      expect([to, job.at, message.attempt]).toEqual([hex32(job.client), "", job.attempts.length]);
      job.at = undefined;
    }
  }

  #awarded(to: string, award: Award): void {
    const job = this.#byId.get(award.job.jobId)!;
    expect(award.job).toEqual(job.request);
    expect(hex32(job.attempts[award.attempt - 1]!)).toBe(to);
    const name = job.attempts[award.attempt - 1] as (typeof NODES)[number];
    expect(award.prices).toEqual(OFFERS[name].find(({ model }) => model === job.request.model)!.prices);
  }

  /** Says something about a job in the name of a peer that has no business with it: nothing may change. */
  #forge(pick: number, from: string, as: string): void {
    const job = this.jobs[pick % Math.max(1, this.jobs.length)];
    if (job === undefined) return;
    const { bench } = this;
    const { jobId } = job.request;
    const attempt = Math.max(1, job.attempts.length);
    if (as === "cancel" ? from === job.client : as === "job" ? from === job.client || job.at === undefined : job.attempts.includes(from)) return;
    const messages: Record<string, Message> = {
      accept: { type: "accept", jobId, attempt },
      refuse: { type: "refuse", jobId, attempt, reason: "runner-failed" },
      result: result(job.request, hex32(from), attempt),
      cancel: { type: "cancel", jobId, reason: "user" },
      job: { type: "job", job: job.request },
    };
    const state = () => [bench.router.open, bench.router.waiting, NODES.map((name) => bench.own(name)), bench.env.pending, [...bench.router.registry.reliability.subarray(0, 4)], bench.env.telemetry.facts.length];
    const before = state();
    const answer = bench.say(from, messages[as]!).map(([to, { type }]) => [to, type]);
    expect([answer, state()]).toEqual([as === "job" ? [[hex32(from), "error"]] : [], before]);
  }
}

const acts = fc.array(act, { maxLength: 80, size: "max" });

function law(options: Partial<RouterOptions>, plant: (play: Play) => void = () => {}) {
  return fc.property(acts, (steps) => {
    const play = new Play(options);
    plant(play);
    for (const step of steps) play.step(step);
    play.finish();
  });
}

describe.each(allPolicies)("$kind", (policy) => {
  test("over any sequence of messages, jobs are conserved and no node idles while a job waits that it could serve", () => {
    fc.assert(law({ policy }), { seed: 1, numRuns: 40 });
  });
});

test.each([
  { attempts: 1, queueLimit: 0 },
  { attempts: 3, queueLimit: 3, queueWaitUs: 2000, sweepUs: 100_000 },
  { circuitBreaker: { failures: 1, coolDownUs: 700, growth: 1.5, maxCoolDownUs: 9000 }, sweepUs: 150_000 },
] satisfies Partial<RouterOptions>[])("the same under %o", (options) => {
  fc.assert(law(options), { seed: 2, numRuns: 80 });
});

const faults: Record<string, [Partial<RouterOptions>, (play: Play) => void]> = {
  "jobs that wait are never looked at": [{}, ({ bench }) => void (bench.router.registry.hasRoom = () => false)],
  "nobody looks when a circuit has cooled down": [
    { sweepUs: 150_000, circuitBreaker: { failures: 1, coolDownUs: 700, growth: 1, maxCoolDownUs: 700 } },
    ({ bench: { env } }) => {
      const after = env.after.bind(env);
      env.after = (delayUs, timer) => (timer.kind === "cool-down" ? -2 : after(delayUs, timer));
    },
  ],
  "a result frees two places": [{}, ({ bench: { router: { registry } } }) => {
    const record = registry.recordSuccess.bind(registry);
    registry.recordSuccess = (n) => {
      record(n);
      registry.own[n]!--;
    };
  }],
  "a client is refused twice": [{}, ({ bench: { env } }) => {
    const send = env.send.bind(env);
    env.send = (to, message) => {
      send(to, message);
      if (message.type === "refuse") send(to, message);
    };
  }],
  "timers fire although they were cancelled": [{}, ({ bench: { env } }) => void (env.cancel = () => false)],
};

test.each(Object.keys(faults))("the property finds a planted fault: %s", (name) => {
  const [options, plant] = faults[name]!;
  expect(fc.check(law(options, plant), { seed: 1, numRuns: 300, endOnFailure: true }).failed).toBe(true);
});
