import { readFileSync } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";
import { z } from "zod";
import { SourceDocument } from "../../input/document.ts";
import { findingsOf } from "../../input/findings.ts";
import type { JsonSchema } from "../../input/guide.ts";
import { SchemaGuide } from "../../input/guide.ts";
import type { PathPart } from "../../input/path-part.ts";
import { formatPath } from "../../input/problem.ts";
import type { Finding, Problem } from "../../input/problem.ts";
import type { Dimension } from "../../input/units.ts";
import { checkWhole, isWhole, parseQuantity, toNearest, toNumber } from "../../input/units.ts";
import { ConfigError } from "./config-error.ts";

/** Kinds of settings, and what they are for. */
export interface ConfigKind<S extends z.ZodType> {
  /** Such as "router". */
  readonly name: string;
  /** One sentence for editors. */
  readonly description: string;
  /** Keys that every file has. */
  readonly keys: readonly string[];
  readonly schema: S;
}

/** A file of settings that fits its schema, while it is brought to base units. */
export interface Reading<T> {
  readonly value: T;
  /** A path of a file, which stands relative to the file of settings, as this process can open it. */
  path(name: string): string;
  /** A quantity in base units: µs, msat, tokens, tokens per second. `at` is where it stands. */
  number(dimension: Dimension, value: unknown, at: readonly PathPart[]): number;
  /** Something is wrong there. */
  wrong(finding: Finding): void;
}

const generated = new Map<string, JsonSchema>();

/** The JSON Schema (draft 7) of such files as they are written, for editors. */
export function configJsonSchema({ name, description, schema }: ConfigKind<z.ZodType>): JsonSchema {
  let made = generated.get(name);
  if (made === undefined) {
    made = { ...z.toJSONSchema(schema, { io: "input", target: "draft-7" }) as JsonSchema, title: `Infernet ${name}`, description };
    generated.set(name, made);
  }
  return made;
}

/**
 * Reads settings: YAML, schema, units.
 *
 * @param fileName for messages; files that the settings name lie beside it
 * @param resolve brings the settings to base units
 * @throws ConfigError with all problems, each with file, line, column, path, what was found and what is allowed
 */
export function readConfig<S extends z.ZodType, T>(kind: ConfigKind<S>, source: string | Uint8Array, fileName: string, resolve: (reading: Reading<z.output<S>>) => T): T {
  const document = new SourceDocument(source, fileName, { noun: `${kind.name}'s settings file`, keys: kind.keys });
  const texts = new Map([[fileName, document.text]]);
  if (document.problems.length > 0) throw new ConfigError(document.problems, texts);
  const parsed = kind.schema.safeParse(document.value);
  const fail = (findings: readonly Finding[]): never => {
    throw new ConfigError(findings.map((finding) => located(finding, document)).sort((a, b) => a.line - b.line || a.column - b.column), texts);
  };
  if (!parsed.success) return fail(findingsOf(parsed.error.issues, document.value, new SchemaGuide(configJsonSchema(kind))));
  const findings: Finding[] = [];
  const resolved = resolve({
    value: parsed.data,
    path: (name) => (isAbsolute(name) ? name : join(dirname(fileName), name)),
    number: (dimension, value, at) => {
      const parsedQuantity = parseQuantity(dimension, value);
      const problem = "found" in parsedQuantity ? parsedQuantity : parsedQuantity.currency === null ? (isWhole(dimension) ? checkWhole(dimension, parsedQuantity, value) : null)
        : { found: JSON.stringify(value), allowed: "an amount in msat, sat or btc: live payments know no exchange rate" };
      if (problem !== null) findings.push({ path: at, ...problem });
      if ("found" in parsedQuantity) return 0;
      return isWhole(dimension) ? toNearest(parsedQuantity) : toNumber(parsedQuantity);
    },
    wrong: (finding) => void findings.push(finding),
  });
  if (findings.length > 0) return fail(findings);
  return resolved;
}

/** The same from a file. @throws ConfigError, and an error of node:fs where it cannot be read */
export function readConfigFile<S extends z.ZodType, T>(kind: ConfigKind<S>, file: string, resolve: (reading: Reading<z.output<S>>) => T): T {
  return readConfig(kind, readFileSync(file), file, resolve);
}

function located({ path, found, allowed, suggestion, atKey }: Finding, document: SourceDocument): Problem {
  const { line, column } = document.locate(path, atKey ?? false);
  return { file: document.file, line, column, path: formatPath(path), found, allowed, ...(suggestion === undefined ? {} : { suggestion }) };
}
