import { RandomStreams } from "../../kernel/random.ts";
import { valueAt } from "../../scenario/range.ts";
import type { Finding } from "../../../input/problem.ts";
import type { ArmsSpec } from "../../scenario/sections/arms.ts";
import { timesChange } from "../../scenario/sections/sweep.ts";
import type { AxisMove, SweepAxis, SweepSpec } from "../../scenario/sections/sweep.ts";
import type { Change, Variation } from "../../scenario/variation.ts";
import { latinHypercube, levelOf, product, sobolPoints } from "./designs.ts";

/** A place of a sweep at which the market is played. */
export interface SweepPoint {
  /** From 0. */
  readonly index: number;
  /** Null where the sweep does not cross arms. */
  readonly arm: string | null;
  /** Of each axis: a number in the axis' unit, or a text. */
  readonly factors: readonly (number | string)[];
  readonly variation: Variation;
}

/** What a place on an axis is: its value, and the changes that it takes. */
interface Place {
  readonly factor: number | string;
  readonly changes: readonly Change[];
}

/**
 * The points of a sweep, in order. Where arms are crossed, every point in the first arm, then in the second.
 * @param seed of the experiment: random designs follow from it
 * @param finding told of what does not fit the market; the points are of no use then
 */
export function sweepPoints({ axes, combine, arms: crossed }: SweepSpec, arms: ArmsSpec | null, seed: number, finding: (finding: Finding) => void): SweepPoint[] {
  const places = axes.map((axis) => axis.levels?.map((_, i) => placeAtLevel(axis, i, finding)) ?? null);
  const points: SweepPoint[] = [];
  const held = crossed && arms !== null ? arms.arms : [{ name: null, variation: [] }];
  for (const arm of held) {
    for (const shares of designOf(axes, combine, seed)) {
      const at = axes.map((axis, i) => {
        const levels = places[i];
        return levels === null || levels === undefined ? placeAtShare(axis, shares[i]!, finding) : levels[combine.kind === "product" || combine.kind === "zip" ? shares[i]! : levelOf(shares[i]!, levels.length)]!;
      });
      points.push({ index: points.length, arm: arm.name, factors: at.map(({ factor }) => factor), variation: [...arm.variation, ...at.flatMap(({ changes }) => changes)] });
    }
  }
  return points;
}

/** Indexes of levels where axes are lists, shares of the way from end to end where they are drawn. */
function designOf(axes: readonly SweepAxis[], combine: SweepSpec["combine"], seed: number): Iterable<readonly number[]> {
  const random = () => new RandomStreams(seed).stream("experiment", "sweep", combine.kind);
  switch (combine.kind) {
    case "product": return product(axes.map(({ levels }) => levels!.length));
    case "zip": return axes[0]!.levels!.map((_, i) => axes.map(() => i));
    case "latin-hypercube": return latinHypercube(combine.points, axes.length, random());
    case "sobol": return sobolPoints(combine.points, axes.length, combine.scrambled ? random() : undefined);
  }
}

function placeAtLevel({ levels, moves }: SweepAxis, i: number, finding: (finding: Finding) => void): Place {
  const factor = levels![i]!;
  return {
    factor,
    changes: moves.flatMap((move): readonly Change[] => {
      if (move.kind === "times") return times(move, factor as number, finding);
      return move.kind === "values" ? [{ path: move.path, value: move.values[i], at: move.listed ? [...move.at, i] : move.at }] : [];
    }),
  };
}

function placeAtShare({ moves, ends, scale }: SweepAxis, share: number, finding: (finding: Finding) => void): Place {
  const [from, to] = ends!;
  const exact = scale === "log" ? from * Math.exp(share * Math.log(to / from)) : from + share * (to - from);
  // Six digits: nobody means more, and every point says the factor that was played.
  const factor = Number(exact.toPrecision(6));
  const changes: Change[] = [];
  let shown: number | null = null;
  for (const move of moves) {
    if (move.kind === "times") changes.push(...times(move, factor, finding));
    else if (move.kind === "range") {
      const { from: least, to: most, unit } = move.range;
      const drawn = valueAt(move.range, share).value;
      // Twelve decimals: what doubles add to a decimal step is no part of the value.
      const value = move.step === null ? drawn : Number((least + Math.min(Math.floor((most - least) / move.step + 1e-9), Math.round((drawn - least) / move.step)) * move.step).toFixed(12));
      shown ??= value;
      changes.push({ path: move.path, value: unit === "" ? value : `${value}${unit.startsWith("/") ? "" : " "}${unit}`, at: move.at });
    }
  }
  return { factor: shown ?? factor, changes };
}

function times(move: Extract<AxisMove, { kind: "times" }>, factor: number, finding: (finding: Finding) => void): Change[] {
  const change = timesChange(move, factor);
  if (!("found" in change)) return [change];
  finding(change);
  return [];
}
