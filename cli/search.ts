import { existsSync } from "node:fs";
import type { Command } from "commander";
import type { SearchReport } from "../protocol/result/search.ts";
import { formatNumber, formatPercent } from "../protocol/units.ts";
import { intervalText, shortFigure } from "../reports/search/content.ts";
import { SearchFolder } from "../reports/search/folder.ts";
import { prepareSearch } from "../sim/experiment/search/prepare.ts";
import { searchForReport } from "../sim/experiment/search/report.ts";
import { answerText } from "./answer-text.ts";
import { addExperimentOptions, interruptionHelp } from "./experiment-options.ts";
import type { ExperimentFlags } from "./experiment-options.ts";
import { loadSubject, runExperiment } from "./experiment.ts";
import { factorColumns, folderOfVariedRuns } from "./factors.ts";
import { plainTable } from "./table.ts";
import { version } from "./version.ts";

/** Alternatives that the terminal shows; the report has all. */
const shownRows = 12;

/** Adds `search`. */
export const registerSearch = (program: Command): void => {
  const command = program
    .command("search")
    .description("Finds the best values of a few parameters under noise: what a scenario's `search:` asks for.")
    .argument("<scenario>", "a YAML file with a `search:`, or the name of a scenario that comes with infernet");
  addExperimentOptions(command, { out: "out/search-NAME", json: "search.json", replications: "runs of each alternative with fresh random numbers, after the choice" })
    .addHelpText("after", `
Examples:
  $ infernet search router-fee
  $ infernet search market.yaml --set search.indifference='2 %' --set search.method=ocba

A search in a scenario:
  search:
    maximise: router.revenue
    over:
      router.fee.flat: {from: 100 msat, to: 700 msat, steps: 7}   # without steps: any value in between
    indifference: 1 %        # less does not matter
${interruptionHelp}`)
    .action(searchCommand);
};

const searchCommand = async (given: string, flags: ExperimentFlags): Promise<void> => {
  const loaded = loadSubject(given, flags);
  const { scenario, seed, path } = loaded;
  const stated = loaded.experiment.search;
  const spec = stated === null || flags.replications === undefined ? stated ?? undefined : { ...stated, fresh: Math.max(2, flags.replications) };
  const question = prepareSearch(loaded, path, { spec, seed, sets: flags.set, fileExists: existsSync, lab: { name: "infernet-lab", version } });
  const columns = factorColumns(question.spec.axes);
  await runExperiment<SearchReport>({
    name: "search", loaded, flags,
    open: (out) => folderOfVariedRuns(new SearchFolder(out, scenario.name, columns), columns),
    plan: () => searchForReport(question),
    text: searchText,
  });
};

/** A search report for the terminal: the answer, the alternatives, what is promised. */
export const searchText = (report: SearchReport, out: string | null): string => {
  const { headline, findings, alternatives, chosen, parameters, goal, method: { confidence }, runs } = report;
  const { unit } = goal.metric;
  const running = alternatives.map((_, i) => i).filter((i) => alternatives.length <= shownRows || i === chosen || alternatives[i]!.fresh !== null);
  const first = running.slice(0, shownRows);
  const order = chosen === null || first.includes(chosen) ? first : [...first.slice(0, -1), chosen];
  const left = alternatives.length - order.length;
  const table = plainTable([...parameters.map(({ path }) => path), "", "mean", `interval, ${formatPercent(confidence)}`, "runs"], [...parameters.map(() => "right" as const), "left", "right", "right", "right"], order.map((i) => {
    const one = alternatives[i]!;
    return [...one.values, i === chosen ? "chosen" : one.setAside === null ? "" : "set aside", shortFigure(one.fresh?.mean ?? null, unit), one.fresh === null ? "–" : intervalText(one.fresh, unit), String(one.search.runs + (one.fresh?.runs ?? 0))];
  }));
  return answerText(headline, left === 0 ? table : `${table}\n... and ${formatNumber(left)} more${out === null ? "" : " in the report"}`, [...findings, `${formatNumber(runs.played)} runs were played.`], out);
};
