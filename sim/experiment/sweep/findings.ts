import { formatFigure } from "../../../protocol/result/metrics.ts";
import { formatEstimate, placeOf } from "../../../protocol/result/sweep.ts";
import type { MainEffect, SweepReport, SweptAxis, SweptPoint } from "../../../protocol/result/sweep.ts";
import { formatNumber, formatPercent } from "../../../protocol/units.ts";

/** Points that a sentence names. */
const rivalsNamed = 3;
/** Below so much of the variance between points, an axis is not said to explain anything. */
const worthSaying = 0.05;

/** What the points of a sweep say, a sentence or two for each metric. */
export function sweepFindings({ axes, metrics, points, best: bests, effects, confidence }: Pick<SweepReport, "axes" | "metrics" | "points" | "best" | "effects" | "confidence">): string[] {
  return metrics.flatMap((metric, m): string[] => {
    const known = points.filter(({ estimates }) => estimates[m]!.mean !== null);
    const [first, ...others] = known;
    const name = capital(metric.label);
    if (first === undefined) return [`${name}: no run has this figure.`];
    if (others.length === 0) return [`${name}: ${said(first, m)} at ${placeOf(axes, first)}, the only point.`];
    const highest = known.reduce((found, point) => point.estimates[m]!.mean! > found.estimates[m]!.mean! ? point : found);
    const lowest = known.reduce((found, point) => point.estimates[m]!.mean! < found.estimates[m]!.mean! ? point : found);
    if (highest.estimates[m]!.mean === lowest.estimates[m]!.mean) return [`${name}: ${formatFigure(highest.estimates[m]!.mean, metric.unit)} at every point.`];
    const [one, other] = metric.better === "lower" ? [lowest, highest] : [highest, lowest];
    const [word, opposite] = one === lowest ? ["lowest", "highest"] : ["highest", "lowest"];
    const rivals = bests.find((best) => best.metric === metric.id)?.rivals ?? null;
    return [`${name}: ${word}, ${said(one, m)}, at ${placeOf(axes, one)}; ${opposite}, ${said(other, m)}, at ${placeOf(axes, other)}.${rivals === null ? "" : ` ${apart(rivals, known.length)}`}${matters(effects, metric.id, axes)}`];
  });

  function said(point: SweptPoint, m: number): string {
    const { text, low, high } = formatEstimate(point.estimates[m]!, metrics[m]!.unit);
    return low === null ? text : `${text} (${formatPercent(confidence)} CI ${low} to ${high})`;
  }

  /** Which other points may be the best in truth. */
  function apart(rivals: readonly number[], known: number): string {
    if (rivals.length === 0) return "Compared run by run, every other point is worse by more than chance.";
    if (rivals.length === known - 1) return "No other point is told apart from it: more replications may do that.";
    const named = points.filter(({ index }) => rivals.includes(index)).slice(0, rivalsNamed).map((point) => placeOf(axes, point));
    const rest = rivals.length - named.length;
    return `Not told apart from it by these runs: ${named.join("; ")}${rest === 0 ? "" : `; and ${formatNumber(rest)} more`}. The other points are worse by more than chance.`;
  }
}

/** Which axis makes the differences. */
function matters(effects: readonly MainEffect[], metric: string, axes: readonly SweptAxis[]): string {
  if (axes.length < 2) return "";
  const shares = effects.filter((effect) => effect.metric === metric && effect.share !== null && effect.share >= worthSaying).toSorted((a, b) => b.share! - a.share!);
  return shares.length === 0 ? "" : ` Of the differences between points, ${shares.slice(0, 3).map(({ axis, share }) => `${axis} alone explains ${formatPercent(Math.round(share! * 100) / 100)}`).join(", ")}.`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
