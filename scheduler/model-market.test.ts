import fc from "fast-check";
import { expect, test } from "vitest";
import { ModelMarket } from "./model-market.ts";
import { offer, prices } from "./testing/market.ts";

/** What the market holds, row by row. */
function rows(market: ModelMarket): unknown[] {
  return Array.from({ length: market.count }, (_, at) => [
    market.node[at], market.inputMsatPerMtok[at], market.outputMsatPerMtok[at], market.fixedMsat[at], market.contextTokensMax[at],
    1 / market.prefillSPerToken[at]!, 1 / market.decodeSPerToken[at]!, market.offers[at],
  ]);
}

test("offers lie in the order of their nodes' ids, whatever order they came in", () => {
  const id = fc.constantFrom(...Array.from({ length: 60 }, (_, i) => `node-${(i * 37) % 60}`));
  const act = fc.record({ id, price: fc.nat(1000), does: fc.constantFrom("insert", "insert", "remove") });
  fc.assert(
    fc.property(fc.array(act, { maxLength: 200, size: "max" }), (acts) => {
      const market = new ModelMarket();
      const model = new Map<string, [number, ReturnType<typeof offer>]>();
      acts.forEach(({ id: node, price, does }, n) => {
        if (does === "insert") {
          const made = offer({ prices: prices(price, price + 1, price + 2), contextTokensMax: n, prefillTokensPerS: 4, decodeTokensPerS: 2 });
          market.insert(node, n, made);
          model.set(node, [n, made]);
        } else {
          market.remove(node);
          model.delete(node);
        }
      });
      const ids = [...model.keys()].sort((a, b) => (a < b ? -1 : 1));
      expect(rows(market)).toEqual(ids.map((node) => {
        const [n, made] = model.get(node)!;
        return [n, made.prices.inputMsatPerMtok, made.prices.outputMsatPerMtok, made.prices.fixedMsat, made.contextTokensMax, 4, 2, made];
      }));
      for (let i = 0; i < 60; i++) {
        const node = `node-${i}`;
        expect(market.indexOf(node)).toBe(ids.indexOf(node));
        const above = ids.findIndex((other) => other > node);
        expect(market.indexAfter(node)).toBe(Math.max(0, above));
      }
    }),
    { seed: 1, numRuns: 100 },
  );
});

test("the mean output starts at the first job's and follows the others slowly", () => {
  const market = new ModelMarket();
  expect(market.meanOutputTokens).toBe(0);
  market.recordOutputTokens(100);
  expect(market.meanOutputTokens).toBe(100);
  market.recordOutputTokens(200);
  expect(market.meanOutputTokens).toBe(102);
  for (let i = 0; i < 1000; i++) market.recordOutputTokens(50);
  expect(market.meanOutputTokens).toBeCloseTo(50, 5);
});
