import { expect, test } from "vitest";
import type { JobRow } from "../../protocol/result.ts";
import { runScenario } from "../experiment/run.ts";
import { loadScenario } from "../scenario/load.ts";
import type { MarketEvent } from "../../protocol/result/market-event.ts";

/** One job a second, each served in 100 ms; no payment ever arrives. */
const market = `
name: unpaid
question: What becomes of jobs that nobody can pay for?
horizon: 30s
router: {heartbeat: 1s}
network: {latency: 10ms, sameRegion: 10ms, signing: 0, verifying: 0}
payment: {latency: 200ms, failure: 100 %, attempts: 4, retryPause: 3s, invoiceExpiry: 20s}
operators:
  - {name: server, model: job, engine: {service-time: {service: 100ms}}, price: {fixed: 10 sat}}
clients:
  - {name: users, model: job, arrivals: {regular: {rate: 1/s}}, inputTokens: 1, outputTokens: 1, maxOutputTokens: 1}
`;

function play(...sets: readonly string[]): { rows: JobRow[]; events: MarketEvent[] } {
  const rows: JobRow[] = [];
  const events: MarketEvent[] = [];
  runScenario(loadScenario(market, "unpaid.yaml", { sets }).scenario, { onJobRow: (row) => rows.push({ ...row }), onEvent: (event) => events.push(event) });
  return { rows, events };
}

// From the result the payment takes 200 ms to fail, each time; the pauses before the next tries are 1, 2, 4, ... times the first.
test.each([[1, 3, 0.2], [2, 3, 3.4], [4, 3, 21.8], [3, 0.5, 2.1]])("a payment that is tried %d times with a first pause of %d s has failed after %d s", (attempts, pauseS, failedS) => {
  const { rows } = play(`payment.attempts=${attempts}`, `payment.retryPause=${pauseS}s`);
  expect(rows.length).toBeGreaterThanOrEqual(29);
  for (const { status, reason, finishedUs, endedUs } of rows) {
    expect({ status, reason, failedUs: endedUs - finishedUs }).toEqual({ status: "failed", reason: expect.stringMatching(/^payment-failed/) as string, failedUs: Math.round(failedS * 1e6) });
  }
});

test.each([[5], [20]])("a node that waits %d s for its money and wants to leave is gone at the heartbeat after that", (expiryS) => {
  const { events } = play(`payment.invoiceExpiry=${expiryS}s`, "horizon=40s", "operators.server.churn={uptime: 2500ms, downtime: 1d, abrupt: 0 %}");
  const lastUs = Math.max(...events.filter(({ event }) => event === "finished").map(({ atUs }) => atUs));
  const down = events.filter(({ event }) => event === "node-down");
  expect(lastUs).toBeLessThan(3_000_000);
  expect(down).toHaveLength(1);
  // The result reaches the client 10 ms after the node has sent it and begun to wait.
  expect(down[0]!.atUs - lastUs).toBeGreaterThanOrEqual(expiryS * 1e6 - 10_000);
  expect(down[0]!.atUs - lastUs).toBeLessThanOrEqual((expiryS + 1) * 1e6 - 10_000);
});
