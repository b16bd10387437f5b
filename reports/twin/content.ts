import type { TwinComparison, TwinPhase, TwinReport } from "../../protocol/result/twin.ts";
import { formatDurationUs, formatMsat, formatNumber, formatPercent } from "../../protocol/units.ts";
import type { Content, Section } from "../blocks.ts";
import { provenanceSection } from "../provenance.ts";
import { METRIC_WORDS, type TwinPlotName } from "./titles.ts";

type Part = Section<TwinPlotName>;

const NONE = "–";

/** A twin report in words, tables and plots, the answer first. */
export function twinContent(report: TwinReport): Content<TwinPlotName> {
  return {
    title: "The simulation held against reality",
    question: report.provenance.scenario.question,
    sections: [
      { title: "Answer", blocks: [{ kind: "text", text: report.headline }, { kind: "list", items: report.findings }] },
      errors(report), ...report.phases.map(phase), quantiles(), nodes(report), calibration(report), machine(report), reading(),
      provenanceSection(report),
    ],
  };
}

/** The table of errors as the README shows it, in Markdown. */
export function errorTable(report: TwinReport): string {
  const rows = tableRows(report.overall);
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(HEAD), line(HEAD.map(() => "---")), ...rows.map(line)].join("\n");
}

/** Where and on what it was measured, in one sentence. */
export function machineSentence({ machine, measuredAt, nodes, overall, provenance }: TwinReport): string {
  return `${nodes.length} nodes (${nodes.map(({ model }) => model).join(", ")}) on one machine: ${machine.cpu}, ${machine.cores} cores, no GPU, ${machine.engine}; ${formatNumber(overall.jobs)} jobs of \`${provenance.scenario.name}\`, ${measuredAt.slice(0, 10)}.`;
}

const HEAD = ["", "real mean", "simulated", "error of mean", "of p50", "of p95", "correlation", "of ranks"];

function tableRows({ comparisons, throughput }: TwinPhase): string[][] {
  return [
    ...comparisons.map((one) => [
      METRIC_WORDS[one.metric], figure(one, one.real.mean), figure(one, one.simulated.mean), signed(one.error.mean), signed(one.error.p50), signed(one.error.p95), plain(one.pearson), plain(one.spearman),
    ]),
    ["throughput, jobs", `${formatNumber(throughput.jobsPerS.real, 2)}/s`, `${formatNumber(throughput.jobsPerS.simulated, 2)}/s`, signed(throughput.jobsPerS.error), NONE, NONE, NONE, NONE],
    ["throughput, tokens", `${formatNumber(throughput.tokensPerS.real, 1)}/s`, `${formatNumber(throughput.tokensPerS.simulated, 1)}/s`, signed(throughput.tokensPerS.error), NONE, NONE, NONE, NONE],
  ];
}

function errors(report: TwinReport): Part {
  return {
    title: "Errors",
    blocks: [
      { kind: "plot", name: "errors" },
      { kind: "table", caption: `All ${formatNumber(report.overall.jobs)} jobs, paired one to one`, head: HEAD, rows: tableRows(report.overall) },
      {
        kind: "table", caption: "What the simulation is held to", head: ["", "error", "at most", ""],
        rows: report.bars.map(({ what, error, limit, holds }) => [what, signed(error), formatPercent(limit), holds ? "holds" : "does not hold"]),
      },
    ],
  };
}

function phase(one: TwinPhase): Part {
  return {
    title: `Phase: ${one.name}`,
    blocks: [{ kind: "table", caption: `${formatNumber(one.jobs)} jobs submitted from ${formatDurationUs(one.fromUs)} to ${formatDurationUs(one.untilUs)}`, head: HEAD, rows: tableRows(one) }],
  };
}

function quantiles(): Part {
  return { title: "Job by job", blocks: [{ kind: "plot", name: "quantiles" }, { kind: "plot", name: "jobs" }] };
}

function nodes({ nodes: rows }: TwinReport): Part {
  return {
    title: "Nodes",
    blocks: [{
      kind: "table", caption: "What each served and earned", head: ["node", "model", "slots", "jobs, real", "simulated", "slots busy, real", "simulated", "revenue, real", "simulated", "error"],
      rows: rows.map(({ name, model, slots, real, simulated, revenueError }) => [
        name, model, formatNumber(slots), formatNumber(real.jobs), formatNumber(simulated.jobs), formatPercent(real.utilisation), formatPercent(simulated.utilisation),
        formatMsat(real.revenueMsat), formatMsat(simulated.revenueMsat), signed(revenueError),
      ]),
    }],
  };
}

function calibration({ calibration: { stages, parts, tookUs, legsUs, paymentUs, shares, nodes: rows, cores } }: TwinReport): Part {
  const others = shares.slice(1).map((_, i) => i + 2);
  return {
    title: "What the simulation was told",
    blocks: [
      { kind: "text", text: `A bench run of its own, ${parts === 1 ? "after the play" : `in ${parts} parts before, between and after the acts of the play`}, measured the same nodes in ${formatNumber(stages)} steps and ${formatDurationUs(tookUs)}; none of its jobs is among those above.` },
      {
        kind: "table", caption: "Cost of a step: a formula fitted to the measurements, which the simulation takes as they are, linear in between", head: ["node", "form", "a prompt token", "a pass", "a token of context", "prompts, error of the fit", "steps, error of the fit"],
        rows: rows.map(({ name, cost, prompts, steps, promptError, stepError }) => [
          name, cost.form, micro(cost.tokenUs), micro(cost.fixedUs), micro(cost.contextUs), `${formatPercent(promptError)} of ${prompts}`, `${formatPercent(stepError)} of ${steps}`,
        ]),
      },
      {
        kind: "table", caption: `Speed that a node keeps while so many of all nodes are busy on the ${cores} cores`,
        head: ["node", ...others.map((busy) => `generating, ${busy} busy`), ...others.map((busy) => `reading prompts, ${busy} busy`)],
        rows: [
          ...rows.map((row) => [row.name, ...others.map((busy) => formatPercent(row.shares[busy - 1]!)), ...others.map((busy) => formatPercent(row.promptShares[busy - 1]!))]),
          ["were there nothing but cores to share", ...[...others, ...others].map((busy) => formatPercent(Math.min(1, cores / busy)))],
        ],
      },
      { kind: "table", caption: "Messages and payments, signing and verifying in them", head: ["client to router", "router to node", "node to client", "payment"], rows: [[legsUs.toRouter, legsUs.toNode, legsUs.toClient, paymentUs].map((us) => formatDurationUs(Math.round(us)))] },
    ],
  };
}

function machine(report: TwinReport): Part {
  const { machine: { cpu, cores, memoryBytes, os, runtime, engine, othersCores }, measuredAt } = report;
  return {
    title: "Where it was measured",
    blocks: [
      { kind: "table", caption: "One machine for all processes", head: ["", ""], rows: [["processor", cpu], ["cores", String(cores)], ["memory", `${formatNumber(memoryBytes / 2 ** 30, 1)} GiB`], ["system", os], ["runtime", runtime], ["engine", engine], ["cores used by others, play and bench", othersCores === null ? "not known" : `${formatNumber(othersCores.play, 2)}, ${formatNumber(othersCores.bench, 2)}`], ["when", measuredAt]] },
      { kind: "text", text: "No GPU takes part: what holds here is shown for processors, models of this size and nodes that share cores; how well other hardware is told is a matter of its own measurements." },
    ],
  };
}

function reading(): Part {
  return {
    title: "How to read this",
    blocks: [
      { kind: "list", items: [
        "The same participants, keys, random streams, jobs and prices in both worlds. For real they are processes on this machine that sign, send and pay; output lengths are forced to those of the scenario.",
        "Times of a job count from its own submission. A job that went to another node in the other world is paired all the same: what differs then is a matter of that decision, too.",
        "Correlations are over jobs: 1 means that the simulation tells exactly which jobs are slow. Throughput counts what was completed within the time, in and out together for tokens.",
        "real/ and simulated/ hold the full report of each side, in the schema of any run.",
      ] },
    ],
  };
}

function figure({ unit }: TwinComparison, value: number): string {
  return unit === "msat" ? formatMsat(Math.round(value)) : formatDurationUs(Math.round(value));
}

function signed(value: number | null): string {
  if (value === null) return NONE;
  const text = `${formatNumber(Math.abs(value) * 100, 1)} %`;
  return Number(text.slice(0, -2)) === 0 ? "0 %" : `${value > 0 ? "+" : "−"}${text}`;
}

function plain(value: number | null): string {
  return value === null ? NONE : formatNumber(value, 3);
}

function micro(us: number): string {
  return `${formatNumber(us, us < 10 ? 2 : 0)} µs`;
}
