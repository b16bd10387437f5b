import { longer } from "./longer.ts";

/** Jobs at most in one window; when so many were submitted, the next one begins. 2^20. */
export const WINDOW_JOBS_MAX = 2 ** 20;

/**
 * The jobs submitted within one window that have ended, column by column: 27 bytes each. A window is settled as soon as it
 * is over and its last job has ended; then its columns serve the next one.
 */
export class JobWindow {
  /** Jobs submitted in it that have not ended. */
  pending = 0;
  /** Jobs submitted in it so far, the withheld included. */
  submitted = 0;
  /** Whether no further job is submitted in it. */
  over = false;
  startUs = 0;
  endUs = 0;
  count = 0;
  valueMsat = new Float64Array(64);
  /** Value less cost of a delivered job, without waiting; 0 for others. Whole msat. */
  gainMsat = new Float64Array(64);
  inputTokens = new Int32Array(64);
  outputTokens = new Int32Array(64);
  clientClass = new Uint16Array(64);
  /** Cause of loss, or DELIVERED. */
  cause = new Uint8Array(64);
  /** What serving the job costs at least, where costs differ from job to job; empty elsewhere. */
  leastMsat = new Float64Array(0);
  /** Node time up, by group of nodes, µs times nodes. */
  readonly upUs: Float64Array;
  /** Tokens and jobs delivered, by group of nodes. */
  readonly doneInput: Float64Array;
  readonly doneOutput: Float64Array;
  readonly doneJobs: Float64Array;
  /** Of the delivered: what was paid for them, what they cost, and their tokens. */
  paidMsat = 0;
  costMsat = 0;
  tokens = 0;
  /** What waiting took from their value. */
  waitingMsat = 0;

  constructor(groups: number) {
    this.upUs = new Float64Array(groups);
    this.doneInput = new Float64Array(groups);
    this.doneOutput = new Float64Array(groups);
    this.doneJobs = new Float64Array(groups);
  }

  begin(startUs: number): void {
    this.pending = 0;
    this.submitted = 0;
    this.over = false;
    this.startUs = startUs;
    this.endUs = startUs;
    this.count = 0;
    this.upUs.fill(0);
    this.doneInput.fill(0);
    this.doneOutput.fill(0);
    this.doneJobs.fill(0);
    this.paidMsat = 0;
    this.costMsat = 0;
    this.tokens = 0;
    this.waitingMsat = 0;
  }

  add(clientClass: number, valueMsat: number, gainMsat: number, inputTokens: number, outputTokens: number, cause: number, leastMsat: number): void {
    const at = this.count++;
    if (at === this.cause.length) this.#grow();
    if (leastMsat >= 0) {
      if (at >= this.leastMsat.length) this.leastMsat = longer(this.leastMsat, this.cause.length);
      this.leastMsat[at] = leastMsat;
    }
    this.valueMsat[at] = valueMsat;
    this.gainMsat[at] = gainMsat;
    this.inputTokens[at] = inputTokens;
    this.outputTokens[at] = outputTokens;
    this.clientClass[at] = clientClass;
    this.cause[at] = cause;
  }

  #grow(): void {
    const length = this.cause.length * 2;
    this.valueMsat = longer(this.valueMsat, length);
    this.gainMsat = longer(this.gainMsat, length);
    this.inputTokens = longer(this.inputTokens, length);
    this.outputTokens = longer(this.outputTokens, length);
    this.clientClass = longer(this.clientClass, length);
    this.cause = longer(this.cause, length);
  }
}
