import { availableParallelism, totalmem } from "node:os";
import { constrainedMemory } from "node:process";
import type { ProfileGpu, ProfileMachine } from "../../protocol/profile.ts";
import { measureBandwidth } from "./bandwidth.ts";
import { measureClockHz } from "./clock-rate.ts";
import { runCommand } from "./command.ts";
import type { RunCommand } from "./command.ts";
import { type Disk, diskOf, measureRead } from "./disk.ts";
import { type LlamaDevices, llamaDevices } from "./llama-devices.ts";
import { type NvidiaGpu, nvidiaGpus } from "./nvidia.ts";
import { type RocmGpu, rocmGpus } from "./rocm.ts";

/** What this computer is. */
export interface MachineFacts {
  /** In the words of machine profiles. */
  readonly machine: ProfileMachine;
  /** Such as "x64" or "arm64". */
  readonly architecture: string;
  /** Of one core under load, Hz, measured. */
  readonly clockHz: number;
  /** Threads that the process may use. */
  readonly threads: number;
  readonly freeMemoryBytes: number;
  readonly lastCacheBytes: number | null;
  /** Of arrays beyond the caches, where it was measured. */
  readonly bandwidth: { readonly bytesPerS: number; readonly threads: number } | null;
  readonly disk: Disk;
  /** What llama.cpp computes on; null where node-llama-cpp is not installed. */
  readonly llama: LlamaDevices | null;
}

export interface FactsOptions {
  /** Folder whose disk is looked at. Default: the current one. */
  readonly folder?: string;
  /** Whether to write and read a file there. Default: no. */
  readonly measureDisk?: boolean;
  /** For how long memory's bandwidth is measured, ms; 0: not. Default: 400. */
  readonly bandwidthMs?: number;
  /** Whether to ask llama.cpp, which takes half a second. Default: yes. */
  readonly askLlama?: boolean;
  /** How programs of the system are run; tests give another. */
  readonly run?: RunCommand;
}

/** Finds out what this computer is; what cannot be found out is null. */
export async function machineFacts({ folder = ".", measureDisk = false, bandwidthMs = 400, askLlama = true, run = runCommand }: FactsOptions = {}): Promise<MachineFacts> {
  // Only here: it takes 25 ms to load, and most commands do without.
  const { default: si } = await import("systeminformation");
  const [cpu, memory, graphics, os, nvidia, rocm, llama] = await Promise.all([
    si.cpu(), si.mem(), si.graphics(), si.osInfo(), nvidiaGpus(run), rocmGpus(run), askLlama ? llamaDevices(run) : null,
  ]);
  const threads = availableParallelism();
  // A container may use less than the machine has.
  const limit = constrainedMemory();
  const bytes = Math.min(memory.total > 0 ? memory.total : totalmem(), limit > 0 ? limit : Infinity);
  const cacheBytes = (cpu.cache.l3 ?? 0) || (cpu.cache.l2 ?? 0);
  const freeMemoryBytes = Math.min(memory.available, bytes);
  const clockHz = measureClockHz();
  // One after the other: each is disturbed by what runs beside it.
  const bandwidth = bandwidthMs > 0 ? await measureBandwidth({ threads, ms: bandwidthMs, cacheBytes, freeBytes: freeMemoryBytes }) : null;
  const disk = { ...diskOf(folder), readBytesPerS: measureDisk ? await measureRead(folder, run) : null };
  return {
    machine: {
      cpu: {
        model: plain(`${cpu.manufacturer} ${cpu.brand}`) || "unknown",
        cores: cpu.physicalCores > 0 ? cpu.physicalCores : null, threads: cpu.cores > 0 ? cpu.cores : null,
        vector: vectorOf(cpu.flags, process.arch),
      },
      memory: { bytes, bandwidthBytesPerS: bandwidth?.bytesPerS ?? null },
      gpus: gpusOf(graphics.controllers, nvidia, rocm, llama, bytes),
      os: plain(`${os.distro} ${os.release} (${os.platform}, ${os.kernel})`) || null,
      power: null, priceUsd: null,
    },
    architecture: process.arch, clockHz, threads, freeMemoryBytes, lastCacheBytes: cacheBytes === 0 ? null : cacheBytes, bandwidth, disk, llama,
  };
}

/** Widest vector instructions, of the processor's flags as Linux and others spell them; null: none that matter here, or not told. */
export function vectorOf(flags: string, architecture: string): string | null {
  const words = new Set(flags.toLowerCase().split(/[\s,]+/));
  const has = (...names: readonly string[]): boolean => names.some((name) => words.has(name));
  if (has("amx_tile", "amx-tile")) return "AMX";
  if (has("avx512f")) return has("avx512_vnni", "avx512vnni") ? "AVX-512 VNNI" : "AVX-512";
  if (has("avx2")) return has("avx_vnni") ? "AVX2 VNNI" : "AVX2";
  if (has("avx", "avx1.0")) return "AVX";
  if (has("sse4_2", "sse4.2")) return "SSE4.2";
  if (has("sve2")) return "SVE2";
  if (has("sve")) return "SVE";
  return architecture === "arm64" || has("asimd", "neon") ? "NEON" : null;
}

/** A controller as systeminformation lists it. */
export interface Controller {
  readonly vendor: string;
  readonly model: string;
  /** MiB; null or 0 where it is not known. */
  readonly vram?: number | null;
  readonly vramDynamic?: boolean;
  readonly driverVersion?: string;
}

/** Puts together what several sources say: the makers' own tools before what the system lists, and llama.cpp for what neither knows. */
export function gpusOf(controllers: readonly Controller[], nvidia: readonly NvidiaGpu[], rocm: readonly RocmGpu[], llama: LlamaDevices | null, memoryBytes: number): ProfileGpu[] {
  const listed = controllers.filter(({ model, vendor }) => !/virtio|vmware|qxl|cirrus|bochs|basic (display|render)|aspeed|matrox/i.test(`${vendor} ${model}`)).flatMap((one): ProfileGpu[] => {
    const name = plain(one.model);
    if (name === "") return [];
    if (nvidia.length > 0 && /nvidia/i.test(`${one.vendor} ${name}`)) return [];
    if (rocm.length > 0 && /amd|ati\b|radeon/i.test(`${one.vendor} ${name}`)) return [];
    const apple = /apple/i.test(`${one.vendor} ${name}`);
    const shared = apple || one.vramDynamic === true;
    const own = (one.vram ?? 0) * 2 ** 20;
    return [{ name, vendor: plain(one.vendor) || null, memoryBytes: apple ? memoryBytes : own > 0 ? own : null, sharedMemory: shared, driver: plain(one.driverVersion ?? "") || null }];
  });
  const gpus: ProfileGpu[] = [
    ...nvidia.map(({ name, memoryBytes: own, driver }): ProfileGpu => ({ name: plain(name), vendor: "NVIDIA", memoryBytes: own, sharedMemory: own === null, driver })),
    ...rocm.map(({ name, memoryBytes: own }): ProfileGpu => ({ name: plain(name), vendor: "AMD", memoryBytes: own, sharedMemory: false, driver: null })),
    ...listed,
  ];
  if (gpus.length > 0 || llama === null) return gpus;
  return llama.devices.map((name) => ({
    name: plain(name) || "GPU", vendor: null, memoryBytes: llama.devices.length === 1 ? llama.memoryBytes : null, sharedMemory: (llama.unifiedBytes ?? 0) > 0, driver: null,
  }));
}

/** Without signs of trade and doubled spaces. */
function plain(text: string): string {
  const words = text.replace(/[®™]|\((?:R|TM)\)/gi, "").replace(/\p{Cc}/gu, " ").split(/\s+/).filter((word) => word !== "");
  return words.filter((word, i) => word !== words[i - 1]).join(" ").slice(0, 256);
}
