/** Plots of a sweep's report, in the order in which they are read. */
export const SWEEP_PLOTS = ["sweep", "effects"] as const;
export type SweepPlotName = (typeof SWEEP_PLOTS)[number];

/** The question that each answers. */
export const SWEEP_TITLES: Readonly<Record<SweepPlotName, string>> = {
  sweep: "What becomes of the market?",
  effects: "Which axis makes the difference?",
};
