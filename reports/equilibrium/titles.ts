/** Plots of an equilibrium report, in the order in which they are read. */
export const EQUILIBRIUM_PLOTS = ["path", "deviations", "regret"] as const;
export type EquilibriumPlotName = (typeof EQUILIBRIUM_PLOTS)[number];

/** The question that each answers. */
export const EQUILIBRIUM_TITLES: Readonly<Record<EquilibriumPlotName, string>> = {
  path: "How did they get there?",
  deviations: "What would another strategy bring?",
  regret: "How much could anybody still gain?",
};
