import { medianOf } from "../kernel/statistics/lists.ts";
import type { Point } from "./points.ts";

/** Mean absolute relative error, and median error of a group of points, beyond which a form does not fit. */
export const fitErrorMax = 0.05;
/** A single point this far off is called odd. */
const oddError = 0.25;

/** Whether a form describes what was measured. */
export interface Verdict {
  readonly fits: boolean;
  /** One or more sentences, with the threshold. */
  readonly text: string;
}

interface Means {
  readonly mean: number;
  readonly heldOut: { readonly mean: number; readonly points: number } | null;
}

const nameOf = { prefill: "prompts", decode: "decode steps" } as const;

/**
 * Judges residuals: a form does not fit where the mean error of prompts or of decode steps is above 5 %, or where points
 * with the same number of sequences, or of tokens, lie off to the same side by more than that in the median: a trend.
 * Single points that lie far off are named, and do not decide.
 * @param errors - of the points: predicted over measured, less one.
 */
export function verdictOn(points: readonly Point[], errors: readonly number[], means: Readonly<Record<Point["kind"], Means>>): Verdict {
  const faults: string[] = [];
  const odd: string[] = [];
  points.forEach((point, i) => {
    if (Math.abs(errors[i]!) > oddError) odd.push(`${describe(point)} by ${percent(errors[i]!)}`);
  });
  for (const kind of ["prefill", "decode"] as const) {
    const own = points.flatMap((point, i) => (point.kind === kind ? [{ point, error: errors[i]! }] : []));
    const ordinary = own.filter(({ error }) => Math.abs(error) <= oddError);
    // Where more than one, and more than one in ten, is odd, the form is.
    const judged = own.length - ordinary.length > Math.max(1, own.length / 10) ? own : ordinary;
    const mean = judged.reduce((sum, { error }) => sum + Math.abs(error), 0) / Math.max(1, judged.length);
    if (mean > fitErrorMax) faults.push(`${nameOf[kind]} are off by ${percent(mean, false)} in the mean`);
    for (const [key, what] of [["sequences", kind === "decode" ? "sequences at once" : "prompts at once"], ["contextTokens", "tokens of context"], ["tokens", "tokens"]] as const) {
      if (key === "tokens" && kind === "decode") continue;
      for (const value of [...new Set(judged.map(({ point }) => point[key]))].sort((a, b) => a - b)) {
        const group = judged.filter(({ point }) => point[key] === value).map(({ error }) => error).sort((a, b) => a - b);
        const median = medianOf(group);
        if (group.length >= 2 && Math.abs(median) > fitErrorMax) faults.push(`${nameOf[kind]} with ${value} ${what} by ${percent(median)}`);
      }
    }
  }
  const limit = percent(fitErrorMax, false);
  const sentences = [
    faults.length === 0
      ? `The form fits: mean errors and trends stay within ${limit}.`
      : `The form does NOT fit (limit ${limit}): ${faults.slice(0, 6).join("; ")}${faults.length > 6 ? `; and ${faults.length - 6} more` : ""}.`,
    ...(odd.length === 0 ? [] : [`${odd.length} of ${points.length} points ${odd.length === 1 ? "is" : "are"} far off (a cold start, a disturbance?): ${odd.slice(0, 3).join("; ")}${odd.length > 3 ? "; ..." : ""}.`]),
    ...(["prefill", "decode"] as const).flatMap((kind) => {
      const held = means[kind].heldOut;
      return held !== null && held.mean > fitErrorMax ? [`Predictions of ${nameOf[kind]} not seen in fitting are off by ${percent(held.mean, false)} in the mean.`] : [];
    }),
  ];
  return { fits: faults.length === 0, text: sentences.join(" ") };
}

/** In words: what was measured. */
export function describe({ kind, sequences, tokens, contextTokens }: Point): string {
  return kind === "prefill"
    ? `${sequences === 1 ? "" : `${sequences} x `}${tokens / sequences} prompt tokens${contextTokens > 0 ? ` after ${contextTokens}` : ""}`
    : `a step of ${sequences} after ${contextTokens} tokens`;
}

/** 0.0123 as 1.2 %, signed. */
export function percent(share: number, signed = true): string {
  const text = (Math.abs(share) * 100).toFixed(1);
  return `${signed && text !== "0.0" ? (share < 0 ? "-" : "+") : ""}${text} %`;
}
