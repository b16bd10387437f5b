import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { machineProfile } from "../../protocol/profile.ts";
import type { MachineProfile } from "../../protocol/profile.ts";
import { writeWhole } from "../write-whole.ts";

/** Larger files are not hashed: it would take minutes. */
const HASHED_BYTES_MAX = 8 * 2 ** 30;

/** SHA-256 of a model file, in hexadecimal; null for very large ones. */
export async function fileSha256(file: string, bytes: number): Promise<string | null> {
  if (bytes > HASHED_BYTES_MAX) return null;
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 22 })) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

/** The profile as it is written: checked against its schema, a point a line. */
export function profileText(profile: MachineProfile): string {
  const checked = machineProfile.parse(profile);
  const points = /^( +)\{\n((?: +"(?:sequences|tokens|batch|contextTokens|steps|us|usPerStep|repetitions|promptTokens|promptContextTokens|minUs|maxUs|sdUs|kind|index|used|measuredUs|fittedUs)": [^\n{}]+\n| +"spread": (?:null|\{\n[^}]*\}),?\n)+) +\}/gm;
  return `${JSON.stringify(checked, null, 2).replaceAll(points, (_, indent: string, fields: string) => `${indent}{ ${fields.trim().replaceAll(/\s*\n\s*/g, " ")} }`)}\n`;
}

/**
 * Writes a profile, whole or not at all.
 * @throws the file system's error
 */
export function writeProfile(file: string, profile: MachineProfile): void {
  writeWhole(file, profileText(profile));
}
