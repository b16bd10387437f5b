import type { Estimate } from "../../protocol/result/experiment.ts";
import { roundedFigure } from "../../protocol/result/metrics.ts";
import type { FigureUnit } from "../../protocol/result/metrics.ts";
import type { SearchReport } from "../../protocol/result/search.ts";
import { formatNumber, formatPercent } from "../../protocol/units.ts";
import type { Block, Content, Section } from "../blocks.ts";
import { provenanceSection } from "../provenance.ts";
import type { SearchPlotName } from "./titles.ts";

type Part = Section<SearchPlotName>;

const NONE = "–";
/** Alternatives and points that the tables show; search.json has them all. */
const ROWS = 100;

/** A search report in words, tables and plots, the answer first. */
export function searchContent(report: SearchReport): Content<SearchPlotName> {
  const { scenario } = report.provenance;
  return {
    title: `${scenario.name}: the best of ${report.parameters.map(({ path }) => path).join(" and ")}`,
    question: scenario.question,
    sections: [answer(report), alternatives(report), race(report), reading(report), provenanceSection(report)],
  };
}

/** A value of a metric to four digits. */
export function shortFigure(value: number | null, unit: FigureUnit): string {
  return roundedFigure(value, unit, 4);
}

/** An estimate's interval for people. */
export function intervalText({ interval }: Estimate, unit: FigureUnit): string {
  return interval === null ? NONE : `${shortFigure(interval.low, unit)} to ${shortFigure(interval.high, unit)}`;
}

function answer({ headline, findings }: SearchReport): Part {
  return { title: "Answer", blocks: [{ kind: "text", text: headline }, { kind: "list", items: findings }, { kind: "plot", name: "values" }] };
}

function alternatives(report: SearchReport): Part {
  const { alternatives: all, chosen, parameters, goal, method: { confidence } } = report;
  const { unit } = goal.metric;
  const shown = all.slice(0, ROWS);
  return {
    title: report.path === null ? "Alternatives" : "Finalists",
    blocks: [{
      kind: "table",
      caption: `${shown.length < all.length ? `The first ${shown.length} of ${all.length}: ` : ""}${goal.metric.label}, over runs with fresh random numbers, which had no part in the choice`,
      head: [...parameters.map(({ path }) => path), "", "mean", `${formatPercent(confidence)} interval`, "better than the chosen by", "at most", ...goal.constraints.map(({ metric }) => metric.label), "runs of the search", "out of the race"],
      rows: shown.map((one, i) => [
        ...one.values, i === chosen ? "chosen" : one.setAside === null ? "" : "set aside",
        shortFigure(one.fresh?.mean ?? null, unit), one.fresh === null ? NONE : intervalText(one.fresh, unit), one.lead === null ? NONE : shortFigure(one.lead.mean, unit), shortFigure(one.lead?.atMost ?? null, unit),
        ...one.constraints.map(({ fresh, search }, c) => shortFigure((fresh ?? search).mean, goal.constraints[c]!.metric.unit)),
        formatNumber(one.search.runs), one.setAside ?? (one.eliminated === null ? "" : `after ${formatNumber(one.eliminated.after)} runs of each`),
      ]),
    }],
  };
}

function race(report: SearchReport): Part {
  const { guarantee, path, parameters, goal } = report;
  const blocks: Block<SearchPlotName>[] = [{ kind: "text", text: guarantee.text }, { kind: "plot", name: "race" }];
  if (path !== null) {
    const best = path.map((point, order) => ({ ...point, order })).filter(({ mean }) => mean !== null).toSorted((a, b) => (goal.direction === "maximise" ? b.mean! - a.mean! : a.mean! - b.mean!)).slice(0, 20);
    blocks.push({
      kind: "table", caption: `The best of ${formatNumber(path.length)} points tried, by their means over the same random numbers (search.json has all)`,
      head: [...parameters.map(({ path: name, unit }) => (unit === null || unit === "" ? name : `${name} (${unit})`)), goal.metric.label, "tried as number"],
      rows: best.map(({ numbers, mean, order }) => [...numbers.map(String), shortFigure(mean, goal.metric.unit), formatNumber(order + 1)]),
    });
  }
  return { title: "How it was found", blocks };
}

function reading({ method, runs }: SearchReport): Part {
  const { name, confidence, first, budget, fresh, replications } = method;
  const how = {
    kn: `Every alternative was played ${formatNumber(first)} times, all with the same random numbers. From then on they were played on, and whichever fell behind by more than chance allows was out, until one was left or what was between them no longer mattered (S.-H. Kim and B. L. Nelson, ACM TOMACS 11(3), 2001).`,
    ocba: `A budget of ${formatNumber(budget)} runs was dealt out, most to those that are hard to tell from the best (C.-H. Chen and others, Discrete Event Dynamic Systems 10, 2000); each alternative had random numbers of its own.`,
    direct: `The ranges were searched by DIRECT (D. R. Jones and others, 1993), ${formatNumber(replications)} runs with the same random numbers at each point; the best few points went on to a race with other random numbers (S.-H. Kim and B. L. Nelson, ACM TOMACS 11(3), 2001).`,
  }[name];
  return {
    title: "How to read this",
    blocks: [
      { kind: "text", text: `${how} In all, ${formatNumber(runs.played)} runs were played.` },
      { kind: "text", text: `What was chosen for looking best owes part of that to luck. So the values here come from ${formatNumber(fresh)} runs each with random numbers of which the search knew nothing. The column "at most" bounds by how much each might in truth be better than the chosen one; all bounds hold at once with ${formatPercent(confidence)} confidence (Student's t, Bonferroni).` },
      { kind: "text", text: "Intervals cover the chance between runs, and nothing of what the scenario may be wrong by." },
    ],
  };
}

