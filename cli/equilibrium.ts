import { existsSync } from "node:fs";
import type { Command } from "commander";
import type { EquilibriumReport } from "../protocol/result/equilibrium.ts";
import { formatPercent } from "../protocol/units.ts";
import { playsText } from "../reports/equilibrium/content.ts";
import { EquilibriumFolder } from "../reports/equilibrium/folder.ts";
import { intervalText, shortFigure } from "../reports/search/content.ts";
import { equilibriumForReport } from "../sim/experiment/equilibrium/report.ts";
import { prepareEquilibrium } from "../sim/experiment/search/prepare.ts";
import { answerText } from "./answer-text.ts";
import { addExperimentOptions, interruptionHelp } from "./experiment-options.ts";
import type { ExperimentFlags } from "./experiment-options.ts";
import { loadSubject, runExperiment } from "./experiment.ts";
import { factorColumns, folderOfVariedRuns } from "./factors.ts";
import { plainTable } from "./table.ts";
import { version } from "./version.ts";

/** Adds `equilibrium`. */
export const registerEquilibrium = (program: Command): void => {
  const command = program
    .command("equilibrium")
    .description("Where do operators end up who answer each other? Best answers over grids of strategies: what a scenario's `equilibrium:` asks for.")
    .argument("<scenario>", "a YAML file with an `equilibrium:`, or the name of a scenario that comes with infernet");
  addExperimentOptions(command, { out: "out/equilibrium-NAME", json: "equilibrium.json", replications: "runs of each profile of strategies" })
    .addHelpText("after", `
Examples:
  $ infernet equilibrium cournot
  $ infernet equilibrium market.yaml --set equilibrium.start=highest

A game in a scenario:
  equilibrium:
    goal: surplus.operators            # or profit, revenue, ...: what each class wants
    players:
      cheap: {operators.cheap.price.fixed: {from: 20 msat, to: 100 msat, steps: 9}}
      dear: {operators.dear.price.fixed: {from: 20 msat, to: 100 msat, steps: 9}}
${interruptionHelp}`)
    .action(equilibriumCommand);
};

const equilibriumCommand = async (given: string, flags: ExperimentFlags): Promise<void> => {
  const loaded = loadSubject(given, flags);
  const { scenario, seed, path } = loaded;
  const stated = loaded.experiment.equilibrium;
  const spec = stated === null || flags.replications === undefined ? stated ?? undefined : { ...stated, replications: flags.replications };
  const question = prepareEquilibrium(loaded, path, { spec, seed, sets: flags.set, fileExists: existsSync, lab: { name: "infernet-lab", version } });
  const columns = factorColumns(question.spec.players.flatMap(({ axes }) => axes));
  await runExperiment<EquilibriumReport>({
    name: "equilibrium", loaded, flags,
    open: (out) => folderOfVariedRuns(new EquilibriumFolder(out, scenario.name, columns), columns),
    plan: () => equilibriumForReport(question),
    text: equilibriumText,
  });
};

/** An equilibrium report for the terminal: who does what, what it brings, what leaving would gain. */
export const equilibriumText = (report: EquilibriumReport, out: string | null): string => {
  const { headline, findings, players, method: { confidence } } = report;
  const table = plainTable(["", "plays", "gets", `interval, ${formatPercent(confidence)}`, "would gain at most"], ["left", "right", "right", "right", "right"], players.map((player) => [
    player.name, playsText(player), player.gets === null ? "–" : shortFigure(player.gets.mean, player.payoff.unit), player.gets === null ? "–" : intervalText(player.gets, player.payoff.unit),
    player.regret === null ? "–" : shortFigure(player.regret.atMost, player.payoff.unit),
  ]));
  return answerText(headline, table, findings, out);
};
