import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { runReport } from "../protocol/result.ts";
import type { JobRow, RunReport } from "../protocol/result.ts";
import type { Decision } from "../scheduler/environment.ts";
import { nodeNames } from "../sim/experiment/node-names.ts";
import { startRun } from "../sim/experiment/run.ts";
import type { MarketEvent } from "../protocol/result/market-event.ts";
import type { Scenario } from "../sim/scenario/scenario.ts";
import { UserError } from "./errors.ts";
import { explanationText } from "./explanation.ts";
import { interruptedExit, Interruptions } from "./interruptions.ts";
import { commandName } from "./options.ts";
import { play } from "./play.ts";
import { noProgress, showProgress } from "./progress.ts";
import { version } from "./version.ts";

interface ExplainFlags {
  readonly report: string;
  readonly all?: boolean;
  readonly quiet?: boolean;
}

/** Adds `explain`. */
export const registerExplain = (program: Command): void => {
  program
    .command("explain")
    .description("Says why a job went where it went: candidates with the parts of their scores, exclusions, timeline.")
    .argument("<job>", "the job's id, from the first column of jobs.csv")
    .requiredOption("--report <folder>", "the folder of a run's report")
    .option("--all", "every candidate and every excluded node, however many")
    .option("--quiet", "no progress")
    .addHelpText(
      "after",
      `
Example:
  $ infernet run quickstart --out out/quickstart
  $ infernet explain chat-1000 --report out/quickstart

The run is played again from the report, with the same seed, until the job has ended: decisions take too much room to be
kept for every job.
`,
    )
    .action(explainCommand);
};

/** What a report says of how it was made. @throws UserError where the folder holds no report that this version can play again. */
const readReport = (folder: string): RunReport => {
  const path = join(folder, "report.json");
  if (!existsSync(path)) throw new UserError(`there is no report in ${folder}: ${path} is missing. ${commandName} run SCENARIO --out ${folder} makes one.`);
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new UserError(`${path} is not JSON: ${(error as Error).message}`);
  }
  const parsed = runReport.safeParse(content);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw new UserError(`${path} is not a run's report: ${issue.path.map(String).join(".") || "the document"}: ${issue.message}`);
  }
  const report = parsed.data;
  if (report.world !== "simulated") throw new UserError(`${path} reports a live run, which cannot be played again.`);
  if (report.provenance.lab.version !== version) {
    throw new UserError(`${path} was made by version ${report.provenance.lab.version}; this is ${version}, whose runs may differ. Play the scenario again first.`);
  }
  return report;
};

const explainCommand = async (job: string, flags: ExplainFlags): Promise<void> => {
  const report = readReport(flags.report);
  // The schema of the report says only that this is JSON; the version says that it is this version's scenario.
  const scenario = report.provenance.scenario.resolved as unknown as Scenario;
  const seed = Number(report.provenance.seed);
  const unknown = (): UserError =>
    new UserError(`the run has no job ${job}. The ids of its ${report.jobRows.rows} jobs are in the first column of ${join(flags.report, "jobs.csv")}.`);
  // Jobs are named after their class: what cannot be one need not be looked for by playing the whole run.
  if (!report.clientClasses.some(({ name }) => job.startsWith(`${name}-`))) throw unknown();

  const decisions: { atUs: number; decision: Decision }[] = [];
  const events: MarketEvent[] = [];
  let row: JobRow | null = null;
  const run = startRun(scenario, {
    seed,
    explain: new Set([job]),
    onDecision: (decision, atUs) => decisions.push({ atUs, decision }),
    onEvent: (event) => {
      if ("job" in event && event.job === job) events.push(event);
    },
    onJobRow: (ended) => {
      if (ended.job === job) row = { ...ended };
    },
  });
  const untilJobEnded = {
    get progress() {
      return run.progress;
    },
    step: (sliceUs: number): boolean => {
      // What came after an interruption is not in the report.
      const leftUs = report.provenance.interrupted === true ? report.endUs - run.progress.nowUs : Infinity;
      return row !== null || leftUs <= 0 || run.step(Math.min(sliceUs, leftUs)) || row !== null;
    },
  };
  const interruptions = new Interruptions();
  const signal = await play(untilJobEnded, flags.quiet === true ? noProgress : showProgress(process.stderr, process.env["CI"] !== undefined), interruptions);
  interruptions.ignoreNoMore();
  if (signal !== null) {
    process.exitCode = interruptedExit(signal);
    return;
  }
  if (events.length === 0) throw unknown();
  process.stdout.write(explanationText({ job, row, events, decisions, names: nodeNames(scenario, seed), everything: flags.all === true }));
};
