import type { StepCost } from "../engine/engine.ts";

/** Speeds of a machine, as measured with one model and engine. */
export interface MeasuredSpeeds {
  /** Prompts alone: their length, and the prompt tokens processed per second; at least one row, lengths rising. */
  readonly prefill: readonly { readonly tokens: number; readonly tokensPerS: number }[];
  /** Generation: sequences in the batch, and the tokens per second of all of them together; at least one row, batches rising. */
  readonly decode: readonly { readonly batch: number; readonly tokensPerS: number }[];
}

/**
 * Step cost from measurements: linear in between, beyond the last row as between the last two, below the first decode row as
 * at it. One row alone is taken as a speed that does not change: batching then gains nothing. Generation costs what it did at
 * the context at which it was measured.
 */
export function measuredStepCost({ prefill, decode }: MeasuredSpeeds): StepCost {
  const promptPoints = [[0, 0], ...prefill.map(({ tokens, tokensPerS }) => [tokens, tokens / tokensPerS * 1e6])] as [number, number][];
  const stepPoints = decode.map(({ batch, tokensPerS }): [number, number] => [batch, batch / tokensPerS * 1e6]);
  if (stepPoints.length === 1) stepPoints.unshift([0, 0]);
  const [firstBatch, firstUs] = stepPoints[0]!;
  return {
    baseUs: (prefillTokens, sequences) =>
      (prefillTokens === 0 ? 0 : at(promptPoints, prefillTokens)) + (sequences === 0 ? 0 : sequences <= firstBatch ? firstUs : at(stepPoints, sequences)),
    contextUs: 0,
    prefillContextUs: 0,
  };
}

/** Linear between points, and beyond the last two. */
function at(points: readonly (readonly [number, number])[], x: number): number {
  let i = points.findIndex(([from]) => from >= x);
  if (i === -1) i = points.length - 1;
  const [x0, y0] = points[i - 1] ?? [0, 0];
  const [x1, y1] = points[i]!;
  return y0 + (y1 - y0) * (x - x0) / (x1 - x0);
}
