import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Command, Option } from "commander";
import { findMetric, KEY_METRICS } from "../protocol/result/metrics.ts";
import type { Metric } from "../protocol/result/metrics.ts";
import type { ComparisonReport } from "../protocol/result/comparison.ts";
import { folderNames, readReportFolder } from "../lab/report-folder.ts";
import { ComparisonFolder } from "../reports/compare/folder.ts";
import { renderJson } from "../reports/json.ts";
import { comparison } from "../sim/experiment/compare/compare.ts";
import { prepareComparison, usualReplications } from "../sim/experiment/compare/prepare.ts";
import { compareSets } from "../sim/experiment/compare/run-sets.ts";
import { unknownMetric } from "../sim/scenario/sections/replications.ts";
import { comparisonText } from "./compare-text.ts";
import { UserError } from "./errors.ts";
import { addExperimentOptions, interruptionHelp } from "./experiment-options.ts";
import type { ExperimentFlags } from "./experiment-options.ts";
import { loadSubject, runExperiment } from "./experiment.ts";
import { replicationsOf } from "./replications.ts";
import { version } from "./version.ts";

interface CompareFlags extends ExperimentFlags {
  readonly metric: readonly string[];
  readonly until?: string;
  readonly baseline?: string;
  readonly allPairs?: boolean;
}

/** Adds `compare`. */
export const registerCompare = (program: Command): void => {
  const command = program
    .command("compare")
    .description("Plays a scenario's arms with the same random numbers, or takes reports that are there, and says what differs and how sure that is.")
    .argument("<scenario-or-folders...>", "a YAML file with `arms:`, or the name of a scenario that comes with infernet; or two or more report folders");
  addExperimentOptions(command, { out: "out/compare-NAME", json: "comparison.json", replications: `how often each arm is played (default: as the scenario says, otherwise ${usualReplications})` })
    .addOption(new Option("--metric <name>", "a figure to compare by, such as latency.p95, profit@rtx3060 or a path in report.json (repeatable)").argParser((text: string, earlier: readonly string[]) => [...earlier, text]).default([], "as the scenario says, otherwise the well-known ones"))
    .option("--until <rule>", "goes on until every arm's difference in a figure is known well enough, such as 'latency.p95 within 2 %' (of the baseline); --replications is the most then")
    .option("--baseline <arm>", "the arm with which the others are compared (default: as the scenario says, otherwise the first)")
    .option("--all-pairs", "also compares the other arms with each other")
    .addHelpText("after", `
Examples:
  $ infernet compare herding
  $ infernet compare market.yaml --replications 20 --metric latency.p95 --metric profit
  $ infernet compare market.yaml --until "latency.p95 within 2 %"
  $ infernet compare out/monday out/tuesday

Arms in a scenario:
  arms:
    posted: {}                                              # the market as it stands
    auction: {pricing: call-for-bids, router.policy: cheapest}
  baseline: posted           # default: the first
  metrics: [latency.p95, profit]
${interruptionHelp}`)
    .action(compareCommand);
};

const compareCommand = async (given: readonly string[], flags: CompareFlags): Promise<void> => {
  const isFolder = (path: string): boolean => existsSync(path) && statSync(path).isDirectory();
  const [first] = given as readonly [string];
  if (given.length === 1) {
    if (isFolder(first)) throw new UserError(`${first} is a folder; compare takes a scenario with arms, or two report folders and more.`);
    await compareArms(first, flags);
    return;
  }
  const other = given.find((path) => !isFolder(path));
  if (other !== undefined) throw new UserError(`${other} is no folder; compare takes one scenario with arms, or two report folders and more.`);
  await compareFolders(given, flags);
};

const compareArms = async (given: string, flags: CompareFlags): Promise<void> => {
  const loaded = loadSubject(given, flags);
  const { scenario, seed, path } = loaded;
  const classes = { clients: scenario.clients.map(({ name }) => name), operators: scenario.operators.map(({ name }) => name) };
  const question = prepareComparison(loaded, path, {
    baseline: flags.baseline, seed, sets: flags.set, allPairs: flags.allPairs, fileExists: existsSync, lab: { name: "infernet-lab", version },
    metrics: flags.metric.length === 0 ? undefined : [...new Set(flags.metric)].map((name) => metricOf(name, classes)),
    replications: flags.until === undefined && flags.replications === undefined ? undefined : replicationsOf(loaded, flags),
  });
  const names = question.arms.map(({ name }) => name);
  const { until } = question.replications;
  await runExperiment<ComparisonReport>({
    name: "compare", loaded, flags,
    open: (out) => {
      const folder = new ComparisonFolder(out, until === null ? question.metrics : [...question.metrics, until.metric], { scenario: scenario.name });
      let run = 0;
      return {
        addRun: ({ task, error, digest, figures }) => {
          folder.addRun({ run: task.name, factors: [names[run % names.length]!], replication: Math.floor(run / names.length), seed: task.seed, error, digest, figures });
          run++;
        },
        finish: (report) => folder.finish(report),
        close: () => folder.close(),
      };
    },
    plan: () => comparison(question),
    text: comparisonText,
  });
};

/** Compares what other commands reported. */
const compareFolders = async (given: readonly string[], flags: CompareFlags): Promise<void> => {
  for (const name of ["replications", "until", "seed", "resume", "queue"] as const) if (flags[name] !== undefined) throw new UserError(`--${name} is for playing a scenario's arms; reports are taken as they are.`);
  if (flags.set.length > 0) throw new UserError("--set is for playing a scenario's arms; reports are taken as they are.");
  const folders = given.map(readReportFolder);
  const names = folderNames(given);
  const classes = { clients: folders.flatMap((one) => one.classes.clients), operators: folders.flatMap((one) => one.classes.operators) };
  const metrics = (flags.metric.length > 0 ? [...new Set(flags.metric)] : folders.find((one) => one.metrics !== null)?.metrics ?? KEY_METRICS).map((name) => metricOf(name, classes));
  const sets = (await Promise.all(folders.map((folder, i) => folder.sets(names[i]!, metrics)))).flat();
  const baseline = flags.baseline ?? sets[0]!.name;
  if (sets.every(({ name }) => name !== baseline)) throw new UserError(`--baseline: found ${JSON.stringify(baseline)}; allowed: one of ${sets.map(({ name }) => name).join(", ")}.`);
  const report = compareSets(sets, { metrics, metricsAsked: flags.metric.length > 0, baseline, confidence: 0.95, allPairs: flags.allPairs === true, lab: { name: "infernet-lab", version } });
  const out = flags.out ?? (flags.json === true ? null : join("out", `compare-${names.slice(0, 3).map((name) => name.replaceAll("/", "-")).join("-")}`));
  if (out !== null) {
    const folder = new ComparisonFolder(out, metrics, null);
    try {
      folder.finish(report);
    } finally {
      folder.close();
    }
  }
  if (flags.json === true) process.stdout.write(renderJson(report));
  else if (flags.quiet !== true) process.stdout.write(comparisonText(report, out));
};

/** The metric that --metric names. @throws UserError */
export const metricOf = (name: string, classes: Parameters<typeof findMetric>[1]): Metric => {
  const metric = findMetric(name, classes);
  if (metric !== null) return metric;
  const { found, allowed, suggestion } = unknownMetric(name);
  throw new UserError(`--metric: found ${found}; allowed: ${allowed}${suggestion === undefined ? "." : `; did you mean ${suggestion}?`}`);
};
