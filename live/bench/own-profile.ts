import { PROFILE_SCHEMA, PROFILE_VERSION } from "../../protocol/profile.ts";
import type { MachineProfile, ProfileMachine } from "../../protocol/profile.ts";
import type { ModelFacts } from "../gguf/facts.ts";

/** What a profile of our own is made of. */
export interface OwnMeasurement {
  /** Such as "Intel Xeon, 2 threads: synth-100M q8_0". */
  readonly name: string;
  /** ISO 8601, UTC. */
  readonly date: string;
  readonly interrupted: boolean;
  readonly clock: "wall" | "cpu";
  readonly machine: ProfileMachine;
  readonly model: ModelFacts;
  /** In the catalogue of the lab; null: not told. */
  readonly catalogueModel: string | null;
  readonly sha256: string | null;
  /** Of the engine: its own words, its build, and how many layers it has put on a graphics processor. */
  readonly engine: { readonly release: string; readonly engine: string; readonly backend: string; readonly gpuLayers: number };
  readonly settings: { readonly threads: number; readonly slots: number; readonly contextTokens: number; readonly batchTokens: number };
  readonly measured: MachineProfile["measured"];
  /** Version of the lab. */
  readonly lab: string;
}

/** A profile of what `infernet bench` has measured. */
export function ownProfile({ name, date, interrupted, clock, machine, model, catalogueModel, sha256, engine, settings, measured, lab }: OwnMeasurement): MachineProfile {
  return {
    schema: PROFILE_SCHEMA, schemaVersion: PROFILE_VERSION,
    name, date,
    source: { tool: "infernet bench", file: null, interrupted, clock },
    machine,
    software: { engine: "llama.cpp", engineVersion: engine.engine, backend: engine.backend === "cpu" ? "CPU" : engine.backend, lab, runtime: `Node.js ${process.version}` },
    model: {
      name: model.name === "" ? model.file.replace(/^.*[\\/]/, "") : model.name, catalogue: catalogueModel, sha256,
      fileBytes: model.fileBytes, parameters: model.parameters, quantisation: model.quantisation, contextTokensMax: model.contextTokensMax, kvBytesPerToken: model.kvBytesPerToken,
    },
    settings: {
      threads: settings.threads, gpuLayers: engine.gpuLayers, slots: settings.slots, contextTokens: settings.contextTokens,
      kvTokens: settings.slots * settings.contextTokens, batchTokens: settings.batchTokens, passTokens: settings.batchTokens, flashAttention: null, kvType: "f16",
    },
    measured,
  };
}
