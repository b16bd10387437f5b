import type { OperatorClassReport, RunReport } from "../protocol/result.ts";
import { formatDurationUs, formatMsat, formatNumber, formatPercent } from "../protocol/units.ts";
import { welfareFindings } from "./welfare.ts";

const GOAL_NAMES = { ttft: "time to first token", tpot: "time per output token", endToEnd: "end-to-end time" } as const;

/** What stands out in a run, in sentences, the most important first. Never empty. */
export function findings(report: RunReport): string[] {
  const found = [...cautions(report), ...losses(report), ...goals(report), ...welfareFindings(report), ...load(report), ...deficits(report), ...retries(report)];
  return found.length > 0 ? found : ["Nothing stands out: jobs completed, goals were met, and no operator class was overloaded."];
}

function cautions(report: RunReport): string[] {
  const found: string[] = [];
  const { jobs } = report.overall;
  if (report.provenance.interrupted === true) found.push(`The run was interrupted: it covers ${formatDurationUs(report.horizonUs)} of simulated time.`);
  if (jobs.submitted === 0) found.push("No job was submitted in the measured interval, so there is nothing to measure.");
  else if (jobs.completed < 100) found.push(`Only ${formatNumber(jobs.completed)} jobs completed: quantiles and shares of so few say little.`);
  if (jobs.inFlight > 0) found.push(`${formatNumber(jobs.inFlight)} jobs were still under way when the run stopped; latencies leave them out, which flatters them.`);
  const error = report.checks.little.relativeError;
  if (error !== null && Math.abs(error) > 0.1 && jobs.completed >= 100) {
    found.push(`The market was not in a steady state: by Little's law the arrivals account for ${formatPercent(1 + error)} of the jobs in the system.`);
  }
  return found;
}

function losses(report: RunReport): string[] {
  const { jobs, reasons } = report.overall;
  const ended = jobs.submitted - jobs.inFlight;
  const lost = ended - jobs.completed;
  if (lost === 0 || lost < ended / 100) return [];
  const worst = reasons[0];
  return [
    `${formatPercent(lost / ended)} of the jobs did not complete` +
      (worst === undefined ? "." : `; most often they were ${worst.status}${worst.reason === "" ? "" : ` (${worst.reason})`}: ${formatNumber(worst.jobs)} jobs.`),
  ];
}

function goals(report: RunReport): string[] {
  const { share, goals: all } = report.overall.goodput;
  const missed = all.filter((goal) => goal.share !== null).toSorted((a, b) => a.share! - b.share!)[0];
  if (share === null || share >= 0.95 || missed === undefined) return [];
  return [`${formatPercent(share)} of the jobs completed within all their latency goals; the goal missed most was ${GOAL_NAMES[missed.goal]}, met by ${formatPercent(missed.share!)}.`];
}

function load(report: RunReport): string[] {
  const used = report.operatorClasses.filter((operator): operator is OperatorClassReport & { utilisation: number } => operator.utilisation !== null);
  const full = used.filter(({ utilisation }) => utilisation > 0.9);
  const idle = used.filter(({ utilisation }) => utilisation < 0.1);
  const names = (of: readonly { readonly name: string; readonly utilisation: number }[]): string =>
    of.slice(0, 4).map(({ name, utilisation }) => `${name} (${formatPercent(utilisation)} of slot time)`).join(", ") + (of.length > 4 ? ` and ${of.length - 4} more` : "");
  return [
    ...(full.length > 0 ? [`Nearly always busy: ${names(full)}.`] : []),
    ...(idle.length > 0 ? [`Hardly used: ${names(idle)}.`] : []),
  ];
}

function deficits(report: RunReport): string[] {
  return report.operatorClasses
    .filter(({ revenueMsat, electricityMsat }) => electricityMsat !== null && electricityMsat > revenueMsat)
    .map(({ name, revenueMsat, electricityMsat }) => `${name} earned ${rounded(revenueMsat)}, less than the ${rounded(electricityMsat!)} that its electricity cost.`);
}

function rounded(msat: number): string {
  return formatMsat(Number(msat.toPrecision(4)));
}

function retries(report: RunReport): string[] {
  const { jobs, attempts } = report.overall;
  const ended = jobs.submitted - jobs.inFlight;
  if (ended === 0 || attempts.retriedJobs < ended / 1000) return [];
  const worst = attempts.failures[0];
  return [`${formatPercent(attempts.retriedJobs / ended)} of the jobs needed more than one node${worst === undefined ? "" : `, most often because of ${worst.reason}`}.`];
}
