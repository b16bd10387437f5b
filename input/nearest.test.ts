import { expect, test } from "vitest";
import { nearest } from "./nearest.ts";

test("what a word was meant to be", () => {
  expect(nearest("oparators", ["clients", "operators", "router"])).toBe("operators");
  expect(nearest("PRICE", ["price", "prices"])).toBe("price");
  expect(nearest("tokens-output", ["output-tokens", "tokens"])).toBe("output-tokens");
  expect(nearest("zebra", ["clients", "operators"])).toBeUndefined();
});

test("a word that others begin with stands for the shortest of them, before others that look alike", () => {
  expect(nearest("RTX 3060", ["RTX 3090", "RTX 3060 Ti 8GB", "RTX 3060 12GB"])).toBe("RTX 3060 12GB");
  expect(nearest("rtx 4090", ["RTX 3090", "RTX 4090"])).toBe("RTX 4090");
});
