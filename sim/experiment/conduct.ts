import type { Experiment, RunOutcome, RunTask } from "./plan.ts";

/**
 * Conducts an experiment here and now, one run after the other: the plain reference for whatever plays runs side by side.
 * @param play such as a `TaskPlayer`'s, or a formula where a test knows the answer
 */
export function conduct<Result>(experiment: Experiment<Result>, play: (task: RunTask, index: number) => RunOutcome): Result {
  let next = experiment.next();
  while (next.done !== true) {
    let index = 0;
    for (const task of next.value.tasks) next.value.take(play(task, index++));
    if (index !== next.value.count) throw new Error(`A batch of ${next.value.count} runs had ${index} (${next.value.purpose}).`);
    next = experiment.next({ interrupted: false });
  }
  return next.value;
}
