import type { RunReport } from "../../../protocol/result.ts";
import { type CostAndPrice, passThrough } from "./structure.ts";

/**
 * Pass-through between runs that differ in costs: by how much the mean price paid per token rises when the mean marginal
 * cost per token rises by one. Two runs give the ratio of the differences, more the slope weighted by tokens.
 * @returns null where costs hardly differ, nothing was sold, or a run has no accounts of costs
 */
export function passThroughBetween(reports: readonly RunReport[]): number | null {
  const observed = reports.map((report): CostAndPrice | null => {
    const { welfare, overall: { tokens } } = report;
    const quantity = tokens.input + tokens.output;
    if (welfare === null || quantity === 0) return null;
    const price = report.overall.paidMsat / quantity;
    return { quantity, price, cost: welfare.costMsat / quantity };
  });
  return observed.every((one) => one !== null) ? passThrough(observed) : null;
}
