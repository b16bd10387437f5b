import { briefFigure, changeWords, probability } from "../../protocol/result/comparison-words.ts";
import type { ComparedDifference, ComparisonReport } from "../../protocol/result/comparison.ts";
import { formatNumber, formatPercent, formatSignificant } from "../../protocol/units.ts";
import type { Block, Content, Section } from "../blocks.ts";
import { COMPARISON_TITLES, type ComparisonPlotName, plotOf, plotsOf } from "./titles.ts";

type Part = Section<ComparisonPlotName>;
type Piece = Block<ComparisonPlotName>;

const NONE = "–";

/** A comparison in words, tables and plots, the answer first. */
export function comparisonContent(report: ComparisonReport): Content<ComparisonPlotName> {
  const { provenance: { scenario }, arms } = report;
  return {
    title: `${scenario.name}: ${arms.length} arms compared`,
    question: scenario.question,
    sections: [answer(report), ...questions(report), ...rivals(report), sure(report), each(report), reading(report), provenance(report)],
  };
}

function answer(report: ComparisonReport): Part {
  const { provenance: { interrupted }, findings, replications, arms, baseline } = report;
  return {
    title: "Answer",
    blocks: [
      { kind: "list", items: [...(interrupted === true ? [`The comparison was interrupted after ${times(replications)} of all arms.`] : []), ...findings] },
      armsTable(report),
      { kind: "text", text: arms.every(({ source }) => source === null) ? `${times(replications)} of each arm, all with the same random numbers; the baseline is ${baseline}.` : `Read from reports that were there; the baseline is ${baseline}.` },
    ],
  };
}

function armsTable({ arms, baseline }: ComparisonReport): Piece {
  const read = arms.some(({ source }) => source !== null);
  return {
    kind: "table", caption: "The arms", head: ["arm", "changes", "runs", "failed", ...(read ? ["read from"] : [])],
    rows: arms.map(({ name, changes, runs, failed, source }) => [
      name === baseline ? `${name} (baseline)` : name, changes.length === 0 ? (source === null ? "the scenario as it stands" : NONE) : changes.join(" "), formatNumber(runs), formatNumber(failed),
      ...(read ? [source === null ? NONE : source.folder] : []),
    ]),
  };
}

/** Per question: the plot, a table of all arms, and a sentence per difference. */
function questions(report: ComparisonReport): Part[] {
  const { metrics, arms, baseline, differences, values } = report;
  const others = arms.filter(({ name }) => name !== baseline);
  return plotsOf(metrics).map((name): Part => {
    const own = metrics.filter((metric) => plotOf(metric) === name);
    const of = (arm: string, metric: string): ComparedDifference | undefined => differences.find((one) => one.arm === arm && one.baseline === baseline && one.metric === metric);
    const sentences = others.flatMap(({ name: arm }) => own.flatMap(({ id }) => {
      const sentence = of(arm, id)?.sentence;
      return sentence === undefined ? [] : [`${arm}: ${sentence}`];
    }));
    return {
      title: COMPARISON_TITLES[name],
      blocks: [
        { kind: "plot", name },
        {
          kind: "table", caption: "Means, and changes against the baseline with their intervals", head: ["", `${baseline} (baseline)`, ...others.map((arm) => arm.name)],
          rows: own.map(({ id, label, unit }) => {
            const mean = (arm: string): string => briefFigure(values.find((one) => one.arm === arm && one.metric === id)?.estimate.mean ?? null, unit);
            return [label, mean(baseline), ...others.map((arm) => {
              const difference = of(arm.name, id);
              return difference === undefined || difference.difference === null ? mean(arm.name) : `${mean(arm.name)}, ${changeWords(difference, { unit })}${mark(difference)}`;
            })];
          }),
        },
        { kind: "list", items: sentences },
      ],
    };
  });
}

/** Arms none of which is the baseline, where they were compared. */
function rivals({ differences, baseline }: ComparisonReport): Part[] {
  const own = differences.filter((one) => one.baseline !== baseline);
  return own.length === 0 ? [] : [{ title: "The other arms with each other", blocks: [{ kind: "list", items: own.map(({ arm, baseline: from, sentence }) => `${arm} against ${from}: ${sentence}`) }] }];
}

/** What the interval alone does not say. */
function mark({ verdict }: ComparedDifference): string {
  return verdict === "perhaps" ? " ?" : verdict === "none found" ? " (none found)" : "";
}

function sure({ differences, metrics }: ComparisonReport): Part {
  const label = new Map(metrics.map((metric) => [metric.id, metric.label]));
  const missing = ({ lacking: { baseline, arm, failed } }: ComparedDifference): string => {
    const parts = [[failed, "failed"], [baseline, "undefined in the baseline"], [arm, "undefined in the arm"]] as const;
    return parts.flatMap(([count, words]) => (count === 0 ? [] : [`${formatNumber(count)} ${words}`])).join(", ");
  };
  return {
    title: "How sure is that?",
    blocks: [
      {
        kind: "table", caption: "Every difference", head: ["arm", "against", "figure", "difference", "pairs", "left out", "p", "adjusted p", "correlation", "runs saved", "verdict"],
        rows: differences.map((one) => [
          one.arm, one.baseline, label.get(one.metric) ?? one.metric, changeWords(one, metrics.find(({ id }) => id === one.metric)!), formatNumber(one.pairs), missing(one),
          one.pValue === null ? NONE : probability(one.pValue), one.adjustedPValue === null ? NONE : probability(one.adjustedPValue),
          one.correlation === null ? NONE : formatNumber(one.correlation, 2), one.varianceRatio === null ? NONE : `x ${formatSignificant(one.varianceRatio, 3)}`, one.verdict,
        ]),
      },
      { kind: "text", text: "Runs saved: so many times as many runs would give the same interval if each arm had random numbers of its own (variance of the unpaired difference over that of the paired one). Adjusted p: Holm's, over all rows that have one." },
    ],
  };
}

function each({ values, arms, metrics }: ComparisonReport): Part {
  return {
    title: "Each arm by itself",
    blocks: [{
      kind: "table", caption: "Means over the runs, and where the true ones lie", head: ["arm", "figure", "mean", "true mean", "between runs (sd)", "least", "most", "runs"],
      rows: arms.flatMap(({ name }) => metrics.map(({ id, label, unit }) => {
        const found = values.find((one) => one.arm === name && one.metric === id)!.estimate;
        const brief = (value: number | null): string => briefFigure(value, unit);
        return [name, label, brief(found.mean), found.interval === null ? NONE : `${brief(found.interval.low)} to ${brief(found.interval.high)}`, brief(found.sd), brief(found.min), brief(found.max), formatNumber(found.runs)];
      })),
    }],
  };
}

function reading({ notes, absent, confidence }: ComparisonReport): Part {
  return {
    title: "How to read this",
    blocks: [{
      kind: "list", items: [
        ...notes,
        ...(absent.length === 0 ? [] : [`Defined in no run, and so not compared: ${absent.join(", ")}.`]),
        `"No difference found" is not "the same": the sentence says how large a difference could have escaped (${formatPercent(confidence)} confidence).`,
        "Intervals cover the chance between runs, and nothing of what the scenario may be wrong by.",
      ],
    }],
  };
}

function provenance({ provenance: { lab, scenario, seed, sets, resultsDigest }, runs }: ComparisonReport): Part {
  const rows = [
    ["lab", `${lab.name} ${lab.version}`], ["scenario", scenario.name], ["scenario's hash", scenario.hash], ["seed", String(seed)], ...(sets.length === 0 ? [] : [["set", sets.join(" ")]]),
    ["runs", `${formatNumber(runs.played)}, ${runs.failed === 0 ? "none" : formatNumber(runs.failed)} of them failed`], ["results' digest", resultsDigest],
  ];
  return {
    title: "Provenance",
    blocks: [
      { kind: "table", caption: "Where this comes from", head: ["", ""], rows },
      ...(runs.failures.length === 0 ? [] : [{ kind: "table", caption: "Runs that failed", head: ["run", "seed", "error"], rows: runs.failures.map(({ name, seed: of, error }) => [name, String(of), error]) } as const]),
    ],
  };
}

function times(replications: number): string {
  return replications === 1 ? "1 replication" : `${formatNumber(replications)} replications`;
}
