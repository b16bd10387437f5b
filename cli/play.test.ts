import { expect, test } from "vitest";
import { interruptedExit, Interruptions } from "./interruptions.ts";
import { play } from "./play.ts";
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

const never = { signal: null };

test("plays to the end", async () => {
  const run = countdown(1_000_000);
  expect(await play(run, noProgress, never)).toBeNull();
  expect(run.progress.nowUs).toBe(1_000_000);
});

test.each([["SIGINT", 130], ["SIGTERM", 143]] as const)("%s stops the run between two slices", async (signal, exitCode) => {
  const before = process.listenerCount("SIGINT") + process.listenerCount("SIGTERM");
  const interruptions = new Interruptions();
  let slices = 0;
  const run = countdown(1e12, () => {
    slices++;
    process.emit(signal, signal);
    // As npm does after the terminal.
    process.emit("SIGTERM", "SIGTERM");
  });
  expect(await play(run, noProgress, interruptions)).toBe(signal);
  expect(slices).toBe(1);
  expect(interruptedExit(signal)).toBe(exitCode);
  interruptions.ignoreNoMore();
  expect(process.listenerCount("SIGINT") + process.listenerCount("SIGTERM")).toBe(before);
});

test("no slice is longer than a 500th of the horizon, however little happened before", async () => {
  const horizonUs = 1e12;
  let beforeUs = 0;
  let longestUs = 0;
  const run = countdown(horizonUs, () => {
    longestUs = Math.max(longestUs, run.progress.nowUs - beforeUs);
    if (beforeUs === 0) expect(run.progress.nowUs).toBe(1_000);
    beforeUs = run.progress.nowUs;
  });
  expect(await play(run, noProgress, never)).toBeNull();
  expect(longestUs).toBe(horizonUs / 500);
});

test("an error in a slice comes through, and the progress is cleared first", async () => {
  let stopped = false;
  const run = countdown(10, () => {
    throw new Error("law broken");
  });
  const progress = { update: () => {}, stop: () => void (stopped = true) };
  await expect(play(run, progress, never)).rejects.toThrow("law broken");
  expect(stopped).toBe(true);
});
