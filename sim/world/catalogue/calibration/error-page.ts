import { efficiencyOf } from "../efficiencies.ts";
import type { Efficiency } from "../efficiency.ts";
import { engineLimits } from "../limits.ts";
import { catalogueModel } from "../lookup.ts";
import { markdownTable } from "../markdown.ts";
import { stepCost } from "../step-cost.ts";
import { amplyKvTokens } from "./calibrate.ts";
import type { CalibrationData } from "./data.ts";
import { fitLlamaCpp, relativeError } from "./fit.ts";
import { singles, tableLengths, type Measurement } from "./measurements.ts";
import { replayErrors, replayModel, type ReplayErrors, unmeasuredErrors } from "./replay.ts";
import { median, splitwiseErrors } from "./splitwise.ts";

/** Bounds on the median absolute error over the table's machines, at each length. */
export const errorBounds = { generation: 0.15, prompt: 0.25 } as const;

/** Median absolute error at one length, over all machines of the table that could run it. */
export interface LengthError {
  readonly kind: Measurement["kind"];
  readonly length: number;
  readonly median: number;
  readonly max: number;
  readonly machines: number;
}

const short = { generation: "tg", prompt: "pp" } as const;

/** @param errorOf - of one measurement; by default with the catalogue's own efficiencies. */
export function tableErrors(table: readonly Measurement[], errorOf: (measurement: Measurement) => number = relativeError): LengthError[] {
  return (["generation", "prompt"] as const).flatMap((kind) => tableLengths.map((length) => {
    const errors = table
      .filter((row) => row.kind === kind && row.label === `${short[kind]}${length}` && row.tokensPerS !== null)
      .map((row) => Math.abs(errorOf(row)));
    return { kind, length, median: median(errors), max: Math.max(...errors), machines: errors.length };
  }));
}

/**
 * Errors of each machine under efficiencies fitted without it, its family having another one: what a machine may expect
 * that nobody measured. NaN where it is alone in its family.
 */
export function heldOutErrors(table: readonly Measurement[]): Map<Measurement, number> {
  const errors = new Map<Measurement, number>();
  const backends = [table.filter(({ machine }) => machine.family !== "apple"), table.filter(({ machine }) => machine.family === "apple")];
  for (const set of backends) {
    for (const machine of new Set(set.map((row) => row.machine))) {
      const others = set.filter((row) => row.machine !== machine);
      const own = set.filter((row) => row.machine === machine);
      if (!others.some((row) => row.machine.family === machine.family)) {
        for (const row of own) errors.set(row, NaN);
        continue;
      }
      const { families, ...figures } = fitLlamaCpp(others, machine.family === "apple" ? { layerUs: efficiencyOf("llama.cpp", "apple").build.layerUs } : {});
      const fit = families.find(({ family }) => family === machine.family);
      if (fit === undefined) throw new Error(`no fit for ${machine.family}`);
      const efficiency: Efficiency = { engine: "llama.cpp", basis: "fitted", from: "", build: { name: "", passUs: 0, overlap: 0, ...figures }, ...fit };
      for (const row of own) errors.set(row, relativeError(row, efficiency));
    }
  }
  return errors;
}

function percent(error: number): string {
  if (Number.isNaN(error)) return "";
  const digits = Math.abs(error * 100).toFixed(1);
  return `${digits === "0.0" ? "" : error < 0 ? "-" : "+"}${digits} %`;
}

function share(error: number): string {
  return `${(error * 100).toFixed(1)} %`;
}

function byMachine(table: readonly Measurement[], kind: Measurement["kind"]): string {
  const names = [...new Set(table.map((row) => row.machine.name))];
  return markdownTable(
    ["machine", ...tableLengths.map((length) => `${short[kind]}${length}: measured`), ...tableLengths.map((length) => `${short[kind]}${length}: error`)],
    names.map((name) => {
      const cells = tableLengths.map((length) => table.find((row) => row.machine.name === name && row.label === `${short[kind]}${length}`) as Measurement);
      return [name, ...cells.map((row) => (row.tokensPerS === null ? "OOM" : row.tokensPerS.toFixed(1))), ...cells.map((row) => percent(relativeError(row)))];
    }),
    [1, 2, 3, 4, 5, 6, 7, 8],
  );
}

/** Whether the KV capacity that the catalogue computes agrees with where the table says OOM. */
function memoryTable(table: readonly Measurement[]): string {
  const rows = table.filter((row) => row.kind === "generation");
  const agree = rows.filter((row) => fitsInMemory(row) === (row.tokensPerS !== null));
  return `${agree.length} of ${rows.length} rows: the catalogue's KV capacity allows the length exactly where the run did not end in OOM.`;
}

/** Whether weights and that many KV tokens fit, by the catalogue. */
export function fitsInMemory(row: Measurement): boolean {
  return engineLimits(row.machine, row.model, row.quantisation, { kind: "llama.cpp", slots: 1, contextTokens: row.kvTokens }).kvTokensMax >= row.kvTokens;
}

function batchedTable(batched: readonly Measurement[]): string {
  const groups = [...new Set(batched.map((row) => `${row.model.name}|${row.kind}`))];
  return markdownTable(
    ["model", "kind", "median absolute error", "worst", "worst row"],
    groups.map((group) => {
      const rows = batched.filter((row) => `${row.model.name}|${row.kind}` === group);
      const errors = rows.map((row) => relativeError(row));
      const worst = Math.max(...errors.map(Math.abs));
      const at = errors.findIndex((error) => Math.abs(error) === worst);
      return [(rows[0] as Measurement).model.name, (rows[0] as Measurement).kind, share(median(errors.map(Math.abs))), percent(errors[at] as number), (rows[at] as Measurement).label];
    }),
    [2, 3],
  );
}

function singleTable(): string {
  return markdownTable(
    ["machine", "model", "what", "measured tok/s", "error", "source"],
    singles.map((row) => [row.machine.name, `${row.model.name}:${row.quantisation.name}`, row.label, (row.tokensPerS as number).toFixed(1), percent(relativeError(row)), row.source]),
    [3, 4],
  );
}

/** Errors of the replays with the catalogue's own efficiencies. */
export function catalogueReplayErrors(data: CalibrationData): { readonly machine: string; readonly errors: ReplayErrors }[] {
  const { model, quantisation } = catalogueModel(replayModel);
  return data.replays.map((replay) => ({
    machine: replay.machine.name,
    errors: replayErrors(replay, stepCost(replay.machine, model, quantisation, "vllm"), amplyKvTokens),
  }));
}

function replayTable(data: CalibrationData): string {
  return markdownTable(
    ["machine", "requests", "time to first token", "time per token", "end to end"],
    catalogueReplayErrors(data).map(({ machine, errors }) => [
      machine, String(errors.endToEnd.length), ...[errors.ttft, errors.tpot, errors.endToEnd].map((list) => share(median(list.map(Math.abs)))),
    ]),
    [1, 2, 3, 4],
  );
}

function unmeasuredTable(data: CalibrationData): string {
  return markdownTable(
    ["machine", "requests", "mean time to first token", "mean time per token", "mean end to end"],
    data.replays.map((log) => {
      const { ttft, tpot, endToEnd } = unmeasuredErrors(log, amplyKvTokens);
      return [log.machine.name, String(log.requests.length), percent(ttft), percent(tpot), percent(endToEnd)];
    }),
    [1, 2, 3, 4],
  );
}

function splitwiseTable(data: CalibrationData): string {
  return markdownTable(
    ["machine", "prompt tokens", "prompt, ms", "error", "per token, ms", "error"],
    data.splitwise.toSorted((a, b) => (a.machine.name < b.machine.name ? -1 : a.machine.name > b.machine.name ? 1 : a.promptTokens - b.promptTokens)).map((row) => {
      const errors = splitwiseErrors(row);
      return [`2 x ${row.machine.name}`, String(row.promptTokens), row.promptMs.toFixed(1), percent(errors.prompt), row.tokenMs.toFixed(1), percent(errors.token)];
    }),
    [1, 2, 3, 4, 5],
  );
}

/** The catalogue's measured error as a page for people, Markdown. */
export function errorPage(data: CalibrationData): string {
  const held = heldOutErrors(data.table);
  const own = tableErrors(data.table);
  const without = tableErrors(data.table.filter((row) => !Number.isNaN(held.get(row) as number)), (row) => held.get(row) as number);
  return `# The catalogue's error

Generated by \`node sim/world/catalogue/calibration/generate.ts\` from measurements that lie beside the repository; do not edit. Error: predicted over measured speed, less one.

## llama.cpp, Llama 3 8B Q4_K_M, ${new Set(data.table.map((row) => row.machine.name)).size} machines

Measured: XiongjieDai/GPU-Benchmarks-on-LLM-Inference, May 2024. \`tg\`: mean tokens/s while generating so many tokens from an empty context; \`pp\`: tokens/s over a prompt of that length. Predicted from public specifications, one bandwidth and one compute efficiency per machine family, and three figures per build ([CATALOGUE.md](CATALOGUE.md)). "Held out": each machine predicted from efficiencies fitted without it (H100 PCIe, alone in its family, is left out there).

${markdownTable(
    ["what", "machines", "median absolute error", "bound", "worst", "held out: median", "held out: worst"],
    own.map((error, i) => [
      `${short[error.kind]}${error.length}`, String(error.machines), share(error.median), share(errorBounds[error.kind]), share(error.max),
      share((without[i] as LengthError).median), share((without[i] as LengthError).max),
    ]),
    [1, 2, 3, 4, 5, 6],
  )}

### Generation

${byMachine(data.table, "generation")}

### Prompts

${byMachine(data.table, "prompt")}

What stands out:
- M1 Max generates at 0.41 of its peak bandwidth, M3 Max with the same bandwidth at 0.57, M1 at 0.69: one efficiency for Apple cannot serve all three, and the M1 Max is predicted far too fast.
- M1 with 8 GB is faster at 4,096 tokens than at 1,024, in both columns: at the edge of its memory the runs differ in more than length. Its rows are kept.
- L40S and RTX 5000 Ada fall short of the family's prompt speed: most likely because their power limit does not allow the clocks that the peak assumes.

Memory: ${memoryTable(data.table)}

## llama.cpp with many sequences: DGX Spark

Measured: ggml-org/llama.cpp benches/dgx-spark.md, October 2025, 1 to 32 sequences, prompts of 512 to 8,192 tokens. The model of a step is linear in the batch where the real kernels change with its size, so it is off by more in the middle of the range than at its ends. The first row of the mixture-of-experts model (pp512, x 1) took longer than two such prompts did: a cold start.

${batchedTable(data.batched)}

## llama.cpp, single published measurements

The RTX 5090 is fitted together with the DGX Spark. The Threadripper is not fitted: its generation ran on 8 of 32 threads, which do not fill its eight memory channels.

${singleTable()}

## vLLM 0.19, Llama 3.1 8B, replayed requests

Measured: LLMServingSim's traces of a real server under load; the same requests, played on this project's engine at the catalogue's step cost. Median absolute error over the requests.

${replayTable(data)}

The same requests from public figures alone, with nothing fitted to vLLM on these cards or under any load ([unmeasured.ts](unmeasured.ts)): errors of means.

${unmeasuredTable(data)}

## vLLM of 2023, Llama 2 70B on two accelerators

Measured: splitwise-sim, one sequence, medians. Prompts fix the compute efficiency of A100 and H100. The time per token is a check only, and the catalogue fails it by a quarter to a third: it is made for current builds on one card, and counts neither the launches of software without CUDA graphs nor the exchange between cards.

${splitwiseTable(data)}
`;
}
