import type { Estimate } from "../../protocol/result/experiment.ts";
import type { FigureUnit } from "../../protocol/result/metrics.ts";
import { formatEstimate, formatFactor, placeOf } from "../../protocol/result/sweep.ts";
import type { SweepReport, SweptAxis } from "../../protocol/result/sweep.ts";
import { formatNumber, formatPercent } from "../../protocol/units.ts";
import type { Block, Content, Section } from "../blocks.ts";
import { provenanceSection } from "../provenance.ts";
import type { SweepPlotName } from "./titles.ts";

type Part = Section<SweepPlotName>;
type Piece = Block<SweepPlotName>;

/** Points that tables for people hold; points.csv has them all. */
const rowsShown = 200;
const failuresShown = 20;

/** A sweep in words, tables and plots. */
export function sweepContent(report: SweepReport): Content<SweepPlotName> {
  const { scenario } = report.provenance;
  return {
    title: `${scenario.name}, swept`,
    question: scenario.question,
    sections: [summary(report), points(report), ...(report.effects.length === 0 ? [] : [effects(report)]), ...failures(report), axes(report), reading(report), provenanceSection(report)],
  };
}

/** What was played, in a sentence: "11 values of router.fee.flat, 5 runs each". */
export function designInWords({ design, axes: swept, points: played }: SweepReport): string {
  const { kind, points: wanted, replications, arms, scrambled } = design;
  const names = swept.map(({ name }) => name);
  const what = kind === "latin-hypercube" ? `a Latin hypercube over ${list(names)}`
    : kind === "sobol" ? `${scrambled === true ? "scrambled " : ""}Sobol points over ${list(names)}`
    : kind === "zip" && names.length > 1 ? `values of ${list(names)} that go together`
    : swept.length === 1 ? `values of ${names[0]!}`
    : `every value of ${swept.map(({ name, levels }) => `${name} (${levels?.length ?? 0})`).join(" with every value of ")}`;
  const count = played.length < wanted ? `${formatNumber(played.length)} of ${formatNumber(wanted)} points` : wanted === 1 ? "1 point" : `${formatNumber(wanted)} points`;
  return `${count}: ${what}${arms === null ? "" : `, in ${arms.length} arms (${arms.join(", ")})`}; ${replications === 1 ? "one run" : `${formatNumber(replications)} runs`} at each${replications === 1 ? "" : ", on the same random numbers at every point"}.`;
}

/** "1.23 s ± 0.04 s". */
export function formatCell(estimate: Estimate, unit: FigureUnit): string {
  const { text, half } = formatEstimate(estimate, unit);
  return half === null ? text : `${text} ± ${half}`;
}

function summary(report: SweepReport): Part {
  const { provenance: { interrupted }, runs: { failed }, findings } = report;
  return {
    title: "Answer",
    blocks: [
      { kind: "text", text: designInWords(report) },
      {
        kind: "list", items: [
          ...(interrupted === true ? ["Interrupted: this rests on the runs that were over; the points after them are missing."] : []),
          ...(failed === 0 ? [] : [`${failed === 1 ? "1 run" : `${formatNumber(failed)} runs`} failed and ${failed === 1 ? "has" : "have"} no part in the figures.`]),
          ...findings,
        ],
      },
      { kind: "plot", name: "sweep" },
    ],
  };
}

function points({ axes: swept, metrics, points: played, design, confidence }: SweepReport): Part {
  const shown = played.slice(0, rowsShown);
  const scarce = played.some(({ runs, failed }) => runs !== design.replications || failed > 0);
  return {
    title: "Every point",
    blocks: [{
      kind: "table",
      caption: `${shown.length < played.length ? `The first ${rowsShown} of ${formatNumber(played.length)} points; points.csv has them all. ` : ""}Mean${design.replications > 1 ? ` ± half of its ${formatPercent(confidence)} interval` : ""}`,
      head: [...(design.arms === null ? [] : ["arm"]), ...swept.map(({ name }) => name), ...metrics.map(({ label }) => label), ...(scarce ? ["runs", "failed"] : [])],
      rows: shown.map(({ arm, factors, estimates, runs, failed }) => [
        ...(design.arms === null ? [] : [arm ?? ""]), ...factors.map((factor, i) => formatFactor(factor, swept[i]!)), ...estimates.map((estimate, m) => formatCell(estimate, metrics[m]!.unit)),
        ...(scarce ? [String(runs), String(failed)] : []),
      ]),
    }],
  };
}

function effects({ effects: found, metrics, axes: swept }: SweepReport): Part {
  return {
    title: "Axis by axis",
    blocks: [
      { kind: "plot", name: "effects" },
      {
        kind: "table", caption: "Of the differences between points, what each axis explains alone", head: ["", ...swept.map(({ name }) => name)],
        rows: metrics.map(({ id, label }) => [label, ...swept.map(({ name }) => {
          const share = found.find(({ metric, axis }) => metric === id && axis === name)?.share ?? null;
          return share === null ? "–" : formatPercent(Math.round(share * 100) / 100);
        })]),
      },
    ],
  };
}

function failures({ runs: { failed, failures: named }, points: played, axes: swept }: SweepReport): Part[] {
  if (failed === 0) return [];
  const placeOfRun = (name: string): string => {
    const point = played.find(({ index }) => name.startsWith(`point=${index} `));
    return point === undefined ? "" : placeOf(swept, point);
  };
  return [{
    title: "Failed runs",
    blocks: [{
      kind: "table", caption: `${named.length > failuresShown || failed > named.length ? `The first ${Math.min(failuresShown, named.length)} of ${formatNumber(failed)}; runs.csv has them all` : "Each with its seed"}`, head: ["run", "where", "seed", "error"],
      rows: named.slice(0, failuresShown).map(({ name, seed, error }) => [name, placeOfRun(name), String(seed), error]),
    }],
  }];
}

function axes({ axes: swept }: SweepReport): Part {
  return {
    title: "What was varied",
    blocks: [{
      kind: "table", caption: "Axes", head: ["axis", "paths in the scenario", "values", "unit", "scale"],
      rows: swept.map((axis) => [axis.name, axis.paths.join(", "), valuesOf(axis), axis.unit === "x" ? "times what the scenario has" : axis.unit === "" ? "–" : axis.unit, axis.ends === null ? "–" : axis.scale]),
    }],
  };
}

function valuesOf(axis: SweptAxis): string {
  const { levels, ends, whole } = axis;
  if (levels === null) return `${whole ? "any whole number" : "any"} from ${formatFactor(ends![0], axis)} to ${formatFactor(ends![1], axis)}`;
  const shown = levels.length <= 12 ? levels : [...levels.slice(0, 3), "…", levels.at(-1)!];
  return `${shown.map((level) => formatFactor(level, axis)).join(", ")}${whole ? " (whole numbers)" : ""}`;
}

function reading({ design, confidence, effects: found }: SweepReport): Part {
  const texts = [
    design.replications > 1
      ? `Replication r has the same random numbers at every point: the same arrivals, lengths and failures meet each of the markets. So differences between points are surer than the intervals of each point alone say (${formatPercent(confidence)}, Student's t over the replications): the answer compares points run by run, by paired t-tests adjusted for the number of points, so that with ${formatPercent(confidence)} confidence the truly best point is the one named or among those not told apart from it.`
      : "One run a point: what is due to chance and what to the axes cannot be told apart. --replications 5 would.",
    ...(found.length === 0 ? [] : ["What an axis explains alone is the variance of the means at its values, over that of all points. What is left is what axes do together, and chance. Of points drawn at random it is too high by about ten parts over the number of points."]),
    ...(design.kind === "zip" ? ["Axes that go together cannot be told apart: what one of them does is not known from these points."] : []),
  ];
  return { title: "How to read this", blocks: texts.map((text): Piece => ({ kind: "text", text })) };
}

function list(names: readonly string[]): string {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)!}`;
}
