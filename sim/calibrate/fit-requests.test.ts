import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { FittedCost } from "../../protocol/fitted-cost.ts";
import { RandomStreams } from "../kernel/random.ts";
import { catalogueMachine, catalogueModel, engineLimits, stepCost } from "../world/catalogue/index.ts";
import { unmeasuredVllm } from "../world/catalogue/unmeasured.ts";
import type { Engine, StepCost } from "../world/engine/engine.ts";
import { fittedStepCost } from "../world/engine/fitted-cost.ts";
import { vllmEngine } from "../world/engine/vllm.ts";
import { meanErrors, replay } from "../world/engine/replay/replay.ts";
import { readRequestLog, type RequestLog, type TimedRequest } from "../world/engine/replay/requests.ts";
import { fitRequests } from "./fit-requests.ts";

const folder = new URL("../../../shared/data/vllm-replay/", import.meta.url);
const absent = existsSync(folder) ? "" : " (skipped: ../shared/data/vllm-replay not found)";
const logOf = (file: string): RequestLog =>
  readRequestLog(readFileSync(new URL(`${file}.jsonl`, folder), "utf8"), readFileSync(new URL(`${file}.meta.json`, folder), "utf8"));

describe.skipIf(absent !== "").each([
  ["RTX 4090", "rtx4090-llama-3.1-8b"],
  ["RTX PRO 6000 Blackwell", "rtxpro6000-llama-3.1-8b"],
])(`requests that a real vLLM served on an %s${absent}`, (name, file) => {
  const machine = catalogueMachine(name);
  const { model, quantisation } = catalogueModel("llama-3.1-8b:bf16");
  const plan = engineLimits(machine, model, quantisation, { kind: "vllm" });
  const engineOf = ({ limits }: RequestLog) => (cost: StepCost): Engine => vllmEngine({
    cost, kvTokensMax: limits.kvTokens ?? plan.kvTokensMax, maxSequences: limits.maxSequences ?? plan.slots, batchTokens: limits.batchTokens ?? plan.stepTokens,
    contextTokens: limits.contextTokens ?? plan.contextTokensMax,
  });

  test("calibrated on the first 100, all 300 replayed: means of TTFT within 5 %, TPOT and end to end within 2 %", () => {
    const log = logOf(file);
    expect(log.requests.length).toBe(300);
    const fit = fitRequests(log.requests, { engine: engineOf(log), form: "roofline", first: 100 });
    expect(Math.abs(fit.all.ttft)).toBeLessThan(0.05);
    expect(Math.abs(fit.all.tpot)).toBeLessThan(0.02);
    expect(Math.abs(fit.all.endToEnd)).toBeLessThan(0.02);
    expect(fit.verdict.fits).toBe(true);
    // A token's arithmetic is no faster than the card's peak.
    expect(fit.cost.tokenUs).toBeGreaterThan(2 * 6.9e9 / (machine.flopPerSWideSums ?? machine.flopPerS) * 1e6);
  });

  test("from public figures of card and model alone, with the server's limits as it reports them: within 20 %", () => {
    const log = logOf(file);
    const engine = engineOf(log)(stepCost(machine, model, quantisation, "vllm", unmeasuredVllm(machine)));
    const errors = meanErrors(log.requests, replay(engine, log.requests));
    for (const [what, error] of Object.entries(errors)) expect(Math.abs(error), what).toBeLessThan(0.2);
  });
});

/** Requests as the cost would have served them, arriving faster than they can be served for a while. */
function served(cost: FittedCost, count: number, engine: (cost: StepCost) => Engine): TimedRequest[] {
  const random = new RandomStreams(1).stream("test", "clients", "lengths");
  let queuedUs = 0;
  const requests = Array.from({ length: count }, (_, i): TimedRequest => {
    queuedUs += Math.round((i % 20 < 12 ? 100_000 : 900_000) * random.next());
    return { queuedUs, inputTokens: 50 + Math.round(1_500 * random.next()), outputTokens: 20 + Math.round(150 * random.next()), firstTokenUs: 0, lastTokenUs: 0 };
  });
  const times = replay(engine(fittedStepCost(cost)), requests);
  return requests.map((request, i) => ({ ...request, firstTokenUs: times.firstTokenUs[i]!, lastTokenUs: times.lastTokenUs[i]! }));
}

describe("synthetic requests", () => {
  const engine = (cost: StepCost): Engine => vllmEngine({ cost, kvTokensMax: 40_000, maxSequences: 16 });
  const cost: FittedCost = {
    form: "roofline", passTokens: null, mixed: "shared", fixedUs: 2_000, batchedUs: 0, readUs: 12_000, tokenUs: 80, sequenceUs: 0, contextUs: 0.5,
    promptContextUs: 0, experts: null, steps: null,
  };

  test("yield the times they were made with, and the steps' durations behind them", () => {
    const requests = served(cost, 60, engine);
    const fit = fitRequests(requests, { engine, form: "roofline", first: 40 });
    for (const error of [...Object.values(fit.all), ...Object.values(fit.heldOut!)]) expect(Math.abs(error)).toBeLessThan(0.01);
    expect(Math.abs(fit.cost.tokenUs / cost.tokenUs - 1)).toBeLessThan(0.03);
    // Steps as there were in the log; its loads do not tell every coefficient apart.
    for (const [prompt, sequences] of [[0, 6], [0, 12], [800, 4]] as const) {
      const us = (of: FittedCost): number => fittedStepCost(of).baseUs(prompt, sequences) + of.contextUs * sequences * 900;
      expect(Math.abs(us(fit.cost) / us(cost) - 1)).toBeLessThan(0.03);
    }
    expect(fit.verdict.fits).toBe(true);
  });

  test("of a server that slows down on the way do not fit, and the drift is named", () => {
    const requests = served(cost, 60, engine).map((request, i) => {
      const slow = 1 + i / 60;
      const at = (us: number): number => request.queuedUs + (us - request.queuedUs) * slow;
      return { ...request, firstTokenUs: at(request.firstTokenUs), lastTokenUs: at(request.lastTokenUs) };
    });
    const { verdict } = fitRequests(requests, { engine, form: "roofline" });
    expect(verdict.fits).toBe(false);
    expect(verdict.text).toMatch(/^The form does NOT fit .*drifts from \+.* in the first third to -/);
  });
});

test("says what is wrong with a log", () => {
  expect(() => readRequestLog("")).toThrow("no requests");
  expect(() => readRequestLog("{}\n")).toThrow('line 1: input_toks is undefined; expected a number');
  expect(() => readRequestLog("nonsense")).toThrow("line 1 is not JSON");
  expect(() => readRequestLog('{"input_toks":1,"output_toks":1,"queued_ts":2,"first_token_ts":1,"last_token_ts":3}')).toThrow("line 1: expected at least one output token");
});
