/** Plots of a report of replications, in the order in which they are read. */
export const REPLICATIONS_PLOTS = ["intervals", "convergence", "over-time", "warmup"] as const;
export type ReplicationsPlotName = (typeof REPLICATIONS_PLOTS)[number];

/** The question that each answers. */
export const REPLICATIONS_TITLES: Readonly<Record<ReplicationsPlotName, string>> = {
  intervals: "How well are the figures known?",
  convergence: "Did more runs make a difference?",
  "over-time": "What is chance, and what is the course of things?",
  warmup: "What was left out at the start?",
};
