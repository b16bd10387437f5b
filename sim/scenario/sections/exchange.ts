import { z } from "zod";
import type { ExchangeMoves } from "../../supply/exchange.ts";
import { oneOf } from "../../../input/fields.ts";
import { duration, exchangeRate, positiveDuration, volatility, yearlyShare } from "../../../input/quantities.ts";
import { parseQuantity, toNumber } from "../../../input/units.ts";
import type { Path, SectionContext } from "./context.ts";
import { checkGrowth, readSeries } from "./series.ts";

const UNIT_HINT = "as in `file: {path: rates.csv, unit: USD/btc}`";

export interface ExchangeRate {
  readonly currency: "USD" | "EUR";
  /** msat for one unit of the currency; positive. */
  readonly msatPerUnit: number;
}

/** How the worth of a bitcoin moves. */
export const exchange = oneOf({
  file: z.union([z.string().min(1).max(4096), z.strictObject({
    path: z.string().min(1).max(4096).describe("CSV file with lines of time and rate, relative to the scenario file: `0h,100000 USD/btc`."),
    unit: z.string().min(1).max(32).optional().describe("Unit of rates that are bare numbers, such as `USD/btc`."),
  })]).describe("From a CSV file with lines of time and rate; other currencies of `exchangeRate` move in proportion."),
  steps: z.array(z.tuple([duration, exchangeRate])).min(1).max(10_000).describe("[time, rate] in order of time, the first at 0 and as in `exchangeRate`; other currencies move in proportion."),
  gbm: z.strictObject({
    drift: yearlyShare.default(0).describe("Growth of the expected rate, continuously compounded."),
    fall: z.boolean().default(false).describe("Whether the drift goes downwards."),
    volatility: volatility.default("60 %").describe("Standard deviation of the logarithm over a year."),
    every: positiveDuration.default("1h").describe("Steps in which the rate moves."),
  }).describe("A geometric Brownian path from `exchangeRate` on."),
}, ["constant"]);

/** Whether a rate that stands in the scenario moves. */
export function moves(input: z.output<typeof exchange> | undefined): boolean {
  return input !== undefined && input !== "constant";
}

/** Whether an amount, a distribution of amounts, or a part of what is written is in fiat money. */
export function statesFiat(value: unknown): boolean {
  return /[0-9] *(?:USD|EUR)/.test(JSON.stringify(value ?? null));
}

/** A rate that moves, and whom that concerns. */
export interface MovingExchange {
  readonly moves: ExchangeMoves;
  /** By operator class: whether it has costs or an outside option in fiat money. */
  readonly fiatOperators: readonly boolean[];
  /** By client class: whether what it pays at most, or what a job is worth to it, is in fiat money: it follows the rate then. */
  readonly fiatClients: readonly boolean[];
}

/** What decides whom a moving rate concerns. */
interface ExchangeInput {
  readonly exchange?: z.output<typeof exchange> | undefined;
  readonly operators: readonly { readonly costs?: { readonly purchase?: unknown; readonly rent?: unknown } | undefined }[];
  readonly clients: readonly unknown[];
}

/** null where rates stand still. */
export function resolveExchange(input: ExchangeInput, rates: readonly ExchangeRate[], context: SectionContext): MovingExchange | null {
  const moves = resolveMoves(input.exchange, rates, ["exchange"], context);
  if (moves === null) return null;
  return {
    moves,
    // The catalogue's prices are in USD.
    fiatOperators: input.operators.map((operator) => {
      const { costs, electricity, entry, marginalCost } = operator as Readonly<Record<string, unknown>>;
      const bought = operator.costs !== undefined && operator.costs.rent === undefined && typeof (operator.costs.purchase ?? "catalogue") === "string" && (operator.costs.purchase ?? "catalogue") === "catalogue";
      return bought || statesFiat([costs, electricity, entry, marginalCost]);
    }),
    fiatClients: input.clients.map((client) => {
      const { maxPrice, value } = client as Readonly<Record<string, unknown>>;
      return statesFiat([maxPrice, value]);
    }),
  };
}

function resolveMoves(input: z.output<typeof exchange> | undefined, rates: readonly ExchangeRate[], path: Path, context: SectionContext): ExchangeMoves | null {
  if (input === undefined || input === "constant") return null;
  if (rates.length === 0) context.finding({ path, found: "a rate that moves, and no `exchangeRate` to start from", allowed: "a rate at the top level such as \"exchangeRate: 100000 USD/btc\"", atKey: true });
  if ("gbm" in input) {
    const { drift, fall, volatility: sigma, every } = input.gbm;
    const at = [...path, "gbm"];
    return {
      kind: "gbm", driftPerYear: (fall ? -1 : 1) * context.number("yearly share", drift, [...at, "drift"]), volatility: context.number("share", sigma, [...at, "volatility"]),
      everyUs: context.us(every, [...at, "every"]),
    };
  }
  const at = "steps" in input ? [...path, "steps"] : typeof input.file === "string" ? [...path, "file"] : [...path, "file", "path"];
  const rows = "steps" in input
    ? input.steps.map(([time, value], i) => ({ atUs: context.us(time, [...at, i, 0]), value }))
    : typeof input.file === "string" ? readSeries(input.file, "exchange rate", undefined, UNIT_HINT, at, context) : readSeries(input.file.path, "exchange rate", input.file.unit, UNIT_HINT, at, context);
  if ("steps" in input) checkGrowth(rows, at, context);
  const points = rows.map(({ atUs, value }) => {
    const quantity = parseQuantity("exchange rate", value);
    return { atUs, rate: "found" in quantity ? 0 : toNumber(quantity), currency: "found" in quantity ? null : quantity.currency };
  });
  const first = points[0];
  if (first === undefined) return null;
  if (points.some(({ currency }) => currency !== first.currency)) context.finding({ path: at, found: "rates in several currencies", allowed: "one currency; the others of `exchangeRate` move in proportion" });
  if (points.some(({ rate }) => rate <= 0)) context.finding({ path: at, found: "a rate of 0", allowed: "rates above 0" });
  const known = rates.find(({ currency }) => currency === first.currency);
  const stated = known === undefined ? 0 : 100_000_000_000 / known.msatPerUnit;
  if (known !== undefined && Math.abs(stated / first.rate - 1) > 1e-9) {
    context.finding({ path: at, found: `${first.rate} ${first.currency}/btc at the start`, allowed: `the scenario's exchangeRate, ${stated} ${first.currency}/btc` });
  }
  return { kind: "path", points: points.map(({ atUs, rate }) => ({ atUs, relative: rate / first.rate })) };
}
