import type { RecordedNode } from "./setup.ts";

/** What one node, or a class of them, drew from the grid. As in the report's schema. */
export interface Electricity {
  readonly energyKwh: number | null;
  readonly electricityMsat: number | null;
}

/** mW * us in a kilowatt-hour. */
const PER_KWH = 3_600_000_000_000_000n;

/**
 * Energy and its cost: idle power while up, power under load while at least one job is running. The cost is exact, rounded
 * up to the millisatoshi: against the operator.
 * @param upUs integer microseconds up
 * @param activeUs of them with at least one job running
 */
export function electricity({ power, electricityMsatPerKwh }: Pick<RecordedNode, "power" | "electricityMsatPerKwh">, upUs: number, activeUs: number): Electricity {
  if (power === undefined || power === null) return { energyKwh: null, electricityMsat: null };
  const drawn = milliwatts(power.idleWatts) * BigInt(upUs - activeUs) + milliwatts(power.loadWatts) * BigInt(activeUs);
  const priced = electricityMsatPerKwh === undefined || electricityMsatPerKwh === null ? null : drawn * BigInt(electricityMsatPerKwh);
  return { energyKwh: Number(drawn) / Number(PER_KWH), electricityMsat: priced === null ? null : Number((priced + PER_KWH - 1n) / PER_KWH) };
}

/** The sums over nodes; null where one of them is not known, or where there are none. */
export function electricityOfAll(nodes: readonly Electricity[]): Electricity {
  return { energyKwh: total(nodes.map(({ energyKwh }) => energyKwh)), electricityMsat: total(nodes.map(({ electricityMsat }) => electricityMsat)) };
}

function total(values: readonly (number | null)[]): number | null {
  if (values.length === 0) return null;
  return values.reduce((sum, value) => (sum === null || value === null ? null : sum + value), 0);
}

function milliwatts(watts: number): bigint {
  return BigInt(Math.round(watts * 1_000));
}
