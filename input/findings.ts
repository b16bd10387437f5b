import type { z } from "zod";
import type { IssueParams } from "./fields.ts";
import { describeSchema, keysOf, tagsOf, wordsOf } from "./guide.ts";
import type { SchemaGuide } from "./guide.ts";
import type { PathPart } from "./path-part.ts";
import { nearest } from "./nearest.ts";
import { quoted } from "./problem.ts";
import type { Finding } from "./problem.ts";
import { describeValue } from "./units.ts";

type Issue = z.core.$ZodIssue;

/** What was validated, and against what. */
interface Subject {
  readonly input: unknown;
  readonly guide: SchemaGuide;
}

/** Puts the validator's issues into words. @param input what was validated. @param guide of the schema that it was validated against. */
export function findingsOf(issues: readonly Issue[], input: unknown, guide: SchemaGuide): Finding[] {
  const findings = issues.flatMap((issue) => fromIssue(issue, [], { input, guide }));
  return findings.filter((finding) => !findings.some((other) => explains(other, finding, input)));
}

/** A misspelt key is not missing as well. */
function explains(misspelt: Finding, missing: Finding, input: unknown): boolean {
  const { path } = missing;
  return misspelt.atKey === true && misspelt.path.length === path.length && misspelt.suggestion === quoted(String(path.at(-1)))
    && path.slice(0, -1).every((part, i) => part === misspelt.path[i]) && valueAt(input, path) === undefined;
}

function fromIssue(issue: Issue, prefix: readonly PathPart[], subject: Subject): Finding[] {
  const path = [...prefix, ...issue.path] as PathPart[];
  const { input, guide } = subject;
  const value = valueAt(input, path);
  switch (issue.code) {
    case "unrecognized_keys": return issue.keys.map((key) => unknownKey(path, key, valueAt(input, path), guide));
    case "invalid_union": return fromUnion(issue.errors, path, value, subject);
    case "invalid_key": return [{ path, found: `the key ${quoted(String(path.at(-1)))}`, allowed: keyPattern(path, guide), atKey: true }];
    case "custom": {
      const { found, allowed, suggestion } = issue.params as unknown as IssueParams;
      return [withSuggestion({ path, found, allowed: allowed || describeSchema(guide.at(path)) }, suggestion)];
    }
    default: return [mismatch(path, value, guide)];
  }
}

function withSuggestion(finding: Finding, suggestion: string | undefined): Finding {
  return suggestion === undefined ? finding : { ...finding, suggestion };
}

function mismatch(path: readonly PathPart[], value: unknown, guide: SchemaGuide): Finding {
  const options = guide.at(path);
  const guess = typeof value === "string" ? nearest(value, wordsOf(options)) : undefined;
  return withSuggestion({ path, found: describeValue(value), allowed: describeSchema(options) }, guess === undefined ? undefined : quoted(guess));
}

function unknownKey(path: readonly PathPart[], key: string, holder: unknown, guide: SchemaGuide): Finding {
  const options = guide.at(path);
  const keys = keysOf(options);
  const present = holder === null || typeof holder !== "object" ? [] : Object.keys(holder);
  const free = keys.filter((name) => !present.includes(name));
  const guess = nearest(key, free) ?? nearest(key, keys);
  const allowed = free.length === 0 ? `no further keys (all of ${keys.join(", ")} are there)` : `the keys ${keys.join(", ")}`;
  return withSuggestion({ path: [...path, key], found: `the unknown key ${quoted(key)}`, allowed, atKey: true }, guess === undefined ? undefined : quoted(guess));
}

function keyPattern(path: readonly PathPart[], guide: SchemaGuide): string {
  const options = guide.at(path.slice(0, -1));
  const names = options.flatMap((option) => option.propertyNames === undefined ? [] : [option.propertyNames]);
  return names.length === 0 ? "another key" : describeSchema(names);
}

/** A union fails with the issues of every branch; only those of the branch that was meant are of use. */
function fromUnion(errors: readonly (readonly Issue[])[], path: readonly PathPart[], value: unknown, subject: Subject): Finding[] {
  const { guide } = subject;
  if (value === undefined) return [mismatch(path, value, guide)];
  const branches = flatten(errors);
  const structural = branches.filter((issues) => !issues.some((issue) => issue.path.length === 0 && issue.code !== "unrecognized_keys" && issue.code !== "too_small" && issue.code !== "too_big"));
  if (value !== null && typeof value === "object" && !Array.isArray(value)) {
    const tags = tagsOf(guide.at(path));
    const keys = Object.keys(value);
    if (tags.length > 0 && !(keys.length === 1 && tags.includes(keys[0]!))) return [wrongTag(path, keys, tags)];
  }
  const meant = structural.toSorted((a, b) => distance(a) - distance(b))[0];
  if (meant !== undefined) return meant.flatMap((issue) => fromIssue(issue, path, subject));
  const told = branches.flat().find((issue) => issue.path.length === 0 && issue.code === "custom");
  const finding = mismatch(path, value, guide);
  if (told === undefined) return [finding];
  const params = (told as unknown as { params: IssueParams }).params;
  if (wordsOf(guide.at(path)).length === 0 && typeof value !== "object" && tagsOf(guide.at(path)).length === 0) return [withSuggestion({ path, found: params.found, allowed: params.allowed }, params.suggestion)];
  return [withSuggestion({ ...finding, found: params.found }, finding.suggestion ?? params.suggestion)];
}

function flatten(errors: readonly (readonly Issue[])[]): (readonly Issue[])[] {
  return errors.flatMap((issues) => {
    const only = issues.length === 1 ? issues[0]! : undefined;
    return only?.code === "invalid_union" && only.path.length === 0 ? flatten(only.errors) : [issues];
  });
}

/** How far a branch is from what was written: keys that it does not know tell more than values that it does not take. */
function distance(issues: readonly Issue[]): number {
  return issues.reduce((sum, issue) => sum + (issue.code === "unrecognized_keys" && issue.path.length === 0 ? 1_000 * issue.keys.length : 1), 0);
}

function wrongTag(path: readonly PathPart[], keys: readonly string[], tags: readonly string[]): Finding {
  const allowed = `exactly one of the keys ${tags.join(", ")}`;
  if (keys.length === 1) {
    const guess = nearest(keys[0]!, tags);
    return withSuggestion({ path: [...path, keys[0]!], found: `the unknown key ${quoted(keys[0]!)}`, allowed, atKey: true }, guess === undefined ? undefined : quoted(guess));
  }
  return { path, found: keys.length === 0 ? "an empty map" : `the keys ${keys.join(", ")}`, allowed };
}

/** What the input holds at a path; undefined where there is nothing. */
export function valueAt(input: unknown, path: readonly PathPart[]): unknown {
  let value = input;
  for (const part of path) {
    if (value === null || typeof value !== "object" || !Object.hasOwn(value, part)) return undefined;
    value = (value as Record<PathPart, unknown>)[part];
  }
  return value;
}
