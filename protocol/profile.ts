import { z } from "zod";
import { fittedCost } from "./fitted-cost.ts";
import { label } from "./text.ts";

/** Names this kind of document, whatever its version. */
export const PROFILE_SCHEMA = "infernet-lab/machine-profile";
/** `major.minor`: minor rises when fields are added, major when the meaning of one changes. */
export const PROFILE_VERSION = "1.0";

/** Most points of one kind in a profile. */
export const PROFILE_POINTS_MAX = 10_000;

const name = label(256).min(1);
const bytes = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
const perSecond = z.number().gt(0).max(1e18);
const tokens = z.int().min(0).max(2 ** 31 - 1);
const us = z.number().min(0).max(Number.MAX_SAFE_INTEGER);
const watts = z.number().min(0).max(1e6);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** Facts of a graphics card or accelerator, as far as they could be found out. */
export const profileGpu = z.strictObject({
  name,
  vendor: name.nullable(),
  memoryBytes: bytes.nullable().describe("Its own, or what it may use of the machine's where that is shared."),
  sharedMemory: z.boolean().describe("Whether its memory is the machine's."),
  driver: name.nullable().describe("Version of the driver."),
});
export type ProfileGpu = z.infer<typeof profileGpu>;

/** Facts of the machine; null where nobody knows, as with imported measurements. */
export const profileMachine = z.strictObject({
  cpu: z.strictObject({
    model: name,
    cores: z.int().min(1).max(65_536).nullable().describe("Physical cores."),
    threads: z.int().min(1).max(65_536).nullable().describe("Hardware threads."),
    vector: name.nullable().describe("Widest vector instructions, such as AVX2 or AVX-512."),
  }).nullable(),
  memory: z.strictObject({
    bytes,
    bandwidthBytesPerS: perSecond.nullable().describe("Measured, not the specification's: reads and writes of a triad over arrays beyond the caches."),
  }).nullable(),
  gpus: z.array(profileGpu).max(64),
  os: name.nullable(),
  power: z.strictObject({
    idleWatts: watts, loadWatts: watts,
    scope: z.enum(["board", "machine"]).describe("board: the accelerator alone, without the computer it is in."),
  }).nullable().describe("Stated by the operator."),
  priceUsd: z.number().min(0).max(1e9).nullable().describe("Purchase price, of what `power.scope` names."),
});
export type ProfileMachine = z.infer<typeof profileMachine>;

/** What was measured with: settings that change speed. Null where unknown. */
export const profileSettings = z.strictObject({
  threads: z.int().min(1).max(65_536).nullable(),
  gpuLayers: z.int().min(0).max(65_536).nullable().describe("Layers on the accelerator; 0: all on the CPU."),
  slots: z.int().min(1).max(65_536).nullable().describe("Sequences that one context of the engine holds."),
  contextTokens: tokens.nullable().describe("Context of one sequence."),
  kvTokens: tokens.nullable().describe("Tokens that the KV cache holds, all sequences together."),
  batchTokens: tokens.nullable().describe("Most tokens of one step (llama.cpp: --batch-size)."),
  passTokens: tokens.nullable().describe("Most tokens computed in one pass (llama.cpp: --ubatch-size)."),
  flashAttention: z.boolean().nullable(),
  kvType: name.nullable().describe("Number format of the KV cache, such as f16; keys/values where they differ."),
});
export type ProfileSettings = z.infer<typeof profileSettings>;

/** How far repetitions of one measurement lay apart. */
const spread = z.strictObject({ minUs: us, maxUs: us, sdUs: us }).nullable()
  .describe("Of the repetitions, divisor n - 1; null where the source does not say, or for one repetition.");

/** Prompts processed from one command to the engine. */
export const prefillPoint = z.strictObject({
  sequences: z.int().min(1).max(65_536).describe("Prompts processed at once."),
  tokens: tokens.min(1).describe("Tokens of each prompt."),
  contextTokens: tokens.describe("Tokens of each sequence's context before."),
  us: us.gt(0).describe("Until all of them were processed; the median of the repetitions, or the source's mean."),
  repetitions: z.int().min(1).max(1_000_000),
  spread,
});
export type PrefillPoint = z.infer<typeof prefillPoint>;

/** Sequences that generate together, a token each per step. */
export const decodePoint = z.strictObject({
  batch: z.int().min(1).max(65_536).describe("Sequences in each step."),
  contextTokens: tokens.describe("Tokens of each sequence's context before the first step: on average over the steps there are (steps - 1) / 2 more."),
  steps: tokens.min(1).describe("Steps measured in a row."),
  usPerStep: us.gt(0).describe("Their mean duration; the median of the repetitions, or the source's mean."),
  repetitions: z.int().min(1).max(1_000_000),
  spread,
});
export type DecodePoint = z.infer<typeof decodePoint>;

/** One step in which a prompt is processed beside sequences that generate. */
export const mixedPoint = z.strictObject({
  batch: z.int().min(1).max(65_536).describe("Sequences that generate a token."),
  contextTokens: tokens.describe("Tokens of each one's context before."),
  promptTokens: tokens.min(1).describe("Tokens of the prompt."),
  promptContextTokens: tokens.describe("Tokens of its sequence's context before."),
  us: us.gt(0).describe("Duration of the step; the median of the repetitions."),
  repetitions: z.int().min(1).max(1_000_000),
  spread,
});
export type MixedPoint = z.infer<typeof mixedPoint>;

/** What a fitted form says of one measured point. */
export const fitResidual = z.strictObject({
  kind: z.enum(["prefill", "decode", "mixed"]),
  index: z.int().min(0).max(PROFILE_POINTS_MAX - 1).describe("Of the point in `measured.prefill`, `measured.decode` or `measured.mixed`."),
  used: z.boolean().describe("Whether the fit saw the point."),
  measuredUs: us,
  fittedUs: us,
});
export type FitResidual = z.infer<typeof fitResidual>;

/** An engine's cost as a formula, fitted to the measurements. */
export const profileFit = z.strictObject({
  cost: fittedCost,
  residuals: z.array(fitResidual).max(3 * PROFILE_POINTS_MAX),
  note: label(1024).describe("In words: how well it fits, and where it does not; may be empty."),
  date: z.string().regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?Z$/).nullable(),
});
export type ProfileFit = z.infer<typeof profileFit>;

/** A machine as it was measured with one model and one engine. */
export const machineProfile = z.strictObject({
  schema: z.literal(PROFILE_SCHEMA),
  schemaVersion: z.string().regex(/^1\.\d{1,6}$/),
  name: name.describe("For reports."),
  date: z.string().regex(/^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}(\.\d{1,6})?Z)?$/).nullable().describe("When it was measured, ISO 8601, UTC; null where the source does not say."),
  source: z.strictObject({
    tool: name.describe("What measured: infernet bench, llama-bench, llama-batched-bench."),
    file: label(1024).nullable().describe("Name of the file it was imported from; null for own measurements."),
    interrupted: z.boolean().describe("Stopped before all that was planned had been measured."),
    clock: z.enum(["wall", "cpu"]).optional().describe("cpu: what was counted is the processor time of the engine's process, which equals the clock's where it computes on one thread of a machine that is otherwise idle, and is steadier where it is not. Absent: the clock's."),
  }),
  machine: profileMachine,
  software: z.strictObject({
    engine: z.enum(["llama.cpp", "vllm"]).describe("What executed the model."),
    engineVersion: name.nullable(),
    backend: name.nullable().describe("Of the engine: CPU, CUDA, Metal, Vulkan, ROCm."),
    lab: label(64).nullable().describe("Version of infernet-lab that measured or imported."),
    runtime: name.nullable().describe("What the lab ran on, such as Node.js v24.21.0."),
  }),
  model: z.strictObject({
    name: name.describe("As its file or the source names it."),
    catalogue: name.nullable().describe("The model of the catalogue that this is, such as llama-3.1-8b:q4_k_m."),
    sha256: sha256.nullable().describe("Of the file."),
    fileBytes: bytes.nullable(),
    parameters: bytes.nullable(),
    quantisation: name.nullable(),
    contextTokensMax: tokens.nullable().describe("Longest context it was made for."),
    kvBytesPerToken: bytes.nullable().describe("Of the KV cache, in the number format of `settings.kvType`."),
  }),
  settings: profileSettings,
  measured: z.strictObject({
    loadUs: us.nullable().describe("From the start of the engine to a loaded model; the median of the repetitions."),
    prefill: z.array(prefillPoint).max(PROFILE_POINTS_MAX),
    decode: z.array(decodePoint).max(PROFILE_POINTS_MAX),
    mixed: z.array(mixedPoint).max(PROFILE_POINTS_MAX).describe("Empty where none was measured."),
  }),
  fit: profileFit.optional(),
});
export type MachineProfile = z.infer<typeof machineProfile>;

/** JSON Schema (draft 2020-12) of machine profiles, as published in `protocol/profile.schema.json`. */
export function profileJsonSchema(): unknown {
  const schema = z.toJSONSchema(machineProfile, { target: "draft-2020-12", reused: "inline" });
  return { ...schema, $id: `urn:infernet-lab:machine-profile:${PROFILE_VERSION}`, title: "Infernet Lab machine profile" };
}
