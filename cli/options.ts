import { InvalidArgumentError } from "commander";
import { parseQuantity, toNumber } from "../input/units.ts";

/** Parses a seed: a whole number from 0 to 2^53 - 1. @throws InvalidArgumentError */
export const seed = (text: string): number => {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) throw new InvalidArgumentError("Allowed: a whole number from 0 to 9007199254740991.");
  return value;
};

/** Parses a whole number in a range. @throws InvalidArgumentError */
export const wholeNumber = (least: number, most: number) => (text: string): number => {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || value > most) throw new InvalidArgumentError(`Allowed: a whole number from ${least} to ${most}.`);
  return value;
};

/** Parses an amount of play money, or a duration: whole msat, whole microseconds. @throws InvalidArgumentError */
export const wholeQuantity = (dimension: "money" | "duration") => (text: string): number => {
  const quantity = parseQuantity(dimension, text);
  const value = "found" in quantity || quantity.currency !== null ? -1 : toNumber(quantity);
  if (!Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError(`Allowed: ${dimension === "money" ? "an amount such as '50000 sat'" : "a duration such as 10s"}.`);
  return value;
};

/** Takes a path; an empty one is mostly a variable that was never set. @throws InvalidArgumentError */
export const filePath = (text: string): string => {
  if (text.trim() === "") throw new InvalidArgumentError("Allowed: a path.");
  return text;
};

/** Collects a repeatable option `path=value`. @throws InvalidArgumentError */
export const assignment = (text: string, earlier: readonly string[]): readonly string[] => {
  if (text.indexOf("=") < 1) throw new InvalidArgumentError("Allowed: path=value, such as router.policy=cheapest.");
  return [...earlier, text];
};

/** How the user calls this program: from a checkout, or installed. */
export const commandName: string = import.meta.url.endsWith(".ts") ? "./infernet" : "npx infernet";

/** A word as a POSIX shell takes it, quoted only where that is needed. */
export const shellWord = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);
