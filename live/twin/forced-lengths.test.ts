import { expect, test } from "vitest";
import type { RunnerEvent } from "../../scheduler/environment.ts";
import { MockRunner } from "../runner/mock.ts";
import { ForcedLengths } from "./forced-lengths.ts";

test("outputs are as long as the scenario says, within the client's limit, and say why they ended", async () => {
  const loads: number[][] = [];
  const made: string[] = [];
  const runner = new ForcedLengths(new MockRunner({ models: ["m"], slots: 1, prefillTokensPerS: 20 }), new Map([["short", 3], ["long", 50]]), {
    load: (running, waiting) => void loads.push([running, waiting]), made: (which, job) => void made.push(`${job} ${which}`),
  });
  const finished: RunnerEvent[] = [];
  const done = new Promise<void>((resolve) => runner.listen((event) => {
    if (event.kind !== "finished") return;
    finished.push(event);
    if (finished.length === 3) resolve();
  }));
  await runner.start();
  for (const jobId of ["short", "long", "unknown"]) runner.submit({ jobId, model: "m", inputTokens: 4, maxOutputTokens: 10, priority: 0 });
  await done;
  expect(finished).toMatchObject([
    { jobId: "short", outputTokens: 3, finishReason: "stop" }, { jobId: "long", outputTokens: 10, finishReason: "length" }, { jobId: "unknown", outputTokens: 10, finishReason: "length" },
  ]);
  expect(made).toEqual(["short", "long", "unknown"].flatMap((job) => [`${job} made-first-token`, `${job} made-last-token`]));
  expect(loads).toContainEqual([1, 2]);
  expect(loads.at(-1)).toEqual([0, 0]);
  await runner.stop();
});
