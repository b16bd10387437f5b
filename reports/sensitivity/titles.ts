import type { SensitivityReport } from "../../protocol/result/sensitivity.ts";

/** Plots of a sensitivity report, in the order in which they are read. */
export const SENSITIVITY_PLOTS = ["importance", "plane"] as const;
export type SensitivityPlotName = (typeof SENSITIVITY_PLOTS)[number];

/** The question that each answers. */
export const SENSITIVITY_TITLES: Readonly<Record<SensitivityPlotName, string>> = {
  importance: "What matters, and how much?",
  plane: "Which factors act straight and alone?",
};

/** The plots that a method has. */
export function plotsOf(method: SensitivityReport["method"]["kind"]): readonly SensitivityPlotName[] {
  return method === "morris" ? SENSITIVITY_PLOTS : ["importance"];
}
