import type { PriceSheet } from "../../../protocol/messages.ts";
import type { RunReport } from "../../../protocol/result.ts";
import { BASIS_POINTS, US_PER_H } from "../../../protocol/units.ts";
import type { ArrivalsSpec, OperatorSpec, Scenario } from "../../scenario/scenario.ts";
import { startRun } from "../run.ts";
import type { Run } from "../run.ts";
import type { NodeOutcome } from "./accounts.ts";

/** A market to be played with one seed, and the operator class, of one node, whose account is wanted. */
export interface Play {
  readonly scenario: Scenario;
  readonly operator: string;
  readonly seed: number;
  /** Of its machine. */
  readonly power: Power;
}

/** Electrical power of a machine that waits, and of one that works, watts. */
export interface Power {
  readonly idleWatts: number;
  readonly loadWatts: number;
}

/** A market being played for one node's account. */
export interface PlayInProgress {
  readonly run: Run;
  /** After the run is over. @throws RangeError before the warm-up is over */
  outcome(): NodeOutcome;
}

/** Sets a play up. Nothing has been played yet. */
export function startPlay({ scenario, operator, seed, power }: Play): PlayInProgress {
  const run = startRun(scenario, { seed });
  return { run, outcome: () => outcomeOf(run.finish(), operator, power) };
}

/** Plays a market to its end. */
export function play(what: Play): NodeOutcome {
  const { run, outcome } = startPlay(what);
  while (!run.step());
  return outcome();
}

/** What a run brought the first node of an operator class. @throws RangeError where there is no such node */
export function outcomeOf(report: RunReport, operator: string, power: Power): NodeOutcome {
  const index = report.nodes.findIndex(({ operatorClass }) => operatorClass === operator);
  const node = report.nodes[index];
  if (node === undefined) throw new RangeError(`the report has no node of ${operator}`);
  const measuredHours = (report.horizonUs - report.warmupUs) / US_PER_H;
  return {
    seed: Number(report.provenance.seed),
    measuredHours,
    revenueMsat: node.revenueMsat - feesOf(report, index),
    jobs: node.jobs,
    inputTokens: node.tokens.input,
    outputTokens: node.tokens.output,
    utilisation: node.utilisation ?? 0,
    busyShare: busyShareOf(node, power, measuredHours),
  };
}

/** Fees that fell to the operator: the router's where it bears them, Lightning's where it pays something. */
function feesOf({ supply }: RunReport, index: number): number {
  const account = supply?.nodes[index];
  return account === undefined ? 0 : account.routerFeesMsat + account.lightningFeesMsat;
}

/** The energy tells for how long there was a job: idle power while up, load power while it serves. */
function busyShareOf({ energyKwh, availability, utilisation }: RunReport["nodes"][number], { idleWatts, loadWatts }: Power, hours: number): number {
  if (energyKwh === null || loadWatts <= idleWatts) return utilisation ?? 0;
  const aboveIdle = energyKwh * 1_000 / hours - idleWatts * (availability ?? 1);
  return Math.min(1, Math.max(0, aboveIdle / (loadWatts - idleWatts)));
}

/** The market with one more operator class. */
export function withOperator(scenario: Scenario, operator: OperatorSpec): Scenario {
  return { ...scenario, operators: [...scenario.operators, operator] };
}

/** The market in which one operator class asks other prices. */
export function withPrices(scenario: Scenario, operator: string, prices: PriceSheet): Scenario {
  return { ...scenario, operators: scenario.operators.map((spec) => spec.name === operator ? { ...spec, prices } : spec) };
}

/** Prices times a factor, in whole msat. */
export function pricesTimes(prices: PriceSheet, factor: number): PriceSheet {
  return {
    inputMsatPerMtok: Math.round(prices.inputMsatPerMtok * factor),
    outputMsatPerMtok: Math.round(prices.outputMsatPerMtok * factor),
    fixedMsat: Math.round(prices.fixedMsat * factor),
  };
}

/** The market with this many times the demand of every client class. Users of a closed loop stay whole. */
export function withDemand(scenario: Scenario, factor: number): Scenario {
  return { ...scenario, clients: scenario.clients.map((client) => ({ ...client, arrivals: arrivalsTimes(client.arrivals, factor) })) };
}

function arrivalsTimes(arrivals: ArrivalsSpec, factor: number): ArrivalsSpec {
  switch (arrivals.kind) {
    case "mmpp": return { ...arrivals, states: arrivals.states.map((state) => ({ ...state, ratePerS: state.ratePerS * factor })) };
    case "varying": return { ...arrivals, points: arrivals.points.map((point) => ({ ...point, ratePerS: point.ratePerS * factor })) };
    case "closed": return { ...arrivals, users: Math.max(1, Math.round(arrivals.users * factor)) };
    case "trace": return { ...arrivals, timeScale: arrivals.timeScale / factor };
    default: return { ...arrivals, ratePerS: arrivals.ratePerS * factor };
  }
}

/** The market whose router charges nothing, or this much more of every amount. @param moreBps basis points; null: no fee at all */
export function withFee(scenario: Scenario, moreBps: number | null): Scenario {
  const { fee } = scenario.router;
  const changed = moreBps === null ? { shareBps: 0, flatMsat: 0 } : { ...fee, shareBps: Math.min(BASIS_POINTS, fee.shareBps + moreBps) };
  return { ...scenario, router: { ...scenario.router, fee: changed } };
}
