import type { DistributionSummary, JobGroup, NodeReport, RunReport } from "../protocol/result.ts";
import { formatDurationUs, formatMsat, formatMsatPerMtok, formatNumber, formatPercent, formatSignificant, formatTokens } from "../protocol/units.ts";
import type { Block, Content, Section } from "./blocks.ts";
import { findings } from "./findings.ts";
import { asksSection } from "./asks.ts";
import { precisionSection } from "./precision.ts";
import { pricingSection } from "./pricing.ts";
import { settlementSection } from "./settlement.ts";
import { supplySection } from "./supply.ts";
import { structureSection, welfareSection } from "./welfare.ts";

export type { Block, Content, Section } from "./blocks.ts";

const NONE = "–";
/** Rows of one table at most, the nodes' apart. */
const MOST_ROWS = 50;

/**
 * Says what came of a run, the summary first.
 * @param nodeRows how many nodes are listed, those with the highest revenue first
 */
export function contentOf(report: RunReport, nodeRows: number): Content {
  return {
    title: report.provenance.scenario.name,
    question: report.provenance.scenario.question,
    sections: [summary(report), ...scenario(report), ends(report), latencies(report), load(report), market(report), ...pricingSection(report), ...asksSection(report), ...supplySection(report), ...settlementSection(report), welfareSection(report), structureSection(report), nodes(report, nodeRows), ...precisionSection(report), trust(report)],
  };
}

function summary(report: RunReport): Section {
  const { overall, warmupUs, horizonUs } = report;
  const { jobs, latency, goodput, throughput, prices } = overall;
  const ended = jobs.submitted - jobs.inFlight;
  const measured = `${formatDurationUs(horizonUs - warmupUs)} of ${report.world} time${warmupUs > 0 ? `, after a warm-up of ${formatDurationUs(warmupUs)}` : ""}`;
  return {
    title: "Summary",
    blocks: [
      { kind: "text", text: `${plural(report.nodes.length, "node")} of ${plural(report.operatorClasses.length, "operator class", "operator classes")} served ${plural(report.clientClasses.length, "client class", "client classes")}. Measured: ${measured}.` },
      { kind: "list", items: findings(report) },
      {
        kind: "table", caption: "Key figures", head: ["", "all jobs"],
        rows: [
          ["jobs submitted", formatNumber(jobs.submitted)],
          ["completed", share(jobs.completed, ended)],
          ["completed within every latency goal", met(goodput)],
          ["time to first token, median", maybe(latency.ttftUs.p50, formatDurationUs)],
          ["time to first token, 95th percentile", maybe(latency.ttftUs.p95, formatDurationUs)],
          ["end to end, median", maybe(latency.endToEndUs.p50, formatDurationUs)],
          ["end to end, 95th percentile", maybe(latency.endToEndUs.p95, formatDurationUs)],
          ["output tokens per second", maybe(throughput.outputTokensPerS, (value) => formatSignificant(value, 4))],
          ["price per million tokens, median", maybe(prices.perMtokMsat.p50, price)],
          ["paid in all", money(overall.paidMsat)],
          ["of it the router's fees", money(overall.feesMsat)],
        ],
      },
    ],
  };
}

/** What the scenario's author assumes, and advises to look at. */
function scenario({ provenance }: RunReport): Section[] {
  const { resolved } = provenance.scenario;
  if (typeof resolved !== "object" || resolved === null || Array.isArray(resolved)) return [];
  const { description } = resolved;
  return typeof description !== "string" || description.trim() === "" ? [] : [{ title: "The scenario", blocks: paragraphs(description) }];
}

/** Lines that follow one another are one paragraph; indented ones stay as they are. */
function paragraphs(text: string): Block[] {
  const blocks: { kind: "text" | "verbatim"; text: string }[] = [];
  let open = false;
  for (const line of text.split(/\r\n|\n|\r/)) {
    const kind = /^\s/.test(line) ? "verbatim" : "text";
    const last = blocks.at(-1);
    if (line.trim() === "") open = false;
    else if (open && last?.kind === kind) last.text += `${kind === "text" ? " " : "\n"}${line.trim()}`;
    else {
      blocks.push({ kind, text: line.trim() });
      open = true;
    }
  }
  return blocks;
}

function ends(report: RunReport): Section {
  const { reasons, attempts, jobs: { submitted, inFlight } } = report.overall;
  const counts = (group: string, { jobs }: JobGroup): string[] => [
    group, ...[jobs.submitted, jobs.completed, jobs.failed, jobs.rejected, jobs.expired, jobs.cancelled, jobs.inFlight].map((count) => formatNumber(count)),
  ];
  const goals = (group: string, { goodput }: JobGroup): string[] => [
    group, met(goodput), maybe(goodput.jobsPerS, (rate) => formatSignificant(rate, 4)),
    ...(["ttft", "tpot", "endToEnd"] as const).map((name) => {
      const goal = goodput.goals.find((entry) => entry.goal === name);
      return goal === undefined ? NONE : share(goal.met, goal.jobs);
    }),
  ];
  const classes: readonly (readonly [string, JobGroup])[] = [
    ...report.clientClasses.map((group) => [group.name, group] as const), ...(report.clientClasses.length > 1 ? [["all", report.overall] as const] : []),
  ];
  return {
    title: "How jobs ended",
    blocks: [
      { kind: "plot", name: "throughput" },
      table(
        "Jobs by client class", ["client class", "submitted", "completed", "failed", "rejected", "expired", "cancelled", "in flight"],
        classes.map(([name, group]) => counts(name, group)),
      ),
      table(
        "Goodput: shares of ended jobs that completed within every latency goal, and within each",
        ["client class", "all goals", "jobs/s", "first token", "per output token", "end to end"],
        classes.map(([name, group]) => goals(name, group)),
      ),
      ...(reasons.length > 0
        ? [table("Why jobs did not complete", ["end", "reason", "jobs"], reasons.map(({ status, reason, jobs }) => [status, reason === "" ? NONE : reason, formatNumber(jobs)]))]
        : []),
      ...(attempts.failures.length > 0
        ? [
          { kind: "text", text: `${formatNumber(attempts.total)} times a job was given to a node. ${plural(attempts.retriedJobs, "job")} needed more than one node (${share(attempts.retriedJobs, submitted - inFlight)}).` } as const,
          table("Why attempts at a node failed", ["reason", "attempts"], attempts.failures.map(({ reason, attempts: count }) => [reason, formatNumber(count)])),
        ]
        : []),
    ],
  };
}

function latencies(report: RunReport): Section {
  const head = ["", "jobs", "mean", "sd", "median", "90 %", "95 %", "99 %", "max"];
  const row = (name: string, { count, mean, sd, p50, p90, p95, p99, max }: DistributionSummary): string[] => [
    name, formatNumber(count), ...[mean, sd, p50, p90, p95, p99, max].map((us) => maybe(us, formatDurationUs)),
  ];
  const groups = (of: readonly { readonly name: string; readonly latency: JobGroup["latency"] }[]): string[][] =>
    of.flatMap(({ name, latency }) => [
      row(`${name}: first token`, latency.ttftUs), row(`${name}: per output token`, latency.tpotUs),
      row(`${name}: end to end`, latency.endToEndUs), row(`${name}: queueing`, latency.queueingUs),
    ]);
  return {
    title: "Latency",
    blocks: [
      { kind: "plot", name: "latency" },
      { kind: "text", text: "As clients see it: from submission to the first token, to the whole result, and to the start of work at the node that served the job. Quantiles are within 0.5 %." },
      table("By client class", head, [...groups(report.clientClasses), ...(report.clientClasses.length > 1 ? groups([{ name: "all", latency: report.overall.latency }]) : [])]),
      table("By the operator class that served the job", head, groups(report.operatorClasses)),
    ],
  };
}

function load(report: RunReport): Section {
  return {
    title: "Load",
    blocks: [
      { kind: "plot", name: "load" },
      table(
        "Operator classes over the measured interval",
        ["operator class", "nodes", "slots", "busy", "KV cache", "up", "attempts", "failed", "jobs", "input", "output"],
        report.operatorClasses.map((operator) => [
          operator.name, formatNumber(operator.nodes), formatNumber(operator.slots), maybe(operator.utilisation, formatPercent), maybe(operator.kvUtilisation, formatPercent),
          maybe(operator.availability, formatPercent), formatNumber(operator.attempts), formatNumber(operator.failedAttempts), formatNumber(operator.jobs),
          formatTokens(operator.tokens.input), formatTokens(operator.tokens.output),
        ]),
      ),
      { kind: "text", text: "Busy is the share of slot time in use while nodes are up. Attempts that neither failed nor became completed jobs were given up by the client, stayed unpaid, or were still under way." },
    ],
  };
}

function market(report: RunReport): Section {
  const blocks: Block[] = [
    { kind: "plot", name: "market" },
    { kind: "plot", name: "prices" },
    table(
      "What clients paid, fees included", ["client class", "paid", "fees", "per job, median", "per Mtok, mean", "median", "95 %"],
      report.clientClasses.map(({ name, paidMsat, feesMsat, prices }) => [
        name, money(paidMsat), money(feesMsat), maybe(prices.perJobMsat.p50, money), maybe(prices.perMtokMsat.mean, price), maybe(prices.perMtokMsat.p50, price), maybe(prices.perMtokMsat.p95, price),
      ]),
    ),
    earnings(report),
    { kind: "text", text: "Per Mtok: what was paid over input and output tokens together. Means and quantiles are over jobs, whatever their length; \"of all\" divides all that was paid by all tokens." },
  ];
  if (report.flows.length > 0) {
    blocks.push(table(
      "Who served whom", ["client class", "operator class", "jobs", "share of the class", "output", "paid", "per Mtok, of all"],
      report.flows.map((flow) => [
        flow.clientClass, flow.operatorClass, formatNumber(flow.jobs), share(flow.jobs, report.clientClasses.find(({ name }) => name === flow.clientClass)?.jobs.completed ?? 0),
        formatTokens(flow.tokens.output), money(flow.paidMsat), maybe(flow.perMtokMsat, price),
      ]),
    ));
  }
  return { title: "Market", blocks };
}

function earnings(report: RunReport): Block {
  const hours = (report.horizonUs - report.warmupUs) / 3.6e9;
  const powered = report.operatorClasses.some(({ energyKwh }) => energyKwh !== null);
  const priced = report.operatorClasses.some(({ electricityMsat }) => electricityMsat !== null);
  return table(
    `What operators earned${priced ? ", and what electricity left of it" : ""}`,
    ["operator class", "revenue", "per node", "per slot and hour", "per Mtok, mean", ...(powered ? ["energy"] : []), ...(priced ? ["electricity", "left"] : [])],
    report.operatorClasses.map(({ name, nodes: count, slots, revenueMsat, prices, energyKwh, electricityMsat }) => [
      name, money(revenueMsat), count === 0 ? NONE : money(revenueMsat / count), slots === 0 ? NONE : money(revenueMsat / slots / hours), maybe(prices.perMtokMsat.mean, price),
      ...(powered ? [maybe(energyKwh, (kwh) => `${formatSignificant(kwh, 4)} kWh`)] : []),
      ...(priced ? [maybe(electricityMsat, money), maybe(electricityMsat, (cost) => money(revenueMsat - cost))] : []),
    ]),
  );
}

function nodes(report: RunReport, most: number): Section {
  const row = (node: NodeReport): string[] => [
    node.name, node.operatorClass, node.region, outputPrice(node), formatNumber(node.jobs), formatTokens(node.tokens.output), money(node.revenueMsat),
    maybe(node.utilisation, formatPercent), maybe(node.availability, formatPercent), formatNumber(node.failedAttempts),
  ];
  const ranked = report.nodes.toSorted((a, b) => b.revenueMsat - a.revenueMsat || b.jobs - a.jobs || (a.name < b.name ? -1 : 1));
  const first = report.asks === null ? "output price" : "first output price";
  const caption = ranked.length > most ? `The ${most} nodes that earned most, of ${formatNumber(ranked.length)}; nodes.csv has them all` : "All nodes, those that earned most first";
  return {
    title: "Nodes",
    blocks: [{ kind: "table", caption, head: ["node", "operator class", "region", first, "jobs", "output", "revenue", "busy", "up", "failed"], rows: ranked.slice(0, most).map(row) }],
  };
}

/** A node that takes money and asks none for tokens is not free: it charges by the job. */
function outputPrice({ inputMsatPerMtok, outputMsatPerMtok, revenueMsat }: NodeReport): string {
  if (inputMsatPerMtok === 0 && outputMsatPerMtok === 0 && revenueMsat > 0) return "by the job";
  return maybe(outputMsatPerMtok, price);
}

function trust(report: RunReport): Section {
  const { provenance, checks, money: accounts } = report;
  const { little } = checks;
  return {
    title: "Checks and provenance",
    blocks: [
      { kind: "text", text: "Every law below held each time it was checked; a run that breaks one stops and gives no report." },
      table("Laws checked in this run", ["law", "checks passed"], checks.laws.map(({ law, passed }) => [law, formatNumber(passed)])),
      {
        kind: "text",
        text: `Little's law holds exactly over the whole run. Over the measured interval, whose edges cut jobs in two, ${maybe(little.arrivalsPerS, (rate) => formatSignificant(rate, 4))} arrivals per second times a mean sojourn (until a job is settled) of ${maybe(little.meanSojournUs, formatDurationUs)} differ from the mean of ${maybe(little.meanInSystem, (jobs) => formatSignificant(jobs, 4))} jobs in the system by ${maybe(little.relativeError, formatPercent)}.`,
      },
      ...(accounts === null ? [] : [table(
        `Money over the whole run, warm-up included: ${formatMsat(accounts.openingMsat)} before and after, to the millisatoshi`, ["accounts", "number", "before", "after", "change"],
        accounts.accounts.map(({ kind, accounts: count, openingMsat, closingMsat, changeMsat }) => [kind, formatNumber(count), formatMsat(openingMsat), formatMsat(closingMsat), formatMsat(changeMsat)]),
      )]),
      table("Provenance", ["", ""], [
        ["made by", `${provenance.lab.name} ${provenance.lab.version}`],
        ["scenario", provenance.scenario.name],
        ["scenario hash", provenance.scenario.hash],
        ["seed", String(provenance.seed)],
        ["changes", provenance.sets.length === 0 ? "none" : provenance.sets.join(", ")],
        ["results digest", provenance.resultsDigest],
        ["jobs", `${formatNumber(report.jobRows.rows)}, warm-up included; digest ${report.jobRows.digest}`],
        ["report schema", `${report.schema} ${report.schemaVersion}`],
      ]),
    ],
  };
}

function table(caption: string, head: readonly string[], rows: readonly (readonly string[])[]): Block {
  if (rows.length <= MOST_ROWS) return { kind: "table", caption, head, rows };
  return { kind: "table", caption: `${caption} (the first ${MOST_ROWS} rows of ${rows.length}; report.json has them all)`, head, rows: rows.slice(0, MOST_ROWS) };
}

/** Which columns of a table hold figures, and are read best when aligned to the right. */
export function figureColumns({ head, rows }: { readonly head: readonly string[]; readonly rows: readonly (readonly string[])[] }): boolean[] {
  return head.map((_, column) => column > 0 && rows.every((row) => /^(–|(> )?-?[\d,.]+( .*)?)$/.test(row[column] ?? "")));
}

function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatNumber(count)} ${count === 1 ? one : many}`;
}

function maybe(value: number | null, format: (value: number) => string): string {
  return value === null ? NONE : format(value);
}

/** A share that is not quite all is never shown as 100 %. */
function share(part: number, whole: number): string {
  if (whole === 0) return NONE;
  const text = formatPercent(part / whole);
  return part < whole && text === "100 %" ? "> 99.9 %" : text;
}

/** Jobs that nobody set a goal cannot have met it. */
function met({ goals, met: jobs, jobs: ended }: JobGroup["goodput"]): string {
  return goals.length === 0 ? NONE : share(jobs, ended);
}

/** Four digits are enough to compare; report.json has the rest. */
function money(msat: number): string {
  return formatMsat(Number(msat.toPrecision(4)));
}

function price(msatPerMtok: number): string {
  return formatMsatPerMtok(Number(msatPerMtok.toPrecision(4)));
}
