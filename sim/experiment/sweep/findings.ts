import { formatFigure } from "../../../protocol/result/metrics.ts";
import { placeOf } from "../../../protocol/result/sweep.ts";
import type { MainEffect, SweepReport, SweptAxis, SweptPoint } from "../../../protocol/result/sweep.ts";
import { formatNumber, formatPercent } from "../../../protocol/units.ts";

/** Below so much of the variance between points, an axis is not said to explain anything. */
const worthSaying = 0.05;

/** What the points of a sweep say, a sentence or two for each metric. */
export function sweepFindings({ axes, metrics, points, effects, confidence }: Pick<SweepReport, "axes" | "metrics" | "points" | "effects" | "confidence">): string[] {
  return metrics.flatMap((metric, m): string[] => {
    const known = points.filter(({ estimates }) => estimates[m]!.mean !== null);
    const [first, ...others] = known;
    if (first === undefined) return [`${capital(metric.label)}: no run has this figure.`];
    if (others.length === 0) return [`${capital(metric.label)} is ${said(first, m)} at ${placeOf(axes, first)}, the only point.`];
    const highest = known.reduce((best, point) => point.estimates[m]!.mean! > best.estimates[m]!.mean! ? point : best);
    const lowest = known.reduce((best, point) => point.estimates[m]!.mean! < best.estimates[m]!.mean! ? point : best);
    if (highest.estimates[m]!.mean === lowest.estimates[m]!.mean) return [`${capital(metric.label)} is ${formatFigure(highest.estimates[m]!.mean, metric.unit)} at every point.`];
    const [best, worst] = metric.better === "lower" ? [lowest, highest] : [highest, lowest];
    const word = best === lowest ? "lowest" : "highest";
    const near = overlapping(known, best, m);
    const rivals = near === null ? "; with one run a point, chance is not told apart from what was varied"
      : near === 0 ? "; no other point's interval reaches that of the best"
      : near === known.length - 1 ? "; the intervals of all points overlap: more replications would tell them apart"
      : `; the intervals of ${near === 1 ? "1 other point" : `${formatNumber(near)} other points`} overlap with it`;
    return [`${capital(metric.label)} is ${word} at ${placeOf(axes, best)}: ${said(best, m)}${rivals}. It is ${word === "lowest" ? "highest" : "lowest"} at ${placeOf(axes, worst)}: ${formatFigure(worst.estimates[m]!.mean, metric.unit)}.${matters(effects, metric.id, axes)}`];
  });

  function said(point: SweptPoint, m: number): string {
    const { mean, interval } = point.estimates[m]!;
    const { unit } = metrics[m]!;
    return `${formatFigure(mean, unit)}${interval === null ? "" : ` (${formatPercent(confidence)} CI ${formatFigure(interval.low, unit)} to ${formatFigure(interval.high, unit)})`}`;
  }
}

/** Which axis makes the differences. */
function matters(effects: readonly MainEffect[], metric: string, axes: readonly SweptAxis[]): string {
  if (axes.length < 2) return "";
  const shares = effects.filter((effect) => effect.metric === metric && effect.share !== null && effect.share >= worthSaying).toSorted((a, b) => b.share! - a.share!);
  return shares.length === 0 ? "" : ` Of the differences between points, ${shares.slice(0, 3).map(({ axis, share }) => `${axis} alone explains ${formatPercent(share!)}`).join(", ")}.`;
}

/** Other points whose interval overlaps with this one's; null where it has none. */
function overlapping(points: readonly SweptPoint[], best: SweptPoint, m: number): number | null {
  const own = best.estimates[m]!.interval;
  if (own === null) return null;
  return points.filter((point) => {
    const other = point.estimates[m]!.interval;
    return point !== best && (other === null || (other.low <= own.high && other.high >= own.low));
  }).length;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
