import type { JobId, JobRequest, PeerId, PriceSheet } from "../../protocol/messages.ts";
import type { MarketEvent } from "../../protocol/result/market-event.ts";
import type { Decision, JobStatus, Priced, Telemetry } from "../../scheduler/environment.ts";
import type { Recorder } from "../experiment/recorder/recorder.ts";
import type { Audit } from "./audit.ts";
import type { Books } from "./money/books.ts";
import type { Oracle } from "./oracle.ts";

export interface TelemetryOptions {
  readonly audit: Audit;
  readonly clientClassNames: readonly string[];
  readonly nodeNames: readonly string[];
  nodeOf(id: PeerId): number;
  readonly books: Books;
  /** Index of the first node among the peers. */
  readonly firstNode: number;
  /** The job ended: its slot is about to be free. */
  onEnded(slot: number): void;
  readonly onEvent?: ((event: MarketEvent) => void) | undefined;
  /** Jobs whose decisions are wanted. */
  readonly explain?: ReadonlySet<JobId> | undefined;
  readonly onDecision?: ((decision: Decision, atUs: number) => void) | undefined;
  readonly onPriced?: ((event: Priced, atUs: number) => void) | undefined;
}

/** Carries the participants' facts to the recorder and, where somebody listens, to the list of events. */
export class SimulatedTelemetry implements Telemetry {
  readonly #clock: { readonly nowUs: number };
  readonly #oracle: Oracle;
  readonly #recorder: Recorder;
  readonly #options: TelemetryOptions;
  #waitingAtRouters = 0;

  constructor(clock: { readonly nowUs: number }, oracle: Oracle, recorder: Recorder, options: TelemetryOptions) {
    this.#clock = clock;
    this.#oracle = oracle;
    this.#recorder = recorder;
    this.#options = options;
  }

  submitted(job: JobRequest): void {
    const slot = this.#oracle.slotOf(job.jobId);
    const atUs = this.#clock.nowUs;
    const clientClass = this.#oracle.clientClass[slot]!;
    this.#options.audit.submitted(slot, job);
    if (job.settlement !== undefined) this.#options.books.opened(job.jobId);
    this.#recorder.submitted(slot, atUs, clientClass, job.inputTokens, job.maxOutputTokens, job.maxPriceMsat);
    this.#options.onEvent?.({
      atUs, event: "submitted", job: job.jobId, clientClass: this.#options.clientClassNames[clientClass]!, model: job.model,
      inputTokens: job.inputTokens, maxOutputTokens: job.maxOutputTokens, maxPriceMsat: job.maxPriceMsat,
    });
  }

  assigned(jobId: JobId, node: PeerId, attempt: number, prices: PriceSheet): void {
    const slot = this.#oracle.slotOf(jobId);
    if (slot < 0) return;
    const index = this.#options.nodeOf(node);
    this.#recorder.assigned(slot, this.#clock.nowUs, index, attempt);
    this.#options.audit.assigned(slot, index, prices, this.#clock.nowUs);
    this.#options.onEvent?.({ atUs: this.#clock.nowUs, event: "assigned", job: jobId, node: this.#options.nodeNames[index]!, attempt });
  }

  attemptFailed(jobId: JobId, node: PeerId, attempt: number, reason: string): void {
    const slot = this.#oracle.slotOf(jobId);
    if (slot < 0) return;
    const index = this.#options.nodeOf(node);
    this.#recorder.attemptFailed(slot, this.#clock.nowUs, index, attempt, reason);
    this.#options.onEvent?.({ atUs: this.#clock.nowUs, event: "attempt-failed", job: jobId, node: this.#options.nodeNames[index]!, attempt, reason });
  }

  started(jobId: JobId, attempt: number): void {
    const slot = this.#oracle.slotOf(jobId);
    if (slot < 0) return;
    this.#recorder.started(slot, this.#clock.nowUs, attempt);
    this.#options.onEvent?.({ atUs: this.#clock.nowUs, event: "started", job: jobId, attempt });
  }

  firstToken(jobId: JobId, attempt: number): void {
    const slot = this.#oracle.slotOf(jobId);
    if (slot < 0) return;
    this.#recorder.firstToken(slot, this.#clock.nowUs, attempt);
    this.#options.onEvent?.({ atUs: this.#clock.nowUs, event: "first-token", job: jobId, attempt });
  }

  finished(jobId: JobId, node: PeerId, attempt: number, inputTokens: number, outputTokens: number, amountMsat: number, feeMsat: number): void {
    const slot = this.#oracle.slotOf(jobId);
    const index = this.#options.nodeOf(node);
    this.#recorder.finished(slot, this.#clock.nowUs, index, attempt, inputTokens, outputTokens, amountMsat, feeMsat);
    const { books, firstNode } = this.#options;
    books.finished(this.#clock.nowUs, slot, jobId, firstNode + index, amountMsat, feeMsat);
    this.#options.audit.finished(slot, index, inputTokens, outputTokens, amountMsat, feeMsat);
    this.#options.onEvent?.({ atUs: this.#clock.nowUs, event: "finished", job: jobId, node: this.#options.nodeNames[index]!, attempt, outputTokens, amountMsat, feeMsat });
  }

  ended(jobId: JobId, status: JobStatus, reason: string): void {
    const slot = this.#oracle.slotOf(jobId);
    if (slot < 0) this.#options.audit.endedAgain(jobId);
    this.#recorder.ended(slot, this.#clock.nowUs, status, reason);
    this.#options.books.ended(this.#clock.nowUs, slot, jobId, status, reason);
    this.#options.onEvent?.({ atUs: this.#clock.nowUs, event: "ended", job: jobId, status, reason });
    this.#options.onEnded(slot);
  }

  tooDear(jobId: JobId): void {
    const slot = this.#oracle.slotOf(jobId);
    if (slot >= 0) this.#recorder.tooDear(slot);
  }

  delivered(jobId: JobId, node: PeerId, valueMsat: number): void {
    this.#options.books.delivered(this.#clock.nowUs, jobId, this.#options.firstNode + this.#options.nodeOf(node), valueMsat);
  }

  reneged(jobId: JobId): void {
    this.#options.books.reneged(jobId);
  }

  owesFee(_jobId: JobId, feeMsat: number): void {
    this.#options.books.owesFee(feeMsat);
  }

  writtenOff(jobId: JobId, node: PeerId, late: boolean): void {
    this.#options.books.writtenOff(this.#clock.nowUs, jobId, this.#options.firstNode + this.#options.nodeOf(node), late);
  }

  disputed(jobId: JobId, claim: string): void {
    this.#options.books.disputed();
    this.#options.onEvent?.({ atUs: this.#clock.nowUs, event: "disputed", job: jobId, claim });
  }

  priced(event: Priced): void {
    this.#options.onPriced?.(event, this.#clock.nowUs);
  }

  waitingAtRouter(change: 1 | -1): void {
    this.#waitingAtRouters += change;
    this.#recorder.routerWaiting(this.#clock.nowUs, this.#waitingAtRouters);
  }

  wantsDecision(jobId: JobId): boolean {
    return this.#options.explain !== undefined && this.#options.explain.has(jobId);
  }

  decided(decision: Decision): void {
    this.#options.onDecision?.(decision, this.#clock.nowUs);
  }
}
