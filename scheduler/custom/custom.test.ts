import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { PriceSheet } from "../../protocol/messages.ts";
import { offer, prices, request } from "../testing/market.ts";
import { RouterBench } from "../testing/router-bench.ts";
import { checkChoicePolicy } from "./choice.ts";
import { defaultExportOf } from "./compile.ts";
import { CustomPricing, type MarketReading } from "./pricing.ts";
import type { CustomPolicy, Settings } from "./source.ts";
import { customStrategy } from "./strategy.ts";

const policyOf = (code: string, options: Settings = {}, file = "./my.ts"): CustomPolicy => ({ file, code, sha256: createHash("sha256").update(code).digest("hex"), options });
const messageOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    expect((error as Error).name).toBe("PolicyError");
    return (error as Error).message;
  }
  return "nothing was wrong";
};
const seen: MarketReading = { nowUs: 0, interval: 0, utilisation: 0, jobs: 0, waiting: 0, nodes: 0, slots: 0, asks: [], price: null };
const random = { next: () => 0.5 };
const market = { model: "m", intervalUs: 1_000_000, posted: prices(100), random };

describe("a policy's module", () => {
  test.each([
    ["an expression", "export default { x: 1 };"],
    ["a constant", "const policy: { x: number } = { x: 1 };\nexport default policy;"],
    ["a constant with satisfies", "type X = { x: number };\nconst p = { x: 1 } satisfies X;\nexport { p as default };"],
    ["beside other exports", "export const one = 1;\nexport function f(): number { return one; }\nexport default { x: f() };"],
    ["types imported", "import type { PricingPolicy } from \"infernet-lab\";\nexport default { x: 1 } as unknown as PricingPolicy;"],
    ["the words in a string and a comment", "/* export default { x: 2 } */ const s = \"export default { x: 3 }\";\nexport default { x: s.length - 22 };"],
  ])("may export by %s", (_, code) => {
    expect(defaultExportOf(policyOf(code))).toEqual({ x: 1 });
  });

  test("may export a function or a class, and go on after it", () => {
    const f = defaultExportOf(policyOf("export default function one() { return 1; }\n[1].map((x) => x);")) as () => number;
    expect(f()).toBe(1);
    expect(typeof defaultExportOf(policyOf("export default class A {}\n(1 as number).toFixed();"))).toBe("function");
  });

  test("is JavaScript as well as TypeScript", () => {
    expect(defaultExportOf(policyOf("export default { x: 1 };", {}, "my.js"))).toEqual({ x: 1 });
    expect(messageOf(() => defaultExportOf(policyOf("const x: number = 1;\nexport default { x };", {}, "my.mjs")))).toMatch(/^my\.mjs:1: SyntaxError/);
  });

  test.each([
    ["an import", "import { readFileSync } from \"node:fs\";\nexport default {};", "./my.ts:1: found an import (import { readFileSync } from \"node:fs\"); allowed: one file that stands alone"],
    ["a dynamic import", "const fs = 1;\nexport default { open: () => import(\"node:fs\") };", "./my.ts:2: found an import (import(\"node:fs\"))"],
    ["import.meta", "\nexport default { x: import.meta };", "./my.ts:2: found import.meta"],
    ["exports of other files", "export * from \"./other.ts\";\nexport default {};", "./my.ts:1: found an export from another file"],
    ["no default export", "export const x = 1;", "./my.ts:1: found no default export; allowed: one, such as `export default policy;`"],
    ["broken code", "export default {\n  open() { return ( }\n};", "./my.ts:2"],
    ["what only a compiler can make JavaScript of", "enum A { B }\nexport default {};", "./my.ts:1"],
    ["an error as it starts", "const x = 1;\nexport default null.x;", "./my.ts:2:21: TypeError: Cannot read properties of null (reading 'x')"],
  ])("with %s is refused with its line", (_, code, message) => {
    expect(messageOf(() => defaultExportOf(policyOf(code)))).toContain(message);
  });

  test.each([
    ["Date.now()", "Date is not there: time is what the policy is told"],
    ["Math.random()", "Math.random is not there: random numbers come from the stream"],
    ["(1).toLocaleString()", "toLocaleString is not there"],
    ["\"a\".localeCompare(\"b\")", "localeCompare is not there"],
    ["process.env", "process is not defined"],
    ["setTimeout(() => {}, 1)", "setTimeout is not defined"],
    ["require(\"fs\")", "require is not defined"],
    ["performance.now()", "performance is not defined"],
    ["eval(\"1\")", "Code generation from strings disallowed"],
    ["(globalThis as any).leak = 1", "not extensible"],
    ["leak = 1", "leak is not defined"],
  ])("has no %s", (expression, message) => {
    expect(messageOf(() => defaultExportOf(policyOf(`const x = () => ${expression};\nexport default x();`)))).toMatch(new RegExp(`^\\./my\\.ts:1:\\d+: .*${message.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}`));
  });

  test("begins anew each time it is asked for: nothing is left over from another run", () => {
    const policy = policyOf("let calls = 0;\nexport default { count: () => ++calls };");
    const [a, b] = [defaultExportOf(policy), defaultExportOf(policy)] as { count(): number }[];
    expect([a!.count(), a!.count(), b!.count()]).toEqual([1, 2, 1]);
  });
});

describe("pricing", () => {
  const price = (body: string, options: Settings = {}): unknown => {
    const pricing = new CustomPricing(policyOf(`export default { options: { a: 1, b: "x", c: true }, openMarket: (market) => (seen) => (${body}) };`, options));
    pricing.open(market);
    return pricing.price("m", seen);
  };

  test("gives a price for all, or a factor", () => {
    expect(price("{ inputMsatPerMtok: 1, outputMsatPerMtok: 2, fixedMsat: 3, more: 4 }")).toEqual(prices(1, 2, 3));
    expect(price("{ factor: 1.5 }")).toEqual({ factor: 1.5 });
    expect(price("{ ...market.posted, fixedMsat: market.options.a + seen.waiting }", { a: 7 })).toEqual(prices(100, 100, 7));
    expect(price("{ factor: 1 + market.random.next() }")).toEqual({ factor: 1.5 });
  });

  test.each([
    ["NaN", "{ inputMsatPerMtok: NaN, outputMsatPerMtok: 2, fixedMsat: 3 }", "found inputMsatPerMtok NaN; allowed: {inputMsatPerMtok, outputMsatPerMtok, fixedMsat}, each a whole number of msat from 0, or a factor"],
    ["a negative price", "{ inputMsatPerMtok: 0, outputMsatPerMtok: -2, fixedMsat: 3 }", "found outputMsatPerMtok -2"],
    ["a fraction", "{ inputMsatPerMtok: 0.5, outputMsatPerMtok: 2, fixedMsat: 3 }", "found inputMsatPerMtok 0.5"],
    ["a missing part", "{ inputMsatPerMtok: 1, outputMsatPerMtok: 2 }", "found fixedMsat missing"],
    ["a text", "\"cheap\"", "found \"cheap\""],
    ["nothing", "undefined", "found nothing"],
    ["a factor that is none", "{ factor: NaN }", "found the factor NaN; allowed: a number from 1 to 1000"],
    ["a factor below 1", "{ factor: 0.9 }", "found the factor 0.9; allowed: a number from 1 to 1000; nodes do not serve for less than they ask"],
    ["an error", "null.x", "TypeError: Cannot read properties of null (reading 'x') (the price of m at 0 us)"],
    ["an error of its own", "(() => { throw new RangeError(\"out of ideas\"); })()", "RangeError: out of ideas (the price of m at 0 us)"],
    ["something thrown that is no error", "(() => { throw 42; })()", "42 (the price of m at 0 us)"],
  ])("%s is told in one line that names the file", (_, body, message) => {
    const told = messageOf(() => price(body));
    expect(told).toContain(message);
    expect(told).toMatch(/^\.\/my\.ts:/);
    expect(told).not.toContain("\n");
  });

  test.each([
    ["a number", "export default 1;", "./my.ts: the default export: found 1; allowed: a PricingPolicy, an object with the method openMarket"],
    ["another object", "export default { price() {} };", "./my.ts: the default export: found an object without openMarket; allowed: a PricingPolicy"],
    ["settings that are none", "export default { options: { a: [1] }, openMarket() {} };", "./my.ts: options.a: found a list; allowed: a finite number, a text, true or false"],
    ["an openMarket that returns nothing", "export default { openMarket() {} };", "./my.ts: what openMarket returns: found nothing; allowed: a function that returns a price"],
  ])("%s is no policy", (_, code, message) => {
    expect(messageOf(() => new CustomPricing(policyOf(code)).open(market))).toBe(message.startsWith("./my.ts: the default export: found an object") ? `${message}, an object with the method openMarket` : message);
  });

  test("settings are the policy's own, of its types", () => {
    expect(messageOf(() => price("1", { d: 1 }))).toBe("./my.ts: found the setting d, which the policy does not have; allowed: a, b, c");
    expect(messageOf(() => price("1", { a: "1" }))).toBe("./my.ts: the setting a: found \"1\"; allowed: a number, as its default 1 is");
  });

  test("is asked as a market opens and at each interval, and told what the router knows", () => {
    const code = "export default { openMarket: () => (seen) => ({ inputMsatPerMtok: 0, outputMsatPerMtok: 0, fixedMsat: 100 + 10 * seen.interval + seen.jobs + 1000 * seen.slots + 100000 * seen.asks.length }) };";
    const bench = new RouterBench({ pricing: { kind: "custom", policy: policyOf(code), posted: prices(0), intervalUs: 500 } });
    bench.router.start();
    bench.register("n", { slots: 3, offers: [offer({ prices: prices(0) })] });
    const paid = (): PriceSheet | undefined => {
      const [message] = bench.submit(`job-${bench.env.nowUs}`, { maxPriceMsat: 10_000_000 }).map(([, said]) => said).filter(({ type }) => type === "award");
      return message?.type === "award" ? message.prices : undefined;
    };
    expect(paid()).toEqual(prices(0, 0, 100));
    bench.advance(500);
    expect(paid()).toEqual(prices(0, 0, 103_111));
  });
});

describe("strategy", () => {
  const open = (body: string) => customStrategy(policyOf(`export default { openNode: (node) => (${body}) };`), { self: "me", prices: prices(10), slots: 4, random: () => random });
  const observation = { elapsedUs: 1, prices: prices(10), cost: prices(5), slots: 4, offered: 4, utilisation: 0, peak: 0, jobs: 0, revenueMsat: 0, costMsat: 0, market: undefined };

  test("sets prices, and where it wants to, slots and bids", () => {
    const strategy = open("{ prices: (seen) => ({ ...seen.cost, fixedMsat: 7 }), offer: (seen) => seen.slots - 1, bid: (call, cost) => (call ? { ...cost, fixedMsat: 9 } : undefined) }");
    expect(strategy.prices(observation)).toEqual(prices(5, 5, 7));
    expect(strategy.offer!(observation)).toBe(3);
    expect(strategy.bid!({ job: request("j") } as never, prices(1))).toEqual(prices(1, 1, 9));
    expect(strategy.bid!(undefined as never, prices(1))).toBe(undefined);
    expect(Object.keys(open("{ prices: (seen) => seen.prices }"))).toEqual(["prices"]);
  });

  test("what it must not give is told", () => {
    expect(messageOf(() => open("{}"))).toContain("./my.ts: what openNode returns: found an object with no keys; allowed: an object with the method prices");
    expect(messageOf(() => open("{ prices: () => ({ fixedMsat: 1.5 }) }").prices(observation))).toContain("./my.ts: prices: found inputMsatPerMtok missing");
    expect(messageOf(() => open("{ prices: (s) => s.prices, offer: () => 5 }").offer!(observation))).toBe("./my.ts: offer: found 5; allowed: a whole number of slots from 1 to 4");
  });
});

describe("choice", () => {
  test("the highest score has the job, and explains itself", () => {
    const bench = new RouterBench({ policy: { kind: "custom", policy: policyOf("export default { openRouter: () => (node, job) => node.slots * job.inputTokens };") } });
    bench.register("a", { slots: 2 });
    bench.register("b", { slots: 5 });
    bench.register("c", { slots: 3 });
    const [award] = bench.submit("j", { inputTokens: 10 });
    expect(award![0]).toBe(bench.router.registry.ids[1]);
  });

  test("a score that is none is told", () => {
    const bench = new RouterBench({ policy: { kind: "custom", policy: policyOf("export default { openRouter: () => () => NaN };") } });
    bench.register("a");
    expect(messageOf(() => bench.submit("j"))).toMatch(/^\.\/my\.ts: the score of \w+ for job j: found NaN; allowed: a finite number$/);
    expect(messageOf(() => checkChoicePolicy(policyOf("export default { score: 1 };")))).toContain("allowed: a ChoicePolicy");
  });
});
