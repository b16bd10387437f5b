import type { PeerId } from "../../protocol/messages.ts";
import type { ClientOptions } from "../../scheduler/client.ts";
import type { Random } from "../../scheduler/environment.ts";
import type { NodeOptions } from "../../scheduler/node.ts";
import type { RouterOptions } from "../../scheduler/router-options.ts";
import type { ClientSpec, Scenario } from "../scenario/scenario.ts";
import type { NodePlan } from "./supply.ts";

/*
 * What a scenario makes of its participants, in whichever world they live: the simulated one, or real processes.
 */

/** What a participant does in the market; with its entity it names its keys and its random streams. */
export type Role = "router" | "node" | "client";

/** What a peer's keys are derived from. */
export function identityOf(role: Role, entity: string): string {
  return `${role}/${entity}`;
}

/** Names of the scenario's routers; the entity of each is its place. */
export function routerNames({ router: { count } }: Scenario): string[] {
  return Array.from({ length: count }, (_, i) => (count === 1 ? "router" : `router-${i}`));
}

/** How the scenario's routers work. */
export function routerOptions({ router: spec, pricing }: Scenario): RouterOptions {
  return {
    policy: spec.policy,
    fee: spec.fee,
    staleAfterUs: spec.staleAfterUs,
    sweepUs: spec.heartbeatUs,
    attempts: spec.attempts,
    acceptTimeoutUs: spec.acceptTimeoutUs,
    jobTimeoutUs: spec.jobTimeoutUs,
    queueLimit: spec.queue.limit,
    queueWaitUs: spec.queue.maxWaitUs,
    circuitBreaker: spec.circuitBreaker,
    quoteValidUs: spec.heartbeatUs,
    pricing,
    marketStateUs: spec.marketStateUs,
  };
}

/**
 * How a node works, without what sets its prices.
 * @param stream the node's streams of random numbers.
 */
export function nodeOptions({ router, payment, operators }: Scenario, plan: NodePlan, routers: readonly PeerId[], incarnation: number, stream: (purpose: string) => Random): NodeOptions {
  const { heartbeatUs } = router;
  return {
    descriptor: { ...plan.descriptor, incarnation },
    routers,
    heartbeatUs,
    heartbeatOffsetUs: 1 + Math.floor(stream(`heartbeat offset of incarnation ${incarnation}`).next() * heartbeatUs),
    invoiceExpiryUs: payment.invoiceExpiryUs,
    paymentAttempts: payment.attempts,
    paymentRetryUs: payment.retryUs,
    nonDeliveryShare: operators[plan.operatorClass]!.settlement.nonDeliveryShare,
  };
}

/**
 * How the scenario's `i`-th client works.
 * @param spec of its class
 * @param stream the client's streams of random numbers.
 */
export function clientOptions({ payment }: Scenario, spec: ClientSpec, i: number, routers: readonly PeerId[], stream: (purpose: string) => Random): ClientOptions {
  const { attempts, retryUs, refundWithinUs } = payment;
  // Each client has a router of its own to begin with, so that several routers share the load.
  const turn = i % routers.length;
  const { worth: { budget }, settlement: { terms, dishonestShare, nonPaymentShare } } = spec;
  const honest = nonPaymentShare === 0 || (dishonestShare < 1 && stream("dishonest clients").next() >= dishonestShare);
  return {
    routers: [...routers.slice(turn), ...routers.slice(0, turn)], paymentAttempts: attempts, paymentRetryUs: retryUs, refundWithinUs,
    ...(budget === null ? {} : { budget }), ...(terms === null ? {} : { settlement: terms }), ...(honest ? {} : { nonPaymentShare }),
  };
}
