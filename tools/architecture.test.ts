import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { cycles, forbiddenArrows, importGraph, importsOf, readSources, roomGraph, undeclaredPackages } from "./architecture.ts";
import type { Packages } from "./architecture.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const sources = readSources(root);
const manifest = JSON.parse(readFileSync(`${root}/package.json`, "utf8")) as Record<"dependencies" | "optionalDependencies" | "peerDependencies" | "devDependencies", Record<string, string>>;
const packages: Packages = { dependencies: [...Object.keys(manifest.dependencies), ...Object.keys(manifest.optionalDependencies), ...Object.keys(manifest.peerDependencies)], devDependencies: Object.keys(manifest.devDependencies) };

describe("this repository", () => {
  test("is read at all", () => {
    expect(sources.has("protocol/messages.ts")).toBe(true);
    expect(sources.has("scheduler/environment.ts")).toBe(true);
    expect(importGraph(sources).get("scheduler/environment.ts")).toContain("protocol/messages.ts");
  });

  test("imports only in the allowed directions", () => {
    expect(forbiddenArrows(sources)).toEqual([]);
  });

  test("has no import cycle between files, type imports included", () => {
    expect(cycles(importGraph(sources))).toEqual([]);
  });

  test("has no import cycle between rooms", () => {
    expect(cycles(roomGraph(importGraph(sources)))).toEqual([]);
  });

  test("uses only packages that are installed with it", () => {
    expect(undeclaredPackages(sources, packages)).toEqual([]);
  });
});

describe("planted faults are found", () => {
  const arrow = (from: string, to: string): string[] => {
    const depth = from.split("/").length - 1;
    return forbiddenArrows(new Map([[from, `import { x } from "${depth === 0 ? "./" : "../".repeat(depth)}${to}";`]]));
  };

  test.each([
    ["input/a.ts", "protocol/units.ts"],
    ["protocol/a.ts", "input/b.ts"],
    ["scheduler/a.ts", "input/b.ts"],
    ["reports/a.ts", "input/b.ts"],
    ["protocol/a.ts", "scheduler/b.ts"],
    ["protocol/a.ts", "sim/b.ts"],
    ["scheduler/a.ts", "sim/kernel/kernel.ts"],
    ["scheduler/a.ts", "reports/b.ts"],
    ["scheduler/router/a.ts", "live/b.ts"],
    ["sim/experiment/a.ts", "reports/b.ts"],
    ["sim/experiment/a.ts", "cli/b.ts"],
    ["sim/kernel/a.ts", "sim/world/b.ts"],
    ["sim/kernel/a.ts", "protocol/units.ts"],
    ["sim/kernel/distributions/a.ts", "scheduler/environment.ts"],
    ["reports/a.ts", "sim/b.ts"],
    ["reports/a.ts", "protocol/messages.ts"],
    ["reports/html/a.ts", "scheduler/environment.ts"],
    ["live/a.ts", "sim/b.ts"],
    ["live/a.ts", "reports/b.ts"],
    ["notebooks/a.ts", "sim/b.ts"],
    ["cli/a.ts", "bench/b.ts"],
    ["sim/a.ts", "tools/b.ts"],
    ["sim/a.ts", "index.ts"],
    ["sim/a.test.ts", "reports/b.ts"],
    ["sim/a.ts", "protocol/b.test.ts"],
    ["sim/a.test.ts", "protocol/b.test.ts"],
    ["sim/a.ts", "protocol/testing/b.ts"],
    ["protocol/a.ts", "protocol/testing/b.ts"],
    ["sim/a.ts", "../other/b.ts"],
  ])("%s -> %s", (from, to) => {
    expect(arrow(from, to)).toHaveLength(1);
  });

  test.each([
    ["scheduler/a.ts", "protocol/b.ts"],
    ["sim/world/a.ts", "scheduler/b.ts"],
    ["sim/experiment/a.ts", "sim/kernel/b.ts"],
    ["sim/kernel/statistics/a.ts", "sim/kernel/b.ts"],
    ["reports/a.ts", "protocol/result.ts"],
    ["reports/plots/a.ts", "protocol/units.ts"],
    ["live/twin/a.ts", "sim/b.ts"],
    ["live/twin.ts", "reports/b.ts"],
    ["cli/run.ts", "reports/b.ts"],
    ["sim/a.test.ts", "protocol/testing/b.ts"],
    ["sim/testing/a.ts", "protocol/testing/b.ts"],
    ["bench/a.ts", "sim/b.ts"],
    ["index.ts", "sim/b.ts"],
  ])("%s -> %s is fine", (from, to) => {
    expect(arrow(from, to)).toEqual([]);
  });

  test.each([
    'import { x } from "../sim/b.ts";',
    'import type { X } from "../sim/b.ts";',
    'import "../sim/b.ts";',
    'import * as all from "../sim/b.ts";',
    'export { x } from "../sim/b.ts";',
    'export * from "../sim/b.ts";',
    'export * as all from "../sim/b.ts";',
    'export type { X } from "../sim/b.ts";',
    'export const x = await import("../sim/b.ts");',
    'export type X = import("../sim/b.ts").X;',
    'export type X = typeof import("../sim/b.ts");',
  ])("an arrow in the shape of %s", (text) => {
    expect(importsOf("protocol/a.ts", text)).toEqual(["../sim/b.ts"]);
    expect(forbiddenArrows(new Map([["protocol/a.ts", text]]))).toEqual(["protocol/a.ts may not import sim/b.ts"]);
  });

  test("words in comments and strings are no imports", () => {
    expect(importsOf("sim/a.ts", '// import "../reports/b.ts"\nexport const s = `import "../reports/b.ts"`;')).toEqual([]);
  });

  test("a file that does not parse is an error, not a file without imports", () => {
    expect(() => importsOf("sim/a.ts", "import {")).toThrow(/does not parse/);
  });

  test("cycles of files, through values and through types", () => {
    const ring: [string, string][] = [
      ["sim/a.ts", 'import { b } from "./b.ts";'],
      ["sim/b.ts", 'import type { C } from "./c.ts";'],
      ["sim/c.ts", 'import { a } from "./a.ts";'],
      ["sim/d.ts", 'import { a } from "./a.ts";'],
    ];
    expect(cycles(importGraph(new Map(ring)))).toEqual(["sim/a.ts <-> sim/b.ts <-> sim/c.ts"]);
    expect(cycles(importGraph(new Map([["sim/a.ts", 'export * from "./a.ts";']])))).toEqual(["sim/a.ts"]);
  });

  test("cycles of rooms without a cycle of files", () => {
    const files = new Map([["sim/a.ts", ["cli/b.ts"]], ["cli/b.ts", []], ["cli/c.ts", ["sim/d.ts"]], ["sim/d.ts", []]]);
    expect(cycles(files)).toEqual([]);
    expect(cycles(roomGraph(files))).toEqual(["cli <-> sim"]);
  });

  test("a published file that uses a development package", () => {
    const listed: Packages = { dependencies: ["zod"], devDependencies: ["vitest", "@scope/tool"] };
    const use = (path: string, name: string): string[] => undeclaredPackages(new Map([[path, `import x from "${name}";`]]), listed);
    expect(use("sim/a.ts", "vitest")).toHaveLength(1);
    expect(use("sim/a.ts", "unheard-of")).toHaveLength(1);
    expect(use("bench/a.ts", "unheard-of")).toHaveLength(1);
    expect(use("sim/a.ts", "zod/v4")).toEqual([]);
    expect(use("sim/a.ts", "node:fs")).toEqual([]);
    expect(use("sim/a.test.ts", "vitest")).toEqual([]);
    expect(use("sim/testing/a.ts", "vitest")).toEqual([]);
    expect(use("bench/a.ts", "@scope/tool/deep")).toEqual([]);
  });
});
