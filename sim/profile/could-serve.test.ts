import { describe, expect, test } from "vitest";
import { catalogueMachine, machines } from "../world/catalogue/index.ts";
import { catalogueGpu, couldServe } from "./could-serve.ts";
import type { ServingMachine } from "./could-serve.ts";

const GIB = 2 ** 30;
const gpu = (name: string, gib: number | null) => ({ name, memoryBytes: gib === null ? null : gib * GIB, sharedMemory: false });

describe("a card is found in the catalogue by the name that its driver tells", () => {
  test.each([
    ["NVIDIA GeForce RTX 4090", 23.99, "RTX 4090"],
    ["NVIDIA GeForce RTX 3060", 12, "RTX 3060 12GB"],
    ["NVIDIA GeForce RTX 4070 Ti", 12, "RTX 4070 Ti 12GB"],
    ["NVIDIA A100-SXM4-80GB", 80, "A100 80GB SXM"],
    ["NVIDIA A100 80GB PCIe", 80, "A100 80GB PCIe"],
    ["NVIDIA A100-PCIE-40GB", 40, "A100 40GB"],
    ["Radeon RX 7900 XTX", 24, "RX 7900 XTX"],
  ] as const)("%s with %d GiB", (name, gib, expected) => {
    expect(catalogueGpu(gpu(name, gib))?.name).toBe(expected);
  });

  test.each([
    ["NVIDIA GeForce RTX 4090 Laptop GPU", 16], ["NVIDIA GeForce RTX 4070", 12], ["NVIDIA GeForce RTX 3060 Ti", 8], ["NVIDIA GeForce RTX 3060", 8], ["Radeon RX 7900 XT", 20], ["Intel Arc A770", 16], ["", 1],
  ] as const)("%s with %d GiB is none of them", (name, gib) => {
    expect(catalogueGpu(gpu(name, gib))).toBeUndefined();
  });

  test("every card of the catalogue, by its own name", () => {
    for (const machine of machines) {
      if (machine.family !== "cpu") expect(catalogueGpu({ name: machine.name, memoryBytes: machine.memoryBytes, sharedMemory: false })?.bandwidthBytesPerS, machine.name).toBe(machine.bandwidthBytesPerS);
    }
  });
});

describe("what a machine could serve", () => {
  const machine: ServingMachine = { cpu: { model: "Some CPU", cores: 8, clockHz: 3e9, vector: "AVX2" }, memoryBytes: 16 * GIB, bandwidthBytesPerS: 4e10, gpus: [gpu("NVIDIA GeForce RTX 4090", 24), gpu("Strange GPU", 8), gpu("Unknown GPU", null)] };

  test("on each device, what fits into it, the smallest first, as fast as the catalogue's rooflines say", () => {
    const [card, strange, unknown, processor] = couldServe(machine);
    expect(card).toMatchObject({ kind: "graphics processor", basis: "figures of RTX 4090 in the machine catalogue" });
    const llama = card!.models.find(({ model }) => model === "llama-3.1-8b:q4_k_m")!;
    // Somewhat over a hundred tokens/s is what many have measured.
    expect(llama.outputTokensPerS).toBeGreaterThan(100);
    expect(llama.outputTokensPerS).toBeLessThan(180);
    expect(card!.models.every(({ fileBytes }) => fileBytes < catalogueMachine("RTX 4090").memoryBytes)).toBe(true);
    expect(strange!.basis).toMatch(/not in the machine catalogue/);
    expect(strange!.models.length).toBeGreaterThan(0);
    expect(strange!.models.every(({ outputTokensPerS }) => outputTokensPerS === null)).toBe(true);
    expect(unknown!.models).toEqual([]);
    expect(processor).toMatchObject({ name: "Some CPU", kind: "processor", basis: "the measured bandwidth, and 8 cores x 32 x 3.0 GHz" });
    const sizes = processor!.models.map(({ fileBytes }) => fileBytes);
    expect(sizes).toEqual(sizes.toSorted((a, b) => a - b));
    // Weights are read once a token.
    for (const { fileBytes, outputTokensPerS, model } of processor!.models) if (!/moe|a3b|x7b|x22b|gpt-oss/.test(model)) expect(outputTokensPerS! * fileBytes, model).toBeLessThan(4.4e10);
  });

  test("without a measured bandwidth nothing is predicted", () => {
    const [processor] = couldServe({ ...machine, gpus: [], bandwidthBytesPerS: null });
    expect(processor!.models.length).toBeGreaterThan(0);
    expect(processor!.models.every(({ promptTokensPerS, outputTokensPerS }) => promptTokensPerS === null && outputTokensPerS === null)).toBe(true);
  });
});
