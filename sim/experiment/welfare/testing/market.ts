import { RandomStreams } from "../../../kernel/random.ts";
import { Welfare, type WelfareAccounts } from "../accounts.ts";
import type { WelfareSetup } from "../setup.ts";

export const SECOND_US = 1_000_000;
export const HOUR_US = 3_600 * SECOND_US;

/** One class of clients, one of nodes: `cost` msat a job, a job a second each. */
export function smallSetup(nodes: number, cost: number, changes: Partial<WelfareSetup> = {}): WelfareSetup {
  return {
    seed: 1, warmupUs: 0, horizonUs: HOUR_US, windowUs: HOUR_US,
    clientClasses: [{ name: "users", nodes: Array.from({ length: nodes }, (_, node) => node), delayMsatPerS: 0 }],
    operatorClasses: [{ name: "gpus" }],
    nodes: Array.from({ length: nodes }, () => ({ operatorClass: 0, work: { fixedUs: SECOND_US, inputUs: 0, outputUs: 0 }, costKey: String(cost), asked: { inputMsatPerMtok: 0, outputMsatPerMtok: 0, fixedMsat: 0 } })),
    costMsat: (_, inputTokens) => (inputTokens > 1_000 ? (cost * inputTokens) / 500 : cost),
    ...changes,
  };
}

/** A market whose jobs, 500 tokens each, are traded at one price by whoever values them at least as much, one job after the other. */
export function postedPrice(setup: WelfareSetup, jobs: number, priceMsat: number, valueMsat: (u: number) => number, fee = 0): WelfareAccounts {
  const welfare = new Welfare(setup);
  const random = new RandomStreams(7).stream("test", "users", "value");
  for (let job = 0; job < jobs; job++) {
    const atUs = Math.floor((job * setup.horizonUs) / jobs);
    const value = Math.floor(valueMsat(random.next()));
    welfare.offered(0, atUs, 0, value, 500, 0);
    if (value < priceMsat) {
      welfare.tooDear(0);
      welfare.ended(0, "rejected", "no-eligible-node");
      continue;
    }
    welfare.started(0);
    welfare.delivered(0, atUs, job % setup.nodes.length, 500, 0);
    welfare.moved(0, atUs, 0, job % setup.nodes.length, priceMsat - fee, priceMsat - fee, 0, 0);
    if (fee > 0) welfare.moved(0, atUs, 0, -1, fee, 0, fee, 0);
    welfare.ended(0, "completed", "");
  }
  return welfare.finish(setup.horizonUs, setup.horizonUs);
}
