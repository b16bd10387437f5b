import type { FittedCost } from "../../../protocol/fitted-cost.ts";
import type { StepCost } from "./engine.ts";

/**
 * The step cost that fitted coefficients describe; see `fittedCost` for the formulas.
 * @throws RangeError for coefficients that do not belong to the form, or a step that takes no time.
 */
export function fittedStepCost(cost: FittedCost): StepCost {
  const { form, fixedUs, batchedUs, readUs, tokenUs, sequenceUs, experts, steps } = cost;
  if ((form === "experts") !== (experts !== null)) throw new RangeError(`a fitted cost of form ${form} ${experts === null ? "needs" : "has no"} experts`);
  if ((form === "steps") !== (steps !== null)) throw new RangeError(`a fitted cost of form ${form} ${steps === null ? "needs" : "has no"} steps`);
  steps?.reduce((last, { sequences }) => {
    if (sequences <= last) throw new RangeError(`the steps of a fitted cost have ${sequences} sequences after ${last}; expected rising numbers`);
    return sequences;
  }, 0);
  const passMax = cost.passTokens ?? Infinity;

  const passesUs = (tokens: number): number => {
    if (tokens === 0) return 0;
    const passes = tokens <= passMax ? 1 : Math.ceil(tokens / passMax);
    const each = tokens / passes;
    let us = passes * (fixedUs + (each > 1 ? batchedUs : 0)) + Math.max(passes * readUs, tokens * tokenUs);
    if (experts !== null) us += passes * experts.readUs * touchedShare(experts.activeShare, experts.agreement, each);
    return us;
  };
  const decodeUs = steps === null
    ? (sequences: number): number => (sequences === 0 ? 0 : passesUs(sequences) + sequenceUs * sequences)
    : (sequences: number): number => (sequences === 0 ? 0 : alongSteps(steps, sequences) + sequenceUs * sequences);
  const baseUs = cost.mixed === "shared" && steps === null
    ? (prefillTokens: number, sequences: number): number => passesUs(prefillTokens + sequences) + sequenceUs * sequences
    : (prefillTokens: number, sequences: number): number => passesUs(prefillTokens) + decodeUs(sequences)
      // The weights are read once for both.
      - (cost.mixed === "shared" && prefillTokens > 0 && sequences > 0 ? Math.min(fixedUs, decodeUs(sequences)) : 0);
  if (!(baseUs(0, 1) > 0)) throw new RangeError("a decode step of the fitted cost takes no time");
  return { baseUs, contextUs: cost.contextUs, prefillContextUs: cost.promptContextUs };
}

/** Share of the experts that so many tokens touch: 1 - (1 - k/E)^(tokens^agreement). */
export function touchedShare(activeShare: number, agreement: number, tokens: number): number {
  if (activeShare >= 1) return 1;
  const independent = agreement === 1 ? tokens : Math.exp(agreement * Math.log(tokens));
  return 1 - Math.exp(Math.log(1 - activeShare) * independent);
}

/** Linear between the steps, and beyond as between the last two, but never falling; below the first as at it, beyond a single one in proportion. */
function alongSteps(steps: NonNullable<FittedCost["steps"]>, sequences: number): number {
  const found = steps.findIndex((step) => step.sequences >= sequences);
  const right = found < 0 ? steps.at(-1)! : steps[found]!;
  const left = steps.at(found < 0 ? -2 : found - 1);
  if (found === 0) return right.us;
  if (left === undefined) return right.us * sequences / right.sequences;
  const us = left.us + (right.us - left.us) * (sequences - left.sequences) / (right.sequences - left.sequences);
  return found < 0 ? Math.max(right.us, us) : us;
}
