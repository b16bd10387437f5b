import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, describe, expect, test } from "vitest";
import { LineIndex } from "./line-index.ts";

const folder = mkdtempSync(join(tmpdir(), "infernet-index-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const path = join(folder, "lines.index");

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
const held = (): number => {
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
};

describe("where lines stand", () => {
  test.each([["in memory", undefined], ["in a file", 0]])("is found again %s, each by its key, the earliest first", (_, heldBytes) => {
    const lines = 5_000;
    const index = new LineIndex(path, lines + 2, heldBytes);
    for (let line = 0; line < lines; line++) index.add(`run ${line}`, 100 * line + 80, 50);
    index.add("run 7", 1e12, 9);
    expect(index.size).toBe(lines + 1);
    const found = (key: string): { readonly start: number; readonly length: number }[] => [...index.find(key)];
    for (let line = 0; line < lines; line += 7) expect(found(`run ${line}`)[0]).toEqual({ start: 100 * line + 30, length: 50 });
    expect(found("run 7")).toEqual([{ start: 730, length: 50 }, { start: 1e12 - 9, length: 9 }]);
    expect(found("run -1")).toEqual([]);
    // Nothing is left behind, whatever becomes of the process.
    expect(existsSync(path)).toBe(false);
    index.close();
  });

  test("takes no more memory for ten times as many lines", () => {
    const grown = (lines: number): number => {
      const before = held();
      const index = new LineIndex(path, lines, 1 << 16);
      for (let line = 0; line < lines; line++) index.add(`run ${line}`, line + 1, 1);
      const after = held();
      expect([...index.find("run 1")]).toContainEqual({ start: 1, length: 1 });
      index.close();
      return after - before;
    };
    grown(4_000);
    // 16 bytes a line would be 1.4 MB more.
    expect(grown(100_000) - grown(10_000)).toBeLessThan(200_000);
  });
});
