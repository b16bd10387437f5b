import { existsSync } from "node:fs";
import { type Command, Option } from "commander";
import pc from "picocolors";
import { formatDurationUs, formatNumber, formatPercent, formatSignificant } from "../protocol/units.ts";
import { estimateLoad } from "../sim/scenario/estimate.ts";
import { checkVariations } from "../sim/scenario/check-variations.ts";
import { loadScenario } from "../sim/scenario/load.ts";
import type { Scenario } from "../sim/scenario/scenario.ts";
import type { ExperimentSpec } from "../sim/scenario/sections/experiment.ts";
import { sweepVariations } from "../sim/experiment/sweep/prepare.ts";
import { pointCount } from "../sim/scenario/sections/sweep.ts";
import { samplesOf } from "../sim/scenario/sections/grid.ts";
import { runsOf, sensitivityVariations } from "../sim/scenario/sections/sensitivity.ts";
import { describeError, EXIT } from "./errors.ts";
import { assignment, commandName, shellWord } from "./options.ts";
import { findScenario, readScenario } from "./scenario-file.ts";

/** Adds `validate`. */
export const registerValidate = (program: Command): void => {
  program
    .command("validate")
    .description("Checks scenarios without playing them, and says what they ask of their market.")
    .argument("<scenario...>", "YAML files, or names of scenarios that come with infernet")
    .addOption(new Option("--set <path=value>", "changes one value of the scenarios (repeatable)").argParser(assignment).default([], "none"))
    .addHelpText("after", "\nExamples:\n  $ infernet validate market.yaml\n  $ infernet validate quickstart --set operators.rtx4090.count=3\n\nThe exit code is 0 where all are in order, and 2 otherwise.\n")
    .action((given: readonly string[], flags: { readonly set: readonly string[] }) => {
      for (const one of given) validate(one, flags.set);
    });
};

const validate = (given: string, sets: readonly string[]): void => {
  try {
    const path = findScenario(given);
    const { scenario, experiment, source } = loadScenario(readScenario(path), path, { sets, fileExists: existsSync });
    const arms = experiment.arms?.arms ?? [];
    const { search, equilibrium, sensitivity } = experiment;
    const variations = [
      ...arms.map(({ variation }) => variation), ...sweepVariations({ scenario, experiment }, path), ...(sensitivity === null ? [] : sensitivityVariations(sensitivity)), ...(search === null ? [] : samplesOf(search.axes)), ...(equilibrium?.players ?? []).flatMap(({ axes }) => samplesOf(axes)),
    ];
    checkVariations(source, path, variations, { sets, fileExists: existsSync });
    process.stdout.write(`${pc.green("ok")} ${path}\n${summary(scenario)}\n${arms.length === 0 ? "" : `   arms: ${arms.map(({ name }) => name).join(", ")} (${commandName} compare ${shellWord(given)})\n`}${experimentLines(experiment, given)}`);
  } catch (error) {
    // The next file is looked at all the same.
    const failure = describeError(error, `infernet validate ${given}`);
    process.stderr.write(`${failure.text}\n`);
    process.exitCode = Math.max(Number(process.exitCode ?? EXIT.ok), failure.exitCode);
  }
};

/** What is varied, what is searched, and who plays against whom. */
const experimentLines = ({ arms, sweep, sensitivity, search, equilibrium }: ExperimentSpec, given: string): string => {
  const swept = sweep === null ? [] : [`   sweep: ${formatNumber(pointCount(sweep, arms?.arms.length ?? 1))} points over ${sweep.axes.map(({ name }) => name).join(", ")} (${commandName} sweep ${shellWord(given)})\n`];
  const varied = sensitivity === null ? [] : [`   sensitivity: ${sensitivity.factors.length} factors, ${formatNumber(runsOf(sensitivity))} runs (${commandName} sensitivity ${shellWord(given)})\n`];
  const searched = search === null ? [] : [`   search: ${search.direction} ${search.metric.label} over ${search.axes.map(({ path }) => path).join(", ")} (${commandName} search ${shellWord(given)})\n`];
  const game = equilibrium === null ? [] : [`   equilibrium: ${equilibrium.players.map(({ name, strategies }) => `${name} among ${strategies.length} strategies`).join(", ")} (${commandName} equilibrium ${shellWord(given)})\n`];
  return [...swept, ...varied, ...searched, ...game].join("");
};

const summary = (scenario: Scenario): string => {
  const { nodes, slots, jobsPerS, inputTokensPerS, outputTokensPerS, load } = estimateLoad(scenario);
  const classes = (all: Scenario["operators"] | Scenario["clients"]): string => all.map(({ name, count }) => (count === 1 ? name : `${name} x ${count}`)).join(", ");
  const rate = jobsPerS === null ? "as many jobs as the trace has" : `about ${formatSignificant(jobsPerS)} jobs/s`;
  const tokens = inputTokensPerS === null || outputTokensPerS === null ? ""
    : `, ${formatNumber(inputTokensPerS)} prompt and ${formatNumber(outputTokensPerS)} output tokens/s`;
  return [
    `   ${scenario.question}`,
    `   operators: ${formatNumber(nodes)} ${nodes === 1 ? "node" : "nodes"}, ${formatNumber(slots)} ${slots === 1 ? "slot" : "slots"} (${classes(scenario.operators)})`,
    ...regionsLine(scenario),
    `   clients: ${rate}${tokens} (${classes(scenario.clients)})`,
    ...(load === null ? [] : [`   load: about ${formatPercent(load)} of what the nodes can do with full batches`]),
  ].join("\n");
};

/** Where everybody is, and which delay holds where none is stated: a misspelt region shows here. Nothing where all are in one place. */
const regionsLine = ({ network, router, operators, clients }: Scenario): string[] => {
  const regions = [...new Set([router.region, ...[...operators, ...clients].flatMap((one) => one.regions.map(({ region }) => region))])].toSorted();
  if (regions.length < 2) return [];
  const listed = (a: string, b: string): boolean => network.between.some((pair) => (pair.a === a && pair.b === b) || (pair.a === b && pair.b === a));
  const others = regions.flatMap((a, i) => regions.slice(i + 1).filter((b) => !listed(a, b)).map((b) => `${a}/${b}`));
  const some = others.slice(0, 6).join(", ") + (others.length > 6 ? ` and ${others.length - 6} more` : "");
  return [`   regions: ${regions.join(", ")}${others.length === 0 ? "" : ` (${formatDurationUs(network.latencyUs)} each way, as network.between says nothing of them: ${some})`}`];
};
