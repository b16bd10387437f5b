/** Levels before those of the operator classes: jobs in the system, jobs waiting at the router. */
export const IN_SYSTEM = 0;
export const AT_ROUTER = 1;
export const FIRST_CLASS_LEVEL = 2;

/** Levels of each operator class: jobs running, jobs waiting, slots up, nodes up. */
export const LEVELS_PER_CLASS = 4;
export const RUNNING = 0;
export const WAITING = 1;
export const SLOTS_UP = 2;
export const NODES_UP = 3;

/** What is counted per time window. */
export type WindowCount =
  | "submitted" | "completed" | "failed" | "rejected" | "expired" | "cancelled" | "metGoals" | "inputTokens" | "outputTokens" | "paidMsat";
