import * as Plot from "@observablehq/plot";
import type { EquilibriumPlayer, EquilibriumReport } from "../../protocol/result/equilibrium.ts";
import { formatFigure } from "../../protocol/result/metrics.ts";
import { formatNumber, formatPercent, formatSignificant } from "../../protocol/units.ts";
import { spanAxis } from "../plots/axes.ts";
import type { Figure, Panel } from "../plots/figure.ts";
import { renderFigure } from "../plots/figure.ts";
import { BAD, colorsByClass, GOOD, GREY } from "../plots/palette.ts";
import type { EquilibriumPlotName } from "./titles.ts";
import { EQUILIBRIUM_TITLES } from "./titles.ts";

/** Players that get a panel of their own; the tables have all. */
const PANELS = 6;

/** Every plot of an equilibrium report, as SVG documents. */
export function renderEquilibriumPlots(report: EquilibriumReport): Record<EquilibriumPlotName, string> {
  return { path: renderFigure(pathFigure(report)), deviations: renderFigure(deviationsFigure(report)), regret: renderFigure(regretFigure(report)) };
}

/** The number that stands for a player's strategy: its value where it decides one number, else its place on the grid. */
function numberOf({ strategies, parameters }: EquilibriumPlayer, strategy: number): number {
  const number = parameters.length === 1 ? strategies[strategy]!.numbers[0] : null;
  return number ?? strategy + 1;
}

function isNumeric({ parameters, strategies }: EquilibriumPlayer): boolean {
  return parameters.length === 1 && strategies.every(({ numbers }) => numbers[0] !== null);
}

/** A path without its class: `engine.service-time.slots`. */
function short(path: string): string {
  return path.replace(/^(operators|clients)\.[^.]+\./, "");
}

function span(values: readonly number[], part = 0.06): [number, number] {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const margin = high === low ? Math.max(1e-9, Math.abs(high) * 0.1) : (high - low) * part;
  return [low - margin, high + margin];
}

/** Strategies that an axis names one by one. */
const NAMED = 12;

function strategyAxis(player: EquilibriumPlayer): Plot.ScaleOptions {
  if (!isNumeric(player)) {
    const count = player.strategies.length;
    const every = Math.ceil(count / NAMED);
    const ticks = Array.from({ length: Math.ceil(count / every) }, (_, i) => 1 + i * every);
    return { domain: [0.5, count + 0.5], label: null, ticks, tickFormat: (place: number) => shorten(player.strategies[place - 1]!.name), grid: true };
  }
  const numbers = player.strategies.map((_, i) => numberOf(player, i));
  const [low, high] = span(numbers);
  const unit = player.parameters[0]?.unit ?? "";
  return spanAxis(low, high, 6, (value) => `${formatSignificant(value, 4)}${unit === "" ? "" : ` ${unit}`}`);
}

/** What each player did after each move, one line each. */
function pathFigure(report: EquilibriumReport): Figure {
  const { players, steps, kind } = report;
  const title = EQUILIBRIUM_TITLES.path;
  const { color } = colorsByClass(players.map(({ name }) => ({ name, weight: 1 })));
  const paths = new Set(players.map(({ parameters }) => parameters.map(({ path, unit }) => `${short(path)} ${unit}`).join()));
  // Where all decide the same kind of number, lines may share a panel and be compared.
  const together = paths.size === 1 && players.every(isNumeric) && players.length > 1;
  const groups = together ? [players] : players.slice(0, PANELS).map((player) => [player]);
  const last = steps.length - 1;
  const panels = groups.map((group): Panel => {
    const points = group.flatMap((player) => {
      const p = players.indexOf(player);
      return steps.map(({ strategies }, step) => ({ step, value: numberOf(player, strategies[p]!), name: player.name, color: color(player.name) }));
    });
    const first = group[0]!;
    const wide = { ...first, strategies: group.flatMap(({ strategies }) => strategies) };
    return {
      heading: `${group.length > 1 ? "" : `${first.name}: `}${first.parameters.map(({ path }) => short(path)).join(", ")} after each move`.slice(0, 90), height: group.length > 1 ? 280 : 150,
      plot: {
        marginLeft: isNumeric(first) ? 90 : 190, marginRight: group.length > 1 ? 110 : 36,
        x: { domain: [-0.3, Math.max(1, last) + 0.3], label: null, ticks: stepTicks(last), tickFormat: (step: number) => (step === 0 ? "start" : `move ${step}`) },
        y: strategyAxis(wide),
        marks: [
          ...group.map((player) => Plot.line(points.filter(({ name }) => name === player.name), { x: "step", y: "value", stroke: "color", strokeWidth: 2, curve: "step-after", strokeOpacity: 0.8 })),
          Plot.dot(points, { x: "step", y: "value", r: 3, fill: "color" }),
          ...(group.length > 1 ? labels(points.filter(({ step }) => step === last), points.map(({ value }) => value)) : []),
        ],
      },
    };
  });
  return {
    title,
    subtitle: `Each move is a best answer to what the others did by then. ${kind === "pure" ? "At the end nobody wants to move." : kind === "mixed" || kind === "cycle" ? "They go round in circles." : "It did not settle."}`,
    keys: together ? [] : players.length > PANELS ? [{ name: `the first ${PANELS} of ${players.length} players`, color: GREY }] : [],
    panels: [...panels, ...answersPanel(report, color)],
  };
}

/** Two who each decide one number: their best answers to each other, and the way between them. */
function answersPanel({ players, steps, answers }: EquilibriumReport, color: (name: string) => string): Panel[] {
  const [first, second] = players;
  if (players.length !== 2 || first === undefined || second === undefined || !isNumeric(first) || !isNumeric(second)) return [];
  const points = answers.map(({ player, to, best }) => ({
    x: numberOf(first, player === first.name ? best : to[0]!), y: numberOf(second, player === second.name ? best : to[1]!), player, color: color(player),
  }));
  const curve = (player: EquilibriumPlayer, by: "x" | "y"): typeof points => points.filter((point) => point.player === player.name).toSorted((a, b) => a[by] - b[by]);
  const way = steps.map(({ strategies }) => ({ x: numberOf(first, strategies[0]!), y: numberOf(second, strategies[1]!) }));
  return [{
    heading: `Best answers: ${first.name} (across) and ${second.name} (up)`, height: 300,
    keys: [...players.map(({ name }) => ({ name: `best answers of ${name}`, color: color(name) })), { name: "the way they went", color: GREY, shape: "dashed" }],
    plot: {
      marginLeft: 90, x: strategyAxis(first), y: strategyAxis(second),
      marks: [
        Plot.line(curve(first, "y"), { x: "x", y: "y", stroke: color(first.name), strokeOpacity: 0.5 }),
        Plot.line(curve(second, "x"), { x: "x", y: "y", stroke: color(second.name), strokeOpacity: 0.5 }),
        Plot.line(way, { x: "x", y: "y", stroke: GREY, strokeDasharray: "4 3", strokeWidth: 1.5 }),
        Plot.dot(points, { x: "x", y: "y", r: 4, fill: "color" }),
        Plot.dot(way.slice(-1), { x: "x", y: "y", r: 8, stroke: "currentColor", strokeWidth: 1.5 }),
      ],
    },
  }];
}

/** Names at the ends of lines, apart from each other; several in one place share a label. */
function labels(ends: readonly { readonly step: number; readonly value: number; readonly name: string }[], values: readonly number[]): Plot.Markish[] {
  const [low, high] = span(values);
  const pixels = 240 / (high - low);
  const places = new Map<number, string[]>();
  for (const { value, name } of ends) places.set(value, [...(places.get(value) ?? []), name]);
  let below = -Infinity;
  return [...places].toSorted(([a], [b]) => b - a).map(([value, names]) => {
    const own = (high - value) * pixels;
    const at = Math.max(own, below + 13);
    below = at;
    const text = names.length > 2 ? `${names[0]!} and ${names.length - 1} more` : names.join(", ");
    return Plot.text([{ step: ends[0]!.step, value }], { x: "step", y: "value", text: () => text, textAnchor: "start", dx: 8, dy: at - own, fill: "currentColor", fontSize: 11 });
  });
}

function stepTicks(last: number): number[] {
  const every = Math.max(1, Math.ceil((last + 1) / 8));
  return Array.from({ length: Math.floor(last / every) + 1 }, (_, i) => i * every);
}

/** What each player would have with each strategy of its grid, the others as they are. */
function deviationsFigure({ players, method, kind }: EquilibriumReport): Figure {
  const title = EQUILIBRIUM_TITLES.deviations;
  const known = players.filter(({ deviations }) => deviations.some(({ payoff }) => payoff.mean !== null));
  if (known.length === 0) return { title, subtitle: "", keys: [], panels: [], empty: "No fresh runs were played." };
  // Players who decide alike and play alike have alike panels: one of them will do.
  const shown = known.slice(0, PANELS);
  const panels = shown.map((player): Panel => {
    const rows = player.deviations.flatMap(({ strategy, payoff }) => payoff.mean === null ? [] : [{
      x: numberOf(player, strategy), name: player.strategies[strategy]!.name, mean: payoff.mean, low: payoff.interval?.low ?? payoff.mean, high: payoff.interval?.high ?? payoff.mean,
      color: player.plays.some((played) => played.strategy === strategy) ? GOOD : GREY,
    }]);
    const numeric = isNumeric(player);
    const [low, high] = span(rows.flatMap(({ low: least, high: most }) => [least, most]));
    const y = spanAxis(low, high, 4, (value) => formatFigure(Number(value.toPrecision(6)), player.payoff.unit));
    const heading = `${player.name}: ${player.payoff.label.replace(` of ${player.name}`, "")} against ${player.parameters.map(({ path }) => short(path)).join(", ")}`.slice(0, 92);
    if (!numeric) {
      return {
        heading, height: 44 + 21 * rows.length,
        plot: {
          marginLeft: 190, marginRight: 48, x: y, y: { domain: rows.map(({ name }) => name), label: null, tickSize: 0, tickFormat: shorten },
          marks: [Plot.link(rows, { x1: "low", x2: "high", y1: "name", y2: "name", stroke: "color", strokeWidth: 9, strokeOpacity: 0.4 }), Plot.dot(rows, { x: "mean", y: "name", r: 3.5, fill: "color" })],
        },
      };
    }
    return {
      heading, height: shown.length > 3 ? 160 : 220,
      plot: {
        marginLeft: 100, x: strategyAxis(player), y,
        marks: [
          Plot.line(rows.toSorted((a, b) => a.x - b.x), { x: "x", y: "mean", stroke: GREY, strokeWidth: 1.2 }),
          Plot.link(rows, { x1: "x", x2: "x", y1: "low", y2: "high", stroke: "color", strokeWidth: 9, strokeOpacity: 0.4 }),
          Plot.dot(rows, { x: "x", y: "mean", r: 3.5, fill: "color" }),
        ],
      },
    };
  });
  return {
    title,
    subtitle: `Means over ${formatNumber(method.fresh)} runs with fresh random numbers and their ${formatPercent(method.confidence)} intervals, the other players as they are${shown.length < known.length ? ` (the first ${PANELS} of ${known.length} players)` : ""}.`,
    keys: [{ name: kind === "mixed" ? "played now and then" : "what the player does", color: GOOD }, { name: "what it might do instead", color: GREY }],
    panels,
  };
}

/** The most that each player would gain, and its bounds. */
function regretFigure({ players, method }: EquilibriumReport): Figure {
  const title = EQUILIBRIUM_TITLES.regret;
  const rows = players.flatMap(({ name, regret, gets }) => regret?.mean === null || regret === null || regret.atMost === null || regret.atLeast === null ? [] : [{
    name, mean: regret.mean, low: regret.atLeast, high: regret.atMost, gets: gets?.mean ?? null, color: regret.atLeast > 0 ? BAD : GOOD,
  }]).slice(0, 20);
  if (rows.length === 0) return { title, subtitle: "", keys: [], panels: [], empty: "No fresh runs were played." };
  const { unit } = players[0]!.payoff;
  const most = Math.max(...rows.map(({ high }) => high));
  return {
    title,
    subtitle: `The most that each player would gain by another strategy of its grid, the others as they are. Bars: where the true gain lies, for all at once with ${formatPercent(method.confidence)} confidence.`,
    keys: [{ name: "may be nothing", color: GOOD }, ...(rows.some(({ color }) => color === BAD) ? [{ name: "more than nothing", color: BAD }] : [])],
    panels: [{
      heading: "Gain by leaving alone", height: 44 + 26 * rows.length,
      plot: {
        marginLeft: 120, marginRight: 170,
        x: spanAxis(0, most > 0 ? most * 1.05 : 1, 4, (value) => formatFigure(Number(value.toPrecision(6)), unit)),
        y: { domain: rows.map(({ name }) => name), label: null, tickSize: 0, tickFormat: shorten },
        marks: [
          Plot.ruleX([0], { stroke: "currentColor", strokeOpacity: 0.5 }),
          Plot.link(rows, { x1: "low", x2: "high", y1: "name", y2: "name", stroke: "color", strokeWidth: 10, strokeOpacity: 0.4 }),
          Plot.dot(rows, { x: "mean", y: "name", r: 4, fill: "color" }),
          Plot.text(rows, { x: "high", y: "name", text: ({ high, gets }: { high: number; gets: number | null }) => high === 0 ? "nothing" : `at most ${formatFigure(Number(high.toPrecision(3)), unit)}${gets === null || gets === 0 ? "" : ` (${formatPercent(high / Math.abs(gets), 2)})`}`, textAnchor: "start", dx: 8, fill: "currentColor", fontSize: 11 }),
        ],
      },
    }],
  };
}

/** Long names differ at their ends more often than in their middle. */
function shorten(name: string): string {
  return name.length <= 24 ? name : `${name.slice(0, 11)}…${name.slice(-12)}`;
}
