import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";

/** Width of every plot in pixels. */
export const WIDTH = 760;
const MARGIN_LEFT = 64;
const MARGIN_RIGHT = 36;
const FONT = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif";
const TITLE_HEIGHT = 26;
const LINE_HEIGHT = 17;
/** Mean width of a character at 12 px, for breaking lines and placing legends: SVG cannot measure text. */
const CHARACTER = 6.9;

/** One entry of a figure's legend. */
export interface Key {
  readonly name: string;
  readonly color: string;
  /** How the thing is drawn; a dot where absent. */
  readonly shape?: "dot" | "line" | "dashed" | "band";
}

export interface Panel {
  /** What the panel shows, with its unit. */
  readonly heading: string;
  /** Pixels, without heading and legend. */
  readonly height: number;
  /** Legend of this panel alone. */
  readonly keys?: readonly Key[];
  /** Observable Plot's options; size and margins are set here. */
  readonly plot: Plot.PlotOptions;
}

export interface Figure {
  /** The question that the figure answers, or its answer. */
  readonly title: string;
  readonly subtitle: string;
  readonly keys: readonly Key[];
  /** Drawn below each other. */
  readonly panels: readonly Panel[];
  /** Shown in place of the panels where there is nothing to plot. */
  readonly empty?: string;
}

/**
 * Draws a figure as one SVG document that stands alone: titles, legend and axes are inside, nothing is fetched, and text takes
 * its colour from `currentColor`, so that a page can show it on light and dark alike. Equal figures give equal bytes.
 */
export function renderFigure(figure: Figure): string {
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  const parts: string[] = [];
  let y = TITLE_HEIGHT;
  parts.push(text(0, y - 8, figure.title, 'font-size="17" font-weight="600"'));
  for (const line of wrap(figure.subtitle, WIDTH / CHARACTER)) {
    y += LINE_HEIGHT;
    parts.push(text(0, y - 4, line, 'font-size="12.5" fill-opacity="0.75"'));
  }
  y += 8;
  if (figure.keys.length > 0) {
    const legend = drawKeys(figure.keys, y);
    parts.push(legend.svg);
    y += legend.height;
  }
  if (figure.panels.length === 0) {
    y += 40;
    parts.push(text(0, y - 16, figure.empty ?? "There is nothing to plot.", 'font-size="13" font-style="italic"'));
  }
  for (const panel of figure.panels) {
    y += 22;
    parts.push(text(0, y - 6, panel.heading, 'font-size="13" font-weight="600"'));
    if (panel.keys !== undefined && panel.keys.length > 0) {
      const legend = drawKeys(panel.keys, y);
      parts.push(legend.svg);
      y += legend.height;
    }
    const svg = Plot.plot({
      marginLeft: MARGIN_LEFT, marginRight: MARGIN_RIGHT, marginTop: 12, marginBottom: 28,
      ...panel.plot,
      // linkedom's document does what Plot asks of a DOM, without being one to the type checker.
      document: document as unknown as NonNullable<Plot.PlotOptions["document"]>, width: WIDTH, height: panel.height, figure: false,
    });
    // Inside a page, the rules of Plot's own style sheet would stretch a nested SVG; its marks need none of them.
    svg.querySelector("style")?.remove();
    parts.push(`<g transform="translate(0,${y})" font-size="11.5" text-anchor="middle">${xmlCharacters(String(svg.innerHTML))}</g>`);
    y += panel.height;
  }
  y += 6;
  const open = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="-12 -8 ${WIDTH + 24} ${y + 16}" width="${WIDTH + 24}" height="${y + 16}" role="img" aria-label="${escapeXml(figure.title)}" font-family="${FONT}" fill="currentColor" color="#1b1f24">`;
  return `${open}<rect class="paper" x="-12" y="-8" width="${WIDTH + 24}" height="${y + 16}" fill="#ffffff"/>${parts.join("")}</svg>\n`;
}

/** Escapes text for XML content and double-quoted attributes. Characters that XML 1.0 does not know become U+FFFD. */
export function escapeXml(value: string): string {
  return xmlCharacters(value).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

function xmlCharacters(value: string): string {
  // oxlint-disable-next-line no-control-regex -- these are what XML forbids
  return value.toWellFormed().replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "\ufffd");
}

/** Breaks text into lines of at most `width` characters, at spaces. */
export function wrap(value: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of value.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  if (line !== "") lines.push(line);
  return lines;
}

function text(x: number, y: number, value: string, attributes: string): string {
  return `<text x="${x}" y="${y}" ${attributes}>${escapeXml(value)}</text>`;
}

function drawKeys(keys: readonly Key[], top: number): { readonly svg: string; readonly height: number } {
  const parts: string[] = [];
  let x = 0;
  let y = top + 13;
  for (const key of keys) {
    const width = Math.round(26 + key.name.length * CHARACTER + 14);
    if (x > 0 && x + width > WIDTH) {
      x = 0;
      y += LINE_HEIGHT + 2;
    }
    parts.push(swatch(key, x, y - 4), text(x + 26, y, key.name, 'font-size="12"'));
    x += width;
  }
  return { svg: parts.join(""), height: y - top + 8 };
}

function swatch({ color, shape }: Key, x: number, y: number): string {
  switch (shape) {
    case "line": return `<line x1="${x}" x2="${x + 20}" y1="${y}" y2="${y}" stroke="${color}" stroke-width="2.5"/>`;
    case "dashed": return `<line x1="${x}" x2="${x + 20}" y1="${y}" y2="${y}" stroke="${color}" stroke-width="1.5" stroke-dasharray="4 3"/>`;
    case "band": return `<rect x="${x}" y="${y - 5}" width="20" height="10" fill="${color}" fill-opacity="0.35"/>`;
    default: return `<circle cx="${x + 10}" cy="${y}" r="5" fill="${color}"/>`;
  }
}
