import type { JobRow } from "../protocol/result.ts";
import { formatDurationUs, formatMsat, formatNumber, formatPercent, formatSignificant } from "../protocol/units.ts";
import type { Candidate, Decision, ScorePart } from "../scheduler/environment.ts";
import type { MarketEvent } from "../protocol/result/market-event.ts";
import { plainTable } from "./table.ts";

/** All that is known of one job's way through the market. */
export interface Explained {
  readonly job: string;
  /** Null where the job was still under way when the run stopped. */
  readonly row: JobRow | null;
  /** Of this job, in order. */
  readonly events: readonly MarketEvent[];
  readonly decisions: readonly { readonly atUs: number; readonly decision: Decision }[];
  /** Nodes' names by peer id. */
  readonly names: ReadonlyMap<string, string>;
  /** Show every node, not only the first ones. */
  readonly everything: boolean;
}

/** Rows of a table before the rest is only counted. */
const shownNodes = 12;

/** Rules speak in microseconds, which decide; people read seconds. None is lost. */
const inSeconds = (detail: string): string => detail.replaceAll(/\b(\d+) us\b/g, (_, us: string) => `${formatNumber(Number(us) / 1e6, 6)} s`);

const partValue = ({ value, unit }: ScorePart): string => {
  if (unit === "us") return formatDurationUs(value);
  if (unit === "msat") return formatMsat(value);
  if (unit === "share") return formatPercent(value);
  return `${formatSignificant(value)} ${unit}`;
};

/** A point in simulated time, to the millisecond: 0:05:00.115. */
const clock = (atUs: number): string => {
  const ms = Math.floor(atUs / 1_000);
  const two = (value: number): string => String(value).padStart(2, "0");
  const seconds = Math.floor(ms / 1_000);
  return `${Math.floor(seconds / 3_600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}.${String(ms % 1_000).padStart(3, "0")}`;
};

const score = (value: number): string => value.toFixed(4);

const candidatesTable = (decision: Decision, nameOf: (id: string) => string, everything: boolean): string[] => {
  const parts = decision.candidates[0]?.parts.map(({ name }) => name) ?? [];
  const head = ["", "candidate", "score", ...parts.map((name, index) => `${index === 0 ? "=" : "+"} ${name}`)];
  const row = (candidate: Candidate): string[] => [
    candidate.node === decision.chosen ? "->" : "",
    nameOf(candidate.node),
    score(candidate.score),
    ...candidate.parts.map((part) => `${score(part.contribution)} (${partValue(part)})`),
  ];
  const place = decision.candidates.findIndex(({ node }) => node === decision.chosen);
  const shown = everything ? decision.candidates : decision.candidates.filter((_, index) => index < shownNodes || index === place);
  const lines = [plainTable(head, head.map(() => "left"), shown.map(row))];
  const hidden = decision.candidates.length - shown.length;
  if (hidden > 0) lines.push(`... and ${formatNumber(hidden)} more candidates (--all shows them)`);
  return lines;
};

const exclusionLines = (decision: Decision, nameOf: (id: string) => string, everything: boolean): string[] => {
  if (decision.excluded.length === 0) return ["No node was excluded."];
  const byRule = new Map<string, { node: string; detail: string }[]>();
  for (const { node, rule, detail } of decision.excluded) {
    const list = byRule.get(rule) ?? [];
    list.push({ node: nameOf(node), detail });
    byRule.set(rule, list);
  }
  const lines = [`Excluded: ${decision.excluded.length} of ${decision.excluded.length + decision.candidates.length} nodes`];
  const most = everything ? Infinity : 3;
  for (const [rule, nodes] of byRule) {
    lines.push(`  ${rule}: ${nodes.length}`);
    for (const { node, detail } of nodes.slice(0, most)) lines.push(`    ${node}: ${inSeconds(detail)}`);
    if (nodes.length > most) lines.push(`    ... and ${formatNumber(nodes.length - most)} more (--all shows them)`);
  }
  return lines;
};

const eventText = (event: MarketEvent): string => {
  switch (event.event) {
    case "submitted":
      return `submitted by a ${event.clientClass} client\n${formatNumber(event.inputTokens)} tokens in, at most ${formatNumber(event.maxOutputTokens)} out, for at most ${formatMsat(event.maxPriceMsat)}`;
    case "assigned":
      return `attempt ${event.attempt}: assigned to ${event.node}`;
    case "attempt-failed":
      return `attempt ${event.attempt}: failed at ${event.node}: ${event.reason}`;
    case "started":
      return `attempt ${event.attempt}: work began`;
    case "first-token":
      return `attempt ${event.attempt}: first token at the client`;
    case "finished":
      return `result at the client\n${formatNumber(event.outputTokens)} tokens from ${event.node} for ${formatMsat(event.amountMsat)}, fee ${formatMsat(event.feeMsat)}`;
    case "ended":
      return event.reason === "" ? event.status : `${event.status}: ${event.reason}`;
    default:
      return event.event;
  }
};

const timeline = (events: readonly MarketEvent[]): string[] => {
  const startUs = events[0]?.atUs ?? 0;
  return [plainTable(["clock", "after", "what"], ["right", "right", "left"], events.map((event) => [clock(event.atUs), formatDurationUs(event.atUs - startUs), eventText(event)]))];
};

const headline = ({ job, row, names, decisions }: Explained, nameOf: (id: string) => string): string => {
  if (row === null) return `${job} was still under way when the run stopped.`;
  const tries = row.attempts === 1 ? "" : ` after ${row.attempts} attempts`;
  if (row.status === "completed") return `${job} was served by ${row.node}, one of ${names.size} nodes${tries === "" ? "" : `,${tries}`}.`;
  const last = decisions.at(-1)?.decision.chosen ?? "";
  return `${job} ended as ${row.status}${row.reason === "" ? "" : ` (${row.reason})`}${tries}${last === "" ? "" : `, last tried at ${nameOf(last)}`}.`;
};

/** The story of a job for the terminal: its end, its timeline, and each decision of the router with every figure behind it. */
export const explanationText = (explained: Explained): string => {
  const nameOf = (id: string): string => explained.names.get(id) ?? id;
  const lines = [headline(explained, nameOf), "", "Timeline", ...timeline(explained.events)];
  for (const { atUs, decision } of explained.decisions) {
    lines.push("", `Decision at ${clock(atUs)}, attempt ${decision.attempt}, policy ${decision.policy}`);
    lines.push(decision.chosen === "" ? `No node chosen: ${decision.how}.` : `Chosen: ${nameOf(decision.chosen)}; ${decision.how}.`);
    if (decision.price !== "") lines.push(`Price: ${decision.price}.`);
    if (decision.candidates.length > 0) lines.push(...candidatesTable(decision, nameOf, explained.everything));
    lines.push(...exclusionLines(decision, nameOf, explained.everything));
  }
  if (explained.decisions.length === 0) lines.push("", "The router made no decision on this job.");
  return `${lines.join("\n")}\n`;
};
