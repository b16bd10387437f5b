import { PRIORITY_MAX, type StepCost } from "./engine.ts";

/** @throws RangeError unless `value` is an integer within [min, max]; `name` says what it is. */
export function requireInteger(name: string, value: number, min: number, max: number): void {
  if (!(Number.isInteger(value) && value >= min && value <= max)) {
    throw new RangeError(`${name} is ${value}; expected an integer from ${min} to ${max}`);
  }
}

/** @throws RangeError unless the caller's handle and priority are in range. */
export function requireJob(ref: number, priority: number): void {
  if (!(ref >= 0 && ref < 2_147_483_648 && (ref | 0) === ref)) requireInteger("ref", ref, 0, 2 ** 31 - 1);
  if (!(priority >= 0 && priority <= PRIORITY_MAX && (priority | 0) === priority)) requireInteger("priority", priority, 0, PRIORITY_MAX);
}

/** @throws RangeError unless `factor` is a positive finite number. */
export function requireSpeed(factor: number): void {
  if (!(factor > 0 && factor < Infinity)) throw new RangeError(`speed factor is ${factor}; expected a positive finite number`);
}

/** @throws RangeError for a cost whose coefficients are negative or not finite. */
export function requireCost(cost: StepCost): void {
  for (const [name, value] of [["contextUs", cost.contextUs], ["prefillContextUs", cost.prefillContextUs]] as const) {
    if (!(value >= 0 && value < Infinity)) throw new RangeError(`cost.${name} is ${value}; expected a finite number of at least 0`);
  }
}

/** @throws RangeError: the clock went back, or the caller missed `nextUs`. */
export function throwClock(nowUs: number, lastUs: number, nextUs: number): never {
  if (!Number.isInteger(nowUs)) throw new RangeError(`nowUs is ${nowUs}; expected an integer`);
  if (nowUs < lastUs) throw new RangeError(`the clock went back from ${lastUs} us to ${nowUs} us`);
  throw new RangeError(`at ${nowUs} us the engine had something to tell since ${nextUs} us: advance it first`);
}
