import type { MainEffect, SweptAxis, SweptMetric, SweptPoint } from "../../../protocol/result/sweep.ts";
import { meanOf } from "../../kernel/statistics/lists.ts";

/** Parts into which an axis is cut where values are drawn, at most. */
const mostParts = 10;
/** Points that a value must have on average to be a part by itself. */
const leastPoints = 4;

/**
 * What each axis does to each metric on average over the others, and how much of the differences between points that explains:
 * the correlation ratio, which in a full product is the main effect's share of the analysis of variance.
 */
export function mainEffects(axes: readonly SweptAxis[], metrics: readonly SweptMetric[], points: readonly SweptPoint[]): MainEffect[] {
  return metrics.flatMap((metric, m) => axes.map((axis, a): MainEffect => {
    const parts = partsOf(axis, points.map(({ factors }) => factors[a]!));
    const groups = parts.map((): number[] => []);
    const all: number[] = [];
    for (const point of points) {
      const mean = point.estimates[m]?.mean ?? null;
      const part = parts.findIndex((one) => one.holds(point.factors[a]!));
      if (mean === null || part < 0) continue;
      groups[part]!.push(mean);
      all.push(mean);
    }
    const grand = meanOf(all);
    const total = all.reduce((sum, value) => sum + (value - grand) * (value - grand), 0);
    const between = groups.reduce((sum, group) => sum + (group.length === 0 ? 0 : group.length * (meanOf(group) - grand) * (meanOf(group) - grand)), 0);
    return {
      metric: metric.id, axis: axis.name, share: total > 0 ? Math.min(1, between / total) : null,
      means: parts.flatMap(({ from, to }, i) => groups[i]!.length === 0 ? [] : [{ from, to, points: groups[i]!.length, mean: meanOf(groups[i]!) }]),
    };
  }));
}

interface Part {
  readonly from: number | string;
  readonly to: number | string;
  holds(value: number | string): boolean;
}

/** Each level by itself, as each of a few whole numbers that were drawn; or equal parts of the way from end to end. @param drawn at the points */
function partsOf({ levels, ends, scale }: SweptAxis, drawn: readonly (number | string)[]): Part[] {
  if (levels !== null) return levels.map(valueAlone);
  const values = [...new Set(drawn)].sort((a, b) => Number(a) - Number(b));
  if (values.length <= Math.min(mostParts, drawn.length / leastPoints)) return values.map(valueAlone);
  const [least, most] = ends!;
  const count = Math.max(2, Math.min(mostParts, Math.floor(Math.sqrt(drawn.length))));
  const at = (share: number): number => share === 1 ? most : scale === "log" ? least * Math.exp(share * Math.log(most / least)) : least + share * (most - least);
  return Array.from({ length: count }, (_, i) => {
    const [from, to] = [at(i / count), at((i + 1) / count)];
    return { from, to, holds: (value) => typeof value === "number" && value >= from && (i === count - 1 ? value <= to : value < to) };
  });
}

function valueAlone(level: number | string): Part {
  return { from: level, to: level, holds: (value) => value === level };
}
