import { type ChildProcess, spawn } from "node:child_process";
import { cpus, totalmem } from "node:os";
import { availableMemory, constrainedMemory } from "node:process";
import type { Utilisation } from "../../protocol/messages.ts";
import { type RunCommand, runCommand } from "./command.ts";
import { rocmGpus } from "./rocm.ts";

/** Time of all processor threads since the system's start, in whatever unit, as long as it is one. */
export interface CpuTimes {
  readonly busy: number;
  readonly total: number;
}

/** Where the sampler's figures come from; tests give their own. */
export interface UtilisationSources {
  readonly cpu: () => CpuTimes;
  /** Share of the memory in use, 0 to 1. */
  readonly memory: () => number;
  /** Begins to tell the shares, 0 to 1, in which graphics processors were busy; returns how to stop it. Null: there is none. */
  readonly gpu: ((onShare: (share: number) => void) => () => void) | null;
}

/**
 * How busy this machine is, for heartbeats: of processors and graphics processors the mean since the last reading, of memory
 * what is in use. A reading takes some microseconds; nothing is done in between, except that nvidia-smi, where there is one,
 * runs beside it and says once a second, or rocm-smi is asked every five.
 */
export class UtilisationSampler {
  readonly #sources: UtilisationSources;
  #last: CpuTimes;
  #latest: Utilisation | undefined;
  #gpuSum = 0;
  #gpuCount = 0;
  #stopGpu: (() => void) | null = null;

  constructor(sources: Partial<UtilisationSources> = {}) {
    this.#sources = { cpu: cpuTimes, memory: memoryShare, gpu: watchGpus, ...sources };
    this.#last = this.#sources.cpu();
  }

  /** Begins; readings before tell nothing of graphics processors. */
  start(): void {
    this.#stopGpu ??= this.#sources.gpu?.((share) => {
      this.#gpuSum += share;
      this.#gpuCount++;
    }) ?? null;
  }

  /** Since the reading before, or since the sampler was made; undefined where the clock has not moved yet. */
  read(): Utilisation | undefined {
    const now = this.#sources.cpu();
    const total = now.total - this.#last.total;
    if (!(total > 0)) return this.#latest;
    const gpu = this.#gpuCount === 0 ? {} : { gpuPpm: ppm(this.#gpuSum / this.#gpuCount) };
    this.#latest = { cpuPpm: ppm((now.busy - this.#last.busy) / total), ...gpu, memoryPpm: ppm(this.#sources.memory()) };
    this.#last = now;
    this.#gpuSum = 0;
    this.#gpuCount = 0;
    return this.#latest;
  }

  /** Ends what runs beside it. */
  stop(): void {
    this.#stopGpu?.();
    this.#stopGpu = null;
  }
}

function ppm(share: number): number {
  return Math.round(Math.min(1, Math.max(0, share)) * 1_000_000);
}

/** Of all processor threads of the machine. */
export function cpuTimes(): CpuTimes {
  let busy = 0;
  let total = 0;
  for (const { times: { user, nice, sys, idle, irq } } of cpus()) {
    busy += user + nice + sys + irq;
    total += user + nice + sys + irq + idle;
  }
  return { busy, total };
}

/** Of what the process may use: the machine's, or its container's. */
export function memoryShare(): number {
  const limit = constrainedMemory();
  const total = Math.min(totalmem(), limit > 0 ? limit : Infinity);
  return 1 - availableMemory() / total;
}

/** NVIDIA's cards, or else AMD's. */
export function watchGpus(onShare: (share: number) => void): () => void {
  let stop = watchNvidia(onShare, () => void (stop = watchRocm(onShare)));
  return () => stop();
}

/** Asks rocm-smi every few seconds how busy each card is; after an answer without any card never again. */
export function watchRocm(onShare: (share: number) => void, run: RunCommand = runCommand, everyMs = 5_000): () => void {
  const ask = async (): Promise<void> => {
    const cards = await rocmGpus(run);
    for (const { busyShare } of cards) if (busyShare !== null) onShare(busyShare);
    if (cards.length === 0) clearInterval(timer);
  };
  const timer = setInterval(() => void ask(), everyMs).unref();
  void ask();
  return () => clearInterval(timer);
}

/** Has nvidia-smi say once a second how busy each card is. @param onNone there is no such program. Once it ends, nothing is said any more. */
export function watchNvidia(onShare: (share: number) => void, onNone: () => void = () => {}, program = "nvidia-smi", args: readonly string[] = ["--query-gpu=utilization.gpu", "--format=csv,noheader,nounits", "-l", "1"]): () => void {
  let child: ChildProcess;
  try {
    child = spawn(program, [...args], { stdio: ["ignore", "pipe", "ignore"], windowsHide: true });
  } catch {
    onNone();
    return () => {};
  }
  child.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") onNone();
  });
  let rest = "";
  child.stdout!.setEncoding("utf8").on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!.slice(0, 1_000);
    for (const line of lines) if (/^\s*\d+\s*$/.test(line)) onShare(Number(line) / 100);
  });
  // The node's process may end without waiting for it.
  child.unref();
  (child.stdout as unknown as { unref?: () => void }).unref?.();
  return () => void child.kill("SIGKILL");
}
