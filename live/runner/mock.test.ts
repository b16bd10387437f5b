import { expect, test } from "vitest";
import type { RunnerJob } from "../../scheduler/environment.ts";
import { MockRunner, type MockRunnerOptions } from "./mock.ts";
import { RunnerEar } from "./testing/ear.ts";

const job = (jobId: string, more: Partial<RunnerJob> = {}): RunnerJob => ({ jobId, model: "m", inputTokens: 100, maxOutputTokens: 11, priority: 0, ...more });
const open = async (options: Partial<MockRunnerOptions>): Promise<{ runner: MockRunner; ear: RunnerEar }> => {
  const runner = new MockRunner({ models: ["m"], ...options });
  const ear = new RunnerEar(runner);
  await runner.start();
  return { runner, ear };
};
/** Timers may fire late on a busy machine, never early: the shortest of up to 30 times is held against what it should be. */
const lasts = async (expectedMs: number, act: (round: number) => Promise<unknown>): Promise<void> => {
  let leastMs = Infinity;
  for (let round = 0; round < 30 && leastMs >= expectedMs + 50; round++) {
    const fromMs = performance.now();
    await act(round);
    const ms = performance.now() - fromMs;
    expect(ms).toBeGreaterThan(expectedMs - 2);
    leastMs = Math.min(leastMs, ms);
  }
  expect(leastMs).toBeLessThan(expectedMs + 50);
};

test("takes 100 tokens at 2,000/s and ten more at 200/s in 100 ms, each sequence for itself", async () => {
  const { runner, ear } = await open({ slots: 2, prefillTokensPerS: 2_000, decodeTokensPerS: 200 });
  await lasts(100, async (round) => {
    const ids = [`a${round}`, `b${round}`];
    for (const id of ids) runner.submit(job(id));
    for (const id of ids) expect(await ear.ended(id)).toMatchObject({ kind: "finished", outputTokens: 11 });
  });
  await runner.stop();
});

test("takes twice as long for two sequences that share a speed", async () => {
  const { runner, ear } = await open({ slots: 2, decodeTokensPerS: 200, decodeSpeedOf: "batch" });
  await lasts(100, async (round) => {
    const ids = [`a${round}`, `b${round}`];
    for (const id of ids) runner.submit(job(id));
    for (const id of ids) await ear.ended(id);
  });
  await runner.stop();
});

test("waits where the KV cache has no room for the next job's whole need", async () => {
  const { runner, ear } = await open({ slots: 4, kvTokensMax: 230, decodeTokensPerS: 1_000 });
  for (const id of ["a", "b", "c"]) runner.submit(job(id));
  expect([runner.running, runner.waiting]).toEqual([2, 1]);
  expect(await ear.ended("c")).toMatchObject({ kind: "finished" });
  runner.submit(job("d", { inputTokens: 220 }));
  expect(await ear.ended("d")).toMatchObject({ reason: "context-too-long" });
  await runner.stop();
});

test("serves a higher priority first where it is told to", async () => {
  const { runner, ear } = await open({ slots: 1, discipline: "priority", prefillTokensPerS: 20_000 });
  for (const [id, priority] of [["first", 0], ["low", 1], ["high", 9], ["high2", 9]] as const) runner.submit(job(id, { priority }));
  for (const id of ["low", "high", "high2"]) await ear.ended(id);
  expect(ear.events.filter(({ kind }) => kind === "started").map(({ jobId }) => jobId)).toEqual(["first", "high", "high2", "low"]);
  await runner.stop();
});

test("goes wrong as it is told to", async () => {
  const { runner, ear } = await open({
    slots: 4, decodeTokensPerS: 1_000, restartMs: 5, outputTokens: ({ jobId }) => (jobId === "short" ? 4 : 1_000),
    fault: ({ jobId }) => (jobId === "fails" ? { kind: "fail", afterTokens: 3 } : jobId === "stalls" ? { kind: "stall", afterTokens: 2 } : jobId === "crashes" ? { kind: "crash", afterTokens: 0 } : undefined),
  });
  for (const id of ["short", "fails", "stalls"]) runner.submit(job(id));
  expect(await ear.ended("short")).toMatchObject({ outputTokens: 4, finishReason: "stop" });
  expect(await ear.ended("fails")).toEqual({ kind: "failed", jobId: "fails", reason: "runner-failed" });
  const told = (id: string): number => ear.of(id).reduce((sum, event) => sum + (event.kind === "first-token" ? 1 : event.kind === "tokens" ? event.tokens : 0), 0);
  expect([told("fails"), told("stalls")]).toEqual([3, 2]);
  expect(runner.running).toBe(1);
  runner.submit(job("crashes"));
  expect(await ear.ended("stalls")).toMatchObject({ reason: "runner-failed" });
  runner.submit(job("after"));
  expect(await ear.ended("after")).toMatchObject({ kind: "finished" });
  await runner.stop();
});

test("a listener may submit and cancel within an event", async () => {
  const runner = new MockRunner({ models: ["m"], slots: 1, prefillTokensPerS: 20_000 });
  const heard: string[] = [];
  const done = new Promise<void>((resolve) => {
    runner.listen(({ kind, jobId }) => {
      heard.push(`${kind} ${jobId}`);
      if (kind === "finished" && jobId === "a") {
        runner.submit(job("b"));
        runner.submit(job("c"));
        runner.cancel("b");
        runner.submit(job("d", { model: "x" }));
      }
      if (kind === "finished" && jobId === "c") resolve();
    });
  });
  await runner.start();
  runner.submit(job("a", { maxOutputTokens: 1 }));
  await done;
  expect(heard.filter((event) => event.endsWith(" b"))).toEqual([]);
  expect(heard).toContain("failed d");
  expect(() => runner.submit(job("e"))).not.toThrow();
  expect(() => runner.submit(job("e"))).toThrow("has a job e already");
  await runner.stop();
});
