import { machineOf } from "../scenario/catalogue.ts";
import type { EngineSpec, OperatorSpec } from "../scenario/scenario.ts";
import { engineLimits } from "./catalogue/limits.ts";
import { catalogueModel } from "./catalogue/lookup.ts";
import { advertisedSpeeds } from "./catalogue/speeds.ts";
import { stepCost } from "./catalogue/step-cost.ts";
import { llamaCppEngine } from "./engine/llama-cpp.ts";
import { sequentialEngine } from "./engine/sequential.ts";
import { vllmEngine } from "./engine/vllm.ts";
import { type NodeKit, powerOf } from "./node-kit.ts";

/**
 * An engine that executes a model of the catalogue on a machine, and what its node can say of itself. Where a class
 * serves several models, the engine's speed and memory are those of the first.
 * @throws RangeError where the model does not fit into the machine.
 */
export function modelEngine(spec: OperatorSpec, engine: Exclude<EngineSpec, { readonly kind: "service-time" }>): NodeKit {
  const machine = machineOf(spec);
  if (machine === null) throw new RangeError(`operators ${spec.name}: the ${engine.kind} engine needs a machine`);
  const { model, quantisation } = catalogueModel(spec.models[0]!);
  const limits = engineLimits(machine, model, quantisation, engine);
  if (!limits.fits) throw new RangeError(`operators ${spec.name}: ${limits.reason}`);
  const cost = stepCost(machine, model, quantisation, engine.kind);
  const { slots, kvTokensMax, contextTokensMax: contextTokens, stepTokens: batchTokens } = limits;
  return {
    machine: machine.name,
    power: powerOf(machine),
    slots,
    kvTokensMax,
    work: { fixedUs: 0, inputUs: cost.baseUs(batchTokens, 0) / batchTokens, outputUs: cost.baseUs(0, slots) / slots },
    workUs: null,
    engine() {
      switch (engine.kind) {
        case "llama.cpp": return llamaCppEngine({ cost, slots, contextTokens, kvTokensMax, batchTokens });
        case "vllm": return vllmEngine({ cost, kvTokensMax, maxSequences: slots, batchTokens, contextTokens });
        case "sequential": return sequentialEngine({ cost, contextTokens, batchTokens });
      }
    },
    offers: spec.models.map((name) => ({ model: name, contextTokensMax: contextTokens, ...advertisedSpeeds(cost) })),
  };
}
