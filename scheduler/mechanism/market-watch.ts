import type { Message, PriceSheet } from "../../protocol/messages.ts";
import { unitOf } from "../pricing/price-level.ts";
import { BusyMeter, capacityOf } from "./busy-meter.ts";
import type { Floor } from "./mechanism.ts";

/** Asks that a market-state message carries at most. */
const ASKS_TOLD = 8;
/** A job of ordinary length, for comparing asks: so many tokens in, and out where no job has been seen. */
const ORDINARY_TOKENS = 1_000;

/** Tells nodes at intervals how the markets for their models stand, so that operators can set their prices. */
export class MarketWatch {
  readonly meter = new BusyMeter();
  readonly #floor: Floor;
  readonly #intervalUs: number;
  readonly #going: (model: string) => PriceSheet | null;

  constructor(floor: Floor, intervalUs: number, going: (model: string) => PriceSheet | null) {
    this.#floor = floor;
    this.#intervalUs = intervalUs;
    this.#going = going;
  }

  start(): void {
    this.meter.restart(this.#floor.env.nowUs);
    this.#floor.env.after(this.#intervalUs, { kind: "market-state", jobId: "", attempt: 0 });
  }

  onInterval(): void {
    const { env } = this.#floor;
    for (const model of this.#floor.registry.models()) this.#tell(model);
    this.meter.restart(env.nowUs);
    env.after(this.#intervalUs, { kind: "market-state", jobId: "", attempt: 0 });
  }

  #tell(model: string): void {
    const { env, registry, waiting, staleAfterUs } = this.#floor;
    const market = registry.market(model);
    const freshFromUs = env.nowUs - staleAfterUs;
    const { slots, others, nodes, unwilling } = capacityOf(registry, model, freshFromUs, ORDINARY_TOKENS, ORDINARY_TOKENS);
    const going = this.#going(model);
    const outputTokens = market.meanOutputTokens === 0 ? ORDINARY_TOKENS : market.meanOutputTokens;
    const asks: { node: string; prices: PriceSheet; amount: number }[] = [];
    for (let offer = 0; offer < market.count; offer++) {
      const n = market.node[offer]!;
      if (registry.lastSeenUs[n]! < freshFromUs || registry.accepting[n] === 0 || registry.banned[n] !== 0) continue;
      const { prices } = market.offers[offer]!;
      const amount = (ORDINARY_TOKENS * prices.inputMsatPerMtok + outputTokens * prices.outputMsatPerMtok) / 1e6 + prices.fixedMsat;
      asks.push({ node: registry.ids[n]!, prices, amount });
    }
    asks.sort((a, b) => a.amount - b.amount || (a.node < b.node ? -1 : 1));
    const utilisation = slots === 0 ? 0 : (this.meter.mean(model, env.nowUs) + others) / slots;
    env.telemetry.priced({
      kind: "state", model, lowestAsk: asks[0]?.prices ?? null, meanAsk: asks.length === 0 ? null : unitOf(asks.map(({ prices }) => prices)), going, utilisation,
    });
    const state: Message = {
      type: "market-state", model, asks: asks.slice(0, ASKS_TOLD).map(({ node, prices }) => ({ node, prices })), nodes: nodes + unwilling,
      busyPpm: Math.round(Math.min(1, utilisation) * 1e6), waiting: waiting.sizeOf(model), intervalUs: this.#intervalUs,
      ...(going === null ? {} : { prices: going }),
    };
    for (const { node } of asks) env.send(node, state);
  }
}
