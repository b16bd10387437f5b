import { meanOf } from "../kernel/statistics/lists.ts";
import type { StepCost } from "../world/engine/engine.ts";

/** Prompts that were measured: what the interpolation needs of a profile's point. */
export interface PromptTime {
  readonly sequences: number;
  /** Of each prompt. */
  readonly tokens: number;
  /** Of each sequence, before. */
  readonly contextTokens: number;
  readonly us: number;
}

/** Steps of generation that were measured. */
export interface StepTime {
  readonly batch: number;
  /** Of each sequence, before the first step. */
  readonly contextTokens: number;
  readonly steps: number;
  readonly usPerStep: number;
}

/**
 * Step cost straight from measurements, no form assumed beyond what the engine knows: attention is linear in context.
 * Its slope is what points with the same batch (or the same prompt) and different context say, together; without such
 * points context costs nothing more. The rest is linear between the points, beyond the last as between the last two, and
 * below the smallest batch as at it. One batch size alone is taken as a speed that does not change: batching then gains
 * nothing.
 * @throws RangeError where there is no point of either kind.
 */
export function interpolatedCost(prefill: readonly PromptTime[], decode: readonly StepTime[]): StepCost {
  if (prefill.length === 0 || decode.length === 0) throw new RangeError("measurements without a single prompt, or without a step of generation, give no step cost");
  // Several prompts at once say the least of one: they count only where nothing else is there.
  const alone = prefill.filter(({ sequences }) => sequences === 1);
  const prompts = (alone.length > 0 ? alone : prefill).map(({ sequences, tokens, contextTokens, us }) => ({
    at: sequences * tokens, reads: sequences * (tokens * contextTokens + tokens * (tokens - 1) / 2), us,
  }));
  // A step reads its own token too, as the engine counts.
  const steps = decode.map(({ batch, contextTokens, steps: n, usPerStep }) => ({ at: batch, reads: batch * (contextTokens + (n + 1) / 2), us: usPerStep }));
  const promptSlope = slopeOf(prompts);
  const stepSlope = slopeOf(steps);
  const promptPoints = [[0, 0] as const, ...withoutReads(prompts, promptSlope)];
  const stepPoints = withoutReads(steps, stepSlope);
  const [firstBatch, firstUs] = stepPoints[0]!;
  const stepLine = stepPoints.length === 1 ? [[0, 0] as const, ...stepPoints] : stepPoints;
  return {
    baseUs: (prefillTokens, sequences) =>
      (prefillTokens === 0 ? 0 : along(promptPoints, prefillTokens))
      + (sequences === 0 ? 0 : sequences <= firstBatch ? firstUs : along(stepLine, sequences)),
    contextUs: stepSlope,
    prefillContextUs: promptSlope,
  };
}

interface Point {
  /** Tokens, or sequences. */
  readonly at: number;
  /** Tokens of context read. */
  readonly reads: number;
  readonly us: number;
}

/** Least squares over the groups of equal `at`, each with a level of its own; never so much that a point's rest falls below a hundredth. */
function slopeOf(points: readonly Point[]): number {
  let product = 0;
  let square = 0;
  for (const group of groups(points).values()) {
    const reads = meanOf(group.map((point) => point.reads));
    const us = meanOf(group.map((point) => point.us));
    for (const point of group) {
      product += (point.reads - reads) * (point.us - us);
      square += (point.reads - reads) * (point.reads - reads);
    }
  }
  const most = points.reduce((least, { reads, us }) => reads === 0 ? least : Math.min(least, 0.99 * us / reads), Infinity);
  return square === 0 ? 0 : Math.min(Math.max(0, product / square), most);
}

/** [at, µs without the reading of context], by rising `at`. */
function withoutReads(points: readonly Point[], slope: number): (readonly [number, number])[] {
  return [...groups(points)].map(([at, group]) => [at, meanOf(group.map(({ reads, us }) => us - slope * reads))] as const).sort(([a], [b]) => a - b);
}

function groups(points: readonly Point[]): Map<number, Point[]> {
  const found = new Map<number, Point[]>();
  for (const point of points) {
    const group = found.get(point.at);
    if (group === undefined) found.set(point.at, [point]);
    else group.push(point);
  }
  return found;
}

/** Linear between points, and beyond the last two, where it does not fall. */
function along(points: readonly (readonly [number, number])[], x: number): number {
  const i = points.findIndex(([from]) => from >= x);
  const [x1, y1] = points.at(i)!;
  const [x0, y0] = points.at(i === -1 ? -2 : i - 1)!;
  const slope = (y1 - y0) / (x1 - x0);
  return i === -1 ? y1 + Math.max(0, slope) * (x - x1) : y0 + slope * (x - x0);
}
