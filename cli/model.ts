import { type Command, InvalidArgumentError, Option } from "commander";
import { parseQuantity, toNumber } from "../input/units.ts";
import { type ModelFacts, modelFacts } from "../live/gguf/facts.ts";
import { synthesizeModel } from "../live/gguf/synthesize.ts";
import { QUANTISATIONS, type Quantisation } from "../live/gguf/tensor-types.ts";
import { formatNumber, formatSignificant } from "../protocol/format.ts";
import { filePath, seed } from "./options.ts";
import { plainTable } from "./table.ts";

interface SynthOptions {
  readonly params: number;
  readonly quant: Quantisation;
  readonly out: string;
  readonly seed: number;
  readonly context: number;
  readonly vocabulary?: number;
}

/** Adds `model synth` and `model inspect`. */
export const registerModel = (program: Command): void => {
  const model = program.command("model").description("Makes model files for measurements and tests, and looks into model files.")
    .addHelpText("after", "\nExample:\n  $ infernet model synth --params 100M --quant q8_0 --out model.gguf\n");

  model.command("synth")
    .description("Makes a GGUF of the llama architecture with random weights: it runs as fast as a real model of its size, and says nothing that means anything. The same options give the same bytes.")
    .requiredOption("--params <count>", "parameters, such as 500k, 100M or 7B; the shape is the nearest with real models' proportions", parameterCount)
    .addOption(new Option("--quant <type>", "how weights are stored").choices(Object.keys(QUANTISATIONS)).default("q8_0"))
    .requiredOption("--out <file>", "where to write it; a file of that name is replaced", filePath)
    .option("--seed <seed>", "of the weights", seed, 1)
    .option("--context <tokens>", "longest context that it claims to be trained for, such as 4Ki", tokenCount, 4_096)
    .option("--vocabulary <tokens>", "size of the vocabulary (default: 512 to 32000, by the number of parameters)", tokenCount)
    .addHelpText("after", "\nExample:\n  $ infernet model synth --params 100M --quant q8_0 --out model.gguf\n")
    .action(async ({ params, quant, out, seed: seedOfWeights, context, vocabulary }: SynthOptions) => {
      const { file } = await synthesizeModel({ parameters: params, quantisation: quant, vocabulary, contextTokens: context, seed: seedOfWeights, file: out });
      process.stdout.write(`${factsText(modelFacts(file))}`);
    });

  model.command("inspect")
    .description("Shows what a GGUF model file holds, after checking that llama.cpp can load it.")
    .argument("<file>", "a model file")
    .option("--json", "print the facts as JSON")
    .addHelpText("after", "\nExample:\n  $ infernet model inspect model.gguf\n")
    .action((file: string, { json }: { json?: boolean }) => {
      const facts = modelFacts(file);
      process.stdout.write(json === true ? `${JSON.stringify(facts, null, 2)}\n` : factsText(facts));
    });
};

const SUFFIXES: Readonly<Record<string, number>> = { "": 1, k: 1e3, M: 1e6, B: 1e9 };

const parameterCount = (text: string): number => {
  const [, digits = "", suffix = ""] = /^(\d+(?:\.\d+)?)\s?([kMB]?)$/.exec(text) ?? [];
  if (digits === "") throw new InvalidArgumentError("Allowed: a number of parameters, such as 500k, 100M or 7B.");
  return Math.round(Number(digits) * SUFFIXES[suffix]!);
};

const tokenCount = (text: string): number => {
  const quantity = parseQuantity("tokens", text);
  const value = "found" in quantity ? NaN : toNumber(quantity);
  if (!(Number.isInteger(value) && value > 0)) throw new InvalidArgumentError("Allowed: a number of tokens, such as 1024, 8k or 8Ki.");
  return value;
};

const BYTE_UNITS = ["B", "kB", "MB", "GB", "TB"] as const;

const bytesText = (bytes: number): string => {
  const power = Math.min(BYTE_UNITS.length - 1, Math.max(0, Math.floor(Math.log10(bytes) / 3)));
  return `${formatSignificant(bytes / 1_000 ** power)} ${BYTE_UNITS[power]!}`;
};

const countText = (count: number): string => {
  if (count >= 1e9) return `${formatSignificant(count / 1e9)} billion`;
  return count >= 1e6 ? `${formatSignificant(count / 1e6)} million` : formatNumber(count);
};

const factsText = (facts: ModelFacts): string => {
  const { parameters, activeParameters, experts, expertsUsed, heads, kvHeads, kvBytesPerToken, contextTokensMax, parts } = facts;
  const rows: [string, string][] = [
    ["file", `${facts.file}, ${bytesText(facts.fileBytes)}${parts > 1 ? `, the first of ${parts}` : ""}`],
    ["name", facts.name === "" ? "none" : facts.name],
    ["architecture", facts.architecture],
    ["parameters", experts > 0 ? `${countText(parameters)}, ${countText(activeParameters)} for each token (${expertsUsed} of ${experts} experts)` : countText(parameters)],
    ["weights", `${bytesText(facts.weightBytes)}, mostly ${facts.quantisation}`],
    ["layers", `${facts.layers} of ${facts.embedding} numbers a token, feed-forward ${facts.feedForward}`],
    ["heads", kvHeads === heads ? String(heads) : `${heads}, of the KV cache ${kvHeads}`],
    ["vocabulary", `${formatNumber(facts.vocabulary)} tokens`],
    ["context", `${formatNumber(contextTokensMax)} tokens at most`],
    ["KV cache", kvBytesPerToken > 0 ? `${bytesText(kvBytesPerToken)} a token, ${bytesText(kvBytesPerToken * contextTokensMax)} for a full context` : "none"],
  ];
  return `${plainTable(["model", ""], ["left", "left"], rows)}\n`;
};
