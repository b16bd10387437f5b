import type { FittedCost } from "../../protocol/fitted-cost.ts";
import type { JobId, PeerId } from "../../protocol/messages.ts";
import type { DecodePoint, FitResidual, PrefillPoint } from "../../protocol/profile.ts";
import { fitPoints, predictUs, relativeError } from "../../sim/calibrate/fit-points.ts";
import { type Measurements, pointsOf } from "../../sim/calibrate/points.ts";
import { meanOf } from "../../sim/kernel/statistics/lists.ts";
import { interpolatedCost } from "../../sim/profile/interpolate.ts";
import type { ShareTables } from "../../sim/scenario/sections/hosts.ts";
import type { StepCost } from "../../sim/world/engine/engine.ts";
import type { NodePlan } from "../../sim/world/supply.ts";
import { summarise } from "../bench/statistics.ts";
import type { StagePurpose } from "./bench-plan.ts";
import type { Fact } from "./facts.ts";
import { progressOf, shareTables } from "./shares.ts";

/** When a job of the bench run came where, µs. */
interface Passage {
  /** The node that served it. */
  peer: PeerId;
  submittedUs: number;
  assignedUs: number;
  startedUs: number;
  madeFirstUs: number;
  madeLastUs: number;
  firstUs: number;
  finishedUs: number;
  endedUs: number;
}

/** What was measured of a node, and the cost fitted to it. */
export interface NodeCalibration {
  readonly prefill: readonly PrefillPoint[];
  readonly decode: readonly DecodePoint[];
  /** The measurements as a formula: for people, and for profiles. */
  readonly fit: NodeFit;
  /** What the simulation takes: the measurements themselves, linear in between. They cover the workload's lengths and batches. */
  readonly cost: StepCost;
}

/** A cost and how far it is from what it was fitted to. */
export interface NodeFit {
  readonly cost: FittedCost;
  readonly residuals: readonly FitResidual[];
  /** Mean absolute errors, relative. */
  readonly promptError: number;
  readonly stepError: number;
}

/** Everything that the simulated side of a twin takes from the bench run. */
export interface Calibration {
  readonly nodes: readonly NodeCalibration[];
  /** The share of its speed that a node's engine has while 1, 2, 3, ... nodes are busy: any node's, and by operator class. */
  readonly shares: { readonly all: ShareTables; readonly byClass: readonly ShareTables[] };
  /** Mean one-way times, µs: client to router, router to a node that begins, node to client. */
  readonly legsUs: { readonly toRouter: number; readonly toNode: number; readonly toClient: number };
  /** From the result to the end of the job: the payment. */
  readonly paymentUs: number;
}

/** A stage that was played: what it measured, and with which jobs. */
export interface PlayedStage {
  readonly what: StagePurpose;
  readonly jobs: readonly { readonly job: JobId; readonly inputTokens: number; readonly outputTokens: number }[];
}

/** A bench run, or one part of it. */
export interface BenchPart {
  readonly stages: readonly PlayedStage[];
  readonly facts: readonly Fact[];
}

/** What is needed to evaluate a bench run. */
export interface CalibrationOptions {
  readonly plans: readonly NodePlan[];
  /** Public keys of the nodes. */
  readonly peers: readonly PeerId[];
  /** Cores of the machine that they share. */
  readonly cores: number;
  readonly mixed: FittedCost["mixed"];
  /** Most tokens in a pass through the models; null: a step is one pass. */
  readonly passTokens: number | null;
}

/** A stage, with those of its jobs that completed. */
interface Stage {
  readonly what: StagePurpose;
  readonly jobs: readonly (Passage & { readonly node: number; readonly inputTokens: number; readonly outputTokens: number })[];
}

/**
 * Evaluates a bench run. Times are means of the middle half of its rounds: this is a machine where the same takes now longer, now
 * shorter, and the play has both; but a round that something else disturbed does not count.
 * @throws RangeError where something that is needed was not measured.
 */
export function calibrationOf(parts: readonly BenchPart[], { plans, peers, cores, mixed, passTokens }: CalibrationOptions): Calibration {
  const stages = parts.flatMap(({ stages: played, facts }) => stagesOf(played, passagesOf(facts), peers));
  const nodes = plans.map(({ name }, node) => calibrateNode(name, stages.filter(({ what }) => "node" in what && what.node === node), mixed, passTokens));
  const costs = nodes.map(({ cost }) => cost);
  const progress = stages.flatMap(({ what, jobs }) => (what.kind === "traffic" ? progressOf(jobs.map((job) => ({ ...job, firstUs: job.madeFirstUs, lastUs: job.madeLastUs })), costs) : []));
  const measured = stages.filter(({ what }) => what.kind !== "warm-up");
  const all = measured.flatMap(({ jobs }) => jobs);
  // Where the node has another job, a start waits for its step too, which the simulation knows of.
  const begunAtOnce = measured.flatMap(({ jobs }) => jobs.filter((one) => !jobs.some((other) => other !== one && other.node === one.node && other.startedUs < one.startedUs && other.madeLastUs > one.assignedUs)));
  // Traffic waits at the router where all nodes are full; the jobs of other stages have room where they are sent.
  const unhindered = measured.flatMap(({ what, jobs }) => (what.kind === "traffic" ? [] : jobs));
  return {
    nodes, shares: shareTables(progress, plans.map(({ operatorClass }) => operatorClass), cores),
    legsUs: {
      toRouter: mean(unhindered.map((one) => one.assignedUs - one.submittedUs)),
      toNode: mean(begunAtOnce.map((one) => one.startedUs - one.assignedUs)),
      toClient: mean(all.map((one) => one.firstUs - one.madeFirstUs)),
    },
    paymentUs: mean(all.map((one) => one.endedUs - one.finishedUs)),
  };
}

function stagesOf(stages: readonly PlayedStage[], passages: ReadonlyMap<string, Passage>, peers: readonly PeerId[]): Stage[] {
  return stages.map(({ what, jobs }) => ({
    what,
    jobs: jobs.flatMap(({ job, inputTokens, outputTokens }) => {
      const passage = passages.get(job);
      return passage === undefined || passage.endedUs === 0 || passage.finishedUs === 0 ? [] : [{ ...passage, node: peers.indexOf(passage.peer), inputTokens, outputTokens }];
    }),
  }));
}

function calibrateNode(name: string, stages: readonly Stage[], mixed: FittedCost["mixed"], passTokens: number | null): NodeCalibration {
  const prompts = new Map<number, number[]>();
  const stretches = new Map<string, { batch: number; contextTokens: number; steps: number; us: number[] }>();
  /** Shortest step seen with so many sequences, for telling how many steps two jobs lie apart. */
  const typicalUs: number[] = [];
  for (const { what, jobs } of stages) {
    if (what.kind === "prompt" && jobs.length === 1) push(prompts, what.tokens, jobs[0]!.madeFirstUs - jobs[0]!.startedUs);
    if (what.kind !== "steps" || jobs.length !== what.sequences) continue;
    const { outputTokens, inputTokens, sequences } = what;
    const beginUs = Math.max(...jobs.map(({ madeFirstUs }) => madeFirstUs));
    const endUs = Math.min(...jobs.map(({ madeLastUs }) => madeLastUs));
    const tailUs = Math.max(...jobs.map(({ madeLastUs }) => madeLastUs)) - endUs;
    // Jobs that came later end later, by as many steps; those at the end run with fewer sequences.
    const apart = sequences === 1 ? 0 : Math.round(tailUs / (typicalUs[sequences - 1] ?? Infinity));
    const steps = outputTokens - 1 - apart;
    if (steps < 2 || endUs <= beginUs) continue;
    const us = (endUs - beginUs) / steps;
    typicalUs[sequences] = Math.min(typicalUs[sequences] ?? Infinity, us);
    const key = `${sequences}/${inputTokens}`;
    const known = stretches.get(key) ?? { batch: sequences, contextTokens: inputTokens + Math.round(apart / 2), steps, us: [] };
    known.us.push(us);
    stretches.set(key, known);
  }
  if (prompts.size === 0 || stretches.size === 0) throw new RangeError(`node ${name}: the bench run measured ${prompts.size} prompts and ${stretches.size} stretches of decoding; at least one of each is needed`);
  const prefill = [...prompts].map(([tokens, all]): PrefillPoint => {
    const { medianUs: us, repetitions, spread } = summarise(all);
    return { sequences: 1, tokens: Math.max(1, tokens), contextTokens: 0, us, repetitions, spread };
  });
  const decode = [...stretches.values()].map(({ us, ...point }): DecodePoint => {
    const { medianUs: usPerStep, repetitions, spread } = summarise(us);
    return { ...point, usPerStep, repetitions, spread };
  });
  const cost = interpolatedCost(
    [...prompts].map(([tokens, us]) => ({ sequences: 1, tokens: Math.max(1, tokens), contextTokens: 0, us: middleMean(us) })),
    [...stretches.values()].map(({ us, ...point }) => ({ ...point, usPerStep: middleMean(us) })),
  );
  return { prefill, decode, fit: fitNode({ prefill, decode, passTokens }, mixed), cost };
}

/** Fits a form with a physical reading, or where the measurements are too few or too noisy for one, takes means of them. */
function fitNode(measurements: Measurements, mixed: FittedCost["mixed"]): NodeFit {
  try {
    return withErrors(fitPoints(measurements, { mixed }).cost, measurements);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  const { prefill, decode, passTokens } = measurements;
  const batches = [...new Set(decode.map(({ batch }) => batch))].sort((a, b) => a - b);
  let atLeastUs = 0;
  const steps = batches.map((sequences) => {
    atLeastUs = Math.max(atLeastUs, mean(decode.filter(({ batch }) => batch === sequences).map(({ usPerStep }) => usPerStep)));
    return { sequences, us: atLeastUs };
  });
  const tokenUs = prefill.reduce((sum, { us }) => sum + us, 0) / prefill.reduce((sum, { tokens }) => sum + tokens, 0);
  return withErrors({ form: "steps", passTokens, mixed, fixedUs: 0, batchedUs: 0, readUs: 0, tokenUs, sequenceUs: 0, contextUs: 0, promptContextUs: 0, experts: null, steps }, measurements);
}

function withErrors(cost: FittedCost, measurements: Measurements): NodeFit {
  const residuals = pointsOf(measurements).map((point): FitResidual => ({ kind: point.kind, index: point.index, used: true, measuredUs: point.us, fittedUs: predictUs(cost, point) }));
  const errorOf = (kind: FitResidual["kind"]): number => mean(residuals.filter((one) => one.kind === kind).map((one) => Math.abs(relativeError(one))));
  return { cost, residuals, promptError: errorOf("prefill"), stepError: errorOf("decode") };
}

function passagesOf(facts: readonly Fact[]): Map<string, Passage> {
  const passages = new Map<string, Passage>();
  for (const fact of facts) {
    if (!("job" in fact)) continue;
    let passage = passages.get(fact.job);
    if (passage === undefined) passages.set(fact.job, passage = { peer: "", submittedUs: 0, assignedUs: 0, startedUs: 0, madeFirstUs: 0, madeLastUs: 0, firstUs: 0, finishedUs: 0, endedUs: 0 });
    switch (fact.fact) {
      case "submitted": passage.submittedUs = fact.atUs; break;
      case "assigned": passage.assignedUs = fact.atUs; break;
      case "started": passage.startedUs = fact.atUs; break;
      case "made-first-token":
        passage.peer = fact.node;
        passage.madeFirstUs = fact.atUs;
        break;
      case "made-last-token": passage.madeLastUs = fact.atUs; break;
      case "first-token": passage.firstUs = fact.atUs; break;
      case "finished": passage.finishedUs = fact.atUs; break;
      case "ended": passage.endedUs = fact.status === "completed" ? fact.atUs : 0; break;
      default: break;
    }
  }
  return passages;
}

function push<K>(map: Map<K, number[]>, key: K, value: number): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [value]);
  else known.push(value);
}

/** Without the least and the greatest quarter. */
function middleMean(values: readonly number[]): number {
  const cut = Math.floor(values.length / 4);
  return mean(values.toSorted((a, b) => a - b).slice(cut, values.length - cut));
}

/** 0 where nothing of the kind was measured. */
function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : meanOf(values);
}
