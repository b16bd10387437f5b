import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RunnerEvent, RunnerJob } from "../../scheduler/environment.ts";
import { type LiveRunner, RunnerError } from "./live-runner.ts";
import { RunnerEar } from "./testing/ear.ts";
import { type Subject, type SubjectOptions, subjects } from "./testing/subjects.ts";

const job = (jobId: string, inputTokens: number, maxOutputTokens: number, more: Partial<RunnerJob> = {}): RunnerJob =>
  ({ jobId, model: "m", inputTokens, maxOutputTokens, priority: 0, ...more });

const kinds = (events: readonly RunnerEvent[]): string[] => [...new Set(events.map(({ kind }) => kind))];

/** What every job's events must satisfy, whatever came of it. */
const check = (events: readonly RunnerEvent[]): void => {
  let tokens = 0;
  let text = "";
  for (const [at, event] of events.entries()) {
    switch (event.kind) {
      case "started": expect(at).toBe(0); break;
      case "first-token":
        expect(at).toBe(1);
        tokens = 1;
        text = event.text ?? "";
        break;
      case "tokens":
        expect(event.firstToken).toBe(tokens);
        expect(event.tokens).toBeGreaterThan(0);
        tokens += event.tokens;
        text += event.text ?? "";
        break;
      case "progress": expect(event.outputTokens).toBeLessThanOrEqual(tokens); break;
      case "finished":
        expect(at).toBe(events.length - 1);
        expect(event.outputTokens).toBe(tokens);
        expect(event.outputHash).toBe(createHash("sha256").update(text).digest("hex"));
        break;
      case "failed": expect(at).toBe(events.length - 1);
    }
  }
};

describe.each(subjects)("a $name runner", (subject: Subject) => {
  const why = subject.skipped === "" ? "" : ` (skipped: ${subject.skipped})`;
  const it = (title: string, body: () => Promise<void>): void => test.skipIf(why !== "")(`${title}${why}`, body);
  /** One for most tests, as engines take their time to start: two slots, and room for three to wait. */
  let runner: LiveRunner;
  let ear: RunnerEar;
  const open = async (options: SubjectOptions): Promise<[LiveRunner, RunnerEar]> => {
    const opened = subject.runner(options);
    const itsEar = new RunnerEar(opened);
    await opened.start();
    return [opened, itsEar];
  };
  beforeAll(async () => {
    if (why !== "") return;
    await subject.prepare();
    [runner, ear] = await open({ slots: 2, queueLimit: 3 });
  });
  afterAll(() => subject.dispose());

  it("serves jobs side by side, each to its exact number of tokens", async () => {
    const outputs = [40, 17, 1, 64, 2];
    for (const [at, tokens] of outputs.entries()) runner.submit(job(`side${at}`, 10 + at, tokens, at % 2 === 0 ? { prompt: subject.prompt(10 + at) } : {}));
    expect(ear.events).toEqual([]);
    expect([runner.running, runner.waiting]).toEqual([2, 3]);
    for (const [at, tokens] of outputs.entries()) {
      const id = `side${at}`;
      expect(await ear.ended(id)).toMatchObject({ kind: "finished", outputTokens: tokens, finishReason: "length" });
      check(ear.of(id));
      expect(kinds(ear.of(id))).toEqual(tokens === 1 ? ["started", "first-token", "finished"] : ["started", "first-token", "tokens", "finished"]);
    }
    expect([runner.running, runner.waiting, runner.kvTokensUsed]).toEqual([0, 0, 0]);
    // Their turn came in the order of submission.
    expect(ear.events.filter(({ kind }) => kind === "started").map(({ jobId }) => jobId)).toEqual(outputs.map((_, at) => `side${at}`));
  });

  it("says the same for the same prompt", async () => {
    const hashes: string[] = [];
    for (const id of ["same1", "same2"]) {
      runner.submit(job(id, 20, 30, { prompt: subject.prompt(20) }));
      const end = await ear.ended(id);
      hashes.push(end.kind === "finished" ? end.outputHash : "");
    }
    expect(hashes[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(hashes[1]).toBe(hashes[0]);
    // Words, as servers break off where an output is no text.
    expect(ear.of("same1").map((event) => ("text" in event ? event.text : "")).join("")).toMatch(/^[a-z ]{30,}$/);
  });

  it("refuses what does not fit, and unknown models, after the call", async () => {
    const heard = ear.events.length;
    runner.submit(job("long", 500, 13));
    runner.submit(job("other", 5, 5, { model: "x" }));
    const held = ["held1", "held2", "held3", "held4", "held5"];
    for (const id of held) runner.submit(job(id, 10, 400));
    runner.submit(job("full", 10, 10));
    expect(ear.events).toHaveLength(heard);
    for (const [id, reason] of [["long", "context-too-long"], ["other", "unknown-model"], ["full", "queue-full"]] as const) {
      expect(await ear.ended(id)).toEqual({ kind: "failed", jobId: id, reason });
    }
    expect(runner.waiting).toBe(3);
    for (const id of held) expect(runner.cancel(id)).toBe(true);
  });

  it("takes a job that fills the context to the last token", async () => {
    runner.submit(job("brim", 500, 12));
    expect(await ear.ended("brim")).toMatchObject({ kind: "finished", outputTokens: 12 });
    check(ear.of("brim"));
  });

  it("forgets cancelled jobs, waiting, reading and writing", async () => {
    for (const id of ["writing", "writing2", "waiting"]) runner.submit(job(id, 10, 500));
    await ear.until("its first tokens", ({ kind, jobId }) => kind === "tokens" && jobId === "writing");
    expect(runner.kvTokensUsed).toBeGreaterThan(20);
    for (const id of ["waiting", "writing", "writing2"]) expect(runner.cancel(id)).toBe(true);
    expect(runner.cancel("writing")).toBe(false);
    expect([runner.running, runner.waiting, runner.kvTokensUsed]).toEqual([0, 0, 0]);
    const heard = ear.events.length;
    runner.submit(job("reading", 480, 5));
    await ear.until("its start", ({ jobId }) => jobId === "reading");
    runner.cancel("reading");
    // The same job may come back, and has nothing of its former life.
    runner.submit(job("writing", 10, 5));
    await ear.until("its end", ({ kind, jobId }) => kind === "finished" && jobId === "writing");
    const after = ear.events.slice(heard);
    expect(after.filter(({ jobId }) => jobId === "waiting" || jobId === "writing2")).toEqual([]);
    check(after.filter(({ jobId }) => jobId === "writing"));
    expect(after.filter(({ kind }) => kind === "finished")).toMatchObject([{ jobId: "writing", outputTokens: 5 }]);
  });

  it(subject.counts ? "counts the prompt, and holds it against what was declared" : "counts no prompts, and never more than was declared", async () => {
    runner.submit(job("less", 100, 3, { prompt: subject.prompt(60) }));
    runner.submit(job("more", 59, 3, { prompt: subject.prompt(60) }));
    const [less, more] = [await ear.ended("less"), await ear.ended("more")];
    expect(less.kind).toBe("finished");
    if (subject.counts) {
      expect(less).toMatchObject({ inputTokens: 60 });
      expect(more).toEqual({ kind: "failed", jobId: "more", reason: "input-over-declared" });
    } else expect((more as { inputTokens?: number }).inputTokens ?? 59).toBeLessThanOrEqual(59);
  });

  it("says when an output has come so far, once", async () => {
    const [coarse, itsEar] = await open({ slots: 2, tokensIntervalMs: 1_000_000 });
    coarse.submit(job("watched", 10, 300));
    coarse.submit(job("short", 10, 5));
    coarse.watch("watched", 3);
    coarse.watch("watched", 7);
    coarse.watch("short", 6);
    await itsEar.until("progress", ({ kind }) => kind === "progress");
    // Asked for when it is there already.
    coarse.watch("watched", 2);
    await itsEar.ended("watched");
    await itsEar.ended("short");
    await coarse.stop();
    expect(itsEar.events.filter(({ kind }) => kind === "progress")).toEqual([{ kind: "progress", jobId: "watched", outputTokens: 7 }, { kind: "progress", jobId: "watched", outputTokens: 2 }]);
    for (const id of ["watched", "short"]) check(itsEar.of(id));
    // Nothing but the first token, what was watched for, and the end.
    expect(itsEar.of("watched").filter(({ kind }) => kind === "tokens").length).toBeLessThanOrEqual(3);
  });

  it("fails the jobs of an engine that dies, and serves those that wait", async () => {
    for (const id of ["lost1", "lost2"]) runner.submit(job(id, 10, 500));
    runner.submit(job("next", 10, 5));
    await ear.until("its first tokens", ({ kind, jobId }) => kind === "tokens" && jobId === "lost2");
    subject.crash(runner);
    for (const id of ["lost1", "lost2"]) expect(await ear.ended(id)).toEqual({ kind: "failed", jobId: id, reason: "runner-failed" });
    expect(await ear.ended("next")).toMatchObject({ kind: "finished", outputTokens: 5 });
    for (const id of ["lost1", "lost2", "next"]) check(ear.of(id));
  });

  it("fails all jobs when it stops, and says nothing after", async () => {
    const last = ["last1", "last2", "last3"];
    for (const id of last) runner.submit(job(id, 10, 500));
    await ear.until("its start", ({ jobId }) => jobId === "last1");
    await runner.stop();
    for (const id of last) expect(ear.of(id).at(-1)).toEqual({ kind: "failed", jobId: id, reason: "shutting-down" });
    const heard = ear.events.length;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(ear.events).toHaveLength(heard);
    expect(() => runner.submit(job("late", 1, 1))).toThrow(/not started/);
  });

  it("says in words why it cannot start", async () => {
    await expect(subject.broken().start()).rejects.toThrow(RunnerError);
  });
});
