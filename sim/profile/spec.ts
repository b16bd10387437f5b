import type { FittedCost } from "../../protocol/fitted-cost.ts";
import type { MachineProfile } from "../../protocol/profile.ts";
import { fittedStepCost } from "../world/engine/fitted-cost.ts";
import type { StepCost } from "../world/engine/engine.ts";
import { interpolatedCost } from "./interpolate.ts";
import type { PromptTime, StepTime } from "./interpolate.ts";

/** What a measured engine's steps cost: by a fitted formula, or straight from the measurements. */
export type ProfileCost =
  | { readonly kind: "fitted"; readonly cost: FittedCost }
  | { readonly kind: "measured"; readonly prefill: readonly PromptTime[]; readonly decode: readonly StepTime[] };

/** What the simulation takes from a machine profile: all of it is in here, nothing is left in a file. */
export interface ProfileSpec {
  /** Name of the machine, for reports. */
  readonly machine: string;
  /** null where the profile does not say. */
  readonly power: { readonly idleWatts: number; readonly loadWatts: number } | null;
  /** Purchase price, USD; null where the profile does not say. */
  readonly priceUsd: number | null;
  /** What weights and KV cache may take, bytes; null where it is not known: whatever is asked of the machine then fits. */
  readonly memoryBytes: number | null;
  readonly engine: "llama.cpp" | "vllm";
  readonly model: {
    /** As it was measured. */
    readonly name: string;
    /** In the catalogue; null where it is not, or nobody has said so. */
    readonly catalogue: string | null;
    readonly fileBytes: number | null;
    readonly kvBytesPerToken: number | null;
    readonly contextTokensMax: number | null;
  };
  /** As measured; null where the profile does not say. */
  readonly slots: number | null;
  readonly contextTokens: number | null;
  readonly kvTokens: number | null;
  readonly batchTokens: number | null;
  readonly cost: ProfileCost;
}

/**
 * Takes from a profile what the simulation needs.
 * @throws RangeError for a profile without measurements of prompts or of generation, and without a fit.
 */
export function profileSpec(profile: MachineProfile): ProfileSpec {
  const { machine, software, model, settings, measured, fit } = profile;
  const cost: ProfileCost = fit === undefined
    ? {
      kind: "measured",
      prefill: measured.prefill.map(({ sequences, tokens, contextTokens, us }) => ({ sequences, tokens, contextTokens, us })),
      decode: measured.decode.map(({ batch, contextTokens, steps, usPerStep }) => ({ batch, contextTokens, steps, usPerStep })),
    }
    : { kind: "fitted", cost: fit.cost };
  profileStepCost(cost);
  return {
    machine: profile.name,
    power: machine.power === null ? null : { idleWatts: machine.power.idleWatts, loadWatts: machine.power.loadWatts },
    priceUsd: machine.priceUsd,
    memoryBytes: memoryOf(profile),
    engine: software.engine,
    model: { name: model.name, catalogue: model.catalogue, fileBytes: model.fileBytes, kvBytesPerToken: model.kvBytesPerToken, contextTokensMax: model.contextTokensMax },
    slots: settings.slots, contextTokens: settings.contextTokens, kvTokens: settings.kvTokens, batchTokens: settings.batchTokens,
    cost,
  };
}

/** @throws RangeError where it cannot be: a fit whose coefficients do not belong together, or no measurements. */
export function profileStepCost(cost: ProfileCost): StepCost {
  return cost.kind === "fitted" ? fittedStepCost(cost.cost) : interpolatedCost(cost.prefill, cost.decode);
}

/** Where the weights are: in the accelerators' memory, or the machine's. */
function memoryOf({ machine, settings }: MachineProfile): number | null {
  if (settings.gpuLayers === 0) return machine.memory?.bytes ?? null;
  const own = machine.gpus.filter(({ memoryBytes, sharedMemory }) => memoryBytes !== null && !sharedMemory);
  if (own.length > 0) return own.reduce((sum, { memoryBytes }) => sum + memoryBytes!, 0);
  return machine.gpus.length > 0 ? machine.memory?.bytes ?? null : null;
}
