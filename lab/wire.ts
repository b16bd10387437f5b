import type { Figures } from "../protocol/result/figures.ts";
import type { RunOutcome } from "../sim/experiment/plan.ts";
import type { PlacedTask } from "./job.ts";

/**
 * An outcome as it crosses threads and lies in a journal, without its task. A run has about a thousand figures under names
 * that are the same in every run, so the names are one text, which is copied and compared faster than it is read.
 */
export interface WireOutcome {
  /** JSON of the figures' names; null where the run threw. */
  readonly names: string | null;
  /** JSON of the figures' values, in the same order; null where the run threw. */
  readonly values: string | null;
  readonly digest: string | null;
  readonly error: string | null;
}

/** Packs outcomes. */
export class Packer {
  #names: readonly string[] = [];
  #text = "[]";

  pack({ figures, digest, error }: RunOutcome): WireOutcome {
    if (figures === null) return { names: null, values: null, digest, error };
    const names = Object.keys(figures);
    if (names.length !== this.#names.length || names.some((name, i) => name !== this.#names[i])) {
      this.#names = names;
      this.#text = JSON.stringify(names);
    }
    return { names: this.#text, values: JSON.stringify(Object.values(figures)), digest, error };
  }
}

/** Unpacks outcomes. */
export class Unpacker {
  #text = "[]";
  #names: readonly string[] = [];

  unpack({ index, task }: PlacedTask, { names, values, digest, error }: WireOutcome): RunOutcome {
    if (names === null || values === null) return { index, task, figures: null, digest, error };
    if (names !== this.#text) {
      this.#names = JSON.parse(names) as string[];
      this.#text = names;
    }
    const numbers = JSON.parse(values) as (number | null)[];
    const figures: Record<string, number | null> = {};
    for (let i = 0; i < numbers.length; i++) figures[this.#names[i]!] = numbers[i]!;
    return { index, task, figures: figures satisfies Figures, digest, error };
  }
}
