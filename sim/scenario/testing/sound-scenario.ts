import { ScenarioError } from "../scenario-error.ts";

/** A small market with nothing wrong. */
export const soundScenario = `name: test
question: What becomes of a market this small?
horizon: 10min
operators:
  - name: gpu
    machine: RTX 4090
    model: llama-3.1-8b:q4_k_m
    price: {input: 20 sat/Mtok, output: 60 sat/Mtok}
clients:
  - name: chat
    model: llama-3.1-8b:q4_k_m
    arrivals: {poisson: {rate: 5/s}}
    inputTokens: {lognormal: {mean: 1155, cv: 1}}
    outputTokens: 200
`;

/** The sound scenario with one piece of text replaced. */
export function changed(from: string, to: string): string {
  if (!soundScenario.includes(from)) throw new Error(`the scenario has no ${from}`);
  return soundScenario.replace(from, () => to);
}

/** The message of the ScenarioError that a call throws. */
export function messageOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (error instanceof ScenarioError) return error.message;
    throw error;
  }
  return "no error";
}
