/** Builds the package as it is published: JavaScript and types in dist/, and beside them the files that the code reads. */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const dist = join(root, "dist");
const rooms = ["input", "protocol", "scheduler", "sim", "live", "reports", "lab", "cli", "scenarios"];
/** Read at run time through `new URL("…", import.meta.url)`. */
const dataTypes: ReadonlySet<string> = new Set([".json", ".jsonl", ".yaml", ".csv", ".css", ".html", ".svg"]);

rmSync(dist, { recursive: true, force: true });
const tsc = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin/tsc");
try {
  execFileSync(process.execPath, [tsc, "-p", join(root, "tsconfig.build.json")], { cwd: root, stdio: "inherit" });
} catch {
  // The compiler has said what is wrong.
  process.exit(1);
}

for (const room of rooms) {
  if (!existsSync(join(root, room))) continue;
  for (const entry of readdirSync(join(root, room), { recursive: true, withFileTypes: true })) {
    const from = join(entry.parentPath, entry.name);
    if (!entry.isFile() || !(dataTypes.has(extname(entry.name)) || (room === "scenarios" && extname(entry.name) === ".ts")) || /[/\\](testing|fixtures|__snapshots__)[/\\]/.test(from)) continue;
    const to = join(dist, from.slice(root.length));
    mkdirSync(dirname(to), { recursive: true });
    cpSync(from, to);
  }
}

// The code looks for the version where it lies in a checkout: beside the rooms.
const { name, version, type } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Record<string, unknown>;
writeFileSync(join(dist, "package.json"), `${JSON.stringify({ name, version, type })}\n`);
