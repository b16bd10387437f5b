import fc from "fast-check";
import { expect, test } from "vitest";
import { arbitraryScenario } from "./testing/arbitrary-scenario.ts";
import { play } from "./testing/play.ts";

test("the random markets of these tests reach every way a job can end, be turned down or fail, and every exclusion there can be", () => {
  const reached = new Set<string>();
  for (const scenario of fc.sample(arbitraryScenario(), { seed: 1, numRuns: 120 })) {
    reached.add(scenario.router.policy.kind);
    for (const { engine } of scenario.operators) reached.add(engine.kind);
    for (const { arrivals } of scenario.clients) reached.add(arrivals.kind);
    const { rows, seen, events } = play(scenario);
    for (const { status, reason } of rows) reached.add(`${status} ${reason}`.trim());
    for (const { event } of events) reached.add(event);
    for (const entry of seen) {
      if (entry.kind === "attempt-failed") reached.add(`attempt ${entry.reason}`);
      if (entry.kind === "decided") for (const { rule } of entry.decision.excluded) reached.add(`excluded ${rule}`);
    }
  }
  expect([...reached]).toEqual(expect.arrayContaining([
    "cheapest", "least-loaded", "weighted-score", "power-of-two", "round-robin", "random", "softmax", "top-n-random",
    "llama.cpp", "vllm", "sequential", "service-time", "regular", "poisson", "gamma", "weibull", "mmpp", "varying", "closed",
    "completed", "in-flight", "expired patience", "rejected no-eligible-node", "rejected router-queue-full", "rejected router-wait-too-long",
    "failed attempts-exhausted", "failed payment-failed: insufficient-balance", "failed payment-failed: no-route", "failed payment-failed: payee-offline",
    "attempt queue-full", "attempt shutting-down", "attempt runner-failed", "attempt accept-timeout", "attempt job-timeout", "attempt node-stale", "attempt node-restarted",
    "excluded under-staked", "excluded wrong-region", "excluded not-attested", "excluded context-too-short", "excluded too-dear", "excluded already-tried",
    "excluded stale", "excluded not-accepting", "excluded circuit-open", "excluded full", "excluded no-model",
    "node-down", "node-up", "node-slow", "node-fast",
  ]));
});
