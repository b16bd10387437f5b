import type { MachineProfile } from "../../protocol/profile.ts";
import { catalogueModel, UnknownNameError } from "../world/catalogue/index.ts";
import { type ModelFacts, modelFacts } from "./facts.ts";
import { type FitOptions, fitPoints, type PointFit } from "./fit-points.ts";

/** Tokens that llama.cpp computes in one pass where nothing else is said (`--ubatch-size`). */
const llamaCppPassTokens = 512;

/**
 * The catalogue's model that a name means, also where its quantisation hangs on a hyphen, as in `qwen2.5-coder-7b-q8_0`;
 * null where there is none.
 */
export function knownModel(name: string): string | null {
  const hyphen = name.lastIndexOf("-");
  for (const candidate of [name, ...(hyphen > 0 ? [`${name.slice(0, hyphen)}:${name.slice(hyphen + 1)}`] : [])]) {
    try {
      return catalogueModel(candidate).name;
    } catch (error) {
      if (!(error instanceof UnknownNameError)) throw error;
    }
  }
  return null;
}

/** What is known of a profile's model; null where the catalogue does not have it. */
export function profileFacts({ model }: MachineProfile): ModelFacts | null {
  const name = model.catalogue ?? knownModel(model.name);
  if (name === null) return null;
  const { model: found, quantisation } = catalogueModel(name);
  return modelFacts(found, quantisation);
}

/** Fits an engine's cost to a profile's measurements. @throws RangeError as {@link fitPoints} does */
export function calibrateProfile(profile: MachineProfile, options: FitOptions = {}): PointFit {
  const { measured, settings, software } = profile;
  return fitPoints(
    { prefill: measured.prefill, decode: measured.decode, mixed: measured.mixed, passTokens: settings.passTokens ?? (software.engine === "llama.cpp" ? llamaCppPassTokens : null) },
    { facts: profileFacts(profile), ...options },
  );
}

/** The profile with the fit in it. @param date - of the fit, ISO 8601, UTC; null where nobody knows. */
export function profileWithFit(profile: MachineProfile, { cost, residuals, verdict }: Pick<PointFit, "cost" | "residuals" | "verdict">, date: string | null): MachineProfile {
  return { ...profile, fit: { cost, residuals: [...residuals], note: verdict.text.slice(0, 1024), date } };
}
