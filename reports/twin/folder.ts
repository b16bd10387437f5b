import type { JobRow } from "../../protocol/result.ts";
import type { TwinReport } from "../../protocol/result/twin.ts";
import { DraftFolder } from "../draft-folder.ts";
import { renderPage } from "../html.ts";
import { renderJson } from "../json.ts";
import { renderText } from "../markdown.ts";
import { twinContent } from "./content.ts";
import { type JobPair, renderTwinPlots } from "./figures.ts";
import { TWIN_PLOTS, TWIN_TITLES } from "./titles.ts";

const FILES = [...TWIN_PLOTS.map((name) => `plots/${name}.svg`), "jobs.csv", "twin.md", "index.html", "twin.json"];

/** A folder that takes a twin report: twin.json, twin.md, index.html, plots and jobs.csv. All of it appears at once, twin.json last. */
export class TwinFolder {
  readonly #draft: DraftFolder;

  /** Makes the folder where it is missing. @throws as `DraftFolder` does */
  constructor(path: string) {
    this.#draft = new DraftFolder(path, FILES);
  }

  /** Writes the report and puts it in its place. */
  finish(report: TwinReport, pairs: readonly JobPair[]): void {
    const content = twinContent(report);
    const plots = renderTwinPlots(report, pairs);
    for (const name of TWIN_PLOTS) this.#draft.write(`plots/${name}.svg`, plots[name]);
    this.#draft.write("jobs.csv", pairsCsv(pairs));
    this.#draft.write("twin.md", renderText(content, TWIN_TITLES, "plots/"));
    this.#draft.write("index.html", renderPage(content, plots, TWIN_TITLES, { summary: "The scenario as it stands", value: report.provenance.scenario.resolved }));
    this.#draft.write("twin.json", renderJson(report));
    this.#draft.place();
  }

  /** After `finish`: nothing. Before: gives the report up and leaves nothing of it behind. */
  close(): void {
    this.#draft.close();
  }
}

const SHARED = ["job", "clientClass"] as const;
const EACH = ["status", "reason", "node", "attempts", "submittedUs", "assignedUs", "startedUs", "firstTokenUs", "finishedUs", "endedUs", "inputTokens", "outputTokens", "amountMsat", "feeMsat"] as const;

/** One line per job, each figure for real and simulated; an empty field where it never came to that. RFC 4180. */
export function pairsCsv(pairs: readonly JobPair[]): string {
  const head = [...SHARED, ...EACH.flatMap((name) => [`real_${name}`, `simulated_${name}`])];
  const cell = (row: JobRow, name: (typeof EACH)[number]): string => (row[name] === -1 ? "" : String(row[name]));
  const lines = pairs.map(({ real, simulated }) => [...SHARED.map((name) => real[name]), ...EACH.flatMap((name) => [cell(real, name), cell(simulated, name)])]);
  return [head, ...lines].map((line) => `${line.map(quoted).join(",")}\n`).join("");
}

function quoted(value: string): string {
  return /[",\n\r]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}
