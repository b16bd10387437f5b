import { mkdirSync, readFileSync, statSync } from "node:fs";
import { availableParallelism, loadavg } from "node:os";
import { basename, dirname, join } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { parseQuantity, toNumber } from "../input/units.ts";
import { benchModel } from "../live/bench/bench-model.ts";
import { importedProfile } from "../live/bench/import/profile.ts";
import { readBenchFile } from "../live/bench/import/read.ts";
import type { ImportedFile } from "../live/bench/import/source.ts";
import { quickGrid, usualGrid } from "../live/bench/plan.ts";
import { profileText, writeProfile } from "../live/bench/write-profile.ts";
import type { MachineProfile } from "../protocol/profile.ts";
import { calibrateProfile, knownModel, profileWithFit } from "../sim/calibrate/index.ts";
import { labCatalogue } from "../sim/scenario/catalogue.ts";
import { benchText } from "./bench-text.ts";
import { UserError } from "./errors.ts";
import { interruptedExit, Interruptions } from "./interruptions.ts";
import { commandName, filePath, shellWord, wholeNumber } from "./options.ts";
import { noProgress, showTask } from "./progress.ts";
import { version } from "./version.ts";

interface BenchFlags {
  readonly model?: string;
  readonly import?: string;
  readonly only?: string;
  readonly threads: number;
  readonly gpu: "auto" | "cuda" | "vulkan" | "metal" | "off";
  readonly gpuLayers?: number;
  readonly batch?: readonly number[];
  readonly context?: readonly number[];
  readonly prompt?: readonly number[];
  readonly steps?: number;
  readonly repetitions?: number;
  readonly quick?: boolean;
  readonly slotContext?: number;
  readonly batchTokens: number;
  readonly clock: "auto" | "wall" | "cpu";
  readonly name?: string;
  readonly as?: string;
  readonly idlePower?: number;
  readonly loadPower?: number;
  readonly powerScope: "board" | "machine";
  readonly price?: number;
  readonly fit: boolean;
  readonly out?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** Adds `bench`. */
export const registerBench = (program: Command): void => {
  program
    .command("bench")
    .description("Measures a model on this machine, or takes over what llama-bench has measured, and writes a machine profile.")
    .option("--model <file>", "the model, a GGUF file", filePath)
    .option("--import <file>", "in its place: output of llama-bench (json, jsonl, csv, md) or llama-batched-bench (table, jsonl)", filePath)
    .option("--only <text>", "of a file with several models or settings: the one whose label holds this")
    .option("--threads <number>", "of llama.cpp; more than there are idle cores make it slower by far", wholeNumber(1, 1_024), 1)
    .addOption(new Option("--gpu <kind>", "what llama.cpp computes on").choices(["auto", "cuda", "vulkan", "metal", "off"]).default("auto"))
    .option("--gpu-layers <number>", "layers on the GPU (default: as many as fit)", wholeNumber(0, 65_536))
    .option("--prompt <tokens>", `lengths of prompts (default: ${usualGrid.prompts.join(",")})`, tokenList)
    .option("--context <tokens>", `contexts before generation (default: ${usualGrid.contexts.join(",")})`, tokenList)
    .option("--batch <numbers>", `sequences that generate together (default: ${usualGrid.batches.join(",")})`, numberList(256))
    .option("--steps <number>", `tokens generated in a row for one measurement (default: ${usualGrid.steps})`, wholeNumber(1, 100_000))
    .option("--repetitions <number>", `rounds, of which the medians are taken (default: ${usualGrid.repetitions})`, wholeNumber(1, 1_000))
    .option("--quick", "fewer and shorter measurements: good for a first look")
    .option("--slot-context <tokens>", "context of each sequence (default: what the measurements need)", tokens)
    .option("--batch-tokens <tokens>", "most tokens in one step", tokens, 512)
    .addOption(new Option("--clock <which>", "time that counts: the clock's, or the engine's own on the processor, for one thread beside other programs").choices(["auto", "wall", "cpu"]).default("auto"))
    .option("--name <text>", "of the profile, for reports")
    .option("--as <model>", "the catalogue's model that this is, such as llama-3.1-8b:q4_k_m")
    .option("--idle-power <watts>", "of the machine while it waits, such as '20 W'", quantity("power", "such as '20 W'"))
    .option("--load-power <watts>", "of the machine while it works", quantity("power", "such as '350 W'"))
    .addOption(new Option("--power-scope <what>", "what the watts and the price are of: the card alone, or all of it").choices(["board", "machine"]).default("machine"))
    .option("--price <money>", "what it costs, such as '700 USD'", quantity("money", "a price in dollars such as '700 USD'"))
    .option("--no-fit", "leave the profile without fitted coefficients")
    .option("--out <file>", "where the profile goes; one of that name is replaced (default: profiles/NAME.json; with --json: nowhere)", filePath)
    .option("--json", "print the profile to stdout, and nothing else there")
    .option("--quiet", "no progress, no summary")
    .addHelpText("after", `
Examples:
  $ infernet bench --model model.gguf --quick
  $ infernet bench --model model.gguf --gpu cuda --as llama-3.1-8b:q4_k_m --out my-machine.json
  $ llama-bench -m model.gguf -p 512,2048 -n 128 -d 0,4096 -o json > bench.json
  $ infernet bench --import bench.json --as llama-3.1-8b:q4_k_m

Measure with nothing else running. Ctrl-C keeps what has been measured.
Scenarios take profiles (operators: [{profile: my-machine.json, ...}]), and so does infernet viability --machine my-machine.json.
`)
    .action(benchCommand);
};

const benchCommand = async (flags: BenchFlags): Promise<void> => {
  if ((flags.model === undefined) === (flags.import === undefined)) throw new UserError("bench needs a model to measure (--model model.gguf), or a file of measurements to take over (--import bench.json).");
  const catalogueModel = flags.as === undefined ? null : labCatalogue.modelName(flags.as);
  if (catalogueModel === undefined) throw new UserError(`--as: there is no model ${JSON.stringify(flags.as)} in the catalogue; it has ${labCatalogue.models.map(({ name }) => name).join(", ")}.`);
  const facts = { catalogueModel, power: powerOf(flags), priceUsd: flags.price ?? null };
  const interruptions = new Interruptions();
  try {
    const found = flags.import === undefined ? await measure(flags, facts, interruptions) : importFile(flags.import, flags, facts);
    // A model that calls itself as the catalogue does is that one.
    const measured = found === null || found.model.catalogue !== null ? found : { ...found, model: { ...found.model, catalogue: knownModel(found.model.name) } };
    if (interruptions.signal !== null) process.exitCode = interruptedExit(interruptions.signal);
    if (measured === null) {
      process.stderr.write("Interrupted before a prompt and generation were measured: there is nothing to write.\n");
      return;
    }
    const { profile, said } = flags.fit ? fitted(measured) : { profile: measured, said: "" };
    const out = flags.out ?? (flags.json === true ? null : join("profiles", `${slug(profile.name)}.json`));
    if (out !== null) {
      mkdirSync(dirname(out), { recursive: true });
      writeProfile(out, profile);
    }
    if (flags.quiet !== true && flags.import === undefined) noteBusy(profile);
    if (flags.json === true) process.stdout.write(profileText(profile));
    else if (flags.quiet !== true) {
      process.stdout.write(`${benchText(profile)}${said === "" ? "" : `\n${said}\n`}\n${profile.source.interrupted ? "Interrupted: the profile holds what was measured until then.\n" : ""}The profile is ${out!}. What could it earn? ${commandName} viability --machine ${shellWord(out!)}${missing(profile)}\n`);
    }
  } finally {
    interruptions.ignoreNoMore();
  }
};

/** What viability will want to know beyond the profile. */
const missing = ({ machine, model }: MachineProfile): string => `${model.catalogue === null ? " --model MODEL" : ""}${machine.power === null ? " --idle-power WATTS --load-power WATTS" : ""}`;

interface StatedFacts {
  readonly catalogueModel: string | null;
  readonly power: MachineProfile["machine"]["power"];
  readonly priceUsd: number | null;
}

const measure = async (flags: BenchFlags, facts: StatedFacts, interruptions: Interruptions): Promise<MachineProfile | null> => {
  const usual = flags.quick === true ? quickGrid : usualGrid;
  const progress = flags.quiet === true ? noProgress : showTask(process.stderr, process.env["CI"] !== undefined);
  const [busyThreads = 0] = loadavg();
  try {
    return await benchModel({
      file: flags.model!, threads: flags.threads, gpu: flags.gpu === "off" ? false : flags.gpu, gpuLayers: flags.gpuLayers, batchTokens: flags.batchTokens, slotContext: flags.slotContext,
      grid: { prompts: flags.prompt ?? usual.prompts, contexts: flags.context ?? usual.contexts, batches: flags.batch ?? usual.batches, steps: flags.steps ?? usual.steps },
      repetitions: flags.repetitions ?? usual.repetitions, clock: flags.clock, busyThreads, name: flags.name, ...facts, date: new Date().toISOString().replace(/\.\d+Z$/, "Z"), lab: version,
    }, interruptions.aborted, (done, all, what) => progress.update(done, all, what));
  } finally {
    progress.stop();
  }
};

/** Says what became of the measurements where the machine had other things to do. */
const noteBusy = ({ source: { clock } }: MachineProfile): void => {
  const [busy = 0] = loadavg();
  if (clock === "cpu") process.stderr.write("Counted is the engine's own processor time, as if it were alone: other programs were busy (--clock wall counts their share too).\n");
  else if (busy > availableParallelism()) process.stderr.write(`In the last minute ${busy.toFixed(1)} threads were busy on ${availableParallelism()}: the machine is faster than what was measured. Measure again when it is idle.\n`);
};

/** Longer files are no measurements. */
const maxBytes = 1 << 25;

const importFile = (path: string, flags: BenchFlags, facts: StatedFacts): MachineProfile => {
  if (statSync(path).size > maxBytes) throw new UserError(`${path} is longer than ${maxBytes >> 20} MiB; measurements are smaller files.`);
  const found = readBenchFile(readFileSync(path, "utf8"), path);
  const group = groupOf(found, path, flags.only);
  if (flags.quiet !== true) for (const line of found.leftOut) process.stderr.write(`Left out, ${line}.\n`);
  return importedProfile(found.tool, group, { name: flags.name ?? null, ...facts, file: basename(path), lab: version });
};

const groupOf = ({ groups }: ImportedFile, path: string, only: string | undefined): ImportedFile["groups"][number] => {
  const matching = only === undefined ? groups : groups.filter(({ label }) => label.toLowerCase().includes(only.toLowerCase()));
  if (matching.length === 1) return matching[0]!;
  const labels = groups.map(({ label }) => label).join("; ");
  throw new UserError(only === undefined
    ? `${path} holds ${groups.length} models or settings; choose one with --only: ${labels}.`
    : `--only: ${matching.length === 0 ? "nothing" : `${matching.length} parts`} of ${path} ${matching.length === 0 ? "is" : "are"} labelled so: ${labels}.`);
};

/** With coefficients, where the measurements are enough for them. */
const fitted = (profile: MachineProfile): { readonly profile: MachineProfile; readonly said: string } => {
  try {
    const fit = calibrateProfile(profile);
    return { profile: profileWithFit(profile, fit, profile.date?.includes("T") === true ? profile.date : null), said: fit.verdict.text };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { profile, said: `No coefficients were fitted: ${error.message}.` };
  }
};

const powerOf = ({ idlePower, loadPower, powerScope }: BenchFlags): StatedFacts["power"] => {
  if (idlePower === undefined && loadPower === undefined) return null;
  if (idlePower === undefined || loadPower === undefined) throw new UserError("--idle-power and --load-power go together.");
  if (loadPower < idlePower) throw new UserError(`--load-power: found ${loadPower} W; allowed: at least the ${idlePower} W drawn while it waits.`);
  return { idleWatts: idlePower, loadWatts: loadPower, scope: powerScope };
};

const tokens = (text: string): number => {
  const parsed = parseQuantity("tokens", text);
  const value = "found" in parsed ? NaN : toNumber(parsed);
  if (!(Number.isInteger(value) && value > 0 && value < 2 ** 31)) throw new InvalidArgumentError("Allowed: a number of tokens, such as 1024 or 8Ki.");
  return value;
};

const rising = (values: readonly number[]): readonly number[] => [...new Set(values)].sort((a, b) => a - b);

const tokenList = (text: string): readonly number[] => rising(text.split(",").map((part) => tokens(part.trim())));

const numberList = (most: number) => (text: string): readonly number[] => rising(text.split(",").map((part) => wholeNumber(1, most)(part.trim())));

const quantity = (dimension: "power" | "money", allowed: string) => (text: string): number => {
  const parsed = parseQuantity(dimension, text);
  if ("found" in parsed || (dimension === "money" && parsed.currency !== "USD")) throw new InvalidArgumentError(`Allowed: ${allowed}.`);
  return toNumber(parsed);
};

const slug = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "").slice(0, 80) || "machine";
