import fc from "fast-check";
import { expect, test } from "vitest";
import type { JobRequest } from "../protocol/messages.ts";
import { request } from "./testing/market.ts";
import { WaitingJobs } from "./waiting-jobs.ts";

interface Job {
  readonly request: JobRequest;
}

const job = (id: string, priority = 0, model = "m"): Job => ({ request: request(id, { priority, model }) });

function walked(waiting: WaitingJobs<Job>, model: string, judge: (id: string) => "take" | "skip" | "stop"): { seen: string[]; taken: string[] } {
  const [seen, taken]: [string[], string[]] = [[], []];
  waiting.walk(model, ({ request: { jobId } }) => (seen.push(jobId), judge(jobId)), ({ request: { jobId } }) => void taken.push(jobId));
  return { seen, taken };
}

test("the highest priority first, then in the order of arrival", () => {
  const waiting = new WaitingJobs<Job>();
  for (const each of [job("a"), job("b", 9), job("c", 3), job("d", 9), job("e"), job("x", 9, "other")]) waiting.add(each.request, each);
  expect(walked(waiting, "m", () => "take")).toEqual({ seen: ["b", "d", "c", "a", "e"], taken: ["b", "d", "c", "a", "e"] });
  expect([waiting.size, [...waiting.models()]]).toEqual([1, ["m", "other"]]);
});

test("what is skipped stays in its place, and a stop ends the walk", () => {
  const waiting = new WaitingJobs<Job>();
  for (const each of [job("a"), job("b"), job("c"), job("d")]) waiting.add(each.request, each);
  expect(walked(waiting, "m", (id) => (id === "a" ? "skip" : id === "c" ? "stop" : "take"))).toEqual({ seen: ["a", "b", "c"], taken: ["b"] });
  expect(walked(waiting, "m", () => "skip").seen).toEqual(["a", "c", "d"]);
});

test("a job that comes back during the walk goes to the end and is not seen twice", () => {
  const waiting = new WaitingJobs<Job>();
  for (const each of [job("a"), job("b")]) waiting.add(each.request, each);
  const seen: string[] = [];
  waiting.walk("m", ({ request: { jobId } }) => (seen.push(jobId), "take"), (each) => waiting.add(each.request, each));
  expect([seen, waiting.size, walked(waiting, "m", () => "skip").seen]).toEqual([["a", "b"], 2, ["a", "b"]]);
});

test("nothing happens to jobs that are not there", () => {
  const waiting = new WaitingJobs<Job>();
  waiting.remove(job("a").request, job("a"));
  expect([waiting.size, walked(waiting, "m", () => "take").seen]).toEqual([0, []]);
});

test("over any sequence it keeps the order of a sorted list", () => {
  const act = fc.oneof(
    fc.record({ does: fc.constant("add" as const), priority: fc.nat(9), model: fc.constantFrom("m", "n") }),
    fc.record({ does: fc.constant("remove" as const), which: fc.nat() }),
    fc.record({ does: fc.constant("walk" as const), model: fc.constantFrom("m", "n"), verdicts: fc.array(fc.constantFrom("take", "skip", "skip", "stop"), { minLength: 1 }) }),
  );
  fc.assert(
    fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
      const waiting = new WaitingJobs<Job>();
      let list: Job[] = [];
      let number = 0;
      for (const step of acts) {
        if (step.does === "add") {
          const added = job(`j${number++}`, step.priority, step.model);
          waiting.add(added.request, added);
          list.push(added);
        } else if (step.does === "remove") {
          const gone = list[step.which % Math.max(1, list.length)];
          if (gone !== undefined) waiting.remove(gone.request, gone);
          list = list.filter((each) => each !== gone);
        } else {
          // Array.sort is stable: equal priorities stay in the order of arrival.
          const queue = list.filter((each) => each.request.model === step.model).sort((a, b) => b.request.priority - a.request.priority);
          let i = 0;
          const verdictAt = (at: number) => step.verdicts[at % step.verdicts.length] as "take" | "skip" | "stop";
          const { seen, taken } = walked(waiting, step.model, () => verdictAt(i++));
          let stop = queue.findIndex((_, at) => verdictAt(at) === "stop");
          if (stop < 0) stop = queue.length;
          expect(seen).toEqual(queue.slice(0, stop + 1).map((each) => each.request.jobId));
          expect(taken).toEqual(queue.slice(0, stop).filter((_, at) => verdictAt(at) === "take").map((each) => each.request.jobId));
          list = list.filter((each) => !taken.includes(each.request.jobId));
        }
        expect(waiting.size).toBe(list.length);
      }
    }),
    { seed: 1, numRuns: 300 },
  );
});
