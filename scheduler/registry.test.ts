import fc from "fast-check";
import { expect, test } from "vitest";
import { Registry } from "./registry.ts";
import { hex32 } from "./testing/fake-environment.ts";
import { descriptor, heartbeat, MODEL, offer, prices } from "./testing/market.ts";

const newRegistry = (): Registry => new Registry({ failures: 3, coolDownUs: 100, growth: 2, maxCoolDownUs: 1000 });

test("a node is new, then updated, then restarted; a descriptor of an earlier life changes nothing", () => {
  const registry = newRegistry();
  expect(registry.register(descriptor("a", { incarnation: 5 }), 1)).toBe("new");
  expect(registry.register(descriptor("a", { incarnation: 5, slots: 2 }), 2)).toBe("updated");
  expect(registry.register(descriptor("a", { incarnation: 6, slots: 3 }), 3)).toBe("restarted");
  expect(registry.register(descriptor("a", { incarnation: 5, slots: 9 }), 4)).toBe("outdated");
  expect([registry.size, registry.slots[0], registry.lastSeenUs[0], registry.descriptors[0]!.incarnation]).toEqual([1, 3, 3, 6]);
});

test("offers follow the newest descriptor", () => {
  const registry = newRegistry();
  registry.register(descriptor("a", { offers: [offer(), offer({ model: "other" })] }), 0);
  registry.register(descriptor("b"), 0);
  registry.register(descriptor("a", { offers: [offer({ prices: prices(7) })] }), 0);
  const market = registry.market(MODEL);
  expect([market.count, registry.market("other").count, registry.market("never heard of").count]).toEqual([2, 0, 0]);
  expect(market.inputMsatPerMtok[market.indexOf(hex32("a"))]).toBe(7);
});

test("a heartbeat tells what others have given the node, beyond what this router did", () => {
  const registry = newRegistry();
  registry.register(descriptor("a", { slots: 4, queueLimit: 4 }), 0);
  registry.own[0] = 3;
  expect(registry.heartbeat(hex32("a"), heartbeat(0, { running: 4, waiting: 1 }), 10)).toBe("taken");
  expect([registry.others[0], registry.lastSeenUs[0], registry.hasRoom(0)]).toEqual([2, 10, true]);
  registry.heartbeat(hex32("a"), heartbeat(1, { running: 1, accepting: false }), 20);
  expect([registry.others[0], registry.accepting[0]]).toEqual([0, 0]);
});

test("a heartbeat that is older than another, or of another life, or of nobody, changes nothing", () => {
  const registry = newRegistry();
  registry.register(descriptor("a", { incarnation: 2, slots: 10 }), 0);
  registry.heartbeat(hex32("a"), heartbeat(7, { incarnation: 2, running: 5 }), 10);
  const stale = [heartbeat(7, { incarnation: 2, accepting: false }), heartbeat(3, { incarnation: 2, accepting: false })];
  for (const beat of stale) expect(registry.heartbeat(hex32("a"), beat, 20)).toBe("outdated");
  for (const incarnation of [1, 3]) expect(registry.heartbeat(hex32("a"), heartbeat(99, { incarnation }), 20)).toBe("unknown");
  expect(registry.heartbeat(hex32("b"), heartbeat(99), 20)).toBe("unknown");
  expect([registry.lastSeenUs[0], registry.others[0], registry.accepting[0]]).toEqual([10, 5, 1]);
});

test("a new life counts its heartbeats anew and has no load", () => {
  const registry = newRegistry();
  registry.register(descriptor("a", { slots: 10 }), 0);
  registry.heartbeat(hex32("a"), heartbeat(1000, { running: 5, accepting: false }), 0);
  registry.register(descriptor("a", { slots: 10, incarnation: 1 }), 0);
  expect([registry.others[0], registry.accepting[0]]).toEqual([0, 1]);
  expect(registry.heartbeat(hex32("a"), heartbeat(0, { incarnation: 1 }), 0)).toBe("taken");
});

test("how busy a machine is, is known as long as its last heartbeat of this life says so", () => {
  const registry = newRegistry();
  const busy = { cpuPpm: 900_000, memoryPpm: 500_000 };
  registry.register(descriptor("a"), 0);
  expect(registry.utilisation[0]).toBeUndefined();
  registry.heartbeat(hex32("a"), heartbeat(1, { utilisation: busy }), 0);
  registry.heartbeat(hex32("a"), heartbeat(0), 0);
  expect(registry.utilisation[0]).toEqual(busy);
  registry.heartbeat(hex32("a"), heartbeat(2), 0);
  expect(registry.utilisation[0]).toBeUndefined();
  registry.heartbeat(hex32("a"), heartbeat(3, { utilisation: busy }), 0);
  registry.register(descriptor("a", { incarnation: 1 }), 0);
  expect(registry.utilisation[0]).toBeUndefined();
});

test("an update does not make a node that is leaving take jobs again", () => {
  const registry = newRegistry();
  registry.register(descriptor("a"), 0);
  registry.heartbeat(hex32("a"), heartbeat(0, { accepting: false }), 0);
  registry.register(descriptor("a", { offers: [offer({ prices: prices(1) })] }), 0);
  expect(registry.accepting[0]).toBe(0);
});

test("a load that no machine has makes a node full, not idle", () => {
  const registry = newRegistry();
  const most = 2 ** 31 - 1;
  registry.register(descriptor("a", { slots: 65_536, queueLimit: 100 }), 0);
  registry.heartbeat(hex32("a"), heartbeat(0, { running: most, waiting: most }), 0);
  expect([registry.others[0], registry.hasRoom(0)]).toEqual([most, false]);
});

test("a node that said it is full is full until its next heartbeat", () => {
  const registry = newRegistry();
  registry.register(descriptor("a", { slots: 2, queueLimit: 2 }), 0);
  registry.own[0] = 1;
  registry.markFull(0);
  expect([registry.others[0], registry.hasRoom(0)]).toEqual([3, false]);
  registry.heartbeat(hex32("a"), heartbeat(0, { running: 1 }), 0);
  expect(registry.hasRoom(0)).toBe(true);
});

test("reliability is an exponential average of outcomes", () => {
  const registry = newRegistry();
  registry.register(descriptor("a"), 0);
  registry.recordFailure(0, 0);
  expect(registry.reliability[0]).toBeCloseTo(0.95, 12);
  registry.recordSuccess(0);
  expect(registry.reliability[0]).toBeCloseTo(0.95 + 0.05 * 0.05, 12);
  for (let i = 0; i < 500; i++) registry.recordFailure(0, 0);
  expect(registry.reliability[0]).toBeLessThan(1e-9);
});

test("a region that only clients speak of leaves nothing behind", () => {
  const registry = newRegistry();
  expect([registry.region("atlantis"), registry.region("eu")]).toEqual([-1, -1]);
  registry.register(descriptor("a", { region: "eu" }), 0);
  registry.register(descriptor("b", { region: "us" }), 0);
  expect([registry.region("eu"), registry.region("us"), registry.region("atlantis")]).toEqual([registry.regionIndex[0], registry.regionIndex[1], -1]);
});

test("a thousand nodes, whose columns have grown several times, keep what they said", () => {
  const one = fc.record({
    slots: fc.integer({ min: 1, max: 9 }), queueLimit: fc.nat(9), stakeMsat: fc.nat(), attested: fc.boolean(), region: fc.constantFrom("eu", "us", "asia"),
    running: fc.nat(20), accepting: fc.boolean(), seenUs: fc.nat(1e6), fails: fc.boolean(), price: fc.nat(),
  });
  fc.assert(
    fc.property(fc.array(one, { minLength: 200, maxLength: 1000, size: "max" }), (nodes) => {
      const registry = newRegistry();
      nodes.forEach((node, i) => {
        const { slots, queueLimit, stakeMsat, attested, region, price } = node;
        registry.register(descriptor(`n${i}`, { slots, queueLimit, stakeMsat, attested, region, offers: [offer({ prices: prices(price) })] }), 0);
        registry.heartbeat(hex32(`n${i}`), heartbeat(0, { running: node.running, accepting: node.accepting }), node.seenUs);
        if (node.fails) registry.recordFailure(i, 0);
        registry.own[i] = i % 5;
      });
      const market = registry.market(MODEL);
      const kept = nodes.map((_, i) => {
        const n = registry.indexOf(hex32(`n${i}`));
        return {
          slots: registry.slots[n], queueLimit: registry.capacity[n]! - registry.slots[n]!, stakeMsat: registry.stakeMsat[n], attested: registry.attested[n] === 1,
          region: ["eu", "us", "asia"].find((name) => registry.region(name) === registry.regionIndex[n]), running: registry.others[n],
          accepting: registry.accepting[n] === 1, seenUs: registry.lastSeenUs[n], fails: registry.reliability[n] !== 1,
          price: market.inputMsatPerMtok[market.indexOf(hex32(`n${i}`))],
        };
      });
      expect(kept).toEqual(nodes);
      expect([...registry.own.subarray(0, nodes.length)]).toEqual(nodes.map((_, i) => i % 5));
    }),
    { seed: 1, numRuns: 5 },
  );
});
