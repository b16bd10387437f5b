import type { RunReport } from "../result.ts";

/**
 * The figures of a run by name: a report's numbers by their path, entries of lists by their name, such as
 * `overall.latency.ttftUs.p95` or `clientClasses.chat.goodput.share`. Null where a figure is undefined.
 */
export type Figures = Readonly<Record<string, number | null>>;

/** Parts that are no figures of the run as a whole: single nodes, curves, histograms, bookkeeping. */
const left: ReadonlySet<string> = new Set(["provenance", "schema", "schemaVersion", "world", "nodes", "overTime", "histograms", "checks", "jobRows", "money"]);

/** Every figure of a run. */
export function figuresOf(report: RunReport): Figures {
  const figures: Record<string, number | null> = {};
  for (const [key, value] of Object.entries(report)) if (!left.has(key)) collect(figures, key, value);
  return figures;
}

function collect(figures: Record<string, number | null>, path: string, value: unknown): void {
  if (typeof value === "number" || value === null) {
    figures[path] = value;
  } else if (Array.isArray(value)) {
    for (const entry of value as unknown[]) {
      const name = nameOf(entry);
      if (name !== null) collect(figures, `${path}.${name}`, entry);
    }
  } else if (typeof value === "object") {
    for (const [key, member] of Object.entries(value as object)) if (!left.has(key)) collect(figures, `${path}.${key}`, member);
  }
}

/** What tells an entry of a list from the others; null where nothing does: a curve's points have no figures of their own. */
function nameOf(entry: unknown): string | null {
  if (typeof entry !== "object" || entry === null) return null;
  const { name, goal, cause, reason } = entry as Record<string, unknown>;
  const found = name ?? goal ?? cause ?? reason;
  return typeof found === "string" ? found : null;
}
