import type { Scenario } from "../scenario/scenario.ts";
import { regionAt } from "./regions.ts";

/** A client participant of the scenario, ready to be built. */
export interface ClientPlan {
  readonly name: string;
  /** What its random streams and its keys are derived from: its class and its place there, however many others there are. */
  readonly entity: string;
  /** Place of its class among the scenario's client classes. */
  readonly clientClass: number;
  readonly region: string;
}

/** Names and places of all clients of a scenario, in the order of its client classes. */
export function planClients(scenario: Scenario): ClientPlan[] {
  return scenario.clients.flatMap(({ name, count, regions }, clientClass) =>
    Array.from({ length: count }, (_, i) => ({ clientClass, entity: `${name}/${i}`, name: count === 1 ? name : `${name}-client-${i}`, region: regionAt(regions, i, count) })),
  );
}
