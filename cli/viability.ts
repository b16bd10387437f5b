import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { playInOrder } from "../lab/in-order.ts";
import { WorkerPool } from "../lab/pool.ts";
import type { ViabilityReport } from "../protocol/result/viability.ts";
import { ViabilityFolder } from "../reports/viability/folder.ts";
import { renderJson } from "../reports/json.ts";
import type { NodeOutcome } from "../sim/experiment/viability/accounts.ts";
import { type FlagName, flagNames, type FlagTexts } from "../sim/experiment/viability/flags.ts";
import type { Play } from "../sim/experiment/viability/market.ts";
import { prepare } from "../sim/experiment/viability/prepare.ts";
import { type MachineProfile, readProfile } from "../sim/experiment/viability/profile.ts";
import type { MachineProfile as BenchProfile } from "../protocol/profile.ts";
import { isMachineProfile, readMachineProfile } from "../sim/profile/read.ts";
import type { ViabilityQuestion } from "../sim/experiment/viability/question.ts";
import { study } from "../sim/experiment/viability/study.ts";
import { loadScenario } from "../sim/scenario/load.ts";
import type { Scenario } from "../sim/scenario/scenario.ts";
import { UserError } from "./errors.ts";
import { workersOption } from "./experiment-options.ts";
import { interruptedExit, Interruptions } from "./interruptions.ts";
import { assignment, filePath, seed, wholeNumber } from "./options.ts";
import { noProgress, showTask, type TaskProgress } from "./progress.ts";
import { findScenario, readScenario } from "./scenario-file.ts";
import { version } from "./version.ts";
import { viabilityText } from "./viability-text.ts";

interface ViabilityFlags {
  readonly machine: string;
  readonly scenario: string;
  readonly set: readonly string[];
  readonly seed?: number;
  readonly replications: number;
  readonly workers: number;
  readonly out?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** What each flag of the question is for; in the order of the help. */
const questions: Readonly<Record<FlagName, readonly [value: string, what: string]>> = {
  model: ["<name>", "the model served (default: the one that most client classes ask for)"],
  engine: ["<name>", "llama.cpp, vllm or sequential"],
  slots: ["<number>", "jobs in one batch"],
  context: ["<tokens>", "longest context of one job, such as 8Ki"],
  region: ["<name>", "where it stands, of the scenario's regions"],
  "price-input": ["<price>", "asked for prompts, such as '10 sat/Mtok' or '0.01 USD/Mtok'"],
  "price-output": ["<price>", "asked for answers"],
  "price-fixed": ["<money>", "asked per job, such as '1 sat'"],
  electricity: ["<price>", "such as '0.30 USD/kWh'; with hours of the day: '0.30 USD/kWh, 0.18 USD/kWh 22-6'"],
  "idle-power": ["<watts>", "of the machine while it waits"],
  "load-power": ["<watts>", "of the machine while it works"],
  "host-power": ["<watts>", "of what the machine's own watts leave out: the computer around a card"],
  purchase: ["<money>", "what it costs, such as '700 USD', or 700; 0 where it is yours anyway"],
  life: ["<time>", "until it is worn or out of date, such as 4y"],
  residual: ["<share>", "what it is worth then, of its price"],
  rent: ["<money>", "paid for the machine in place of buying it, such as '0.30 USD/h'"],
  capital: ["<rate>", "what the money would bring elsewhere, such as '5 %/year'"],
  upkeep: ["<rate>", "of its price, such as '2 %/year'"],
  stake: ["<money>", "locked with the router"],
  other: ["<money>", "everything else, per month"],
  uptime: ["<share>", "share of the month for which it is on"],
  exchange: ["<rate>", "what a bitcoin is worth, such as '100000 USD/btc'"],
  rental: ["<money>", "what renting it out would bring, such as '0.40 USD/h'"],
};

/** Adds `viability`. */
export const registerViability = (program: Command): void => {
  const command = program
    .command("viability")
    .description("Would I earn money? Puts a machine into a market, plays it again and again, and draws up a month's account.")
    .requiredOption("--machine <name>", "a machine of the catalogue, a profile that infernet bench has written (its file, or its name in profiles/), or a file with measured speeds (YAML or JSON)")
    .option("--scenario <scenario>", "the market: a YAML file, or one that comes with infernet", "quickstart");
  for (const name of flagNames) command.option(`--${name} ${questions[name][0]}`, questions[name][1]);
  command
    .option("--set <path=value>", "changes one value of the scenario (repeatable)", assignment, [])
    .option("--replications <number>", "how often the market is played", wholeNumber(1, 10_000), 20)
    .option("--seed <number>", "random numbers other than the scenario's", seed)
    .addOption(workersOption())
    .option("--out <folder>", "where the report goes (default: out/viability-MACHINE; with --json: nowhere)", filePath)
    .option("--json", "print viability.json to stdout, and nothing else there")
    .option("--quiet", "no progress, no summary")
    .addHelpText(
      "after",
      `
Examples:
  $ infernet viability --machine "RTX 4090"
  $ infernet viability --machine "RTX 3060" --electricity "0.35 USD/kWh" --purchase 0 --uptime "50 %"
  $ infernet viability --machine my-machine.yaml --scenario market.yaml --replications 50 --json

Profiles of infernet bench say all that was measured. Speeds by hand are a file such as:
  name: RTX 3090 at 250 W
  memory: 24 GiB
  power: {idle: 20 W, load: 250 W}
  price: 700 USD
  scope: board
  model: llama-3.1-8b:q4_k_m
  engine: llama.cpp
  prefill: [{tokens: 512, tokensPerS: 3890}, {tokens: 4096, tokensPerS: 3160}]
  decode: [{batch: 1, tokensPerS: 112}, {batch: 4, tokensPerS: 310}]

Ctrl-C keeps the replications that are over, and reports what they say.
`,
    )
    .action(viabilityCommand);
};

const viabilityCommand = async (flags: ViabilityFlags, command: Command): Promise<void> => {
  const options = command.opts<Record<string, unknown>>();
  const texts: FlagTexts = Object.fromEntries(flagNames.flatMap((name) => {
    const value = options[camelCase(name)];
    return typeof value === "string" ? [[name, value]] : [];
  }));
  const path = findScenario(flags.scenario);
  const source = readScenario(path);
  const load = (sets: readonly string[]): Scenario => loadScenario(source, path, { sets, fileExists: existsSync }).scenario;
  const stated = load(flags.set);
  const rate = bitcoinRate(texts.exchange ?? "");
  // What the scenario states in dollars follows the rate that was given.
  const scenario = rate !== null && stated.exchangeRates.length > 0 && stated.exchangeRates.every(({ currency }) => currency === "USD") ? load([...flags.set, `exchangeRate=${rate} USD/btc`]) : stated;
  const question = prepare(scenario, {
    machine: machineOf(flags.machine), flags: texts, replications: flags.replications, seed: flags.seed, sets: flags.set, lab: { name: "infernet-lab", version },
  });
  const out = flags.out ?? (flags.json === true ? null : join("out", `viability-${slug(question.machine.name)}`));
  const interruptions = new Interruptions();
  let folder: ViabilityFolder | null = null;
  try {
    if (out !== null) folder = new ViabilityFolder(out);
    const progress = flags.quiet === true ? noProgress : showTask(process.stderr, process.env["CI"] !== undefined);
    const report = await conduct(question, flags.workers, progress, interruptions);
    if (interruptions.signal !== null) process.exitCode = interruptedExit(interruptions.signal);
    if (report === null) {
      process.stderr.write("Interrupted before the first replication was over: there is nothing to report.\n");
      return;
    }
    folder?.finish(report);
    if (flags.json === true) process.stdout.write(renderJson(report));
    else if (flags.quiet !== true) process.stdout.write(viabilityText(report, out));
    if (interruptions.signal !== null && flags.quiet !== true) {
      const { length } = report.replications;
      process.stderr.write(length < flags.replications
        ? `Interrupted after ${length} of ${flags.replications} replications; the report covers what was played.\n`
        : "Interrupted after all replications, while other assumptions and prices were tried; the report covers what was played.\n");
    }
  } finally {
    folder?.close();
    interruptions.ignoreNoMore();
  }
};

/** Plays what the study asks for until it has its answer, or the process is asked to stop. */
const conduct = async (question: ViabilityQuestion, workers: number, progress: TaskProgress, interruptions: Interruptions): Promise<ViabilityReport | null> => {
  const pool = new WorkerPool({ workers });
  const running = study(question);
  let before = 0;
  try {
    let next = running.next();
    while (next.done !== true) {
      const { plays, purpose, later } = next.value;
      const outcomes = plays.map((): NodeOutcome | null => null);
      await playInOrder<PlacedPlay, NodeOutcome>(pool, plays.map((play, index) => ({ play, index })), {
        job: (items) => ({ kind: "plays", items: items.map(({ play }) => play) }),
        known: () => null,
        finished: ({ index }, outcome) => void (outcomes[index] = outcome),
        died: (_, reason) => {
          throw new Error(`A worker ended while it played a market: ${reason}`);
        },
      }, {
        take: () => {}, count: plays.length, mostWaiting: plays.length, signal: interruptions.aborted,
        onProgress: (done) => progress.update(before + done, before + plays.length + later, purpose),
      });
      before += plays.length;
      next = running.next(outcomes);
    }
    return next.value;
  } finally {
    progress.stop();
    await pool.close();
  }
};

interface PlacedPlay {
  readonly play: Play;
  readonly index: number;
}

/** A name of the catalogue, what a file says, or the name of a profile that `infernet bench` has written here. */
const machineOf = (name: string): string | MachineProfile | BenchProfile => {
  const own = join("profiles", `${name}.json`);
  const given = !existsSync(name) && /^[\w.-]+$/.test(name) && existsSync(own) ? own : name;
  const isFile = existsSync(given) && statSync(given).isFile();
  if (!isFile && !/\.(ya?ml|json)$/i.test(given)) return given;
  if (!isFile) throw new UserError(`--machine: there is no file ${given}.`);
  if (statSync(given).size > 1 << 22) throw new UserError(`${given} is longer than 4 MiB; a measured machine is a small YAML or JSON file.`);
  const text = readFileSync(given, "utf8");
  return isMachineProfile(text) ? readMachineProfile(text, given) : readProfile(text, given);
};

/** The number of dollars, where the text is a rate; null: whoever reads the flag says what is wrong. */
const bitcoinRate = (text: string): number | null => {
  const digits = /^\s*(\d+(?:\.\d+)?)\s*(?:USD\/(?:btc|BTC))?\s*$/.exec(text)?.[1];
  return digits === undefined || Number(digits) <= 0 ? null : Number(digits);
};

const slug = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "") || "machine";

const camelCase = (name: string): string => name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
