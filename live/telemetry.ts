import type { JobId, JobRequest, PeerId, PriceSheet } from "../protocol/messages.ts";
import type { MarketEvent } from "../protocol/result/market-event.ts";
import type { Decision, JobStatus, Priced, Telemetry } from "../scheduler/environment.ts";

export interface LiveTelemetryOptions {
  /** Whose time the events carry, µs since its origin. */
  readonly clock: { readonly nowUs: number };
  readonly onEvent?: ((event: MarketEvent) => void) | undefined;
  /** Told why the router did what it did; absent: decisions are not explained, which costs less. */
  readonly onDecision?: ((decision: Decision, atUs: number) => void) | undefined;
  /** A peer's name in events; default: its key. */
  readonly nameOf?: ((peer: PeerId) => string) | undefined;
  /** What submitted jobs are said to be of; default: "live". */
  readonly clientClass?: string | undefined;
}

/** Turns what a live participant tells into the events that a simulation's `--events` writes. No text of prompts or outputs is in them. */
export class LiveTelemetry implements Telemetry {
  readonly #options: LiveTelemetryOptions;

  constructor(options: LiveTelemetryOptions) {
    this.#options = options;
  }

  submitted({ jobId, model, inputTokens, maxOutputTokens, maxPriceMsat }: JobRequest): void {
    this.#tell({ atUs: this.#nowUs, event: "submitted", job: jobId, clientClass: this.#options.clientClass ?? "live", model, inputTokens, maxOutputTokens, maxPriceMsat });
  }

  assigned(job: JobId, node: PeerId, attempt: number): void {
    this.#tell({ atUs: this.#nowUs, event: "assigned", job, node: this.#name(node), attempt });
  }

  attemptFailed(job: JobId, node: PeerId, attempt: number, reason: string): void {
    this.#tell({ atUs: this.#nowUs, event: "attempt-failed", job, node: this.#name(node), attempt, reason });
  }

  started(job: JobId, attempt: number): void {
    this.#tell({ atUs: this.#nowUs, event: "started", job, attempt });
  }

  firstToken(job: JobId, attempt: number): void {
    this.#tell({ atUs: this.#nowUs, event: "first-token", job, attempt });
  }

  finished(job: JobId, node: PeerId, attempt: number, _inputTokens: number, outputTokens: number, amountMsat: number, feeMsat: number): void {
    this.#tell({ atUs: this.#nowUs, event: "finished", job, node: this.#name(node), attempt, outputTokens, amountMsat, feeMsat });
  }

  ended(job: JobId, status: JobStatus, reason: string): void {
    this.#tell({ atUs: this.#nowUs, event: "ended", job, status, reason });
  }

  disputed(job: JobId, claim: string): void {
    this.#tell({ atUs: this.#nowUs, event: "disputed", job, claim });
  }

  wantsDecision(): boolean {
    return this.#options.onDecision !== undefined;
  }

  decided(decision: Decision): void {
    this.#options.onDecision?.(decision, this.#nowUs);
  }

  // What follows has no event of its own: the books of a simulation hear of it, and whoever listens beside (`telemetryTo`).
  delivered(): void {}
  reneged(): void {}
  owesFee(): void {}
  writtenOff(): void {}
  tooDear(): void {}
  waitingAtRouter(): void {}
  priced(): void {}

  get #nowUs(): number {
    return this.#options.clock.nowUs;
  }

  #name(peer: PeerId): string {
    return this.#options.nameOf?.(peer) ?? peer;
  }

  #tell(event: MarketEvent): void {
    this.#options.onEvent?.(event);
  }
}

/** Tells several listeners the same, in their order; each hears what it has a method for. */
export function telemetryTo(...listeners: readonly Partial<Telemetry>[]): Telemetry {
  return {
    submitted: (job: JobRequest) => { for (const one of listeners) one.submitted?.(job); },
    assigned: (jobId: JobId, node: PeerId, attempt: number, prices: PriceSheet) => { for (const one of listeners) one.assigned?.(jobId, node, attempt, prices); },
    attemptFailed: (jobId: JobId, node: PeerId, attempt: number, reason: string) => { for (const one of listeners) one.attemptFailed?.(jobId, node, attempt, reason); },
    started: (jobId: JobId, attempt: number) => { for (const one of listeners) one.started?.(jobId, attempt); },
    firstToken: (jobId: JobId, attempt: number) => { for (const one of listeners) one.firstToken?.(jobId, attempt); },
    finished: (jobId, node, attempt, inputTokens, outputTokens, amountMsat, feeMsat) => { for (const one of listeners) one.finished?.(jobId, node, attempt, inputTokens, outputTokens, amountMsat, feeMsat); },
    ended: (jobId: JobId, status: JobStatus, reason: string) => { for (const one of listeners) one.ended?.(jobId, status, reason); },
    delivered: (jobId: JobId, node: PeerId, valueMsat: number) => { for (const one of listeners) one.delivered?.(jobId, node, valueMsat); },
    reneged: (jobId: JobId) => { for (const one of listeners) one.reneged?.(jobId); },
    owesFee: (jobId: JobId, feeMsat: number) => { for (const one of listeners) one.owesFee?.(jobId, feeMsat); },
    writtenOff: (jobId: JobId, node: PeerId, late: boolean) => { for (const one of listeners) one.writtenOff?.(jobId, node, late); },
    disputed: (jobId: JobId, claim: string) => { for (const one of listeners) one.disputed?.(jobId, claim); },
    tooDear: (jobId: JobId) => { for (const one of listeners) one.tooDear?.(jobId); },
    waitingAtRouter: (change: 1 | -1) => { for (const one of listeners) one.waitingAtRouter?.(change); },
    priced: (event: Priced) => { for (const one of listeners) one.priced?.(event); },
    wantsDecision: (jobId: JobId) => listeners.some((one) => one.wantsDecision?.(jobId) === true),
    decided: (decision: Decision) => { for (const one of listeners) if (one.wantsDecision?.(decision.jobId) === true) one.decided?.(decision); },
  };
}
