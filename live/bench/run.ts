import type { MachineProfile } from "../../protocol/profile.ts";
import type { BenchStep } from "./plan.ts";
import { summarise } from "./statistics.ts";

type Measured = MachineProfile["measured"];

/** Duration of one step of the engine, µs. */
export interface TimedStep {
  /** As jobs notice it. */
  readonly us: number;
  /** Processor time of the engine's process. */
  readonly cpuUs: number;
}

/** Which of a step's times counts. */
export type BenchClock = "wall" | "cpu";

/** The engine that is measured: the node's own, in a process of its own. */
export interface BenchEngine {
  prefill(sequences: number, tokensEach: number): Promise<readonly TimedStep[]>;
  decode(sequences: number, steps: number): Promise<readonly TimedStep[]>;
  mixed(sequences: number, promptTokens: number): Promise<TimedStep>;
  clear(): Promise<void>;
}

/** How far the measurements have come: shares of the time that all of them will probably take. */
export type OnBenchProgress = (doneUs: number, allUs: number, what: string) => void;

/**
 * Measures round after round, after a warm-up that does not count.
 * @param signal stops after the measurement under way
 * @returns what was measured until then, medians of the repetitions there were
 */
export async function runBench(engine: BenchEngine, round: readonly BenchStep[], repetitions: number, signal: AbortSignal, onProgress: OnBenchProgress, clock: BenchClock = "wall"): Promise<Omit<Measured, "loadUs">> {
  const samples = new Samples();
  const pace = new Pace(round, repetitions);
  const timed = timedBy(engine, clock);
  if (!signal.aborted) await warmUp(engine);
  const contexts: number[] = [];
  let doneUs = 0;
  for (let repetition = 0; repetition < repetitions; repetition++) {
    for (const step of round) {
      if (signal.aborted) break;
      onProgress(doneUs, doneUs + pace.remainingUs(), wordsOf(step));
      doneUs += pace.learn(step, await measure(timed, step, contexts, samples));
    }
  }
  onProgress(doneUs, doneUs, "done");
  return samples.measured();
}

/** The engine's times in µs by one of its clocks, of all steps of a measurement together. */
interface TimedEngine {
  prefill(sequences: number, tokensEach: number): Promise<number>;
  decode(sequences: number, steps: number): Promise<number>;
  mixed(sequences: number, promptTokens: number): Promise<number>;
  clear(): Promise<void>;
}

function timedBy(engine: BenchEngine, clock: BenchClock): TimedEngine {
  const of = clock === "cpu" ? ({ cpuUs }: TimedStep): number => cpuUs : ({ us }: TimedStep): number => us;
  const total = (steps: readonly TimedStep[]): number => steps.reduce((sum, step) => sum + of(step), 0);
  return {
    prefill: async (sequences, tokensEach) => total(await engine.prefill(sequences, tokensEach)),
    decode: async (sequences, steps) => total(await engine.decode(sequences, steps)),
    mixed: async (sequences, promptTokens) => of(await engine.mixed(sequences, promptTokens)),
    clear: () => engine.clear(),
  };
}

/** The first steps of a fresh engine are slower: memory is touched for the first time, clocks rise. */
async function warmUp(engine: BenchEngine): Promise<void> {
  await engine.clear();
  await engine.prefill(1, 16);
  await engine.decode(1, 8);
  await engine.clear();
}

/** @param contexts tokens in each sequence's context; kept up to date. @returns µs that it took. */
async function measure(engine: TimedEngine, step: BenchStep, contexts: number[], samples: Samples): Promise<number> {
  const context = (sequences: number): number => {
    while (contexts.length < sequences) contexts.push(0);
    return Math.round(contexts.slice(0, sequences).reduce((sum, tokens) => sum + tokens, 0) / sequences);
  };
  const grow = (from: number, to: number, tokens: number): void => {
    for (let i = from; i < to; i++) contexts[i] = contexts[i]! + tokens;
  };
  switch (step.kind) {
    case "clear":
      contexts.fill(0);
      await engine.clear();
      return 0;
    case "prefill": {
      const { sequences, tokens } = step;
      const contextTokens = context(sequences);
      const us = await engine.prefill(sequences, tokens);
      samples.prefill.add({ sequences, tokens, contextTokens }, us);
      grow(0, sequences, tokens);
      return us;
    }
    case "decode": {
      const { batch, steps } = step;
      const contextTokens = context(batch);
      const us = await engine.decode(batch, steps);
      samples.decode.add({ batch, contextTokens, steps }, us / steps);
      grow(0, batch, steps);
      return us;
    }
    case "mixed": {
      const { batch, promptTokens } = step;
      const contextTokens = context(batch);
      context(batch + 1);
      const promptContextTokens = contexts[batch]!;
      const us = await engine.mixed(batch, promptTokens);
      samples.mixed.add({ batch, contextTokens, promptTokens, promptContextTokens }, us);
      grow(0, batch, 1);
      grow(batch, batch + 1, promptTokens);
      return us;
    }
  }
}

/** Repetitions of equal measurements, side by side. */
class Repeated<T extends object> {
  readonly #found = new Map<string, { readonly what: T; readonly samples: number[] }>();

  add(what: T, us: number): void {
    const key = JSON.stringify(what);
    const found = this.#found.get(key);
    if (found === undefined) this.#found.set(key, { what, samples: [us] });
    else found.samples.push(us);
  }

  map<U>(of: (what: T, us: number, rest: { readonly repetitions: number; readonly spread: Measured["prefill"][number]["spread"] }) => U): U[] {
    return [...this.#found.values()].map(({ what, samples }) => {
      const { medianUs, repetitions, spread } = summarise(samples);
      return of(what, medianUs, { repetitions, spread });
    });
  }
}

class Samples {
  readonly prefill = new Repeated<{ sequences: number; tokens: number; contextTokens: number }>();
  readonly decode = new Repeated<{ batch: number; contextTokens: number; steps: number }>();
  readonly mixed = new Repeated<{ batch: number; contextTokens: number; promptTokens: number; promptContextTokens: number }>();

  measured(): Omit<Measured, "loadUs"> {
    return {
      prefill: this.prefill.map((what, us, rest) => ({ ...what, us, ...rest })),
      decode: this.decode.map((what, usPerStep, rest) => ({ ...what, usPerStep, ...rest })),
      mixed: this.mixed.map((what, us, rest) => ({ ...what, us, ...rest })),
    };
  }
}

/** How long what is left will probably take, from what is over of each kind. */
class Pace {
  readonly #us = { prefill: 0, decode: 0, mixed: 0 };
  readonly #work = { prefill: 0, decode: 0, mixed: 0 };
  readonly #left = { prefill: 0, decode: 0, mixed: 0 };

  constructor(round: readonly BenchStep[], repetitions: number) {
    for (const step of round) if (step.kind !== "clear") this.#left[step.kind] += repetitions * workOf(step);
  }

  /** @returns the µs. */
  learn(step: BenchStep, us: number): number {
    if (step.kind === "clear") return 0;
    this.#us[step.kind] += us;
    this.#work[step.kind] += workOf(step);
    this.#left[step.kind] -= workOf(step);
    return us;
  }

  remainingUs(): number {
    // Before there is anything to go by, any guess will do: only shares matter.
    return kinds.reduce((sum, kind) => sum + Math.max(0, this.#left[kind]) * (this.#work[kind] > 0 ? this.#us[kind] / this.#work[kind] : 1_000), 0);
  }
}

const kinds = ["prefill", "decode", "mixed"] as const;

/** In proportion to the time that it takes, roughly. */
function workOf(step: Exclude<BenchStep, { kind: "clear" }>): number {
  switch (step.kind) {
    case "prefill": return step.sequences * step.tokens;
    // A batch's steps last longer than a single sequence's, but by far not in proportion.
    case "decode": return step.steps * (1 + step.batch / 4);
    case "mixed": return step.promptTokens + step.batch;
  }
}

function wordsOf(step: BenchStep): string {
  switch (step.kind) {
    case "clear": return "clearing";
    case "prefill": return step.sequences === 1 ? `prompt of ${step.tokens}` : `${step.sequences} prompts of ${step.tokens}`;
    case "decode": return step.batch === 1 ? "generating alone" : `generating in a batch of ${step.batch}`;
    case "mixed": return `prompt of ${step.promptTokens} beside ${step.batch}`;
  }
}
