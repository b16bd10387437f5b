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
  const times = (value: number, factor: number): number => value * factor;
  const end = (text: string, changed: Partial<Costs>): End & { readonly costs: Costs } => ({ text, costs: { ...costs, ...changed } });
  const variations: CostVariation[] = [
    {
      id: "electricity", name: "Electricity", base: `${usd(electricityUsdPerKwh)}/kWh`,
      low: end(`${usd(times(electricityUsdPerKwh, 0.5))}/kWh`, { electricityUsdPerKwh: times(electricityUsdPerKwh, 0.5) }),
      high: end(`${usd(times(electricityUsdPerKwh, 2))}/kWh`, { electricityUsdPerKwh: times(electricityUsdPerKwh, 2) }),
    },
    {
      id: "exchange", name: "Exchange rate", base: `${formatNumber(usdPerBtc)} USD/btc`,
      low: end(formatNumber(usdPerBtc / 2), { usdPerBtc: usdPerBtc / 2 }),
      high: end(formatNumber(usdPerBtc * 1.5), { usdPerBtc: usdPerBtc * 1.5 }),
    },
    {
      id: "uptime", name: "Availability", base: formatPercent(uptime),
      low: end(formatPercent(uptime / 2), { uptime: uptime / 2 }),
      high: end("100 %", { uptime: 1 }),
    },
  ];
  if (rentUsdPerHour > 0) {
    variations.push({
      id: "rent", name: "Rent", base: `${usd(rentUsdPerHour)}/h`,
      low: end(`${usd(rentUsdPerHour * 0.75)}/h`, { rentUsdPerHour: rentUsdPerHour * 0.75 }),
      high: end(`${usd(rentUsdPerHour * 1.25)}/h`, { rentUsdPerHour: rentUsdPerHour * 1.25 }),
    });
  } else if (purchaseUsd > 0) {
    const [shortLife, longLife] = [lifeYears / 2, lifeYears * 1.5];
    variations.push(
      {
        id: "purchase", name: "Purchase price", base: usd(purchaseUsd),
        low: end(usd(purchaseUsd / 2), { purchaseUsd: purchaseUsd / 2 }),
        high: end(usd(purchaseUsd * 1.25), { purchaseUsd: purchaseUsd * 1.25 }),
      },
      {
        id: "life", name: "Life", base: years(lifeYears),
        low: end(years(shortLife), { lifeYears: shortLife }),
        high: end(years(longLife), { lifeYears: longLife }),
      },
      {
        id: "residual", name: "Residual value", base: formatPercent(residualShare),
        low: end("0 %", { residualShare: 0 }),
        high: end(formatPercent(Math.min(1, residualShare + 0.2)), { residualShare: Math.min(1, residualShare + 0.2) }),
      },
      {
        id: "capital", name: "Return elsewhere", base: `${formatPercent(capitalPerYear)}/year`,
        low: end("0 %", { capitalPerYear: 0 }),
        high: end(formatPercent(capitalPerYear + 0.05), { capitalPerYear: capitalPerYear + 0.05 }),
      },
    );
  }
  if (board) {
    variations.push({
      id: "host", name: "Power of the host", base: `${formatSignificant(hostWatts)} W`,
      low: end("0 W", { hostWatts: 0 }),
      high: end(`${formatSignificant(hostWatts + 60)} W`, { hostWatts: hostWatts + 60 }),
    });
  }
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
