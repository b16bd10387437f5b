import { z } from "zod";
import { nearest } from "../../../input/nearest.ts";
import { quoted } from "../../../input/problem.ts";
import type { Finding } from "../../../input/problem.ts";
import { alternatives } from "../../../input/units.ts";
import { changes, variationOf } from "../variation.ts";
import type { Variation } from "../variation.ts";

// Begins with a letter: JavaScript puts keys that are numbers first, and the first arm is the baseline.
const armName = z.string().regex(/^[A-Za-z][A-Za-z0-9-]{0,63}$/).meta({ title: "letters, digits and hyphens, a letter first" });

/** Keys at the top of a scenario that say what is compared with what. */
export const armsShape = {
  arms: z.record(armName, changes).optional().describe("Variations of the market to compare: each a map of changes, `router.policy: cheapest`, paths as --set takes them; `{}` is the market as it stands. `infernet compare` plays them."),
  baseline: armName.optional().describe("The arm with which the others are compared (default: the first)."),
};

/** One of the markets that are compared. */
export interface Arm {
  readonly name: string;
  readonly variation: Variation;
}

/** What is compared: two arms at least, the baseline among them. */
export interface ArmsSpec {
  /** In the order of the file. */
  readonly arms: readonly Arm[];
  /** Name of the arm with which the others are compared. */
  readonly baseline: string;
}

/** Arms that one comparison may have: tables and plots hold no more. */
export const maxArms = 50;

/** @returns null where the scenario has none. */
export function resolveArms({ arms, baseline }: { readonly arms?: z.output<typeof armsShape.arms>; readonly baseline?: string | undefined }, finding: (finding: Finding) => void): ArmsSpec | null {
  if (arms === undefined) {
    if (baseline !== undefined) finding({ path: ["baseline"], found: quoted(baseline), allowed: "no baseline where there are no arms", atKey: true });
    return null;
  }
  const names = Object.keys(arms);
  if (names.length < 2 || names.length > maxArms) finding({ path: ["arms"], found: names.length === 0 ? "no arms" : names.length === 1 ? "one arm" : `${names.length} arms`, allowed: `2 to ${maxArms} arms; \`{}\` is the market as it stands`, atKey: true });
  if (baseline !== undefined && !names.includes(baseline)) {
    const guess = nearest(baseline, names);
    finding({ path: ["baseline"], found: quoted(baseline), allowed: `the name of an arm: ${alternatives(names)}`, ...(guess === undefined ? {} : { suggestion: quoted(guess) }) });
  }
  return { arms: names.map((name) => ({ name, variation: variationOf(arms[name]!, ["arms", name]) })), baseline: baseline ?? names[0] ?? "" };
}
