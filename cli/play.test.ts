import { expect, test } from "vitest";
import { interruptedExit, play } from "./play.ts";
import type { Playable } from "./play.ts";
import { noProgress } from "./progress.ts";

/** A run of so many microseconds; calls back after each slice. */
const countdown = (horizonUs: number, afterSlice: () => void = () => {}): Playable => {
  const progress = { nowUs: 0, horizonUs, submitted: 0 };
  return {
    progress,
    step: (sliceUs) => {
      progress.nowUs = Math.min(horizonUs, progress.nowUs + sliceUs);
      afterSlice();
      return progress.nowUs === horizonUs;
    },
  };
};

test("plays to the end, and leaves no signal handler behind", async () => {
  const before = process.listenerCount("SIGINT") + process.listenerCount("SIGTERM");
  const run = countdown(1_000_000);
  expect(await play(run, noProgress)).toBeNull();
  expect(run.progress.nowUs).toBe(1_000_000);
  expect(process.listenerCount("SIGINT") + process.listenerCount("SIGTERM")).toBe(before);
});

test.each([["SIGINT", 130], ["SIGTERM", 143]] as const)("%s stops the run between two slices", async (signal, exitCode) => {
  let sent = false;
  const run = countdown(1e12, () => {
    if (!sent) process.emit(signal);
    sent = true;
  });
  expect(await play(run, noProgress)).toBe(signal);
  expect(run.progress.nowUs).toBeLessThan(1e12);
  expect(interruptedExit(signal)).toBe(exitCode);
});

test("an error in a slice comes through, and the progress is cleared first", async () => {
  let stopped = false;
  const run = countdown(10, () => {
    throw new Error("law broken");
  });
  const progress = { update: () => {}, stop: () => void (stopped = true) };
  await expect(play(run, progress)).rejects.toThrow("law broken");
  expect(stopped).toBe(true);
});
