import { roundedFigure } from "../../protocol/result/metrics.ts";
import type { EquilibriumPlayer, EquilibriumReport } from "../../protocol/result/equilibrium.ts";
import { formatNumber, formatPercent } from "../../protocol/units.ts";
import type { Content, Section } from "../blocks.ts";
import { provenanceSection } from "../provenance.ts";
import { intervalText, shortFigure } from "../search/content.ts";
import type { EquilibriumPlotName } from "./titles.ts";

type Part = Section<EquilibriumPlotName>;

const NONE = "–";
/** Steps and strategies that tables show; equilibrium.json has them all. */
const ROWS = 60;

/** An equilibrium report in words, tables and plots, the answer first. */
export function equilibriumContent(report: EquilibriumReport): Content<EquilibriumPlotName> {
  const { scenario } = report.provenance;
  return {
    title: `${scenario.name}: where answers to each other lead`,
    question: scenario.question,
    sections: [answer(report), players(report), ...report.players.slice(0, 20).map((player) => grid(player, report)), path(report), market(report), reading(report), provenanceSection(report)].filter(({ blocks }) => blocks.length > 0),
  };
}

/** What a player does at the end, for people. */
export function playsText({ plays, strategies }: EquilibriumPlayer): string {
  return plays.length === 1 ? strategies[plays[0]!.strategy]!.name : plays.map(({ strategy, probability }) => `${strategies[strategy]!.name} (${formatPercent(probability, 2)})`).join(", ");
}

function answer({ headline, findings }: EquilibriumReport): Part {
  return { title: "Answer", blocks: [{ kind: "text", text: headline }, { kind: "list", items: findings }, { kind: "plot", name: "deviations" }, { kind: "plot", name: "regret" }] };
}

function players({ players: all, method: { confidence } }: EquilibriumReport): Part {
  return {
    title: "Players",
    blocks: [{
      kind: "table", caption: "What each does at the end, what it gets, and the most it would gain by another strategy, the others as they are",
      head: ["", "decides", "plays", "gets", `${formatPercent(confidence)} interval`, "would gain", "at most"],
      rows: all.map((player) => [
        player.name, player.parameters.map(({ path: name }) => name).join(", "), playsText(player),
        player.gets === null ? NONE : shortFigure(player.gets.mean, player.payoff.unit), player.gets === null ? NONE : intervalText(player.gets, player.payoff.unit),
        player.regret === null ? NONE : shortFigure(player.regret.mean, player.payoff.unit), player.regret === null ? NONE : shortFigure(player.regret.atMost, player.payoff.unit),
      ]),
    }],
  };
}

function grid({ name, parameters, strategies, deviations, plays, payoff }: EquilibriumPlayer, { method: { confidence } }: EquilibriumReport): Part {
  if (deviations.length === 0) return { title: name, blocks: [] };
  const shown = deviations.slice(0, ROWS);
  return {
    title: `What ${name} would have`,
    blocks: [{
      kind: "table", caption: `${payoff.label}, the others as they are${shown.length < deviations.length ? ` (the first ${ROWS} of ${deviations.length} strategies)` : ""}`,
      head: [...parameters.map(({ path: where }) => where), "", "would have", `${formatPercent(confidence)} interval`, "gain", "gain at least", "gain at most"],
      rows: shown.map(({ strategy, payoff: own, gain }) => [
        ...strategies[strategy]!.values, plays.some((played) => played.strategy === strategy) ? (plays.length === 1 ? "plays this" : formatPercent(plays.find((played) => played.strategy === strategy)!.probability, 2)) : "",
        shortFigure(own.mean, payoff.unit), intervalText(own, payoff.unit), shortFigure(gain.mean, payoff.unit), shortFigure(gain.atLeast, payoff.unit), shortFigure(gain.atMost, payoff.unit),
      ]),
    }],
  };
}

function path({ steps, players: all }: EquilibriumReport): Part {
  const shown = steps.slice(0, ROWS);
  return {
    title: "How they got there",
    blocks: [{ kind: "plot", name: "path" }, {
      kind: "table", caption: `Moves${shown.length < steps.length ? ` (the first ${ROWS} of ${steps.length})` : ""}`, head: ["round", "who moved", ...all.map(({ name }) => name), "gain expected"],
      rows: shown.map(({ round, mover, strategies, gain }) => [formatNumber(round), mover ?? (round === 0 ? "start" : "all"), ...strategies.map((strategy, p) => all[p]!.strategies[strategy]!.name), gain === null ? NONE : shortFigure(gain, all[0]!.payoff.unit)]),
    }],
  };
}

function market({ figures, method: { confidence } }: EquilibriumReport): Part {
  if (figures.length === 0) return { title: "The market then", blocks: [] };
  return {
    title: "The market then",
    blocks: [{
      kind: "table", caption: "Over fresh runs of the profile at the end", head: ["", "mean", `${formatPercent(confidence)} interval`],
      rows: figures.map(({ metric, estimate }) => [metric.label, roundedFigure(estimate.mean, metric.unit, 4), intervalText(estimate, metric.unit)]),
    }],
  };
}

function reading({ method }: EquilibriumReport): Part {
  const { moves, replications, fresh, confidence, damping } = method;
  return {
    title: "How to read this",
    blocks: [
      { kind: "text", text: `${moves === "in turn" ? "Players took turns: each looked at every strategy of its grid, the others as they were by then, and took the best." : `All players moved at once, each ${formatPercent(damping)} of the way to its best answer.`} What a profile brings is the mean of ${formatNumber(replications)} runs whose random numbers are the same in all profiles, so that nobody moves for the sake of luck. If a profile came back, best answers went in circles; then the game of the strategies on the circle was searched for a profile that nobody gains by leaving, or else, by fictitious play, for a mixture.` },
      { kind: "text", text: `A profile in which nobody gains by leaving alone is an equilibrium (J. Nash, 1950); one in which nobody gains more than epsilon, an epsilon-equilibrium. Here epsilon is measured: the profile found, and every strategy that one player might take instead, were played ${formatNumber(fresh)} times with random numbers that had no part in finding it. "At least" and "at most" hold at once for all strategies of all players with ${formatPercent(confidence)} confidence (Student's t, Bonferroni), so they hold for the largest of them too.` },
      { kind: "text", text: "Nothing is said of strategies between or beyond the grids, of several players leaving together, or of what players would do who know less than the whole game." },
    ],
  };
}

