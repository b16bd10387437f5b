import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import pc from "picocolors";
import { profileOf } from "../live/twin/profiles.ts";
import { performTwin } from "../live/twin/perform.ts";
import { parseRecording, renderRecording, type TwinRecording } from "../live/twin/recording.ts";
import { evaluateTwin } from "../live/twin/twin.ts";
import type { Side } from "../live/twin/compare.ts";
import { writeWhole } from "../live/write-whole.ts";
import type { TwinReport } from "../protocol/result/twin.ts";
import { formatPercent } from "../protocol/units.ts";
import { ReportFolder } from "../reports/folder.ts";
import { renderJson } from "../reports/json.ts";
import { errorTable, machineSentence } from "../reports/twin/content.ts";
import { TwinFolder } from "../reports/twin/folder.ts";
import { UserError } from "./errors.ts";
import { loadSubject } from "./experiment.ts";
import { interruptedExit, Interruptions } from "./interruptions.ts";
import { assignment, filePath, seed } from "./options.ts";
import { noProgress, showTask } from "./progress.ts";

interface TwinFlags {
  readonly set: readonly string[];
  readonly seed?: number;
  readonly out?: string;
  readonly models: string;
  readonly replay?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** Adds `twin`. */
export const registerTwin = (program: Command): void => {
  program
    .command("twin")
    .description("Plays a scenario twice, with real processes and models on this machine and in the simulation, and says how far they are apart.")
    .argument("<scenario>", "a YAML file with a section `twin`, or one that comes with infernet")
    .option("--set <path=value>", "changes one value of the scenario (repeatable)", assignment, [])
    .option("--seed <number>", "random numbers other than the scenario's", seed)
    .option("--out <folder>", "where the report goes (default: out/twin-NAME)", filePath)
    .option("--models <folder>", "where models are kept that are made for the purpose", filePath, join("out", "models"))
    .option("--replay <file>", "play nothing: evaluate the recording.json of an earlier play anew", filePath)
    .option("--json", "print twin.json to stdout, and nothing else there")
    .option("--quiet", "no progress and no summary")
    .addHelpText("after", `
The machine should have nothing else to do meanwhile: whatever else it does is in the measurement.

Example:
  $ infernet twin twin
`)
    .action(runTwin);
};

const runTwin = async (given: string, flags: TwinFlags): Promise<void> => {
  const loaded = loadSubject(given, flags);
  const { twin } = loaded.experiment;
  if (twin === null) throw new UserError(`${loaded.path} does not say how it is played for real. Add a section "twin" with a model for each operator class:\n\n  twin:\n    models:\n${loaded.scenario.operators.map(({ name }) => `      ${name}: {parameters: 25M}`).join("\n")}`);
  const out = flags.out ?? join("out", `twin-${loaded.scenario.name}`);
  const folder = new TwinFolder(out);
  const interruptions = new Interruptions();
  const progress = flags.quiet === true ? noProgress : showTask(process.stderr, process.env["CI"] !== undefined);
  try {
    const recording = flags.replay === undefined ? await performTwin({
      scenario: loaded.scenario, twin, file: loaded.path, seed: loaded.seed, models: flags.models, signal: interruptions.aborted,
      onProgress: (what, share) => progress.update(Math.round(share * 1_000), 1_000, what),
    }) : readRecording(flags.replay, loaded);
    if (flags.replay === undefined) writeRecording(out, recording);
    const result = evaluateTwin(recording, { scenario: loaded.scenario, phases: twin.phases, sets: flags.set });
    progress.stop();
    const { report, pairs, real, simulated } = result;
    writeSide(join(out, "real"), real);
    writeSide(join(out, "simulated"), simulated);
    mkdirSync(join(out, "profiles"), { recursive: true });
    for (const [node, plan] of result.plans.entries()) {
      const profile = profileOf(plan, recording.runners[node]!, result.calibration.nodes[node]!, report);
      if (profile !== null) writeWhole(join(out, "profiles", `${plan.name}.json`), renderJson(profile));
    }
    folder.finish(report, pairs);
    writeWhole(join(out, "table.md"), `${machineSentence(report)}\n\n${errorTable(report)}\n`);
    if (flags.json === true) process.stdout.write(renderJson(report));
    else if (flags.quiet !== true) process.stdout.write(textOf(report, out));
    if (interruptions.signal !== null) process.exitCode = interruptedExit(interruptions.signal);
  } finally {
    progress.stop();
    folder.close();
    interruptions.ignoreNoMore();
  }
};

/** Before it is evaluated: what took so long to play should outlive a fault in that. */
const writeRecording = (out: string, recording: TwinRecording): void => {
  mkdirSync(out, { recursive: true });
  writeWhole(join(out, "recording.json"), renderRecording(recording));
};

const readRecording = (file: string, { scenario, hash, seed }: { readonly scenario: { readonly name: string }; readonly hash: string; readonly seed: number }): TwinRecording => {
  const text = readFileSync(file, "utf8");
  let recording: TwinRecording;
  try {
    recording = parseRecording(text);
  } catch (error) {
    if (error instanceof RangeError) throw new UserError(`${file} ${error.message}`);
    throw error;
  }
  if (recording.seed !== seed) throw new UserError(`${file} was played with --seed ${recording.seed}, not ${seed}`);
  if (recording.scenarioHash !== hash) throw new UserError(`${file} is of another scenario than ${scenario.name} as it is now (with its --set): a recording can be evaluated only with the scenario that was played`);
  return recording;
};

const writeSide = (path: string, { report, rows }: Side): void => {
  const folder = new ReportFolder(path);
  try {
    for (const row of rows) folder.addJob(row);
    folder.finish(report);
  } finally {
    folder.close();
  }
};

const textOf = (report: TwinReport, out: string): string => [
  pc.bold(report.headline), "", ...report.findings.map((finding) => `- ${finding}`), "",
  ...report.bars.map(({ what, error, limit, holds }) => `${holds ? pc.green("holds") : pc.red("does not hold")}  ${what}: ${error === null ? "unknown" : `${error >= 0 ? "+" : "-"}${formatPercent(Math.abs(error))}`} of at most ${formatPercent(limit)}`), "",
  `For the README (also in ${join(out, "table.md")}):`, "", machineSentence(report), "", errorTable(report), "",
  `${pc.bold("Report:")} ${join(out, "index.html")} (open it in a browser)`, "",
].join("\n");
