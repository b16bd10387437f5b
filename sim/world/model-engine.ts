import type { EngineSpec, OperatorSpec } from "../scenario/scenario.ts";
import { catalogueMachine, catalogueModel } from "./catalogue/lookup.ts";
import { generateUs, kvBytesPerToken, promptUs, stepCost } from "./catalogue/step-cost.ts";
import type { EngineKind, Machine } from "./catalogue/types.ts";
import { llamaCppEngine } from "./engine/llama-cpp.ts";
import { sequentialEngine } from "./engine/sequential.ts";
import { vllmEngine } from "./engine/vllm.ts";
import type { NodeKit } from "./supply.ts";

/** Memory that engines keep free for activations and the driver, bytes: some 600 MiB on a llama.cpp CUDA build. */
const RESERVE_BYTES = 600 * 2 ** 20;
/** Lengths with which operators measure what they advertise, as llama-bench's pp512 and tg128. */
const ADVERTISED_PROMPT = 512;
const ADVERTISED_OUTPUT = 128;

/** An engine that executes a model of the catalogue on a machine, and what its node can say of itself. */
export function modelEngine(spec: OperatorSpec, engine: Exclude<EngineSpec, { readonly kind: "service-time" }>): NodeKit {
  const machine: Machine = typeof spec.machine === "string" ? catalogueMachine(spec.machine) : spec.machine!;
  const kind: EngineKind = engine.kind;
  const { model, quantisation } = catalogueModel(spec.models[0]!);
  const cost = stepCost(machine, model, quantisation, kind);
  const usableBytes = engine.kind === "vllm" ? machine.memoryBytes * engine.memoryShare : machine.memoryBytes - RESERVE_BYTES;
  const kvCapacity = Math.max(0, Math.floor((usableBytes - quantisation.fileBytes) / kvBytesPerToken(model)));
  const slots = engine.kind === "llama.cpp" ? engine.slots : engine.kind === "vllm" ? engine.maxSequences : 1;
  const kvTokensMax = Math.min(2 ** 31 - 1, engine.kind === "vllm" ? kvCapacity : Math.min(kvCapacity, slots * engine.contextTokens));
  const contextTokens = Math.min(engine.contextTokens, kvTokensMax, model.contextTokensMax);
  if (contextTokens < 1) throw new RangeError(`operators ${spec.name}: ${spec.models[0]} does not fit into the ${machine.memoryBytes} bytes of ${machine.name}`);
  return {
    machine: machine.name,
    slots,
    kvTokensMax,
    workUs: null,
    engine() {
      switch (engine.kind) {
        case "llama.cpp": return llamaCppEngine({ cost, slots, contextTokens, kvTokensMax, batchTokens: engine.batchTokens });
        case "vllm": return vllmEngine({ cost, kvTokensMax, maxSequences: slots, batchTokens: engine.stepTokens, contextTokens });
        case "sequential": return sequentialEngine({ cost, contextTokens });
      }
    },
    offers: spec.models.map((name) => ({
      model: name,
      contextTokensMax: contextTokens,
      prefillTokensPerS: (ADVERTISED_PROMPT * 1e6) / promptUs(cost, ADVERTISED_PROMPT),
      decodeTokensPerS: (ADVERTISED_OUTPUT * 1e6) / generateUs(cost, ADVERTISED_OUTPUT),
    })),
  };
}
