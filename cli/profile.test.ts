import { describe, expect, test } from "vitest";
import type { MachineFacts } from "../live/machine/facts.ts";
import { profileMachine } from "../protocol/profile.ts";
import { deviceText, profileSummary } from "./profile.ts";
import { infernet as infernetIn, testFolder } from "./testing/process.ts";

const folder = testFolder("profile");

const facts: MachineFacts = {
  machine: {
    cpu: { model: "AMD Ryzen 9 7950X", cores: 16, threads: 32, vector: "AVX-512 VNNI" }, memory: { bytes: 64e9, bandwidthBytesPerS: 62e9 },
    gpus: [{ name: "NVIDIA GeForce RTX 4090", vendor: "NVIDIA", memoryBytes: 25.7e9, sharedMemory: false, driver: "570.86" }], os: "Debian 13", power: null, priceUsd: null,
  },
  architecture: "x64", clockHz: 5.4e9, threads: 32, freeMemoryBytes: 50e9, lastCacheBytes: 64e6, bandwidth: { bytesPerS: 62e9, threads: 32 },
  disk: { folder: ".", freeBytes: 1e12, totalBytes: 2e12, readBytesPerS: 6.5e9 },
  llama: { package: "3.21.1", release: "b6673", backend: null, devices: [], memoryBytes: null, unifiedBytes: null },
};

describe("profile", () => {
  test("says what this machine is and could serve, as JSON for programs", () => {
    const { status, stdout, stderr } = infernetIn(folder, "profile", "--no-bandwidth", "--json");
    expect([status, stderr]).toEqual([0, ""]);
    const said = JSON.parse(stdout) as { machine: unknown; threads: number; couldServe: { kind: string; models: unknown[] }[] };
    expect(profileMachine.parse(said.machine)).toEqual(said.machine);
    expect(said.threads).toBeGreaterThan(0);
    expect(said.couldServe.at(-1)!.kind).toBe("processor");
  });

  test("for people: a line for each part, what was measured, and what stands in the way", () => {
    const text = profileSummary(facts, 0.1);
    expect(text).toMatch(/^processor +AMD Ryzen 9 7950X, 16 cores, 32 threads, AVX-512 VNNI, 5\.4 GHz measured$/m);
    expect(text).toMatch(/^ {2}bandwidth +62 GB\/s: all 32 threads at once, two arrays read and one written \(STREAM triad\), beyond the 0\.064 GB of cache$/m);
    expect(text).toMatch(/^graphics +NVIDIA GeForce RTX 4090, 25\.7 GB, driver 570\.86$/m);
    expect(text).toMatch(/^disk +1,000 GB free of 2,000 GB, read at 6\.5 GB\/s$/m);
    expect(text).toContain("llama.cpp as it is installed here does not use the graphics processor");
    expect(text).not.toContain("Other programs");
    expect(profileSummary({ ...facts, llama: null, machine: { ...facts.machine, gpus: [] } }, 3)).toMatch(/no graphics processor that could compute[^]*npm install node-llama-cpp@3\.21\.1[^]*Other programs kept 3 threads busy/);
  });

  test("a device's models, or why there are none", () => {
    expect(deviceText({ name: "X", kind: "processor", basis: "its figures", models: [{ model: "m:q4", fileBytes: 5e9, contextTokens: 8_192, promptTokensPerS: 120, outputTokensPerS: null }] })).toMatch(/^What the processor could serve \(X\), predicted from its figures:\n[^]*m:q4 +5 GB +8,192 +120 +\?$/m);
    expect(deviceText({ name: "X", kind: "graphics processor", basis: "", models: [] })).toMatch(/none of the catalogue's models fits/);
  });

  test("a folder that is none is told", () => {
    expect(infernetIn(folder, "profile", "--disk", "nowhere")).toMatchObject({ status: 2, stderr: "error: --disk: nowhere is no folder.\n" });
  });
});
