import { expect, test } from "vitest";
import { Deliveries, type Delivery } from "./deliveries.ts";
import { hex32 } from "./testing/fake-environment.ts";
import { request, result } from "./testing/market.ts";

const ROUTER = hex32("router");
const delivery = (jobId: string, output = "abc", router = ROUTER): Delivery => ({ router, output, outputTokens: 3, result: result(request(jobId), hex32("node"), 1) });
const kept = (deliveries: Deliveries, router = ROUTER): string[] => [...deliveries.through(router)].map(({ output, result: { jobId } }) => `${jobId}: ${output}`);

test("a delivery is kept for half a minute, and only for the router through which the job came", () => {
  const deliveries = new Deliveries();
  deliveries.add(delivery("a"), 0);
  deliveries.add(delivery("b", "xyz", hex32("second router")), 1_000_000);
  expect([kept(deliveries), kept(deliveries, hex32("second router"))]).toEqual([["a: abc"], ["b: xyz"]]);
  deliveries.sweep(29_999_999);
  expect(kept(deliveries)).toEqual(["a: abc"]);
  deliveries.sweep(30_000_000);
  expect([kept(deliveries), kept(deliveries, hex32("second router"))]).toEqual([[], ["b: xyz"]]);
});

test("a job's second delivery takes the place of its first, and is the newest", () => {
  const deliveries = new Deliveries();
  for (const [i, jobId] of ["a", "b", "a"].entries()) deliveries.add(delivery(jobId, `${i}`), i);
  expect(kept(deliveries)).toEqual(["b: 1", "a: 2"]);
  deliveries.forget("b");
  deliveries.forget("of a stranger");
  expect(kept(deliveries)).toEqual(["a: 2"]);
});

test("so many are kept, and so many characters of them: the oldest make room", () => {
  const many = new Deliveries();
  for (let i = 0; i < 1_030; i++) many.add(delivery(`j${i}`), i);
  expect([kept(many).length, kept(many)[0]]).toEqual([1_024, "j6: abc"]);
  const long = new Deliveries();
  for (let i = 0; i < 42; i++) long.add(delivery(`j${i}`, "x".repeat(200_000)), i);
  expect([...long.through(ROUTER)].map(({ result: { jobId } }) => jobId)).toEqual(Array.from({ length: 40 }, (_, i) => `j${2 + i}`));
  // What was forgotten makes room too.
  long.forget("j2");
  long.add(delivery("last", "x".repeat(200_000)), 42);
  expect(long.through(ROUTER).next().value?.result.jobId).toBe("j3");
});
