import { describe, expect, test } from "vitest";
import { conduct } from "../sim/experiment/conduct.ts";
import type { Experiment, RunOutcome, RunTask } from "../sim/experiment/plan.ts";
import { TaskPlayer } from "../sim/experiment/play-task.ts";
import { conductOn } from "./conduct.ts";
import type { ConductProgress } from "./conduct.ts";
import { odd, plan, subject, tasks } from "./testing/experiment.ts";

const here = (experiment: Experiment<RunOutcome[]>): RunOutcome[] => {
  const player = new TaskPlayer(subject);
  return conduct(experiment, (task, index) => player.play(task, index));
};

describe("conductOn", () => {
  test("gives the same to the last byte with 1, 2 and 8 workers as one run after the other", async () => {
    const experiment = (): Experiment<RunOutcome[]> => plan(tasks(20), [...tasks(3), odd]);
    const expected = JSON.stringify(here(experiment()));
    expect(expected).toContain("ScenarioError");
    for (const workers of [1, 2, 8]) expect(JSON.stringify(await conductOn(experiment(), subject, { workers }))).toBe(expected);
  });

  test("says how far it is, never back, to the end", async () => {
    const heard: ConductProgress[] = [];
    await conductOn(plan(tasks(6), tasks(2)), subject, { workers: 2, onProgress: (progress) => void heard.push(progress) });
    expect(heard.map(({ done }) => done)).toEqual(heard.map(({ done }) => done).sort((a, b) => a - b));
    expect(heard[0]).toEqual({ done: 0, all: 8, purpose: "first" });
    expect(heard.at(-1)).toEqual({ done: 8, all: 8, purpose: "second" });
  });

  test("asks for tasks as they are needed", async () => {
    let asked = 0;
    let heard = 0;
    let most = 0;
    function* lazily(): Generator<RunTask> {
      for (const task of tasks(60)) {
        most = Math.max(most, ++asked - heard);
        yield task;
      }
    }
    function* experiment(): Experiment<null> {
      yield { purpose: "", count: 60, tasks: lazily(), take: () => void heard++, later: 0 };
      return null;
    }
    await conductOn(experiment(), subject, { workers: 1 });
    expect(heard).toBe(60);
    expect(most).toBeLessThan(40);
  });

  test("stopped, gives the first outcomes and no more", async () => {
    const controller = new AbortController();
    const all = tasks(2_000);
    const expected = here(plan(all.slice(0, 3)));
    const heard = await conductOn(plan(all, all), subject, {
      workers: 1, signal: controller.signal, onProgress: ({ done }) => {
        if (done >= 3) controller.abort();
      },
    });
    expect(heard.length).toBeGreaterThanOrEqual(3);
    expect(heard.length).toBeLessThan(2_000);
    expect(heard.slice(0, 3)).toEqual(expected);
    expect(heard.map(({ index }) => index)).toEqual(heard.map((_, i) => i));
  });

  test("stopped, does not wait for runs that take long to come to a stop", async () => {
    const controller = new AbortController();
    const endless = Array.from({ length: 4 }, (_, i) => ({ name: `run=${i}`, sets: ["horizon=8760h"], seed: i }));
    let startedMs = 0;
    const heard = await conductOn(plan(endless), subject, {
      workers: 2, signal: controller.signal, onProgress: ({ done }) => {
        if (done === 0 || controller.signal.aborted) return;
        startedMs = performance.now();
        controller.abort();
      },
    });
    expect(heard).toEqual([]);
    expect(performance.now() - startedMs).toBeLessThan(30_000);
  });

  test("a batch whose tasks are fewer than it says is a fault", async () => {
    function* experiment(): Experiment<null> {
      yield { purpose: "too few", count: 3, tasks: tasks(2), take: () => {}, later: 0 };
      return null;
    }
    await expect(conductOn(experiment(), subject, { workers: 1 })).rejects.toThrow("A batch of 3 runs had 2 (too few).");
  });

  test("what the experiment throws comes through", async () => {
    function* experiment(): Experiment<null> {
      yield { purpose: "", count: 20, tasks: tasks(20), take: () => { throw new Error("no room on the disk"); }, later: 0 };
      return null;
    }
    await expect(conductOn(experiment(), subject, { workers: 2 })).rejects.toThrow("no room on the disk");
  });

  test("what whoever is told of progress throws comes through", async () => {
    const onProgress = ({ done }: ConductProgress): void => {
      if (done > 0) throw new Error("nobody listens");
    };
    await expect(conductOn(plan(tasks(2_000)), subject, { workers: 1, onProgress })).rejects.toThrow("nobody listens");
  });

  test.each([0, -1, 1.5, NaN, 1_025])("%s workers are refused", async (workers) => {
    await expect(conductOn(plan(tasks(1)), subject, { workers })).rejects.toThrow(`workers: found ${workers}; allowed: a whole number from 1 to 1024.`);
  });

  test("a run that takes all of a worker's memory is an outcome with its error, and the others are played", async () => {
    const [before, greedy, after] = [tasks(1)[0]!, { name: "greedy", sets: ["operators.server.count=300000"], seed: 7 }, tasks(2)[1]!];
    const heard = await conductOn(plan([before, greedy, after]), subject, { workers: 1, memoryMb: 72 });
    expect(heard.map(({ task, error }) => [task.name, error])).toEqual([
      ["run=0", null],
      ["greedy", "WorkerDied: Worker terminated due to reaching memory limit: JS heap out of memory"],
      ["run=1", null],
    ]);
  });
});
