import type { RunReport } from "../../protocol/result.ts";
import type { WelfareReport } from "../../protocol/result/welfare.ts";
import { formatNumber } from "../../protocol/units.ts";

/** A share in percent, without the sign. */
export function percent(share: number, digits = 0): string {
  return (100 * share).toFixed(digits);
}

/** Whole satoshi with thousands apart. */
export function sat(msat: number): string {
  return formatNumber(Math.round(msat / 1_000));
}

/** To the nearest multiple. */
export function about(value: number, step: number): string {
  return formatNumber(Math.round(value / step) * step);
}

export function seconds(us: number, digits: number): string {
  return (us / 1e6).toFixed(digits);
}

/** `a, b and c` */
export function list(parts: readonly string[]): string {
  return `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)!}`;
}

export function welfareOf({ welfare }: RunReport): WelfareReport {
  return welfare!;
}

/** Of what was possible. */
export function reached(report: RunReport): number {
  return welfareOf(report).shareReached!;
}

export function ttftP95Us({ overall }: RunReport): number {
  return overall.latency.ttftUs.p95!;
}

export function revenueMsat({ operatorClasses }: RunReport): number {
  return operatorClasses.reduce((sum, of) => sum + of.revenueMsat, 0);
}

export function profitMsat({ supply }: RunReport): number {
  return supply!.operatorClasses.reduce((sum, of) => sum + of.profitMsat, 0);
}

/** What one side lost by trusting the other, by these causes or by all; as a share of the value delivered. */
export function trustLost({ settlement }: RunReport, bearer: "client" | "node", ...causes: readonly string[]): number {
  return trustLostMsat({ settlement }, bearer, ...causes) / settlement!.deliveredMsat;
}

export function trustLostMsat({ settlement }: Pick<RunReport, "settlement">, bearer: "client" | "node", ...causes: readonly string[]): number {
  return settlement!.losses.filter((loss) => loss.bearer === bearer && (causes.length === 0 || causes.includes(loss.cause))).reduce((sum, { msat }) => sum + msat, 0);
}

/** Jobs that ended in this way for this reason. */
export function jobsBy({ overall }: RunReport, reason: string): number {
  return overall.reasons.filter((entry) => entry.reason === reason).reduce((sum, { jobs }) => sum + jobs, 0);
}

/** What the first operator class asked per million output tokens (`fixedMsat`: per job), mean over nodes and the measured interval. */
export function askedMean({ asks }: RunReport, part: "outputMsatPerMtok" | "fixedMsat" = "outputMsatPerMtok"): number {
  return asks!.operatorClasses[0]!.meanPrices[part]!;
}

/** The same at the end. */
export function askedLast({ asks }: RunReport, part: "outputMsatPerMtok" | "fixedMsat" = "outputMsatPerMtok"): number {
  return asks!.operatorClasses[0]![part].mean.at(-1)!;
}

/** What clients and operators lose from one run to another. */
export function surpluses(before: RunReport, after: RunReport): readonly [clientsMsat: number, operatorsMsat: number] {
  const [was, is] = [welfareOf(before), welfareOf(after)];
  return [was.consumerSurplusMsat - is.consumerSurplusMsat, was.operatorSurplusMsat - is.operatorSurplusMsat];
}
