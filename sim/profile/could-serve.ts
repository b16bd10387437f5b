import { advertisedSpeeds } from "../world/catalogue/speeds.ts";
import { engineLimits, machines, models, stepCost } from "../world/catalogue/index.ts";
import type { CatalogueMachine, Machine } from "../world/catalogue/index.ts";

/** What a machine is, as far as what it could serve depends on it. */
export interface ServingMachine {
  readonly cpu: { readonly model: string; readonly cores: number; readonly clockHz: number; readonly vector: string | null };
  readonly memoryBytes: number;
  /** Measured; null where it was not: nothing is predicted for the processor then. */
  readonly bandwidthBytesPerS: number | null;
  readonly gpus: readonly { readonly name: string; readonly memoryBytes: number | null; readonly sharedMemory: boolean }[];
}

/** A model on a device. */
export interface CouldServe {
  /** With its quantisation, such as llama-3.1-8b:q4_k_m. */
  readonly model: string;
  readonly fileBytes: number;
  /** Tokens of context that fit beside the weights, at most the model's own. */
  readonly contextTokens: number;
  /** Predicted for llama.cpp by the catalogue's rooflines, of a single sequence; null where the device's figures are not known. */
  readonly promptTokensPerS: number | null;
  readonly outputTokensPerS: number | null;
}

/** Where models could run, and which ones. */
export interface ServingDevice {
  readonly name: string;
  readonly kind: "processor" | "graphics processor";
  /** What the predictions rest on, in words. */
  readonly basis: string;
  readonly models: readonly CouldServe[];
}

/** What each device of a machine could serve of the catalogue's models, in their most usual quantisation; predictions, not measurements. */
export function couldServe(machine: ServingMachine): ServingDevice[] {
  const { cpu, memoryBytes, bandwidthBytesPerS, gpus } = machine;
  const devices = gpus.map((gpu): ServingDevice => {
    const known = catalogueGpu(gpu);
    const figures: Machine = {
      ...(known ?? { family: "generic", bandwidthBytesPerS: 1, flopPerS: 1, idleWatts: 0, loadWatts: 0 }),
      name: gpu.name, memoryBytes: gpu.memoryBytes ?? known?.memoryBytes ?? 0, sharedMemory: gpu.sharedMemory,
    };
    return {
      name: gpu.name, kind: "graphics processor",
      basis: known === undefined ? "not in the machine catalogue: its speed is not known" : `figures of ${known.name} in the machine catalogue`,
      models: figures.memoryBytes === 0 ? [] : served(figures, known !== undefined),
    };
  });
  const flopPerCycle = FLOP_PER_CYCLE.find(([name]) => cpu.vector?.startsWith(name) === true)?.[1] ?? 8;
  const processor: Machine = {
    name: cpu.model, family: "cpu", memoryBytes, sharedMemory: true, bandwidthBytesPerS: bandwidthBytesPerS ?? 1, flopPerS: cpu.cores * cpu.clockHz * flopPerCycle, idleWatts: 0, loadWatts: 0,
  };
  return [...devices, {
    name: cpu.model, kind: "processor",
    basis: bandwidthBytesPerS === null ? "the memory's bandwidth was not measured: its speed is not known" : `the measured bandwidth, and ${cpu.cores} cores x ${flopPerCycle} x ${(cpu.clockHz / 1e9).toFixed(1)} GHz`,
    models: served(processor, bandwidthBytesPerS !== null),
  }];
}

/** FP32 operations of a core in a cycle, as the catalogue counts them: two fused multiply-adds of the vectors that llama.cpp's kernels mostly use. */
const FLOP_PER_CYCLE: readonly (readonly [vector: string, flop: number])[] = [["AMX", 32], ["AVX-512", 32], ["AVX2", 32], ["AVX", 16], ["SVE", 16], ["NEON", 16]];

/** Beyond this a context is long enough for anybody, tokens. */
const WORTH_CONTEXT = 131_072;

function served(machine: Machine, known: boolean): CouldServe[] {
  return models.flatMap((model) => {
    const quantisation = model.quantisations[0]!;
    const { fits, kvTokensMax } = engineLimits(machine, model, quantisation, { kind: "llama.cpp", slots: 1, contextTokens: Math.min(model.contextTokensMax, WORTH_CONTEXT) });
    if (!fits) return [];
    const speeds = known ? advertisedSpeeds(stepCost(machine, model, quantisation, "llama.cpp")) : null;
    return [{
      model: `${model.name}:${quantisation.name}`, fileBytes: quantisation.fileBytes, contextTokens: kvTokensMax,
      promptTokensPerS: speeds?.prefillTokensPerS ?? null, outputTokensPerS: speeds?.decodeTokensPerS ?? null,
    }];
  }).sort((a, b) => a.fileBytes - b.fileBytes);
}

/** Words of a name that tell one card from its sisters: where the catalogue's name lacks one, it is another card. */
const TELLING = new Set(["ti", "super", "laptop", "mobile", "xt", "xtx", "gre", "ultra", "max", "pro", "nvl", "ada", "d", "se", "mini"]);
/** Words that tell how a card is built in. HBM3 is what H100s on boards have. */
const ALIKE: Readonly<Record<string, string>> = { sxm2: "sxm", sxm4: "sxm", sxm5: "sxm", hbm3: "sxm", hbm3e: "sxm", pcle: "pcie" };

/** The catalogue's machine that a card is, by its name as drivers tell it, and by its memory where there are several; undefined: none. */
export function catalogueGpu({ name, memoryBytes }: ServingMachine["gpus"][number]): CatalogueMachine | undefined {
  const found = wordsOf(name);
  const matches = machines.filter((machine) => {
    if (machine.family === "cpu") return false;
    const words = wordsOf(machine.name).filter((word) => !/^\d+gb$|^\d+core$/.test(word));
    const essential = words.filter((word) => word !== "sxm" && word !== "pcie");
    return essential.length > 0 && essential.every((word) => found.includes(word)) && found.every((word) => !TELLING.has(word) || words.includes(word));
  });
  // The same name with twice the memory, or half of it, is another card.
  const alike = matches.filter((machine) => memoryBytes === null || Math.abs(Math.log(machine.memoryBytes / memoryBytes)) < 0.3);
  return alike.find((machine) => wordsOf(machine.name).some((word) => (word === "sxm" || word === "pcie") && found.includes(word))) ?? alike[0];
}

function wordsOf(name: string): string[] {
  return name.toLowerCase().replace(/(\d+)[ -]core\b/g, "$1core").replace(/(\d+) ?gi?b\b/g, "$1gb").split(/[^a-z0-9]+/).filter((word) => word !== "" && !["nvidia", "geforce", "amd", "radeon", "apple", "tesla", "generation", "graphics", "desktop", "pc"].includes(word))
    .map((word) => ALIKE[word] ?? word);
}
