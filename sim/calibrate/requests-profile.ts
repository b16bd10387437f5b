import { type MachineProfile, PROFILE_SCHEMA, PROFILE_VERSION } from "../../protocol/profile.ts";
import type { RequestFit } from "./fit-requests.ts";

/** What served the requests, as far as it is known. */
export interface RequestServer {
  /** Name of the machine, for reports. */
  readonly name: string;
  /** Name of the log, without its folder. */
  readonly file: string;
  readonly lab: string;
  readonly engine: MachineProfile["software"]["engine"];
  /** As the catalogue names it; null where nobody has said. */
  readonly model: string | null;
  readonly slots: number | null;
  readonly kvTokens: number | null;
  readonly contextTokens: number | null;
  readonly batchTokens: number | null;
}

/** A machine profile that holds a fit alone: requests under load measure no point by itself. @param date - of the fit, ISO 8601, UTC */
export function requestsProfile({ name, file, lab, engine, model, slots, kvTokens, contextTokens, batchTokens }: RequestServer, { cost, verdict }: RequestFit, date: string | null): MachineProfile {
  return {
    schema: PROFILE_SCHEMA, schemaVersion: PROFILE_VERSION, name, date: null,
    source: { tool: "timed requests", file, interrupted: false },
    machine: { cpu: null, memory: null, gpus: [], os: null, power: null, priceUsd: null },
    software: { engine, engineVersion: null, backend: null, lab, runtime: null },
    model: { name: model ?? "unknown", catalogue: model, sha256: null, fileBytes: null, parameters: null, quantisation: null, contextTokensMax: null, kvBytesPerToken: null },
    settings: { threads: null, gpuLayers: null, slots, contextTokens, kvTokens, batchTokens, passTokens: null, flashAttention: null, kvType: null },
    measured: { loadUs: null, prefill: [], decode: [], mixed: [] },
    fit: { cost, residuals: [], note: verdict.text.slice(0, 1024), date },
  };
}
