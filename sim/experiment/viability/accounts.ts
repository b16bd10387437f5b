import { MSAT_PER_BTC, US_PER_H } from "../../../protocol/units.ts";
import type { Amount } from "../../supply/amount.ts";
import { rateOf, UNITS_PER_FIAT } from "../../supply/amount.ts";
import type { CostModel } from "../../supply/costs.ts";
import { costsOf, ppm, US_PER_YEAR } from "../../supply/costs.ts";

/** Hours in a month: a twelfth of 365.25 days. */
export const hoursPerMonth = 730.5;

/** What one play of a market brought one node, over the measured interval. */
export interface NodeOutcome {
  readonly seed: number;
  /** Length of the measured interval, hours. */
  readonly measuredHours: number;
  /** Less the fees that fell to the operator. */
  readonly revenueMsat: number;
  readonly jobs: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Busy slots over slots, 0 to 1. */
  readonly utilisation: number;
  /** Time with at least one job, 0 to 1. */
  readonly busyShare: number;
}

/** What running the machine costs, and what its earnings are worth. Shares are from 0 to 1, rates per year. */
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
  /** Above 0: the machine is rented at this price, whether it is on or not, and not bought. */
  readonly rentUsdPerHour: number;
  /** What the money in machine and stake would bring elsewhere. */
  readonly capitalPerYear: number;
  /** Upkeep and repairs, share of the purchase price. */
  readonly upkeepPerYear: number;
  readonly stakeMsat: number;
  readonly otherUsdPerMonth: number;
  /** Share of the month's hours for which the machine is on, above 0. */
  readonly uptime: number;
  readonly usdPerBtc: number;
}

/** A month's account, USD. */
export interface MonthlyAccount {
  readonly revenueUsd: number;
  readonly electricityUsd: number;
  readonly depreciationUsd: number;
  readonly rentUsd: number;
  /** On machine and stake. */
  readonly capitalUsd: number;
  readonly upkeepUsd: number;
  readonly otherUsd: number;
  readonly profitUsd: number;
  /** Before what is gone or tied up once the machine is bought: profit without depreciation and cost of capital. */
  readonly runningProfitUsd: number;
}

/**
 * The account of a month in which every hour that the machine is on goes as the measured ones did. Off, it earns nothing and
 * draws nothing. What it costs is the lab's one cost model, sim/supply/costs.ts.
 */
export function monthlyAccount(outcome: NodeOutcome, costs: Costs): MonthlyAccount {
  const { usdPerBtc } = costs;
  const hoursOn = hoursPerMonth * costs.uptime;
  const usdOf = (amountMsat: number): number => amountMsat / MSAT_PER_BTC * usdPerBtc;
  const revenueUsd = usdOf(outcome.revenueMsat / outcome.measuredHours * hoursOn);
  const account = costsOf(modelOf(costs), [{
    ownedUs: Math.round(hoursPerMonth * US_PER_H),
    idleUs: Math.round(hoursOn * (1 - outcome.busyShare) * US_PER_H),
    loadUs: Math.round(hoursOn * outcome.busyShare * US_PER_H),
    tokens: 0, routerFeesMsat: 0, lightningFeesMsat: 0,
    energyPerKwh: usd(costs.electricityUsdPerKwh),
    rates: { USD: rateOf(MSAT_PER_BTC / usdPerBtc), EUR: 0 },
  }]);
  const electricityUsd = usdOf(account.electricityMsat);
  const depreciationUsd = usdOf(account.depreciationMsat);
  const rentUsd = usdOf(account.rentMsat);
  const capitalUsd = usdOf(account.capitalMsat + account.stakeMsat);
  const upkeepUsd = usdOf(account.maintenanceMsat);
  const otherUsd = costs.otherUsdPerMonth;
  const runningProfitUsd = revenueUsd - electricityUsd - rentUsd - upkeepUsd - otherUsd;
  return { revenueUsd, electricityUsd, depreciationUsd, rentUsd, capitalUsd, upkeepUsd, otherUsd, profitUsd: runningProfitUsd - depreciationUsd - capitalUsd, runningProfitUsd };
}

function modelOf(costs: Costs): CostModel {
  const milliwatts = (watts: number): number => Math.round((watts + costs.hostWatts) * 1_000);
  return {
    machine: machineOf(costs),
    capitalPpmPerYear: ppm(costs.capitalPerYear),
    stakeMsat: costs.stakeMsat,
    power: { idleMilliwatts: milliwatts(costs.idleWatts), loadMilliwatts: milliwatts(costs.loadWatts) },
    bandwidthPerGb: null,
    bytesPerToken: 0,
  };
}

function machineOf({ purchaseUsd, lifeYears, residualShare, rentUsdPerHour, upkeepPerYear }: Costs): CostModel["machine"] {
  if (rentUsdPerHour > 0) return { kind: "rented", perHour: usd(rentUsdPerHour) };
  return {
    kind: "owned", price: usd(purchaseUsd), residual: usd(purchaseUsd * residualShare), lifeUs: Math.round(lifeYears * US_PER_YEAR),
    maintenancePpmPerYear: ppm(upkeepPerYear), failurePpmPerYear: 0,
  };
}

function usd(amount: number): Amount {
  return { currency: "USD", units: Math.round(amount * UNITS_PER_FIAT) };
}

/** Months until the running profit has paid the purchase price; Infinity: never. One that cost nothing, or is rented, is paid at once. */
export function paybackMonths({ runningProfitUsd }: MonthlyAccount, { purchaseUsd, rentUsdPerHour }: Costs): number {
  if (purchaseUsd === 0 || rentUsdPerHour > 0) return 0;
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
