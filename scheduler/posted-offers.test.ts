import { describe, expect, test } from "vitest";
import type { ModelOffer } from "../protocol/messages.ts";
import { PostedOffers } from "./posted-offers.ts";
import { request } from "./testing/market.ts";

const offer = (model: string, fixedMsat: number): ModelOffer => ({ model, prices: { inputMsatPerMtok: 0, outputMsatPerMtok: 0, fixedMsat }, contextTokensMax: 1, prefillTokensPerS: 1, decodeTokensPerS: 1 });
const job = (model: string) => request("j", { model });
const flat = (fixedMsat: number) => ({ inputMsatPerMtok: 0, outputMsatPerMtok: 0, fixedMsat });

describe("posted offers", () => {
  test("honour former prices, and what pays more, for as long as they say and no longer", () => {
    const posted = new PostedOffers([offer("m", 50), offer("n", 5)], 100);
    expect(posted.honours(job("m"), flat(50), 0)).toBe(false);
    posted.change([offer("m", 80), offer("n", 5)], 1_000);
    expect(posted.of("m")?.prices).toEqual(flat(80));
    expect([posted.honours(job("m"), flat(50), 1_100), posted.honours(job("m"), flat(60), 1_100), posted.honours(job("m"), flat(49), 1_100)]).toEqual([true, true, false]);
    expect(posted.honours(job("m"), flat(50), 1_101)).toBe(false);
    expect(posted.honours(job("n"), flat(50), 1_001)).toBe(true);
    expect(posted.honours(job("n"), flat(4), 1_001)).toBe(false);
  });

  test("honour every price of the last while, not the last alone", () => {
    const posted = new PostedOffers([offer("m", 50)], 100);
    posted.change([offer("m", 80)], 0);
    posted.change([offer("m", 120)], 60);
    expect(posted.honours(job("m"), flat(50), 100)).toBe(true);
    expect(posted.honours(job("m"), flat(80), 160)).toBe(true);
    expect(posted.honours(job("m"), flat(50), 101)).toBe(false);
  });

  test("hold each model once", () => {
    expect(() => new PostedOffers([offer("m", 1), offer("m", 2)], 1)).toThrow("offers each model once");
  });
});
