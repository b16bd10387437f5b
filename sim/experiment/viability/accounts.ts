import { MSAT_PER_BTC } from "../../../protocol/units.ts";

/** Hours in a month: a twelfth of 365.25 days. */
export const hoursPerMonth = 730.5;

/** What one play of a market brought one node, over the measured interval. */
export interface NodeOutcome {
  readonly seed: number;
  /** Length of the measured interval, hours. */
  readonly measuredHours: number;
  readonly revenueMsat: number;
  readonly jobs: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Busy slots over slots, 0 to 1. */
  readonly utilisation: number;
  /** Time with at least one job, 0 to 1. */
  readonly busyShare: number;
}

/** What running the machine costs, and what its earnings are worth. */
export interface Costs {
  readonly electricityUsdPerKwh: number;
  readonly idleWatts: number;
  readonly loadWatts: number;
  /** Drawn all the time the machine is on, by what the watts above leave out. */
  readonly hostWatts: number;
  readonly purchaseUsd: number;
  readonly lifeYears: number;
  /** What the machine is worth after its life, share of the purchase price. */
  readonly residualShare: number;
  /** Yearly return that the money in the machine would have elsewhere, 0.05 for 5 %. */
  readonly capitalPerYear: number;
  readonly otherUsdPerMonth: number;
  /** Share of the month's hours for which the machine is on, 0 to 1. */
  readonly uptime: number;
  readonly usdPerBtc: number;
}

/** A month's account, USD. */
export interface MonthlyAccount {
  readonly revenueUsd: number;
  readonly electricityUsd: number;
  readonly depreciationUsd: number;
  readonly capitalUsd: number;
  readonly otherUsd: number;
  readonly profitUsd: number;
  /** Before what the purchase costs: revenue less electricity and the monthly rest. */
  readonly runningProfitUsd: number;
}

/**
 * The account of a month in which every hour that the machine is on goes as the measured ones did. Off, it earns nothing and
 * draws nothing. Depreciation is linear; the capital tied up is the mean of purchase price and residual value.
 */
export function monthlyAccount(outcome: NodeOutcome, costs: Costs): MonthlyAccount {
  const hoursOn = hoursPerMonth * costs.uptime;
  const revenueUsd = outcome.revenueMsat / outcome.measuredHours * hoursOn / MSAT_PER_BTC * costs.usdPerBtc;
  const watts = costs.idleWatts + (costs.loadWatts - costs.idleWatts) * outcome.busyShare + costs.hostWatts;
  const electricityUsd = hoursOn * watts / 1_000 * costs.electricityUsdPerKwh;
  const depreciationUsd = costs.purchaseUsd * (1 - costs.residualShare) / (12 * costs.lifeYears);
  const capitalUsd = costs.purchaseUsd * (1 + costs.residualShare) / 2 * costs.capitalPerYear / 12;
  const runningProfitUsd = revenueUsd - electricityUsd - costs.otherUsdPerMonth;
  return {
    revenueUsd, electricityUsd, depreciationUsd, capitalUsd, otherUsd: costs.otherUsdPerMonth,
    profitUsd: runningProfitUsd - depreciationUsd - capitalUsd, runningProfitUsd,
  };
}

/** Months until the running profit has paid the purchase price; Infinity: never. A machine that cost nothing is paid at once. */
export function paybackMonths({ runningProfitUsd }: MonthlyAccount, { purchaseUsd }: Costs): number {
  if (purchaseUsd === 0) return 0;
  return runningProfitUsd > 0 ? purchaseUsd / runningProfitUsd : Infinity;
}

/** The outcomes' mean, as the outcome of an average hour; its seed is the first one's. @throws RangeError where there is none */
export function meanOutcome(outcomes: readonly NodeOutcome[]): NodeOutcome {
  const first = outcomes[0];
  if (first === undefined) throw new RangeError("the mean of no outcomes");
  const mean = (of: (outcome: NodeOutcome) => number): number => outcomes.reduce((sum, outcome) => sum + of(outcome), 0) / outcomes.length;
  return {
    seed: first.seed,
    measuredHours: mean(({ measuredHours }) => measuredHours),
    revenueMsat: mean(({ revenueMsat }) => revenueMsat),
    jobs: mean(({ jobs }) => jobs),
    inputTokens: mean(({ inputTokens }) => inputTokens),
    outputTokens: mean(({ outputTokens }) => outputTokens),
    utilisation: mean(({ utilisation }) => utilisation),
    busyShare: mean(({ busyShare }) => busyShare),
  };
}
