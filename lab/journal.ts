import type { RunTask } from "../sim/experiment/plan.ts";
import type { WireOutcome } from "./wire.ts";

/** Keeps the outcomes of runs. */
export interface Journal {
  /** What was played of it before; null: nothing. */
  find(task: RunTask): WireOutcome | null;
  add(task: RunTask, outcome: WireOutcome): void;
}

/** What makes a run the same run: everything it was asked for. JSON. */
export function taskKey({ name, sets, seed, series }: RunTask): string {
  return JSON.stringify([name, sets, seed, ...(series === undefined ? [] : [series])]);
}
