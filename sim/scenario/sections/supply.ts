import { z } from "zod";
import type { Amount, Denomination } from "../../supply/amount.ts";
import { ppm, type OwnedMachine, type RentedMachine } from "../../supply/costs.ts";
import { flatTariff, type TariffSpec, type TariffStep } from "../../supply/tariff.ts";
import type { QuantityInput } from "../../../input/fields.ts";
import { bytes, duration, energyPrice, money, moneyPerTime, positiveDuration, share, trafficPrice, yearlyShare } from "../../../input/quantities.ts";
import { alternatives } from "../../../input/units.ts";
import type { Path, SectionContext } from "./context.ts";
import { checkGrowth, readSeries } from "./series.ts";

const HOUR_US = 3_600_000_000;
const WEEK_US = 168 * HOUR_US;
const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;

/** What the operator pays for, beside electricity. */
export const costs = z.strictObject({
  purchase: z.union([z.literal("catalogue"), money]).optional().describe("What the machine costs: an amount, or `catalogue`. Default: the catalogue's price where it has the machine and no `rent` is given; otherwise nothing."),
  life: positiveDuration.default("4y").describe("The machine is written off in a straight line over this time."),
  residual: share.default("20 %").describe("What it sells for at the end of its life, as a share of the price."),
  rent: moneyPerTime.optional().describe("Rent of the machine, in place of buying it."),
  capital: yearlyShare.default("6 %/year").describe("Cost of capital, or what the money would earn elsewhere: on the machine's mean book value, and on the stake."),
  maintenance: yearlyShare.default(0).describe("Upkeep and repairs, as a share of the price."),
  failure: yearlyShare.default(0).describe("Probability that the machine is lost, at its mean book value."),
  bandwidth: trafficPrice.optional().describe("Price of traffic. Default: included in what the operator pays anyway."),
  bytesPerToken: bytes.default("100 B").describe("Traffic of one token, input or output, with its share of the messages around it."),
});

const day = z.enum(DAYS);
const timeOfUse = z.array(z.strictObject({
  price: energyPrice.describe("Price of electricity then."),
  hours: z.tuple([z.int().min(0).max(24), z.int().min(0).max(24)]).optional().describe("From this hour of the day to that one; [22, 6] runs over midnight. Default: all day."),
  days: z.union([z.enum(["all", "weekdays", "weekend"]), z.array(day).min(1).max(7)]).default("all").describe("Days of the week on which these hours begin. Simulated time starts on a Monday at 0:00."),
})).min(1).max(100);

/** What a kilowatt-hour costs, and when. */
export const electricity = z.union([
  energyPrice,
  z.strictObject({ timeOfUse: timeOfUse.describe("Prices by hour and day of the week; where several apply, the last counts.") }),
  z.strictObject({
    steps: z.array(z.tuple([duration, energyPrice])).min(1).max(10_000).describe("[time, price] in order of time, the first at 0: from then on, this price."),
    period: positiveDuration.optional().describe("Repeats after this time (default: the last price lasts)."),
  }),
  z.strictObject({
    file: z.string().min(1).max(4096).describe("CSV file with lines of time and price, relative to the scenario file: `0h,0.12 USD/kWh`; times are durations from the start, or dates such as 2026-01-01T00:00:00Z, of which the first is the start."),
    unit: z.string().min(1).max(32).optional().describe("Unit of prices that are bare numbers, such as `EUR/MWh`."),
    period: positiveDuration.optional().describe("Repeats after this time (default: the last price lasts)."),
  }),
]);

/** In which money prices are posted. */
export const quote = z.union([
  z.enum(["msat", "USD", "EUR"]),
  z.strictObject({
    currency: z.enum(["USD", "EUR"]).describe("The money in which prices stay the same."),
    every: positiveDuration.default("10min").describe("How often they are converted at the going rate, and posted anew."),
  }),
]);

/** Whether operators come and go as it pays. */
export const entry = z.strictObject({
  potential: z.int().min(1).max(1_000_000).describe("Nodes of this class that there could be, those that are there at the start (`count`) included."),
  outside: moneyPerTime.default(0).describe("Outside option: what an operator would earn elsewhere, after costs."),
  spread: share.default(0).describe("Coefficient of variation of an operator's own factor on the outside option (lognormal, mean 1)."),
  every: positiveDuration.default("1d").describe("How often an operator thinks it over."),
  delay: duration.default("3d").describe("From the decision to join until the node is there."),
  exitDelay: duration.default("1d").describe("From the decision to leave until the node takes no more jobs."),
  memory: positiveDuration.default("2d").describe("Time constant of the exponentially weighted mean of what nodes of this class earn."),
  announced: z.boolean().default(true).describe("Whether operators know who else is about to join or leave. If they do not, they all come at once."),
});

/** What operators of a class pay for, quote in, and whether they come and go. */
export interface SupplySpec {
  /** null: nothing but electricity. */
  readonly costs: CostsSpec | null;
  /** Price of electricity over time; null: not stated. */
  readonly tariff: TariffSpec | null;
  /** null: in msat. */
  readonly quote: QuoteSpec | null;
  /** null: all of the class's nodes are there from the start to the end. */
  readonly entry: EntrySpec | null;
}

export interface CostsSpec {
  readonly machine: OwnedMachine | RentedMachine | null;
  readonly capitalPpmPerYear: number;
  readonly bandwidthPerGb: Amount | null;
  readonly bytesPerToken: number;
}

/** Prices in fiat money, converted and posted anew every so often. Integer millionths of the fiat unit. */
export interface QuoteSpec {
  readonly currency: Exclude<Denomination, "msat">;
  readonly everyUs: number;
  readonly inputUnitsPerMtok: number;
  readonly outputUnitsPerMtok: number;
  readonly fixedUnits: number;
}

export interface EntrySpec {
  readonly potential: number;
  /** Per hour, after costs. */
  readonly outsidePerHour: Amount;
  readonly outsideCv: number;
  readonly everyUs: number;
  readonly delayUs: number;
  readonly exitDelayUs: number;
  readonly memoryUs: number;
  readonly announced: boolean;
}

/** An operator's section as the schema leaves it. */
interface SupplyInput {
  readonly costs?: z.output<typeof costs> | undefined;
  readonly electricity?: z.output<typeof electricity> | undefined;
  readonly quote?: z.output<typeof quote> | undefined;
  readonly entry?: z.output<typeof entry> | undefined;
}

interface PriceInput {
  readonly input: QuantityInput;
  readonly output: QuantityInput;
  readonly fixed: QuantityInput;
}

/** What is known of the operator otherwise. */
interface Around {
  readonly count: number;
  readonly price: PriceInput;
  /** null: no machine of the catalogue. */
  readonly cataloguePriceUsd: number | null;
}

/** null where the operator says no more than a flat price of electricity. */
export function resolveSupply(input: SupplyInput, around: Around, path: Path, context: SectionContext): SupplySpec | null {
  if (input.entry === undefined && around.count === 0) context.finding({ path: [...path, "count"], found: "0", allowed: "at least 1, or `entry` with nodes that may join" });
  const flat = input.electricity === undefined || typeof input.electricity !== "object";
  if (input.costs === undefined && flat && input.entry === undefined && (input.quote ?? "msat") === "msat" && !context.moving) return null;
  return {
    costs: input.costs === undefined ? null : resolveCosts(input.costs, around.cataloguePriceUsd, [...path, "costs"], context),
    tariff: input.electricity === undefined ? null : resolveTariff(input.electricity, [...path, "electricity"], context),
    quote: resolveQuote(input.quote ?? "msat", around.price, path, context),
    entry: input.entry === undefined ? null : resolveEntry(input.entry, around.count, [...path, "entry"], context),
  };
}

/** A flat price, or the mean over a week, in whole msat at the scenario's rate; null where none is stated. */
export function meanElectricityMsat(input: z.output<typeof electricity> | undefined, spec: SupplySpec | null, path: Path, context: SectionContext): number | null {
  if (input === undefined) return null;
  if (typeof input !== "object") return context.number("energy price", input, path);
  const steps = spec?.tariff?.steps ?? [];
  const endUs = spec?.tariff?.periodUs ?? (steps.at(-1)?.atUs ?? 0) + 1;
  const mean = steps.reduce((sum, { atUs, perKwh }, i) => sum + context.msat(perKwh) * ((steps[i + 1]?.atUs ?? endUs) - atUs), 0) / endUs;
  return Math.round(mean);
}

function resolveCosts(input: z.output<typeof costs>, cataloguePriceUsd: number | null, path: Path, context: SectionContext): CostsSpec {
  return {
    machine: resolveMachine(input, cataloguePriceUsd, path, context),
    capitalPpmPerYear: ppm(context.number("yearly share", input.capital, [...path, "capital"])),
    bandwidthPerGb: input.bandwidth === undefined ? null : context.amount("traffic price", input.bandwidth, [...path, "bandwidth"]),
    bytesPerToken: context.number("bytes", input.bytesPerToken, [...path, "bytesPerToken"]),
  };
}

function resolveMachine(input: z.output<typeof costs>, cataloguePriceUsd: number | null, path: Path, context: SectionContext): CostsSpec["machine"] {
  if (input.rent !== undefined) {
    if (input.purchase !== undefined) context.finding({ path: [...path, "rent"], found: "rent and purchase", allowed: "one of them", atKey: true });
    return { kind: "rented", perHour: context.amount("money per time", input.rent, [...path, "rent"]) };
  }
  const asked = input.purchase ?? (cataloguePriceUsd === null ? undefined : "catalogue");
  if (asked === undefined) return null;
  if (asked === "catalogue" && cataloguePriceUsd === null) {
    context.finding({ path: [...path, "purchase"], found: '"catalogue", with a machine that is not in the catalogue', allowed: "an amount such as 1600 USD" });
    return null;
  }
  const price = context.amount("money", asked === "catalogue" ? `${cataloguePriceUsd} USD` : asked, input.purchase === undefined ? path : [...path, "purchase"]);
  const residual = context.number("share", input.residual, [...path, "residual"]);
  return {
    kind: "owned",
    price,
    residual: { currency: price.currency, units: Math.min(price.units, Math.round(price.units * residual)) },
    lifeUs: context.us(input.life, [...path, "life"]),
    maintenancePpmPerYear: ppm(context.number("yearly share", input.maintenance, [...path, "maintenance"])),
    failurePpmPerYear: ppm(context.number("yearly share", input.failure, [...path, "failure"])),
  };
}

function resolveTariff(input: z.output<typeof electricity>, path: Path, context: SectionContext): TariffSpec {
  if (typeof input !== "object") return flatTariff(context.amount("energy price", input, path));
  if ("timeOfUse" in input) return timeOfUseTariff(input.timeOfUse, [...path, "timeOfUse"], context);
  const periodUs = input.period === undefined ? null : context.us(input.period, [...path, "period"]);
  const at = [...path, "file" in input ? "file" : "steps"];
  const steps = "file" in input
    ? readSeries(input.file, "energy price", input.unit, "as in `{file: prices.csv, unit: EUR/MWh}`", at, context).map(({ atUs, value }): TariffStep => ({ atUs, perKwh: context.amount("energy price", value, at) }))
    : input.steps.map(([time, price], i): TariffStep => ({ atUs: context.us(time, [...at, i, 0]), perKwh: context.amount("energy price", price, [...at, i, 1]) }));
  const last = steps.at(-1);
  if (last === undefined) return flatTariff({ currency: "msat", units: 0 });
  if ("steps" in input) checkGrowth(steps, at, context);
  if (new Set(steps.map(({ perKwh }) => perKwh.currency)).size > 1) context.finding({ path: at, found: "prices in several currencies", allowed: "one currency" });
  if (periodUs !== null && last.atUs >= periodUs) context.finding({ path: [...path, "period"], found: "a period that ends before the last price begins", allowed: "a longer period, or fewer prices" });
  return { steps, periodUs };
}

function timeOfUseTariff(periods: z.output<typeof timeOfUse>, path: Path, context: SectionContext): TariffSpec {
  const hourly = new Array<Amount | null>(168).fill(null);
  periods.forEach(({ price, hours, days }, i) => {
    const amount = context.amount("energy price", price, [...path, i, "price"]);
    const [from, to] = hours ?? [0, 24];
    const length = to > from ? to - from : to - from + 24;
    if (from === to || from === 24) context.finding({ path: [...path, i, "hours"], found: `[${from}, ${to}]`, allowed: "two different hours, the first from 0 to 23, such as [22, 6]" });
    DAYS.forEach((name, index) => {
      const applies = days === "all" || (days === "weekdays" ? index < 5 : days === "weekend" ? index >= 5 : days.includes(name));
      if (applies) for (let hour = 0; hour < length; hour++) hourly[(index * 24 + from + hour) % 168] = amount;
    });
  });
  const bare = hourly.indexOf(null);
  if (bare >= 0) context.finding({ path, found: `no price on ${DAYS[Math.floor(bare / 24)]} at ${bare % 24}:00`, allowed: "prices for every hour of the week: a first entry without hours and days covers them all" });
  if (new Set(hourly.map((amount) => amount?.currency)).size > 1) context.finding({ path, found: `prices in ${alternatives([...new Set(hourly.map((amount) => amount?.currency ?? "nothing"))])}`, allowed: "one currency" });
  const steps: TariffStep[] = [];
  hourly.forEach((amount, hour) => {
    const perKwh = amount ?? { currency: "msat" as const, units: 0 };
    const before = steps.at(-1)?.perKwh;
    if (before?.units !== perKwh.units || before.currency !== perKwh.currency) steps.push({ atUs: hour * HOUR_US, perKwh });
  });
  return { steps, periodUs: WEEK_US };
}

function resolveQuote(input: z.output<typeof quote>, price: PriceInput, path: Path, context: SectionContext): QuoteSpec | null {
  if (input === "msat") return null;
  const { currency, every } = typeof input === "string" ? { currency: input, every: "10min" } : input;
  const at = [...path, "quote"];
  const known = context.fiatUnits(currency, 0, at);
  // At a rate that stands still, a price in fiat money is a price in bitcoin.
  if (!context.moving || known === null) return null;
  const units = (dimension: "token price" | "money", key: keyof PriceInput): number => {
    const amount = context.amount(dimension, price[key], [...path, "price", key]);
    return amount.currency === currency ? amount.units : context.fiatUnits(currency, context.msat(amount), at) ?? 0;
  };
  return {
    currency, everyUs: context.us(every, [...at, "every"]),
    inputUnitsPerMtok: units("token price", "input"), outputUnitsPerMtok: units("token price", "output"), fixedUnits: units("money", "fixed"),
  };
}

function resolveEntry(input: z.output<typeof entry>, count: number, path: Path, context: SectionContext): EntrySpec {
  if (input.potential < count) context.finding({ path: [...path, "potential"], found: String(input.potential), allowed: `at least the ${count} nodes that are there at the start` });
  return {
    potential: Math.max(input.potential, count),
    outsidePerHour: context.amount("money per time", input.outside, [...path, "outside"]),
    outsideCv: context.number("share", input.spread, [...path, "spread"]),
    everyUs: context.us(input.every, [...path, "every"]),
    delayUs: context.us(input.delay, [...path, "delay"]),
    exitDelayUs: context.us(input.exitDelay, [...path, "exitDelay"]),
    memoryUs: context.us(input.memory, [...path, "memory"]),
    announced: input.announced,
  };
}
