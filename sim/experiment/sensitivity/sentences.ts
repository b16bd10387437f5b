import { formatFigure } from "../../../protocol/result/metrics.ts";
import type { FigureUnit } from "../../../protocol/result/metrics.ts";
import { formatBounds, formatChange } from "../../../protocol/result/sensitivity.ts";
import type { ResampledFigure, ScreenedFactor, SensitivityEnd, SensitivityOfMetric } from "../../../protocol/result/sensitivity.ts";
import { formatNumber } from "../../../protocol/units.ts";
import type { Factor } from "../../scenario/sections/sensitivity.ts";
import { valueAt } from "../../scenario/range.ts";

type Found = Omit<SensitivityOfMetric, "headline" | "findings">;

/** Factors that a headline names. */
const named = 4;
/** Below this share of the variance a factor is as good as none. */
const negligible = 0.05;

/** What matters for a figure, in a sentence. */
export function headlineOf(found: Found): string {
  const { metric: { label, unit }, screening, indices, tornado, blocks, sd } = found;
  if (blocks.used === 0) return `Nothing can be said of ${label}: ${blocks.dropped === 0 ? "no block of runs was played to its end" : "no block of runs has it throughout"}.`;
  if (tornado !== null) return tornadoHeadline(tornado, label, unit);
  if (sd === 0) return `Nothing that was changed makes a difference to ${label}: it is ${figure(found.mean!, unit)} everywhere.`;
  if (screening !== null) {
    const [first, ...others] = screening.filter(({ muStar }) => muStar.value > 0).slice(0, named);
    if (first === undefined) return `Nothing that was changed makes a difference to ${label}.`;
    const size = (one: ScreenedFactor): string => `${formatChange(one.muStar.value, unit)}${between(one.muStar, unit)}`;
    const rest = others.map((one) => `${one.factor} one of ${size(one)}`);
    return `${capital(first.factor)} matters most for ${label}: over its range it makes a difference of ${size(first)} on average${rest.length === 0 ? "" : `, ${listed(rest)}`}.`;
  }
  if (indices === null) return `Nothing can be said of what matters for ${label}: too few runs.`;
  const ranked = indices.factors.toSorted((a, b) => b.first.value - a.first.value);
  const shown = ranked.filter(({ first }) => first.value >= 0.005).slice(0, named);
  const [first, ...others] = shown;
  const together = togetherText(indices.together);
  if (first === undefined) return `No factor alone explains any of the variance of ${label}${together}.`;
  return `${capital(first.factor)} explains ${percents(first.first)} of the variance of ${label}${others.map((one) => `, ${one.factor} ${percents(one.first)}`).join("")}${together}.`;
}

/** What else there is to say. */
export function findingsOf(found: Found, factors: readonly Factor[], replications: number): string[] {
  const { metric: { label, unit }, screening, indices, tornado, blocks, sd } = found;
  const findings: string[] = [];
  if (screening !== null && sd !== 0) for (const one of screening) findings.push(screenedSentence(one, factors.find(({ name }) => name === one.factor)!, found));
  if (indices !== null) findings.push(...indexSentences(indices));
  if (tornado !== null && blocks.used > 0) {
    for (const { factor, low, high } of tornado.bars) findings.push(`${capital(factor)}: at ${low.text} ${endText(low, label, unit)}; at ${high.text} ${endText(high, label, unit)}.`);
  }
  if (tornado === null && blocks.used > 0) findings.push(...chanceSentences(found, replications));
  if (blocks.dropped > 0) {
    const what = tornado === null ? screening !== null ? "trajectories" : "blocks" : "pairs of runs";
    findings.push(`${formatNumber(blocks.dropped)} of ${formatNumber(blocks.used + blocks.dropped)} ${what} ${blocks.dropped === 1 ? "was" : "were"} left out, since a run of ${blocks.dropped === 1 ? "its" : "theirs"} failed or has no such figure. What is said holds for the others; if failures have to do with the factors, it is blind where they happen.`);
  }
  return findings;
}

function screenedSentence({ factor, steps, mu, muStar, sigma }: ScreenedFactor, { moves }: Factor, { metric: { unit }, chance }: Found): string {
  const { range } = moves[0]!;
  const [from, to] = [valueAt(range, 0).text, valueAt(range, 1).text];
  if (steps === 0) return `${capital(factor)} never changed its value: its range is finer than its field takes.`;
  if (muStar.value === 0) return `${capital(factor)}, from ${from} to ${to}, makes no difference.`;
  const ratio = sigma.value / muStar.value;
  const oneWay = Math.abs(mu.value) >= 0.9 * muStar.value;
  const direction = !oneWay ? "moves" : mu.value > 0 ? "raises" : "lowers";
  const elsewhere = "on where it starts and on the others";
  const steady = ratio < 0.1 ? ", by nearly the same wherever it starts" : ratio < 0.5 ? ", by much the same wherever it starts" : `; how much${oneWay ? "" : ", and which way,"} depends ${ratio < 1 ? "" : "strongly "}${elsewhere}`;
  // Where the effect hardly varies, chance did not strike it: the same random numbers took it out.
  const struck = chance?.muStar != null && muStar.value < 2 * chance.muStar && sigma.value > chance.muStar / 2;
  const noise = struck ? ` Chance alone may show as much as ${formatChange(chance.muStar, unit)}.` : "";
  return `${capital(factor)}, from ${from} to ${to}, ${direction} it by ${formatChange(muStar.value, unit)} on average${steady}.${noise}`;
}

function indexSentences({ factors, pairs }: NonNullable<SensitivityOfMetric["indices"]>): string[] {
  const idle = factors.filter(({ total }) => (total.interval?.high ?? total.value) < negligible);
  const social = factors.filter(({ first, total }) => total.value - Math.max(0, first.value) >= negligible && (total.interval?.low ?? total.value) > (first.interval?.high ?? first.value));
  const sentences = social.map(({ factor, first, total }) => `${capital(factor)} does much together with others: ${percents(first)} alone, ${percents(total)} in all.`);
  const strong = (pairs ?? []).filter(({ index }) => index.value >= negligible && (index.interval?.low ?? 0) > 0).slice(0, 3);
  for (const { factors: [a, b], index } of strong) sentences.push(`${capital(a)} and ${b} explain ${percents(index)} together that neither explains alone.`);
  if (idle.length > 0) {
    const most = Math.max(...idle.map(({ total }) => total.interval?.high ?? total.value));
    const [leave, they] = idle.length === 1 ? ["could as well be left as it is", "it does"] : ["could as well be left as they are", "they do"];
    sentences.push(`${capital(listed(idle.map(({ factor }) => factor)))} ${leave}: ${most === 0 ? "no difference" : `with all that ${they} together with others, at most ${whole(most)} % of the variance${idle.length === 1 ? "" : " each"}`}.`);
  }
  const widest = Math.max(...factors.map(({ first }) => (first.interval === null ? 0 : (first.interval.high - first.interval.low) / 2)));
  if (widest > 0.1) sentences.push(`The widest interval is ${whole(widest)} points to either side; four times the points halve it.`);
  return sentences;
}

function chanceSentences({ chance, indices }: Found, replications: number): string[] {
  if (replications === 1) return ["Each point was played once: what chance does to it counts as an effect of the factors, and raises total indices and small effects. Two replications or more tell how much."];
  if (chance?.share == null || chance.share < 0.005) return [];
  const share = `About ${whole(chance.share)} % of the variance between points is chance, though all points have the same random numbers`;
  return [indices === null ? `${share}: small effects are partly that.` : `${share}: it raises each total index by about as much, and lowers first-order ones in proportion. More replications lessen it.`];
}

function tornadoHeadline({ base, bars }: NonNullable<SensitivityOfMetric["tornado"]>, label: string, unit: FigureUnit): string {
  const [first, ...others] = bars.filter(({ swing }) => swing !== null && swing > 0);
  if (base.mean === null) return `Nothing can be said of ${label}: no run of the scenario as it stands has it.`;
  if (first === undefined) return `Nothing that was changed makes a difference to ${label}: it is ${figure(base.mean, unit)}.`;
  const rest = others.slice(0, named - 1).map(({ factor, swing }) => `${factor} (${formatChange(swing!, unit)})`);
  return `${capital(first.factor)} matters most for ${label}: ${figure(first.low.estimate.mean!, unit)} at ${first.low.text}, ${figure(first.high.estimate.mean!, unit)} at ${first.high.text}, ${figure(base.mean, unit)} as the scenario stands${rest.length === 0 ? "" : `; then ${listed(rest)}`}.`;
}

function endText({ difference }: SensitivityEnd, label: string, unit: FigureUnit): string {
  const { mean, interval } = difference;
  if (mean === null) return `nothing is known of ${label}`;
  if (mean === 0 && (interval === null || interval.low === interval.high)) return "it is the same";
  if (interval !== null && interval.low <= 0 && interval.high >= 0) return `no difference was found; one of more than ${formatChange(Math.max(-interval.low, interval.high), unit)} could be excluded`;
  const sign = mean < 0 ? -1 : 1;
  const range = interval === null ? "" : ` (${formatBounds(formatChange(Math.min(sign * interval.low, sign * interval.high), unit), formatChange(Math.max(sign * interval.low, sign * interval.high), unit))})`;
  return `it ${mean < 0 ? "falls" : "rises"} by ${formatChange(Math.abs(mean), unit)}${range}`;
}

function togetherText(together: ResampledFigure): string {
  const { value, interval } = together;
  if (interval !== null && interval.low <= 0) return `; what they do together is at most ${whole(share(interval.high))} %`;
  return `; what they do together ${percents({ value, interval })}`;
}

/** `62 % (55 to 70)`. */
export function percents({ value, interval }: ResampledFigure): string {
  const range = interval === null ? "" : ` (${whole(share(interval.low))} to ${whole(share(interval.high))})`;
  return `${whole(share(value))} %${range}`;
}

/** What an estimate may be wrong by may take it out of bounds. */
function share(value: number): number {
  return Math.min(1, Math.max(0, value));
}

function whole(share: number): string {
  const percent = share * 100;
  return formatNumber(percent, Math.abs(percent) < 1 ? 1 : 0);
}

function between({ interval }: ResampledFigure, unit: FigureUnit): string {
  return interval === null ? "" : ` (${formatBounds(formatChange(interval.low, unit), formatChange(interval.high, unit))})`;
}

/** To three digits: what is estimated has no more. */
function figure(value: number, unit: FigureUnit): string {
  return formatFigure(Number(value.toPrecision(3)), unit);
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)!}`;
}
