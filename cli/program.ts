import { Command } from "commander";
import { registerBench } from "./bench.ts";
import { registerCalibrate } from "./calibrate.ts";
import { registerCompare } from "./compare.ts";
import { registerEquilibrium } from "./equilibrium.ts";
import { registerExplain } from "./explain.ts";
import { registerInfer } from "./infer.ts";
import { registerKeygen } from "./keygen.ts";
import { registerLedger } from "./ledger.ts";
import { registerModel } from "./model.ts";
import { registerNode } from "./node.ts";
import { registerProfile } from "./profile.ts";
import { registerQuote } from "./quote.ts";
import { registerRouter } from "./router.ts";
import { registerRun } from "./run.ts";
import { registerSchema } from "./schema.ts";
import { registerSearch } from "./search.ts";
import { registerSensitivity } from "./sensitivity.ts";
import { registerSweep } from "./sweep.ts";
import { registerTrace } from "./trace.ts";
import { registerTwin } from "./twin.ts";
import { registerValidate } from "./validate.ts";
import { registerViability } from "./viability.ts";
import { registerWorker } from "./worker.ts";
import { version } from "./version.ts";
import { describeError, EXIT } from "./errors.ts";

/** The whole command line, ready to parse. Each command lives in a file of its own. */
export const buildProgram = (): Command => {
  const program = new Command("infernet")
    .description("Plays markets of LLM inference in a deterministic simulation, and reports what came of them.")
    .version(version, "-V, --version")
    .showHelpAfterError("(infernet --help lists the commands, infernet COMMAND --help its options)")
    .exitOverride();
  program.commandsGroup("Play a market:");
  registerRun(program);
  registerExplain(program);
  program.commandsGroup("Answers with error bars:");
  registerCompare(program);
  registerSweep(program);
  registerSensitivity(program);
  registerSearch(program);
  registerEquilibrium(program);
  registerViability(program);
  registerWorker(program);
  program.commandsGroup("Scenarios and traces:");
  registerValidate(program);
  registerSchema(program);
  registerTrace(program);
  program.commandsGroup("A live market:");
  registerRouter(program);
  registerNode(program);
  registerInfer(program);
  registerQuote(program);
  registerKeygen(program);
  registerLedger(program);
  program.commandsGroup("Real models and machines:");
  registerModel(program);
  registerProfile(program);
  registerBench(program);
  registerCalibrate(program);
  registerTwin(program);
  program.addHelpText("after", "\nExample:\n  $ infernet run quickstart\n");
  for (const command of program.commands) inherit(command);
  return program;
};

const inherit = (command: Command): void => {
  command.copyInheritedSettings(command.parent!);
  for (const child of command.commands) inherit(child);
};

/**
 * Runs one command line.
 * @param args without `node` and the script
 * @returns the exit code; see EXIT
 */
export const main = async (args: readonly string[]): Promise<number> => {
  // A reader that went away (`| head`) is no error.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") process.exit(EXIT.ok);
      throw error;
    });
  }
  const program = buildProgram();
  try {
    if (args.length === 0) {
      program.outputHelp();
      return EXIT.ok;
    }
    await program.parseAsync(args, { from: "user" });
    return typeof process.exitCode === "number" ? process.exitCode : EXIT.ok;
  } catch (error) {
    const failure = describeError(error, ["infernet", ...args].join(" "));
    if (failure.text !== "") process.stderr.write(`${failure.text}\n`);
    return failure.exitCode;
  }
};
