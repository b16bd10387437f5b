import type { JobRow } from "../../protocol/result.ts";
import { percent, reached, revenueMsat, sat, seconds, welfareOf } from "./figures.ts";
import type { Arm, Played } from "./study.ts";

/** The rows of the table, by their names. */
export const crowdArms: Readonly<Record<string, Arm>> = {
  posted: {},
  surge: { sets: ["pricing=surge"] },
  "surge, slope 5": { sets: ["pricing={surge: {slope: 5, max: 5}}"] },
  "surge, slope 10": { sets: ["pricing={surge: {slope: 10, max: 10}}"] },
  "base-fee": { sets: ["pricing=base-fee"] },
  "base-fee, 10s": { sets: ["pricing={base-fee: {interval: 10s}}"] },
  "call-for-bids": { sets: ["pricing=call-for-bids"] },
  "uniform-price": { sets: ["pricing=uniform-price"] },
  continuous: { sets: ["pricing=continuous"] },
};

const MINUTE_US = 60_000_000;
/** The crowd comes in the 21st minute, and has left after the 27th. */
const [COMES_US, LEFT_US] = [20 * MINUTE_US, 27 * MINUTE_US];
const WARM_US = 10 * MINUTE_US;
const PRICE_WINDOW_US = 10_000_000;

/** A row of the table, as the description has it. */
export function crowd(name: string, { report, rows }: Played): string {
  const came = rows.filter(({ submittedUs }) => submittedUs >= COMES_US && submittedUs < LEFT_US);
  const served = came.filter(({ status }) => status === "completed");
  const share = ([from, to]: readonly [number, number]): string => {
    const within = ({ maxPriceMsat }: JobRow): boolean => maxPriceMsat >= from && maxPriceMsat < to;
    return `${percent(served.filter(within).length / came.filter(within).length)} %`;
  };
  const waits = served.map(({ firstTokenUs, submittedUs }) => firstTokenUs - submittedUs).sort((a, b) => a - b);
  const prices = priceWindows(rows);
  const peak = Math.max(...prices.values());
  const back = [...prices].filter(([atUs, price]) => atUs >= LEFT_US && price > 1.2).map(([atUs]) => atUs + PRICE_WINDOW_US - LEFT_US);
  return [
    name, ...([[50, 100], [100, 200], [200, 400], [400, Infinity]] as const).map(share), `${seconds(waits[Math.floor(0.95 * waits.length)]!, 1)} s`,
    sat(revenueMsat(report)), sat(welfareOf(report).consumerSurplusMsat), `${percent(reached(report))} %`,
    `x ${peak.toFixed(peak < 9.95 ? 1 : 0)}`, peak < 1.2 ? "-" : back.length === 0 ? "at once" : duration(Math.max(...back)),
  ].join(" ");
}

function duration(us: number): string {
  return us >= 2 * MINUTE_US ? `${us / MINUTE_US} min` : `${us / 1e6} s`;
}

/** What was paid for the same tokens, relative to the time before the crowd; by the time at which jobs were assigned. */
function priceWindows(rows: readonly JobRow[]): Map<number, number> {
  const sums = new Map<number, [paid: number, tokens: number]>();
  const before: [paid: number, tokens: number] = [0, 0];
  for (const { status, assignedUs, amountMsat, feeMsat, inputTokens, outputTokens } of rows) {
    if (status !== "completed") continue;
    const atUs = Math.floor(assignedUs / PRICE_WINDOW_US) * PRICE_WINDOW_US;
    let window = sums.get(atUs);
    if (window === undefined) sums.set(atUs, (window = [0, 0]));
    for (const sum of [window, ...(assignedUs >= WARM_US && assignedUs < COMES_US ? [before] : [])]) {
      sum[0] += amountMsat + feeMsat;
      sum[1] += 12 * inputTokens + 96 * outputTokens;
    }
  }
  const usual = before[0] / before[1];
  return new Map([...sums].sort(([a], [b]) => a - b).map(([atUs, [paid, tokens]]) => [atUs, paid / tokens / usual]));
}
