import { z } from "zod";
import { sha256Hex } from "../../../protocol/canonical.ts";
import type { CustomPolicy } from "../../../scheduler/custom/source.ts";
import { PolicyError } from "../../../scheduler/custom/source.ts";
import { quoted } from "../../../input/problem.ts";
import type { Path, SectionContext } from "./context.ts";

const path = z.string().min(1).max(4096);

/** Settings of a policy's own, as its file declares them. */
const options = z.record(z.string().min(1).max(128), z.union([z.number(), z.string().max(10_000), z.boolean()]));

/** What every way to name a policy's file has. */
export const policyFields = {
  file: path.describe("A TypeScript or JavaScript file, relative to the scenario file; with --set, to the current folder."),
  options: options.default({}).describe("Settings, by the names that the file declares."),
};

/** A user's own policy: its file, or with settings. @param more what this use of it has beside. */
export function policyFile<const More extends z.core.$ZodLooseShape>(more: More, description: string) {
  return z.union([path, z.strictObject({ ...policyFields, ...more })]).describe(description);
}

interface PolicyInput {
  readonly file: string;
  readonly options?: CustomPolicy["options"] | undefined;
}

/**
 * Takes the file into the scenario, and tries whether it is what it should be.
 * @param at where the scenario names it
 * @param check throws a PolicyError where it is not
 */
export function resolvePolicyFile(input: string | PolicyInput, at: Path, context: SectionContext, check: (policy: CustomPolicy) => void): CustomPolicy {
  const given: PolicyInput = typeof input === "string" ? { file: input } : input;
  const fileAt = typeof input === "string" ? at : [...at, "file"];
  const { file } = given;
  const none = { file, sha256: "", code: "", options: {} };
  if (!/\.[cm]?[jt]s$/.test(file)) {
    context.finding({ path: fileAt, found: quoted(file), allowed: "a file that ends in .ts, .js or .mjs" });
    return none;
  }
  const code = context.text(fileAt, file);
  if (code === null) return none;
  const policy: CustomPolicy = { file, sha256: sha256Hex(code), code, options: sorted(given.options ?? {}) };
  try {
    check(policy);
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    const [found, allowed] = inTwo(error.message);
    context.finding({ path: fileAt, found, allowed });
  }
  return policy;
}

/** `found ...; allowed: ...` in two, so that it is said once. */
function inTwo(message: string): [string, string] {
  const at = message.indexOf("; allowed: ");
  return at < 0 ? [message, "a policy that can be loaded"] : [message.slice(0, at).replace(": found ", ": "), message.slice(at + "; allowed: ".length)];
}

/** What settings say does not depend on the order in which they are given. */
function sorted(settings: CustomPolicy["options"]): CustomPolicy["options"] {
  return Object.fromEntries(Object.entries(settings).sort(([a], [b]) => (a < b ? -1 : 1)));
}
