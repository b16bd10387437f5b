import { EQUILIBRIUM_SCHEMA, EQUILIBRIUM_VERSION } from "../../../protocol/result/equilibrium.ts";
import type { EquilibriumPlayer, EquilibriumReport } from "../../../protocol/result/equilibrium.ts";
import { findMetric, formatFigure, KEY_METRICS } from "../../../protocol/result/metrics.ts";
import type { Metric } from "../../../protocol/result/metrics.ts";
import { formatNumber, formatPercent } from "../../../protocol/units.ts";
import type { EquilibriumSpec } from "../../scenario/sections/equilibrium.ts";
import type { Experiment } from "../plan.ts";
import { withProvenance } from "../question.ts";
import type { ExperimentQuestion } from "../question.ts";
import { estimateOf } from "../replications/figure-estimates.ts";
import { numberOf, parameterOf } from "../search/parameters.ts";
import { valueText } from "../search/runs.ts";
import { equilibrium } from "./equilibrium.ts";
import type { EquilibriumOutcome, Standing } from "./equilibrium.ts";
import { strategyText } from "./payoffs.ts";

/** Which game is played, where. */
export interface EquilibriumQuestion extends ExperimentQuestion {
  readonly spec: EquilibriumSpec;
}

/** Figures of the market that the report states, where it has them. */
const SHOWN = [...KEY_METRICS, "price.job", "surplus.clients", "surplus.operators", "router.revenue", "completed.share"];

/** Looks for an equilibrium, and reports. Null where nothing was played. */
export function* equilibriumForReport(question: EquilibriumQuestion): Experiment<EquilibriumReport | null> {
  const outcome = yield* equilibrium(question.spec, { seed: question.seed });
  return outcome === null ? null : equilibriumReportOf(outcome, question);
}

/** An outcome as a report. */
export function equilibriumReportOf(outcome: EquilibriumOutcome, question: ExperimentQuestion): EquilibriumReport {
  const { spec, steps, answers, kind, figures, profiles, tally, interrupted } = outcome;
  const { moves, damping, start, rounds, replications, fresh, confidence, budget } = spec;
  const players = spec.players.map((_, p) => playerOf(outcome, p));
  const results: Omit<EquilibriumReport, "provenance"> = {
    schema: EQUILIBRIUM_SCHEMA,
    schemaVersion: EQUILIBRIUM_VERSION,
    runs: tally,
    headline: "", findings: [],
    method: { moves, damping, start, rounds, replications, fresh, confidence, budget },
    kind, players,
    steps: steps.map(({ round, mover, profile, gain }) => ({ round, mover: mover === null ? null : spec.players[mover]!.name, strategies: [...profile], gain })),
    answers: answers.map(({ player, to, strategy }) => ({ player: spec.players[player]!.name, to: [...to], best: strategy })),
    profiles,
    regret: regretOf(players),
    figures: figures === null ? [] : SHOWN.flatMap((id) => {
      const metric = findMetric(id);
      const estimate = metric === null ? null : figures.estimate(metric.path, confidence);
      return metric === null || estimate === null || estimate.mean === null ? [] : [{ metric: named(metric), estimate }];
    }),
  };
  const said = { ...results, headline: headline(results, interrupted), findings: findings(results, interrupted) };
  return withProvenance(said, question, interrupted);
}

function playerOf({ spec, mixture, standings }: EquilibriumOutcome, p: number): EquilibriumPlayer {
  const { name, payoff, axes, strategies } = spec.players[p]!;
  const standing: Standing | null = standings?.[p] ?? null;
  const plays = mixture[p]!.flatMap((probability, strategy) => (probability > 0 ? [{ strategy, probability }] : []));
  const deviations = (standing?.deviations ?? []).map(({ strategy, payoff: own, gain, atLeast, atMost }) => ({
    strategy, payoff: estimateOf(own, spec.confidence), gain: { mean: gain.count === 0 ? null : gain.mean, atLeast, atMost },
  }));
  return {
    name, payoff: named(payoff), parameters: axes.map(parameterOf),
    strategies: strategies.map((strategy) => ({ name: strategyText(strategy), values: strategy.map(valueText), numbers: strategy.map((change, axis) => numberOf(axes[axis]!, valueText(change))) })),
    plays, gets: standing === null ? null : estimateOf(standing.payoff, spec.confidence), deviations,
    regret: standing === null ? null : worst(deviations, plays.length === 1 ? plays[0]!.strategy : null),
  };
}

type Gains = EquilibriumPlayer["deviations"];

/** The most that any deviation brings. @param own the strategy that is played already, where it is one */
function worst(deviations: Gains, own: number | null): EquilibriumPlayer["regret"] {
  const others = deviations.filter(({ strategy, gain }) => strategy !== own && gain.mean !== null);
  if (others.length === 0) return { mean: 0, atLeast: 0, atMost: 0, best: null };
  const best = others.reduce((ahead, one) => (one.gain.mean! > ahead.gain.mean! ? one : ahead));
  const most = (bounds: readonly (number | null)[]): number | null => bounds.includes(null) ? null : Math.max(0, ...(bounds as readonly number[]));
  return { mean: Math.max(0, best.gain.mean!), atLeast: most(others.map(({ gain }) => gain.atLeast)), atMost: most(others.map(({ gain }) => gain.atMost)), best: best.gain.mean! > 0 ? best.strategy : null };
}

function regretOf(players: readonly EquilibriumPlayer[]): EquilibriumReport["regret"] {
  const known = players.flatMap(({ name, regret }) => regret === null ? [] : [{ name, regret }]);
  if (known.length < players.length) return null;
  const { name, regret } = known.reduce((ahead, one) => ((one.regret.mean ?? 0) > (ahead.regret.mean ?? 0) ? one : ahead));
  const most = (of: "atLeast" | "atMost"): number | null => known.some((one) => one.regret[of] === null) ? null : Math.max(...known.map((one) => one.regret[of]!));
  return { mean: regret.mean, atLeast: most("atLeast"), atMost: most("atMost"), player: regret.best === null ? null : name, strategy: regret.best };
}

function named({ id, path, label, unit }: Metric): EquilibriumReport["players"][number]["payoff"] {
  return { id, path, label, unit };
}

type Said = Omit<EquilibriumReport, "provenance">;

const short = (value: number, { unit }: { readonly unit: Metric["unit"] }): string => formatFigure(Number(value.toPrecision(4)), unit);

/** What somebody does: `operators.a.price.fixed = 40 msat`, or a mixture. */
function doing({ parameters, strategies, plays }: EquilibriumPlayer): string {
  const texts = plays.map(({ strategy, probability }) => ({ text: parameters.map(({ path }, i) => `${lastPart(path)} = ${strategies[strategy]!.values[i]!}`).join(" and "), probability }));
  if (texts.length === 1) return texts[0]!.text;
  return texts.toSorted((a, b) => b.probability - a.probability).slice(0, 5).map(({ text, probability }) => `${text} in ${formatPercent(probability, 2)}`).join(", ");
}

/** A path without the class that it belongs to. */
function lastPart(path: string): string {
  return path.replace(/^(operators|clients)\.[^.]+\./, "");
}

function headline({ kind, players, method: { rounds } }: Said, interrupted: boolean): string {
  const alike = players.length > 1 && new Set(players.map(doing)).size === 1;
  const who = alike ? `${players.length === 2 ? "both" : `all ${players.length}`} with ${doing(players[0]!)}` : players.map((player) => `${player.name} with ${doing(player)}`).join("; ");
  if (interrupted) return `Interrupted on the way; by then: ${who}.`;
  switch (kind) {
    case "pure": return `The market settles: ${who}. In the runs of the search, nobody gains by another strategy of the grid.`;
    case "mixed": return `Best answers go round in circles; a mixture is nearly in equilibrium: ${who}.`;
    case "cycle": return `Best answers go round in circles, and no mixture was found that settles them; at the end: ${who}.`;
    case "unsettled": return `Nothing settled within ${formatNumber(rounds)} rounds and the budget of runs; at the end: ${who}.`;
  }
}

function findings(said: Said, interrupted: boolean): string[] {
  const { regret, players, method: { confidence, fresh, moves }, steps, profiles, runs, kind } = said;
  const items: string[] = [];
  if (interrupted) items.push("Interrupted; the report covers what was played, and nothing is said of what deviations would gain.");
  if (regret !== null && regret.mean !== null) {
    const payoff = players[0]!.payoff;
    const player = players.find(({ name }) => name === regret.player);
    const own = player?.gets?.mean ?? null;
    const share = (value: number): string => own === null || own === 0 || value > Math.abs(own) ? "" : ` (${formatPercent(value / Math.abs(own))} of what ${player!.name} has)`;
    items.push(regret.mean === 0
      ? `In ${formatNumber(fresh)} fresh runs of each, no strategy of the grid gains anything for anybody.`
      : `In ${formatNumber(fresh)} fresh runs of each, the most that anybody gains by another strategy is ${short(regret.mean, payoff)}${share(regret.mean)}: ${regret.player!} with ${player!.strategies[regret.strategy!]!.name}.`);
    if (regret.atMost !== null) {
      items.push(regret.atMost === 0
        ? `With ${formatPercent(confidence)} confidence, nobody gains anything: this is an equilibrium on these grids.`
        : `With ${formatPercent(confidence)} confidence, nobody can gain more than ${short(regret.atMost, payoff)}${share(regret.atMost)} by any other strategy of the grid, the others as they are${(regret.atLeast ?? 0) > 0 ? `; but somebody can gain at least ${short(regret.atLeast!, payoff)}, so this is no exact equilibrium` : ""}.`);
    }
  }
  for (const { name, gets, payoff } of players.slice(0, 10)) {
    if (gets?.mean === null || gets === null) continue;
    items.push(`${name}: ${short(gets.mean, payoff)}${gets.interval === null ? "" : ` (${formatPercent(confidence)} interval ${short(gets.interval.low, payoff)} to ${short(gets.interval.high, payoff)})`}.`);
  }
  for (const { name, parameters, strategies, plays } of kind === "pure" || kind === "mixed" ? players : []) {
    for (const [i, { path, values }] of parameters.entries()) {
      const numbers = strategies.map(({ numbers: own }) => own[i]!).filter((number) => number !== null);
      const own = plays.map(({ strategy }) => strategies[strategy]!.numbers[i]!);
      if (numbers.length < strategies.length || values === null) continue;
      const edge = own.find((number) => number === Math.min(...numbers) || number === Math.max(...numbers));
      if (edge !== undefined && edge !== null) items.push(`${name}'s ${lastPart(path)} is at the ${edge === Math.min(...numbers) ? "lower" : "upper"} end of its grid: what lies beyond was not looked at.`);
    }
  }
  if (kind === "pure" && new Set(steps.map(({ strategies }) => strategies.join())).size < steps.length) items.push("On the way, moves went round in circles; this profile was found in the game of the strategies on the circle.");
  if (kind === "pure" && !interrupted) items.push("It is an equilibrium of these grids: values between and beyond them were not tried, and there may be other equilibria; another `start` may lead to one.");
  items.push(`${formatNumber(steps.at(-1)!.round)} ${steps.at(-1)!.round === 1 ? "round" : "rounds"} of answers ${moves}, ${formatNumber(profiles)} profiles of strategies, ${formatNumber(runs.played)} runs.`);
  if (runs.failed > 0) items.push(`${formatNumber(runs.failed)} of them failed; a strategy with a failed run is not chosen, and what it would gain is not known.`);
  return items;
}
