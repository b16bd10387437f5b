import type { Runner, RunnerEvent } from "../../scheduler/environment.ts";

/** What a runner that has started can do. */
export interface RunnerFacts {
  /** Software that executes the model, with its version, for people: such as "llama.cpp b6673 (node-llama-cpp 3.21.1)". */
  readonly engine: string;
  /** Names under which jobs may ask for the model. */
  readonly models: readonly string[];
  readonly slots: number;
  /** Longest context of one job, prompt and output together, tokens. */
  readonly contextTokensMax: number;
  /** Tokens of context that all jobs together may hold. */
  readonly kvTokensMax: number;
}

/**
 * A runner that executes models for real. Events arrive at the listener after `submit` has returned, never within it. A
 * runner that loses its engine fails the jobs it had (`runner-failed`) and starts the engine again.
 */
export interface LiveRunner extends Runner {
  /** Who hears of the jobs; set once, before the first job. */
  listen(onEvent: (event: RunnerEvent) => void): void;
  /** Loads the model. @throws RunnerError in words for the operator. */
  start(): Promise<RunnerFacts>;
  /** Lets go of the model. Jobs that run are failed first. No event follows once it has resolved. */
  stop(): Promise<void>;
}

/** A model cannot be run: in words for the operator, with what to do about it. */
export class RunnerError extends Error {
  override readonly name = "RunnerError";
}
