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
}, 600_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the package, installed into an empty folder", () => {
  test("holds what it needs and nothing else", () => {
    const files = readdirSync(installed(), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.parentPath.includes(`${installed()}/node_modules`))
      .map((entry) => join(entry.parentPath, entry.name).slice(installed().length + 1));
    for (const name of ["package.json", "README.md", "LICENSE", "dist/index.js", "dist/index.d.ts", "dist/cli/main.js", "dist/scenarios/quickstart.yaml"]) {
      expect(files).toContain(name);
    }
    expect(files.filter((name) => /\.test\.|^dist\/(bench|tools)\/|(?<!\.d)\.ts$|\.tgz$/.test(name) && !name.startsWith("dist/scenarios/examples/"))).toEqual([]);
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

  test("plays a scenario with a policy of its own, in TypeScript", () => {
    mkdirSync(join(consumer, "own"));
    for (const name of ["own-pricing.yaml", "queue-price.ts"]) writeFileSync(join(consumer, "own", name), readFileSync(installed("dist/scenarios/examples", name)));
    const result = infernet("run", "own/own-pricing.yaml", "--set", "horizon=4min", "--json", "--quiet");
    expect(result.stderr).toBe("");
    expect((JSON.parse(result.stdout) as { pricing: { mechanism: string } }).pricing.mechanism).toBe("custom");
  });

  test("is a library with types", () => {
    writeFileSync(
      join(consumer, "use.ts"),
      `import { readFileSync } from "node:fs";
import { compare, loadScenario, replicate, run, sweep } from "infernet-lab";
import type { RunReport } from "infernet-lab";
const file = "node_modules/infernet-lab/dist/scenarios/quickstart.yaml";
const market = loadScenario(readFileSync(file), file, { sets: ["horizon=6min"] });
const report: RunReport = run(market, { seed: 7 });
// @ts-expect-error a report is no number: the types are really there
export const wrong: number = report;
console.log(report.provenance.seed, report.allJobs.submitted > 0);
const own = loadScenario(readFileSync(file), file, { sets: ["horizon=6min", "pricing={policy: my-policy.ts}"] });
const { runs } = await replicate(own, { replications: 2, workers: 1 });
const { findings } = await compare(market, { arms: { here: {}, there: { "router.policy": "random" } }, metrics: ["latency.p95"], replications: 2, workers: 1 });
const { points } = await sweep(market, { sweep: { axes: { "router.fee.share": ["0 %", "1 %"] } }, metrics: ["router.revenue"], replications: 1, workers: 1 });
console.log(runs.played, findings.length > 0, points.length);
`,
    );
    writeFileSync(
      join(consumer, "my-policy.ts"),
      `import type { PricingPolicy } from "infernet-lab";
const policy: PricingPolicy = { openMarket: () => ({ utilisation }) => ({ factor: 1 + Math.min(1, utilisation) }) };
export default policy;
// @ts-expect-error a price is an object
export const wrong: PricingPolicy = { openMarket: () => () => 1 };
`,
    );
    // What the README shows is what works.
    const blocks = [...readFileSync(join(root, "README.md"), "utf8").matchAll(/^```ts\n([^]*?)^```$/gm)].map(([, code]) => code!);
    const shown = blocks.filter((code) => code.includes('from "infernet-lab"')).map((code, i) => {
      writeFileSync(join(consumer, `readme-${i}.ts`), code);
      return `readme-${i}.ts`;
    });
    expect(shown.length).toBe(2);
    const tsc = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin/tsc");
    const check = spawnSync(process.execPath, [tsc, "--strict", "--module", "nodenext", "--target", "es2024", "--types", "node", "--typeRoots", join(root, "node_modules/@types"), "--skipLibCheck", "use.ts", "my-policy.ts", ...shown], { cwd: consumer, encoding: "utf8" });
    expect(check.stdout).toBe("");
    const use = spawnSync(process.execPath, ["use.js"], { cwd: consumer, encoding: "utf8" });
    expect(use.stderr).toBe("");
    expect(use.stdout).toBe("7 true\n2 true 2\n");
  });
});
