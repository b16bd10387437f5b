import { cpus } from "node:os";
import { z } from "zod";
import { oneOf } from "../../input/fields.ts";
import { duration, money, positiveDuration, positiveRate, positiveTokens, tokenPrice } from "../../input/quantities.ts";
import type { PathPart } from "../../input/path-part.ts";
import { quoted } from "../../input/problem.ts";
import type { PriceSheet } from "../../protocol/messages.ts";
import { file, httpUrl, logLevel, metrics, type MetricsSettings, model, readMetrics, readRouter, readWallet, region, router, type RouterAddress, wallet, type WalletSettings } from "./fields.ts";
import type { ConfigKind, Reading } from "./read.ts";
import { readConfigFile } from "./read.ts";

const models = z.array(model).min(1).max(64);
const slots = z.int().min(1).max(65_536).default(4).describe("Jobs that run at once.");

const temperature = z.number().min(0).max(10).default(0).describe("0: always the likeliest token.");

const runner = oneOf({
  llama: z.strictObject({
    model: file.describe("GGUF file of the model, or one that `infernet model synth` made."),
    name: model.optional().describe("Under which name jobs ask for it (default: the file's name without .gguf)."),
    slots: z.int().min(1).max(256).default(4).describe("Jobs that run at once."),
    context: positiveTokens.optional().describe("Longest context of one job, prompt and output together (default: 4Ki, or what the model was trained for if that is less)."),
    threads: z.int().min(1).max(1_024).default(1).describe("Threads that compute. More than one slows a small machine down: they wait for each other by spinning."),
    gpu: z.enum(["auto", "cuda", "vulkan", "metal", "none"]).default("auto").describe("Graphics processor to use, through which interface; auto: whichever there is."),
    gpuLayers: z.int().min(0).max(10_000).optional().describe("Layers that it takes (default: as many as fit)."),
    batch: positiveTokens.default(512).describe("Most tokens in one step."),
    temperature,
  }).describe("llama.cpp in a process of its own: several sequences in one batch."),
  http: z.strictObject({
    url: httpUrl.describe("Where the API of an OpenAI-compatible server begins, such as http://127.0.0.1:8080/v1 (llama-server, Ollama, vLLM)."),
    model: z.string().min(1).max(256).describe("The model's name at the server."),
    name: model.optional().describe("Under which name jobs ask for it (default: the same)."),
    api: z.enum(["completions", "chat"]).default("completions").describe("completions: the prompt as it is. chat: as a user's message, in the model's own template."),
    slots: z.int().min(1).max(65_536).optional().describe("Jobs that run at once (default: as many as the server has slots, where it says so, else 4)."),
    context: positiveTokens.optional().describe("Longest context of one job, prompt and output together (default: what the server says, where it does)."),
    kv: positiveTokens.optional().describe("Tokens of context of all jobs together (default: the longest context for each slot). A llama-server that was started without -np has one pool for all its slots: set this to its size, which is that of one job's longest context."),
    temperature,
    keyFile: file.optional().describe("File with the server's API key, mode 0600 (default: none)."),
  }).describe("Any OpenAI-compatible server."),
  mock: z.strictObject({
    models: models.default(["mock"]).describe("Names under which jobs may ask for it."),
    slots,
    context: positiveTokens.default("8Ki").describe("Longest context of one job, prompt and output together."),
    prefill: positiveRate.default("2000/s").describe("Prompt tokens per second."),
    decode: positiveRate.default("100/s").describe("Output tokens per second, of each job."),
    outputTokens: positiveTokens.optional().describe("Where every output ends by itself (default: nowhere before the client's maximum)."),
  }).describe("Executes nothing, at a fixed speed, and answers in deterministic words: for tests and for trying things out."),
});

const prices = z.union([z.literal("free"), z.strictObject({
  input: tokenPrice.default(0).describe("Price of prompt tokens."),
  output: tokenPrice.default(0).describe("Price of output tokens."),
  fixed: money.default("0 msat").describe("Fixed part per job."),
})]);

const schema = z.strictObject({
  key: file.default("node.key").describe("File of the secret key, mode 0600 (`infernet keygen --out node.key`)."),
  routers: z.array(router).min(1).max(16).describe("Routers to work with."),
  region: region.default("eu").describe("Where the node is."),
  machine: z.string().min(1).max(128).optional().describe("What it runs on, for people (default: the processor's name)."),
  runner: runner.describe("What executes the models."),
  prices: prices.default("free").describe("What jobs cost, or `free`. A node that asks for money needs a wallet."),
  speed: z.strictObject({
    prefill: positiveRate.describe("Prompt tokens per second on an idle node."),
    decode: positiveRate.describe("Output tokens per second of one job on an idle node."),
  }).optional().describe("What the node claims of its speed; routers estimate latencies by it (default: measured at the start, on a short job)."),
  queueLimit: z.int().min(0).max(1_000_000).default(4).describe("Jobs that may wait at the node beyond those running."),
  stake: money.default("0 sat").describe("Stake that the node claims to have put up."),
  heartbeat: positiveDuration.default("2s").describe("Interval of heartbeats; not longer than the routers' own setting."),
  stream: z.strictObject({
    interval: duration.default("50ms").describe("Least time between two messages with tokens of a job: tokens that come sooner are put together. 0ms: a message for each token."),
  }).prefault({}).describe("How tokens are streamed."),
  wallet: wallet.default("none").describe("Where the money goes."),
  invoiceExpiry: positiveDuration.default("1h").describe("How long after the result the node waits for its money, before it writes it off."),
  shutdown: duration.default("30s").describe("When asked to stop (SIGTERM, Ctrl-C), how long jobs may still take; what waits is handed back at once, the rest at the end. A second signal ends it at once."),
  metrics,
  log: logLevel,
});

/** What executes models, in base units. */
export type RunnerSettings =
  | { readonly kind: "llama"; readonly model: string; readonly name: string; readonly slots: number; readonly contextTokens: number | undefined; readonly threads: number; readonly gpu: "auto" | "cuda" | "vulkan" | "metal" | "none"; readonly gpuLayers: number | undefined; readonly batchTokens: number; readonly temperature: number }
  | { readonly kind: "http"; readonly url: string; readonly model: string; readonly name: string; readonly api: "completions" | "chat"; readonly slots: number | undefined; readonly contextTokens: number | undefined; readonly kvTokens: number | undefined; readonly temperature: number; readonly keyFile: string | undefined }
  | { readonly kind: "mock"; readonly models: readonly string[]; readonly slots: number; readonly contextTokens: number; readonly prefillTokensPerS: number; readonly decodeTokensPerS: number; readonly outputTokens: number | undefined };

/** A node's settings, in base units. */
export interface NodeConfig {
  readonly keyFile: string;
  readonly routers: readonly RouterAddress[];
  readonly region: string;
  /** For people. */
  readonly machine: string;
  readonly runner: RunnerSettings;
  readonly prices: PriceSheet;
  /** Tokens per second; null: to be measured. */
  readonly speed: { readonly prefillTokensPerS: number; readonly decodeTokensPerS: number } | null;
  readonly queueLimit: number;
  readonly stakeMsat: number;
  readonly heartbeatUs: number;
  /** Least time between two messages with tokens of a job, ms. */
  readonly streamIntervalMs: number;
  readonly wallet: WalletSettings;
  readonly invoiceExpiryUs: number;
  /** How long jobs may take once the node was asked to stop, µs. */
  readonly shutdownUs: number;
  readonly metrics: MetricsSettings;
  readonly log: z.output<typeof logLevel>;
}

export const nodeKind: ConfigKind<typeof schema> = {
  name: "node",
  description: "Settings of a live node: what it runs, for which routers, at what price.",
  keys: ["routers", "runner"],
  schema,
};

/** Reads a node's settings. @throws ConfigError with all that is wrong with them */
export function readNodeConfig(path: string): NodeConfig {
  return readConfigFile(nodeKind, path, resolveNode);
}

export function resolveNode(reading: Reading<z.output<typeof schema>>): NodeConfig {
  const { value, path, number, wrong } = reading;
  const routers = value.routers.map((one, i) => readRouter(reading, one, ["routers", i]));
  routers.forEach(({ key }, i) => {
    if (key !== "" && routers.findIndex((other) => other.key === key) < i) wrong({ path: ["routers", i, "key"], found: "a router that is in the list already", allowed: "each router once" });
  });
  const sheet = value.prices === "free" ? { inputMsatPerMtok: 0, outputMsatPerMtok: 0, fixedMsat: 0 } : {
    inputMsatPerMtok: number("token price", value.prices.input, ["prices", "input"]),
    outputMsatPerMtok: number("token price", value.prices.output, ["prices", "output"]),
    fixedMsat: number("money", value.prices.fixed, ["prices", "fixed"]),
  };
  if (value.wallet === "none" && Object.values(sheet).some((price) => price > 0)) wrong({ path: ["wallet"], found: "none", allowed: "a wallet, such as {ledger: ws://127.0.0.1:7800}: who asks for money has to be paid, or prices: free" });
  const settings = resolveRunner(reading, value.runner, ["runner"]);
  const speed = value.speed === undefined
    ? (settings.kind === "mock" ? { prefillTokensPerS: settings.prefillTokensPerS, decodeTokensPerS: settings.decodeTokensPerS } : null)
    : { prefillTokensPerS: number("rate", value.speed.prefill, ["speed", "prefill"]), decodeTokensPerS: number("rate", value.speed.decode, ["speed", "decode"]) };
  return {
    keyFile: path(value.key),
    routers,
    region: value.region,
    machine: value.machine ?? machineName(),
    runner: settings,
    prices: sheet,
    speed,
    queueLimit: value.queueLimit,
    stakeMsat: number("money", value.stake, ["stake"]),
    heartbeatUs: number("duration", value.heartbeat, ["heartbeat"]),
    streamIntervalMs: number("duration", value.stream.interval, ["stream", "interval"]) / 1_000,
    wallet: readWallet(value.wallet),
    invoiceExpiryUs: number("duration", value.invoiceExpiry, ["invoiceExpiry"]),
    shutdownUs: number("duration", value.shutdown, ["shutdown"]),
    metrics: readMetrics(value.metrics),
    log: value.log,
  };
}

function resolveRunner({ path, number, wrong }: Reading<unknown>, value: z.output<typeof runner>, at: readonly PathPart[]): RunnerSettings {
  const checkName = (name: string, ...where: string[]): void => {
    if (!/^[A-Za-z0-9._:/-]{1,128}$/.test(name)) wrong({ path: [...at, ...where], found: `${quoted(name)}, which is no model's name`, allowed: "a `name` of letters, digits and . _ : / -" });
  };
  const tokensOf = (written: unknown, ...where: string[]): number | undefined => (written === undefined ? undefined : number("tokens", written, [...at, ...where]));
  if ("llama" in value) {
    const { model: gguf, name, slots: atOnce, context, threads, gpu, gpuLayers, batch, temperature: heat } = value.llama;
    const given = name ?? gguf.replace(/^.*[\\/]/, "").replace(/\.gguf$/i, "");
    if (name === undefined) checkName(given, "llama", "model");
    return {
      kind: "llama", model: path(gguf), name: given, slots: atOnce, threads, gpu, gpuLayers, temperature: heat,
      contextTokens: tokensOf(context, "llama", "context"), batchTokens: tokensOf(batch, "llama", "batch")!,
    };
  }
  if ("http" in value) {
    const { url, model: atServer, name = atServer, api, slots: atOnce, context, kv, temperature: heat, keyFile } = value.http;
    checkName(name, "http", "model");
    return {
      kind: "http", url, model: atServer, name, api, slots: atOnce, temperature: heat,
      contextTokens: tokensOf(context, "http", "context"), kvTokens: tokensOf(kv, "http", "kv"), keyFile: keyFile === undefined ? undefined : path(keyFile),
    };
  }
  const { models: names, slots: atOnce, context, prefill, decode, outputTokens } = value.mock;
  return {
    kind: "mock", models: names, slots: atOnce, contextTokens: number("tokens", context, [...at, "mock", "context"]),
    prefillTokensPerS: number("rate", prefill, [...at, "mock", "prefill"]), decodeTokensPerS: number("rate", decode, [...at, "mock", "decode"]),
    outputTokens: outputTokens === undefined ? undefined : number("tokens", outputTokens, [...at, "mock", "outputTokens"]),
  };
}

/** Such as "AMD EPYC 7B13, 2 threads". */
function machineName(): string {
  const threads = cpus();
  const name = (threads[0]?.model ?? "").replace(/[\p{Cc}\p{Cs}]/gu, " ").replace(/\s+/g, " ").trim();
  return `${name === "" ? "processor" : name}, ${threads.length} threads`.slice(0, 128);
}
