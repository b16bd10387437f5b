import type { CustomPolicy } from "../custom/source.ts";
import type { ScoreWeights } from "./scores.ts";

/** How a router picks among eligible nodes. */
export type PolicyOptions =
  /** The lowest price for the job at its token limit. */
  | { readonly kind: "cheapest" }
  /** The fewest jobs per slot. */
  | { readonly kind: "least-loaded" }
  /** The highest weighted sum of normalised parts. */
  | { readonly kind: "weighted-score"; readonly weights: ScoreWeights }
  /** The less loaded of `choices` nodes drawn at random; choices >= 1. */
  | { readonly kind: "power-of-two"; readonly choices: number }
  /** The next eligible one in the order of ids, behind the one that had the model's last job. */
  | { readonly kind: "round-robin" }
  /** Any, with equal odds. */
  | { readonly kind: "random" }
  /** Odds proportional to exp(weighted score / temperature); temperature > 0. */
  | { readonly kind: "softmax"; readonly temperature: number; readonly weights: ScoreWeights }
  /** Uniform among the n highest weighted scores, against herding; n >= 1. */
  | { readonly kind: "top-n-random"; readonly n: number; readonly weights: ScoreWeights }
  /** The highest score that a user's own policy gives. */
  | { readonly kind: "custom"; readonly policy: CustomPolicy };

/** The policy's name with its settings, for reports. */
export function describePolicy(policy: PolicyOptions): string {
  switch (policy.kind) {
    case "power-of-two": return `power-of-two (${policy.choices} choices)`;
    case "softmax": return `softmax (temperature ${policy.temperature}, ${describeWeights(policy.weights)})`;
    case "top-n-random": return `top-n-random (n ${policy.n}, ${describeWeights(policy.weights)})`;
    case "weighted-score": return `weighted-score (${describeWeights(policy.weights)})`;
    case "custom": return policy.policy.file;
    default: return policy.kind;
  }
}

function describeWeights(weights: ScoreWeights): string {
  return `price ${weights.price}, latency ${weights.latency}, load ${weights.load}, reliability ${weights.reliability}`;
}
