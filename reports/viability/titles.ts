/** Plots of a viability report, in the order in which they are read. */
export const VIABILITY_PLOTS = ["profit", "tornado", "prices"] as const;
export type ViabilityPlotName = (typeof VIABILITY_PLOTS)[number];

/** The question that each answers. */
export const VIABILITY_TITLES: Readonly<Record<ViabilityPlotName, string>> = {
  profit: "What would a month bring?",
  tornado: "What matters most?",
  prices: "Which price pays?",
};
