import { existsSync } from "node:fs";
import { loadScenario } from "../sim/scenario/load.ts";
import type { Scenario } from "../sim/scenario/schema.ts";

/** A scenario of a bench, from its text. */
export const scenarioOf = (yaml: string): Scenario => loadScenario(yaml, "bench.yaml", { fileExists: existsSync }).scenario;

/**
 * A market of machines that are busy about a quarter of their time, whatever its size.
 * @param router further settings of the router, in YAML; `rules`: further lines of the scenario
 */
export const busyMarket = (nodes: number, jobs: number, router: string, rules = ""): Scenario => {
  const ratePerS = nodes * 0.45;
  return scenarioOf(`
name: bench-market
question: How fast is the simulation of a whole market?
horizon: ${Math.ceil((jobs / ratePerS) * 1e6)}us
router: { fee: { share: 100 bps }, ${router} }
${rules}
operators:
  - name: gpu
    count: ${nodes}
    machine: RTX 4090
    model: llama-3.1-8b:q4_k_m
    engine: { llama.cpp: { slots: 4 } }
    queueLimit: 16
    price: { input: 20 sat/Mtok, output: 60 sat/Mtok, spread: 10 % }
clients:
  - name: chat
    model: llama-3.1-8b:q4_k_m
    arrivals: { poisson: { rate: ${ratePerS}/s } }
    inputTokens: { lognormal: { mean: 1155, cv: 0.9 } }
    outputTokens: { lognormal: { mean: 211, cv: 0.8 } }
    maxPrice: 1000 sat
    latencyGoal: { ttft: 2s, tpot: 100ms }
network: { signing: 0s, verifying: 0s }
payment: { clientBalance: 100000000 sat }
`);
};
