import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import pc from "picocolors";
import { parse } from "yaml";
import { NumberFile } from "../lab/number-file.ts";
import { findMetric } from "../protocol/result/metrics.ts";
import type { Metric } from "../protocol/result/metrics.ts";
import { formatFactor } from "../protocol/result/sweep.ts";
import type { SweepReport } from "../protocol/result/sweep.ts";
import { wrap } from "../reports/plots/figure.ts";
import { designInWords, formatCell } from "../reports/sweep/content.ts";
import { SweepFolder } from "../reports/sweep/folder.ts";
import { withoutSeries } from "../sim/experiment/series.ts";
import { prepareSweep } from "../sim/experiment/sweep/prepare.ts";
import { sweep } from "../sim/experiment/sweep/sweep.ts";
import type { SweptRun } from "../sim/experiment/sweep/sweep.ts";
import { loadScenario } from "../sim/scenario/load.ts";
import { ScenarioError } from "../sim/scenario/scenario-error.ts";
import { unknownMetric } from "../sim/scenario/sections/replications.ts";
import type { SweepSpec } from "../sim/scenario/sections/sweep.ts";
import { UserError } from "./errors.ts";
import { addExperimentOptions, interruptionHelp } from "./experiment-options.ts";
import type { ExperimentFlags } from "./experiment-options.ts";
import { loadSubject, runExperiment } from "./experiment.ts";
import type { LoadedSubject } from "./experiment.ts";
import { wholeNumber } from "./options.ts";
import { plainTable } from "./table.ts";
import { version } from "./version.ts";

interface SweepFlags extends ExperimentFlags {
  readonly axis: readonly AxisFlag[];
  readonly combine?: "product" | "zip" | "latin-hypercube" | "sobol";
  readonly points?: number;
  readonly arms?: boolean;
  readonly metric: readonly string[];
}

interface AxisFlag {
  readonly name: string;
  readonly values: unknown;
}

/** Columns of a terminal that everything fits into. */
const width = 80;
/** Points shown on the terminal. */
const rowsShown = 40;

/** Adds `sweep`. */
export const registerSweep = (program: Command): void => {
  addExperimentOptions(
    program
      .command("sweep")
      .description("Plays a scenario at many points: what becomes of the market as one or several of its values change.")
      .argument("<scenario>", "a YAML file, or the name of a scenario that comes with infernet")
      .addOption(new Option("--axis <path=values>", "what is varied, in place of what the scenario says (repeatable): values with commas between them, or {from: .., to: .., steps: ..}").argParser(axisFlag).default([], "the scenario's"))
      .addOption(new Option("--combine <how>", "how several axes are combined").choices(["product", "zip", "latin-hypercube", "sobol"]))
      .option("--points <number>", "points of a Latin hypercube or of the Sobol sequence", wholeNumber(2, 100_000))
      .option("--arms", "play every point in each arm of the scenario")
      .addOption(new Option("--metric <name>", "figure to look at, such as profit, latency.p95 or utilisation@rtx4090 (repeatable)").argParser((text: string, earlier: readonly string[]) => [...earlier, text]).default([], "the scenario's, or the usual ones")),
    { out: "out/sweep-NAME", json: "sweep.json", replications: "runs of each point, on the same random numbers at every point" },
  )
    .addHelpText(
      "after",
      `
Examples:
  $ infernet sweep router-fee
  $ infernet sweep quickstart --axis "router.policy=cheapest, random, power-of-two"
  $ infernet sweep market.yaml --axis router.fee.share=0bps,100bps,200bps --axis operators.rtx3060.count=2,8 --combine product
  $ infernet sweep market.yaml --axis "router.fee.share={from: 0 %, to: 5 %, steps: 11}" --metric router.revenue --metric profit
  $ infernet sweep market.yaml --axis "clients.chat.arrivals.poisson.rate={from: 1/s, to: 20/s, scale: log}" \\
      --axis "operators.rtx3060.count={from: 1, to: 30}" --combine sobol --points 128 --replications 1
${interruptionHelp}`,
    )
    .action(sweepCommand);
};

/** Reads `PATH=VALUE,VALUE` or `PATH={from: .., to: ..}`; the values are YAML. @throws InvalidArgumentError */
const axisFlag = (text: string, earlier: readonly AxisFlag[]): readonly AxisFlag[] => {
  const equals = text.indexOf("=");
  if (equals < 1) throw new InvalidArgumentError("Allowed: PATH=VALUE,VALUE, such as router.fee.share=0bps,100bps, or PATH={from: 1, to: 9, steps: 5}.");
  const name = text.slice(0, equals).trim();
  const given = text.slice(equals + 1).trim();
  if (earlier.some((axis) => axis.name === name)) throw new InvalidArgumentError(`There are two axes ${name}; name each once, with all its values.`);
  const flow = /^(?:\{[^]*\}|\[[^]*\])$/.test(given) && !/^\{[^{}]*\}\s*,/.test(given) ? given : `[${given}]`;
  try {
    return [...earlier, { name, values: parse(flow) as unknown }];
  } catch {
    throw new InvalidArgumentError(`${JSON.stringify(given)} is no list of values. Allowed: values with commas between them, or {from: 1, to: 9, steps: 5}.`);
  }
};

const sweepCommand = async (given: string, flags: SweepFlags): Promise<void> => {
  const loaded = loadSubject(given, flags);
  const spec = specOf(loaded, flags);
  let addRun: (run: SweptRun) => void = () => {};
  const question = blamingFlags(flags, () => prepareSweep(loaded, loaded.path, {
    spec, replications: flags.replications, metrics: metricsOf(loaded, flags.metric), seed: loaded.seed, sets: flags.set, fileExists: existsSync,
    lab: { name: "infernet-lab", version }, onRun: (run) => addRun(run),
  }));
  const { axes } = question.spec;
  const factors = [...(question.arms === null ? [] : [{ name: "arm", numeric: false }]), ...axes.map(({ name, ends }) => ({ name, numeric: ends !== null }))];
  await runExperiment<SweepReport>({
    name: "sweep", loaded, flags,
    open: (out) => {
      const folder = new SweepFolder(out, factors, loaded.scenario.name);
      addRun = ({ point: { arm, factors: at }, replication, outcome: { task, error, digest, figures } }) =>
        folder.addRun({ run: task.name, factors: [...(question.arms === null ? [] : [arm]), ...at], replication, seed: task.seed, error, digest, figures: figures === null ? null : withoutSeries(figures) });
      return { finish: (report) => folder.finish(report), close: () => folder.close() };
    },
    plan: () => sweep({ ...question, store: () => new NumberFile() }),
    text: sweepText,
  });
};

/** What is swept: as the flags say, otherwise as the scenario does. Null where nobody says anything. @throws UserError, ScenarioError */
const specOf = ({ source, path, experiment }: LoadedSubject, flags: SweepFlags): SweepSpec | null => {
  const { axis, combine, points, arms } = flags;
  if (points !== undefined && combine !== "latin-hypercube" && combine !== "sobol") throw new UserError("--points goes with --combine latin-hypercube or --combine sobol.");
  if (points === undefined && (combine === "latin-hypercube" || combine === "sobol")) throw new UserError(`--combine ${combine} needs --points, such as --points 64.`);
  if (axis.length === 0 && combine === undefined && arms === undefined) return experiment.sweep;
  if (axis.length === 0 && experiment.sweep === null) return null;
  const how = combine === "latin-hypercube" || combine === "sobol" ? { [combine]: { points } } : combine;
  const sets = axis.length === 0
    ? [...(how === undefined ? [] : [`sweep.combine=${JSON.stringify(how)}`]), ...(arms === true ? ["sweep.arms=true"] : [])]
    : [`sweep=${JSON.stringify({ axes: Object.fromEntries(axis.map(({ name, values }) => [name, values])), combine: how, arms })}`];
  return blamingFlags(flags, () => loadScenario(source, path, { sets: [...flags.set, ...sets], fileExists: existsSync }).experiment.sweep);
};

/** Says of what is wrong with axes of the command line that it is there, and not in a file. */
const blamingFlags = <Result>({ axis, combine, set }: SweepFlags, load: () => Result): Result => {
  try {
    return load();
  } catch (error) {
    if (!(error instanceof ScenarioError) || (axis.length === 0 && combine === undefined)) throw error;
    const ours = error.problems.filter(({ file, path }) => path.startsWith("sweep") && !set.some((text) => file === `--set ${text}`));
    if (ours.length === 0) throw error;
    throw new UserError(ours.map(({ path, found, allowed, suggestion }) =>
      `${path.startsWith("sweep.axes.") ? `--axis ${path.slice("sweep.axes.".length)}` : path === "sweep.axes" ? "--axis" : "--combine"}: found ${found}; allowed: ${allowed.replace("`combine: product`", "--combine product").replace("`combine: zip`", "--combine zip")}${suggestion === undefined ? "" : `; did you mean ${suggestion}?`}`).join("\n"));
  }
};

/** Undefined where none are named. @throws UserError */
const metricsOf = ({ scenario }: LoadedSubject, names: readonly string[]): readonly Metric[] | undefined => {
  if (names.length === 0) return undefined;
  const classes = { clients: scenario.clients.map(({ name }) => name), operators: scenario.operators.map(({ name }) => name) };
  const metrics = names.map((text) => {
    const metric = findMetric(text, classes);
    if (metric !== null) return metric;
    const { found, allowed, suggestion } = unknownMetric(text);
    throw new UserError(`--metric: found ${found}; allowed: ${allowed}${suggestion === undefined ? "" : `; did you mean ${suggestion}?`}`);
  });
  return [...new Map(metrics.map((metric) => [metric.path, metric])).values()];
};

/** Text in lines; a number keeps its unit. */
const wrapped = (text: string, most: number): string[] => wrap(text.replace(/(\d) (?=%|sat|msat|ms\b|s\b|kWh)|= x (?=\d)/g, (found) => found.replaceAll(" ", "\u00a0")), most).map((line) => line.replaceAll("\u00a0", " "));

/** A sweep for the terminal: what was played, what it says, the points. */
export const sweepText = (report: SweepReport, out: string | null): string => {
  const { axes, metrics, points, design, findings, provenance: { scenario } } = report;
  const cells = points.slice(0, rowsShown).map(({ arm, factors, estimates }) => ({
    place: [...(design.arms === null ? [] : [arm ?? ""]), ...factors.map((factor, i) => formatFactor(factor, axes[i]!))],
    figures: estimates.map((estimate, m) => formatCell(estimate, metrics[m]!.unit)),
  }));
  const placeHead = [...(design.arms === null ? [] : ["arm"]), ...axes.map(({ name }) => name)];
  // As many metrics as the terminal is wide; the report has all.
  const placeWidth = placeHead.reduce((sum, name, i) => sum + 2 + Math.max(name.length, ...cells.map(({ place }) => place[i]!.length)), 0);
  let room = width - placeWidth;
  let fitting = 0;
  for (const [m, { id }] of metrics.entries()) {
    room -= 2 + Math.max(id.length, ...cells.map(({ figures }) => figures[m]!.length));
    if (room < 0 && fitting > 0) break;
    fitting++;
  }
  const left = metrics.slice(fitting).map(({ id }) => id);
  const numeric = [...(design.arms === null ? [] : [false]), ...axes.map(({ ends }) => ends !== null)];
  const lines = [
    ...wrap(`${scenario.name}: ${designInWords(report)}`, width).map((line, i) => i === 0 ? pc.bold(line.slice(0, scenario.name.length + 1)) + line.slice(scenario.name.length + 1) : line),
    "",
    ...findings.flatMap((finding) => wrapped(finding, width - 2).map((line, i) => `${i === 0 ? "- " : "  "}${line}`)),
    "",
    plainTable([...placeHead, ...metrics.slice(0, fitting).map(({ id }) => id)], [...numeric.map((one) => one ? "right" as const : "left" as const), ...metrics.slice(0, fitting).map(() => "right" as const)],
      cells.map(({ place, figures }) => [...place, ...figures.slice(0, fitting)])),
    ...(points.length > rowsShown ? [`... and ${points.length - rowsShown} more points`] : []),
    ...(left.length > 0 ? wrap(`In the report as well: ${left.join(", ")}.`, width) : []),
  ];
  if (out !== null) lines.push("", `${pc.bold("Report:")} ${join(out, "index.html")} (open it in a browser), every run in runs.csv and runs.parquet`);
  return `${lines.join("\n")}\n`;
};
