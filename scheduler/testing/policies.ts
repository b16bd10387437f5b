import type { PolicyOptions } from "../selection/policy.ts";
import type { ScoreWeights } from "../selection/scores.ts";

export const WEIGHTS: ScoreWeights = { price: 1, latency: 2, load: 0.5, reliability: 3 };

/** Each policy once. */
export const allPolicies: readonly PolicyOptions[] = [
  { kind: "cheapest" },
  { kind: "least-loaded" },
  { kind: "weighted-score", weights: WEIGHTS },
  { kind: "power-of-two", choices: 2 },
  { kind: "round-robin" },
  { kind: "random" },
  { kind: "softmax", temperature: 0.1, weights: WEIGHTS },
  { kind: "top-n-random", n: 3, weights: WEIGHTS },
];
