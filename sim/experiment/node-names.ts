import type { PeerId } from "../../protocol/messages.ts";
import type { Scenario } from "../scenario/scenario.ts";
import { peerIdOf, publicKeyOf } from "../world/identity.ts";
import { planNodes } from "../world/supply.ts";

/** The names of a run's nodes, as reports have them, by the peer ids that decisions carry. */
export function nodeNames(scenario: Scenario, seed: number): ReadonlyMap<PeerId, string> {
  const idOf = scenario.network.messages === "signed" ? publicKeyOf : peerIdOf;
  return new Map(planNodes(scenario, seed).map(({ name, entity }) => [idOf(seed, `node/${entity}`), name]));
}
