import type { StepPart } from "./model.ts";

/** A step's parts in the order in which llama.cpp computes them together. */
export interface SideBySide {
  /** Parts of the step by the number of their sequence; in between, idle sequences that stand in a gap. */
  readonly order: readonly { readonly sequence: number; /** Which of the step's parts; -1: none, a token that only fills the gap. */ readonly part: number }[];
  /** The sequences that fill gaps. */
  readonly fillers: readonly number[];
}

/**
 * Orders a step's parts so that its sequences share passes through the model. With a context of its own for each sequence, llama.cpp
 * puts those of a batch in one pass whose numbers follow each other without a gap, in the batch's order (`llama_batch_allocr::split_equal`);
 * others each cost one more reading of all weights. Sequences 1 and 0 in this order take 1.4 times as long as 0 and 1, 0 and 2 take 1.2
 * times as long as 0, 1 and 2 (100M q8_0, one CPU thread). So parts are sorted, and a token of an idle sequence stands in a gap.
 * @param isIdle whether a sequence holds nothing; what a filler leaves in it must be forgotten after the step.
 * @param room tokens that the batch may hold beyond the parts'.
 */
export const sideBySide = (parts: readonly StepPart[], isIdle: (sequence: number) => boolean, room: number): SideBySide => {
  const sorted = parts.map(({ sequence }, part) => ({ sequence, part })).sort((a, b) => a.sequence - b.sequence);
  const fillers: number[] = [];
  const order = sorted.flatMap((entry, at) => {
    const gap: number[] = [];
    for (let sequence = (sorted[at - 1]?.sequence ?? entry.sequence) + 1; sequence < entry.sequence; sequence++) gap.push(sequence);
    // Half a gap filled is still a gap.
    if (!gap.every(isIdle) || fillers.length + gap.length > room) return [entry];
    fillers.push(...gap);
    return [...gap.map((sequence) => ({ sequence, part: -1 })), entry];
  });
  return { order, fillers };
};
