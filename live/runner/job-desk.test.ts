import fc from "fast-check";
import { expect, test } from "vitest";
import type { RunnerEvent } from "../../scheduler/environment.ts";
import { type DeskJob, JobDesk } from "./job-desk.ts";

const step = fc.oneof(
  fc.record({ do: fc.constant("submit" as const), tokens: fc.integer({ min: 1, max: 60 }), priority: fc.nat(2) }),
  fc.record({ do: fc.constantFrom("cancel" as const, "watch" as const), back: fc.nat(3), tokens: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ do: fc.constantFrom("tokens" as const, "finish" as const, "fail" as const, "start" as const), at: fc.nat(5), tokens: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ do: fc.constantFrom("pause" as const, "resume" as const, "crash" as const, "turn" as const) }),
);

test("whatever happens: slots, queue and cache hold, events come in order, outside of calls, and each job ends once", async () => {
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 80, size: "max" }), fc.constantFrom("fifo" as const, "priority" as const), fc.nat(3), fc.nat(2), async (steps, discipline, queueLimit, ahead) => {
    const running: DeskJob<undefined>[] = [];
    /** What the engine was given in its present life. */
    let given: DeskJob<undefined>[] = [];
    const aborted = new Set<number>();
    const begin = (job: DeskJob<undefined>): void => {
      expect(given).not.toContain(job);
      given.push(job);
      if (!running.includes(job)) running.push(job);
    };
    const desk = new JobDesk({ begin, abort: ({ ref }) => void aborted.add(ref) }, { slots: 2, queueLimit, discipline, ahead });
    desk.capacity = { models: ["m"], contextTokensMax: 50, kvTokensMax: 80 };
    const events: RunnerEvent[] = [];
    let within = false;
    desk.listen((event) => {
      expect(within).toBe(false);
      events.push(event);
    });
    const call = <R>(act: () => R): R => {
      within = true;
      const result = act();
      within = false;
      return result;
    };
    const cancelled = new Set<string>();
    /** Events heard when a job was cancelled: none of its own may follow. */
    const silent = new Map<string, number>();
    let submitted = 0;
    for (const one of steps) {
      const live = running.filter(({ state }) => state === "running");
      switch (one.do) {
        case "submit":
          call(() => desk.submit({ jobId: `${submitted++}`, model: "m", inputTokens: one.tokens, maxOutputTokens: 5, priority: one.priority }));
          break;
        case "cancel": {
          const id = `${submitted - 1 - one.back}`;
          const before = events.length;
          if (call(() => desk.cancel(id)) && !cancelled.has(id)) {
            cancelled.add(id);
            silent.set(id, before);
          }
          expect(events).toHaveLength(before);
          break;
        }
        case "watch": call(() => desk.watch(`${submitted - 1 - one.back}`, one.tokens)); break;
        case "pause": desk.pause(); break;
        case "resume": desk.resume(); break;
        case "crash":
          given = [];
          desk.failRunning("runner-failed");
          break;
        case "turn": await new Promise((resolve) => { setImmediate(resolve); }); break;
        default: {
          // News of jobs that are gone is news of nobody.
          const job = running[running.length - 1 - one.at];
          if (job === undefined || job.state === "waiting") break;
          if (one.do === "start") desk.started(job);
          else if (one.do === "tokens") desk.tokens(job, one.tokens, "x".repeat(one.tokens));
          else if (one.do === "finish") desk.finished(job, "length", "");
          else desk.failed(job, "runner-failed");
        }
      }
      expect(desk.running).toBe(running.filter(({ state }) => state === "running").length);
      expect(desk.running).toBeLessThanOrEqual(2);
      expect(desk.waiting).toBeLessThanOrEqual(queueLimit);
      expect(live.length).toBeLessThanOrEqual(2);
      const early = given.filter(({ state }) => state === "waiting");
      expect(early.length).toBeLessThanOrEqual(discipline === "fifo" ? ahead : 0);
      // The engine takes them in the order in which it got them, and that is the order in which the desk has them run.
      if (discipline === "fifo") expect(given.map(({ ref }) => ref)).toEqual(given.map(({ ref }) => ref).sort((a, b) => a - b));
      for (const { ref } of early) for (const other of running) if (other.state === "running") expect(other.ref).toBeLessThan(ref);
      const reserved = [...desk.runningJobs()].reduce((sum, { job }) => sum + job.inputTokens + job.maxOutputTokens, 0);
      expect(reserved).toBeLessThanOrEqual(80);
    }
    const held = given.filter(({ state }) => state !== "ended");
    desk.close("shutting-down");
    for (const { ref } of held) expect(aborted).toContain(ref);
    expect([desk.running, desk.waiting, desk.kvTokensUsed]).toEqual([0, 0, 0]);
    const { length } = events;
    await new Promise((resolve) => { setImmediate(resolve); });
    expect(events).toHaveLength(length);
    for (const id of cancelled) expect(events.slice(silent.get(id)).filter(({ jobId }) => jobId === id)).toEqual([]);
    for (let at = 0; at < submitted; at++) {
      const own = events.filter(({ jobId }) => jobId === `${at}`);
      const ends = own.filter(({ kind }) => kind === "finished" || kind === "failed");
      expect(ends).toHaveLength(cancelled.has(`${at}`) ? 0 : 1);
      if (ends.length > 0) expect(own.at(-1)).toBe(ends[0]);
      let tokens = 0;
      for (const [index, event] of own.entries()) {
        if (event.kind === "started") expect(index).toBe(0);
        if (event.kind === "first-token") expect([index, tokens]).toEqual([1, (tokens = 1) - 1]);
        if (event.kind === "tokens") {
          expect(event.firstToken).toBe(tokens);
          tokens += event.tokens;
        }
        if (event.kind === "progress") expect(event.outputTokens).toBeLessThanOrEqual(tokens);
        if (event.kind === "finished") expect(event.outputTokens).toBe(tokens);
      }
    }
  }), { seed: 1, numRuns: 250 });
});

test("the engine has the next job before a slot is free, and is told where that job is cancelled", () => {
  const begun: string[] = [];
  const aborted: string[] = [];
  const jobs: DeskJob<undefined>[] = [];
  const desk = new JobDesk({ begin: (job) => void begun.push(`${jobs.push(job)}:${job.job.jobId}`), abort: ({ job }) => void aborted.push(job.jobId) }, { slots: 1, ahead: 1 });
  desk.capacity = { models: ["m"], contextTokensMax: 50, kvTokensMax: 50 };
  desk.listen(() => {});
  for (const jobId of ["a", "b", "c", "d"]) desk.submit({ jobId, model: "m", inputTokens: 1, maxOutputTokens: 9, priority: 0 });
  expect([begun, desk.running, desk.waiting]).toEqual([["1:a", "2:b"], 1, 3]);
  desk.cancel("b");
  desk.cancel("d");
  expect([begun, aborted]).toEqual([["1:a", "2:b", "3:c"], ["b"]]);
  desk.finished(jobs[0]!, "stop", "hash");
  expect([begun.length, jobs[2]!.state, desk.running, desk.waiting]).toEqual([3, "running", 1, 0]);
});

test("tokens are put together for the interval, and come before what ends the job", async () => {
  const jobs: DeskJob<undefined>[] = [];
  const desk = new JobDesk({ begin: (job) => void jobs.push(job), abort() {} }, { slots: 1, tokensIntervalMs: 15 });
  desk.capacity = { models: ["m"], contextTokensMax: 50, kvTokensMax: 50 };
  const events: RunnerEvent[] = [];
  desk.listen((event) => void events.push(event));
  desk.submit({ jobId: "j", model: "m", inputTokens: 1, maxOutputTokens: 9, priority: 0 });
  for (const text of ["a", "b", "c"]) desk.tokens(jobs[0]!, 1, text);
  expect(events.map(({ kind }) => kind)).toEqual(["started", "first-token"]);
  await new Promise((resolve) => { setTimeout(resolve, 40); });
  expect(events.at(-1)).toEqual({ kind: "tokens", jobId: "j", firstToken: 1, tokens: 2, text: "bc" });
  desk.tokens(jobs[0]!, 1, "d");
  desk.finished(jobs[0]!, "stop", "hash", 1);
  expect(events.slice(-2)).toEqual([
    { kind: "tokens", jobId: "j", firstToken: 3, tokens: 1, text: "d" }, { kind: "finished", jobId: "j", outputTokens: 4, finishReason: "stop", outputHash: "hash", inputTokens: 1 },
  ]);
});
