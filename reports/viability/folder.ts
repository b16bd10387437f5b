import type { ViabilityReport } from "../../protocol/result/viability.ts";
import { DraftFolder } from "../draft-folder.ts";
import { renderPage } from "../html.ts";
import { renderJson } from "../json.ts";
import { renderText } from "../markdown.ts";
import { viabilityContent } from "./content.ts";
import { renderViabilityPlots } from "./figures.ts";
import { VIABILITY_PLOTS, VIABILITY_TITLES } from "./titles.ts";

const FILES = [...VIABILITY_PLOTS.map((name) => `${name}.svg`), "viability.md", "viability.html", "viability.json"];

/**
 * A folder that takes a viability report: viability.json, viability.md, viability.html and its plots. All of it appears at
 * once, viability.json last; other files in the folder are left alone.
 */
export class ViabilityFolder {
  readonly #draft: DraftFolder;

  /** Makes the folder where it is missing. @throws as `DraftFolder` does */
  constructor(path: string) {
    this.#draft = new DraftFolder(path, FILES);
  }

  /** Writes the report and puts it in its place. */
  finish(report: ViabilityReport): void {
    const content = viabilityContent(report);
    const plots = renderViabilityPlots(report);
    for (const name of VIABILITY_PLOTS) this.#draft.write(`${name}.svg`, plots[name]);
    this.#draft.write("viability.md", renderText(content, VIABILITY_TITLES, ""));
    this.#draft.write("viability.html", renderPage(content, plots, VIABILITY_TITLES, { summary: "The market as it was played", value: report.provenance.scenario.resolved }));
    this.#draft.write("viability.json", renderJson(report));
    this.#draft.place();
  }

  /** After `finish`: nothing. Before: gives the report up and leaves nothing of it behind. */
  close(): void {
    this.#draft.close();
  }
}
