import { existsSync, readFileSync } from "node:fs";
import { parseBatchedBench, parseTokensPerS, type Measurement } from "./measurements.ts";
import { parseReplay, type Replay } from "./replay.ts";
import { parseSplitwise, type SplitwiseRow } from "./splitwise.ts";

/** Measurements that lie beside the repository, not in it. */
export const dataFolder = new URL("../../../../../shared/data/", import.meta.url);

const files = {
  tokensPerS: "gpu-profiles/llama-cpp-llama3-tokens-per-s.csv",
  splitwise: "gpu-profiles/splitwise-perf-model.csv",
  batchedBench: "llama-batched-bench/dgx-spark.csv",
  ada: "vllm-replay/rtx4090-llama-3.1-8b",
  blackwell: "vllm-replay/rtxpro6000-llama-3.1-8b",
} as const;

/** Whether all of them are there. */
export const haveData: boolean = [files.tokensPerS, files.splitwise, files.batchedBench, `${files.ada}.jsonl`, `${files.blackwell}.jsonl`]
  .every((file) => existsSync(new URL(file, dataFolder)));

function read(file: string): string {
  return readFileSync(new URL(file, dataFolder), "utf8");
}

/** All measurements that the catalogue is calibrated and judged by. */
export interface CalibrationData {
  readonly table: readonly Measurement[];
  readonly batched: readonly Measurement[];
  readonly splitwise: readonly SplitwiseRow[];
  readonly replays: readonly Replay[];
}

/** @throws where a file is missing; see `haveData`. */
export function readData(): CalibrationData {
  return {
    table: parseTokensPerS(read(files.tokensPerS)),
    batched: parseBatchedBench(read(files.batchedBench)),
    splitwise: parseSplitwise(read(files.splitwise)),
    replays: [
      parseReplay("RTX 4090", read(`${files.ada}.jsonl`), read(`${files.ada}.meta.json`)),
      parseReplay("RTX PRO 6000 Blackwell", read(`${files.blackwell}.jsonl`), read(`${files.blackwell}.meta.json`)),
    ],
  };
}
