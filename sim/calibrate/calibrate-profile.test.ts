import { expect, test } from "vitest";
import { machineProfile } from "../../protocol/profile.ts";
import { vllmEngine } from "../world/engine/vllm.ts";
import { calibrateProfile, knownModel, profileFacts, profileWithFit } from "./calibrate-profile.ts";
import { fitRequests } from "./fit-requests.ts";
import { requestsProfile } from "./requests-profile.ts";

test("models are known by the names that benchmarks give them", () => {
  expect(knownModel("llama-3.1-8b:q4_k_m")).toBe("llama-3.1-8b:q4_k_m");
  expect(knownModel("qwen2.5-coder-7b-q8_0")).toBe("qwen2.5-coder-7b:q8_0");
  expect(knownModel("gpt-oss-20b-mxfp4")).toBe("gpt-oss-20b:mxfp4");
  expect(knownModel("synthetic 4984064 parameters")).toBeNull();
});

const requests = Array.from({ length: 8 }, (_, i) => ({ queuedUs: i * 1e7, inputTokens: 100 + 10 * i, outputTokens: 20, firstTokenUs: i * 1e7 + 30_000, lastTokenUs: i * 1e7 + 410_000 }));
const fromRequests = requestsProfile(
  { name: "a server", file: "log.jsonl", lab: "0", engine: "vllm", model: "gpt-oss-20b:mxfp4", slots: 8, kvTokens: 10_000, contextTokens: 4_096, batchTokens: 2_048 },
  fitRequests(requests, { engine: (cost) => vllmEngine({ cost, kvTokensMax: 10_000 }), form: "roofline" }), "2026-11-21T20:00:00Z",
);

test("a profile of timed requests is a sound profile that holds a fit alone", () => {
  expect(machineProfile.parse(fromRequests)).toEqual(fromRequests);
  expect(fromRequests.fit!.cost.form).toBe("roofline");
  expect(profileFacts(fromRequests)!.experts).toMatchObject({ activeShare: 0.125 });
});

test("a fit goes into the profile whose measurements it is of", () => {
  const prefill = [128, 512].map((tokens) => ({ sequences: 1, tokens, contextTokens: 0, us: 10_000 + 100 * tokens, repetitions: 1, spread: null }));
  const decode = [64, 512].map((contextTokens) => ({ batch: 1, contextTokens, steps: 16, usPerStep: 12_000 + contextTokens, repetitions: 1, spread: null }));
  const measured = { ...fromRequests, model: { ...fromRequests.model, catalogue: null, name: "unheard of" }, measured: { loadUs: null, prefill, decode, mixed: [] } };
  const fit = calibrateProfile(measured);
  const profile = machineProfile.parse(profileWithFit(measured, fit, null));
  expect(profile.fit!.cost).toEqual(fit.cost);
  expect(profile.fit!.residuals.length).toBe(4);
  expect(profile.fit!.note).toContain("The form fits");
});
