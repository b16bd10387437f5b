import type { ProfileSpec } from "../profile/spec.ts";
import { profileStepCost } from "../profile/spec.ts";
import { catalogueModel, engineDefaults, engineLimits } from "../world/catalogue/index.ts";
import type { EngineLimits } from "../world/catalogue/index.ts";
import { stepCost } from "../world/catalogue/step-cost.ts";
import type { StepCost } from "../world/engine/engine.ts";
import { machineOf } from "./catalogue.ts";
import type { EngineSpec, OperatorSpec } from "./scenario.ts";

/** An engine that executes models by steps. */
export type StepEngineSpec = Exclude<EngineSpec, { readonly kind: "service-time" }>;

/** How an operator's engine runs: what its steps cost, and what it can hold. */
export interface EnginePlan {
  /** Name of the machine. */
  readonly machine: string;
  /** null where it is not known. */
  readonly power: { readonly idleWatts: number; readonly loadWatts: number } | null;
  readonly cost: StepCost;
  readonly limits: EngineLimits;
}

/**
 * Looks up an operator's machine and model, or takes what was measured of them.
 * @throws UnknownNameError for a machine or model that the catalogue does not have, and that nobody has measured
 * @throws RangeError where there is neither machine nor profile, or where the model does not fit
 */
export function planEngine(spec: OperatorSpec, engine: StepEngineSpec, modelName: string): EnginePlan {
  const machine = machineOf(spec);
  const { profile } = spec;
  let plan: EnginePlan;
  if (profile !== undefined) {
    const power = machine === null || machine.loadWatts === 0 ? profile.power : machine;
    plan = {
      machine: machine?.name ?? profile.machine,
      power: power === null ? null : { idleWatts: power.idleWatts, loadWatts: power.loadWatts },
      cost: profileStepCost(profile.cost), limits: profileLimits(profile, engine),
    };
  } else {
    if (machine === null) throw new RangeError(`operators ${spec.name}: the ${engine.kind} engine needs a machine`);
    const { model, quantisation } = catalogueModel(modelName);
    plan = {
      machine: machine.name,
      power: machine.loadWatts === 0 ? null : { idleWatts: machine.idleWatts, loadWatts: machine.loadWatts },
      cost: stepCost(machine, model, quantisation, engine.kind), limits: engineLimits(machine, model, quantisation, engine),
    };
  }
  if (!plan.limits.fits) throw new RangeError(`operators ${spec.name}: ${plan.limits.reason}`);
  return plan;
}

/** Limits of an engine that was measured: what its settings say, as far as the memory is known to hold it. */
export function profileLimits({ model, memoryBytes, kvTokens, machine }: ProfileSpec, engine: StepEngineSpec): EngineLimits {
  const contextTokensMax = Math.min(engine.contextTokens, model.contextTokensMax ?? Infinity);
  const share = engine.kind === "vllm" ? engine.memoryShare : 1;
  const room = memoryBytes === null || model.fileBytes === null || model.kvBytesPerToken === null || model.kvBytesPerToken === 0
    ? Infinity
    : Math.max(0, Math.floor((memoryBytes * share - model.fileBytes) / model.kvBytesPerToken));
  const wanted = engine.kind === "llama.cpp" ? engine.slots * contextTokensMax : engine.kind === "sequential" ? contextTokensMax : kvTokens ?? (room < Infinity ? room : engine.maxSequences * contextTokensMax);
  const least = engine.kind === "vllm" ? contextTokensMax : wanted;
  const fits = room >= least;
  return {
    slots: engine.kind === "llama.cpp" ? engine.slots : engine.kind === "vllm" ? engine.maxSequences : 1,
    contextTokensMax, kvTokensMax: Math.min(wanted, room),
    stepTokens: engine.kind === "llama.cpp" ? engine.batchTokens : engine.kind === "vllm" ? engine.stepTokens : engineDefaults.sequential.batchTokens,
    fits,
    reason: fits ? "" : `${model.name} takes ${gb(model.fileBytes!)} and ${gb(least * model.kvBytesPerToken!)} for ${least} tokens of context; ${machine} has ${gb(memoryBytes!)}`,
  };
}

function gb(bytes: number): string {
  return bytes < 1e8 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}
