import type { SearchParameter } from "../../../protocol/result/search.ts";
import { isRange, numbersOf, withUnit } from "../../scenario/sections/grid.ts";
import type { Axis } from "../../scenario/sections/grid.ts";
import { valueText } from "./runs.ts";

/** A path and what was tried there, as reports have it. */
export function parameterOf(axis: Axis): SearchParameter {
  if (isRange(axis)) {
    const { path, range: { from, to, unit }, step } = axis;
    return { path, unit, values: null, from, to, step: withUnit(step, unit) };
  }
  const texts = axis.values.map(valueText);
  return { path: axis.path, unit: numbersOf(texts)?.unit ?? null, values: texts, from: null, to: null, step: axis.stepText };
}

/** The number in a value's text, where all values of its axis are numbers of one unit. */
export function numberOf(axis: Axis, text: string): number | null {
  if (!isRange(axis) && numbersOf(axis.values.map(valueText)) === null) return null;
  return numbersOf([text])?.numbers[0] ?? null;
}
