import { setTimeout as pause } from "node:timers/promises";
import seedrandom from "seedrandom";
import { expect, test } from "vitest";
import type { SettlementPlan } from "../../scheduler/settlement/plan.ts";
import { until } from "../testing/peers.ts";
import { SmallMarket } from "../testing/small-market.ts";
import type { JobOutcome } from "./client.ts";

const within = { payWithinUs: 1_000_000 };
const settlements: readonly (SettlementPlan | undefined)[] = [
  undefined, { kind: "prepay", ...within }, { kind: "escrow", ...within, timeoutUs: 3_000_000, parts: 2 }, { kind: "streaming", ...within, everyTokens: 6, stallUs: 1_000_000 },
];

test.each(["a", "f"])("whatever fails, crashes, stalls, leaves, is cancelled or cannot wait: each job ends once, and the money is where it belongs (%s)", async (seed) => {
  const random = seedrandom.alea(seed);
  const market = await new SmallMarket().start({ attempts: 4, circuitBreaker: { failures: 3, coolDownUs: 50_000, growth: 1, maxCoolDownUs: 50_000 }, jobTimeoutUs: 800_000 });
  try {
    const fault = () => {
      const kind = (["fail", "stall", "crash"] as const)[Math.floor(random() * 3)]!;
      return random() < 0.15 ? { kind, afterTokens: Math.floor(random() * 20) } : undefined;
    };
    const start = () => market.node({ decodeTokensPerS: 200 + 400 * random(), outputTokens: () => 5 + Math.floor(random() * 30), fault, restartMs: 30 }, { invoiceExpiryUs: 1_000_000, queueLimit: 2 });
    const nodes = [await start(), await start(), await start()];
    const clients = await Promise.all(settlements.map((settlement) => market.client({ settlement, refundWithinUs: 1_500_000 })));
    const outcomes: Promise<JobOutcome>[] = [];
    for (let i = 0; i < 48; i++) {
      const job = clients[i % clients.length]!.submit({ model: "mock", prompt: `question ${i}`, inputTokens: 20, maxOutputTokens: 25, maxPriceMsat: 100_000, patienceUs: random() < 0.1 ? 60_000 : 6_000_000 });
      outcomes.push(job.outcome);
      if (random() < 0.1) setTimeout(() => job.cancel(), 100 * random());
      if (i === 16) void nodes[0]!.stop(30);
      if (i === 24) nodes.push(await start());
      if (i === 32) void nodes[1]!.stop(0);
      await pause(10 * random());
    }
    const ended = await Promise.all(outcomes);
    expect(market.faults).toEqual([]);
    const told = market.events.filter(({ event }) => event === "ended");
    expect(told).toHaveLength(48);
    expect(new Set(told.map((event) => (event as { readonly job: string }).job)).size).toBe(48);
    // Most come through, and the others say why not.
    expect(ended.filter(({ status }) => status === "completed").length).toBeGreaterThan(24);
    for (const { status, reason } of ended) expect(reason === "").toBe(status === "completed");
    await until(() => market.router.router.open === 0 && nodes.slice(2).every(({ node }) => node.open === 0), "router and nodes have forgotten all");
    const { ledger } = market.bank;
    await until(() => ledger.sums.inFlightMsat + ledger.sums.heldMsat + ledger.size.pending === 0, "no payment is under way");
    ledger.check();
    const gains = [market.router, ...nodes, ...clients].map(({ peer }) => market.gained(peer));
    expect(gains.reduce((sum, gain) => sum + gain, 0)).toBe(0);
    expect(gains.slice(0, 1 + nodes.length).every((gain) => gain >= 0)).toBe(true);
  } finally {
    await market.stop();
  }
});
