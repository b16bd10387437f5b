import type { RunReport } from "../result.ts";

/**
 * The figures of a run by name: a report's numbers by their path, entries of lists by their name. Null where a figure is
 * undefined. Names are stable: what the report's schema calls it, and
 * - `overall`, `clientClasses.CLASS`, `operatorClasses.CLASS`: `latency.ttftUs.p95`, `goodput.share`, `jobs.completed`, ...
 * - `overall.reasons.STATUS.REASON.jobs`, `overall.attempts.failures.REASON.attempts`
 * - `flows.CLIENTS.OPERATORS.paidMsat`
 * - `pricing`, `settlement` (`losses.CAUSE.msat`), `asks.operatorClasses.CLASS.meanPrices`, `welfare` (`losses.price`),
 *   `supply.operatorClasses.CLASS.profitMsat`, `supply.entry.CLASS.atEnd`, `structure.hhi.nodes`, `checks.little.meanInSystem`
 * - `money.KIND.changeMsat`
 * - `market`: sums over all operators that the report states class by class: see {@link marketFigures}.
 */
export type Figures = Readonly<Record<string, number | null>>;

/** Parts that are no figures of the run as a whole: single nodes, curves, bookkeeping. */
const left: ReadonlySet<string> = new Set(["provenance", "nodes", "overTime", "histograms", "jobRows", "laws", "intervals", "warmup"]);
/** Parts of which some scenarios have none: not figures that are undefined, but none at all. */
const optional: ReadonlySet<string> = new Set(["pricing", "settlement", "asks", "welfare", "supply", "pricing.auctions", "pricing.batches", "pricing.trades", "settlement.channels", "supply.exchange"]);

/** Every figure of a run. */
export function figuresOf(report: RunReport): Figures {
  const figures: Record<string, number | null> = {};
  for (const [key, value] of Object.entries(report)) {
    // Goals are the clients', horizon and warm-up the scenario's: no run changes them.
    if (key === "clientClasses") for (const { goals: _, ...entry } of report.clientClasses) collect(figures, `clientClasses.${entry.name}`, entry);
    else if (!left.has(key) && key !== "money" && key !== "horizonUs" && key !== "warmupUs") collect(figures, key, value);
  }
  for (const { kind, ...account } of report.money?.accounts ?? []) collect(figures, `money.${kind}`, account);
  for (const [name, value] of Object.entries(marketFigures(report))) figures[`market.${name}`] = value;
  return figures;
}

/**
 * What a figure is where a run's report has no such entry: 0 of what is counted by reason, cause or pair of classes, which
 * are listed only where they occurred; null of everything else.
 */
export function absentFigure(path: string): 0 | null {
  return /\.(reasons|failures|losses|failed)\.|^flows\..*\.(jobs|input|output|paidMsat)$/.test(path) ? 0 : null;
}

/**
 * Sums over all operators, which a report states class by class.
 * - `utilisation`: busy slots over slots while up
 * - `availability`: time up, by slots
 * - `revenueMsat`, `energyKwh`, `electricityMsat`; `costsMsat`, `profitMsat`, `profitMsatPerHour` where costs are stated
 * - `completedShare`: completed jobs over jobs that ended
 */
function marketFigures({ operatorClasses, nodes, supply, overall }: RunReport): Record<string, number | null> {
  let busy = 0;
  let up = 0;
  let slots = 0;
  for (const node of nodes) {
    const there = node.slots * (node.availability ?? 0);
    slots += node.slots;
    up += there;
    busy += there * (node.utilisation ?? 0);
  }
  const { jobs } = overall;
  const ended = jobs.submitted - jobs.inFlight;
  const accounts = supply?.operatorClasses ?? null;
  const hours = accounts === null ? 0 : total(accounts.map(({ ownedUs }) => ownedUs))! / 3.6e9;
  const profitMsat = accounts === null ? null : total(accounts.map((account) => account.profitMsat));
  return {
    utilisation: ratio(busy, up),
    availability: ratio(up, slots),
    revenueMsat: total(operatorClasses.map(({ revenueMsat }) => revenueMsat)),
    energyKwh: total(operatorClasses.map(({ energyKwh }) => energyKwh)),
    electricityMsat: total(operatorClasses.map(({ electricityMsat }) => electricityMsat)),
    costsMsat: accounts === null ? null : total(accounts.map(({ costsMsat }) => costsMsat)),
    profitMsat,
    profitMsatPerHour: profitMsat === null ? null : ratio(profitMsat, hours),
    completedShare: ratio(jobs.completed, ended),
  };
}

/** Null where one of them is not known. */
function total(values: readonly (number | null)[]): number | null {
  let sum = 0;
  for (const value of values) {
    if (value === null) return null;
    sum += value;
  }
  return sum;
}

function ratio(dividend: number, divisor: number): number | null {
  return divisor === 0 ? null : dividend / divisor;
}

function collect(figures: Record<string, number | null>, path: string, value: unknown): void {
  if (typeof value === "number" || value === null) {
    if (!optional.has(path)) figures[path] = value;
  } else if (Array.isArray(value)) {
    for (const entry of value as unknown[]) {
      const name = nameOf(entry);
      if (name !== null) collect(figures, `${path}.${name}`, entry);
    }
  } else if (typeof value === "object") {
    for (const [key, member] of Object.entries(value as object)) {
      // A class's number of nodes is a figure; the list of all nodes is none.
      if (!left.has(key) || typeof member === "number") collect(figures, `${path}.${key}`, member);
    }
  }
}

/** What tells an entry of a list from the others; null where nothing does: a curve's points have no figures of their own. */
function nameOf(entry: unknown): string | null {
  if (typeof entry !== "object" || entry === null) return null;
  const { name, role, goal, cause, status, reason, currency, model, multiple, clientClass, operatorClass } = entry as Record<string, unknown>;
  if (typeof multiple === "number") return `x${multiple}`;
  const parts = clientClass !== undefined ? [clientClass, operatorClass] : status !== undefined ? [status, reason] : role !== undefined ? [role, name] : [name ?? goal ?? cause ?? reason ?? currency ?? model];
  return parts.every((part) => typeof part === "string") ? parts.join(".") : null;
}
