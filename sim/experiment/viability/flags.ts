import { MSAT_PER_BTC, US_PER_H } from "../../../protocol/units.ts";
import { nearest } from "../../../input/nearest.ts";
import { describeDimension, parseQuantity, toNearest, toNumber } from "../../../input/units.ts";
import type { Dimension } from "../../../input/units.ts";
import { UNITS_PER_FIAT } from "../../supply/amount.ts";
import { meanTariff } from "../../supply/tariff.ts";
import type { TariffSpec } from "../../supply/tariff.ts";

/** Something the user can put right. */
export class ViabilityError extends Error {
  override readonly name = "UserError";
}

/** Flags of a study, as typed, by name without dashes. */
export type FlagTexts = Readonly<Partial<Record<FlagName, string>>>;

export const flagNames = [
  "model", "engine", "slots", "context", "region", "price-input", "price-output", "price-fixed", "electricity", "idle-power", "load-power",
  "host-power", "purchase", "life", "residual", "rent", "capital", "upkeep", "stake", "other", "uptime", "exchange", "rental",
] as const;
export type FlagName = (typeof flagNames)[number];

/** Reads flags into base units. @throws ViabilityError, from every reader, that names the flag, what was found and what is allowed */
export class Flags {
  /** What a bitcoin is worth, for amounts in satoshi where dollars count and the other way round. */
  readonly usdPerBtc: number;
  readonly #texts: FlagTexts;
  readonly #unread: Set<FlagName>;

  constructor(texts: FlagTexts, usdPerBtc: number) {
    this.#texts = texts;
    this.#unread = new Set(flagNames.filter((name) => texts[name] !== undefined));
    this.usdPerBtc = this.exchange() ?? usdPerBtc;
  }

  given(name: FlagName): boolean {
    return this.#texts[name] !== undefined;
  }

  text(name: FlagName): string | undefined {
    this.#unread.delete(name);
    return this.#texts[name];
  }

  word<const W extends string>(name: FlagName, words: readonly W[]): W | undefined {
    const text = this.text(name);
    if (text === undefined || words.includes(text as W)) return text as W | undefined;
    const guess = nearest(text, words);
    return this.#fail(name, text, `${words.join(", ")}${guess === undefined ? "" : `; did you mean ${guess}?`}`);
  }

  whole(name: FlagName, least: number, most: number): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = Number(text);
    return /^\d+$/.test(text) && value >= least && value <= most ? value : this.#fail(name, text, `a whole number from ${least} to ${most}`);
  }

  /** A quantity without money; a bare number is in base units. */
  quantity(name: FlagName, dimension: Dimension, { positive = false } = {}): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const bare = plainNumber(text);
    const parsed = parseQuantity(dimension, bare !== null && dimension === "power" ? `${bare} W` : text);
    const value = "found" in parsed ? null : toNumber(parsed);
    if (value === null || (positive && value <= 0) || (dimension === "tokens" && !Number.isInteger(value))) return this.#fail(name, text, `${describeDimension(dimension)}${positive ? ", above 0" : ""}`);
    return value;
  }

  /** Money, in dollars; a bare number is dollars. */
  usd(name: FlagName): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    return this.#usdOf(name, text, "money", text, "dollars such as 700 USD, or satoshi");
  }

  /**
   * The mean price of a kilowatt-hour over a day, dollars: a price, or several with hours of the day, of which the last that
   * applies counts: `0.30 USD/kWh, 0.18 USD/kWh 22-6`.
   */
  tariff(name: FlagName): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const hours: (number | null)[] = Array.from({ length: 24 }, () => null);
    for (const part of text.split(",")) {
      const match = /^(.*?)(?:\s+(\d{1,2})\s*-\s*(\d{1,2})\s*h?)?\s*$/.exec(part)!;
      const [, price = "", from = "0", to = "24"] = match;
      const value = this.#usdOf(name, text, "energy price", price, "prices such as 0.20 USD/kWh, or with hours of the day: 0.30 USD/kWh, 0.18 USD/kWh 22-6");
      const [start, end] = [Number(from), Number(to)];
      if (start > 24 || end > 24) return this.#fail(name, text, "hours from 0 to 24, such as 22-6");
      hours.forEach((_, hour) => {
        if (start < end ? hour >= start && hour < end : hour >= start || hour < end) hours[hour] = value;
      });
    }
    const gap = hours.indexOf(null);
    if (gap >= 0) return this.#fail(name, text, `a price for every hour of the day; ${gap}-${gap + 1} h has none. A price without hours comes first`);
    // The machine draws the same at all hours, so that their mean is what it pays.
    const units = (price: number): number => Math.round(price * UNITS_PER_FIAT);
    const tariff: TariffSpec = { steps: hours.map((price, hour) => ({ atUs: hour * US_PER_H, perKwh: { currency: "USD", units: units(price!) } })), periodUs: 24 * US_PER_H };
    return hours.every((price) => price === hours[0]) ? hours[0]! : meanTariff(tariff, 0, 24 * US_PER_H) / UNITS_PER_FIAT;
  }

  /** Money, in whole msat; needs its unit. */
  msat(name: FlagName, dimension: "money" | "token price"): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const parsed = parseQuantity(dimension, text);
    if ("found" in parsed) return this.#fail(name, text, describeDimension(dimension));
    if (parsed.currency === "EUR") return this.#fail(name, text, `${describeDimension(dimension)}: nothing says what a euro is worth`);
    const value = parsed.currency === "USD" ? Math.round(toNumber(parsed) / this.usdPerBtc * MSAT_PER_BTC) : toNearest(parsed);
    return Number.isSafeInteger(value) ? value : this.#fail(name, text, `at most ${Number.MAX_SAFE_INTEGER} msat`);
  }

  /** A share from 0 to 1. */
  share(name: FlagName, positive = false): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const parsed = parseQuantity("share", text);
    const value = "found" in parsed ? null : toNumber(parsed);
    return value === null || value > 1 || (positive && value === 0) ? this.#fail(name, text, `a share such as 95 % or 0.95, ${positive ? "above 0 and " : ""}at most 100 %`) : value;
  }

  /** A yearly rate such as `5 %` or `5 %/year`. */
  yearly(name: FlagName): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const parsed = parseQuantity("share", text.replace(/\s*\/\s*(?:y|year)$/, ""));
    return "found" in parsed ? this.#fail(name, text, "a yearly rate such as 5 %") : toNumber(parsed);
  }

  /** Years; a bare number is years. */
  years(name: FlagName): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const match = /^\s*(\d+(?:\.\d+)?)\s*(y|years?|months?)?\s*$/.exec(text);
    const value = match === null ? 0 : Number(match[1]) / (match[2]?.startsWith("month") === true ? 12 : 1);
    return value > 0 && value <= 100 ? value : this.#fail(name, text, "years such as 4y, or 30 months, above 0 and at most 100 years");
  }

  /** Dollars per hour; the unit of time may be left out. */
  perHour(name: FlagName): number | undefined {
    const text = this.text(name);
    return text === undefined ? undefined : this.#usdOf(name, text, "money", text.replace(/\s*\/\s*(?:h|hour)$/, ""), "dollars per hour such as 0.40 USD/h");
  }

  /** Dollars that a bitcoin is worth; the unit may be left out. */
  exchange(): number | undefined {
    const text = this.text("exchange");
    if (text === undefined) return undefined;
    const value = plainNumber(text) ?? (() => {
      const parsed = parseQuantity("exchange rate", text);
      return "found" in parsed || parsed.currency !== "USD" ? null : toNumber(parsed);
    })();
    return value === null || value <= 0 ? this.#fail("exchange", text, "an exchange rate such as 100000 USD/btc, above 0") : value;
  }

  /** Every flag must have been read. */
  done(): void {
    const [left] = this.#unread;
    if (left !== undefined) throw new Error(`--${left} was not read`);
  }

  /** Dollars that a part of a flag's text states; a bare number is dollars. */
  #usdOf(name: FlagName, whole: string, dimension: "money" | "energy price", text: string, allowed: string): number {
    const bare = plainNumber(text);
    if (bare !== null) return bare;
    const parsed = parseQuantity(dimension, text);
    if ("found" in parsed) return this.#fail(name, whole, allowed);
    if (parsed.currency === "EUR") return this.#fail(name, whole, `${allowed}; nothing says what a euro is worth`);
    return parsed.currency === "USD" ? toNumber(parsed) : toNumber(parsed) / MSAT_PER_BTC * this.usdPerBtc;
  }

  #fail(name: FlagName, text: string, allowed: string): never {
    throw new ViabilityError(`--${name}: found ${JSON.stringify(text)}; allowed: ${allowed}.`);
  }
}

function plainNumber(text: string): number | null {
  return /^\s*\d+(?:\.\d+)?\s*$/.test(text) ? Number(text) : null;
}
