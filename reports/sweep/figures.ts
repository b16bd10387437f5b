import * as Plot from "@observablehq/plot";
import { formatFigure } from "../../protocol/result/metrics.ts";
import { formatFactor } from "../../protocol/result/sweep.ts";
import type { SweepReport, SweptAxis, SweptMetric, SweptPoint } from "../../protocol/result/sweep.ts";
import { formatPercent } from "../../protocol/units.ts";
import { roundStep, spanAxis } from "../plots/axes.ts";
import type { Figure, Key, Panel } from "../plots/figure.ts";
import { renderFigure, WIDTH } from "../plots/figure.ts";
import { COLORS, GOOD, GREY } from "../plots/palette.ts";
import { heatColor, heatText } from "./heat.ts";
import type { SweepPlotName } from "./titles.ts";
import { SWEEP_TITLES } from "./titles.ts";

/** Levels of an axis that become a colour each. */
const mostColors = COLORS.length;
/** Values of an axis that a map shows one by one; of more, neighbours share a cell. */
const mostCells = 50;
/** Points that small multiples show. */
const mostDots = 2_000;
/** Small multiples beside and below each other. */
const mostColumns = 6;
const mostRows = 4;
/** Of pictures, pixels. */
const MARGIN_RIGHT = 36;
const MARGIN_LEFT_HEAT = 130;
/** Mean width of a character beside an axis. */
const CHARACTER = 7;
/** Characters of a name beside an axis. */
const nameLength = 22;

/** Every plot of a sweep's report, as SVG documents. */
export function renderSweepPlots(report: SweepReport): Record<SweepPlotName, string> {
  return { sweep: renderFigure(sweepFigure(report)), effects: renderFigure(effectsFigure(report)) };
}

/** What is varied: an axis, or the arms. */
interface Dimension {
  readonly name: string;
  /** Null for arms. */
  readonly axis: SweptAxis | null;
  /** In order; null where any value between the ends may be taken. */
  readonly levels: readonly (number | string)[] | null;
  readonly numeric: boolean;
  valueOf(point: SweptPoint): number | string;
  format(value: number | string): string;
}

function dimensionsOf({ axes, design }: SweepReport): Dimension[] {
  // What goes together is one dimension, shown by its first axis.
  const shown = design.kind === "zip" ? axes.slice(0, 1) : axes;
  return [
    ...shown.map((axis, i): Dimension => ({
      name: design.kind === "zip" && axes.length > 1 ? `${axis.name} (and with it ${axes.slice(1).map(({ name }) => name).join(", ")})` : axis.name,
      axis, levels: axis.levels, numeric: axis.ends !== null,
      valueOf: ({ factors }) => factors[i]!, format: (value) => formatFactor(value, axis),
    })),
    ...(design.arms === null ? [] : [{ name: "arm", axis: null, levels: design.arms, numeric: false, valueOf: ({ arm }: SweptPoint) => arm ?? "", format: String }]),
  ];
}

function sweepFigure(report: SweepReport): Figure {
  const { metrics, points, design } = report;
  const title = SWEEP_TITLES.sweep;
  if (metrics.length === 0 || points.length === 0) return { title, subtitle: "", keys: [], panels: [], empty: "No run has any of these figures." };
  const dimensions = dimensionsOf(report);
  if (design.kind === "latin-hypercube" || design.kind === "sobol") return scatterFigure(report, dimensions);
  const [first, second] = dimensions as [Dimension, ...Dimension[]];
  if (dimensions.length === 1) return linesFigure(report, first, null);
  if (dimensions.length === 2) {
    const [x, color] = first.numeric || !second!.numeric ? [first, second!] : [second!, first];
    if (!color.numeric && color.levels!.length <= mostColors) return linesFigure(report, x, color);
  }
  return heatFigure(report, dimensions);
}

/** A line with its band along one axis, for each colour; dots with intervals where the axis has names. */
function linesFigure({ metrics, points, confidence, design, best }: SweepReport, x: Dimension, color: Dimension | null): Figure {
  const colors = new Map(color?.levels?.map((level, i) => [level, COLORS[i]!]) ?? []);
  const colorOf = (point: SweptPoint): string => color === null ? GOOD : colors.get(color.valueOf(point)) ?? GREY;
  const keys: Key[] = color === null ? [] : color.levels!.map((level) => ({ name: color.format(level), color: colors.get(level)!, shape: x.numeric ? "line" : "dot" }));
  const banded = design.replications > 1;
  return {
    title: SWEEP_TITLES.sweep,
    subtitle: `Against ${x.name}${banded ? `. ${x.numeric ? "Band" : "Line"}: where the mean lies (${formatPercent(confidence)}), as far as chance goes.` : ": one run a point."}${x.numeric && best.length > 0 ? " Ring: the best mean." : ""}`,
    keys,
    panels: metrics.map((metric, m): Panel => {
      // What is never negative is not drawn as if it could be, where few runs make an interval wide.
      const negative = points.some(({ estimates }) => (estimates[m]!.min ?? 0) < 0);
      const clampedLow = (value: number): number => negative ? value : Math.max(0, value);
      const data = points.flatMap((point) => {
        const { mean, interval } = point.estimates[m]!;
        return mean === null ? [] : [{ index: point.index, at: x.valueOf(point), mean, low: clampedLow(interval?.low ?? mean), high: interval?.high ?? mean, color: colorOf(point) }];
      });
      if (data.length === 0) return noData(metric);
      const [low, high] = spanOf(data.flatMap((one) => [one.low, one.high, one.mean]));
      const winner = best.find((one) => one.metric === metric.id)?.point;
      const ringed = data.filter(({ index }) => index === winner);
      const figure = (value: number): string => formatFigure(value, metric.unit);
      if (!x.numeric) {
        const levels = x.levels!.map((level) => x.format(level));
        const arms = color?.levels ?? [""];
        const shift = (name: string): number => (arms.findIndex((level) => colors.get(level) === name) - (arms.length - 1) / 2) * (color === null ? 0 : 5);
        return {
          heading: heading(metric), height: 50 + (24 + (color === null ? 0 : 5 * arms.length)) * levels.length,
          plot: {
            marginLeft: 190, marginBottom: 34, y: { domain: levels, type: "band", label: null, tickSize: 0, tickFormat: (level: string) => clipped(level, 30) }, x: spanAxis(low, high, 5, figure),
            marks: [...new Set(data.map((one) => one.color))].flatMap((of) => {
              const some = data.filter((one) => one.color === of).map((one) => ({ ...one, at: x.format(one.at) }));
              const dy = color === null ? 0 : shift(of);
              return [Plot.ruleY(some, { y: "at", x1: "low", x2: "high", stroke: of, strokeWidth: 2, dy }), Plot.dot(some, { y: "at", x: "mean", fill: of, r: 4, dy })];
            }),
          },
        };
      }
      const groups = [...new Set(data.map((one) => one.color))].map((of) => data.filter((one) => one.color === of).toSorted((a, b) => (a.at as number) - (b.at as number)));
      const axis = numericAxis(x);
      return {
        heading: heading(metric), height: 190,
        plot: {
          marginLeft: 90, marginBottom: 34, x: axis.scale, y: spanAxis(low, high, 4, figure),
          marks: [
            axis.ticks,
            ...(low < 0 && high > 0 ? [Plot.ruleY([0], { stroke: "currentColor", strokeOpacity: 0.6 })] : []),
            ...groups.flatMap((some) => [
              ...(banded ? [Plot.areaY(some, { x: "at", y1: "low", y2: "high", fill: some[0]!.color, fillOpacity: 0.2 })] : []),
              Plot.line(some, { x: "at", y: "mean", stroke: some[0]!.color, strokeWidth: 2 }),
                      ...(some.length <= 60 ? [Plot.dot(some, { x: "at", y: "mean", fill: some[0]!.color, r: 3 })] : []),
            ]),
            Plot.dot(ringed, { x: "at", y: "mean", stroke: "currentColor", strokeWidth: 1.5, r: 6.5 }),
          ],
        },
      };
    }),
  };
}

/** A cell for each pair of values of two axes; further axes as small multiples. */
function heatFigure({ metrics, points, best }: SweepReport, dimensions: readonly Dimension[]): Figure {
  // Numbers run along the axes of a map, names tell maps apart.
  const coarse = dimensions.map(coarser);
  const ordered = [...coarse.filter(({ numeric }) => numeric), ...coarse.filter(({ numeric }) => !numeric)];
  const [x, y, column, row, ...averaged] = ordered as [Coarse, Coarse, ...(Coarse | undefined)[]];
  const columns = column?.levels?.slice(0, mostColumns) ?? [""];
  const rows = row?.levels?.slice(0, mostRows) ?? [""];
  const hidden = [...(column !== undefined && column.levels!.length > mostColumns ? [`the first ${mostColumns} of ${column.levels!.length} values of ${column.name}`] : []), ...(row !== undefined && row.levels!.length > mostRows ? [`the first ${mostRows} of ${row.levels!.length} values of ${row.name}`] : [])];
  const words = [
    `Each cell: mean at ${x.name} (across) and ${y.name} (${y.numeric ? "up" : "down"}); darker is more${best.length > 0 && averaged.length === 0 ? "; framed: the best mean" : ""}${points.some(({ estimates }) => estimates.some(({ mean }) => mean === null)) ? ", and a gap where there is no such figure" : ""}.`,
    ...(column === undefined ? [] : [`A map for each value of ${[column, row].flatMap((one) => one?.name ?? []).join(" (beside each other) and ")}${row === undefined ? "" : " (below each other)"}.`]),
    ...(x.levels!.length < x.of || y.levels!.length < y.of ? ["Neighbouring values share a cell, which is named after the first."] : []),
    ...(averaged.length === 0 ? [] : [`Averaged over ${averaged.map((one) => one!.name).join(", ")}.`]),
    ...(hidden.length === 0 ? [] : [`Shown are ${hidden.join(" and ")}; points.csv has all.`]),
  ];
  const beside = row === undefined ? MARGIN_RIGHT : 120;
  const width = (WIDTH - MARGIN_LEFT_HEAT - beside) * 0.94 / columns.length;
  const columnLabel = (level: number | string): string => column === undefined ? "" : clipped(columns.length > 3 || column.axis === null ? column.format(level) : `${shortName(column.name)} ${column.format(level)}`, Math.floor(width / CHARACTER));
  const rowLabel = (level: number | string): string => row === undefined ? "" : clipped(row.format(level), 16);
  return {
    title: SWEEP_TITLES.sweep, subtitle: words.join(" "), keys: [],
    panels: metrics.map((metric, m): Panel => {
      const cells = new Map<string, { readonly x: string; readonly y: string; readonly fx: string; readonly fy: string; sum: number; count: number; best: boolean }>();
      const winner = best.find((one) => one.metric === metric.id)?.point;
      for (const point of points) {
        const { mean } = point.estimates[m]!;
        const [c, r] = [column === undefined ? "" : column.valueOf(point), row === undefined ? "" : row.valueOf(point)];
        if (mean === null || !columns.includes(c) || !rows.includes(r)) continue;
        const place = { x: x.format(x.valueOf(point)), y: y.format(y.valueOf(point)), fx: columnLabel(c), fy: rowLabel(r) };
        const key = JSON.stringify(place);
        const cell = cells.get(key) ?? { ...place, sum: 0, count: 0, best: false };
        cell.sum += mean;
        cell.count++;
        cell.best ||= point.index === winner;
        cells.set(key, cell);
      }
      const means = [...cells.values()].map(({ sum, count, ...place }) => ({ ...place, mean: sum / count }));
      if (means.length === 0) return noData(metric);
      const values = means.map(({ mean }) => mean);
      const [least, most] = [Math.min(...values), Math.max(...values)];
      // Only where a cell is a point, and nothing is averaged.
      const framed = [...cells.values()].filter((cell) => cell.best && cell.count === 1);
      const facets = { ...(column === undefined ? {} : { fx: "fx" }), ...(row === undefined ? {} : { fy: "fy" }) };
      const data = means.map((cell) => ({ ...cell, share: most === least ? 0.5 : (cell.mean - least) / (most - least) }));
      const [wide, high] = [x.levels!.length, y.levels!.length];
      const cellWidth = width / wide;
      const texts = data.map((cell) => brief(cell.mean, metric));
      const fits = Math.max(...texts.map(({ length }) => length)) * 6 < cellWidth;
      const nameRoom = Math.floor((cellWidth - 4) / CHARACTER);
      const everyX = !x.numeric && nameRoom >= 4 ? 1 : Math.max(1, Math.ceil((Math.max(...x.levels!.map((level) => x.format(level).length)) * 6.3 + 6) / cellWidth));
      const everyY = Math.max(1, Math.ceil(high / 24));
      const height = Math.min(420, Math.max(110, high * Math.max(16, Math.min(30, 300 / high)))) * rows.length;
      return {
        heading: `${heading(metric)}: from ${brief(least, metric)} (pale) to ${brief(most, metric)} (dark)`,
        height: height + 60 + (column === undefined ? 0 : 16),
        plot: {
          marginLeft: MARGIN_LEFT_HEAT, marginBottom: 40, marginTop: column === undefined ? 8 : 26, marginRight: beside, padding: 0.04,
          x: { domain: x.levels!.map((level) => x.format(level)), type: "band", label: null, tickSize: 0, tickFormat: (text: string, i: number) => i % everyX !== 0 ? "" : x.numeric ? text : clipped(text, Math.max(4, nameRoom * everyX)) },
          // Numbers begin at the foot, names at the top.
          y: { domain: y.numeric ? y.levels!.map((level) => y.format(level)).toReversed() : y.levels!.map((level) => y.format(level)), type: "band", label: null, tickSize: 0, tickFormat: (text: string, i: number) => (y.numeric ? high - 1 - i : i) % everyY === 0 ? clipped(text, nameLength) : "" },
          ...(column === undefined ? {} : { fx: { domain: columns.map(columnLabel), label: null, padding: 0.06, axis: "top" } }),
          ...(row === undefined ? {} : { fy: { domain: rows.map(rowLabel), label: null, padding: 0.08 } }),
          marks: [
            Plot.cell(data, { x: "x", y: "y", ...facets, fill: ({ share }: { share: number }) => heatColor(share) }),
            ...(fits ? [Plot.text(data, { x: "x", y: "y", ...facets, text: ({ mean }: { mean: number }) => brief(mean, metric), fill: ({ share }: { share: number }) => heatText(share), fontSize: 10.5 })] : []),
            Plot.cell(framed, { x: "x", y: "y", ...facets, fill: "none", stroke: COLORS[1], strokeWidth: 2.5 }),
          ],
        },
      };
    }),
  };
}

interface Coarse extends Dimension {
  /** Values before neighbours were put together. */
  readonly of: number;
}

/** Where there are too many values for a cell each, neighbours go by the first of them. */
function coarser(dimension: Dimension): Coarse {
  const levels = dimension.levels!;
  if (levels.length <= mostCells) return { ...dimension, of: levels.length };
  const size = Math.ceil(levels.length / mostCells);
  const first = new Map(levels.map((level, i) => [level, levels[i - (i % size)]!]));
  return { ...dimension, of: levels.length, levels: levels.filter((_, i) => i % size === 0), valueOf: (point) => first.get(dimension.valueOf(point))! };
}

/** A dot for each point, against each axis, and the mean of parts of the axis. */
function scatterFigure({ metrics, points, effects, axes }: SweepReport, dimensions: readonly Dimension[]): Figure {
  const arms = dimensions.find(({ axis }) => axis === null);
  const colors = new Map(arms?.levels?.slice(0, mostColors).map((level, i) => [level, COLORS[i]!]) ?? []);
  const trend = arms === undefined ? COLORS[1] : "currentColor";
  const keys: Key[] = [
    ...(arms === undefined ? [{ name: "a point", color: GOOD } as const] : arms.levels!.map((level) => ({ name: String(level), color: colors.get(level) ?? GREY }))),
    ...(axes.length > 1 ? [{ name: "mean over a part of the axis, all other axes as they come", color: trend, shape: "line" } as const] : []),
  ];
  const shown = dimensions.filter(({ axis }) => axis !== null);
  return {
    title: SWEEP_TITLES.sweep,
    subtitle: `${points.length > mostDots ? `One of ${Math.ceil(points.length / mostDots)} points` : "Every point"}${shown.length > 1 ? ", once against each axis" : ""}. Where the dots lie in a narrow band, the axis explains the metric; where they scatter, others do.`,
    keys,
    panels: metrics.flatMap((metric, m): Panel[] => {
      const all = points.filter(({ estimates }) => estimates[m]!.mean !== null);
      if (all.length === 0) return [noData(metric)];
      const every = Math.ceil(all.length / mostDots);
      const known = all.filter((_, i) => i % every === 0);
      const [low, high] = spanOf(known.map(({ estimates }) => estimates[m]!.mean!));
      const per = Math.min(4, shown.length);
      return Array.from({ length: Math.ceil(shown.length / per) }, (_, part): Panel => {
        const group = shown.slice(part * per, (part + 1) * per);
        const facet = (dimension: Dimension): string => clipped(dimension.name, Math.floor(96 / per));
        const data = group.flatMap((dimension) => known.map((point) => ({ fx: facet(dimension), share: shareOf(dimension.axis!, dimension.valueOf(point)), mean: point.estimates[m]!.mean!, color: arms === undefined ? GOOD : colors.get(point.arm ?? "") ?? GREY })));
        const steps = group.flatMap((dimension) => effects.filter((effect) => effect.metric === metric.id && effect.axis === dimension.axis!.name).flatMap(({ means }) =>
          means.map(({ from, to, mean }) => {
            const [a, b] = from !== to ? [shareOf(dimension.axis!, from), shareOf(dimension.axis!, to)] : [shareOf(dimension.axis!, from) - 0.04, shareOf(dimension.axis!, from) + 0.04];
            return { fx: facet(dimension), from: a, to: b, mean };
          })));
        const ends = group.flatMap((dimension) => endsOf(dimension).map(([share, text, anchor]) => ({ fx: facet(dimension), share, text, anchor })));
        return {
          heading: part === 0 ? heading(metric) : "", height: 190,
          plot: {
            marginLeft: 90, marginBottom: 30, marginTop: 28,
            x: { domain: [-0.03, 1.03], axis: null }, y: spanAxis(low, high, 4, (value) => formatFigure(value, metric.unit)), fx: { domain: group.map(facet), label: null, padding: 0.08, axis: "top" },
            marks: [
              Plot.frame({ stroke: "currentColor", strokeOpacity: 0.25 }),
              Plot.dot(data, { fx: "fx", x: "share", y: "mean", fill: "color", fillOpacity: known.length > 300 ? 0.3 : 0.6, r: known.length > 300 ? 1.6 : 2.6 }),
              ...(steps.length === 0 ? [] : [Plot.ruleY(steps, { fx: "fx", y: "mean", x1: "from", x2: "to", stroke: trend, strokeWidth: 2.5 })]),
              ...(["start", "middle", "end"] as const).map((anchor) => Plot.text(ends.filter((end) => end.anchor === anchor), { fx: "fx", x: "share", frameAnchor: "bottom", dy: 14, text: "text", textAnchor: anchor, fill: "currentColor", fontSize: 10.5 })),
            ],
          },
        };
      });
    }),
  };
}

/** How much of each metric each axis explains alone. */
function effectsFigure({ effects, axes, metrics, design }: SweepReport): Figure {
  const title = SWEEP_TITLES.effects;
  if (effects.length === 0) return { title, subtitle: "", keys: [], panels: [], empty: axes.length === 1 ? "There is one axis alone." : design.kind === "zip" ? "Axes that go together cannot be told apart." : "Nothing was measured." };
  const known = effects.flatMap(({ share, ...effect }) => share === null ? [] : [{ ...effect, share }]);
  if (known.length === 0) return { title, subtitle: "", keys: [], panels: [], empty: "No figure differs between points." };
  const names = new Map(metrics.filter(({ id }) => known.some(({ metric }) => metric === id)).map(({ id, label }) => [id, clipped(label, 34)]));
  const data = known.map(({ metric, axis, share }) => ({ metric: names.get(metric)!, axis, share }));
  const every = Math.floor((WIDTH - 230 - MARGIN_RIGHT) / axes.length / CHARACTER);
  return {
    title,
    subtitle: "Of the differences between points, what each axis explains alone: the variance of the means at its values. What is missing to 100 % is what axes do together, and chance.",
    keys: [],
    panels: [{
      heading: "", height: 60 + 28 * names.size,
      plot: {
        marginLeft: 230, marginBottom: 36, padding: 0.05,
        x: { domain: axes.map(({ name }) => name), type: "band", label: null, tickSize: 0, tickFormat: (name: string) => clipped(name, every) }, y: { domain: [...names.values()], type: "band", label: null, tickSize: 0 },
        marks: [
          Plot.cell(data, { x: "axis", y: "metric", fill: ({ share }: { share: number }) => heatColor(share) }),
          Plot.text(data, { x: "axis", y: "metric", text: ({ share }: { share: number }) => formatPercent(Math.round(share * 100) / 100), fill: ({ share }: { share: number }) => heatText(share), fontSize: 11.5 }),
        ],
      },
    }],
  };
}

/** A figure with the digits that a cell has room for. */
function brief(value: number, { unit }: SweptMetric): string {
  return formatFigure(Number(value.toPrecision(4)), unit);
}

function heading({ label, better }: SweptMetric): string {
  return `${label.charAt(0).toUpperCase()}${label.slice(1)}${better === null ? "" : ` (${better} is better)`}`;
}

function noData(metric: SweptMetric): Panel {
  return { heading: `${heading(metric)}: no run has this figure`, height: 10, plot: { axis: null, marks: [] } };
}

/** The values' range with a margin, from 0 where 0 is near; never empty. */
function spanOf(values: readonly number[]): [number, number] {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const margin = high === low ? Math.max(1e-9, Math.abs(high) * 0.1) : (high - low) * 0.06;
  return [low >= 0 && low < 0.4 * high ? 0 : low - margin, high <= 0 && high > 0.4 * low ? 0 : high + margin];
}

/** Where a value lies on its axis, 0 to 1. */
function shareOf({ levels, ends, scale }: SweptAxis, value: number | string): number {
  if (ends === null || typeof value === "string") return levels === null || levels.length < 2 ? 0.5 : levels.indexOf(value) / (levels.length - 1);
  const [low, high] = ends;
  if (high === low) return 0.5;
  return scale === "log" && low > 0 ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
}

/** What is written below an axis of a small multiple: its ends, or its names where they are few. */
function endsOf({ axis, levels, format }: Dimension): [share: number, text: string, anchor: "start" | "middle" | "end"][] {
  const { ends } = axis!;
  if (ends !== null) return [[0, format(ends[0]), "start"], [1, format(ends[1]), "end"]];
  const names = levels!.map((level) => clipped(format(level), levels!.length === 3 ? 7 : 12));
  if (names.length === 1) return [[0.5, names[0]!, "middle"]];
  return [[0, names[0]!, "start"], ...(names.length === 3 ? [[0.5, names[1]!, "middle"] as [number, string, "middle"]] : []), [1, names.at(-1)!, "end"]];
}

interface NumericAxis {
  readonly scale: Plot.ScaleOptions;
  readonly ticks: Plot.Markish;
}

/** Plot's own axis leaves labels of a logarithmic scale out as it thinks fit. */
function numericAxis({ axis, levels, format }: Dimension): NumericAxis {
  const { ends, scale } = axis!;
  const [low, high] = ends!;
  const log = scale === "log" && low > 0 && high > low;
  const margin = high === low ? Math.max(1, Math.abs(high)) * 0.1 : 0;
  const domain = [low - margin, high + margin];
  const numbers = (levels ?? []).filter((level) => typeof level === "number");
  const room = Math.floor(600 / (Math.max(...[low, high].map((end) => format(end).length)) * 7 + 14));
  // Values that lie evenly are marked themselves, as far as there is room.
  const even = numbers.length >= 2 && numbers.every((value, i) => Math.abs(shareOf(axis!, value) - i / (numbers.length - 1)) < 0.02);
  const ticks = numbers.length <= room && (even || numbers.length < 2) ? numbers : log ? logTicks(low, high, room) : linearTicks(low, high, Math.min(6, room));
  return {
    scale: { type: log ? "log" : "linear", domain, label: null, grid: true, ticks, axis: null },
    ticks: Plot.axisX(ticks, { text: (value: number) => format(value), label: null }),
  };
}

function linearTicks(low: number, high: number, parts: number): number[] {
  const step = roundStep((high - low) / parts);
  const first = Math.ceil(low / step - 1e-9);
  return Array.from({ length: Math.floor(high / step + 1e-9) - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

function logTicks(low: number, high: number, room: number): number[] {
  for (const mantissas of [[1, 1.5, 2, 3, 4, 5, 6, 7, 8, 9], [1, 2, 3, 5, 7], [1, 2, 5], [1, 3], [1]]) {
    const ticks: number[] = [];
    for (let exponent = Math.floor(Math.log10(low)); exponent <= Math.ceil(Math.log10(high)); exponent++) {
      for (const mantissa of mantissas) {
        const tick = Number(`${mantissa}e${exponent}`);
        if (tick >= low * (1 - 1e-9) && tick <= high * (1 + 1e-9)) ticks.push(tick);
      }
    }
    if (ticks.length <= room && (ticks.length >= 2 || mantissas.length === 1)) return ticks;
  }
  return [low, high];
}

/** The last part of a path, which tells most. */
function shortName(name: string): string {
  return name.length <= 18 ? name : name.split(".").at(-1)!;
}

function clipped(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, Math.max(1, most - 1))}…`;
}
