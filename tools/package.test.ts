import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
/** The Node that runs this test also runs npm's scripts and the installed command. */
const env = { ...process.env, PATH: [dirname(process.execPath), process.env["PATH"]].join(delimiter), npm_config_loglevel: "error" };
const expectedDigest = readFileSync(join(root, "scenarios/quickstart.digest"), "utf8").trim();

let folder = "";
let consumer = "";
const installed = (...path: readonly string[]): string => join(consumer, "node_modules/infernet-lab", ...path);

const infernet = (...args: readonly string[]): { status: number | null; stdout: string; stderr: string } =>
  spawnSync("npx", ["--no-install", "infernet", ...args], { cwd: consumer, env, encoding: "utf8", maxBuffer: 1 << 28 });

/** What `npm pack` makes, installed with its dependencies into an empty folder. */
beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "infernet-package-")));
  consumer = join(folder, "consumer");
  mkdirSync(consumer);
  execFileSync("npm", ["pack", "--pack-destination", folder], { cwd: root, env, stdio: "pipe" });
  const tarball = readdirSync(folder).find((name) => name.endsWith(".tgz"))!;
  writeFileSync(join(consumer, "package.json"), '{ "name": "consumer", "private": true, "type": "module" }\n');
  execFileSync("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", join(folder, tarball)], { cwd: consumer, env, stdio: "pipe" });
}, 180_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the package, installed into an empty folder", () => {
  test("holds what it needs and nothing else", () => {
    const files = readdirSync(installed(), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.parentPath.includes(`${installed()}/node_modules`))
      .map((entry) => join(entry.parentPath, entry.name).slice(installed().length + 1));
    for (const name of ["package.json", "README.md", "LICENSE", "dist/index.js", "dist/index.d.ts", "dist/cli/main.js", "dist/scenarios/quickstart.yaml"]) {
      expect(files).toContain(name);
    }
    expect(files.filter((name) => /\.test\.|^dist\/(bench|tools)\/|(?<!\.d)\.ts$|\.tgz$/.test(name))).toEqual([]);
  });

  test("every door of `exports` leads somewhere", () => {
    const manifest = JSON.parse(readFileSync(installed("package.json"), "utf8")) as { exports: Record<string, string | Record<string, string>> };
    for (const [door, target] of Object.entries(manifest.exports)) {
      for (const path of typeof target === "string" ? [target] : Object.values(target)) expect(existsSync(installed(path)), `${door} -> ${path}`).toBe(true);
    }
  });

  test("plays the quickstart by its name, with the recorded results", () => {
    const result = infernet("run", "quickstart", "--out", "report", "--quiet");
    expect(result.stderr).toBe("");
    expect(result.status).toBe(0);
    const report = JSON.parse(readFileSync(join(consumer, "report/report.json"), "utf8")) as { provenance: { resultsDigest: string } };
    expect(report.provenance.resultsDigest).toBe(expectedDigest);
    for (const name of ["report.md", "jobs.csv", "nodes.csv", "index.html", "plots"]) expect(existsSync(join(consumer, "report", name)), name).toBe(true);
  });

  test("plays an experiment on its workers", () => {
    const result = infernet("run", "quickstart", "--set", "horizon=6min", "--replications", "3", "--workers", "2", "--json", "--quiet");
    expect(result.stderr).toBe("");
    expect(result.status).toBe(0);
    expect((JSON.parse(result.stdout) as { runs: unknown }).runs).toEqual({ played: 3, failed: 0, failures: [] });
  });

  test("is a library with types", () => {
    writeFileSync(
      join(consumer, "use.ts"),
      `import { readFileSync } from "node:fs";
import { loadScenario, runScenario } from "infernet-lab";
import type { RunReport } from "infernet-lab";
const file = "node_modules/infernet-lab/dist/scenarios/quickstart.yaml";
const { scenario } = loadScenario(readFileSync(file), file, { sets: ["horizon=6min"] });
const report: RunReport = runScenario(scenario, { seed: 7 });
// @ts-expect-error a report is no number: the types are really there
export const wrong: number = report;
console.log(report.provenance.seed, report.allJobs.submitted > 0);
`,
    );
    const tsc = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin/tsc");
    const check = spawnSync(process.execPath, [tsc, "--strict", "--module", "nodenext", "--target", "es2024", "--types", "node", "--typeRoots", join(root, "node_modules/@types"), "--skipLibCheck", "use.ts"], { cwd: consumer, encoding: "utf8" });
    expect(check.stdout).toBe("");
    const use = spawnSync(process.execPath, ["use.js"], { cwd: consumer, encoding: "utf8" });
    expect(use.stdout).toBe("7 true\n");
  });
});
