import { catalogueMachine, catalogueModel, UnknownNameError } from "../world/catalogue/lookup.ts";
import type { ResolvedModel } from "../world/catalogue/lookup.ts";
import { machines } from "../world/catalogue/machines.ts";
import { models } from "../world/catalogue/models.ts";
import { kvBytesPerToken } from "../world/catalogue/step-cost.ts";
import type { Machine } from "../world/catalogue/types.ts";
import type { EngineSpec, OperatorSpec } from "./scenario.ts";

/**
 * Share of a machine's memory that llama.cpp and a sequential runner may fill with weights and KV cache; the rest is for
 * the driver and compute buffers. vLLM's share is a setting of its own.
 */
const usableShare = 0.95;

/** What a scenario's loading needs to know of machines and models. */
export interface Catalogue {
  readonly machines: readonly string[];
  readonly models: readonly { readonly name: string; readonly quantisations: readonly string[] }[];
  /** The full name that this one means ("llama-3.1-8b" is the model in its first quantisation), or undefined. */
  machineName(name: string): string | undefined;
  modelName(name: string): string | undefined;
  /** Why this operator's machine cannot run the model as its engine is set up; null where it can. Both names are known. */
  misfit(operator: OperatorSpec, model: string): { readonly found: string; readonly allowed: string } | null;
}

/** The catalogue that comes with the lab. */
export const labCatalogue: Catalogue = {
  machines: machines.map(({ name }) => name),
  models: models.map(({ name, quantisations }) => ({ name, quantisations: quantisations.map((quantisation) => quantisation.name) })),
  machineName: (name) => known(() => catalogueMachine(name).name),
  modelName: (name) => known(() => catalogueModel(name).name),
  misfit(operator, model) {
    const { engine } = operator;
    const machine = machineOf(operator);
    if (machine === null || engine.kind === "service-time") return null;
    const resolved = catalogueModel(model);
    if (engine.contextTokens > resolved.model.contextTokensMax) {
      return { found: `${model} with a context of ${engine.contextTokens} tokens`, allowed: `at most ${resolved.model.contextTokensMax} tokens, the context it was made for` };
    }
    const available = kvTokensAvailable(engine, machine, resolved);
    const needed = kvTokensNeeded(engine);
    if (available >= needed) return null;
    const kv = kvBytesPerToken(resolved.model);
    return {
      found: `${model}, which needs ${gigabytes(resolved.quantisation.fileBytes)} for weights and ${gigabytes(needed * kv)} for ${needed} tokens of context`,
      allowed: `what fits into ${gigabytes(machine.memoryBytes * share(engine))} of ${machine.name}: a smaller model, machine or context${"slots" in engine && engine.slots > 1 ? ", or fewer slots" : ""}`,
    };
  },
};

/** The operator's machine, or null where it needs none. @throws UnknownNameError for a name the catalogue does not have. */
export function machineOf({ machine }: OperatorSpec): Machine | null {
  return typeof machine === "string" ? catalogueMachine(machine) : machine;
}

/** Tokens of KV cache that fit beside the weights; negative where not even those fit. */
export function kvTokensAvailable(engine: EngineSpec, machine: Machine, { model, quantisation }: ResolvedModel): number {
  return Math.floor((machine.memoryBytes * share(engine) - quantisation.fileBytes) / kvBytesPerToken(model));
}

/** Tokens of KV cache without which the engine does not start. */
function kvTokensNeeded(engine: Exclude<EngineSpec, { kind: "service-time" }>): number {
  return engine.kind === "llama.cpp" ? engine.slots * engine.contextTokens : engine.contextTokens;
}

function share(engine: EngineSpec): number {
  return engine.kind === "vllm" ? engine.memoryShare : usableShare;
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}

function known(look: () => string): string | undefined {
  try {
    return look();
  } catch (error) {
    if (error instanceof UnknownNameError) return undefined;
    throw error;
  }
}
