import type { FittedCost } from "../protocol/fitted-cost.ts";
import type { FitResidual, MachineProfile } from "../protocol/profile.ts";
import { formatNumber, formatSignificant, formatTokens } from "../protocol/units.ts";
import { type KindErrors, type MeanErrors, percent, type PointFit, relativeError, type RequestFit } from "../sim/calibrate/index.ts";
import { plainTable } from "./table.ts";

/** Coefficients in words, those that are not 0. */
export const coefficientsText = (cost: FittedCost): string => {
  const us = (value: number): string => (value >= 1_000 ? `${formatSignificant(value / 1_000, 4)} ms` : `${formatSignificant(value, 4)} us`);
  const lines: [string, string][] = [];
  const add = (name: string, value: number): void => {
    if (value > 0) lines.push([name, us(value)]);
  };
  add(`a pass${cost.passTokens === null ? "" : ` of at most ${formatNumber(cost.passTokens)} tokens`}`, cost.fixedUs);
  add("more, where it holds several tokens", cost.batchedUs);
  add("reading the weights, hidden behind computing", cost.readUs);
  if (cost.experts !== null) {
    const { readUs, activeShare, agreement } = cost.experts;
    add("reading all experts", readUs);
    lines.push(["  a token touches", percent(activeShare, false)], ["  n tokens agree like", `n^${formatSignificant(agreement, 2)} independent ones`]);
  }
  add(cost.form === "steps" ? "a prompt token" : "a token", cost.tokenUs);
  for (const { sequences, us: value } of cost.steps ?? []) add(`a decode step of ${sequences}`, value);
  add("more, for each decoding sequence", cost.sequenceUs);
  add("a token of context read in decoding", cost.contextUs);
  add("a pair of a prompt token and one before it", cost.promptContextUs);
  lines.push(["prompts and generation in one step", cost.mixed === "shared" ? "share passes" : "have passes of their own"]);
  return plainTable([`form: ${cost.form}`, ""], ["left", "right"], lines);
};

/** The fit to a profile's measurements, point by point. */
export const pointFitText = (profile: MachineProfile, fit: PointFit): string => {
  const { prefill, decode, mixed } = profile.measured;
  const ms = (us: number): string => formatSignificant(us / 1_000, 4);
  const rows = fit.residuals.map((residual: FitResidual) => {
    const { kind, index, used, measuredUs, fittedUs } = residual;
    const [what, sequences, tokens, context] = kind === "prefill"
      ? ["prompt", prefill[index]!.sequences, prefill[index]!.tokens, prefill[index]!.contextTokens]
      : kind === "decode"
        ? ["decode", decode[index]!.batch, 1, decode[index]!.contextTokens]
        : ["mixed", mixed[index]!.batch, mixed[index]!.promptTokens, mixed[index]!.contextTokens];
    return [what, String(sequences), formatTokens(tokens), formatTokens(context), ms(measuredUs), ms(fittedUs), percent(relativeError(residual)), used ? "" : "predicted"];
  });
  const errors = (name: string, kind: KindErrors | null): string[][] => (kind === null ? [] : [[
    name, String(kind.points), kind.used === 0 ? "" : percent(kind.mean, false), kind.used === 0 ? "" : percent(kind.max, false),
    kind.heldOut === null ? "" : percent(kind.heldOut.mean, false), kind.heldOut === null ? "" : percent(kind.heldOut.max, false),
  ]]);
  return [
    profile.name, "",
    plainTable(["what", "sequences", "tokens", "context", "measured, ms", "fitted, ms", "error", ""], ["left", "right", "right", "right", "right", "right", "right", "left"], rows), "",
    coefficientsText(fit.cost), "",
    plainTable(["absolute error", "points", "mean", "worst", "unseen: mean", "unseen: worst"], ["left", "right", "right", "right", "right", "right"],
      [...errors("prompts", fit.prefill), ...errors("decode steps", fit.decode), ...errors("mixed steps", fit.mixed)]), "",
    ...(fit.tried.length > 1 ? [`Forms tried, and their mean errors for points not seen: ${fit.tried.map(({ form, heldOut }) => `${form} ${percent(heldOut, false)}`).join(", ")}.`] : []),
    fit.verdict.text, "",
  ].join("\n");
};

/** The fit to timed requests: means, and how far single requests lie off. */
export const requestFitText = (name: string, requests: number, fit: RequestFit, figures: MeanErrors | null): string => {
  const row = (what: string, errors: MeanErrors): string[] => [what, percent(errors.ttft), percent(errors.tpot), percent(errors.endToEnd)];
  const quantile = (of: keyof MeanErrors, share: number): number => {
    const sorted = fit.residuals.map((residual) => Math.abs(residual[of])).filter((error) => !Number.isNaN(error)).sort((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  };
  const spread = (share: number): string[] => (["ttft", "tpot", "endToEnd"] as const).map((of) => percent(quantile(of, share), false));
  return [
    `${name}: ${formatNumber(requests)} requests, played on the simulated engine${fit.preemptions > 0 ? `; ${formatNumber(fit.preemptions)} preemptions` : ""}`, "",
    coefficientsText(fit.cost), "",
    plainTable(["simulated over measured", "first token", "per token", "end to end"], ["left", "right", "right", "right"], [
      ...(fit.heldOut === null ? [] : [row("means of the requests fitted", fit.fitted)]),
      row("means of all requests", fit.all),
      ...(fit.heldOut === null ? [] : [row("means of the others", fit.heldOut)]),
      ["single requests, median", ...spread(0.5)],
      ["single requests, 95 of 100", ...spread(0.95)],
      ...(figures === null ? [] : [row("from public figures alone, no fit", figures)]),
    ]), "",
    fit.verdict.text, "",
  ].join("\n");
};
