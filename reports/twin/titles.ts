/** Plots of a twin report, in the order in which they are read. */
export const TWIN_PLOTS = ["errors", "quantiles", "jobs"] as const;
export type TwinPlotName = (typeof TWIN_PLOTS)[number];

/** The question that each answers. */
export const TWIN_TITLES: Readonly<Record<TwinPlotName, string>> = {
  errors: "How far is the simulation off?",
  quantiles: "Are slow jobs as slow, and fast ones as fast?",
  jobs: "Does the simulation tell which jobs are slow?",
};

/** What is compared, in words. */
export const METRIC_WORDS = {
  ttft: "time to first token", tpot: "inter-token time", endToEnd: "end-to-end", queueing: "queueing", price: "price paid",
} as const;
