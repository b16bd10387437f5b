import type { StructureReport } from "../../../protocol/result/welfare.ts";
import { type CostAndPrice, passThrough } from "./structure.ts";

/** What was sold within a window: all of it together. */
interface Sold {
  readonly startUs: number;
  readonly tokens: number;
  readonly costMsat: number;
  readonly paidMsat: number;
}

/**
 * Pass-through within a run. A spell is the time between two changes of costs; of each, the mean price paid and the mean
 * marginal cost, both per token over all that was asked for in it and delivered, make one observation, and pass-through is
 * the slope of price on cost over spells, weighted by tokens: after a single step, the rise of the price over the rise of the
 * cost. Within a spell nothing is compared, since there only the mix of jobs and nodes differs. What operators take to see a
 * change and to follow it counts as not passed on.
 */
export class Spells {
  readonly #nextCostUs: ((timeUs: number) => number) | undefined;
  readonly #spells: { tokens: number; costMsat: number; paidMsat: number }[] = [];
  #untilUs = -Infinity;
  #windows = 0;

  /** @param nextCostUs when costs may change next after a time; undefined: they stay, and nothing is kept. */
  constructor(nextCostUs: ((timeUs: number) => number) | undefined) {
    this.#nextCostUs = nextCostUs;
  }

  /** Windows in which something was sold, in order of time; none lies across a change of costs by more than a sliver. */
  add({ startUs, tokens, costMsat, paidMsat }: Sold): void {
    this.#windows++;
    if (this.#nextCostUs === undefined) return;
    if (startUs >= this.#untilUs) {
      this.#spells.push({ tokens: 0, costMsat: 0, paidMsat: 0 });
      this.#untilUs = this.#nextCostUs(startUs);
    }
    const spell = this.#spells.at(-1)!;
    spell.tokens += tokens;
    spell.costMsat += costMsat;
    spell.paidMsat += paidMsat;
  }

  /** Slope null where costs stand still, or hardly differ. */
  passThrough(): StructureReport["passThrough"] {
    const observed = this.#spells.map(({ tokens, costMsat, paidMsat }): CostAndPrice => ({ cost: costMsat / tokens, price: paidMsat / tokens, quantity: tokens }));
    return { slope: passThrough(observed), windows: this.#windows };
  }
}
