import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import pc from "picocolors";
import { formatFigure } from "../protocol/result/metrics.ts";
import { formatChange } from "../protocol/result/sensitivity.ts";
import type { SensitivityOfMetric, SensitivityReport } from "../protocol/result/sensitivity.ts";
import { formatNumber } from "../protocol/units.ts";
import { wrap } from "../reports/plots/figure.ts";
import { SensitivityFolder } from "../reports/sensitivity/folder.ts";
import { percents } from "../sim/experiment/sensitivity/sentences.ts";
import { sensitivity } from "../sim/experiment/sensitivity/sensitivity.ts";
import { withoutSeries } from "../sim/experiment/series.ts";
import { checkVariations } from "../sim/scenario/check-variations.ts";
import { loadScenario } from "../sim/scenario/load.ts";
import { ScenarioError } from "../sim/scenario/scenario-error.ts";
import type { SensitivitySpec } from "../sim/scenario/sections/sensitivity.ts";
import { sensitivityVariations } from "../sim/scenario/sections/sensitivity.ts";
import { setsOf } from "../sim/scenario/variation.ts";
import { UserError } from "./errors.ts";
import type { ExperimentFlags } from "./experiment-options.ts";
import { addExperimentOptions, interruptionHelp } from "./experiment-options.ts";
import type { LoadedSubject } from "./experiment.ts";
import { loadSubject, runExperiment } from "./experiment.ts";
import { wholeNumber } from "./options.ts";
import { plainTable } from "./table.ts";
import { version } from "./version.ts";

interface SensitivityFlags extends ExperimentFlags {
  readonly method?: "morris" | "sobol" | "tornado";
  readonly factor: readonly FactorFlag[];
  readonly metric: readonly string[];
  readonly points?: number;
}

/** A factor as the command line gives it. */
interface FactorFlag {
  /** As it was typed. */
  readonly text: string;
  readonly factor: { readonly name?: string; readonly path: string | string[]; readonly from: string | number; readonly to: string | number; readonly scale: "linear" | "log" };
}

/** Columns of a terminal that everything fits into. */
const width = 80;
/** Factors that a table on the terminal shows. */
const rowsShown = 12;

/** Adds `sensitivity`. */
export const registerSensitivity = (program: Command): void => {
  addExperimentOptions(
    program
      .command("sensitivity")
      .description("Which factors matter? Varies a scenario's values over their ranges, and says how much of a figure each decides.")
      .argument("<scenario>", "a YAML file, or the name of a scenario that comes with infernet")
      .addOption(new Option("--method <name>", "morris: screening with few runs; sobol: shares of the variance; tornado: one factor at a time").choices(["morris", "sobol", "tornado"]))
      .addOption(new Option("--factor <path=from..to>", "what is varied, in place of the scenario's factors (repeatable)").argParser(factorFlag).default([], "the scenario's"))
      .addOption(new Option("--metric <name>", "a figure to look at, such as profit, latency.p95 or utilisation@rtx4090 (repeatable)").argParser((text: string, earlier: readonly string[]) => [...earlier, text]).default([], "the scenario's"))
      .option("--points <number>", "of morris: trajectories; of sobol: points, best a power of two", wholeNumber(2, 1_000_000)),
    { out: "out/sensitivity-NAME", json: "sensitivity.json", replications: "runs of each point, with other random numbers each (default: tornado 10, otherwise 1)" },
  )
    .addHelpText(
      "after",
      `
A factor is a path as --set takes it, and a range: operators.rtx3090.count=1..8. "log" after it makes every doubling count the
same; several paths with commas between them take the same value; a name before a colon is what reports call it.

Examples:
  $ infernet sensitivity what-decides-profit
  $ infernet sensitivity quickstart --factor 'demand: clients.chat.arrivals.poisson.rate=2..20/s log' --factor router.fee.share=0..10% --metric profit
  $ infernet sensitivity market.yaml --method sobol --points 256 --replications 2
${interruptionHelp}`,
    )
    .action(sensitivityCommand);
};

/** Reads `[name:] path[,path]=from..to [log]`. @throws InvalidArgumentError */
const factorFlag = (text: string, earlier: readonly FactorFlag[]): readonly FactorFlag[] => {
  const match = /^(?:([^:=]+):)?\s*([^=:]+)=\s*(.+?)\s*\.\.\s*(.+?)(?:\s+(log|linear))?\s*$/.exec(text);
  if (match === null) throw new InvalidArgumentError("Allowed: path=from..to, such as router.fee.share=0..10%, with log after it where every doubling is to count the same.");
  const [, name, paths = "", low = "", high = "", scale = "linear"] = match;
  const path = paths.split(",").map((one) => one.trim());
  // A unit at the end holds for both.
  const unit = /^[-\d._]+(?:[eE][+-]?\d+)?\s*(\D.*)$/.exec(high)?.[1];
  const from = unit !== undefined && /^[-\d._]+(?:[eE][+-]?\d+)?$/.test(low) ? `${low} ${unit}` : low;
  return [...earlier, {
    text, factor: { ...(name === undefined ? {} : { name: name.trim() }), path: path.length === 1 ? path[0]! : path, from: plain(from), to: plain(high), scale: scale as "linear" | "log" },
  }];
};

/** A number without a unit is a number. */
const plain = (text: string): string | number => (/^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(text) ? Number(text) : text);

const sensitivityCommand = async (given: string, flags: SensitivityFlags): Promise<void> => {
  const loaded = loadSubject(given, flags);
  const { sets, spec: asked } = specOf(loaded, flags);
  const spec = flags.replications === undefined ? asked : { ...asked, replications: flags.replications };
  await runExperiment<SensitivityReport>({
    name: "sensitivity", loaded, flags,
    open: (out) => {
      const folder = new SensitivityFolder(out, loaded.scenario.name, spec.method.kind, spec.factors.map(({ name, moves }) => ({ name, path: moves[0]!.path, unit: moves[0]!.range.unit })), spec.replications);
      return {
        addRun: ({ task, error, digest, figures }) => folder.addRun({ name: task.name, seed: task.seed, sets: task.sets, error, digest, figures: figures === null ? null : withoutSeries(figures) }),
        finish: (report) => folder.finish(report),
        close: () => folder.close(),
      };
    },
    plan: () => sensitivity({ scenario: loaded.scenario, spec, seed: loaded.seed, sets: [...flags.set, ...sets], lab: { name: "infernet-lab", version } }),
    text: sensitivityText,
  });
};

/** What is to be found out: as the scenario says, unless the flags say otherwise. @throws UserError, ScenarioError */
const specOf = ({ source, path, experiment, given }: LoadedSubject, flags: SensitivityFlags): { readonly spec: SensitivitySpec; readonly sets: readonly string[] } => {
  const { method, factor, metric, points, set } = flags;
  if (experiment.sensitivity === null && factor.length === 0) throw new UserError(`${given} does not say what to vary: add a section \`sensitivity\` with \`factors\`, or name some with --factor path=from..to.`);
  const stated = experiment.sensitivity;
  const kind = method ?? stated?.method.kind ?? "morris";
  const same = stated !== null && kind === stated.method.kind;
  if (points !== undefined && kind === "tornado") throw new UserError("--points: a tornado has none; --replications makes its intervals narrower.");
  const settings = kind === "morris" ? "trajectories" : "points";
  const sets = [
    ...(factor.length === 0 ? [] : [`sensitivity.factors=${JSON.stringify(factor.map((one) => one.factor))}`]),
    ...(metric.length === 0 ? [] : [`sensitivity.metrics=${JSON.stringify(metric)}`]),
    ...(points !== undefined
      ? [same && stated.methodHasSettings ? `sensitivity.method.${kind}.${settings}=${points}` : `sensitivity.method={${kind}: {${settings}: ${points}}}`]
      : method !== undefined && !same ? [`sensitivity.method=${method}`] : []),
  ];
  const load = { sets: [...set, ...sets], fileExists: existsSync };
  return blamingFlags(flags, () => {
    const spec = sets.length === 0 ? experiment.sensitivity! : loadScenario(source, path, load).experiment.sensitivity!;
    const corners = sensitivityVariations(spec);
    if (factor.length === 0) checkVariations(source, path, corners, load);
    // What is wrong with a factor of the command line stands in no file: it is told as if --set had been given.
    else for (const corner of corners) loadScenario(source, path, { ...load, sets: [...set, ...setsOf(corner)] });
    return { spec, sets };
  });
};

/** Says of what is wrong with factors and figures of the command line that it is there, and not in a file. */
const blamingFlags = <Result>({ factor, metric, set }: SensitivityFlags, load: () => Result): Result => {
  try {
    return load();
  } catch (error) {
    if (!(error instanceof ScenarioError)) throw error;
    const ours = error.problems.filter(({ file, path }) => file.startsWith("--set sensitivity.") && path.startsWith("sensitivity.") && !set.some((text) => file === `--set ${text}`));
    if (ours.length === 0) throw error;
    throw new UserError(ours.map(({ path, found, allowed, suggestion }) => {
      const [, list, index = "0"] = /^sensitivity\.(factors|metrics)\[(\d+)\]/.exec(path) ?? [];
      const flag = list === "factors" ? `--factor ${factor[Number(index)]!.text}` : list === "metrics" ? `--metric ${metric[Number(index)]!}` : path;
      return `${flag}: found ${found}; allowed: ${allowed}${suggestion === undefined ? "" : `; did you mean ${suggestion}?`}`;
    }).join("\n"));
  }
};

/** A sensitivity report for the terminal: for each figure the answer, and what each factor does. */
export const sensitivityText = (report: SensitivityReport, out: string | null): string => {
  const { provenance: { scenario }, runs, metrics, factors } = report;
  const lines = [
    `${pc.bold(scenario.name)}: ${formatNumber(factors.length)} ${factors.length === 1 ? "factor" : "factors"}, ${formatNumber(runs.played)} runs (${methodInWords(report)})`,
    ...metrics.flatMap((of) => ["", ...wrap(of.headline, width), ...tableOf(of)]),
    ...(metrics.length === 0 ? ["", "No run has any of the figures that are looked at."] : []),
  ];
  if (out !== null) lines.push("", `${pc.bold("Report:")} ${join(out, "index.html")} (open it in a browser)`);
  return `${lines.join("\n")}\n`;
};

const methodInWords = ({ method }: SensitivityReport): string => {
  switch (method.kind) {
    case "morris": return `Morris's screening, ${formatNumber(method.trajectories)} ${method.design === "radial" ? "centres" : "trajectories"}`;
    case "sobol": return `Sobol' indices from ${formatNumber(method.points)} points`;
    case "tornado": return "one factor at a time";
  }
};

const tableOf = ({ metric: { unit }, screening, indices, tornado }: SensitivityOfMetric): string[] => {
  const figure = (value: number | null): string => formatFigure(value === null ? null : Number(value.toPrecision(3)), unit);
  const cut = <Row>(rows: readonly Row[]): readonly Row[] => rows.slice(0, rowsShown);
  const short = (name: string): string => (name.length > 28 ? `${name.slice(0, 27)}…` : name);
  if (screening !== null) {
    return ["", plainTable(["", "mean size", "mean", "spread"], ["left", "right", "right", "right"], cut(screening).map(({ factor, muStar, mu, sigma }) => [short(factor), ...[muStar, mu, sigma].map(({ value }) => formatChange(value, unit))]))];
  }
  if (indices !== null) {
    return ["", plainTable(["", "alone", "in all"], ["left", "right", "right"], cut(indices.factors).map(({ factor, first, total }) => [short(factor), percents(first), percents(total)]))];
  }
  if (tornado !== null && tornado.base.mean !== null) {
    return ["", plainTable(["", "at", "", "at", ""], ["left", "right", "right", "right", "right"], cut(tornado.bars).map(({ factor, low, high }) => [short(factor), low.text, figure(low.estimate.mean), high.text, figure(high.estimate.mean)]))];
  }
  return [];
};
