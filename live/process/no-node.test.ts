import { afterEach, expect, test } from "vitest";
import { SmallMarket } from "../testing/small-market.ts";
import type { JobSpec } from "./client.ts";

/* The only node leaves: what it has fails, what comes then waits for it to come back, as long as router and client have patience. */

let market: SmallMarket;
afterEach(() => market.stop());

const ask: JobSpec = { model: "mock", prompt: "Tell me.", inputTokens: 40, maxOutputTokens: 100, maxPriceMsat: 100_000, patienceUs: 20_000_000 };

test("after the only node has left, its job fails at once, and others wait until the first of the router's queue and the client's patience ends", async () => {
  market = await new SmallMarket().start({ queueWaitUs: 600_000 });
  const node = await market.node({ decodeTokensPerS: 10 });
  const client = await market.client();
  const running = client.submit(ask);
  for await (const _ of running.tokens) break;
  await node.stop(0);
  expect(await running.outcome).toMatchObject({ status: "failed", reason: "attempts-exhausted" });
  const [patient, hasty] = await Promise.all([client.submit(ask).outcome, client.submit({ ...ask, patienceUs: 200_000 }).outcome]);
  expect(patient).toMatchObject({ status: "rejected", reason: "router-wait-too-long" });
  expect(hasty).toMatchObject({ status: "expired", reason: "patience" });
  expect(hasty.endedUs - hasty.submittedUs).toBeLessThan(patient.endedUs - patient.submittedUs);
  expect([market.router.router.open, client.open]).toEqual([0, 0]);
});
