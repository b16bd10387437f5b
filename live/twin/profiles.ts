import { statSync } from "node:fs";
import { type MachineProfile, machineProfile, PROFILE_SCHEMA, PROFILE_VERSION } from "../../protocol/profile.ts";
import type { TwinReport } from "../../protocol/result/twin.ts";
import type { NodePlan } from "../../sim/world/supply.ts";
import { modelFacts } from "../gguf/facts.ts";
import type { NodeCalibration } from "./calibrate.ts";
import type { RunnerSpec } from "./part.ts";

/**
 * A node as the bench run found it, through the whole market, as a machine profile: what scenarios take as `profile`. Null where
 * it ran no model.
 */
export function profileOf(plan: NodePlan, runner: RunnerSpec, { prefill, decode, fit }: NodeCalibration, report: TwinReport): MachineProfile | null {
  if (runner.kind !== "llama") return null;
  const { machine, measuredAt, provenance } = report;
  const facts = modelFacts(runner.file);
  const { slots, offers } = plan.descriptor;
  return machineProfile.parse({
    schema: PROFILE_SCHEMA, schemaVersion: PROFILE_VERSION,
    name: plan.name, date: measuredAt,
    source: { tool: "infernet twin", file: null, interrupted: false },
    machine: {
      cpu: { model: machine.cpu, cores: machine.cores, threads: null, vector: null }, memory: { bytes: machine.memoryBytes, bandwidthBytesPerS: null }, gpus: [], os: machine.os, power: null, priceUsd: null,
    },
    software: { engine: "llama.cpp", engineVersion: machine.engine, backend: "CPU", lab: provenance.lab.version, runtime: machine.runtime },
    model: {
      name: offers[0]!.model, catalogue: null, sha256: null, fileBytes: statSync(runner.file).size, parameters: facts.parameters, quantisation: null,
      contextTokensMax: facts.contextTokensMax, kvBytesPerToken: facts.kvBytesPerToken,
    },
    settings: {
      threads: runner.threads, gpuLayers: 0, slots, contextTokens: offers[0]!.contextTokensMax, kvTokens: slots * offers[0]!.contextTokensMax, batchTokens: 512, passTokens: null, flashAttention: null, kvType: "f16",
    },
    measured: { loadUs: null, prefill: [...prefill], decode: [...decode], mixed: [] },
    fit: { cost: fit.cost, residuals: [...fit.residuals], note: `fitted through the whole market: prompts ${(100 * fit.promptError).toFixed(1)} %, steps ${(100 * fit.stepError).toFixed(1)} % mean error`, date: measuredAt },
  });
}
