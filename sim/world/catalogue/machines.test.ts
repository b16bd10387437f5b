import { expect, test } from "vitest";
import { efficiencies } from "./efficiencies.ts";
import { machines } from "./machines.ts";

test("there are at least 24 machines, each with a name of its own and a public source", () => {
  expect(machines.length).toBeGreaterThanOrEqual(24);
  expect(new Set(machines.map(({ name }) => name)).size).toBe(machines.length);
  for (const machine of machines) {
    expect(machine.source, machine.name).toMatch(/https:\/\//);
    expect(machine.flopPrecision, machine.name).not.toBe("");
  }
});

test("figures are in the units their names say", () => {
  for (const machine of machines) {
    const { name } = machine;
    expect(machine.memoryBytes, name).toBeGreaterThanOrEqual(8 * 2 ** 30);
    expect(machine.memoryBytes, name).toBeLessThan(1024 * 2 ** 30);
    expect(machine.bandwidthBytesPerS, name).toBeGreaterThan(40e9);
    expect(machine.bandwidthBytesPerS, name).toBeLessThan(10e12);
    expect(machine.flopPerS, name).toBeGreaterThan(0.5e12);
    expect(machine.flopPerS, name).toBeLessThan(3e15);
    // FLOP per byte: about 10 on processors, tens on Apple, hundreds on tensor cores.
    const intensity = machine.flopPerS / machine.bandwidthBytesPerS;
    expect(intensity, name).toBeGreaterThan(8);
    expect(intensity, name).toBeLessThan(500);
    expect(machine.idleWatts, name).toBeGreaterThan(0);
    expect(machine.loadWatts / machine.idleWatts, name).toBeGreaterThan(2);
    expect(machine.priceUsd, name).toBeGreaterThan(100);
    expect(machine.priceYear, name).toBeGreaterThanOrEqual(2020);
    expect(machine.sharedMemory, name).toBe(machine.wattsScope === "machine");
  }
});

test("GeForce cards, and only they, halve their rate for sums in FP32", () => {
  for (const machine of machines) {
    const geforce = /^RTX [345]0[6-9]0/.test(machine.name);
    expect(machine.flopPerSWideSums, machine.name).toBe(geforce ? machine.flopPerS / 2 : undefined);
  }
});

test("every family has its efficiencies with both engines, below what the hardware can do", () => {
  for (const family of new Set(machines.map((machine) => machine.family))) {
    for (const engine of ["llama.cpp", "vllm", "sequential"]) {
      expect(efficiencies.filter((row) => row.engine === engine && row.family === family).length, `${engine} on ${family}`).toBe(1);
    }
  }
  for (const row of efficiencies) {
    for (const share of [row.bandwidth, row.compute, row.build.kvShare, row.build.attentionShare]) {
      expect(share).toBeGreaterThan(0);
      expect(share).toBeLessThanOrEqual(1);
    }
    expect(row.from).not.toBe("");
  }
});
