import { planEngine, type StepEngineSpec } from "../scenario/engine-plan.ts";
import type { OperatorSpec } from "../scenario/scenario.ts";
import { advertisedSpeeds } from "./catalogue/speeds.ts";
import { Arena } from "./engine/arena.ts";
import { BatchEngine, type BatchRules } from "./engine/batch.ts";
import { llamaCppRules } from "./engine/llama-cpp.ts";
import { sequentialRules } from "./engine/sequential.ts";
import { vllmRules } from "./engine/vllm.ts";
import type { NodeKit } from "./node-kit.ts";

/**
 * An engine that executes a model of the catalogue on a machine, or what was measured of both, and what its node can say
 * of itself. Where a class serves several models, the engine's speed and memory are those of the first.
 * @throws RangeError where the model does not fit into the machine.
 */
export function modelEngine(spec: OperatorSpec, engine: StepEngineSpec): NodeKit {
  const { machine, power, cost, limits } = planEngine(spec, engine, spec.models[0]!);
  const { slots, kvTokensMax, contextTokensMax: contextTokens, stepTokens: batchTokens } = limits;
  const rules = ((): BatchRules => {
    switch (engine.kind) {
      case "llama.cpp": return llamaCppRules({ cost, slots, contextTokens, kvTokensMax, batchTokens });
      case "vllm": return vllmRules({ cost, kvTokensMax, maxSequences: slots, batchTokens, contextTokens });
      case "sequential": return sequentialRules({ cost, contextTokens, batchTokens });
    }
  })();
  const arena = new Arena();
  return {
    machine,
    power,
    slots,
    kvTokensMax,
    work: { fixedUs: 0, inputUs: cost.baseUs(batchTokens, 0) / batchTokens, outputUs: cost.baseUs(0, slots) / slots },
    workUs: null,
    engine: () => new BatchEngine(rules, arena),
    offers: spec.models.map((name) => ({ model: name, contextTokensMax: contextTokens, ...advertisedSpeeds(cost) })),
  };
}
