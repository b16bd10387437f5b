import type { RunReport } from "../protocol/result.ts";
import { type Block, type Content, contentOf, figureColumns } from "./content.ts";
import { escapeXml } from "./plots/figure.ts";
import { PLOT_TITLES, type PlotName } from "./plots/titles.ts";

const NODE_ROWS = 500;

const STYLE = `
:root { color-scheme: light dark; --paper: #ffffff; --ink: #1b1f24; --soft: #5b6470; --line: #d9dde3; --card: #f6f7f9; --accent: #0072b2; }
@media (prefers-color-scheme: dark) { :root { --paper: #14171b; --ink: #e4e7eb; --soft: #9aa4b0; --line: #343a42; --card: #1d2126; --accent: #56b4e9; }
  figure > svg [stroke="#0072b2"] { stroke: #3d9bd9; }
  figure > svg [fill="#0072b2"] { fill: #3d9bd9; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
main { max-width: 66rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { margin: 0; font-size: 1.8rem; }
h2 { margin: 2.5rem 0 0.75rem; padding-top: 1rem; border-top: 1px solid var(--line); font-size: 1.3rem; }
.question { margin: 0.25rem 0 1rem; color: var(--soft); font-size: 1.1rem; }
nav { display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; font-size: 0.9rem; }
a { color: var(--accent); }
figure { margin: 1rem 0; }
figure > svg { display: block; max-width: 100%; height: auto; color: var(--ink); }
.paper { fill: none; }
figcaption { font-weight: 600; font-size: 0.9rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.875rem; font-variant-numeric: tabular-nums; }
th, td { padding: 0.25rem 1rem 0.25rem 0; border-bottom: 1px solid var(--line); text-align: left; white-space: nowrap; }
.n { text-align: right; }
th { color: var(--soft); font-weight: 600; }
.findings { padding: 0.75rem 1rem 0.75rem 2rem; background: var(--card); border-radius: 0.5rem; }
pre { overflow: auto; padding: 0.75rem 1rem; background: var(--card); border-radius: 0.5rem; font-size: 0.8rem; }
details pre { max-height: 30rem; }
@media print { nav, details { display: none; } }
`;

/**
 * The report for people, as one HTML page that holds everything: style and plots are inside, nothing is fetched, no script
 * runs, and it follows the reader's choice of light or dark.
 * @param plots SVG documents by name, as `renderPlots` gives them
 */
export function renderHtml(report: RunReport, plots: Readonly<Record<PlotName, string>>): string {
  return renderPage(contentOf(report, NODE_ROWS), plots, PLOT_TITLES, { summary: "The scenario as it was played", value: report.provenance.scenario.resolved });
}

/**
 * Any report's content as such a page.
 * @param plots SVG documents by name
 * @param titles of the plots, for readers who cannot see them
 * @param details folded up at the end, as JSON
 */
export function renderPage<Name extends string>(
  { title, question, sections }: Content<Name>, plots: Readonly<Record<Name, string>>, titles: Readonly<Record<Name, string>>,
  details: { readonly summary: string; readonly value: unknown },
): string {
  const links = sections.map((section) => `<a href="#${anchor(section.title)}">${escapeXml(section.title)}</a>`).join("");
  const body = sections
    .map((section) => `<section id="${anchor(section.title)}"><h2>${escapeXml(section.title)}</h2>\n${section.blocks.map((block) => renderBlock(block, plots, titles)).join("\n")}</section>`)
    .join("\n");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escapeXml(title)}: report</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<header><h1>${escapeXml(title)}</h1>${question === "" ? "" : `<p class="question">${escapeXml(question)}</p>`}<nav>${links}</nav></header>
${body}
<details><summary>${escapeXml(details.summary)}</summary><pre>${escapeXml(JSON.stringify(details.value, null, 2))}</pre></details>
</main>
</body>
</html>
`;
}

function renderBlock<Name extends string>(block: Block<Name>, plots: Readonly<Record<Name, string>>, titles: Readonly<Record<Name, string>>): string {
  switch (block.kind) {
    case "text": return `<p>${escapeXml(block.text)}</p>`;
    case "list": return `<ul class="findings">${block.items.map((item) => `<li>${escapeXml(item)}</li>`).join("")}</ul>`;
    case "verbatim": return `<pre>${escapeXml(block.text)}</pre>`;
    case "plot": return `<figure aria-label="${escapeXml(titles[block.name])}">${plots[block.name].trimEnd()}</figure>`;
    case "table": {
      const figures = figureColumns(block);
      const cells = (tag: string, row: readonly string[]): string => `<tr>${row.map((cell, column) => `<${tag}${figures[column] === true ? ' class="n"' : ""}>${escapeXml(cell)}</${tag}>`).join("")}</tr>`;
      const head = block.head.some((cell) => cell !== "") ? `<thead>${cells("th", block.head)}</thead>` : "";
      const table = `<div class="scroll"><table>${head}<tbody>${block.rows.map((row) => cells("td", row)).join("\n")}</tbody></table></div>`;
      if (block.folded === true) return `<details><summary>${escapeXml(block.caption)}</summary>${table}</details>`;
      return `<figure><figcaption>${escapeXml(block.caption)}</figcaption>${table}</figure>`;
    }
  }
}

function anchor(title: string): string {
  return title.toLowerCase().replace(/[^a-z]+/g, "-");
}
