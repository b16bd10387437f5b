import type * as Library from "node-llama-cpp";
import type { Llama, LlamaContext, LlamaModel } from "node-llama-cpp";
import type { ChildFacts, LlamaSettings } from "./messages.ts";
import type { BatchModel, Sampler, StepPart } from "./model.ts";
import { sideBySide } from "./side-by-side.ts";

/** What node-llama-cpp keeps under its public classes: the calls of llama.cpp themselves. */
interface NativeContext {
  initBatch(tokens: number): void;
  addToBatch(sequence: number, position: number, tokens: Uint32Array, logitsAt: Uint32Array): Uint32Array;
  decodeBatch(): Promise<void>;
  sampleToken(logit: number, sampler: NativeSampler): Promise<number>;
  disposeSequence(sequence: number): void;
}
interface NativeSampler extends Sampler {
  applyConfig(config: Readonly<Record<string, unknown>>): void;
}
interface Natives {
  readonly context: NativeContext;
  newSampler(): NativeSampler;
}

/**
 * Reaches for the native calls. The public API serves one sequence at a time, and costs 0.15 ms a step more than llama.cpp
 * takes for a small model; it decides by itself what shares a batch, and shifts contexts that are full.
 * @throws Error where this version of node-llama-cpp keeps them elsewhere.
 */
const nativesOf = (llama: Llama, model: LlamaModel, context: LlamaContext, version: string): Natives => {
  const { _ctx: native } = context as unknown as { _ctx?: NativeContext };
  const { _bindings: bindings } = llama as unknown as { _bindings?: { AddonSampler?: new (model: unknown) => NativeSampler } };
  const { _model: nativeModel } = model as unknown as { _model?: unknown };
  const calls = ["initBatch", "addToBatch", "decodeBatch", "sampleToken", "disposeSequence"] as const;
  const Constructor = bindings?.AddonSampler;
  if (native === undefined || nativeModel === undefined || Constructor === undefined || calls.some((call) => typeof native[call] !== "function")) {
    throw new Error(`node-llama-cpp ${version} is built differently from what this program knows: install ${KNOWN_VERSION}`);
  }
  return { context: native, newSampler: () => new Constructor(nativeModel) };
};

/** The version of node-llama-cpp that this program is tested with. */
export const KNOWN_VERSION = "3.21.1";

/** A model that is ready, and what it says of itself. */
export interface LoadedModel {
  readonly model: BatchModel;
  readonly facts: ChildFacts;
}

/**
 * Loads a model into this process.
 * @throws Error in words for the operator.
 */
export const loadModel = async (settings: LlamaSettings): Promise<LoadedModel> => {
  const fromNs = process.hrtime.bigint();
  const { gpu, gpuLayers, threads, sequences, contextTokens, batchTokens, sampling } = settings;
  let library: typeof Library;
  try {
    library = await import("node-llama-cpp");
  } catch (error) {
    throw new Error(missing(error), { cause: error });
  }
  const version = await library.getModuleVersion();
  let llama: Llama;
  try {
    llama = await library.getLlama({ gpu, build: "never", skipDownload: true, maxThreads: threads, logLevel: library.LlamaLogLevel.error, progressLogs: false, logger: () => {} });
  } catch (error) {
    throw new Error(`llama.cpp cannot be loaded${gpu === false || gpu === "auto" ? "" : ` with ${gpu}`}: ${words(error)}${gpu === false ? "" : `; ${GPU_HINT}`}`, { cause: error });
  }
  const model = await llama.loadModel({ modelPath: settings.file, ...(gpuLayers === null ? {} : { gpuLayers }) });
  const context = await model.createContext({ sequences, contextSize: contextTokens, batchSize: batchTokens, threads, failedCreationRemedy: false });
  const natives = nativesOf(llama, model, context, version);
  const backend = llama.gpu === false ? "cpu" : llama.gpu;
  const { release } = llama.llamaCppRelease;
  const { temperature, topP, topK, seed } = sampling;
  const samplerConfig = temperature === 0 ? { temperature } : { temperature, topP, topK, seed, minP: 0 };
  const { bos, eos, shouldPrependBosToken } = model.tokens;
  const prefix: readonly number[] = shouldPrependBosToken && bos !== null ? [bos] : [];
  let lastDecodeUs = 0;
  const filler = Uint32Array.of(bos ?? eos ?? 0);
  const holds = new Set<number>();
  return {
    facts: {
      engine: `llama.cpp ${release} (node-llama-cpp ${version}, ${backend === "cpu" ? "CPU" : backend})`,
      release, backend, gpuLayers: model.gpuLayers, loadUs: Number((process.hrtime.bigint() - fromNs) / 1_000n), addsBos: prefix.length > 0,
    },
    model: {
      sequences,
      batchTokens: context.batchSize,
      emptyPrompt: bos ?? eos ?? 0,
      get lastDecodeUs() {
        return lastDecodeUs;
      },
      tokenize(text) {
        // Control tokens are read as such: that is how clients write chats.
        const tokens: readonly number[] = model.tokenize(text, true);
        return tokens[0] === bos || prefix.length === 0 ? tokens : [...prefix, ...tokens];
      },
      detokenize: (tokens) => model.detokenize(tokens as Parameters<LlamaModel["detokenize"]>[0]),
      isEnd: (token) => model.isEogToken(token as Parameters<LlamaModel["isEogToken"]>[0]),
      newSampler() {
        const sampler = natives.newSampler();
        sampler.applyConfig(samplerConfig);
        return sampler;
      },
      forget(sequence) {
        holds.delete(sequence);
        natives.context.disposeSequence(sequence);
      },
      async step(parts: readonly StepPart[]) {
        const native = natives.context;
        const count = parts.reduce((sum, { tokens }) => sum + tokens.length, 0);
        for (const { sequence } of parts) holds.add(sequence);
        const { order, fillers } = sideBySide(parts, (sequence) => !holds.has(sequence), context.batchSize - count);
        native.initBatch(count + fillers.length);
        const logits = new Array<number | undefined>(parts.length);
        for (const { sequence, part } of order) {
          if (part < 0) {
            native.addToBatch(sequence, 0, filler, NOWHERE);
            continue;
          }
          const { position, tokens, sampler } = parts[part]!;
          logits[part] = native.addToBatch(sequence, position, Uint32Array.from(tokens), sampler === null ? NOWHERE : Uint32Array.of(tokens.length - 1))[0];
        }
        const startNs = process.hrtime.bigint();
        try {
          await native.decodeBatch();
        } finally {
          for (const sequence of fillers) native.disposeSequence(sequence);
        }
        lastDecodeUs = Number(process.hrtime.bigint() - startNs) / 1_000;
        return Promise.all(parts.map(({ sampler }, at) => (sampler === null ? -1 : native.sampleToken(logits[at]!, sampler as NativeSampler))));
      },
    },
  };
};

const NOWHERE = new Uint32Array(0);
const GPU_HINT = "GPUs need node-llama-cpp's packages for them, which npm installs beside it unless told otherwise (an `overrides` entry, as in infernet-lab's own checkout, leaves them out)";

const words = (error: unknown): string => (error instanceof Error ? error.message : String(error)).split("\n")[0]!;

const missing = (error: unknown): string =>
  (error as { code?: unknown } | null)?.code === "ERR_MODULE_NOT_FOUND"
    ? `running models in llama.cpp needs the package node-llama-cpp, which is not installed: npm install node-llama-cpp@${KNOWN_VERSION} (about 85 MB for the processor alone; on Linux with its CUDA and Vulkan builds 725 MB)`
    : `node-llama-cpp cannot be loaded: ${words(error)}`;
