import { expect, test } from "vitest";
import { hex32 } from "./testing/fake-environment.ts";
import { MODEL, offer, request, result } from "./testing/market.ts";
import { awards, RouterBench } from "./testing/router-bench.ts";

/* What a router that lives for months remembers of those who have gone. */

const forgetful = (changes: ConstructorParameters<typeof RouterBench>[0] = {}): RouterBench => {
  const bench = new RouterBench({ forgetAfterUs: 60_000, ...changes });
  bench.router.start();
  return bench;
};

test("nodes that come once, each with a model and a region of its own, leave nothing behind, and later ones take their places", () => {
  const bench = forgetful({ marketStateUs: 10_000 });
  const { registry } = bench.router;
  for (let i = 0; i < 1_000; i++) {
    bench.register(`n${i}`, { region: `region-${i}`, offers: [offer({ model: `model-${i}` })] });
    bench.submit(`j${i}`, { model: `model-${i}` });
    bench.say(`n${i}`, result(request(`j${i}`, { model: `model-${i}` }), hex32(`n${i}`), 1));
    bench.advance(5_000);
  }
  expect(registry.size).toBeLessThan(20);
  expect(registry.models().length).toBeLessThan(20);
  expect([registry.region("region-0"), registry.indexOf(hex32("n0")), registry.market("model-0").count]).toEqual([-1, -1, 0]);
  bench.advance(100_000);
  expect([registry.known, registry.models()]).toEqual([0, []]);
});

test("a node that takes a forgotten one's place has none of its past", () => {
  const bench = forgetful();
  bench.register("bad", { slots: 9 });
  for (let i = 0; i < 3; i++) {
    bench.submit(`j${i}`);
    bench.refuse("bad", `j${i}`, "runner-failed");
  }
  // It waits for the circuit to close.
  expect(bench.submit("k")).toEqual([]);
  bench.advance(200_000);
  bench.register("good");
  expect(bench.router.registry.indexOf(hex32("good"))).toBe(0);
  expect([bench.router.registry.reliability[0], bench.router.registry.slots[0]]).toEqual([1, 1]);
  expect(awards(bench.submit("l"), "good")).toEqual(["good l 1"]);
});

test("a node is kept while a job is there or remembers to have been there, and while it is heard of", () => {
  const bench = forgetful({ jobTimeoutUs: 10_000_000, staleAfterUs: 10_000_000 });
  bench.register("tried");
  bench.submit("j");
  bench.register("has it", { slots: 2 });
  bench.refuse("tried", "j", "queue-full");
  bench.accept("has it", "j", 2);
  bench.register("beats");
  for (let i = 0; i < 20; i++) {
    bench.beat("beats");
    bench.advance(10_000);
  }
  const known = (): string[] => ["tried", "has it", "beats"].filter((name) => bench.router.registry.indexOf(hex32(name)) >= 0);
  expect(known()).toEqual(["tried", "has it", "beats"]);
  bench.say("has it", result(request("j"), hex32("has it"), 2));
  bench.advance(10_000);
  expect(known()).toEqual(["beats"]);
});

test("a router that knows as many nodes as it takes turns newcomers away, until others are stale", () => {
  const bench = forgetful({ nodesMax: 2, forgetAfterUs: 1_000_000 });
  for (const name of ["a", "b"]) bench.register(name);
  expect(bench.register("c")).toMatchObject([[hex32("c"), { type: "error", code: "rate-limited" }]]);
  expect(bench.register("a", { incarnation: 1 })).toEqual([]);
  for (let i = 0; i < 4; i++) {
    bench.beat("b");
    bench.advance(10_000);
  }
  expect(bench.register("c")).toEqual([]);
  expect([bench.router.registry.known, bench.router.registry.indexOf(hex32("a")), bench.router.registry.market(MODEL).count]).toEqual([2, -1, 2]);
});

test("the output lengths of a model are remembered through a change of its only node's offer", () => {
  const bench = forgetful();
  bench.register("a");
  bench.submit("j");
  bench.say("a", result(request("j"), hex32("a"), 1));
  bench.register("a", { offers: [offer({ contextTokensMax: 4_096 })] });
  expect(bench.router.registry.market(MODEL).meanOutputTokens).toBe(100);
  bench.register("a", { offers: [offer({ model: "other" })] });
  expect(bench.router.registry.models()).toEqual(["other"]);
});
