import { nonNegativeLeastSquares } from "../../sim/calibrate/nnls.ts";
import type { ShareTables } from "../../sim/scenario/sections/hosts.ts";
import type { StepCost } from "../../sim/world/engine/engine.ts";

/** A job that went through a node's engine. */
export interface EngineRun {
  readonly node: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** When the step with its prompt began, when its first token was made, and when the last; µs. */
  readonly startedUs: number;
  readonly firstUs: number;
  readonly lastUs: number;
}

/** What a part of a job was, and how long it took while so many nodes were busy. */
export interface Progress {
  readonly node: number;
  readonly phase: "prompt" | "generation";
  /** How long it would have taken with the machine to itself, µs. */
  readonly aloneUs: number;
  /**
   * By number of busy nodes, the own one among them: how long it took, µs. In generation, a µs counts as what its step does in a µs
   * of a typical step, that {@link aloneUs} is made of.
   */
  readonly withBusyUs: readonly number[];
}

/** Fewer jobs than this that saw so many nodes busy say nothing of it. */
const JOBS_NEEDED = 8;
/** Fewer steps than this are lost in the delays of their telling. */
const STEPS_NEEDED = 3;

/**
 * What the jobs of one stretch of time got done while other nodes were busy. Prompts that shared a step with another prompt are left
 * out, since the times of their parts cannot be told apart.
 * @param runs all jobs of that time, of all nodes.
 * @param costs by node: of a step with the machine to itself.
 */
export function progressOf(runs: readonly EngineRun[], costs: readonly StepCost[]): Progress[] {
  const edges = [...new Set(runs.flatMap(({ startedUs, firstUs, lastUs }) => [startedUs, firstUs, lastUs]))].sort((a, b) => a - b);
  const nodes = costs.map((_, node) => runs.filter((run) => run.node === node));
  const busyBetween = (fromUs: number, untilUs: number): number => nodes.filter((jobs) => jobs.some(({ startedUs, lastUs }) => startedUs <= fromUs && lastUs >= untilUs)).length;
  const pieces = (fromUs: number, untilUs: number): { fromUs: number; untilUs: number; busy: number }[] => {
    const cuts = [fromUs, ...edges.filter((at) => at > fromUs && at < untilUs), untilUs];
    return cuts.slice(1).map((until, i) => ({ fromUs: cuts[i]!, untilUs: until, busy: busyBetween(cuts[i]!, until) }));
  };
  return runs.flatMap((run): Progress[] => {
    const { node, inputTokens, outputTokens, startedUs, firstUs, lastUs } = run;
    const cost = costs[node]!;
    const mates = nodes[node]!.filter((one) => one !== run && one.startedUs < lastUs && one.lastUs > startedUs);
    const found: Progress[] = [];
    if (!mates.some((mate) => mate.startedUs < firstUs && mate.firstUs > startedUs)) {
      const atUs = (startedUs + firstUs) / 2;
      const decoding = mates.filter((mate) => mate.firstUs <= atUs && mate.lastUs >= atUs);
      const withBusyUs = empty(nodes.length);
      for (const piece of pieces(startedUs, firstUs)) withBusyUs[piece.busy]! += piece.untilUs - piece.fromUs;
      found.push({
        node, phase: "prompt", withBusyUs,
        aloneUs: cost.baseUs(inputTokens, decoding.length) + cost.contextUs * contextOf(decoding, atUs) + (cost.prefillContextUs * inputTokens * (inputTokens - 1)) / 2,
      });
    }
    // A mate's prompt takes one step with it, whose time says nothing of generation.
    const steps = outputTokens - 1 - mates.filter((mate) => mate.firstUs > firstUs && mate.firstUs <= lastUs).length;
    if (steps >= STEPS_NEEDED) {
      const typicalUs = cost.baseUs(0, 1);
      const withBusyUs = empty(nodes.length);
      for (const { fromUs, untilUs, busy } of pieces(firstUs, lastUs)) {
        if (mates.some((mate) => mate.startedUs <= fromUs && mate.firstUs >= untilUs)) continue;
        const together = [run, ...mates.filter((mate) => mate.firstUs <= fromUs && mate.lastUs >= untilUs)];
        const stepUs = cost.baseUs(0, together.length) + cost.contextUs * contextOf(together, (fromUs + untilUs) / 2);
        withBusyUs[busy]! += ((untilUs - fromUs) * typicalUs) / stepUs;
      }
      found.push({ node, phase: "generation", withBusyUs, aloneUs: steps * typicalUs });
    }
    return found;
  });
}

/**
 * The share of its speed that a busy node has while 1, 2, 3, ... nodes are: what jobs get done adds up over the times in which so
 * many were busy, `alone = sum over k of share(k) x time with k busy`, in least squares weighted so that for one k alone it is the
 * sum of what was done over the sum of the times. The more are busy, the less each has, and none more than with fewer.
 * @param otherwise what holds for numbers of busy nodes that too few jobs saw.
 */
export function sharesOf(progress: readonly Progress[], otherwise: readonly number[]): number[] {
  const unknown = otherwise.flatMap((_, i) => (i > 0 && progress.filter(({ withBusyUs }) => withBusyUs[i + 1]! > 0).length >= JOBS_NEEDED ? [i + 1] : []));
  const rows = progress.map(({ withBusyUs, aloneUs }) => {
    const weight = 1 / Math.sqrt(Math.max(1, withBusyUs.reduce((sum, us) => sum + us, 0)));
    const known = withBusyUs.reduce((sum, us, busy) => sum + (busy === 0 || unknown.includes(busy) ? 0 : us * otherwise[busy - 1]!), 0);
    return { times: unknown.map((busy) => weight * withBusyUs[busy]!), rest: weight * (aloneUs - known) };
  });
  const found = unknown.length === 0 ? [] : nonNegativeLeastSquares(rows.map(({ times }) => times), rows.map(({ rest }) => rest));
  const shares: number[] = [];
  for (const [i, share] of otherwise.entries()) {
    const at = unknown.indexOf(i + 1);
    shares.push(Math.max(1e-3, Math.min(shares.at(-1) ?? 1, at < 0 ? share : found[at]!)));
  }
  return shares;
}

/**
 * Tables for classes of nodes and for all of them together. What too few jobs of a class saw is as with all nodes; what too few jobs
 * at all saw is as the cores say.
 * @param classOf by node.
 */
export function shareTables(progress: readonly Progress[], classOf: readonly number[], cores: number): { readonly all: ShareTables; readonly byClass: readonly ShareTables[] } {
  const asCoresSay = classOf.map((_, i) => Math.min(1, cores / (i + 1)));
  const of = (phase: Progress["phase"], operatorClass: number | null): Progress[] => progress.filter((one) => one.phase === phase && (operatorClass === null || classOf[one.node] === operatorClass));
  const all = { shares: sharesOf(of("generation", null), asCoresSay), promptShares: sharesOf(of("prompt", null), asCoresSay) };
  const classes = Array.from({ length: Math.max(-1, ...classOf) + 1 }, (_, i) => i);
  return { all, byClass: classes.map((one) => ({ shares: sharesOf(of("generation", one), all.shares), promptShares: sharesOf(of("prompt", one), all.promptShares) })) };
}

const empty = (nodes: number): number[] => new Array<number>(nodes + 1).fill(0);

/** Tokens that a step reads of jobs that generate, at this time; tokens come evenly. */
function contextOf(runs: readonly EngineRun[], atUs: number): number {
  return runs.reduce((sum, { inputTokens, outputTokens, firstUs, lastUs }) => sum + inputTokens + 1 + (outputTokens - 1) * Math.min(1, Math.max(0, (atUs - firstUs) / Math.max(1, lastUs - firstUs))), 0);
}
