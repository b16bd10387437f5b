import { availableParallelism } from "node:os";
import { type Command, Option } from "commander";
import { assignment, filePath, seed, wholeNumber } from "./options.ts";

/** Flags that all experiments have. */
export interface ExperimentFlags {
  /** Undefined where the scenario is to say. */
  readonly replications?: number;
  readonly workers: number;
  /** Address of a Redis: others play the runs. */
  readonly queue?: string;
  readonly seed?: number;
  readonly set: readonly string[];
  readonly out?: string;
  readonly resume?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** Runs at once, as `--workers` takes them. */
export const workersOption = (): Option =>
  new Option("--workers <number>", "runs played side by side; the results do not depend on it").argParser(wholeNumber(1, 256)).default(Math.min(256, availableParallelism()), "one for each core");

/** Runs played elsewhere, as `--queue` takes it. */
export const queueOption = (): Option => new Option("--queue <url>", "has the runs played by `infernet worker --queue URL` on any machines, through a Redis such as redis://localhost/0");

/** What the experiments' flags say in the help. */
export interface OptionTexts {
  /** Where the report goes if nothing is said: `out/sweep-NAME`. */
  readonly out: string;
  /** The file that --json prints: `sweep.json`. */
  readonly json: string;
  /** What --replications means here. */
  readonly replications?: string;
}

/** Adds the flags that all experiments have, in one order and with the same words. */
export const addExperimentOptions = (command: Command, { out, json, replications = "how often each market is played, with other random numbers each time" }: OptionTexts): Command =>
  command
    .option("--replications <number>", replications, wholeNumber(1, 1_000_000))
    .addOption(workersOption())
    .addOption(queueOption())
    .option("--seed <number>", "random numbers other than the scenario's", seed)
    .addOption(new Option("--set <path=value>", "changes one value of the scenario (repeatable)").argParser(assignment).default([], "none"))
    .option("--out <folder>", `where the report goes (default: ${out}; with --json: nowhere)`, filePath)
    .option("--resume", "goes on with what an interrupted experiment left in that folder")
    .option("--json", `print ${json} to stdout, and nothing else there`)
    .option("--quiet", "no progress, no summary");

/** For the help of an experiment's command. */
export const interruptionHelp = `
Ctrl-C keeps the runs that are over: the report says what they come to, and the exit code is 130. After that, or after a
crash, the same command with --resume plays only what is missing.
`;
