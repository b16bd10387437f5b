import * as Plot from "@observablehq/plot";
import { formatFigure } from "../../protocol/result/metrics.ts";
import type { SearchReport } from "../../protocol/result/search.ts";
import { formatNumber, formatPercent, formatSignificant } from "../../protocol/units.ts";
import { countAxis, spanAxis } from "../plots/axes.ts";
import type { Figure, Panel } from "../plots/figure.ts";
import { renderFigure } from "../plots/figure.ts";
import { BAD, COLORS, GOOD, GREY } from "../plots/palette.ts";
import type { SearchPlotName } from "./titles.ts";
import { SEARCH_TITLES } from "./titles.ts";

/** Alternatives that a picture shows: the chosen one and the best of the others. */
const SHOWN = 30;
/** Share of the points tried that the picture of a range shows: the better ones. */
const NEAR = 0.6;

/** Every plot of a search report, as SVG documents. */
export function renderSearchPlots(report: SearchReport): Record<SearchPlotName, string> {
  return { values: renderFigure(valuesFigure(report)), race: renderFigure(report.path === null ? raceFigure(report) : pathFigure(report)) };
}

interface Row {
  readonly name: string;
  readonly x: number;
  readonly mean: number;
  readonly low: number;
  readonly high: number;
  readonly color: string;
}

function axisOf({ goal }: SearchReport, values: readonly number[], parts = 5): Plot.ScaleOptions {
  const [low, high] = span(values);
  return spanAxis(low, high, parts, (value) => formatFigure(Number(value.toPrecision(6)), goal.metric.unit));
}

/** The values' range, with a margin; never empty. */
function span(values: readonly number[]): [number, number] {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const margin = high === low ? Math.max(1e-9, Math.abs(high) * 0.1) : (high - low) * 0.06;
  return [low - margin, high + margin];
}

function valuesFigure(report: SearchReport): Figure {
  const { alternatives, chosen, goal, parameters, method, path } = report;
  const title = SEARCH_TITLES.values;
  const rows = alternatives.flatMap(({ name, numbers, fresh }, i): Row[] => fresh?.mean === null || fresh === null ? [] : [{
    name, x: numbers[0] ?? NaN, mean: fresh.mean, low: fresh.interval?.low ?? fresh.mean, high: fresh.interval?.high ?? fresh.mean, color: i === chosen ? GOOD : GREY,
  }]);
  if (rows.length === 0) return { title, subtitle: "", keys: [], panels: [], empty: "No alternative was played again." };
  const subtitle = `${goal.metric.label[0]!.toUpperCase()}${goal.metric.label.slice(1)}, ${goal.direction === "maximise" ? "to be as high as possible" : "to be as low as possible"}: means over ${formatNumber(method.fresh)} runs with random numbers that had no part in the choice, and their ${formatPercent(method.confidence)} intervals.`;
  const keys = [{ name: "chosen", color: GOOD }, { name: path === null ? "others" : "other finalists", color: GREY }];
  const [only] = parameters;
  const curve = parameters.length === 1 && only!.unit !== null && rows.every(({ x }) => Number.isFinite(x));
  if (curve) {
    const unit = only!.unit!;
    // Points of the search beside them: they were all played with the same random numbers, so that their curve is one.
    const tried = (path ?? []).flatMap(({ numbers, mean }) => mean === null ? [] : [{ x: numbers[0]!, mean }]).toSorted((a, b) => a.x - b.x);
    // Far from the best, the curve would flatten what is near it.
    const sorted = tried.map(({ mean }) => mean).toSorted((a, b) => (goal.direction === "maximise" ? b - a : a - b));
    const worst = sorted[Math.floor((sorted.length - 1) * NEAR)] ?? 0;
    const near = tried.filter(({ mean }) => (goal.direction === "maximise" ? mean >= worst : mean <= worst));
    const shape = path === null ? rows.toSorted((a, b) => a.x - b.x) : near;
    const [low, high] = span([...rows, ...shape].map(({ x }) => x));
    return {
      title, subtitle, keys: path === null ? keys : [...keys, { name: "points tried, with the search's random numbers", color: COLORS[5], shape: "line" }],
      panels: [{
        heading: `${goal.metric.label[0]!.toUpperCase()}${goal.metric.label.slice(1)} against ${only!.path}${near.length < tried.length ? " (the better points)" : ""}`, height: 300,
        plot: {
          marginLeft: 100,
          x: spanAxis(low, high, 7, (value) => `${formatSignificant(value, 4)}${unit === "" ? "" : ` ${unit}`}`),
          y: axisOf(report, [...rows.flatMap(({ low: least, high: most }) => [least, most]), ...shape.map(({ mean }) => mean)]),
          marks: [
            Plot.line(shape, { x: "x", y: "mean", stroke: path === null ? GREY : COLORS[5], strokeWidth: 1.2, strokeOpacity: 0.8 }),
            ...(path === null ? [] : [Plot.dot(near, { x: "x", y: "mean", r: 2, fill: COLORS[5] })]),
            Plot.link(rows, { x1: "x", x2: "x", y1: "low", y2: "high", stroke: "color", strokeWidth: 9, strokeOpacity: 0.4 }),
            Plot.dot(rows, { x: "x", y: "mean", r: 3.2, fill: "color" }),
          ],
        },
      }],
    };
  }
  const best = rows.toSorted((a, b) => Number(b.color === GOOD) - Number(a.color === GOOD) || (goal.direction === "maximise" ? b.mean - a.mean : a.mean - b.mean)).slice(0, SHOWN);
  return {
    title, subtitle, keys,
    panels: [{
      heading: `${goal.metric.label[0]!.toUpperCase()}${goal.metric.label.slice(1)} of ${parameters.map(({ path: name }) => name).join(", ")}`.slice(0, 90), height: 48 + 22 * best.length,
      plot: {
        marginLeft: 190, marginRight: 48,
        x: axisOf(report, best.flatMap(({ low, high }) => [low, high]), 4),
        y: { domain: best.map(({ name }) => name), label: null, tickSize: 0, tickFormat: shorten },
        marks: [
          Plot.link(best, { x1: "low", x2: "high", y1: "name", y2: "name", stroke: "color", strokeWidth: 2.5 }),
          Plot.dot(best, { x: "mean", y: "name", r: 4.5, fill: "color" }),
        ],
      },
    }],
  };
}

/** How many runs of each alternative the race took, and what was in it by then. */
function raceFigure(report: SearchReport): Figure {
  const { alternatives, chosen, goal, race, method } = report;
  const title = SEARCH_TITLES.race;
  if (race.length === 0) return { title, subtitle: "", keys: [], panels: [], empty: "Too little was played for a race." };
  const points = alternatives.flatMap(({ name }, i) => race.flatMap(({ runs, means }) => means[i] === null || means[i] === undefined ? [] : [{ name, i, runs, mean: means[i], color: i === chosen ? GOOD : GREY }]));
  const ends = alternatives.flatMap(({ name }, i) => {
    const last = points.filter((point) => point.i === i).at(-1);
    return last === undefined ? [] : [{ ...last, name, color: i === chosen ? GOOD : method.name === "ocba" ? GREY : BAD }];
  });
  const labelled = alternatives.length <= SHOWN ? spread(ends, points.map(({ mean }) => mean)) : ends.filter(({ i }) => i === chosen).map((end) => ({ ...end, dy: 0 }));
  const most = race.at(-1)!.runs;
  const ocba = method.name === "ocba";
  const panels: Panel[] = [{
    heading: `Mean ${goal.metric.label} over the runs so far`, height: 290,
    plot: {
      marginLeft: 100, marginRight: 130,
      x: { type: "log", domain: [race[0]!.runs * 0.97, Math.max(most, race[0]!.runs * 1.5) * 1.02], label: null, ticks: ticks(race[0]!.runs, Math.max(most, race[0]!.runs * 1.5)), tickFormat: (runs: number) => `${formatNumber(runs)} runs`, grid: true },
      y: axisOf(report, points.map(({ mean }) => mean)),
      marks: [
        Plot.line(points.filter(({ i }) => i !== chosen), { x: "runs", y: "mean", z: "i", stroke: GREY, strokeWidth: 1.2, strokeOpacity: 0.8 }),
        Plot.line(points.filter(({ i }) => i === chosen), { x: "runs", y: "mean", stroke: GOOD, strokeWidth: 2.2 }),
        Plot.dot(ends, { x: "runs", y: "mean", r: 3.5, fill: "color" }),
        ...labelled.map((end) => Plot.text([end], { x: "runs", y: "mean", text: ({ name }: { name: string }) => shorten(name), textAnchor: "start", dx: 7, dy: end.dy, fill: "currentColor", fontSize: 11 })),
      ],
    },
  }];
  return {
    title,
    subtitle: ocba
      ? "Means of the alternatives as runs were dealt out, most to those that are hard to tell from the best."
      : `Each line is an alternative; it ends where it was out of the race. Nobody goes before each had ${formatNumber(method.first)} runs; from then on, whoever is too far behind.`,
    keys: [{ name: "chosen", color: GOOD, shape: "line" }, ...(ocba ? [] : [{ name: "out", color: BAD }])],
    panels,
  };
}

/** Points of ranges in the order in which they were tried, and the best so far. */
function pathFigure(report: SearchReport): Figure {
  const { goal, parameters, path, alternatives, chosen } = report;
  const title = SEARCH_TITLES.race;
  const tried = path!.flatMap(({ numbers, mean }, order) => mean === null ? [] : [{ order: order + 1, mean, numbers }]);
  if (tried.length === 0) return { title, subtitle: "", keys: [], panels: [], empty: "No point has a value." };
  let best = tried[0]!.mean;
  const soFar = tried.map(({ order, mean }) => {
    best = goal.direction === "maximise" ? Math.max(best, mean) : Math.min(best, mean);
    return { order, best };
  });
  // One bad corner would flatten all the rest.
  const sorted = tried.map(({ mean }) => mean).toSorted((a, b) => (goal.direction === "maximise" ? b - a : a - b));
  const worst = sorted[Math.floor((sorted.length - 1) * 0.9)]!;
  const seen = tried.filter(({ mean }) => (goal.direction === "maximise" ? mean >= worst : mean <= worst));
  const panels: Panel[] = [{
    heading: `Mean ${goal.metric.label} of each point, in the order tried${seen.length < tried.length ? " (the worst tenth lies outside)" : ""}`, height: 210,
    plot: {
      marginLeft: 100,
      x: countAxis(0, tried.length + 1, 6), y: axisOf(report, [...seen.map(({ mean }) => mean), ...soFar.slice(-1).map(({ best: last }) => last)], 4),
      marks: [Plot.dot(seen, { x: "order", y: "mean", r: 2.6, fill: GREY }), Plot.line(soFar.filter((point) => goal.direction === "maximise" ? point.best >= worst : point.best <= worst), { x: "order", y: "best", curve: "step-after", stroke: GOOD, strokeWidth: 2 })],
    },
  }];
  const numbers = chosen === null ? undefined : alternatives[chosen]!.numbers;
  for (const [d, { path: name, unit, from, to }] of parameters.entries()) {
    panels.push({
      heading: name, height: 120,
      plot: {
        marginLeft: 100,
        x: countAxis(0, tried.length + 1, 6),
        y: spanAxis(from!, to!, 4, (value) => `${formatSignificant(value, 4)}${unit === null || unit === "" ? "" : ` ${unit}`}`),
        marks: [
          ...(numbers?.[d] === null || numbers?.[d] === undefined ? [] : [Plot.ruleY([numbers[d]], { stroke: GOOD, strokeWidth: 1.5 })]),
          Plot.dot(tried, { x: "order", y: ({ numbers: at }: { numbers: readonly number[] }) => at[d]!, r: 2.2, fill: GREY }),
        ],
      },
    });
  }
  return { title, subtitle: "Each dot is a point of the ranges, played with the same random numbers as all others.", keys: [{ name: "best so far; what was chosen", color: GOOD, shape: "line" }], panels };
}

/** Shifts of labels that would lie on each other. */
function spread<T extends { readonly runs: number; readonly mean: number }>(ends: readonly T[], means: readonly number[]): (T & { readonly dy: number })[] {
  const [low, high] = span(means);
  const pixels = 250 / (high - low);
  const placed: (T & { readonly dy: number; readonly at: number })[] = [];
  for (const end of ends.toSorted((a, b) => b.mean - a.mean)) {
    const own = (high - end.mean) * pixels;
    const below = placed.filter(({ runs }) => Math.abs(Math.log(runs / end.runs)) < 0.35).reduce((most, { at }) => Math.max(most, at + 12), -Infinity);
    const at = Math.max(own, below);
    placed.push({ ...end, dy: at - own, at });
  }
  return placed;
}

function ticks(least: number, most: number): number[] {
  const all = [1, 2, 5].flatMap((digit) => [1, 10, 100, 1_000, 10_000, 100_000].map((unit) => digit * unit)).toSorted((a, b) => a - b);
  const within = all.filter((tick) => tick >= least && tick <= most * 1.02);
  return within.length > 0 ? within : [least];
}

/** Long names differ at their ends more often than in their middle. */
function shorten(name: string): string {
  return name.length <= 24 ? name : `${name.slice(0, 11)}…${name.slice(-12)}`;
}
