import { nearest } from "./nearest.ts";

/** What a quantity in a scenario measures. */
export type Dimension =
  | "duration" | "rate" | "money" | "token price" | "power" | "energy price" | "exchange rate"
  | "money per time" | "traffic price" | "yearly share" | "share" | "tokens" | "bytes" | "bandwidth" | "compute";

export type Currency = "USD" | "EUR";

/** Exactly `numerator / denominator` base units; of `currency` where it is money in fiat. */
export interface Quantity {
  readonly numerator: bigint;
  readonly denominator: bigint;
  readonly currency: Currency | null;
}

/** Why a value is no quantity of the wanted dimension. */
export interface QuantityProblem {
  readonly found: string;
  readonly allowed: string;
  readonly suggestion?: string;
}

interface Unit {
  readonly numerator: bigint;
  readonly denominator: bigint;
  readonly currency: Currency | null;
}

interface DimensionRow {
  /** With its article, for messages. */
  readonly title: string;
  /** The base unit, in which results are counted. */
  readonly base: string;
  /** Whether results are whole numbers of the base unit. */
  readonly whole: boolean;
  readonly examples: readonly string[];
  /** By spelling; "" where the bare number has a meaning. */
  readonly units: ReadonlyMap<string, Unit>;
}

function unit(numerator: number | bigint, denominator: number | bigint = 1, currency: Currency | null = null): Unit {
  return { numerator: BigInt(numerator), denominator: BigInt(denominator), currency };
}

/** 365.25 days, µs. */
const yearUs = 31_557_600_000_000n;
/** Durations in µs. */
const durations: readonly (readonly [string, bigint])[] = [
  ["us", 1n], ["µs", 1n], ["ms", 1_000n], ["s", 1_000_000n], ["min", 60_000_000n], ["m", 60_000_000n],
  ["h", 3_600_000_000n], ["d", 86_400_000_000n], ["w", 604_800_000_000n],
];
/** Bitcoin money in msat; fiat in its own unit. */
const monies: readonly (readonly [string, Unit])[] = [
  ["msat", unit(1)], ["sat", unit(1_000)], ["sats", unit(1_000)], ["btc", unit(100_000_000_000n)], ["BTC", unit(100_000_000_000n)],
  ["USD", unit(1, 1, "USD")], ["EUR", unit(1, 1, "EUR")],
];
/** Spans of time for which something is paid, µs; a month is a twelfth of a year. */
const spans: readonly (readonly [string, bigint])[] = [["h", 3_600_000_000n], ["d", 86_400_000_000n], ["month", yearUs / 12n], ["year", yearUs]];
const byteUnits: readonly (readonly [string, bigint])[] = [
  ["B", 1n], ["kB", 1_000n], ["MB", 1_000_000n], ["GB", 1_000_000_000n], ["TB", 1_000_000_000_000n],
  ["KiB", 1n << 10n], ["MiB", 1n << 20n], ["GiB", 1n << 30n], ["TiB", 1n << 40n],
];
/** Price of this many tokens, brought to the million. */
const perTokens: readonly (readonly [string, bigint])[] = [["tok", 1_000_000n], ["ktok", 1_000n], ["Mtok", 1n]];
const flops: readonly (readonly [string, bigint])[] = [["", 1n], ["G", 1_000_000_000n], ["T", 1_000_000_000_000n], ["P", 1_000_000_000_000_000n]];

const rows: Readonly<Record<Dimension, DimensionRow>> = {
  duration: {
    title: "a duration", base: "us", whole: true, examples: ["250ms", "10s", "2h"],
    units: new Map([...durations, ["y", yearUs] as const].map(([name, us]) => [name, unit(us)])),
  },
  rate: {
    title: "a rate", base: "/s", whole: false, examples: ["5/s", "300/min", "10/h"],
    units: new Map(durations.map(([name, us]) => [`/${name}`, unit(1_000_000, us)])),
  },
  money: {
    title: "an amount of money", base: "msat", whole: true, examples: ["200 sat", "500 msat", "0.05 USD"],
    units: new Map(monies),
  },
  "token price": {
    title: "a price of tokens", base: "msat/Mtok", whole: true, examples: ["50 sat/Mtok", "2 msat/tok", "0.20 USD/Mtok"],
    units: new Map(monies.flatMap(([money, worth]) => perTokens.map(([tokens, factor]) =>
      [`${money}/${tokens}`, { ...worth, numerator: worth.numerator * factor }] as const))),
  },
  power: {
    title: "a power", base: "W", whole: false, examples: ["350W", "1.2 kW"],
    units: new Map([["W", unit(1)], ["kW", unit(1_000)]]),
  },
  "energy price": {
    title: "a price of energy", base: "msat/kWh", whole: true, examples: ["0.12 USD/kWh", "120 sat/kWh"],
    units: new Map(monies.flatMap(([money, worth]) => [[`${money}/kWh`, worth] as const, [`${money}/MWh`, { ...worth, denominator: worth.denominator * 1_000n }] as const])),
  },
  "money per time": {
    title: "an amount of money per time", base: "msat/h", whole: false, examples: ["0.30 USD/h", "300 sat/h", "20 USD/month"],
    units: new Map(monies.flatMap(([money, worth]) => spans.map(([span, us]) =>
      [`${money}/${span}`, { ...worth, numerator: worth.numerator * 3_600_000_000n, denominator: worth.denominator * us }] as const))),
  },
  "traffic price": {
    title: "a price of traffic", base: "msat/GB", whole: false, examples: ["0.05 USD/GB", "50 sat/GB"],
    units: new Map(monies.flatMap(([money, worth]) => [[`${money}/GB`, worth] as const, [`${money}/TB`, { ...worth, denominator: worth.denominator * 1_000n }] as const])),
  },
  "yearly share": {
    title: "a share a year", base: "/year", whole: false, examples: ["6 %/year", "50 bps/year"],
    units: new Map([["%/year", unit(1, 100)], ["bps/year", unit(1, 10_000)], ["/year", unit(1)]]),
  },
  "exchange rate": {
    title: "an exchange rate", base: "fiat/btc", whole: false, examples: ["100000 USD/btc", "92000 EUR/btc"],
    units: new Map((["USD", "EUR"] as const).flatMap((currency) => ["btc", "BTC"].map((coin) =>
      [`${currency}/${coin}`, unit(1, 1, currency)] as const))),
  },
  share: {
    title: "a share", base: "", whole: false, examples: ["5 %", "100 bps", "0.05"],
    units: new Map([["", unit(1)], ["%", unit(1, 100)], ["bps", unit(1, 10_000)]]),
  },
  tokens: {
    title: "a number of tokens", base: "tokens", whole: true, examples: ["1024", "8k", "8Ki"],
    units: new Map([["", unit(1)], ["k", unit(1_000)], ["M", unit(1_000_000)], ["Ki", unit(1_024)], ["Mi", unit(1_048_576)]]),
  },
  bytes: {
    title: "a size of memory", base: "B", whole: true, examples: ["24 GB", "24 GiB"],
    units: new Map(byteUnits.map(([name, bytes]) => [name, unit(bytes)])),
  },
  bandwidth: {
    title: "a memory bandwidth", base: "B/s", whole: false, examples: ["1008 GB/s"],
    units: new Map(byteUnits.map(([name, bytes]) => [`${name}/s`, unit(bytes)])),
  },
  compute: {
    title: "a computing speed", base: "FLOP/s", whole: false, examples: ["165 TFLOP/s"],
    units: new Map(flops.flatMap(([prefix, factor]) => [`${prefix}FLOP/s`, `${prefix}FLOPS`].map((name) => [name, unit(factor)] as const))),
  },
};

/** Spellings that are understood and not advertised. */
const aliases: ReadonlySet<string> = new Set(["µs", "m", "sats", "BTC", "FLOPS", "GFLOPS", "TFLOPS", "PFLOPS"]);

const numberPattern = "[0-9][0-9_]*(?:\\.[0-9]+)?(?:[eE][+-]?[0-9]{1,2})?";
const shape = new RegExp(`^(${numberPattern})\\s*(.*)$`, "u");

/** Regular expression of all spellings of a dimension, for JSON Schema. @param positive leave out zero. */
export function quantityPattern(dimension: Dimension, positive: boolean): string {
  const names = [...rows[dimension].units.keys()].filter((name) => name !== "");
  const optional = rows[dimension].units.has("") ? "?" : "";
  return `^\\s*${positive ? "(?=[0._]*[1-9])" : ""}${numberPattern}\\s*(?:${names.join("|")})${optional}\\s*$`;
}

/** Whether a bare number is a quantity of this dimension; zero always is. */
export function needsNoUnit(dimension: Dimension): boolean {
  return rows[dimension].units.has("");
}

export function quantityExamples(dimension: Dimension): readonly string[] {
  return rows[dimension].examples;
}

/** "a duration such as 250ms, 10s or 2h". */
export function describeDimension(dimension: Dimension): string {
  const row = rows[dimension];
  return `${row.title} such as ${alternatives(row.examples)}`;
}

/** "a, b or c". */
export function alternatives(names: readonly string[]): string {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} or ${names.at(-1)!}`;
}

/**
 * Reads a number with its unit; the number 0 needs none. Decimal digits count as they are written: "0.1 s" is exactly
 * 100,000 µs. `8k` tokens are 8,000 and `8Ki` are 8,192.
 */
export function parseQuantity(dimension: Dimension, value: unknown): Quantity | QuantityProblem {
  const row = rows[dimension];
  if (typeof value === "number" && !Number.isFinite(value)) return { found: String(value), allowed: describeDimension(dimension) };
  if (typeof value !== "string" && typeof value !== "number") return { found: describeValue(value), allowed: describeDimension(dimension) };
  const match = shape.exec(String(value).trim());
  const shown = typeof value === "number" ? String(value) : JSON.stringify(value);
  if (match === null) return { found: shown, allowed: describeDimension(dimension) };
  const [numerator, denominator] = decimal(match[1]!);
  const name = match[2]!;
  const known = row.units.get(name) ?? (value === 0 ? unit(1) : undefined);
  if (known === undefined) return unknownUnit(dimension, shown, match[1]!, name);
  return { numerator: numerator * known.numerator, denominator: denominator * known.denominator, currency: known.currency };
}

function unknownUnit(dimension: Dimension, shown: string, digits: string, name: string): QuantityProblem {
  const row = rows[dimension];
  const units = [...row.units.keys()].filter((key) => key !== "");
  const allowed = `${describeDimension(dimension)} (units: ${units.filter((key) => !key.split("/").some((part) => aliases.has(part))).join(", ")})`;
  if (name === "") return { found: `${shown}, a number without a unit`, allowed };
  const other = Object.values(rows).find(({ units: names }) => names.has(name));
  if (other !== undefined) return { found: `${shown}, ${other.title}`, allowed };
  const guess = units.find((key) => key.toLowerCase() === name.toLowerCase()) ?? nearest(name, units)
    ?? units.filter((key) => name.toLowerCase().startsWith(key)).sort((a, b) => b.length - a.length)[0];
  const problem = { found: `${shown}, with the unknown unit ${JSON.stringify(name)}`, allowed };
  return guess === undefined ? problem : { ...problem, suggestion: `${digits}${guess.startsWith("/") ? "" : " "}${guess}` };
}

/** The value's decimal digits as a fraction. */
function decimal(text: string): [bigint, bigint] {
  const [mantissa = "", exponent = "0"] = text.replaceAll("_", "").toLowerCase().split("e");
  const [whole = "0", fraction = ""] = mantissa.split(".");
  const power = Number(exponent) - fraction.length;
  const digits = BigInt(whole + fraction);
  return power >= 0 ? [digits * 10n ** BigInt(power), 1n] : [digits, 10n ** BigInt(-power)];
}

/** A quantity in fiat money, in msat at this rate. @param msatPerUnit positive. */
export function exchanged(quantity: Quantity, msatPerUnit: number): Quantity {
  const [numerator, denominator] = decimal(String(msatPerUnit));
  return { numerator: quantity.numerator * numerator, denominator: quantity.denominator * denominator, currency: null };
}

/** As a double, in base units. */
export function toNumber(quantity: Quantity): number {
  return Number(quantity.numerator) / Number(quantity.denominator);
}

/** Rounded to the nearest whole base unit, halves up. */
export function toNearest(quantity: Quantity): number {
  return Number((2n * quantity.numerator + quantity.denominator) / (2n * quantity.denominator));
}

/** Whether it is a whole number of base units that a double holds exactly; a problem otherwise. */
export function checkWhole(dimension: Dimension, quantity: Quantity, value: unknown): QuantityProblem | null {
  const { base } = rows[dimension];
  if (quantity.currency === null && quantity.numerator % quantity.denominator !== 0n) {
    return { found: `${describeValue(value)}, finer than 1 ${base}`, allowed: `whole multiples of 1 ${base}` };
  }
  if (quantity.numerator / quantity.denominator > BigInt(Number.MAX_SAFE_INTEGER)) {
    return { found: describeValue(value), allowed: `at most ${Number.MAX_SAFE_INTEGER} ${base}` };
  }
  return null;
}

/** Whether results of this dimension are counted in whole base units. */
export function isWhole(dimension: Dimension): boolean {
  return rows[dimension].whole;
}

/** How many whole base units there are in one of this unit; null where it is not counted in whole ones, or not known. */
export function finestStep(name: string): number | null {
  const row = Object.values(rows).find(({ units }) => units.has(name));
  const found = row?.units.get(name);
  return row === undefined || found === undefined || name === "" || !row.whole || found.currency !== null ? null : Number(found.numerator / found.denominator);
}

/** A number of one unit in another of the same dimension and currency; null where they measure different things. */
export function inUnit(value: number, from: string, to: string): number | null {
  if (from === to) return value;
  for (const { units } of Object.values(rows)) {
    const [given, wanted] = [units.get(from), units.get(to)];
    if (given === undefined || wanted === undefined || given.currency !== wanted.currency) continue;
    // Both are small fractions of whole numbers: what doubles add to a decimal is no part of the value.
    return Number(((value * Number(given.numerator * wanted.denominator)) / Number(given.denominator * wanted.numerator)).toPrecision(12));
  }
  return null;
}

/** What was found, for messages: short, on one line. */
export function describeValue(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "nothing (null)";
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : `a list of ${value.length}`;
  if (typeof value === "object") {
    const keys = Object.keys(value);
    return keys.length === 0 ? "an empty map" : `a map with ${keys.slice(0, 4).join(", ")}${keys.length > 4 ? ", ..." : ""}`;
  }
  const text = typeof value === "string" ? JSON.stringify(value) : String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
