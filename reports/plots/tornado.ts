import * as Plot from "@observablehq/plot";
import type { Panel } from "./figure.ts";
import { BAD, GOOD } from "./palette.ts";

/** One end of a tornado's bar. */
export interface TornadoEnd {
  /** What is assumed there. */
  readonly text: string;
  readonly value: number;
  /** Where the value lies, as far as chance goes. */
  readonly interval?: { readonly low: number; readonly high: number } | null;
}

export interface TornadoBar {
  readonly name: string;
  readonly low: TornadoEnd;
  readonly high: TornadoEnd;
}

/** What the two colours mean, for a legend. */
export const TORNADO_KEYS = [{ name: "at the low value", color: BAD }, { name: "at the high value", color: GOOD }] as const;

/**
 * Bars from `base` to either end, the first on top, each end with what is assumed there.
 * @param axis of the bounds between which everything lies, room for texts included
 * @param names how a bar is labelled; its name where absent
 */
export function tornadoPanel({ heading, base, bars, least, axis, names = (name) => name }: {
  readonly heading: string;
  readonly base: number;
  readonly bars: readonly TornadoBar[];
  /** Values that the axis must hold besides. */
  readonly least: readonly number[];
  readonly axis: (low: number, high: number) => Plot.ScaleOptions;
  readonly names?: (name: string) => string;
}): Panel {
  const ends = bars.flatMap((bar) => [
    { name: bar.name, ...bar.low, color: BAD, anchor: anchorOf(bar.low.value, bar.high.value, bar) },
    { name: bar.name, ...bar.high, color: GOOD, anchor: anchorOf(bar.high.value, bar.low.value, bar) },
  ]);
  const whiskers = ends.flatMap(({ name, interval }) => (interval == null || interval.low === interval.high ? [] : [{ name, ...interval }]));
  const [low, high] = spanOf([...ends.map(({ value }) => value), base, ...least, ...whiskers.flatMap((whisker) => [whisker.low, whisker.high])]);
  const room = (high - low) * 0.2;
  // Where both ends lie on one side, the outer one is drawn first, so that both can be seen.
  const drawn = ends.toSorted((a, b) => Math.abs(b.value - base) - Math.abs(a.value - base));
  return {
    heading, height: 48 + 29 * bars.length,
    plot: {
      marginLeft: 170,
      x: axis(low - room, high + room),
      y: { domain: bars.map(({ name }) => name), label: null, tickSize: 0, tickFormat: names },
      marks: [
        Plot.ruleX([0], { stroke: "currentColor", strokeOpacity: 0.35 }),
        Plot.barX(drawn, { x1: base, x2: "value", y: "name", fill: "color", fillOpacity: 0.85, insetTop: 3, insetBottom: 3 }),
        Plot.ruleX([base], { stroke: "currentColor", strokeWidth: 1.5 }),
        ...(whiskers.length === 0 ? [] : [Plot.ruleY(whiskers, { x1: "low", x2: "high", y: "name", stroke: "currentColor", strokeWidth: 1.5 })]),
        ...(["start", "end"] as const).map((anchor) => Plot.text(ends.filter((end) => end.anchor === anchor), {
          x: (end: (typeof ends)[number]) => (anchor === "start" ? Math.max(end.value, end.interval?.high ?? end.value) : Math.min(end.value, end.interval?.low ?? end.value)),
          y: "name", text: "text", textAnchor: anchor, dx: anchor === "start" ? 5 : -5, fill: "currentColor", fontSize: 11,
        })),
      ],
    },
  };
}

/** On which side of a bar's end its text stands: outside, and apart from the other end's. */
function anchorOf(end: number, other: number, { low, high }: TornadoBar): "start" | "end" {
  return end > other || (end === other && low.value <= high.value) ? "start" : "end";
}

/** The values' range, with a margin; never empty. */
export function spanOf(values: readonly number[]): [number, number] {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const margin = high === low ? Math.max(1, Math.abs(high) * 0.1) : (high - low) * 0.05;
  return [low - margin, high + margin];
}
