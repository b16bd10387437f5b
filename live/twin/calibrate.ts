import type { FittedCost } from "../../protocol/fitted-cost.ts";
import type { DecodePoint, FitResidual, PrefillPoint } from "../../protocol/profile.ts";
import { fitPoints, predictUs, relativeError } from "../../sim/calibrate/fit-points.ts";
import { nonNegativeLeastSquares } from "../../sim/calibrate/nnls.ts";
import { type Measurements, pointsOf } from "../../sim/calibrate/points.ts";
import { interpolatedCost } from "../../sim/profile/interpolate.ts";
import type { HostSpec } from "../../sim/scenario/sections/hosts.ts";
import type { StepCost } from "../../sim/world/engine/engine.ts";
import { llamaCppEngine } from "../../sim/world/engine/llama-cpp.ts";
import type { NodePlan } from "../../sim/world/supply.ts";
import { summarise } from "../bench/statistics.ts";
import type { BenchPlan } from "./bench-plan.ts";
import type { Fact } from "./facts.ts";
import type { Played } from "./play.ts";

/** When a job of the bench run came where, µs. */
interface Passage {
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
  /** The share of its speed that a node's engine has while 1, 2, 3, ... nodes are busy: generating, and reading prompts. */
  readonly shares: readonly number[];
  readonly promptShares: readonly number[];
  /** Mean one-way times, µs: client to router, router to a node that begins, node to client. */
  readonly legsUs: { readonly toRouter: number; readonly toNode: number; readonly toClient: number };
  /** From the result to the end of the job: the payment. */
  readonly paymentUs: number;
}

/**
 * Evaluates a bench run.
 * @param passTokens most tokens in a pass through the models; null: a step is one pass.
 * @throws RangeError where something that is needed was not measured.
 */
export function calibrationOf(bench: BenchPlan, played: Played, plans: readonly NodePlan[], mixed: FittedCost["mixed"], passTokens: number | null): Calibration {
  const passages = passagesOf(played.facts);
  const ofStage = bench.what.map((): { id: string; passage: Passage; node: number }[] => []);
  for (const [id, { stage, node }] of bench.jobs) {
    const passage = passages.get(id);
    if (passage !== undefined && passage.endedUs > 0 && passage.finishedUs > 0) ofStage[stage]!.push({ id, passage, node });
  }
  const nodes = plans.map((plan, node): NodeCalibration => {
    const prompts = new Map<number, number[]>();
    const steps = new Map<string, { batch: number; contextTokens: number; steps: number; us: number[] }>();
    /** Shortest step seen with so many sequences, for telling how many steps two jobs lie apart. */
    const typicalUs: number[] = [];
    bench.what.forEach((what, stage) => {
      if (what.node !== node) return;
      const jobs = ofStage[stage]!;
      if (what.kind === "prompt" && jobs.length === 1) {
        const { startedUs, madeFirstUs } = jobs[0]!.passage;
        push(prompts, what.tokens, madeFirstUs - startedUs);
      }
      if (what.kind !== "steps" || jobs.length !== what.sequences) return;
      const { outputTokens, inputTokens, sequences } = what;
      const beginUs = Math.max(...jobs.map(({ passage }) => passage.madeFirstUs));
      const endUs = Math.min(...jobs.map(({ passage }) => passage.madeLastUs));
      const tailUs = Math.max(...jobs.map(({ passage }) => passage.madeLastUs)) - endUs;
      // Jobs that came later end later, by as many steps; those at the end run with fewer sequences.
      const apart = sequences === 1 ? 0 : Math.round(tailUs / (typicalUs[sequences - 1] ?? Infinity));
      const count = outputTokens - 1 - apart;
      if (count < 2 || endUs <= beginUs) return;
      const us = (endUs - beginUs) / count;
      typicalUs[sequences] = Math.min(typicalUs[sequences] ?? Infinity, us);
      const key = `${sequences}/${inputTokens}/${count}`;
      const known = steps.get(key) ?? { batch: sequences, contextTokens: inputTokens + Math.round(apart / 2), steps: count, us: [] };
      known.us.push(us);
      steps.set(key, known);
    });
    const prefill = [...prompts].map(([tokens, all]): PrefillPoint => {
      const { medianUs: us, repetitions, spread } = summarise(all);
      return { sequences: 1, tokens: Math.max(1, tokens), contextTokens: 0, us, repetitions, spread };
    });
    const decode = [...steps.values()].map(({ us, ...point }): DecodePoint => {
      const { medianUs: usPerStep, repetitions, spread } = summarise(us);
      return { ...point, usPerStep, repetitions, spread };
    });
    if (prefill.length === 0 || decode.length === 0) throw new RangeError(`node ${plan.name}: the bench run measured ${prefill.length} prompts and ${decode.length} stretches of decoding; at least one of each is needed`);
    return { prefill, decode, fit: fitNode({ prefill, decode, passTokens }, mixed), cost: interpolatedCost(prefill, decode) };
  });

  const runs = bench.what.flatMap((what, stage): Record<"prompt" | "generation", Overlapping>[] => (what.kind !== "busy" ? [] : ofStage[stage]!.map(({ passage, node, id }) => {
    const job = bench.stages[stage]!.find(({ request }) => request.jobId === id)!.request;
    const { startedUs, madeFirstUs, madeLastUs: endedUs } = passage;
    const promptUs = aloneUs(plans[node]!, nodes[node]!.cost, job.inputTokens, 1);
    return {
      prompt: { stage, startedUs, endedUs, fromUs: startedUs, untilUs: madeFirstUs, aloneUs: promptUs },
      generation: { stage, startedUs, endedUs, fromUs: madeFirstUs, untilUs: endedUs, aloneUs: aloneUs(plans[node]!, nodes[node]!.cost, job.inputTokens, job.maxOutputTokens) - promptUs },
    };
  })));
  // The median of the rounds: one that something else disturbed does not count.
  const medians = (phase: "prompt" | "generation"): number[] => {
    const rounds = bench.rounds.map((from, i) => sharesOf(runs.filter((run) => run[phase].stage >= from && run[phase].stage < (bench.rounds[i + 1] ?? Infinity)).map((run) => run[phase]), plans.length));
    return plans.map((_, i) => median(rounds.map((round) => round[i]!)));
  };

  const all = bench.what.flatMap(({ kind }, stage) => (kind === "warm-up" ? [] : ofStage[stage]!.map((one) => ({ ...one.passage, kind }))));
  const alone = all.filter(({ kind }) => kind === "prompt");
  return {
    nodes, shares: medians("generation"), promptShares: medians("prompt"),
    legsUs: {
      toRouter: mean(all.map((one) => one.assignedUs - one.submittedUs)),
      toNode: mean(alone.map((one) => one.startedUs - one.assignedUs)),
      toClient: mean(all.map((one) => one.firstUs - one.madeFirstUs)),
    },
    paymentUs: mean(all.map((one) => one.endedUs - one.finishedUs)),
  };
}

/** A job that had its node to itself, while others were busy on other nodes. */
export interface Overlapping {
  /** Jobs of one stage overlap. */
  readonly stage: number;
  /** From when to when it kept its node busy. */
  readonly startedUs: number;
  readonly endedUs: number;
  /** The part of that which is looked at, such as its prompt. */
  readonly fromUs: number;
  readonly untilUs: number;
  /** How long that would have taken with the machine to itself. */
  readonly aloneUs: number;
}

/**
 * The share of its speed that each of 1, 2, 3, ... busy nodes has: what a job gets done adds up over the times in which so many
 * were busy, `alone = sum over k of share(k) x time with k busy`, and that for all jobs, in least squares of relative errors.
 * @throws RangeError where so many nodes were never busy at once.
 */
export function sharesOf(runs: readonly Overlapping[], nodes: number): number[] {
  const rows = runs.map((run) => {
    const withBusy = new Array<number>(nodes + 1).fill(0);
    const others = runs.filter(({ stage }) => stage === run.stage);
    const edges = [...new Set(others.flatMap(({ startedUs, endedUs }) => [startedUs, endedUs]))].filter((at) => at > run.fromUs && at < run.untilUs);
    const cuts = [run.fromUs, ...edges.sort((a, b) => a - b), run.untilUs];
    cuts.slice(1).forEach((untilUs, i) => {
      const fromUs = cuts[i]!;
      const busy = others.filter(({ startedUs, endedUs }) => startedUs <= fromUs && endedUs >= untilUs).length;
      withBusy[busy]! += untilUs - fromUs;
    });
    return { withBusy, aloneUs: run.aloneUs };
  });
  for (let busy = 2; busy <= nodes; busy++) {
    if (!rows.some(({ withBusy }) => withBusy[busy]! > 0)) throw new RangeError(`in the bench run ${busy} nodes were never busy at once`);
  }
  if (nodes < 2) return [1];
  const found = nonNegativeLeastSquares(
    rows.map(({ withBusy, aloneUs }) => withBusy.slice(2).map((us) => us / aloneUs)),
    rows.map(({ withBusy, aloneUs }) => 1 - withBusy[1]! / aloneUs),
  );
  const shares = [1];
  for (const share of found) shares.push(Math.max(1e-3, Math.min(shares.at(-1)!, share)));
  return shares;
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

/** The host that all nodes of the twin share. */
export function hostOf({ shares, promptShares }: Calibration, cores: number): HostSpec {
  return { name: "this-machine", cores, usedCores: 0, shares, promptShares };
}

/** From start to last token of a job that has the node and the machine to itself, µs. */
function aloneUs({ descriptor }: NodePlan, cost: StepCost, inputTokens: number, outputTokens: number): number {
  const engine = llamaCppEngine({ cost, slots: 1, contextTokens: descriptor.offers[0]!.contextTokensMax });
  engine.submit(0, 0, inputTokens, outputTokens, 0);
  let endUs = 0;
  const sink = { started() {}, firstToken() {}, preempted() {}, finished: (_: number, atUs: number) => { endUs = atUs; } };
  while (engine.nextUs < Infinity) engine.advance(engine.nextUs, sink);
  return endUs;
}

function passagesOf(facts: readonly Fact[]): Map<string, Passage> {
  const passages = new Map<string, Passage>();
  for (const fact of facts) {
    if (!("job" in fact)) continue;
    let passage = passages.get(fact.job);
    if (passage === undefined) passages.set(fact.job, passage = { submittedUs: 0, assignedUs: 0, startedUs: 0, madeFirstUs: 0, madeLastUs: 0, firstUs: 0, finishedUs: 0, endedUs: 0 });
    switch (fact.fact) {
      case "submitted": passage.submittedUs = fact.atUs; break;
      case "assigned": passage.assignedUs = fact.atUs; break;
      case "started": passage.startedUs = fact.atUs; break;
      case "made-first-token": passage.madeFirstUs = fact.atUs; break;
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

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, one) => sum + one, 0) / values.length;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
