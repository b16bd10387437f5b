import { stringify } from "csv-stringify/sync";
import type { RunReport } from "../protocol/result.ts";

const COLUMNS = [
  "name", "operatorClass", "region", "machine", "model", "slots", "inputMsatPerMtok", "outputMsatPerMtok", "attempts", "failedAttempts", "jobs", "inputTokens", "outputTokens",
  "revenueMsat", "utilisation", "kvUtilisation", "availability", "energyKwh", "electricityMsat", "downs",
  "ownedUs", "depreciationMsat", "rentMsat", "capitalMsat", "stakeMsat", "maintenanceMsat", "bandwidthMsat", "routerFeesMsat", "lightningFeesMsat", "costsMsat", "profitMsat", "profitMsatPerHour",
];

/** The text of nodes.csv: one line per node, in the report's order. An empty field stands for what is undefined. */
export function renderNodesCsv({ nodes, supply }: RunReport): string {
  return stringify(
    nodes.map(({ tokens, ...node }, index) => ({ ...supply?.nodes[index], ...node, inputTokens: tokens.input, outputTokens: tokens.output })),
    { header: true, columns: COLUMNS },
  );
}
