import { LocatedError } from "../../../input/problem.ts";
import type { DecodePoint, MachineProfile, PrefillPoint } from "../../../protocol/profile.ts";

/** A file of measurements that cannot be used. The message says where, what was found and what is allowed. */
export class BenchFileError extends LocatedError {
  override readonly name = "BenchFileError";
}

/** A file with its lines, for messages. */
export class BenchSource {
  readonly file: string;
  readonly text: string;
  readonly lines: readonly string[];

  constructor(file: string, text: string) {
    this.file = file;
    this.text = text;
    this.lines = text.split(/\r\n|\n|\r/);
  }

  /** @param line from 1. @param column from 1. */
  fail(line: number, column: number, path: string, found: string, allowed: string): never {
    throw new BenchFileError([{ file: this.file, line, column, path, found, allowed }], new Map([[this.file, this.text]]));
  }
}

/** Measurements with one model and one setting. */
export interface Imported {
  /** Tells it from others of the same file: the model, and settings where they differ. */
  readonly label: string;
  /** Facts that the file tells; the rest is null. */
  readonly machine: MachineProfile["machine"];
  readonly software: Pick<MachineProfile["software"], "engineVersion" | "backend">;
  readonly model: MachineProfile["model"];
  readonly settings: MachineProfile["settings"];
  readonly date: string | null;
  readonly prefill: PrefillPoint[];
  readonly decode: DecodePoint[];
}

/** What a file holds. */
export interface ImportedFile {
  readonly tool: "llama-bench" | "llama-batched-bench";
  readonly groups: readonly Imported[];
  /** Rows that hold nothing of use, and why, in words. */
  readonly leftOut: readonly string[];
}

/** Facts of a group that says nothing beyond a model's name. */
export function bare(label: string, model: string): Imported {
  return {
    label,
    machine: { cpu: null, memory: null, gpus: [], os: null, power: null, priceUsd: null },
    software: { engineVersion: null, backend: null },
    model: { name: model, catalogue: null, sha256: null, fileBytes: null, parameters: null, quantisation: null, contextTokensMax: null, kvBytesPerToken: null },
    settings: { threads: null, gpuLayers: null, slots: null, contextTokens: null, kvTokens: null, batchTokens: null, passTokens: null, flashAttention: null, kvType: null },
    date: null, prefill: [], decode: [],
  };
}
