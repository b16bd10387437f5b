import { catalogueMachine, catalogueModel, engineLimits, kvBytesPerToken, machines, models, UnknownNameError } from "../world/catalogue/index.ts";
import type { Machine } from "../world/catalogue/index.ts";
import type { EngineSpec, OperatorSpec } from "./scenario.ts";

/** What a scenario's loading needs to know of machines and models. */
export interface Catalogue {
  readonly machines: readonly string[];
  readonly models: readonly { readonly name: string; readonly quantisations: readonly string[] }[];
  /** The full name that this one means ("llama-3.1-8b" is the model in its first quantisation), or undefined. */
  machineName(name: string): string | undefined;
  modelName(name: string): string | undefined;
  /** What a machine of this full name costs, USD; undefined where it is not in the catalogue. */
  machinePriceUsd(name: string): number | undefined;
  /** Why this operator's machine cannot run the model as its engine is set up; null where it can. Both names are known. */
  misfit(operator: OperatorSpec, model: string): { readonly found: string; readonly allowed: string } | null;
}

/** The catalogue that comes with the lab. */
export const labCatalogue: Catalogue = {
  machines: machines.map(({ name }) => name),
  models: models.map(({ name, quantisations }) => ({ name, quantisations: quantisations.map((quantisation) => quantisation.name) })),
  machineName: (name) => known(() => catalogueMachine(name).name),
  modelName: (name) => known(() => catalogueModel(name).name),
  machinePriceUsd: (name) => machines.find((machine) => machine.name === name)?.priceUsd,
  misfit(operator, model) {
    const { engine } = operator;
    const machine = machineOf(operator);
    if (machine === null || engine.kind === "service-time") return null;
    const { model: transformer, quantisation } = catalogueModel(model);
    if (engine.contextTokens > transformer.contextTokensMax) {
      return { found: `${model} with a context of ${engine.contextTokens} tokens`, allowed: `at most ${transformer.contextTokensMax} tokens, the context it was made for` };
    }
    const limits = engineLimits(machine, transformer, quantisation, engine);
    const wanted = kvTokensWanted(engine);
    if (limits.fits && limits.kvTokensMax >= wanted) return null;
    const kvBytes = wanted * kvBytesPerToken(transformer);
    return {
      found: `${model}, which takes ${gigabytes(quantisation.fileBytes)} for weights and ${gigabytes(kvBytes)} for ${wanted} tokens of context`,
      allowed: `what fits into ${machine.name} with ${gigabytes(machine.memoryBytes)}, of which the engine and the system take a part: a smaller model, ${engine.kind === "llama.cpp" ? "fewer slots, " : ""}a shorter context or a larger machine`,
    };
  },
};

/** The operator's machine, or null where it needs none. @throws UnknownNameError for a name the catalogue does not have. */
export function machineOf({ machine }: OperatorSpec): Machine | null {
  return typeof machine === "string" ? catalogueMachine(machine) : machine;
}

/** Tokens of KV cache that the engine's settings promise its jobs. */
function kvTokensWanted(engine: Exclude<EngineSpec, { kind: "service-time" }>): number {
  return engine.kind === "llama.cpp" ? engine.slots * engine.contextTokens : engine.contextTokens;
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
