import { join } from "node:path";
import pc from "picocolors";
import { wrap } from "../reports/plots/figure.ts";

/** Columns of a terminal that everything fits into. */
const width = 80;

/**
 * The answer of an experiment on the terminal: the headline, a table, the findings, and where the report is.
 * @param out null where nothing was written
 */
export const answerText = (headline: string, table: string, findings: readonly string[], out: string | null): string => {
  const lines = [
    ...wrap(headline, width).map((line) => pc.bold(line)), "",
    table, "",
    ...findings.flatMap((finding) => wrap(finding, width - 2).map((line, i) => `${i === 0 ? "- " : "  "}${line}`)),
  ];
  if (out !== null) lines.push("", `${pc.bold("Report:")} ${join(out, "index.html")} (open it in a browser), every run in runs.csv`);
  return `${lines.join("\n")}\n`;
};
