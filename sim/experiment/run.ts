import { readFileSync } from "node:fs";
import { canonicalJson, digest, sha256Hex } from "../../protocol/canonical.ts";
import type { ErrorCode } from "../../protocol/messages.ts";
import type { JobRow, RunReport } from "../../protocol/result.ts";
import type { Decision, Priced } from "../../scheduler/environment.ts";
import type { Scenario } from "../scenario/scenario.ts";
import { type NodePlan, planNodes } from "../world/supply.ts";
import { supplyBookOf } from "../world/supply-book.ts";
import type { MarketEvent } from "../../protocol/result/market-event.ts";
import { World } from "../world/world.ts";
import { PricingTally } from "./pricing-tally.ts";
import { recordedMarket } from "./recorded-market.ts";
import { LAWS } from "./recorder/invariant.ts";
import { Recorder } from "./recorder/recorder.ts";
import { SeriesTally } from "./series.ts";
import { PILOT_WINDOWS, pilotSeeds, warmupOf } from "./warmup.ts";
import type { FoundWarmup } from "./warmup.ts";
import { welfareOf } from "./welfare/of-scenario.ts";

export interface RunOptions {
  /** Instead of the scenario's own. */
  readonly seed?: number | undefined;
  /** Changes made on the command line, for the report's provenance. */
  readonly sets?: readonly string[] | undefined;
  /** Called for every job as it ends. The row is reused: copy what you keep. */
  readonly onJobRow?: ((row: JobRow) => void) | undefined;
  readonly onEvent?: ((event: MarketEvent) => void) | undefined;
  /** Told of every price that a router finds, or does not. */
  readonly onPriced?: ((event: Priced, atUs: number) => void) | undefined;
  /** Jobs whose decisions are wanted, by id. */
  readonly explain?: ReadonlySet<string> | undefined;
  readonly onDecision?: ((decision: Decision, atUs: number) => void) | undefined;
  /** Real public keys as peer ids also where nothing is signed. */
  readonly realKeys?: boolean | undefined;
  /** The scenario's nodes, in place of what is made of it: where others have told how fast they are. */
  readonly plans?: readonly NodePlan[] | undefined;
  /** False: the report has no intervals of its own, as where many runs give them. Changes nothing else, nor the digest. */
  readonly intervals?: boolean | undefined;
  /** For a scenario whose warm-up is to be found: what was found; left out: pilots are played first. */
  readonly warmup?: FoundWarmup | undefined;
  /** Told of every signed envelope that is refused; without it a refusal is a fault of the program. */
  readonly onRefused?: ((code: ErrorCode) => void) | undefined;
}

export interface RunProgress {
  readonly nowUs: number;
  readonly horizonUs: number;
  readonly submitted: number;
  readonly ended: number;
  readonly done: boolean;
}

/** A scenario being played: step by step, so that whoever drives it can show progress and stop. */
export interface Run {
  readonly progress: RunProgress;
  /**
   * Plays a slice of simulated time, 1/500 of the horizon by default. @returns whether the run is over.
   * @throws InvariantError where a law of the market is broken.
   */
  step(sliceUs?: number): boolean;
  /**
   * The report of what was played. A run that is not over is cut here: its horizon moves to now, jobs under way count as
   * in flight, and the report is marked as interrupted.
   * @throws RangeError where the warm-up is not over: there is nothing to report.
   */
  finish(): RunReport;
}

const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { version: string };

/** Sets a scenario up. Nothing has been played yet, but pilots where the scenario's warm-up is to be found. */
export function startRun(scenario: Scenario, options: RunOptions = {}): Run {
  if (scenario.autoWarmup !== true) return new SimulatedRun(scenario, options);
  const warmup = options.warmup ?? findWarmup(scenario);
  return new SimulatedRun({ ...scenario, warmupUs: warmup.warmupUs }, { ...options, warmup });
}

/** What was found last, by the scenario's digest: replications of one market follow each other, also as copies of it. */
const found = new Map<string, FoundWarmup>();
const remembered = 16;

/**
 * Finds the warm-up of a scenario that says `warmup: auto`, by playing pilots, unless it was found before.
 * @param onStep called now and then while they are played
 */
export function findWarmup(scenario: Scenario, onStep?: () => void): FoundWarmup {
  const key = digest(scenario);
  let warmup = found.get(key);
  if (warmup === undefined) {
    const pilots = pilotSeeds(scenario.seed).map((seed) => {
      const series = new SeriesTally(PILOT_WINDOWS, scenario.horizonUs);
      const run = new SimulatedRun({ ...scenario, warmupUs: 0 }, { seed, intervals: false, onJobRow: (row) => series.add(row) });
      while (!run.step()) onStep?.();
      run.finish();
      return series.series();
    });
    found.set(key, warmup = warmupOf(pilots, scenario.horizonUs));
    if (found.size > remembered) found.delete(found.keys().next().value!);
  }
  return warmup;
}

/** Plays a scenario to its end. */
export function runScenario(scenario: Scenario, options: RunOptions = {}): RunReport {
  const run = startRun(scenario, options);
  while (!run.step());
  return run.finish();
}

/** A run with its world in view, for whoever has to look inside or disturb it: the tests of the market's laws. */
export class SimulatedRun implements Run {
  readonly world: World;
  readonly #scenario: Scenario;
  readonly #options: RunOptions;
  readonly #seed: number;
  readonly #recorder: Recorder;
  readonly #pricing: PricingTally | null;
  #over = false;

  constructor(scenario: Scenario, options: RunOptions) {
    this.#scenario = scenario;
    this.#options = options;
    this.#seed = options.seed ?? scenario.seed;
    const plans = options.plans ?? planNodes(scenario, this.#seed);
    const welfare = welfareOf(scenario, plans, this.#seed, (slot) => this.world.oracle.ids[slot] ?? "");
    const supply = supplyBookOf(scenario, plans, this.#seed);
    this.#recorder = new Recorder({
      seed: this.#seed,
      world: "simulated",
      ...recordedMarket(scenario, plans),
      welfare,
      supply,
      warmup: options.warmup?.finding,
      intervals: options.intervals,
      totals: (nowUs, add) => {
        this.world.totals(nowUs, add);
        this.#pricing?.totals(add);
      },
      jobName: (slot) => this.world.oracle.ids[slot] ?? "",
      ...(options.onJobRow === undefined ? {} : { onJobRow: options.onJobRow }),
    });
    const tally = scenario.pricing.kind === "posted" && scenario.router.marketStateUs === 0 ? null : new PricingTally(scenario.pricing.kind, scenario.horizonUs);
    this.#pricing = tally;
    this.world = new World(scenario, plans, this.#recorder, {
      seed: this.#seed, welfare, supply, onEvent: options.onEvent,
      onPriced: tally === null && options.onPriced === undefined ? undefined : (event, atUs) => { tally?.add(event, atUs); options.onPriced?.(event, atUs); },
      explain: options.explain, onDecision: options.onDecision, realKeys: options.realKeys, onRefused: options.onRefused,
    });
  }

  get progress(): RunProgress {
    return {
      nowUs: this.world.kernel.nowUs,
      horizonUs: this.#scenario.horizonUs,
      submitted: this.#recorder.submittedJobs,
      ended: this.#recorder.endedJobs,
      done: this.#over,
    };
  }

  step(sliceUs: number = Math.max(1, Math.ceil(this.#scenario.horizonUs / 500))): boolean {
    if (this.#over) return true;
    const { kernel } = this.world;
    const { horizonUs, drain } = this.#scenario;
    if (kernel.nowUs < horizonUs) {
      this.#playUntil(Math.min(horizonUs, kernel.nowUs + sliceUs));
      if (kernel.nowUs === horizonUs) this.#over = !drain || this.world.drain();
    } else {
      this.world.run(kernel.nowUs + sliceUs);
      this.#over = this.world.oracle.inFlight === 0;
    }
    return this.#over;
  }

  #playUntil(untilUs: number): void {
    const { kernel } = this.world;
    // Once at least: a slice of no length plays what is due now.
    do {
      this.world.run(Math.min(untilUs, this.#recorder.nextMarkUs));
      this.#recorder.mark(kernel.nowUs);
    } while (kernel.nowUs < untilUs);
  }

  finish(): RunReport {
    const { audit, kernel, ledger, runners } = this.world;
    const interrupted = !this.#over;
    if (kernel.nowUs < this.#scenario.horizonUs) {
      this.#recorder.cut(kernel.nowUs);
      this.#recorder.meterKv(kernel.nowUs, (n) => runners[n]!.engine.kvTokenUs(kernel.nowUs));
    }
    this.#over = true;
    this.world.close();
    this.world.checkMoney();
    return this.#recorder.finish(kernel.nowUs, {
      provenance: {
        lab: { name: "infernet-lab", version },
        scenario: {
          name: this.#scenario.name,
          question: this.#scenario.question,
          hash: sha256Hex(canonicalJson(this.#scenario)),
          resolved: this.#scenario as never,
        },
        seed: this.#seed,
        sets: [...(this.#options.sets ?? [])],
        ...(interrupted ? { interrupted } : {}),
      },
      money: { accounts: this.world.accounts() },
      supply: this.world.supply?.end(),
      pricing: this.#pricing,
      settlement: this.world.settlement(),
      asks: this.world.asks(),
      laws: [...audit.laws(), { law: LAWS.money, passed: ledger.transfers }, { law: LAWS.settlement, passed: 4 }],
    });
  }
}
