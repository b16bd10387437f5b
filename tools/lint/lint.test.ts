import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const oxlint = join(dirname(createRequire(import.meta.url).resolve("oxlint/package.json")), "bin/oxlint");

/** Each line alone must be flagged in a deterministic room. */
const forbidden: readonly string[] = [
  "export const t = Date.now();",
  "export const t = new Date();",
  "export const D = Date;",
  "export const t = globalThis.Date.now();",
  "export const x = Math.random();",
  "export const { random } = Math;",
  'export const x = Math["random"]();',
  "const m = Math; export const x = m.random();",
  "setTimeout(() => {}, 1);",
  "setInterval(() => {}, 1);",
  "setImmediate(() => {});",
  "queueMicrotask(() => {});",
  "export const t = performance.now();",
  'import { performance } from "node:perf_hooks"; export const t = performance.now();',
  "export const e = process.env;",
  "export const t = process.hrtime();",
  'import { env } from "node:process"; export const e = env;',
  'import { setTimeout as wait } from "node:timers/promises"; export const w = wait;',
  'export const f = new Intl.NumberFormat("en");',
  "export const s = (1).toLocaleString();",
  'export const s = "a".toLocaleUpperCase();',
  'export const c = "a".localeCompare("b");',
  'import { randomBytes } from "node:crypto"; export const b = randomBytes(1);',
  'import { randomUUID } from "node:crypto"; export const b = randomUUID();',
  'import * as nodeCrypto from "node:crypto"; export const b = nodeCrypto.randomBytes(1);',
  "export const b = crypto.getRandomValues(new Uint8Array(1));",
  'import { readFile } from "node:fs/promises"; export const r = readFile;',
  'import { readFile } from "node:fs"; export const r = readFile;',
  'import { promises } from "node:fs"; export const r = promises;',
  'import { readdirSync } from "node:fs"; export const r = readdirSync(".");',
  'import { readdirSync } from "node:fs"; export const r = readdirSync(".").map((n) => n).sort();',
  "export const x = Math.pow(2, 3);",
  "export const f = (a: number): number => a ** 0.5;",
  "export const f = (a: number, b: number): number => a ** b;",
  "export const x = 2 ** 0.5;",
  "export const f = (n: number): number => 2 ** (n / 12);",
  "export const f = (n: number): number => 2 ** Math.log(n);",
  "export const f = (n: number): number => 2 ** Math.max(0.5, n);",
  "export const f = (a: number): number => { a **= 1.5; return a; };",
  'import { schnorr } from "@noble/curves/secp256k1.js"; export const s = schnorr.sign("00", "01");',
  'import { generateSecretKey } from "nostr-tools/pure"; export const k = generateSecretKey();',
  'console.log("noise");',
];

/** Only these rules are the law of determinism; a complaint by another one proves nothing. */
const lawOnly = (found: readonly Diagnostic[]): readonly Diagnostic[] =>
  found.filter((diagnostic) => /no-restricted-|determinism|no-console/.test(diagnostic.code ?? ""));

/** Lines that look alike and are fine. */
const allowed: readonly string[] = [
  "export const x = 2 ** 31 - 1;",
  "export const f = (a: number): number => a ** -2;",
  "export const f = (tries: number): number => 2 ** (tries - 1);",
  "export const f = (tries: number): number => 2 ** Math.max(0, tries - 1);",
  "export const f = (n: number): bigint => 10n ** BigInt(n) * 2n ** 3n;",
  "export const x = Math.exp(0.5 * Math.log(2));",
  "export const { exp, log } = Math;",
  'import { readdirSync } from "node:fs"; export const r = readdirSync(".").sort();',
  'import { readFileSync } from "node:fs"; export const r = readFileSync("a", "utf8");',
  'import { createHash } from "node:crypto"; export const h = createHash("sha256").update("a").digest("hex");',
  'import { schnorr } from "@noble/curves/secp256k1.js"; export const s = schnorr.sign("00", "01", new Uint8Array(32));',
  'export const s = "a".toUpperCase();',
];

interface Diagnostic {
  readonly message: string;
  readonly code?: string;
  readonly filename: string;
}

let folder = "";
let byFile = new Map<string, Diagnostic[]>();

const lint = (): Map<string, Diagnostic[]> => {
  let output: string;
  try {
    output = execFileSync(process.execPath, [oxlint, "--format=json"], { cwd: folder, encoding: "utf8" });
  } catch (error) {
    output = (error as { stdout: string }).stdout;
  }
  const found = new Map<string, Diagnostic[]>();
  for (const diagnostic of (JSON.parse(output) as { diagnostics: Diagnostic[] }).diagnostics) {
    const list = found.get(diagnostic.filename) ?? [];
    list.push(diagnostic);
    found.set(diagnostic.filename, list);
  }
  return found;
};

const plant = (name: string, text: string): void => {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${text}\n`);
};

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "infernet-lint-"));
  cpSync(join(root, ".oxlintrc.json"), join(folder, ".oxlintrc.json"));
  mkdirSync(join(folder, "tools/lint"), { recursive: true });
  cpSync(join(root, "tools/lint/determinism.ts"), join(folder, "tools/lint/determinism.ts"));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }\n');
  forbidden.forEach((text, index) => plant(`sim/world/forbidden${index}.ts`, text));
  allowed.forEach((text, index) => plant(`sim/world/allowed${index}.ts`, text));
  for (const room of ["protocol", "scheduler", "reports", "cli"]) plant(`${room}/clock.ts`, "export const t = Date.now();");
  plant("sim/clock.test.ts", "export const t = Date.now();");
  plant("sim/luck.test.ts", "export const t = Math.random();");
  byFile = lint();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("in a deterministic room", () => {
  test.each(forbidden.map((text, index) => [text, index] as const))("flags %s", (_text, index) => {
    expect(lawOnly(byFile.get(`sim/world/forbidden${index}.ts`) ?? [])).not.toEqual([]);
  });

  test.each(allowed.map((text, index) => [text, index] as const))("allows %s", (_text, index) => {
    expect(byFile.get(`sim/world/allowed${index}.ts`) ?? []).toEqual([]);
  });
});

test("every deterministic room is covered, and only those", () => {
  for (const room of ["protocol", "scheduler", "reports"]) expect(byFile.has(`${room}/clock.ts`), room).toBe(true);
  expect(byFile.has("cli/clock.ts")).toBe(false);
});

test("tests may look at the clock, and still may not draw unseeded numbers", () => {
  expect(byFile.has("sim/clock.test.ts")).toBe(false);
  expect(byFile.has("sim/luck.test.ts")).toBe(true);
});
