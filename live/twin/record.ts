import { readFileSync } from "node:fs";
import { canonicalJson, sha256Hex } from "../../protocol/canonical.ts";
import type { JobId, PeerId } from "../../protocol/messages.ts";
import type { JobRow, RunReport } from "../../protocol/result.ts";
import { Recorder } from "../../sim/experiment/recorder/recorder.ts";
import { recordedMarket } from "../../sim/experiment/recorded-market.ts";
import { sumOf } from "../../sim/kernel/statistics/lists.ts";
import type { Scenario } from "../../sim/scenario/scenario.ts";
import { planClients } from "../../sim/world/client-plan.ts";
import { publicKeyOf } from "../../sim/world/identity.ts";
import { identityOf, routerNames } from "../../sim/world/participants.ts";
import type { NodePlan } from "../../sim/world/supply.ts";
import type { PlannedJob } from "../../sim/world/planned-jobs.ts";
import type { Played } from "./recording.ts";

const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { version: string };

export interface RecordOptions {
  readonly scenario: Scenario;
  readonly seed: number;
  readonly plans: readonly NodePlan[];
  readonly jobs: readonly PlannedJob[];
  readonly sets: readonly string[];
}

/** A live play's report, in the schema of simulated runs, and its jobs. */
export interface Recorded {
  readonly report: RunReport;
  readonly rows: readonly JobRow[];
}

/**
 * Puts what the processes of a play saw together, in order of time, as a simulation's facts are: the same recorder, the same
 * laws, the same report.
 * @throws InvariantError where the live market broke a law.
 */
export function recordPlay(played: Played, { scenario, seed, plans, jobs, sets }: RecordOptions): Recorded {
  const rows: JobRow[] = [];
  const ids: JobId[] = jobs.map(({ request }) => request.jobId);
  const slots = new Map(ids.map((id, slot) => [id, slot]));
  const nodes = new Map<PeerId, number>(plans.map(({ entity }, n) => [publicKeyOf(seed, identityOf("node", entity)), n]));
  const clientPlans = planClients(scenario);
  const classOf = (slot: number): number => clientPlans[jobs[slot]!.client]!.clientClass;
  const endUs = Math.max(played.endUs, played.facts.at(-1)?.atUs ?? 0);
  const horizonUs = played.stopped === null ? scenario.horizonUs : Math.min(scenario.horizonUs, endUs);
  const recorder = new Recorder({
    ...recordedMarket(scenario, plans), seed, world: "live", jobName: (slot) => ids[slot] ?? "", onJobRow: (row) => void rows.push({ ...row }),
  });
  const open = new Set<number>();
  let waitingAtRouter = 0;
  const markUntil = (atUs: number): void => { while (recorder.nextMarkUs < atUs) recorder.mark(recorder.nextMarkUs); };
  for (const fact of played.facts) {
    const atUs = Math.max(0, fact.atUs);
    markUntil(atUs);
    if (fact.fact === "waiting-at-router") {
      recorder.routerWaiting(atUs, waitingAtRouter += fact.change);
      continue;
    }
    if (fact.fact === "load") {
      recorder.nodeState(nodes.get(fact.node)!, atUs, fact.running, fact.waiting);
      continue;
    }
    const slot = slots.get(fact.job) ?? -1;
    if (fact.fact === "submitted") {
      open.add(slot);
      recorder.submitted(slot, atUs, classOf(slot), fact.inputTokens, fact.maxOutputTokens, fact.maxPriceMsat);
      continue;
    }
    // What is said of a job after its client has seen it end does not count, in either world.
    if (!open.has(slot)) continue;
    switch (fact.fact) {
      case "assigned": recorder.assigned(slot, atUs, nodes.get(fact.node)!, fact.attempt); break;
      case "attempt-failed": recorder.attemptFailed(slot, atUs, nodes.get(fact.node)!, fact.attempt, fact.reason); break;
      case "started": recorder.started(slot, atUs, fact.attempt); break;
      case "first-token": recorder.firstToken(slot, atUs, fact.attempt); break;
      case "finished": recorder.finished(slot, atUs, nodes.get(fact.node)!, fact.attempt, fact.inputTokens, fact.outputTokens, fact.amountMsat, fact.feeMsat); break;
      case "too-dear": recorder.tooDear(slot); break;
      case "ended":
        open.delete(slot);
        recorder.ended(slot, atUs, fact.status, fact.reason);
        break;
      default: break;
    }
  }
  markUntil(horizonUs + 1);
  const lastUs = Math.max(endUs, horizonUs);
  if (horizonUs < scenario.horizonUs) recorder.cut(lastUs);
  const report = recorder.finish(lastUs, {
    provenance: {
      lab: { name: "infernet-lab", version },
      scenario: { name: scenario.name, question: scenario.question, hash: sha256Hex(canonicalJson(scenario)), resolved: scenario as never },
      seed, sets: [...sets], ...(played.stopped === null ? {} : { interrupted: true as const }),
    },
    money: { accounts: accountsOf(played, scenario, seed, plans) },
  });
  return { report, rows };
}

function accountsOf(played: Played, scenario: Scenario, seed: number, plans: readonly NodePlan[]) {
  const balance = (role: "router" | "node" | "client", entity: string): number => played.balances.get(publicKeyOf(seed, identityOf(role, entity))) ?? 0;
  const clients = planClients(scenario);
  const kinds: [string, number[], number][] = [
    ["routers", routerNames(scenario).map((_, i) => balance("router", String(i))), 0],
    ["nodes", plans.map(({ entity }) => balance("node", entity)), 0],
    ["clients", clients.map(({ entity }) => balance("client", entity)), clients.length * scenario.payment.clientBalanceMsat],
  ];
  const rows = kinds.map(([kind, balances, openingMsat]) => ({ kind, accounts: balances.length, openingMsat, closingMsat: sumOf(balances), changeMsat: sumOf(balances) - openingMsat }));
  // What wallets do not hold is on its way between them.
  const underWayMsat = 0 - sumOf(rows.map(({ changeMsat }) => changeMsat));
  return [...rows, { kind: "payments in flight", accounts: 1, openingMsat: 0, closingMsat: underWayMsat, changeMsat: underWayMsat }];
}
