import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Experiment, RunOutcome, RunTask } from "../../sim/experiment/plan.ts";
import type { Subject } from "../../sim/experiment/play-task.ts";
import { replicationSeed } from "../../sim/experiment/seeds.ts";

const fileName = fileURLToPath(new URL("../../scenarios/mm1.yaml", import.meta.url));

/** A queue whose run takes some milliseconds. */
export const subject: Subject = { source: readFileSync(fileName, "utf8"), fileName, sets: ["horizon=20s", "warmup=1s"] };

const policies = ["random", "cheapest"];

/** Runs that differ in policy and seed. */
export function tasks(count: number): RunTask[] {
  return Array.from({ length: count }, (_, i) => ({ name: `run=${i}`, sets: [`router.policy=${policies[i % 2]}`], seed: replicationSeed(1, i >> 1) }));
}

/** A run that throws. */
export const odd: RunTask = { name: "odd", sets: ["router.policy=nonsense"], seed: 1 };

/** Two batches, of which the second is known from the start; the result is all that was heard. */
export function* plan(first: readonly RunTask[], second: readonly RunTask[] = []): Experiment<RunOutcome[]> {
  const heard: RunOutcome[] = [];
  for (const [purpose, batch] of [["first", first], ["second", second]] as const) {
    const { interrupted } = yield { purpose, count: batch.length, tasks: batch, take: (outcome) => void heard.push(outcome), later: purpose === "first" ? second.length : 0 };
    if (interrupted) return heard;
  }
  return heard;
}
