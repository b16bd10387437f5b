import type { JobRequest } from "../../protocol/messages.ts";
import { Kernel } from "../kernel/kernel.ts";
import { RandomStreams } from "../kernel/random.ts";
import type { Scenario } from "../scenario/scenario.ts";
import { planClients } from "./client-plan.ts";
import { DemandDriver } from "./demand-driver.ts";
import { publicKeyOf } from "./identity.ts";
import { Oracle } from "./oracle.ts";
import { identityOf } from "./participants.ts";

/** A job that is submitted whatever becomes of those before it. */
export interface PlannedJob {
  readonly atUs: number;
  /** Index among the scenario's client participants. */
  readonly client: number;
  readonly request: JobRequest;
  /** How long its output truly is, tokens; it is cut at the request's limit. */
  readonly outputTokens: number;
}

/**
 * All jobs of a scenario, in the order of their submission: what a run with real keys and this seed submits, job by job.
 * @throws RangeError where jobs depend on what becomes of others: closed loops, and clients with a budget or in fiat money.
 */
export function planJobs(scenario: Scenario, seed: number): PlannedJob[] {
  for (const { name, arrivals, worth } of scenario.clients) {
    const why = arrivals.kind === "closed" ? "its users wait for answers" : worth.budget !== null ? "it has a budget" : scenario.exchange !== null ? "it pays in fiat money" : null;
    if (why !== null) throw new RangeError(`clients ${name}: jobs that are to be planned beforehand must not depend on what happens: ${why}`);
  }
  const kernel = new Kernel();
  const oracle = new Oracle();
  const streams = new RandomStreams(seed);
  const jobs: PlannedJob[] = [];
  const plans = planClients(scenario);
  const drivers = scenario.clients.map((spec, clientClass) => new DemandDriver({
    kernel, oracle, welfare: null, exchange: null, horizonUs: scenario.horizonUs, arrivalKind: 0, userKind: 1,
    stream: (subsystem, entity, purpose) => streams.stream(subsystem, entity, purpose),
  }, clientClass, spec, plans.flatMap((plan, client) => (plan.clientClass !== clientClass ? [] : [{
    id: publicKeyOf(seed, identityOf("client", plan.entity)), region: plan.region,
    submit(request: JobRequest): boolean {
      jobs.push({ atUs: kernel.nowUs, client, request, outputTokens: oracle.outputTokens[oracle.slotOf(request.jobId)]! });
      return true;
    },
  }]))));
  for (const driver of drivers) driver.start();
  kernel.run((_, clientClass) => drivers[clientClass]!.arrive(), scenario.horizonUs);
  for (const driver of drivers) driver.close();
  return jobs;
}
