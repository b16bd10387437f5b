import { expect, test } from "vitest";
import { interruptedExit, play } from "./play.ts";
import type { Playable } from "./play.ts";
import { noProgress } from "./progress.ts";

/** Counts down events; calls back after each slice. */
const countdown = (events: number, afterSlice: (left: number) => void = () => {}): Playable & { left: number } => {
  const run = {
    left: events,
    get nowUs() {
      return events - run.left;
    },
    horizonUs: events,
    jobs: 0,
    step: (count: number) => {
      run.left = Math.max(0, run.left - count);
      afterSlice(run.left);
      return run.left === 0;
    },
  };
  return run;
};

test("plays to the end, and leaves no signal handler behind", async () => {
  const before = process.listenerCount("SIGINT") + process.listenerCount("SIGTERM");
  const run = countdown(1_000_000);
  expect(await play(run, noProgress)).toBeNull();
  expect(run.left).toBe(0);
  expect(process.listenerCount("SIGINT") + process.listenerCount("SIGTERM")).toBe(before);
});

test.each([["SIGINT", 130], ["SIGTERM", 143]] as const)("%s stops the run between two slices", async (signal, exitCode) => {
  let sent = false;
  const run = countdown(1e12, () => {
    if (!sent) process.emit(signal);
    sent = true;
  });
  expect(await play(run, noProgress)).toBe(signal);
  expect(run.left).toBeGreaterThan(0);
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
