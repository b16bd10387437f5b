import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { readBenchFile } from "../live/bench/import/read.ts";
import { importedProfile } from "../live/bench/import/profile.ts";
import type { FittedCost } from "../protocol/fitted-cost.ts";
import type { MachineProfile } from "../protocol/profile.ts";
import { calibrationFigure, type CalibrationFigure } from "../reports/calibration/figure.ts";
import { renderFigure } from "../reports/plots/figure.ts";
import {
  calibrateProfile, fitRequests, type MeanErrors, meanErrors, type PointForm, profileWithFit, readRequestLog, replay, type RequestForm, type RequestLog, requestsProfile, type RequestServer,
  timesOf,
} from "../sim/calibrate/index.ts";
import { isMachineProfile, readMachineProfile } from "../sim/profile/read.ts";
import { catalogueMachine, catalogueModel, type EngineLimits, engineLimits, type Machine, type ResolvedModel, stepCost } from "../sim/world/catalogue/index.ts";
import { unmeasuredVllm } from "../sim/world/catalogue/unmeasured.ts";
import type { Engine, StepCost } from "../sim/world/engine/engine.ts";
import { llamaCppEngine } from "../sim/world/engine/llama-cpp.ts";
import { vllmEngine } from "../sim/world/engine/vllm.ts";
import { pointFitText, requestFitText } from "./calibrate-text.ts";
import { UserError } from "./errors.ts";
import { filePath, wholeNumber } from "./options.ts";
import { version } from "./version.ts";

interface CalibrateFlags {
  readonly form?: PointForm | RequestForm;
  readonly batches?: readonly number[];
  readonly model?: string;
  readonly catalogueModel?: string;
  readonly mixed?: FittedCost["mixed"];
  readonly first?: number;
  readonly meta?: string;
  readonly machine?: string;
  readonly engine: "vllm" | "llama.cpp";
  readonly slots?: number;
  readonly kvTokens?: number;
  readonly out?: string;
  readonly plot?: string;
  readonly json?: boolean;
}

/** `infernet calibrate`: an engine's coefficients, from measurements. */
export const registerCalibrate = (program: Command): void => {
  program.command("calibrate")
    .summary("fits an engine's coefficients to measurements, and says when they do not fit")
    .description(
      "Fits what a step of an engine costs to measurements: a profile of infernet bench, what llama-bench or llama-batched-bench printed, or requests that a server timed. " +
      "Shows the error of every point, predicts points that the fit has not seen, and says when the form does not fit.",
    )
    .argument("<file>", "a profile (JSON), a benchmark's output (Markdown, CSV, JSON), or timed requests (JSON lines)")
    .addOption(new Option("--form <form>", "the formula (default: by the model, and by how well it predicts)").choices(["affine", "experts", "line", "steps", "roofline"]))
    .addOption(new Option("--batches <list>", "fit points with so many sequences alone, such as 1,8,32, and predict the others").argParser(counts))
    .option("--model <name>", "the measurements' model, where a file has several")
    .option("--catalogue-model <name>", "the model of the catalogue that it is, such as gpt-oss-20b:mxfp4 (default: told from its name)")
    .addOption(new Option("--mixed <how>", "whether a step's prompts and generation share passes (default: by measurements)").choices(["shared", "separate"]))
    .option("--out <file>", "write the profile with the fit in it: for scenarios, viability and the twin", filePath)
    .option("--plot <file>", "draw measured and fitted durations, as SVG", filePath)
    .option("--json", "print cost, residuals, errors and verdict as JSON, and nothing else")
    .optionsGroup("Timed requests:")
    .option("--first <number>", "fit the times of the first requests alone, and predict the others", wholeNumber(1, 10_000_000))
    .option("--meta <file>", "the server's limits (default: FILE with .meta.json, where there is one)", filePath)
    .addOption(new Option("--engine <name>", "what served them").choices(["vllm", "llama.cpp"]).default("vllm"))
    .option("--machine <name>", "of the catalogue: tells the KV cache's size, and what public figures alone predict")
    .option("--slots <number>", "sequences in a batch (default: the log's, or the engine's)", wholeNumber(1, 65_536))
    .option("--kv-tokens <number>", "tokens in the KV cache (default: the log's, or by the machine)", wholeNumber(1, 2 ** 31 - 1))
    .addHelpText("after", `
Examples:
  $ infernet calibrate my-machine.json --out my-machine.json
  $ infernet calibrate batched-bench.md --batches 1,8,32 --plot fit.svg
  $ infernet calibrate requests.jsonl --first 100 --machine "RTX 4090" --catalogue-model llama-3.1-8b:bf16
`)
    .action(calibrateCommand);
};

const counts = (text: string): number[] => text.split(",").map((part) => {
  const value = Number(part.trim());
  if (!/^\s*\d+\s*$/.test(part) || value < 1) throw new InvalidArgumentError("Allowed: whole numbers from 1, with commas between them.");
  return value;
});

const calibrateCommand = (file: string, flags: CalibrateFlags): void => {
  const text = readFileSync(file, "utf8");
  try {
    if (!isMachineProfile(text) && /"input_toks"/.test(text.slice(0, 10_000))) calibrateRequests(file, text, flags);
    else calibratePoints(profileOf(file, text, flags), flags);
  } catch (error) {
    // What the rooms below refuse is the file's or the flags' to put right.
    if (error instanceof RangeError) throw new UserError(`${file}: ${error.message}`);
    if (error instanceof Error && error.name === "UnknownNameError") throw new UserError(error.message);
    throw error;
  }
};

/** The measurements as a profile, whatever the file is. */
const profileOf = (file: string, text: string, flags: CalibrateFlags): MachineProfile => {
  const catalogue = flags.catalogueModel === undefined ? null : catalogueModel(flags.catalogueModel).name;
  if (isMachineProfile(text)) {
    const profile = readMachineProfile(text, file);
    return catalogue === null ? profile : { ...profile, model: { ...profile.model, catalogue } };
  }
  const { tool, groups } = readBenchFile(text, file);
  const chosen = groups.filter(({ label }) => flags.model === undefined || label === flags.model);
  const [group] = chosen;
  if (group === undefined || chosen.length > 1) {
    throw new UserError(`${file} has measurements of ${groups.length} models or settings: ${groups.map(({ label }) => `"${label}"`).join(", ")}. Choose one with --model`);
  }
  return importedProfile(tool, group, { name: null, catalogueModel: catalogue, file: basename(file), lab: version, power: null, priceUsd: null });
};

const calibratePoints = (profile: MachineProfile, flags: CalibrateFlags): void => {
  if (flags.form === "roofline") throw new UserError("form roofline is for timed requests; for these measurements: affine, experts, line, steps");
  // node-llama-cpp keeps a KV stream for each sequence, and computes prompts and generation apart.
  const mixed = flags.mixed ?? (profile.source.tool === "infernet bench" && profile.measured.mixed.length === 0 ? "separate" : undefined);
  const fit = calibrateProfile(profile, {
    ...(flags.form === undefined ? {} : { form: flags.form }), ...(flags.batches === undefined ? {} : { batches: flags.batches }), ...(mixed === undefined ? {} : { mixed }),
  });
  print(flags, fit, pointFitText(profile, fit));
  const groups = ([["prefill", "prompts"], ["decode", "decode steps"], ["mixed", "mixed steps"]] as const)
    .map(([kind, name]) => ({ name, points: fit.residuals.filter((residual) => residual.kind === kind) }));
  finish(flags, { name: profile.name, verdict: fit.verdict.text, groups }, () => profileWithFit(profile, fit, now()));
};

const calibrateRequests = (file: string, text: string, flags: CalibrateFlags): void => {
  if (flags.form === "experts" || flags.form === "line" || flags.form === "steps") throw new UserError(`form ${flags.form} needs measured points; for timed requests: affine, roofline`);
  if (flags.machine !== undefined && flags.catalogueModel === undefined) throw new UserError("--machine says something of requests only together with --catalogue-model, the model that served them");
  const meta = flags.meta ?? [file.replace(/\.jsonl?$/, ".meta.json")].find((path) => path !== file && existsSync(path));
  const log = readRequestLog(text, meta === undefined ? null : readFileSync(meta, "utf8"));
  const model = flags.catalogueModel === undefined ? null : catalogueModel(flags.catalogueModel);
  const machine = flags.machine === undefined ? null : catalogueMachine(flags.machine);
  const server = serverOf(log, flags, machine === null || model === null ? null : engineLimits(machine, model.model, model.quantisation, { kind: flags.engine }));
  const engine = engineLike(server);
  const form: RequestForm = flags.form ?? (flags.engine === "vllm" ? "roofline" : "affine");
  const fit = fitRequests(log.requests, { engine, form, ...(flags.first === undefined ? {} : { first: flags.first }), ...(flags.mixed === undefined ? {} : { mixed: flags.mixed }) });
  const figures = machine === null || model === null ? null : fromFigures(log, engine, flags.engine, machine, model);
  print(flags, { ...fit, publicFigures: figures }, requestFitText(basename(file), log.requests.length, fit, figures));

  const groups = (["ttft", "tpot", "endToEnd"] as const).map((of, i) => ({
    name: ["time to first token", "time per token", "end to end"][i]!,
    points: log.requests.flatMap((request, at) => {
      const measuredUs = timesOf(request, request.firstTokenUs, request.lastTokenUs)[of];
      return Number.isNaN(measuredUs) || measuredUs === 0 ? [] : [{ measuredUs, fittedUs: measuredUs * (1 + fit.residuals[at]![of]), used: at < (flags.first ?? Infinity) }];
    }),
  }));
  const names = { name: machine?.name ?? basename(file), file: basename(file), lab: version, model: model?.name ?? null };
  finish(flags, { name: basename(file), verdict: fit.verdict.text, groups }, () => requestsProfile({ ...server, ...names }, fit, now()));
};

type Server = Pick<RequestServer, "engine" | "slots" | "kvTokens" | "contextTokens" | "batchTokens">;

/** The limits of what served the requests: as stated, as logged, or as they follow from the machine. */
const serverOf = ({ limits, requests }: RequestLog, { engine, slots, kvTokens }: CalibrateFlags, plan: EngineLimits | null): Server & { readonly contextTokens: number } => {
  const longest = requests.reduce((most, { inputTokens, outputTokens }) => Math.max(most, inputTokens + outputTokens), 2);
  const server = {
    engine, slots: slots ?? limits.maxSequences ?? plan?.slots ?? null, kvTokens: kvTokens ?? limits.kvTokens ?? plan?.kvTokensMax ?? null,
    batchTokens: limits.batchTokens ?? plan?.stepTokens ?? null, contextTokens: Math.max(longest, limits.contextTokens ?? plan?.contextTokensMax ?? longest),
  };
  if (engine === "vllm" && server.kvTokens === null) throw new UserError("the log does not say how many tokens the KV cache holds: state --kv-tokens, or --machine and --catalogue-model");
  return server;
};

/** Makes engines like the one that served the requests. */
const engineLike = ({ engine, slots, kvTokens, contextTokens, batchTokens }: Server & { readonly contextTokens: number }) => (cost: StepCost): Engine => {
  const common = { cost, contextTokens, ...(batchTokens === null ? {} : { batchTokens }), ...(kvTokens === null ? {} : { kvTokensMax: kvTokens }) };
  return engine === "vllm"
    ? vllmEngine({ ...common, kvTokensMax: kvTokens!, ...(slots === null ? {} : { maxSequences: slots }) })
    : llamaCppEngine({ ...common, ...(slots === null ? {} : { slots }) });
};

/** What public figures of machine and model predict, without any fit to the engine under load. */
const fromFigures = (log: RequestLog, engine: (cost: StepCost) => Engine, kind: "vllm" | "llama.cpp", machine: Machine, { model, quantisation }: ResolvedModel): MeanErrors => {
  const cost = kind === "vllm" ? stepCost(machine, model, quantisation, kind, unmeasuredVllm(machine)) : stepCost(machine, model, quantisation, kind);
  return meanErrors(log.requests, replay(engine(cost), log.requests));
};

const print = (flags: CalibrateFlags, fit: object, text: string): void => {
  process.stdout.write(flags.json === true ? `${JSON.stringify(fit, null, 2)}\n` : text);
};

const finish = (flags: CalibrateFlags, figure: CalibrationFigure, profile: () => MachineProfile): void => {
  if (flags.plot !== undefined) writeFileSync(flags.plot, renderFigure(calibrationFigure(figure)));
  if (flags.out !== undefined) writeFileSync(flags.out, `${JSON.stringify(profile(), null, 2)}\n`);
};

const now = (): string => new Date().toISOString();
