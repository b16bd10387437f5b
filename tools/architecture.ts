import { existsSync, readdirSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join, posix } from "node:path";
import { parseSync } from "oxc-parser";

/** Source files by their path from the repository's root, with forward slashes. */
export type Sources = ReadonlyMap<string, string>;

/** What each room may import besides itself. A trailing `*` stands for any rest of the path. `.` is the package's door, index.ts. */
const allowedImports: Readonly<Record<string, readonly string[]>> = {
  input: [],
  protocol: [],
  scheduler: ["protocol/*"],
  sim: ["input/*", "protocol/*", "scheduler/*"],
  live: ["input/*", "protocol/*", "scheduler/*"],
  reports: ["protocol/result*", "protocol/units*", "protocol/canonical*"],
  lab: ["input/*", "protocol/*", "scheduler/*", "sim/*", "reports/*"],
  notebooks: [],
  cli: ["input/*", "protocol/*", "scheduler/*", "sim/*", "live/*", "reports/*", "lab/*"],
  bench: ["input/*", "protocol/*", "scheduler/*", "sim/*", "live/*", "reports/*", "lab/*", "cli/*"],
  tools: ["input/*", "protocol/*", "scheduler/*", "sim/*", "live/*", "reports/*", "lab/*", "cli/*"],
  ".": ["input/*", "protocol/*", "scheduler/*", "sim/*", "live/*", "reports/*", "lab/*"],
};

/** The rooms, in the order of their table; "." is the root. */
export const rooms: readonly string[] = Object.keys(allowedImports);

const roomOf = (path: string): string => {
  const slash = path.indexOf("/");
  return slash < 0 ? "." : path.slice(0, slash);
};

const matches = (pattern: string, path: string): boolean =>
  pattern.endsWith("*") ? path.startsWith(pattern.slice(0, -1)) : path === pattern;

const mayImport = (from: string, to: string): boolean => {
  // The kernel knows nothing of markets.
  if (from.startsWith("sim/kernel/") && !to.startsWith("sim/kernel/")) return false;
  const room = roomOf(from);
  if (roomOf(to) === room) return true;
  const extra = /^live\/twin\b/.test(from) ? ["sim/*", "reports/*"] : [];
  return [...(allowedImports[room] ?? []), ...extra].some((pattern) => matches(pattern, to));
};

/** Every module that a file names: static, type-only, re-exported, dynamic and `import("...")` types. @throws Error where the text does not parse. */
export const importsOf = (path: string, text: string): string[] => {
  const { module, program, errors } = parseSync(path, text);
  const fatal = errors.find((error) => error.severity === "Error");
  if (fatal !== undefined) throw new Error(`${path} does not parse: ${fatal.message}`);
  const found = new Set<string>();
  for (const statement of module.staticImports) found.add(statement.moduleRequest.value);
  for (const statement of module.staticExports) {
    for (const entry of statement.entries) if (entry.moduleRequest !== null) found.add(entry.moduleRequest.value);
  }
  const walk = (node: unknown): void => {
    if (Array.isArray(node)) return node.forEach(walk);
    if (typeof node !== "object" || node === null) return;
    const { type, source } = node as { type?: unknown; source?: { value?: unknown } };
    if ((type === "ImportExpression" || type === "TSImportType" || type === "ExportNamedDeclaration" || type === "ExportAllDeclaration") && typeof source?.value === "string") found.add(source.value);
    Object.values(node).forEach(walk);
  };
  walk(program);
  return [...found].sort();
};

/** Tests, and what only tests use: folders named `testing`. Neither is published. */
const isTest = (path: string): boolean => path.endsWith(".test.ts") || path.includes("/testing/");

/** Path of a relative import from the root; null for a package. */
const resolve = (from: string, specifier: string): string | null =>
  specifier.startsWith(".") ? posix.normalize(posix.join(posix.dirname(from), specifier)) : null;

const packageOf = (specifier: string): string => specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");

/** The file-to-file arrows of the project's own code. */
export const importGraph = (sources: Sources): Map<string, string[]> => {
  const graph = new Map<string, string[]>();
  for (const [path, text] of sources) {
    const own = importsOf(path, text).map((specifier) => resolve(path, specifier)).filter((target) => target !== null);
    graph.set(path, own);
  }
  return graph;
};

/** One sentence for each arrow that the rooms do not allow. */
export const forbiddenArrows = (sources: Sources): string[] => {
  const problems: string[] = [];
  for (const [path, targets] of importGraph(sources)) {
    for (const target of targets) {
      if (target.startsWith("..")) problems.push(`${path} imports ${target}, outside the project`);
      else if (target.endsWith(".test.ts") || (isTest(target) && !isTest(path))) problems.push(`${path} imports ${target}, which belongs to the tests`);
      else if (!mayImport(path, target)) problems.push(`${path} may not import ${target}`);
    }
  }
  return problems;
};

/** What package.json lists. */
export interface Packages {
  readonly dependencies: readonly string[];
  readonly devDependencies: readonly string[];
}

/** Code that is published may use only what is installed with it; tests, benchmarks and tools may use everything. */
export const undeclaredPackages = (sources: Sources, packages: Packages): string[] => {
  const problems: string[] = [];
  for (const [path, text] of sources) {
    const published = !isTest(path) && !["bench", "tools", "notebooks"].includes(roomOf(path)) && !path.endsWith(".config.ts");
    const known = published ? packages.dependencies : [...packages.dependencies, ...packages.devDependencies];
    for (const specifier of importsOf(path, text)) {
      if (specifier.startsWith(".") || specifier.startsWith("node:") || builtinModules.includes(specifier)) continue;
      if (!known.includes(packageOf(specifier))) problems.push(`${path} imports ${specifier}, which package.json does not list under ${published ? "dependencies" : "any dependencies"}`);
    }
  }
  return problems;
};

/** Every group of nodes that reach each other (Tarjan's strongly connected components), and self-loops, as one line each. */
export const cycles = (graph: ReadonlyMap<string, readonly string[]>): string[] => {
  const found: string[] = [];
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const onStack = new Set<string>();
  const visit = (node: string): void => {
    index.set(node, index.size);
    low.set(node, index.get(node)!);
    stack.push(node);
    onStack.add(node);
    for (const next of graph.get(node) ?? []) {
      if (!index.has(next)) {
        visit(next);
        low.set(node, Math.min(low.get(node)!, low.get(next)!));
      } else if (onStack.has(next)) low.set(node, Math.min(low.get(node)!, index.get(next)!));
    }
    if (low.get(node) !== index.get(node)) return;
    const component: string[] = [];
    let popped: string;
    do {
      popped = stack.pop()!;
      onStack.delete(popped);
      component.push(popped);
    } while (popped !== node);
    if (component.length > 1 || graph.get(node)?.includes(node) === true) found.push(component.sort().join(" <-> "));
  };
  for (const node of graph.keys()) if (!index.has(node)) visit(node);
  return found;
};

/** The arrows between rooms that the arrows between files make. */
export const roomGraph = (files: ReadonlyMap<string, readonly string[]>): Map<string, string[]> => {
  const graph = new Map<string, string[]>();
  for (const [path, targets] of files) {
    const room = roomOf(path);
    const others = new Set(graph.get(room) ?? []);
    for (const target of targets) if (roomOf(target) !== room) others.add(roomOf(target));
    graph.set(room, [...others]);
  }
  return graph;
};

/** Reads every TypeScript file of the rooms that exist, and those at the root. */
export const readSources = (root: string): Sources => {
  const sources = new Map<string, string>();
  const read = (path: string): void => void sources.set(path, readFileSync(join(root, path), "utf8"));
  for (const name of readdirSync(root).sort()) if (name.endsWith(".ts")) read(name);
  for (const room of rooms) {
    if (room === "." || !existsSync(join(root, room))) continue;
    for (const entry of readdirSync(join(root, room), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !entry.name.endsWith(".ts")) continue;
      const path = join(entry.parentPath, entry.name).slice(root.length).replaceAll("\\", "/").replace(/^\//, "");
      if (!dirname(path).includes("node_modules")) read(path);
    }
  }
  return sources;
};
