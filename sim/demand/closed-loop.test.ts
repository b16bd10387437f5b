import { expect, test } from "vitest";
import { RandomStreams } from "../kernel/random.ts";
import { openDemand } from "./open-demand.ts";

function loop(users: number, seed = 1) {
  const streams = new RandomStreams(seed);
  const demand = openDemand(
    { arrivals: { kind: "closed", users, thinkTimeUs: { exponential: { mean: 2_000_000 } } }, inputTokens: 10, outputTokens: 20 },
    (purpose) => streams.stream("demand", "chat", purpose),
  );
  if (demand.kind !== "closed") throw new Error("expected a closed loop");
  return demand;
}

test("users begin one by one, after a time of thinking", () => {
  const { loop: users } = loop(5_000);
  const first = Array.from({ length: users.users }, (_, user) => users.firstUs(user));
  expect(first.every((time) => Number.isSafeInteger(time) && time >= 0)).toBe(true);
  const mean = first.reduce((sum, time) => sum + time, 0) / first.length;
  expect(Math.abs(mean / 2_000_000 - 1)).toBeLessThan(3.3 / Math.sqrt(5_000));
});

test("the next job is submitted a time of thinking after the last one's end", () => {
  const { loop: users } = loop(1);
  let sum = 0;
  for (let job = 0; job < 5_000; job += 1) sum += users.nextUs(0, 7_000) - 7_000;
  expect(Math.abs(sum / 5_000 / 2_000_000 - 1)).toBeLessThan(3.3 / Math.sqrt(5_000));
});

test("a user's pauses do not depend on the other users", () => {
  const alone = loop(2).loop;
  const pauses = [alone.firstUs(1), alone.nextUs(1, 0), alone.nextUs(1, 0)];
  const busy = loop(2).loop;
  const among = [busy.firstUs(0), busy.firstUs(1), busy.nextUs(0, 0), busy.nextUs(1, 0), busy.nextUs(0, 0), busy.nextUs(1, 0)];
  expect([among[1], among[3], among[5]]).toEqual(pauses);
});

test("with the law of the interactive system: throughput is users over thinking plus response time", () => {
  // Each job takes 0.5 s, whatever the others do: X = N / (Z + R) (Denning and Buzen, Computing Surveys 1978).
  const { loop: users } = loop(20);
  const endUs = 2_000_000_000;
  let jobs = 0;
  for (let user = 0; user < users.users; user += 1) {
    for (let time = users.firstUs(user); time < endUs; time = users.nextUs(user, time + 500_000)) jobs += 1;
  }
  expect(jobs / (endUs / 1e6) / (20 / 2.5)).toBeCloseTo(1, 1);
});

test("lengths are rounded and at least 1", () => {
  const streams = new RandomStreams(1);
  const demand = openDemand({ arrivals: { kind: "poisson", ratePerS: 1 }, inputTokens: 0.2, outputTokens: { uniform: { min: 0, max: 3 } } }, (purpose) => streams.stream("demand", "chat", purpose));
  if (demand.kind !== "open") throw new Error("expected open demand");
  const seen = new Set<number>();
  for (let job = 0; job < 1_000; job += 1) {
    expect(demand.jobs.next()).toBe(true);
    expect(demand.jobs.inputTokens).toBe(1);
    seen.add(demand.jobs.outputTokens);
  }
  expect([...seen].sort()).toEqual([1, 2, 3]);
});
