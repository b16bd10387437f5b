import type { WorkSheet } from "../../world/node-kit.ts";

/** What the accounts have to know before the first fact. Classes and nodes are referred to by their index. */
export interface WelfareSetup {
  readonly seed: number | string;
  readonly warmupUs: number;
  readonly horizonUs: number;
  /** How long the planner may put a job off, µs; positive. */
  readonly windowUs: number;
  readonly clientClasses: readonly {
    readonly name: string;
    /** Nodes that may serve the class, ascending. */
    readonly nodes: readonly number[];
    /** Prompt and answer together that the roomiest of them can hold, tokens; without bounds by default. */
    readonly tokensMax?: number;
    /** What a second from submission to result takes off a job's value, msat; not negative. */
    readonly delayMsatPerS: number;
  }[];
  readonly operatorClasses: readonly { readonly name: string }[];
  readonly nodes: readonly {
    readonly operatorClass: number;
    readonly work: WorkSheet;
    /** Nodes with the same key have the same costs at all times. */
    readonly costKey: string;
    /** Posted at the start, msat per million tokens and per job. */
    readonly asked: { readonly inputMsatPerMtok: number; readonly outputMsatPerMtok: number; readonly fixedMsat: number };
  }[];
  /** The node's private marginal cost of a job, whole msat; where it differs from job to job, of a job on average. */
  costMsat(node: number, inputTokens: number, outputTokens: number, atUs: number): number;
  /**
   * Where the same job at the same node costs more at one time than at another: when any cost may change next after this
   * time, µs; Infinity: never. Absent: costs stay, and there is nothing to pass through.
   */
  readonly nextCostUs?: (timeUs: number) => number;
  /** Where costs differ from job to job: that of the job in this slot. */
  readonly costOfJobMsat?: (slot: number, node: number, inputTokens: number, outputTokens: number, atUs: number) => number;
}

/** At most so many windows, however short the clients' patience: what is left of each job is settled window by window. */
const WINDOWS_MAX = 200;

/**
 * Length of the planner's windows: the least of the classes' mean patience, within the measured interval and a
 * two-hundredth of it; whole µs.
 */
export function planningWindowUs(patienceUs: readonly number[], measuredUs: number): number {
  const patience = Math.min(measuredUs, ...patienceUs.filter((us) => Number.isFinite(us) && us > 0));
  return Math.max(1, Math.ceil(Math.max(patience, measuredUs / WINDOWS_MAX)));
}
