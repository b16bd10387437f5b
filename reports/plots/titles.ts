/** Names of a report's plots, in the order in which they are read; `plots/NAME.svg` holds each. */
export const PLOTS = ["throughput", "latency", "load", "warmup", "market", "prices", "pricing", "asks", "profit", "exposure", "curves", "surplus", "lorenz"] as const;
export type PlotName = (typeof PLOTS)[number];

/** The question that each plot answers. */
export const PLOT_TITLES: Readonly<Record<PlotName, string>> = {
  throughput: "Did the market keep up?",
  latency: "How long did jobs take?",
  load: "How busy was the market?",
  warmup: "What was left out at the start?",
  market: "Where did jobs go, and at which price?",
  prices: "What did clients pay?",
  pricing: "How did prices move?",
  asks: "What did operators ask?",
  profit: "What was left for operators?",
  exposure: "Who trusted whom with how much?",
  curves: "What did supply and demand allow?",
  surplus: "Who gained, and what was lost?",
  lorenz: "How evenly was revenue shared?",
};
