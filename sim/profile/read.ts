import { z } from "zod";
import { machineProfile } from "../../protocol/profile.ts";
import type { MachineProfile } from "../../protocol/profile.ts";
import { SourceDocument } from "../../input/document.ts";
import { findingsOf } from "../../input/findings.ts";
import { type JsonSchema, SchemaGuide } from "../../input/guide.ts";
import { formatPath, LocatedError } from "../../input/problem.ts";
import type { Finding } from "../../input/problem.ts";

/** A machine profile that cannot be used. The message says where, what was found and what is allowed. */
export class ProfileFileError extends LocatedError {
  override readonly name = "ProfileFileError";
}

const kind = { noun: "machine profile", keys: ["schema", "machine", "model", "measured"] };
let guide: SchemaGuide | null = null;

/**
 * Reads a machine profile as `infernet bench` writes it.
 * @param file its name, for messages
 * @throws ProfileFileError with all that is wrong, each with file, line and column
 */
export function readMachineProfile(source: string, file: string): MachineProfile {
  const parsed = machineProfile.safeParse(fromJson(source));
  if (parsed.success) return parsed.data;
  // The slow way, which knows where things stand.
  const document = new SourceDocument(source, file, kind);
  const texts = new Map([[file, document.text]]);
  if (document.problems.length > 0) throw new ProfileFileError(document.problems, texts);
  const again = machineProfile.safeParse(document.value);
  if (again.success) return again.data;
  guide ??= new SchemaGuide(z.toJSONSchema(machineProfile, { io: "input", target: "draft-7" }) as JsonSchema);
  const problems = findingsOf(again.error.issues, document.value, guide).map((finding: Finding) => {
    const { path, found, allowed, suggestion } = finding;
    const { line, column } = document.locate(path, finding.atKey ?? false);
    return { file, line, column, path: formatPath(path), found, allowed, ...(suggestion === undefined ? {} : { suggestion }) };
  });
  throw new ProfileFileError(problems.sort((a, b) => a.line - b.line || a.column - b.column), texts);
}

/** Whether a text is meant to be a machine profile, sound or not. */
export function isMachineProfile(source: string): boolean {
  return /"?schema"?\s*:\s*"?infernet-lab\/machine-profile\b/.test(source);
}

function fromJson(source: string): unknown {
  try {
    return JSON.parse(source);
  } catch {
    return undefined;
  }
}
