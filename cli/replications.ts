import { join } from "node:path";
import pc from "picocolors";
import type { ReplicationsReport } from "../protocol/result/replications.ts";
import { formatPercent } from "../protocol/units.ts";
import { wrap } from "../reports/plots/figure.ts";
import { formatEstimate, untilInWords } from "../reports/replications/content.ts";
import { ReplicationsFolder } from "../reports/replications/folder.ts";
import type { RunOutcome } from "../sim/experiment/plan.ts";
import { withoutSeries } from "../sim/experiment/series.ts";
import { replicate } from "../sim/experiment/replications/replicate.ts";
import type { ReplicationsSpec } from "../sim/scenario/sections/replications.ts";
import { readUntil } from "../sim/scenario/sections/replications.ts";
import { UserError } from "./errors.ts";
import type { ExperimentFlags } from "./experiment-options.ts";
import type { LoadedSubject } from "./experiment.ts";
import { runExperiment } from "./experiment.ts";
import { plainTable } from "./table.ts";
import { version } from "./version.ts";

/** Columns of a terminal that everything fits into. */
const width = 80;

/** How often `run` plays a scenario: as the flags say, otherwise as the scenario says, otherwise once. @throws UserError */
export const replicationsOf = ({ experiment, scenario }: LoadedSubject, flags: Pick<ExperimentFlags, "replications"> & { readonly until?: string }): ReplicationsSpec => {
  const stated = experiment.replications;
  if (flags.until !== undefined) {
    const atMost = flags.replications ?? stated?.until?.atMost ?? 1_000;
    const classes = { clients: scenario.clients.map(({ name }) => name), operators: scenario.operators.map(({ name }) => name) };
    const rule = readUntil(flags.until, classes, { atLeast: Math.min(atMost, stated?.until?.atLeast ?? 10), atMost });
    if (typeof rule === "string") throw new UserError(`--until: ${rule}.`);
    if (atMost < 2) throw new UserError("--until needs two replications at least.");
    return { count: null, until: rule };
  }
  return flags.replications !== undefined ? { count: flags.replications, until: null } : stated ?? { count: 1, until: null };
};

/** Plays a scenario several times, and reports what its figures are on average. */
export const runReplications = async (loaded: LoadedSubject, replications: ReplicationsSpec, flags: ExperimentFlags): Promise<void> => {
  const { scenario, seed } = loaded;
  // By way of the experiment, which is told of its replications alone: pilots of a warm-up are no runs of the report.
  let addRun: (outcome: RunOutcome) => void = () => {};
  await runExperiment<ReplicationsReport>({
    name: "run", loaded,
    flags: flags.out === undefined && flags.json !== true ? { ...flags, out: join("out", `${scenario.name}-replications`) } : flags,
    open: (out) => {
      const folder = new ReplicationsFolder(out, scenario.name);
      addRun = ({ task, error, digest, figures }) => folder.addRun({ name: task.name, seed: task.seed, error, digest, figures: figures === null ? null : withoutSeries(figures) });
      return { finish: (report) => folder.finish(report), close: () => folder.close() };
    },
    plan: () => replicate({ scenario, replications, seed, sets: flags.set, lab: { name: "infernet-lab", version }, onRun: (outcome) => addRun(outcome) }),
    text: replicationsText,
  });
};

/** A report of replications for the terminal. */
export const replicationsText = (report: ReplicationsReport, out: string | null): string => {
  const { keyMetrics, runs, confidence, until, provenance: { scenario } } = report;
  const played = runs.played - runs.failed;
  const lines = [
    `${pc.bold(scenario.name)}: ${played === 1 ? "1 run" : `${played} runs`} with independent random numbers`,
    ...(until === null ? [] : wrap(untilInWords(until), width)),
    "",
    plainTable(["", "mean", `true mean, ${formatPercent(confidence)}`, ""], ["left", "right", "right", "right"], keyMetrics.map(({ metric, estimate }) => {
      const { mean, interval, relative } = formatEstimate(estimate, metric.unit);
      return [metric.label, mean, interval, relative];
    })),
  ];
  if (out !== null) lines.push("", `${pc.bold("Report:")} ${join(out, "index.html")} (open it in a browser)`);
  return `${lines.join("\n")}\n`;
};
