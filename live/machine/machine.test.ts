import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { profileMachine } from "../../protocol/profile.ts";
import { measureBandwidth } from "./bandwidth.ts";
import { measureClockHz } from "./clock-rate.ts";
import { runCommand } from "./command.ts";
import { DISK_SAMPLE_BYTES, measureRead } from "./disk.ts";
import { gpusOf, machineFacts, vectorOf } from "./facts.ts";
import { parseNvidia } from "./nvidia.ts";
import { parseRocm } from "./rocm.ts";
import { triad } from "./triad.ts";

const GIB = 2 ** 30;
const h100 = "NVIDIA H100 80GB HBM3, 81559, 4, 17, 570.86.15, 71.36, 700.00\n";

describe("graphics processors", () => {
  test("as nvidia-smi lists them", () => {
    expect(parseNvidia(`${h100}NVIDIA GB10, [N/A], [N/A], 0, 580.95.05, 4.51, [N/A]\r\n`)).toEqual([
      { name: "NVIDIA H100 80GB HBM3", memoryBytes: 81_559 * 2 ** 20, memoryUsedBytes: 4 * 2 ** 20, busyShare: 0.17, driver: "570.86.15", powerWatts: 71.36, powerLimitWatts: 700 },
      { name: "NVIDIA GB10", memoryBytes: null, memoryUsedBytes: null, busyShare: 0, driver: "580.95.05", powerWatts: 4.51, powerLimitWatts: null },
    ]);
    expect(parseNvidia("No devices were found\n")).toEqual([]);
  });

  test("as rocm-smi lists them", () => {
    const text = JSON.stringify({
      card1: { "GPU use (%)": "0", "VRAM Total Memory (B)": "536870912", "VRAM Total Used Memory (B)": "1", "Card Series": "AMD Radeon Graphics" },
      card0: { "GPU use (%)": "93", "VRAM Total Memory (B)": "25753026560", "VRAM Total Used Memory (B)": "17825792", "Card series": "Radeon RX 7900 XTX", "Card SKU": "EXT" },
      system: { "Driver version": "6.8" },
    });
    expect(parseRocm(`WARNING: AMD GPU device(s) is/are in a low-power state.\n${text}`)).toEqual([
      { name: "Radeon RX 7900 XTX", memoryBytes: 25_753_026_560, memoryUsedBytes: 17_825_792, busyShare: 0.93 },
      { name: "AMD Radeon Graphics", memoryBytes: 536_870_912, memoryUsedBytes: 1, busyShare: 0 },
    ]);
    expect([parseRocm("ERROR: no devices"), parseRocm("{}")]).toEqual([[], []]);
  });

  test("are listed once, whoever knows of them, and without those that only show pictures", () => {
    const controllers = [
      { vendor: "NVIDIA Corporation", model: "GH100 [H100 SXM5 80GB]", vram: 65_536, vramDynamic: false },
      { vendor: "ASPEED Technology, Inc.", model: "ASPEED Graphics Family", vram: 16 },
      { vendor: "Intel Corporation", model: "Arc A770", vram: 16_384, vramDynamic: false },
    ];
    expect(gpusOf(controllers, parseNvidia(h100), [], null, GIB).map(({ name, memoryBytes }) => [name, memoryBytes])).toEqual([["NVIDIA H100 80GB HBM3", 81_559 * 2 ** 20], ["Arc A770", 16 * GIB]]);
    expect(gpusOf([{ vendor: "Apple", model: "Apple M2 Ultra", vramDynamic: true }], [], [], null, 192 * GIB)).toEqual([
      { name: "Apple M2 Ultra", vendor: "Apple", memoryBytes: 192 * GIB, sharedMemory: true, driver: null },
    ]);
    const llama = { package: "3.21.1", release: "b1", backend: "vulkan", devices: ["Some GPU (RADV)"], memoryBytes: 8 * GIB, unifiedBytes: 0 };
    expect(gpusOf([], [], [], llama, GIB)).toEqual([{ name: "Some GPU (RADV)", vendor: null, memoryBytes: 8 * GIB, sharedMemory: false, driver: null }]);
  });
});

test("the widest vector instructions are told from the processor's flags", () => {
  expect(["sse4_2 avx avx2 fma", "avx2 avx512f avx512_vnni", "AVX1.0 SSE4.2", "sse4_2", "fpu", "amx_tile avx512f"].map((flags) => vectorOf(flags, "x64"))).toEqual(["AVX2", "AVX-512 VNNI", "AVX", "SSE4.2", null, "AMX"]);
  expect([vectorOf("", "arm64"), vectorOf("asimd sve sve2", "arm64")]).toEqual(["NEON", "SVE2"]);
});

describe("what is measured", () => {
  test("the triad computes a[i] = b[i] + s * c[i], all of it and nothing else", () => {
    const { a, b, c, run } = triad(72);
    b.forEach((_, i) => { b[i] = i; c[i] = 1_000 + i; });
    run(0.5);
    expect([...a]).toEqual(Array.from({ length: 72 }, (_, i) => i + 0.5 * (1_000 + i)));
    expect([b[0], b[71], c[0], c[71]]).toEqual([0, 71, 1_000, 1_071]);
  });

  test("bandwidth is that of every core together, over arrays beyond the cache", async () => {
    const { bytesPerS, threads, workingBytes } = await measureBandwidth({ threads: 2, ms: 40, cacheBytes: 0, freeBytes: 96 * 2 ** 20 });
    expect([threads, workingBytes]).toEqual([2, Math.floor(24 * 2 ** 20 / 2 / 3 / 64) * 64 * 6]);
    // No machine that runs this is slower than 0.1 GB/s, none faster than 10 TB/s.
    expect(bytesPerS).toBeGreaterThan(1e8);
    expect(bytesPerS).toBeLessThan(1e13);
  });

  test("the clock's rate is a processor's", () => {
    const clockHz = measureClockHz();
    expect(clockHz).toBeGreaterThan(2e8);
    expect(clockHz).toBeLessThan(1e10);
    // By a clock of which every reading is a millisecond after the one before: 100,000 x 8 x 2 cycles.
    let ms = 0;
    expect(measureClockHz(() => ms++)).toBe(1_600_000_000);
  });

  test("a disk's reading speed is that of a file, which is removed", async () => {
    const folder = mkdtempSync(join(tmpdir(), "infernet-test-disk-"));
    try {
      let ms = 0;
      const read = await measureRead(folder, async (program, args) => {
        expect(program).toBe("dd");
        expect(existsSync(args[0]!.slice("if=".length))).toBe(true);
        return "";
      }, () => (ms += 500));
      expect(read).toBe(2 * DISK_SAMPLE_BYTES);
      expect(await measureRead(folder, async () => null)).toBeNull();
      expect(readdirSync(folder)).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

test("this machine's facts are facts of a profile", async () => {
  const { machine, threads, disk, llama } = await machineFacts({ bandwidthMs: 0, askLlama: false, run: async () => null });
  expect(profileMachine.parse(machine)).toEqual(machine);
  expect(machine.memory!.bytes).toBeGreaterThan(2 ** 28);
  expect(threads).toBeGreaterThan(0);
  expect(disk.freeBytes).toBeLessThanOrEqual(disk.totalBytes);
  expect(llama).toBeNull();
});

test("a program that is not there, fails or hangs is no answer", async () => {
  const node = process.execPath;
  expect(await Promise.all([
    runCommand("infernet-no-such-program", []), runCommand(node, ["-e", "process.exit(3)"], 60_000), runCommand(node, ["-e", "setInterval(() => {}, 1000)"], 200), runCommand(node, ["-e", "console.log(7)"], 60_000),
  ])).toEqual([null, null, null, "7\n"]);
});
