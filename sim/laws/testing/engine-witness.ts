import { BatchEngine } from "../../world/engine/batch.ts";
import type { Engine, EngineSink } from "../../world/engine/engine.ts";
import { ServiceTimeEngine } from "../../world/engine/service-time.ts";
import { type Fault, patch } from "./patches.ts";

/** A job in an engine, from what goes in and what comes out. */
export interface EngineJob {
  readonly inputTokens: number;
  readonly outputTokens: number;
  started: boolean;
  /** Its prompt is done. */
  decoding: boolean;
}

/** What an engine holds, counted by what it was given and what it told. */
export class Contents {
  /** In the order of arrival. */
  readonly jobs = new Map<number, EngineJob>();
  running = 0;
  /** Prompt tokens of those whose prompt is done. */
  promptTokens = 0;
  starts = 0;
  /** A preempted job comes back without a word: until the engine is empty, nobody outside knows which jobs run. */
  preempted = false;

  /** First in line, where lines are by arrival. */
  get head(): EngineJob | undefined {
    for (const job of this.jobs.values()) if (!job.started) return job;
    return undefined;
  }

  start(ref: number): void {
    this.jobs.get(ref)!.started = true;
    this.running++;
    this.starts++;
  }

  decode(ref: number): void {
    const job = this.jobs.get(ref)!;
    job.decoding = true;
    this.promptTokens += job.inputTokens;
  }

  remove(ref: number): void {
    const job = this.jobs.get(ref);
    if (job === undefined) return;
    this.jobs.delete(ref);
    if (job.started) this.running--;
    if (job.decoding) this.promptTokens -= job.inputTokens;
    if (this.jobs.size === 0) this.preempted = false;
  }
}

/** Watches every engine. @returns what each holds. */
export function watchEngines(): { readonly contents: ReadonlyMap<Engine, Contents>; readonly watch: Fault } {
  const contents = new Map<Engine, Contents>();
  const of = (engine: Engine): Contents => {
    let held = contents.get(engine);
    if (held === undefined) contents.set(engine, (held = new Contents()));
    return held;
  };
  const watch: Fault = () => {
    const restores = [BatchEngine.prototype, ServiceTimeEngine.prototype].flatMap((prototype: Pick<Engine, "submit" | "cancel" | "clear" | "advance">) => [
      patch(prototype, "submit", (original) => function (this: Engine, nowUs, ref, inputTokens, outputTokens, priority) {
        of(this).jobs.set(ref, { inputTokens: Math.max(1, inputTokens), outputTokens, started: false, decoding: false });
        original.call(this, nowUs, ref, inputTokens, outputTokens, priority);
      }),
      patch(prototype, "cancel", (original) => function (this: Engine, nowUs, ref) {
        of(this).remove(ref);
        return original.call(this, nowUs, ref);
      }),
      patch(prototype, "clear", (original) => function (this: Engine, nowUs) {
        for (const ref of [...of(this).jobs.keys()]) of(this).remove(ref);
        original.call(this, nowUs);
      }),
      patch(prototype, "advance", (original) => function (this: Engine, nowUs, sink) {
        const held = of(this);
        const told: EngineSink = {
          started: (ref, atUs) => {
            held.start(ref);
            sink.started(ref, atUs);
          },
          firstToken: (ref, atUs) => {
            held.decode(ref);
            sink.firstToken(ref, atUs);
          },
          finished: (ref, atUs) => {
            held.remove(ref);
            sink.finished(ref, atUs);
          },
          preempted: (ref, atUs) => {
            held.preempted = true;
            sink.preempted(ref, atUs);
          },
        };
        original.call(this, nowUs, told);
      }),
    ]);
    return () => { for (const restore of restores.reverse()) restore(); };
  };
  return { contents, watch };
}
