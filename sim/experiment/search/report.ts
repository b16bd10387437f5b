import type { Estimate } from "../../../protocol/result/experiment.ts";
import { formatFigure } from "../../../protocol/result/metrics.ts";
import type { Metric } from "../../../protocol/result/metrics.ts";
import { SEARCH_SCHEMA, SEARCH_VERSION } from "../../../protocol/result/search.ts";
import type { SearchAlternative, SearchReport } from "../../../protocol/result/search.ts";
import { formatNumber, formatPercent } from "../../../protocol/units.ts";
import { numbersOf } from "../../scenario/sections/grid.ts";
import type { SearchSpec } from "../../scenario/sections/search.ts";
import type { Experiment } from "../plan.ts";
import { withProvenance } from "../question.ts";
import type { ExperimentQuestion } from "../question.ts";
import { estimateOf } from "../replications/figure-estimates.ts";
import { numberOf, parameterOf } from "./parameters.ts";
import { valueText } from "./runs.ts";
import { search } from "./search.ts";
import type { SearchOutcome } from "./search.ts";

/** What is searched, where. */
export interface SearchQuestion extends ExperimentQuestion {
  readonly spec: SearchSpec;
}

/** Searches, and reports. Null where nothing was played. */
export function* searchForReport(question: SearchQuestion): Experiment<SearchReport | null> {
  const outcome = yield* search(question.spec, { seed: question.seed });
  return outcome === null ? null : searchReportOf(outcome, question);
}

/** A search's outcome as a report. */
export function searchReportOf(outcome: SearchOutcome, question: ExperimentQuestion): SearchReport {
  const { spec, chosen, fresh, points, tally } = outcome;
  const alternatives = alternativesOf(outcome);
  const parameters = spec.axes.map(parameterOf);
  const bounds = fresh.flatMap((look) => look?.atMost ?? []);
  const results: Omit<SearchReport, "provenance"> = {
    schema: SEARCH_SCHEMA,
    schemaVersion: SEARCH_VERSION,
    runs: tally,
    headline: "", findings: [],
    goal: { direction: spec.direction, metric: named(spec.metric), constraints: spec.constraints.map(({ metric, sense, bound }) => ({ metric: named(metric), sense, bound })) },
    parameters,
    method: {
      name: spec.method, confidence: spec.confidence, indifference: { amount: outcome.indifference, share: "share" in spec.indifference ? spec.indifference.share : null },
      first: spec.first, replications: spec.replications, finalists: spec.finalists, fresh: spec.fresh, budget: spec.budget,
    },
    alternatives, chosen,
    guarantee: guaranteeOf(outcome),
    betterByAtMost: bounds.length === 0 ? null : Math.max(0, ...bounds),
    path: points === null ? null : points.map(({ numbers, contender: { values } }) => ({ numbers: [...numbers], mean: values.count === 0 ? null : values.mean, runs: values.count })),
    race: outcome.moments.map(({ runs, means }) => ({ runs, means: [...means] })),
  };
  const said = { ...results, headline: headline(results), findings: findings(results, outcome.interrupted) };
  return withProvenance(said, question, outcome.interrupted);
}

function alternativesOf({ spec, contenders, chosen, fresh }: SearchOutcome): SearchAlternative[] {
  const { confidence, constraints } = spec;
  const estimateOfFresh = (i: number): Estimate | null => {
    const look = fresh[i];
    return look === null || look === undefined ? null : estimateOf(look.values, confidence);
  };
  return contenders.map(({ name, variation, values, constraints: kept, eliminated, setAside }, i): SearchAlternative => {
    const look = fresh[i] ?? null;
    const numbers = variation.map((change, axis) => numberOf(spec.axes[axis]!, valueText(change)));
    const lead = look === null || i === chosen || look.lead.count === 0 ? null : estimateOf(look.lead, confidence);
    return {
      name, values: variation.map(valueText), numbers, search: estimateOf(values, confidence),
      eliminated: eliminated === null ? null : { after: eliminated.after, by: contenders[eliminated.by]!.name },
      setAside, fresh: estimateOfFresh(i),
      lead: lead === null || lead.mean === null ? null : { mean: lead.mean, interval: lead.interval, atMost: look?.atMost ?? null },
      constraints: constraints.map(({ sense, bound }, c) => {
        const again = look === null ? null : estimateOf(look.constraints[c]!, confidence);
        return { search: estimateOf(kept[c]!, confidence), fresh: again, kept: again === null ? null : keptBy(again, sense, bound) };
      }),
    };
  });
}

function keptBy({ mean, interval }: Estimate, sense: "at least" | "at most", bound: number): SearchAlternative["constraints"][number]["kept"] {
  if (mean === null) return null;
  const side = (value: number): boolean => (sense === "at least" ? value >= bound : value <= bound);
  if (interval !== null && side(interval.low) && side(interval.high)) return "yes";
  if (interval !== null && !side(interval.low) && !side(interval.high)) return "no";
  return side(mean) ? "probably" : "probably not";
}

function named({ id, path, label, unit }: Metric): SearchReport["goal"]["metric"] {
  return { id, path, label, unit };
}

function guaranteeOf({ spec, indifference, chosen, outcome, approximateProbability, points }: SearchOutcome): SearchReport["guarantee"] {
  if (chosen === null) return { kind: "none", probability: null, text: "Nothing was chosen." };
  if (outcome === "interrupted") return { kind: "none", probability: null, text: "The search was interrupted: what was chosen is what was ahead by then." };
  if (spec.method === "ocba") {
    return {
      kind: "approximate", probability: approximateProbability,
      text: approximateProbability === null ? "How sure the choice is cannot be said." : `By OCBA's approximation, the best alternative was chosen with a probability of ${formatPercent(approximateProbability)}. That is an estimate from the same runs, and no guarantee.`,
    };
  }
  if (outcome === "budget") return { kind: "none", probability: null, text: "The budget ended before the race was decided: what was chosen is what was ahead by then, with no guarantee." };
  const among = points === null ? "alternatives" : "finalists";
  const difference = `${formatFigure(Number(indifference.toPrecision(4)), spec.metric.unit)}${"share" in spec.indifference ? ` (${formatPercent(spec.indifference.share)})` : ""}`;
  return {
    kind: "guaranteed", probability: spec.confidence,
    text: `If one of the ${among} is better than all others by ${difference} or more, it was chosen with a probability of ${formatPercent(spec.confidence)} at least (Kim and Nelson 2001; runs independent and nearly normal).`
      + (points === null ? "" : " That no better value lies where the search did not look is not guaranteed."),
  };
}

type Said = Omit<SearchReport, "provenance">;

const short = (value: number, { goal }: Pick<Said, "goal">): string => formatFigure(Number(value.toPrecision(4)), goal.metric.unit);

/** `router.fee.flat = 400 msat and router.queue.limit = 10`. */
function setting({ parameters }: Pick<Said, "parameters">, { values }: SearchAlternative): string {
  return parameters.map(({ path }, i) => `${path} = ${values[i]!}`).join(" and ");
}

function headline(said: Said): string {
  const { goal, alternatives, chosen, parameters, path, method: { confidence } } = said;
  const best = chosen === null ? undefined : alternatives[chosen];
  if (best === undefined) return `No value was found: ${alternatives.length === 0 ? "nothing could be compared" : "every alternative was set aside, or too little was played"}.`;
  const steps = parameters.map(({ step }) => step).filter((step) => step !== null);
  const grid = steps.length === 0 ? "" : steps.length === 1 ? ` (in steps of ${steps[0]})` : ` (in steps of ${steps.join(" and ")})`;
  const extreme = goal.direction === "maximise" ? "highest" : "lowest";
  const { mean, interval, runs } = best.fresh ?? best.search;
  const value = mean === null ? "" : `: ${short(mean, said)} on average over ${formatNumber(runs)} ${best.fresh === null ? "runs of the search" : "fresh runs"}${interval === null ? "" : ` (${formatPercent(confidence)} interval ${short(interval.low, said)} to ${short(interval.high, said)})`}`;
  return `The ${extreme} ${goal.metric.label} ${path === null ? "comes" : "found comes"} with ${setting(said, best)}${grid}${value}.`;
}

function findings(said: Said, interrupted: boolean): string[] {
  const { goal, alternatives, chosen, betterByAtMost, method: { confidence }, guarantee, parameters, runs, path } = said;
  const items: string[] = [];
  if (interrupted) items.push("The search was interrupted; the report covers what was played.");
  const best = chosen === null ? undefined : alternatives[chosen];
  if (best === undefined) return [...items, ...setAsideText(alternatives)];
  const again = alternatives.filter(({ lead }) => lead?.atMost !== null && lead?.atMost !== undefined);
  const able = alternatives.filter(({ setAside }) => setAside === null).length;
  const value = best.fresh?.mean ?? best.search.mean;
  if (betterByAtMost !== null) {
    const of = path === null ? (again.length < able - 1 ? `none of the other ${again.length} that looked best` : able < alternatives.length ? "none of the others that can be chosen" : "no other value on the list") : "no other finalist";
    const relative = value === null || value === 0 || betterByAtMost === 0 ? "" : ` (${formatPercent(betterByAtMost / Math.abs(value))})`;
    items.push(betterByAtMost === 0
      ? `With a probability of ${formatPercent(confidence)}, ${of} is better.`
      : `With a probability of ${formatPercent(confidence)}, ${of} is better by more than ${short(betterByAtMost, said)}${relative}.`);
  }
  items.push(guarantee.text);
  const next = again.reduce<SearchAlternative | null>((ahead, one) => ahead === null || one.lead!.mean > ahead.lead!.mean ? one : ahead, null);
  if (next !== null) {
    const { mean, interval } = next.lead!;
    const range = interval === null ? "" : ` (${formatPercent(confidence)} interval ${short(-interval.high, said)} to ${short(-interval.low, said)})`;
    items.push(mean > 0
      ? `In the fresh runs, ${setting(said, next)} did better by ${short(mean, said)}; ${interval !== null && interval.low > 0 ? "that is more than chance explains" : "chance may explain it"}.`
      : mean === 0 && interval?.low === interval?.high ? `${setting(said, next)} does just as well.` : `Next comes ${setting(said, next)}, worse by ${short(-mean, said)}${interval !== null && interval.low <= 0 && interval.high >= 0 ? ", which chance may explain" : range}.`);
  }
  const edges = parameters.flatMap(({ path: where, values, from, to, unit }, i) => {
    const number = best.numbers[i];
    if (number === null || number === undefined) return [];
    const ends = values === null ? [from, to] : [numbersOf(values)?.numbers].flatMap((all) => all === undefined ? [] : [Math.min(...all), Math.max(...all)]);
    if (unit === null || number !== ends[0] && number !== ends[1]) return [];
    return [`${best.values[i]!} is the ${number === ends[0] ? "least" : "greatest"} that was tried for ${where}: ${number === ends[0] ? "smaller" : "greater"} values may be better still.`];
  });
  items.push(...edges);
  for (const [i, { metric, sense, bound }] of goal.constraints.entries()) {
    const held = best.constraints[i]!.fresh;
    if (held?.mean === null || held === null) continue;
    const text = (x: number): string => formatFigure(Number(x.toPrecision(4)), metric.unit);
    items.push(`With it, ${metric.label} is ${text(held.mean)}${held.interval === null || text(held.interval.low) === text(held.interval.high) ? "" : ` (${text(held.interval.low)} to ${text(held.interval.high)})`}: ${sense} ${text(bound)} is ${{ yes: "kept", probably: "probably kept", "probably not": "probably not kept", no: "not kept" }[best.constraints[i]!.kept!]}.`);
  }
  if (path !== null) items.push(`${formatNumber(path.length)} points were tried, each with the same random numbers; the best of them were compared with others.`);
  items.push(...setAsideText(alternatives));
  if (runs.failed > 0) items.push(`${formatNumber(runs.failed)} of ${formatNumber(runs.played)} runs failed.`);
  return items;
}

function setAsideText(alternatives: readonly SearchAlternative[]): string[] {
  const aside = alternatives.filter(({ setAside }) => setAside !== null);
  if (aside.length === 0) return [];
  return [`Set aside: ${aside.slice(0, 5).map(({ name, setAside }) => `${name} (${setAside!.slice(0, 200)})`).join("; ")}${aside.length > 5 ? `; and ${aside.length - 5} more` : ""}.`];
}

