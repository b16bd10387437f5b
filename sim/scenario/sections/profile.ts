import { z } from "zod";
import { quoted } from "../../../input/problem.ts";
import { ProfileFileError, readMachineProfile } from "../../profile/read.ts";
import { type ProfileSpec, profileSpec } from "../../profile/spec.ts";
import type { Path, SectionContext } from "./context.ts";

/** A machine profile's file, as an operator names it. */
export const profileFile = z.string().min(1).max(4096);

/** The file that an operator's `profile` means: as it stands, or, where it is a mere name, that profile in the folder where `infernet bench` puts them. */
export function profilePath(given: string): string {
  return /^[\w-][\w.-]*$/.test(given) && !/\.json$/i.test(given) ? `profiles/${given}.json` : given;
}

/** Takes the file's content into the scenario; null, and a finding, where it cannot be. */
export function resolveProfile(given: string, at: Path, context: SectionContext): ProfileSpec | null {
  const file = profilePath(given);
  const text = context.text(at, file);
  if (text === null) return null;
  try {
    return profileSpec(readMachineProfile(text, file));
  } catch (error) {
    if (error instanceof ProfileFileError) {
      const { line, column, path, found, allowed } = error.problems[0]!;
      context.finding({ path: at, found: `${found} at ${path === "" ? "" : `${path}, `}line ${line}, column ${column} of ${quoted(file)}`, allowed });
    } else if (error instanceof RangeError) {
      context.finding({ path: at, found: `${quoted(file)}: ${error.message}`, allowed: "a profile with measured prompts and generation, or a fit" });
    } else throw error;
    return null;
  }
}
