import { RandomStreams } from "../kernel/random.ts";
import type { Scenario } from "../scenario/scenario.ts";
import { ExchangePath } from "../supply/exchange.ts";

/** The rates of a run: the same path for whoever asks, and for the same seed. */
export function exchangePathOf({ exchange, exchangeRates }: Scenario, seed: number): ExchangePath {
  return new ExchangePath(exchange?.moves ?? null, exchangeRates, new RandomStreams(seed).stream("world", "exchange", "rate"));
}
