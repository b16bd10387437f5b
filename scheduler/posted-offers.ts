import type { JobRequest, ModelOffer, PriceSheet } from "../protocol/messages.ts";
import { coversJob } from "./pricing/posted.ts";

interface Former {
  readonly model: string;
  readonly prices: PriceSheet;
  readonly untilUs: number;
}

/**
 * What a node asks for, and what it asked for until just now: an award made before the router heard of new prices is taken
 * at the old ones for a while, so that a change of prices refuses nobody.
 */
export class PostedOffers {
  readonly #honourUs: number;
  #offers: readonly ModelOffer[];
  /** The first of them, most often the only one. */
  #first: ModelOffer | undefined;
  #former: Former[] = [];

  /**
   * @param honourUs how long after a change awards at the former prices are still taken, µs.
   * @throws RangeError where a model is offered twice.
   */
  constructor(offers: readonly ModelOffer[], honourUs: number) {
    const models = offers.map(({ model }) => model);
    if (new Set(models).size < models.length) throw new RangeError(`a node offers each model once, found ${models.join(", ")}`);
    this.#offers = offers;
    this.#first = offers[0];
    this.#honourUs = honourUs;
  }

  /** As they are now. */
  get offers(): readonly ModelOffer[] {
    return this.#offers;
  }

  of(model: string): ModelOffer | undefined {
    const first = this.#first;
    return first !== undefined && first.model === model ? first : this.#offers.find((offer) => offer.model === model);
  }

  /** New prices for the models that are offered. */
  change(offers: readonly ModelOffer[], nowUs: number): void {
    this.#former = this.#former.filter(({ untilUs }) => untilUs >= nowUs);
    for (const { model, prices } of this.#offers) {
      if (offers.some((offer) => offer.model === model && offer.prices !== prices)) this.#former.push({ model, prices, untilUs: nowUs + this.#honourUs });
    }
    this.#offers = offers;
    this.#first = offers[0];
  }

  /** Whether prices pay the job at least what was asked for its model not long ago. */
  honours({ model, inputTokens, maxOutputTokens }: JobRequest, prices: PriceSheet, nowUs: number): boolean {
    return this.#former.some((were) => nowUs <= were.untilUs && were.model === model && coversJob(prices, were.prices, inputTokens, maxOutputTokens));
  }
}
