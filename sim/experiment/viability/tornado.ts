import { formatNumber, formatPercent, formatSignificant } from "../../../protocol/units.ts";
import type { Scenario } from "../../scenario/scenario.ts";
import type { Costs } from "./accounts.ts";
import { withDemand, withFee } from "./market.ts";

/** Factors on the price of which the tornado shows the outer two; the others look for the break-even and the best price. */
export const priceFactors = { low: 0.7, high: 1.4 } as const;
const demandFactors = { low: 0.5, high: 1.5 } as const;
const feeMoreBps = 1_000;

/** One end of a bar: an assumption at another value. */
export interface End {
  readonly text: string;
}

/** An assumption that only the account knows of. */
export interface CostVariation {
  readonly id: string;
  readonly name: string;
  readonly base: string;
  readonly low: End & { readonly costs: Costs };
  readonly high: End & { readonly costs: Costs };
}

/** An assumption that the whole market answers to. */
export interface MarketVariation {
  readonly id: string;
  readonly name: string;
  readonly base: string;
  readonly low: End & { readonly scenario: Scenario };
  readonly high: End & { readonly scenario: Scenario };
}

const usd = (value: number): string => `${formatSignificant(value)} USD`;

/**
 * What the costs may be wrong by: a low and a high value each, wide enough that few would bet on more. Those that a value of 0
 * leaves without effect are left out.
 * @param board whether the machine is a card in a computer whose power is not counted
 */
export function costVariations(costs: Costs, board: boolean): CostVariation[] {
  const { electricityUsdPerKwh, purchaseUsd, lifeYears, residualShare, capitalPerYear, uptime, usdPerBtc, hostWatts, rentUsdPerHour } = costs;
  const vary = (id: string, name: string, key: keyof Costs, low: number, high: number, ends: (value: number) => string, base: (value: number) => string = ends): CostVariation => {
    const end = (value: number): CostVariation["low"] => ({ text: ends(value), costs: { ...costs, [key]: value } });
    return { id, name, base: base(costs[key]), low: end(low), high: end(high) };
  };
  const share = (value: number): string => formatPercent(value);
  const variations = [
    vary("electricity", "Electricity", "electricityUsdPerKwh", electricityUsdPerKwh * 0.5, electricityUsdPerKwh * 2, (value) => `${usd(value)}/kWh`),
    vary("exchange", "Exchange rate", "usdPerBtc", usdPerBtc / 2, usdPerBtc * 1.5, (value) => formatNumber(value), (value) => `${formatNumber(value)} USD/btc`),
    vary("uptime", "Availability", "uptime", uptime / 2, 1, share),
  ];
  if (rentUsdPerHour > 0) {
    variations.push(vary("rent", "Rent", "rentUsdPerHour", rentUsdPerHour * 0.75, rentUsdPerHour * 1.25, (value) => `${usd(value)}/h`));
  } else if (purchaseUsd > 0) {
    variations.push(
      vary("purchase", "Purchase price", "purchaseUsd", purchaseUsd / 2, purchaseUsd * 1.25, usd),
      vary("life", "Life", "lifeYears", lifeYears / 2, lifeYears * 1.5, years),
      vary("residual", "Residual value", "residualShare", 0, Math.min(1, residualShare + 0.2), share),
      vary("capital", "Return elsewhere", "capitalPerYear", 0, capitalPerYear + 0.05, share, (value) => `${formatPercent(value)}/year`),
    );
  }
  if (board) variations.push(vary("host", "Power of the host", "hostWatts", 0, hostWatts + 60, (value) => `${formatSignificant(value)} W`));
  return variations;
}

/** What the market may be like instead. The price is looked at apart, together with its break-even. */
export function marketVariations(scenario: Scenario): MarketVariation[] {
  const { shareBps, flatMsat } = scenario.router.fee;
  const base = [...(shareBps > 0 ? [`${formatSignificant(shareBps / 100)} %`] : []), ...(flatMsat > 0 ? [`${formatNumber(flatMsat)} msat`] : [])].join(" + ");
  return [
    {
      id: "demand", name: "Demand", base: "as the scenario has it",
      low: { text: `x ${demandFactors.low}`, scenario: withDemand(scenario, demandFactors.low) },
      high: { text: `x ${demandFactors.high}`, scenario: withDemand(scenario, demandFactors.high) },
    },
    {
      id: "fee", name: "Router's fee", base: base === "" ? "none" : base,
      low: { text: "none", scenario: withFee(scenario, null) },
      high: { text: `${feeMoreBps / 100} % more`, scenario: withFee(scenario, feeMoreBps) },
    },
  ];
}

function years(value: number): string {
  return value === 1 ? "1 year" : `${formatSignificant(value)} years`;
}
