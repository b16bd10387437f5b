import { PROFILE_SCHEMA, PROFILE_VERSION } from "../../../protocol/profile.ts";
import type { MachineProfile } from "../../../protocol/profile.ts";
import type { Imported, ImportedFile } from "./source.ts";

/** What a person knows of an imported measurement beyond the file. */
export interface ImportedNames {
  /** Null: the machine's graphics processor or processor, and the model, as far as the file tells. */
  readonly name: string | null;
  readonly catalogueModel: string | null;
  /** Name of the file, without its folder. */
  readonly file: string;
  /** Version of the lab. */
  readonly lab: string;
  readonly power: MachineProfile["machine"]["power"];
  readonly priceUsd: number | null;
}

/** A profile of another tool's measurements. */
export function importedProfile(tool: ImportedFile["tool"], { machine, software, model, settings, date, prefill, decode }: Imported, { name, catalogueModel, file, lab, power, priceUsd }: ImportedNames): MachineProfile {
  const hardware = machine.gpus[0]?.name ?? machine.cpu?.model ?? file.replace(/\.[^.]*$/, "");
  return {
    schema: PROFILE_SCHEMA, schemaVersion: PROFILE_VERSION,
    name: name ?? `${hardware}: ${model.name}`.slice(0, 256), date,
    source: { tool, file, interrupted: false },
    machine: { ...machine, power, priceUsd },
    software: { engine: "llama.cpp", ...software, lab, runtime: null },
    model: { ...model, catalogue: catalogueModel },
    settings,
    measured: { loadUs: null, prefill, decode, mixed: [] },
  };
}
