import type { FittedCost } from "../../protocol/fitted-cost.ts";
import { touchedShare } from "../world/engine/fitted-cost.ts";
import type { ModelFacts } from "./facts.ts";
import type { Point } from "./points.ts";
import { fitRelative } from "./robust.ts";

/** Forms that measured points can be fitted with; `line` is `steps` with a straight line through all batch sizes. */
export type PointForm = "affine" | "experts" | "line" | "steps";

/** What a form is fitted with beside the points. */
export interface FormOptions {
  readonly passTokens: number | null;
  readonly mixed: FittedCost["mixed"];
  /** null where nothing is known of the model but that it is dense. */
  readonly facts: ModelFacts | null;
  /** Form experts: taken as given, not searched for. */
  readonly agreement?: number;
}

/** The form's cost with the coefficients that come nearest to the points; loss as in {@link fitRelative}. */
export function fitForm(form: PointForm, points: readonly Point[], options: FormOptions): { readonly cost: FittedCost; readonly loss: number } {
  switch (form) {
    case "affine": return fitAffine(points, options);
    case "experts": return fitExperts(points, options);
    case "line": return fitSteps(points, options, (batches) => (batches.length < 2 ? batches : [batches[0]!, batches.at(-1)!]));
    case "steps": return fitSteps(points, options, (batches) => batches);
  }
}

/** Prompts and generation count the same, however many points there are of each. */
function weightsOf(points: readonly Point[]): number[] {
  const decoding = points.reduce((count, { kind }) => count + (kind === "decode" ? 1 : 0), 0);
  return points.map(({ kind }) => 1 / (kind === "decode" ? decoding : points.length - decoding));
}

type Columns = readonly ((point: Point) => number)[];

const nothing = (): number => 0;

/** Columns that the points can tell from the others; where they cannot, the coefficient stays 0. */
function telling(points: readonly Point[]): Record<"contextRead" | "pairs" | "isBatched" | "sequences", (point: Point) => number> {
  const several = (kind: Point["kind"], of: (point: Point) => number): boolean =>
    new Set(points.filter((point) => point.kind === kind).map(of)).size > 1;
  const batches = several("decode", ({ sequences }) => sequences);
  return {
    contextRead: several("decode", ({ contextRead, sequences }) => contextRead / sequences) ? ({ contextRead }) => contextRead : nothing,
    pairs: several("prefill", ({ pairs, tokens }) => pairs / tokens) ? ({ pairs }) => pairs : nothing,
    isBatched: batches && points.some(({ kind, sequences }) => kind === "decode" && sequences === 1) ? isBatched : nothing,
    sequences: batches ? decoding : nothing,
  };
}

function solve(points: readonly Point[], columns: Columns): { readonly x: readonly number[]; readonly loss: number } {
  return fitRelative(points.map((point) => columns.map((column) => column(point))), points.map(({ us }) => us), weightsOf(points));
}

const isBatched = ({ tokens, passes }: Point): number => (tokens / passes > 1 ? passes : 0);
const decoding = (point: Point): number => (point.kind === "decode" ? point.sequences : 0);

function plain(options: FormOptions): FittedCost {
  return {
    form: "affine", passTokens: options.passTokens, mixed: options.mixed, fixedUs: 0, batchedUs: 0, readUs: 0, tokenUs: 0, sequenceUs: 0,
    contextUs: 0, promptContextUs: 0, experts: null, steps: null,
  };
}

function fitAffine(points: readonly Point[], options: FormOptions): { cost: FittedCost; loss: number } {
  const share = options.facts?.sampleShare;
  const tell = telling(points);
  const { x, loss } = solve(points, [
    ({ passes }) => passes,
    (point) => point.tokens + (share ?? 0) * decoding(point),
    tell.contextRead,
    tell.pairs,
    tell.isBatched,
    ...(share === undefined ? [tell.sequences] : []),
  ]);
  const [fixedUs, tokenUs, contextUs, promptContextUs, batchedUs, sequenceUs] = x as [number, number, number, number, number, number?];
  return { cost: { ...plain(options), fixedUs, batchedUs, tokenUs, sequenceUs: sequenceUs ?? share! * tokenUs, contextUs, promptContextUs }, loss };
}

function fitExperts(points: readonly Point[], options: FormOptions): { cost: FittedCost; loss: number } {
  const { facts } = options;
  if (facts === null || facts.experts === null) throw new RangeError("form experts needs to know how many experts the model has and how many a token visits");
  const { activeShare, readShare } = facts.experts;
  const tell = telling(points);
  const at = (agreement: number): { cost: FittedCost; loss: number } => {
    const { x, loss } = solve(points, [
      ({ passes, tokens }) => passes * (1 - readShare + readShare * touchedShare(activeShare, agreement, tokens / passes)),
      (point) => point.tokens + facts.sampleShare * decoding(point),
      tell.contextRead,
      tell.pairs,
      tell.isBatched,
    ]);
    const [readUs, tokenUs, contextUs, promptContextUs, batchedUs] = x as [number, number, number, number, number];
    return {
      cost: {
        ...plain(options), form: "experts", fixedUs: (1 - readShare) * readUs, batchedUs, tokenUs, sequenceUs: facts.sampleShare * tokenUs,
        contextUs, promptContextUs, experts: { readUs: readShare * readUs, activeShare, agreement },
      },
      loss,
    };
  };
  if (options.agreement !== undefined) return at(options.agreement);
  let best = at(1);
  for (let hundredths = 99; hundredths >= 30; hundredths--) {
    const next = at(hundredths / 100);
    if (next.loss < best.loss * (1 - 1e-9)) best = next;
  }
  return best;
}

/** Prompts and generation apart; decode steps linear between the knots, which are chosen of the batch sizes there are, in rising order. */
function fitSteps(points: readonly Point[], options: FormOptions, choose: (batches: readonly number[]) => readonly number[]): { cost: FittedCost; loss: number } {
  const knots = choose([...new Set(points.filter(({ kind }) => kind === "decode").map(({ sequences }) => sequences))].sort((a, b) => a - b));
  const tell = telling(points);
  const prompts = (column: (point: Point) => number) => (point: Point): number => (point.kind === "prefill" ? column(point) : 0);
  const { x, loss } = solve(points, [
    prompts(({ tokens }) => tokens),
    prompts(({ passes }) => passes),
    ...knots.map((_, i) => (point: Point) => (point.kind === "decode" ? weightAt(knots, i, point.sequences) : 0)),
    tell.contextRead,
    tell.pairs,
  ]);
  const [tokenUs, fixedUs] = x as [number, number];
  const steps = knots.map((sequences, i) => ({ sequences, us: Math.max(1e-3, x[2 + i]!) }));
  return { cost: { ...plain(options), form: "steps", tokenUs, fixedUs, contextUs: x.at(-2)!, promptContextUs: x.at(-1)!, steps }, loss };
}

/** Share of the i-th knot in a value linearly interpolated at `sequences`, which lies between the first knot and the last. */
function weightAt(knots: readonly number[], i: number, sequences: number): number {
  const [left, knot, right] = [knots[i - 1], knots[i]!, knots[i + 1]];
  if (sequences === knot) return 1;
  if (left !== undefined && sequences > left && sequences < knot) return (sequences - left) / (knot - left);
  return right !== undefined && sequences > knot && sequences < right ? (right - sequences) / (right - knot) : 0;
}
