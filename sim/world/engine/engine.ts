/** Highest priority a job can have; 0 is the ordinary one. As in `protocol/messages.ts`. */
export const PRIORITY_MAX = 9;

/**
 * Receives what happened in an engine. `ref` is the caller's handle of the job, `atUs` the integer microsecond (rounded
 * up) at which it happened. Handlers may call the same engine's methods with `atUs` as the time, but not `advance`.
 */
export interface EngineSink {
  /** The job was admitted to a slot for the first time. */
  started(ref: number, atUs: number): void;
  /** The step that processed the last prompt token ended, and with it came the first output token. */
  firstToken(ref: number, atUs: number): void;
  /** The last output token is there; `ref` may be used anew. */
  finished(ref: number, atUs: number): void;
  /** The job lost its KV cache and waits at the front of the queue; it will recompute prompt and output so far. */
  preempted(ref: number, atUs: number): void;
  /** The job has the output tokens that {@link Engine.watch} asked for. */
  progress?(ref: number, atUs: number): void;
}

/**
 * A node's simulated inference engine: it queues jobs, runs them in steps and says when things happen. It knows no
 * kernel: the caller looks at `nextUs`, comes back then and calls `advance`.
 *
 * Time is integer microseconds and never goes back. Every method that takes `nowUs` throws a RangeError when the caller
 * is late, that is when `nextUs < nowUs` (only `advance` may come late). What arrives at `nowUs` takes part from the first
 * step boundary after `nowUs`; an idle engine starts at `nowUs` itself, once `advance(nowUs)` is called, with all that
 * arrived until then.
 */
export interface Engine {
  /** Most jobs that run at once. */
  readonly slots: number;
  /** Capacity of the KV cache in tokens. */
  readonly kvTokensMax: number;
  /** Jobs that occupy a slot, cancelled ones included until the next step boundary. */
  readonly running: number;
  /** Jobs that wait for a slot. */
  readonly waiting: number;
  /** Tokens held in the KV cache at the latest `nowUs` the engine was told. */
  readonly kvTokensUsed: number;
  /** Integer microsecond at which `advance` has something to do; Infinity where nothing is to come. */
  readonly nextUs: number;

  /** False for a job that could never run here, however empty the engine: `submit` would throw. */
  fits(inputTokens: number, outputTokens: number): boolean;
  /**
   * Queues a job. `ref` is an integer in [0, 2^31), free again once the job has finished or was cancelled. `outputTokens`
   * is the true output length, at least 1; `inputTokens` below 1 count as 1 (the begin-of-sequence token). `priority` is
   * an integer in [0, PRIORITY_MAX], higher first, and looked at only where the discipline is priority.
   * @throws RangeError where the job can never fit, or a figure is out of range.
   */
  submit(nowUs: number, ref: number, inputTokens: number, outputTokens: number, priority: number): void;
  /**
   * Forgets the job: no further event for it, and `ref` is free again. A running job leaves the batch at the next step
   * boundary. False where the engine does not know the job (any more).
   */
  cancel(nowUs: number, ref: number): boolean;
  /**
   * Has the sink hear at the end of the step in which the job comes to have so many output tokens, once, in place of what
   * was asked for before. Jobs that end with no more tokens than that say nothing. Engines whose answers come whole have
   * no such method.
   */
  watch?(nowUs: number, ref: number, outputTokens: number): void;
  /** A power cut: forgets every job at once, running or waiting; no further event for any of them. */
  clear(nowUs: number): void;
  /** Tells `sink` everything that happened up to and including `nowUs`, in order of time. */
  advance(nowUs: number, sink: EngineSink): void;
  /** Relative speed from the next step boundary on: 1 as the cost says, 0.5 makes every step last twice as long. */
  setSpeed(nowUs: number, factor: number): void;
  /**
   * The share of its machine that the engine gets, where others compute on it too: 1 all that it can use. It applies at once,
   * in the midst of a step, and on top of the speed: the rest of a step takes 1/share of the time.
   * @param promptFactor the same for steps that hold prompt tokens, which load a machine in another way; `factor` by default.
   * Engines that count no tokens know one share.
   */
  setShare(nowUs: number, factor: number, promptFactor?: number): void;

  /** Time with at least one job running, in microseconds, up to `nowUs`. */
  busyUs(nowUs: number): number;
  /** Integral of `running` over time, in job-microseconds, up to `nowUs`; over `slots` times time it is the utilisation. */
  runningUs(nowUs: number): number;
  /** Integral of `kvTokensUsed` over time, in token-microseconds, up to `nowUs`. */
  kvTokenUs(nowUs: number): number;
}

/**
 * How long a step lasts: `baseUs(prompt tokens, decoding sequences) + contextUs * (context read by decoding sequences) +
 * prefillContextUs * (pairs of a prompt token and a token before it)`, in microseconds at speed 1.
 */
export interface StepCost {
  /** Microseconds of a step with `prefillTokens` prompt tokens and `sequences` decoding, without the context part. */
  baseUs(prefillTokens: number, sequences: number): number;
  /** Microseconds per token of context that a decoding sequence reads. */
  readonly contextUs: number;
  /** Microseconds per (prompt token x token of context before it): attention in prefill. */
  readonly prefillContextUs: number;
}

/** Which of the waiting jobs comes next. */
export type QueueDiscipline = "fifo" | "priority";
