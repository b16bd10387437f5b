import { type Command, InvalidArgumentError, Option } from "commander";
import { analyseTrace, fittedArrivals, type FittedArrivals, fitTrace, traceFormats, TraceReader } from "../sim/demand/index.ts";
import { fitText } from "./trace-fit.ts";
import { inspectText } from "./trace-inspect.ts";

/** Adds `trace inspect` and `trace fit`. */
export const registerTrace = (program: Command): void => {
  const trace = program.command("trace").description("Looks at recorded request traces, and makes workloads of them.").addHelpText("after", `\nExample:\n  $ infernet trace inspect AzureLLMInferenceTrace_conv.csv\n${formats()}`);

  trace.command("inspect")
    .description("Shows what is in a trace: counts, rates, burstiness, lengths.")
    .argument("<file>", "a trace, as recorded")
    .addOption(limitOption())
    .addHelpText("after", `\nExample:\n  $ infernet trace inspect AzureLLMInferenceTrace_conv.csv\n${formats()}`)
    .action((file: string, options: { limit?: number }) => {
      process.stdout.write(inspectText(analyseTrace(new TraceReader(file, { limit: options.limit ?? null }))));
    });

  trace.command("fit")
    .description("Fits a workload to a trace and prints it as a section for a scenario, with the fit's errors.")
    .argument("<file>", "a trace, as recorded")
    .option("--name <name>", "name of the client class", clientName, "chat")
    .addOption(new Option("--arrivals <kind>", "kind of arrival process (default: what the trace shows)").choices([...fittedArrivals]))
    .addOption(limitOption())
    .addHelpText("after", `\nExample:\n  $ infernet trace fit AzureLLMInferenceTrace_conv.csv --name chat > clients.yaml\n${formats()}`)
    .action((file: string, options: { name: string; arrivals?: FittedArrivals; limit?: number }) => {
      process.stdout.write(fitText(fitTrace(file, { arrivals: options.arrivals ?? null, limit: options.limit ?? null }), options.name));
    });
};

const limitOption = (): Option => new Option("--limit <rows>", "read only the first rows").argParser(positiveInteger);

const positiveInteger = (text: string): number => {
  const value = Number(text);
  if (!/^[0-9]+$/.test(text) || value < 1 || !Number.isSafeInteger(value)) throw new InvalidArgumentError("Allowed: a whole number, 1 or more.");
  return value;
};

const clientName = (text: string): string => {
  if (!/^[A-Za-z0-9][A-Za-z0-9-]{0,63}$/.test(text)) throw new InvalidArgumentError("Allowed: letters, digits and hyphens, 64 at most.");
  return text;
};

const formats = (): string => `\nFormats, told from the first line:\n${traceFormats.map((known) => `  ${known.format.padEnd(10)}${known.source}`).join("\n")}\n`;
