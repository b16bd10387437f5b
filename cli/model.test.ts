import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { main } from "./program.ts";

const folder = mkdtempSync(join(tmpdir(), "cli-model-"));
afterAll(() => rmSync(folder, { recursive: true }));

let printed = "";
let complained = "";
beforeEach(() => {
  printed = complained = "";
  vi.spyOn(process.stdout, "write").mockImplementation((text) => ((printed += String(text)), true));
  vi.spyOn(process.stderr, "write").mockImplementation((text) => ((complained += String(text)), true));
});
afterEach(() => vi.restoreAllMocks());

describe("model", () => {
  const file = join(folder, "model.gguf");

  test("synth makes a file, and inspect says what it holds, within 80 columns", async () => {
    expect(await main(["model", "synth", "--params", "300k", "--quant", "f16", "--context", "2Ki", "--out", file])).toBe(0);
    const made = printed;
    printed = "";
    expect(await main(["model", "inspect", file])).toBe(0);
    expect(printed).toBe(made);
    expect(printed).toContain("weights       608 kB, mostly F16");
    expect(printed).toContain("context       2,048 tokens at most");
    for (const line of printed.split("\n").slice(1)) if (!line.startsWith("file")) expect(line.length).toBeLessThanOrEqual(80);
    printed = "";
    expect(await main(["model", "inspect", file, "--json"])).toBe(0);
    expect(JSON.parse(printed)).toMatchObject({ architecture: "llama", contextTokensMax: 2_048, quantisation: "F16" });
  });

  test.each([
    [["synth", "--params", "many", "--out", "x"], "such as 500k, 100M or 7B"],
    [["synth", "--params", "5k", "--out", "x"], "from 100 thousand to 100 billion parameters, not 5000"],
    [["synth", "--params", "1M", "--quant", "q3", "--out", "x"], "q8_0"],
    [["synth", "--params", "1M", "--context", "long", "--out", "x"], "such as 1024, 8k or 8Ki"],
    [["synth", "--params", "1M"], "--out"],
    [["inspect", join(folder, "none")], "no such file"],
  ])("%j is refused with what is allowed", async (args, words) => {
    expect(await main(["model", ...args])).toBe(2);
    expect(complained).toContain(words);
  });

  test("inspect of another file says so", async () => {
    const other = join(folder, "other");
    writeFileSync(other, "not a model, but a text that is long enough");
    expect(await main(["model", "inspect", other])).toBe(2);
    expect(complained).toContain("not a GGUF model file");
  });
});
