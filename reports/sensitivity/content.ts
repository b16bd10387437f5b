import type { Estimate } from "../../protocol/result/experiment.ts";
import { formatFigure } from "../../protocol/result/metrics.ts";
import type { FigureUnit } from "../../protocol/result/metrics.ts";
import { formatBounds, formatChange } from "../../protocol/result/sensitivity.ts";
import type { ResampledFigure, SensitivityOfMetric, SensitivityReport } from "../../protocol/result/sensitivity.ts";
import { formatNumber, formatPercent, formatSignificant } from "../../protocol/units.ts";
import type { Block, Content, Section } from "../blocks.ts";
import { provenanceSection } from "../provenance.ts";
import type { SensitivityPlotName } from "./titles.ts";
import { plotsOf } from "./titles.ts";

type Part = Section<SensitivityPlotName>;
type Piece = Block<SensitivityPlotName>;

const NONE = "–";

/** A sensitivity report in words, tables and plots, the answer first. */
export function sensitivityContent(report: SensitivityReport): Content<SensitivityPlotName> {
  const { scenario } = report.provenance;
  return {
    title: "What matters?",
    question: `${scenario.name}: ${scenario.question}`,
    sections: [answer(report), ...report.metrics.map((of) => metricPart(of, report)), factors(report), reading(report), runs(report), provenanceSection(report)],
  };
}

function answer(report: SensitivityReport): Part {
  const { metrics, provenance: { interrupted } } = report;
  return {
    title: "Answer",
    blocks: [
      { kind: "list", items: [...(interrupted === true ? ["The study was interrupted: it rests on the runs that were over."] : []), ...metrics.map(({ headline }) => headline)] },
      ...plotsOf(report.method.kind).map((name): Piece => ({ kind: "plot", name })),
    ],
  };
}

function metricPart(of: SensitivityOfMetric, report: SensitivityReport): Part {
  const { metric: { label }, findings, screening, indices, tornado } = of;
  const blocks: Piece[] = findings.length === 0 ? [] : [{ kind: "list", items: findings }];
  if (screening !== null) blocks.push(screeningTable(of, screening, report));
  if (indices !== null) blocks.push(...indexTables(indices, report));
  if (tornado !== null) blocks.push(tornadoTable(of, tornado, report));
  if (blocks.length === 0) blocks.push({ kind: "text", text: of.headline });
  return { title: capital(label), blocks };
}

function screeningTable({ metric: { label, unit }, mean, sd, blocks }: SensitivityOfMetric, screening: NonNullable<SensitivityOfMetric["screening"]>, { confidence }: SensitivityReport): Piece {
  return {
    kind: "table", caption: `What a factor, taken over its whole range, does to ${label} (${figure(mean, unit)} on average, standard deviation ${formatChange(sd, unit)}; ${formatNumber(blocks.used)} trajectories)`,
    head: ["factor", "mean size, mu*", `${formatPercent(confidence)} interval`, "mean, mu", "spread, sigma", "steps"],
    rows: screening.map(({ factor, muStar, mu, sigma, steps }) => [factor, formatChange(muStar.value, unit), range(muStar, (value) => formatChange(value, unit)), formatChange(mu.value, unit), formatChange(sigma.value, unit), formatNumber(steps)]),
  };
}

function indexTables({ factors: rows, together, pairs }: NonNullable<SensitivityOfMetric["indices"]>, { confidence }: SensitivityReport): Piece[] {
  const sure = `${formatPercent(confidence)} interval`;
  const adjusted = rows.some(({ totalAdjusted }) => totalAdjusted !== null);
  const tables: Piece[] = [{
    kind: "table", caption: "Shares of the variance",
    head: ["factor", "alone (first order)", sure, "in all (total)", sure, ...(adjusted ? ["alone, chance taken out", "in all, chance taken out"] : [])],
    rows: [
      ...rows.map(({ factor, first, total, firstAdjusted, totalAdjusted }) => [
        factor, share(first.value), range(first, share), share(total.value), range(total, share), ...(adjusted ? [firstAdjusted, totalAdjusted].map((value) => (value === null ? NONE : share(value))) : []),
      ]),
      ["only together", share(together.value), range(together, share), "", "", ...(adjusted ? ["", ""] : [])],
    ],
  }];
  if (pairs !== null) {
    tables.push({
      kind: "table", caption: "What pairs explain together and neither alone (second order)", head: ["factors", "share", sure],
      rows: pairs.map(({ factors: [a, b], index }) => [`${a}, ${b}`, share(index.value), range(index, share)]),
    });
  }
  return tables;
}

function tornadoTable({ metric: { label, unit } }: SensitivityOfMetric, { base, bars }: NonNullable<SensitivityOfMetric["tornado"]>, { confidence }: SensitivityReport): Piece {
  const difference = ({ mean, interval }: Estimate): string[] => [signed(mean, unit), interval === null ? NONE : formatBounds(signed(interval.low, unit), signed(interval.high, unit))];
  const sure = `${formatPercent(confidence)} interval`;
  return {
    kind: "table", caption: `${capital(label)}, ${figure(base.mean, unit)} as the scenario stands (${formatNumber(base.runs)} runs), with one factor changed`,
    head: ["factor", "low", "difference", sure, "high", "difference", sure],
    rows: bars.map(({ factor, low, high }) => [factor, low.text, ...difference(low.difference), high.text, ...difference(high.difference)]),
  };
}

function factors({ factors: rows }: SensitivityReport): Part {
  return {
    title: "What was varied",
    blocks: [{
      kind: "table", caption: "Each factor over its range, independently of the others", head: ["factor", "path", "from", "to", "scale"],
      rows: rows.flatMap(({ name, moves }) => moves.map(({ path, from, to, scale }, i) => [i === 0 ? name : "", path, from, to, scale])),
    }],
  };
}

function reading({ method, points, replications, resamples, confidence }: SensitivityReport): Part {
  const played = `${formatNumber(points)} settings of the factors were played, ${replications === 1 ? "once each" : `${formatNumber(replications)} times each`}, with the same random numbers at every one: what chance does to all alike is in no difference.`;
  const ranges = "What matters depends on the ranges: a factor that is given twice the range matters more. All values of a range count as equally likely, and factors as independent of each other.";
  const seeds = "The intervals say what other points might have shown, and nothing of what other random numbers in the runs might have: more replications, or another --seed, do.";
  const words: Readonly<Record<typeof method.kind, readonly string[]>> = {
    morris: [
      "Morris's screening changes one factor at a time, again and again, each time from another place. The change of a figure, brought to the factor's whole range, is an elementary effect; mu* is its mean size, mu its mean, sigma its standard deviation. A small mu* means that the factor can stay as it is. A large sigma means that it acts differently in different places: bent, or bound up with others; which of the two, it does not say (Sobol' indices do).",
      `Intervals are percentile bootstraps over the trajectories, ${formatNumber(resamples)} resamples at ${formatPercent(confidence)}. M. D. Morris, Technometrics 33 (1991) 161-174; F. Campolongo, J. Cariboni and A. Saltelli, Environmental Modelling and Software 22 (2007) 1509-1518.`,
    ],
    sobol: [
      "The first-order index of a factor is the share of a figure's variance that it explains alone: what knowing it would take away on average. The total index is what would be left if all others were known: it counts all that the factor does, alone and together with others. First-order indices sum to one where factors act apart; what is missing they do together.",
      `${method.kind === "sobol" ? method.estimators : ""} Points are scrambled Sobol' points; intervals are percentile bootstraps over them, ${formatNumber(resamples)} resamples at ${formatPercent(confidence)}, and rather too wide than too narrow, since such points lie more evenly than the bootstrap knows. Estimates of small shares may come out below 0.`,
      "What chance does to single points counts as variance that no factor explains alone: it raises total indices by its share, and lowers first-order ones in proportion. With two replications or more that share is estimated, and taken out in columns of their own.",
    ],
    tornado: [
      "Each factor is put at its low and at its high end while all others stay as the scenario has them. What factors do together does not show. Differences are taken run by run, with the same random numbers; their intervals are Student's t. They hold one by one, not for all bars at once.",
    ],
  };
  return { title: "How to read this", blocks: [played, ...words[method.kind], ...(method.kind === "tornado" ? [] : [seeds]), ranges].map((text): Piece => ({ kind: "text", text })) };
}

function runs({ runs: { played, failed, failures } }: SensitivityReport): Part {
  const text = failed === 0 ? `${formatNumber(played)} runs, none of which failed. runs.csv and runs.parquet have a row for each.` : `${formatNumber(played)} runs, of which ${formatNumber(failed)} failed: nothing of their blocks is used. runs.csv and runs.parquet have a row for each.`;
  return {
    title: "Runs",
    blocks: [
      { kind: "text", text },
      ...(failed === 0 ? [] : [{ kind: "table", caption: failures.length < failed ? `The first ${failures.length} that failed` : "Failed", head: ["run", "seed", "error"], rows: failures.map(({ name, seed, error }) => [name, String(seed), error]) } as const]),
    ],
  };
}

function figure(value: number | null, unit: FigureUnit): string {
  return formatFigure(value === null ? null : Number(value.toPrecision(3)), unit);
}

function signed(value: number | null, unit: FigureUnit): string {
  return value !== null && value > 0 ? `+${formatChange(value, unit)}` : formatChange(value, unit);
}

function share(value: number): string {
  return `${formatSignificant(value * 100, Math.abs(value) < 0.01 ? 1 : 2)} %`;
}

function range({ interval }: ResampledFigure, text: (value: number) => string): string {
  return interval === null ? NONE : formatBounds(text(interval.low), text(interval.high));
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
