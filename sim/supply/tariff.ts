import type { Amount } from "./amount.ts";

/** From `atUs` on a kilowatt-hour costs this. */
export interface TariffStep {
  readonly atUs: number;
  readonly perKwh: Amount;
}

/**
 * Price of electricity over time. Steps in order of time, the first at 0; repeated every `periodUs` (null: the last one
 * lasts). All in one currency. Time 0 of a simulation is Monday, 0:00.
 */
export interface TariffSpec {
  readonly steps: readonly TariffStep[];
  readonly periodUs: number | null;
}

/** The same price at all times. */
export function flatTariff(perKwh: Amount): TariffSpec {
  return { steps: [{ atUs: 0, perKwh }], periodUs: null };
}

/** Price at this time, µs from the start. */
export function tariffAt(tariff: TariffSpec, timeUs: number): Amount {
  return tariff.steps[stepAt(tariff, timeUs)]!.perKwh;
}

/** When the price may change next after this time, µs; Infinity: never. */
export function nextTariffChangeUs(tariff: TariffSpec, timeUs: number): number {
  const { steps, periodUs } = tariff;
  const cycleUs = periodUs === null ? 0 : Math.floor(timeUs / periodUs) * periodUs;
  const next = steps[stepAt(tariff, timeUs) + 1];
  if (next !== undefined) return cycleUs + next.atUs;
  return periodUs === null || steps.length === 1 ? Infinity : cycleUs + periodUs;
}

/** Mean price over [fromUs, toUs), in units per kWh of the tariff's currency; what an idle machine pays. */
export function meanTariff(tariff: TariffSpec, fromUs: number, toUs: number): number {
  let total = 0;
  for (let us = fromUs; us < toUs;) {
    const untilUs = Math.min(toUs, nextTariffChangeUs(tariff, us));
    total += tariffAt(tariff, us).units * (untilUs - us);
    us = untilUs;
  }
  return toUs > fromUs ? total / (toUs - fromUs) : tariffAt(tariff, fromUs).units;
}

function stepAt({ steps, periodUs }: TariffSpec, timeUs: number): number {
  const atUs = periodUs === null ? timeUs : timeUs % periodUs;
  let low = 0;
  let high = steps.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (steps[middle]!.atUs <= atUs) low = middle;
    else high = middle;
  }
  return low;
}
