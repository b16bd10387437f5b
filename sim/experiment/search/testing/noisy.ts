import { RandomStreams } from "../../../kernel/random.ts";
import { normalQuantile } from "../../../kernel/special.ts";
import type { RunOutcome, RunTask } from "../../plan.ts";

/** Values of a task's changes by path; numbers without their units. */
export function numbersIn({ sets }: RunTask): Record<string, number> {
  return Object.fromEntries(sets.map((set) => [set.slice(0, set.indexOf("=")), Number.parseFloat(set.slice(set.indexOf("=") + 1).replace(/["']/g, ""))]));
}

/** A standard normal number that depends on nothing but what is given. */
export function noise(seed: number, what: string): number {
  return normalQuantile(new RandomStreams(seed).stream("test", what, "noise").next() + 1 / 2 ** 33);
}

/** Plays tasks by a formula of their numbers and their seed, in place of a market. */
export function playBy(figures: (numbers: Readonly<Record<string, number>>, seed: number, task: RunTask) => Readonly<Record<string, number | null>>): (task: RunTask, index: number) => RunOutcome {
  return (task, index) => {
    try {
      return { index, task, figures: figures(numbersIn(task), task.seed, task), digest: "0".repeat(64), error: null };
    } catch (error) {
      return { index, task, figures: null, digest: null, error: String(error) };
    }
  };
}
