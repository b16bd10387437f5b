import { readFileSync, statSync } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";
import { sha256Hex } from "../protocol/canonical.ts";
import type { Subject } from "../sim/experiment/play-task.ts";
import { SourceDocument } from "../input/document.ts";
import { profilePath } from "../sim/scenario/sections/profile.ts";

/** A file that a scenario names. */
export interface SubjectFile {
  /** As the scenario's loader asks for it. */
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly sha256: string;
}

/**
 * The files that a scenario names anywhere, in its experiments and its sets too: policies, tariffs, exchange rates, traces.
 * Whatever looks like a file's name and is one counts; one too many does no harm.
 */
export function filesOf({ source, fileName, sets }: Subject): SubjectFile[] {
  const found = new Map<string, SubjectFile>();
  const look = (path: string): void => {
    if (found.has(path) || statSync(path, { throwIfNoEntry: false })?.isFile() !== true) return;
    const bytes = readFileSync(path);
    found.set(path, { path, bytes, sha256: sha256Hex(bytes) });
  };
  const folder = dirname(fileName);
  for (const name of textsIn(new SourceDocument(source, fileName).value)) look(isAbsolute(name) ? name : join(folder, name));
  for (const set of sets) {
    const key = set.slice(0, set.indexOf("=")).split(".").at(-1)!;
    const { value } = new SourceDocument(`value: ${set.slice(set.indexOf("=") + 1)}`, "--set");
    for (const name of textsIn({ [key]: (value as { readonly value?: unknown } | undefined)?.value })) look(name);
  }
  return [...found.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** What is longer names no file. */
const longestPath = 1_024;

/** Every text in a value that could be the name of a file. */
function textsIn(value: unknown): string[] {
  if (typeof value === "string") return value.length < longestPath && /^[^\n\0]+\.\w{1,8}$/.test(value) ? [value] : [];
  if (value === null || typeof value !== "object") return [];
  return Object.entries(value).flatMap(([key, one]) => (key === "profile" && typeof one === "string" ? textsIn(profilePath(one)) : textsIn(one)));
}
