import { type BenchPlan, benchScenario } from "./bench-plan.ts";
import { LiveMarket, type LiveMarketOptions } from "./live-market.ts";
import { OtherWork } from "./other-work.ts";
import type { RecordedBench } from "./recording.ts";

export interface LaboratoryOptions extends Omit<LiveMarketOptions, "lengths"> {
  /** All that will be measured. */
  readonly plans: readonly BenchPlan[];
}

/** A stage is given up after this, ms. */
const STAGE_LIMIT_MS = 10 * 60_000;

/** The nodes once more, in a market of their own, to be measured. */
export class Laboratory {
  readonly #market: LiveMarket;

  private constructor(market: LiveMarket) {
    this.#market = market;
  }

  /** @throws Error where a process cannot start. */
  static async open({ scenario, seed, runners, plans }: LaboratoryOptions): Promise<Laboratory> {
    const market = await LiveMarket.open({ scenario: benchScenario(scenario), seed, runners, lengths: new Map(plans.flatMap(({ lengths }) => [...lengths])) });
    market.start();
    return new Laboratory(market);
  }

  /**
   * Measures what the plan says, stage by stage.
   * @returns what was seen; or why it was stopped.
   * @throws Error where a process has a fault.
   */
  async measure({ stages, lengths }: BenchPlan, { signal, onProgress }: { readonly signal: AbortSignal | undefined; readonly onProgress: (share: number) => void }): Promise<RecordedBench | string> {
    const market = this.#market;
    const fromUs = market.nowUs;
    const meanwhile = new OtherWork();
    for (const [stage, { jobs }] of stages.entries()) {
      onProgress(stage / stages.length);
      const why = await market.submit({ fromUs: market.soonUs, jobs, limitMs: STAGE_LIMIT_MS, signal });
      if (why !== null) return why;
      await market.settle();
    }
    const othersCores = meanwhile.cores();
    const tookUs = market.nowUs - fromUs;
    const { facts } = await market.collect();
    return {
      stages: stages.map(({ what, jobs }) => ({
        what,
        jobs: jobs.map(({ request: { jobId, inputTokens, maxOutputTokens } }) => ({ job: jobId, inputTokens, outputTokens: Math.min(lengths.get(jobId) ?? Infinity, maxOutputTokens) })),
      })),
      facts, tookUs, othersCores,
    };
  }

  /** Ends all its processes. */
  async close(): Promise<void> {
    await this.#market.close();
  }
}
