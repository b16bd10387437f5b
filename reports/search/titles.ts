/** Plots of a search report, in the order in which they are read. */
export const SEARCH_PLOTS = ["values", "race"] as const;
export type SearchPlotName = (typeof SEARCH_PLOTS)[number];

/** The question that each answers. */
export const SEARCH_TITLES: Readonly<Record<SearchPlotName, string>> = {
  values: "Which value is best?",
  race: "How was it found?",
};
