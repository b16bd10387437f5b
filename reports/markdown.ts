import type { RunReport } from "../protocol/result.ts";
import { type Block, type Content, contentOf, figureColumns } from "./content.ts";
import { PLOT_TITLES } from "./plots/titles.ts";

const NODE_ROWS = 10;

/** The report for people, as Markdown (GitHub's flavour), with the plots as links into `plots/`. */
export function renderMarkdown(report: RunReport): string {
  return renderText(contentOf(report, NODE_ROWS), PLOT_TITLES, "plots/");
}

/**
 * Any report's content as Markdown.
 * @param titles of the plots
 * @param folder where the plots lie, seen from the text; with its slash
 */
export function renderText<Name extends string>({ title, question, sections }: Content<Name>, titles: Readonly<Record<Name, string>>, folder: string): string {
  const parts = [`# ${inline(title)}`];
  if (question !== "") parts.push(`> ${inline(question)}`);
  for (const section of sections) parts.push(`## ${section.title}`, ...section.blocks.map((block) => renderBlock(block, titles, folder)));
  return `${parts.join("\n\n")}\n`;
}

function renderBlock<Name extends string>(block: Block<Name>, titles: Readonly<Record<Name, string>>, folder: string): string {
  switch (block.kind) {
    case "text": return inline(block.text);
    case "list": return block.items.map((item) => `- ${inline(item)}`).join("\n");
    case "verbatim": return block.text.toWellFormed().split("\n").map((line) => `    ${line}`).join("\n");
    case "plot": return `![${inline(titles[block.name])}](${folder}${block.name}.svg)`;
    case "table": {
      const row = (cells: readonly string[]): string => `| ${cells.map(inline).join(" | ")} |`;
      // Markdown is read in terminals, too, where nothing folds.
      if (block.folded === true) return inline(`${block.caption}: index.html has them.`);
      const table = [row(block.head), `| ${figureColumns(block).map((figures) => (figures ? "---:" : "---")).join(" | ")} |`, ...block.rows.map(row)];
      return [`**${inline(block.caption)}**`, "", ...table].join("\n");
    }
  }
}

/** Keeps what users named from being read as markup, or from breaking a table. */
function inline(value: string): string {
  return value.toWellFormed().replace(/[\\`*_{}[\]<>|#~]/g, "\\$&").replace(/\s*[\r\n]+\s*/g, " ");
}
