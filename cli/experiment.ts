import { existsSync } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";
import { formatNumber } from "../protocol/units.ts";
import { removeDrafts } from "../reports/draft-folder.ts";
import { renderJson } from "../reports/json.ts";
import { conductOn } from "../lab/conduct.ts";
import { labIdentity } from "../lab/identity.ts";
import { QueuePlayer } from "../lab/queue/player.ts";
import { JournalFile, marketOf } from "../lab/journal-file.ts";
import type { Experiment, RunOutcome, RunTask } from "../sim/experiment/plan.ts";
import type { Subject } from "../sim/experiment/play-task.ts";
import { loadScenario } from "../sim/scenario/load.ts";
import type { LoadedScenario } from "../sim/scenario/load.ts";
import { UserError } from "./errors.ts";
import type { ExperimentFlags } from "./experiment-options.ts";
import { interruptedExit, Interruptions } from "./interruptions.ts";
import { commandName, shellWord } from "./options.ts";
import { noProgress, showTask } from "./progress.ts";
import { findScenario, readScenario } from "./scenario-file.ts";

/** A scenario that an experiment is about. */
export interface LoadedSubject extends LoadedScenario {
  /** As the user named it. */
  readonly given: string;
  readonly path: string;
  /** What `conductOn` takes. */
  readonly subject: Subject;
  /** Of the experiment: the scenario's own unless --seed says another. */
  readonly seed: number;
}

/** Finds and loads the scenario. @throws UserError, ScenarioError */
export const loadSubject = (given: string, flags: Pick<ExperimentFlags, "set" | "seed">): LoadedSubject => {
  const path = findScenario(given);
  const loaded = loadScenario(readScenario(path), path, { sets: flags.set, fileExists: existsSync });
  return { ...loaded, given, path, subject: { source: loaded.source, fileName: path, sets: flags.set }, seed: flags.seed ?? loaded.scenario.seed };
};

/** Where an experiment's files go. */
export interface ExperimentFolder<Report> {
  /** Told of every run, in order, as it is taken. */
  addRun?(outcome: RunOutcome): void;
  /** Everything is in its place after it. */
  finish(report: Report): void;
  /** After `finish`: nothing. Before: leaves nothing behind. */
  close(): void;
}

/** An experiment as a command. */
export interface ExperimentCommand<Report> {
  /** The command's own word, such as `sweep`. */
  readonly name: string;
  readonly loaded: LoadedSubject;
  readonly flags: ExperimentFlags;
  /** Opens the folder, before anything is played, so that what cannot be written is known before an hour has gone by. */
  open(out: string): ExperimentFolder<Report>;
  /** Null where too little was played to say anything. */
  plan(): Experiment<Report | null>;
  /** The summary on the terminal. @param out null where nothing was written */
  text(report: Report, out: string | null): string;
}

/** Failed runs that are told on the terminal. */
const failuresTold = 5;
const journalName = "runs.journal";

/**
 * Conducts an experiment from the command line: workers, progress, Ctrl-C, journal, report, failed runs, exit code.
 * @throws what the experiment or its report throws; what was played is in the journal then
 */
export const runExperiment = async <Report extends { readonly schema: string }>(command: ExperimentCommand<Report>): Promise<void> => {
  const { name, loaded, flags } = command;
  const out = flags.out ?? (flags.json === true ? null : join("out", `${name}-${loaded.scenario.name}`));
  const say = (text: string): void => void process.stderr.write(text);
  // Signals end the process at once while the scenario is loaded; from here on there is something to tidy up.
  const interruptions = new Interruptions();
  let folder: ExperimentFolder<Report> | null = null;
  let queue: QueuePlayer | null = null;
  let journal: JournalFile | null = null;
  try {
    if (flags.queue !== undefined) queue = await QueuePlayer.connect(flags.queue, say);
    if (flags.resume === true && out === null) throw new UserError("--resume goes on with what is in a folder; name it with --out.");
    if (out !== null) {
      const journalPath = join(out, journalName);
      const goesOn = existsSync(journalPath);
      if (goesOn && flags.resume !== true) throw new UserError(`${journalPath} holds the runs of an experiment that was interrupted. Go on with it: ${resumeCommand()}; or remove the file to begin anew.`);
      if (goesOn) removeDrafts(out);
      folder = command.open(out);
      const { version, code } = labIdentity();
      const head = { labVersion: `${version}, code ${code}`, experiment: name, market: marketOf(loaded.subject, loaded.hash) };
      journal = goesOn ? JournalFile.resume(journalPath, head) : JournalFile.begin(journalPath, head);
      if (flags.resume === true && flags.quiet !== true) {
        say(journal.found === 0 ? `There is no interrupted experiment in ${out}; this one begins anew.\n` : `${runs(journal.found)} of ${out} ${journal.found === 1 ? "is" : "are"} played already.\n`);
      }
    }
    const progress = flags.quiet === true ? noProgress : showTask(process.stderr, process.env["CI"] !== undefined);
    const tally = new Failures();
    let all = 0;
    let report: Report | null;
    try {
      report = await conductOn(command.plan(), loaded.subject, {
        onRun: (outcome) => {
          tally.add(outcome);
          folder?.addRun?.(outcome);
        },
        workers: flags.workers, pool: queue ?? undefined, journal: journal ?? undefined, signal: interruptions.aborted,
        onProgress: ({ done, all: known, purpose }) => {
          all = known;
          progress.update(done, known, `${purpose} | ${formatNumber(Math.floor(done))} of ${runs(known)}`);
        },
      });
    } finally {
      progress.stop();
    }
    if (interruptions.signal !== null) process.exitCode = interruptedExit(interruptions.signal);
    if (report !== null) {
      folder?.finish(report);
      if (flags.json === true) process.stdout.write(renderJson(report));
      else if (flags.quiet !== true) process.stdout.write(command.text(report, out));
    }
    say(tally.text(loaded, flags));
    if (interruptions.signal !== null) {
      if (flags.quiet !== true || report === null) say(interruptedText(tally.runs, all, (journal === null ? 0 : journal.found + journal.added) - tally.runs, report !== null));
      if (journal !== null && holdsRuns(journal) && flags.quiet !== true) say(`To go on: ${resumeCommand()}\n`);
    } else {
      journal?.close();
      journal?.remove();
      journal = null;
      if (report === null) throw new UserError(`${tally.runs === 0 ? "nothing was played" : "no run could be played"}; there is nothing to report.`);
    }
  } catch (error) {
    if (journal !== null && holdsRuns(journal)) say(`What was played is kept. To go on: ${resumeCommand()}\n`);
    throw error;
  } finally {
    journal?.close();
    if (journal !== null && !holdsRuns(journal)) journal.remove();
    folder?.close();
    await queue?.close();
    interruptions.ignoreNoMore();
  }
};

const holdsRuns = ({ found, added }: JournalFile): boolean => found + added > 0;

/** Counts runs, and keeps the first that failed. */
class Failures {
  runs = 0;
  #failed = 0;
  readonly #first: RunOutcome[] = [];

  add(outcome: RunOutcome): void {
    this.runs++;
    if (outcome.error === null) return;
    this.#failed++;
    if (this.#first.length < failuresTold) this.#first.push(outcome);
  }

  /** What failed, and how to see it fail again; "" where nothing did. */
  text(loaded: LoadedSubject, flags: ExperimentFlags): string {
    if (this.#failed === 0) return "";
    const lines = [`${formatNumber(this.#failed)} of ${runs(this.runs)} failed, and ${this.#failed === 1 ? "has" : "have"} no part in the results:`];
    for (const { task, error } of this.#first) lines.push(`  ${task.name}, seed ${task.seed}: ${error}`, `    ${runCommandOf(loaded, flags, task)}`);
    if (this.#failed > this.#first.length) lines.push(`  and ${formatNumber(this.#failed - this.#first.length)} more.`);
    return `${lines.join("\n")}\n`;
  }
}

/** The command that plays one run of an experiment alone. */
export const runCommandOf = ({ given, path, experiment }: LoadedSubject, flags: Pick<ExperimentFlags, "set">, task: RunTask): string =>
  [
    commandName, "run", shellWord(given), ...(experiment.replications === null ? [] : ["--replications", 1]), "--seed", task.seed,
    ...[...flags.set, ...task.sets.map((set) => seenFromHere(set, dirname(path)))].flatMap((set) => ["--set", shellWord(set)]),
  ].join(" ");

/** What a scenario's experiments name is looked up beside the scenario; what --set names, from where the command is given. */
const seenFromHere = (set: string, folder: string): string =>
  set.replace(/[^\s"'{}[\],:=]+\.\w{1,8}/g, (word) => (!isAbsolute(word) && existsSync(join(folder, word)) ? join(folder, word) : word));

/** @param kept runs in the journal that are over before one before them was: a report is of the first runs without a gap */
const interruptedText = (played: number, all: number, kept: number, reported: boolean): string => {
  const begin = `Interrupted after ${formatNumber(played)} of ${runs(all)}`;
  const more = kept > 0 ? ` ${runs(kept)} more ${kept === 1 ? "is" : "are"} over and kept.` : "";
  return reported ? `${begin}; the report covers what was played.${more}\n` : `${begin}: too few to report anything.${more}\n`;
};

/** This very command, going on. */
const resumeCommand = (): string => {
  const args = process.argv.slice(2);
  return [commandName, ...args, ...(args.includes("--resume") ? [] : ["--resume"])].map(shellWord).join(" ");
};

const runs = (count: number): string => (count === 1 ? "1 run" : `${formatNumber(count)} runs`);
