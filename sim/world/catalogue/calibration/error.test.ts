import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { efficiencies, efficiencyOf } from "../efficiencies.ts";
import { calibrate } from "./calibrate.ts";
import { haveData, readData } from "./data.ts";
import { catalogueReplayErrors, errorBounds, errorPage, fitsInMemory, heldOutErrors, tableErrors } from "./error-page.ts";
import { relativeError } from "./fit.ts";
import { median } from "./splitwise.ts";

const absent = haveData ? "" : " (skipped: measurements not found in ../shared/data)";

describe.skipIf(!haveData)(`the catalogue's error${absent}`, () => {
  test("Llama 3 8B on llama.cpp: median within 15 % for generation and 25 % for prompts, at all four lengths", () => {
    const errors = tableErrors(readData().table);
    expect(errors.length).toBe(8);
    for (const error of errors) {
      expect(error.machines).toBeGreaterThanOrEqual(12);
      expect(error.median, `${error.kind} of ${error.length}`).toBeLessThan(errorBounds[error.kind]);
    }
  });

  test("and so for machines that had no part in fitting their family's efficiencies", () => {
    const { table } = readData();
    const held = heldOutErrors(table);
    const rows = table.filter((row) => !Number.isNaN(held.get(row)));
    for (const error of tableErrors(rows, (row) => held.get(row) as number)) {
      expect(error.machines).toBeGreaterThanOrEqual(11);
      expect(error.median, `${error.kind} of ${error.length}`).toBeLessThan(errorBounds[error.kind]);
    }
  });

  test("efficiencies off by half break the bounds", () => {
    const wrong = tableErrors(readData().table, (row) => {
      const own = efficiencyOf("llama.cpp", row.machine.family);
      return relativeError(row, { ...own, bandwidth: own.bandwidth / 1.5, compute: own.compute / 1.5 });
    });
    for (const error of wrong) expect(error.median, `${error.kind} of ${error.length}`).toBeGreaterThan(errorBounds[error.kind]);
  });

  test("memory runs out exactly where it did", () => {
    for (const row of readData().table) {
      expect(fitsInMemory(row), `${row.machine.name} ${row.label}`).toBe(row.tokensPerS !== null);
    }
  });

  test("many sequences at once: median within 5 % for a dense model, 20 % for a mixture of experts", () => {
    const { batched } = readData();
    for (const [model, bound] of [["qwen2.5-coder-7b", 0.05], ["gpt-oss-20b", 0.2]] as const) {
      for (const kind of ["generation", "prompt"] as const) {
        const rows = batched.filter((row) => row.model.name === model && row.kind === kind);
        expect(rows.length).toBe(18);
        expect(median(rows.map((row) => Math.abs(relativeError(row)))), `${model}, ${kind}`).toBeLessThan(bound);
      }
    }
  });

  test("requests replayed through the simulated vLLM end, start and stream as on the real one: medians within 5 %", () => {
    for (const { machine, errors } of catalogueReplayErrors(readData())) {
      for (const [what, list] of Object.entries(errors)) {
        expect(list.length).toBe(300);
        expect(median(list.map(Math.abs)), `${machine}, ${what}`).toBeLessThan(0.05);
      }
    }
  });

  test("the committed efficiencies are those that the fit yields", () => {
    const fit = calibrate(readData());
    const near = (committed: number, fitted: number, what: string): void => {
      expect(Math.abs(committed / fitted - 1), `${what}: committed ${committed}, fitted ${fitted}`).toBeLessThan(0.01);
    };
    for (const one of [fit.cuda2024, fit.metal2024, fit.flash2025, fit.hip2026, fit.cpu2024]) {
      for (const { family, bandwidth, compute } of one.families) {
        const row = efficiencyOf("llama.cpp", family);
        expect(row.basis).toBe("fitted");
        near(row.bandwidth, bandwidth, `${family}, bandwidth`);
        near(row.compute, compute, `${family}, compute`);
        near(row.build.layerUs, one.layerUs, `${family}, per layer`);
        near(row.build.kvShare, one.kvShare, `${family}, KV share`);
        near(row.build.attentionShare, one.attentionShare, `${family}, attention share`);
      }
    }
    for (const [i, family] of (["nvidia-ada", "nvidia-blackwell"] as const).entries()) {
      const row = efficiencyOf("vllm", family);
      near(row.bandwidth, fit.vllm019.efficiencies[i]?.bandwidth ?? NaN, `vLLM, ${family}, bandwidth`);
      near(row.compute, fit.vllm019.efficiencies[i]?.compute ?? NaN, `vLLM, ${family}, compute`);
      near(row.build.passUs, fit.vllm019.passUs, "vLLM, per pass");
      near(row.build.kvShare, fit.vllm019.kvShare, "vLLM, KV share");
    }
    near(efficiencyOf("vllm", "nvidia-ampere").compute, fit.splitwise.ampere, "vLLM, Ampere, compute");
    near(efficiencyOf("vllm", "nvidia-hopper").compute, fit.splitwise.hopper, "vLLM, Hopper, compute");
    expect(efficiencies.filter((row) => row.engine === "llama.cpp" && row.basis === "fitted").length).toBe(7);
  });

  test("ERROR.md is current; if not: node sim/world/catalogue/calibration/generate.ts", () => {
    expect(readFileSync(new URL("../ERROR.md", import.meta.url), "utf8")).toBe(errorPage(readData()));
  });
});
