import { Worker } from "node:worker_threads";
import { TRIAD_BYTES } from "./triad.ts";

const workerFile = new URL(`./triad-worker.${import.meta.url.endsWith(".ts") ? "ts" : "js"}`, import.meta.url);

/** What was measured of main memory. */
export interface Bandwidth {
  readonly bytesPerS: number;
  /** Cores that took part. */
  readonly threads: number;
  /** Of all arrays together. */
  readonly workingBytes: number;
}

/** The best of them counts: whatever else the machine does in between only takes from it. */
const ROUNDS = 4;

/** Limits of the arrays, all cores together. */
const LEAST_BYTES = 192 * 2 ** 20;
const MOST_BYTES = 2 ** 31;

/**
 * Measures main memory's bandwidth with STREAM's triad (McCalpin, 1995): all cores at once read two arrays and write a third,
 * together twice the size of the last cache or more. 24 bytes count for each element; that a write reads its cache line first
 * does not count, so memory that is only read, as weights are, is up to a third faster.
 * @param options.ms for how long, four rounds together, of which the best counts
 * @param options.cacheBytes of the last cache, all cores together; 0: not known
 * @param options.freeBytes of which at most a quarter is taken
 */
export async function measureBandwidth({ threads, ms, cacheBytes, freeBytes }: { readonly threads: number; readonly ms: number; readonly cacheBytes: number; readonly freeBytes: number }): Promise<Bandwidth> {
  const wanted = Math.min(Math.max(LEAST_BYTES, 2 * cacheBytes), MOST_BYTES, freeBytes / 4);
  const elements = Math.max(8, Math.floor(wanted / threads / 3 / 64) * 8);
  const ready = new SharedArrayBuffer(4);
  const workers = Array.from({ length: threads }, () => new Worker(workerFile, { workerData: { elements, ms: ms / ROUNDS, rounds: ROUNDS, ready, workers: threads } }));
  let parts: number[][];
  try {
    parts = await Promise.all(workers.map((worker) => new Promise<number[]>((resolve, reject) => {
      worker.once("error", reject);
      worker.once("message", resolve);
    })));
  } finally {
    // Where one fails, the others would wait for it.
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
  const best = Math.max(...Array.from({ length: ROUNDS }, (_, round) => parts.reduce((sum, part) => sum + part[round]!, 0)));
  return { bytesPerS: Math.round(best * 1_000 * TRIAD_BYTES), threads, workingBytes: 3 * 8 * elements * threads };
}
