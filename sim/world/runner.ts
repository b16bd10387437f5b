import { sha256Hex } from "../../protocol/canonical.ts";
import type { JobId } from "../../protocol/messages.ts";
import type { Runner, RunnerEvent, RunnerJob } from "../../scheduler/environment.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { EventId } from "../kernel/queue.ts";
import type { Random } from "../kernel/random.ts";
import type { Engine, EngineSink } from "./engine/engine.ts";
import type { Oracle } from "./oracle.ts";

/** What a simulated runner needs of the world around it. */
export interface RunnerHost {
  readonly kernel: Kernel;
  readonly oracle: Oracle;
  /** Kernel event kind with which the world calls {@link SimulatedRunner.advance}. */
  readonly eventKind: number;
  deliverRunner(peer: number, event: RunnerEvent): void;
  /** The number of running or waiting jobs may have changed. */
  runnerChanged(peer: number): void;
}

/** Stands for the hash of an output that was never produced. */
const NO_OUTPUT = sha256Hex("");

/**
 * The node's runner in the simulation: an engine that takes its time, driven by the kernel, and the oracle's knowledge of
 * how long each output truly is.
 */
export class SimulatedRunner implements Runner, EngineSink {
  readonly engine: Engine;
  readonly #host: RunnerHost;
  readonly #peer: number;
  /** Share of jobs that fail here while being served. */
  readonly #failureShare: number;
  readonly #random: Random;
  /** Jobs (oracle slots) that will fail in the end. */
  readonly #doomed = new Set<number>();
  /** Output tokens at which the node wants to hear of a job, by oracle slot. */
  readonly #watched = new Map<number, number>();
  #event: EventId = -1;
  #eventUs = Infinity;

  constructor(host: RunnerHost, peer: number, engine: Engine, failureShare: number, random: Random) {
    this.#host = host;
    this.#peer = peer;
    this.engine = engine;
    this.#failureShare = failureShare;
    this.#random = random;
  }

  get slots(): number {
    return this.engine.slots;
  }
  get kvTokensMax(): number {
    return this.engine.kvTokensMax;
  }
  get running(): number {
    return this.engine.running;
  }
  get waiting(): number {
    return this.engine.waiting;
  }
  get kvTokensUsed(): number {
    return this.engine.kvTokensUsed;
  }

  submit(job: RunnerJob): void {
    const { oracle, kernel } = this.#host;
    let slot = oracle.heldSlotOf(job.jobId);
    if (slot < 0) slot = oracle.addOrphan(job.jobId, job.maxOutputTokens);
    oracle.hold(slot);
    let outputTokens = Math.min(oracle.outputTokens[slot]!, job.maxOutputTokens);
    if (this.#failureShare > 0 && this.#random.next() < this.#failureShare) {
      this.#doomed.add(slot);
      outputTokens = 1 + Math.floor(this.#random.next() * outputTokens);
    }
    this.engine.submit(kernel.nowUs, slot, job.inputTokens, outputTokens, job.priority);
    this.#changed();
  }

  cancel(jobId: JobId): boolean {
    const slot = this.#host.oracle.heldSlotOf(jobId);
    if (slot < 0 || !this.engine.cancel(this.#host.kernel.nowUs, slot)) return false;
    this.#forget(slot);
    this.#changed();
    return true;
  }

  watch(jobId: JobId, outputTokens: number): void {
    const slot = this.#host.oracle.heldSlotOf(jobId);
    if (slot < 0 || this.engine.watch === undefined) return;
    this.engine.watch(this.#host.kernel.nowUs, slot, outputTokens);
    this.#watched.set(slot, outputTokens);
    this.#changed();
  }

  setSpeed(factor: number): void {
    this.engine.setSpeed(this.#host.kernel.nowUs, factor);
    this.#changed();
  }

  setShare(factor: number, promptFactor: number): void {
    this.engine.setShare(this.#host.kernel.nowUs, factor, promptFactor);
    this.#changed();
  }

  /** The machine is gone, and with it all jobs; `jobs` names those it held. No events follow. */
  powerOff(jobs: Iterable<JobId>): void {
    this.engine.clear(this.#host.kernel.nowUs);
    for (const jobId of jobs) this.#forget(this.#host.oracle.heldSlotOf(jobId));
    this.#changed();
  }

  /** The kernel's event for this runner is due. */
  advance(): void {
    this.#event = -1;
    this.#eventUs = Infinity;
    this.engine.advance(this.#host.kernel.nowUs, this);
    this.#changed();
  }

  started(ref: number): void {
    this.#host.deliverRunner(this.#peer, { kind: "started", jobId: this.#host.oracle.ids[ref]! });
  }

  firstToken(ref: number): void {
    this.#host.deliverRunner(this.#peer, { kind: "first-token", jobId: this.#host.oracle.ids[ref]! });
  }

  finished(ref: number): void {
    const { oracle } = this.#host;
    const jobId = oracle.ids[ref]!;
    const trueTokens = oracle.outputTokens[ref]!;
    const maxOutputTokens = oracle.maxOutputTokens[ref]!;
    const doomed = this.#failureShare > 0 && this.#doomed.has(ref);
    this.#forget(ref);
    if (doomed) {
      this.#host.deliverRunner(this.#peer, { kind: "failed", jobId, reason: "runner-failed" });
      return;
    }
    const stopped = trueTokens <= maxOutputTokens;
    this.#host.deliverRunner(this.#peer, {
      kind: "finished",
      jobId,
      outputTokens: stopped ? trueTokens : maxOutputTokens,
      finishReason: stopped ? "stop" : "length",
      outputHash: NO_OUTPUT,
    });
  }

  preempted(): void {}

  progress(ref: number): void {
    const outputTokens = this.#watched.get(ref)!;
    this.#watched.delete(ref);
    this.#host.deliverRunner(this.#peer, { kind: "progress", jobId: this.#host.oracle.ids[ref]!, outputTokens });
  }

  #forget(slot: number): void {
    if (this.#failureShare > 0) this.#doomed.delete(slot);
    if (this.#watched.size > 0) this.#watched.delete(slot);
    this.#host.oracle.release(slot);
  }

  /** Has the kernel call back when the engine's next change is due. */
  #changed(): void {
    const { kernel } = this.#host;
    const nextUs = this.engine.nextUs;
    if (nextUs !== this.#eventUs) {
      if (this.#event !== -1) kernel.cancel(this.#event);
      this.#event = nextUs === Infinity ? -1 : kernel.at(nextUs, this.#host.eventKind, this.#peer, 0);
      this.#eventUs = nextUs;
    }
    this.#host.runnerChanged(this.#peer);
  }
}
