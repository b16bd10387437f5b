import { modelFacts, type ModelFacts } from "../../gguf/facts.ts";
import { EngineProcess } from "./engine-process.ts";
import type { ChildFacts, StepTime } from "./messages.ts";
import { type LlamaOptions, settingsOf } from "./settings.ts";

/** A model in a process of its own, for measurements: the same process, loop and calls that serve a node's jobs. */
export interface MeasuringEngine {
  readonly facts: ChildFacts;
  readonly modelFacts: ModelFacts;
  /**
   * Evaluates pseudo-random tokens onto the end of each of the first `sequences`, in as few steps as `batchTokens` allows.
   * @returns each step's time.
   */
  prefill(sequences: number, tokensEach: number): Promise<readonly StepTime[]>;
  /** One token onto the end of each of the first `sequences`, `steps` times. */
  decode(sequences: number, steps: number): Promise<readonly StepTime[]>;
  /** One step with a token for each of the first `sequences` and `promptTokens` for the next one. */
  mixed(sequences: number, promptTokens: number): Promise<StepTime>;
  /** Empties all sequences. */
  clear(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens a model for measurements. Times are taken in its process.
 * @throws RunnerError, GgufError (in its name a UserError), RangeError
 */
export const openMeasuring = async (options: LlamaOptions): Promise<MeasuringEngine> => {
  const model = modelFacts(options.file);
  const engine = await EngineProcess.start(settingsOf(options, model), { onEvents() {}, onExit() {} });
  return {
    facts: engine.facts,
    modelFacts: model,
    prefill: (sequences, tokensEach) => engine.measure({ kind: "prefill", sequences, tokensEach }),
    decode: (sequences, steps) => engine.measure({ kind: "decode", sequences, steps }),
    mixed: async (sequences, promptTokens) => (await engine.measure({ kind: "mixed", sequences, promptTokens }))[0]!,
    clear: async () => void (await engine.measure({ kind: "clear" })),
    close: () => engine.stop(),
  };
};
