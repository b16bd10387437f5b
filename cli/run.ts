import { join } from "node:path";
import { type Command, Option } from "commander";
import pc from "picocolors";
import type { RunReport } from "../protocol/result.ts";
import { formatDurationUs } from "../protocol/units.ts";
import { ReportFolder } from "../reports/folder.ts";
import { renderJson } from "../reports/json.ts";
import { startRun } from "../sim/experiment/run.ts";
import type { Scenario } from "../sim/scenario/scenario.ts";
import { maxReplications } from "../sim/scenario/sections/replications.ts";
import { UserError } from "./errors.ts";
import { loadSubject } from "./experiment.ts";
import { type ExperimentFlags, queueOption, workersOption } from "./experiment-options.ts";
import { interruptedExit, Interruptions } from "./interruptions.ts";
import { LineFile } from "./line-file.ts";
import { assignment, commandName, filePath, seed, shellWord, wholeNumber } from "./options.ts";
import { play } from "./play.ts";
import { noProgress, showProgress } from "./progress.ts";
import { replicationsOf, runReplications } from "./replications.ts";
import { summaryText } from "./summary.ts";
import { findWarmupFor } from "./warmup.ts";

interface RunFlags extends ExperimentFlags {
  readonly events?: string;
  readonly parquet?: boolean;
  readonly until?: string;
}

/** Adds `run`. */
export const registerRun = (program: Command): void => {
  program
    .command("run")
    .description("Plays a scenario and writes a report of what came of it.")
    .argument("<scenario>", "a YAML file, or the name of a scenario that comes with infernet")
    .option("--seed <number>", "random numbers other than the scenario's", seed)
    .addOption(new Option("--set <path=value>", "changes one value of the scenario (repeatable)").argParser(assignment).default([], "none"))
    .option("--out <folder>", "where the report goes (default: out/NAME; with --json: nowhere)", filePath)
    .option("--json", "print report.json to stdout, and nothing else there")
    .option("--quiet", "no progress, no summary")
    .option("--events <file>", "write every event of the market, one JSON line each", filePath)
    .option("--parquet", "write every job to jobs.parquet too, for DuckDB, pandas and R")
    .option("--replications <number>", "play it so often, each time with other random numbers, and report means with confidence intervals", wholeNumber(1, maxReplications))
    .option("--until <rule>", "play it until a figure is known well enough, such as 'latency.p95 within 2 %' ('... at 99 %'); --replications is the most then")
    .addOption(workersOption())
    .addOption(queueOption())
    .option("--resume", "with several runs: goes on with what an interrupted experiment left in the folder")
    .addHelpText(
      "after",
      `
Examples:
  $ infernet run quickstart
  $ infernet run market.yaml --seed 7 --set router.policy=cheapest --out out/cheapest
  $ infernet run market.yaml --json --quiet | jq .overall.goodput
  $ infernet run market.yaml --replications 20
  $ infernet run market.yaml --until "latency.p95 within 2 %"
  $ infernet run market.yaml --parquet && duckdb -c "from 'out/market/jobs.parquet' limit 5"

Ctrl-C stops a run and keeps what was played: the report is written, marked as interrupted, and the exit code is 130.
`,
    )
    .action(runCommand);
};

const runCommand = async (given: string, flags: RunFlags): Promise<void> => {
  const loaded = loadSubject(given, flags);
  const { scenario } = loaded;
  const replications = replicationsOf(loaded, flags);
  if (replications.count !== 1) {
    if (flags.events !== undefined) throw new UserError("--events is for a single run; --replications 1 plays one.");
    if (flags.parquet === true) throw new UserError("--parquet is about the jobs of a single run; --replications 1 plays one. Of several runs there is a runs.parquet anyway.");
    await runReplications(loaded, replications, flags);
    return;
  }
  if (flags.queue !== undefined) throw new UserError("--queue is for several runs (--replications, --until).");
  if (flags.resume === true) throw new UserError("--resume goes on with several runs (--replications, --until); a single run begins anew.");
  const out = flags.out ?? (flags.json === true ? null : join("out", scenario.name));
  if (flags.parquet === true && out === null) throw new UserError("--parquet writes into the report's folder; name it with --out.");
  const warmup = scenario.autoWarmup === true ? await findWarmupFor(loaded, flags) : undefined;
  if (warmup === null) return;
  const warmupUs = warmup?.warmupUs ?? scenario.warmupUs;
  let folder: ReportFolder | null = null;
  let events: LineFile | null = null;
  const examples: Examples = { served: "", lost: "" };
  const run = startRun(scenario, {
    seed: flags.seed,
    sets: flags.set,
    warmup,
    onJobRow: (row) => {
      folder?.addJob(row);
      if (!row.measured) return;
      if (row.status === "completed") examples.served ||= row.job;
      else if (row.status !== "in-flight") examples.lost ||= row.job;
    },
    onEvent: flags.events === undefined ? undefined : (event) => events?.write(JSON.stringify(event)),
  });
  // Signals end the process at once while a large market is set up; from here on there is something to tidy up.
  const interruptions = new Interruptions();
  try {
    // Before the run, so that what cannot be written is known before an hour has gone by.
    if (out !== null) folder = new ReportFolder(out, { parquet: flags.parquet });
    if (flags.events !== undefined) events = new LineFile(flags.events);
    const progress = flags.quiet === true ? noProgress : showProgress(process.stderr, process.env["CI"] !== undefined);
    const signal = await play(run, progress, interruptions);
    if (signal !== null) process.exitCode = interruptedExit(signal);
    if (signal !== null && run.progress.nowUs <= warmupUs) {
      process.stderr.write(`Interrupted during the warm-up of ${formatDurationUs(warmupUs)}: nothing was measured yet, and no report is written.\n`);
      return;
    }
    const report = run.finish();
    events?.finish();
    folder?.finish(report);
    if (flags.json === true) process.stdout.write(renderJson(report));
    else if (flags.quiet !== true) process.stdout.write(closingText(report, given, out, examples, loaded.experiment.arms?.arms.length ?? 0));
    if (signal !== null && flags.quiet !== true) {
      process.stderr.write(`Interrupted after ${formatDurationUs(report.endUs)} of ${formatDurationUs(scenario.horizonUs)} simulated; the report covers what was played.\n`);
    }
  } finally {
    try {
      events?.close();
    } finally {
      folder?.close();
      interruptions.ignoreNoMore();
    }
  }
};

/** The first jobs of the measured interval that ended one way or the other; "" where there is none. */
interface Examples {
  served: string;
  lost: string;
}

/** @param arms how many the scenario has */
const closingText = (report: RunReport, given: string, out: string | null, { served, lost }: Examples, arms: number): string => {
  const lines = [summaryText(report)];
  const hint = (question: string, command: string): void => {
    lines.push(pc.bold(question), `  ${commandName} ${command}`);
  };
  if (out !== null) {
    lines.push("", `${pc.bold("Report:")} ${join(out, "index.html")} (open it in a browser)`);
    if (served !== "") hint("Why did a job go where it went?", `explain ${served} --report ${shellWord(out)}`);
    if (lost !== "") hint("Why did a job not complete?", `explain ${lost} --report ${shellWord(out)}`);
  }
  if (arms > 0) hint(`The scenario's ${arms} arms side by side, with intervals:`, `compare ${shellWord(given)}`);
  else hint(...another(report, shellWord(given)));
  return `${lines.join("\n")}\n`;
};

/** What to try next: another rule of choice, where there is a choice. */
const another = ({ nodes, provenance }: RunReport, given: string): [question: string, command: string] => {
  if (nodes.length < 2) return ["The same with other random numbers:", `run ${given} --seed ${Number(provenance.seed) + 1} --out out/second`];
  const { router } = provenance.scenario.resolved as unknown as Scenario;
  const priced = new Set(nodes.map(({ outputMsatPerMtok }) => outputMsatPerMtok)).size > 1;
  const policy = ([...(priced ? ["cheapest"] : []), "power-of-two", "random"] as const).find((kind) => kind !== router.policy.kind)!;
  return ["Another rule for the same market:", `run ${given} --set router.policy=${policy} --out out/${policy}`];
};
