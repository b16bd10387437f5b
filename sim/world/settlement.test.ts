import { describe, expect, test } from "vitest";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import type { JobRow, RunReport } from "../../protocol/result.ts";
import type { WalletEvent } from "../../scheduler/environment.ts";
import { Client } from "../../scheduler/client.ts";
import { runScenario } from "../experiment/run.ts";
import { loadScenario } from "../scenario/load.ts";
import type { MarketEvent } from "../../protocol/result/market-event.ts";

/**
 * A job a second for a hundred seconds, each of exactly 100 ms and 30,000 msat: 1,000 for the job, 10 a token for 100 of
 * prompt and 280 of output, of 400 that are allowed. Messages take 10 ms, payments 200 ms.
 */
const market = `
name: settled
question: What does each way of paying cost, and whom does it expose?
horizon: 100s
router: {heartbeat: 10s}
network: {latency: 10ms, sameRegion: 10ms, signing: 0, verifying: 0}
payment: {latency: 200ms, capital: 10 %/year}
operators:
  - {name: server, model: job, engine: {service-time: {service: 100ms, slots: 100}}, price: {fixed: 1000 msat, input: 10 msat/tok, output: 10 msat/tok}}
clients:
  - {name: users, model: job, arrivals: {regular: {rate: 1/s}}, inputTokens: 100, outputTokens: 280, maxOutputTokens: 400}
`;
const DUE = 1_000 + 100 * 10 + 280 * 10;
const MOST = 1_000 + 100 * 10 + 400 * 10;
const S = 1e6;

function play(...sets: readonly string[]): { report: RunReport; rows: JobRow[]; events: MarketEvent[] } {
  const rows: JobRow[] = [];
  const events: MarketEvent[] = [];
  const { scenario } = loadScenario(market, "settled.yaml", { sets });
  return { report: runScenario(scenario, { onJobRow: (row) => rows.push({ ...row }), onEvent: (event) => events.push(event) }), rows, events };
}

const settlementOf = ({ report }: { report: RunReport }): NonNullable<RunReport["settlement"]> => report.settlement!;
/** Job-seconds of exposure, as a mean over the run: what so much money for so long, per job, comes to. */
const mean = (report: RunReport, jobs: number, ...parts: readonly (readonly [number, number])[]): number => (jobs * parts.reduce((sum, [msat, us]) => sum + msat * us, 0)) / report.endUs;

describe("in a market without chance, each way of paying is its arithmetic", () => {
  test("postpay: the node is exposed to the due amount for as long as the payment takes", () => {
    const played = play();
    const jobs = played.report.allJobs.completed;
    const { exposure, losses, locked, deliveredMsat, paidMsat, refundedMsat } = settlementOf(played);
    expect(jobs).toBe(played.rows.length);
    expect(jobs).toBeGreaterThan(98);
    expect({ deliveredMsat, paidMsat, refundedMsat, losses }).toEqual({ deliveredMsat: jobs * DUE, paidMsat: jobs * DUE, refundedMsat: 0, losses: [] });
    expect(exposure.deliveredUnpaid.peakMsat).toBe(DUE);
    expect(exposure.deliveredUnpaid.meanMsat).toBeCloseTo(mean(played.report, jobs, [DUE, 0.2 * S]), 6);
    expect(exposure.paidUndelivered).toEqual({ peakMsat: 0, meanMsat: 0, endMsat: 0 });
    expect(locked.inFlight.meanMsat).toBeCloseTo(mean(played.report, jobs, [DUE, 0.2 * S]), 6);
    expect(locked.costMsat).toBe(Math.ceil((0.1 * jobs * DUE * 0.2) / (365.25 * 86_400)));
  });

  test("prepay: the client is exposed to the most it can cost until the result, then to the rest until that is back", () => {
    const before = play();
    const played = play("settlement=prepay");
    const jobs = played.report.allJobs.completed;
    const { exposure, refundedMsat, paidMsat } = settlementOf(played);
    expect([jobs, paidMsat, refundedMsat]).toEqual([before.report.allJobs.completed, jobs * MOST, jobs * (MOST - DUE)]);
    // The node calls (10 ms), and the money comes (200 ms): so much later is the first token.
    played.rows.forEach((row, i) => expect(row.firstTokenUs - row.submittedUs - (before.rows[i]!.firstTokenUs - before.rows[i]!.submittedUs)).toBe(0.21 * S));
    expect(exposure.paidUndelivered.peakMsat).toBe(MOST);
    expect(exposure.paidUndelivered.meanMsat).toBeCloseTo(mean(played.report, jobs, [MOST, 0.11 * S], [MOST - DUE, 0.19 * S]), 6);
    expect(exposure.deliveredUnpaid.peakMsat).toBe(0);
    // The client's job is settled when the rest is back.
    for (const row of played.rows) expect(row.endedUs - row.finishedUs).toBe(0.19 * S);
  });

  test("escrow: what is locked is nobody's; of the parts taken, the rest comes back", () => {
    for (const [parts, takenMsat] of [[1, MOST], [4, 4 * 1_500], [5, 4 * 1_200], [16, 13 * 375]] as const) {
      const played = play(`settlement={escrow: {parts: ${parts}}}`);
      const jobs = played.report.allJobs.completed;
      const { exposure, locked, paidMsat, refundedMsat, losses } = settlementOf(played);
      expect([jobs, paidMsat, refundedMsat, losses]).toEqual([played.rows.length, jobs * takenMsat, jobs * (takenMsat - DUE), []]);
      // Locked from the arrival of the money over the work and the time that the preimages travel.
      expect(locked.held.peakMsat).toBe(MOST);
      expect(locked.held.meanMsat).toBeCloseTo(mean(played.report, jobs, [MOST, 0.3 * S]), 6);
      // From the taking to the refund's arrival, the client is exposed to what was taken too much: less than a part.
      expect(exposure.paidUndelivered.peakMsat).toBe(takenMsat - DUE);
      expect(takenMsat - DUE).toBeLessThan(MOST / parts);
      expect(exposure.deliveredUnpaid.peakMsat).toBe(0);
    }
  });

  test("streaming: nobody is exposed to more than a chunk, whatever the job costs", () => {
    for (const every of [20, 100, 300]) {
      const played = play(`settlement={streaming: {every: ${every}}}`, "clients.users.arrivals.regular.rate=0.2/s");
      const jobs = played.report.allJobs.completed;
      const { exposure, paidMsat, refundedMsat, losses } = settlementOf(played);
      // An engine whose answers come whole: the last chunk is known to be the last, unless it is the first.
      const first = 1_000 + 100 * 10 + Math.min(every, 400) * 10;
      expect([jobs, paidMsat - refundedMsat, losses]).toEqual([played.rows.length, jobs * DUE, []]);
      expect(refundedMsat).toBe(every < 280 ? 0 : jobs * (first - DUE));
      expect(exposure.paidUndelivered.peakMsat).toBe(first);
      expect(exposure.deliveredUnpaid.peakMsat).toBe(0);
    }
  });
});

describe("who does not do his part", () => {
  test("a client that does not pay: after the result the node loses it all; before, nothing, and the job is rejected", () => {
    const postpay = play("clients.users.nonPayment=30 %", "payment.invoiceExpiry=5s");
    const unpaid = postpay.rows.filter(({ reason }) => reason === "not-paid");
    expect(unpaid.length).toBeGreaterThan(15);
    expect(unpaid.every(({ status }) => status === "failed")).toBe(true);
    expect(settlementOf(postpay).losses).toEqual([{ cause: "client-did-not-pay", bearer: "node", jobs: unpaid.length, msat: unpaid.length * DUE }]);
    expect(settlementOf(postpay).disputes).toBeGreaterThan(10);
    for (const way of ["prepay", "escrow"]) {
      const played = play(`settlement=${way}`, "clients.users.nonPayment=30 %");
      expect(settlementOf(played).losses).toEqual([]);
      const turned = played.rows.filter(({ status, reason }) => status === "rejected" && reason === "unpaid");
      expect(turned.length).toBe(unpaid.length);
      // Ten seconds after its call the node gives up.
      for (const row of turned) expect(row.endedUs - row.submittedUs).toBe(10 * S + 4 * 0.01 * S);
    }
  });

  test("a node that takes the money and does nothing costs its client all of it, or a chunk; and nothing where jobs are paid after", () => {
    const lost = (...sets: readonly string[]) => {
      const played = play("operators.server.nonDelivery=30 %", "clients.users.patience=5s", "payment.refundWithin=2s", "router.circuitBreaker.failures=1000", "horizon=200s", ...sets);
      return settlementOf(played).losses.map(({ cause, jobs, msat }) => ({ cause, each: msat / jobs, many: jobs > 30 }));
    };
    expect(lost()).toEqual([]);
    expect(lost("settlement=prepay")).toEqual([{ cause: "not-delivered", each: MOST, many: true }]);
    expect(lost("settlement=escrow")).toEqual([{ cause: "not-delivered", each: MOST, many: true }]);
    expect(lost("settlement={streaming: {every: 20}}")).toEqual([{ cause: "not-delivered", each: 1_000 + 100 * 10 + 20 * 10, many: true }]);
  });

  test("a share of dishonest clients is a share of clients, not of jobs", () => {
    const { rows } = play("clients.users.nonPayment={clients: 50 %, jobs: 100 %}", "clients.users.count=2", "seed=3");
    const unpaid = rows.filter(({ reason }) => reason === "not-paid").length;
    expect([0, Math.floor(rows.length / 2), Math.ceil(rows.length / 2), rows.length]).toContain(unpaid);
  });

  test("an escrow that ends before the work goes back, and the job fails", () => {
    const played = play("settlement={escrow: {timeout: 50ms}}", "router.attempts=1");
    expect(played.rows.every(({ status, reason }) => status === "failed" && reason === "attempts-exhausted")).toBe(true);
    const { losses, payments, paidMsat } = settlementOf(played);
    expect({ losses, paidMsat, failed: payments.failed }).toEqual({ losses: [], paidMsat: 0, failed: [{ reason: "escrow-timeout", payments: played.rows.length, msat: played.rows.length * MOST }] });
  });

  test("a channel that has run dry fails payments from then on, and a rebalanced one does not", () => {
    const dry = play("clients.users.channel={capacity: 100 sat, outbound: 100 %}");
    const affordable = Math.floor(100_000 / DUE);
    expect(dry.report.allJobs).toMatchObject({ completed: affordable, failed: dry.rows.length - affordable });
    expect(settlementOf(dry).losses).toEqual([{ cause: "no-liquidity", bearer: "node", jobs: dry.rows.length - affordable, msat: (dry.rows.length - affordable) * DUE }]);
    const moved = play("clients.users.channel={capacity: 100 sat, outbound: 100 %, rebalance: {every: 10s, feePpm: 1000}}");
    expect(moved.report.allJobs.failed).toBe(0);
    expect(settlementOf(moved).routing.rebalancingMsat).toBeGreaterThan(0);
    expect(settlementOf(moved).channels).toMatchObject({ peers: 1, capacityMsat: 100_000 });
  });

  test("an invoice that was written off takes no late payment", () => {
    const { rows, report } = play("payment.failure=50 %", "payment.retryPause=30s", "payment.attempts=2", "payment.invoiceExpiry=5s");
    const expired = rows.filter(({ reason }) => reason === "payment-failed: invoice-expired");
    expect(expired.length).toBeGreaterThan(10);
    expect(report.settlement!.losses.find(({ cause }) => cause === "invoice-expired")).toMatchObject({ jobs: expired.length, msat: expired.length * DUE });
  });
});

test("Lightning's fees are borne by whom the scenario says: payer, payee, or the router as far as it can", () => {
  const fee = 7 + Math.floor((DUE * 1_000) / 1e6);
  const change = ({ report }: { report: RunReport }, kind: string): number => report.money!.accounts.find((account) => account.kind === kind)!.changeMsat;
  for (const [bearer, client, node, router] of [["payer", DUE + fee, DUE, 0], ["payee", DUE, DUE - fee, 0]] as const) {
    const played = play("payment.baseFee=7 msat", "payment.feePpm=1000", `payment.feeBearer=${bearer}`);
    const jobs = played.report.allJobs.completed;
    expect([change(played, "clients"), change(played, "nodes"), change(played, "routers"), change(played, "Lightning routing fees")]).toEqual([-jobs * client, jobs * node, jobs * router, jobs * fee]);
  }
  const played = play("payment.baseFee=7 msat", "payment.feeBearer=router", "router.fee.flat=50 msat");
  const jobs = played.report.allJobs.completed;
  const { routing } = settlementOf(played);
  expect(routing.routersMsat + routing.clientsMsat).toBe(2 * 7 * jobs);
  // The router has earned nothing yet when the first payment arrives.
  expect(routing.clientsMsat).toBe(7);
  expect(change(played, "routers")).toBe(50 * jobs - routing.routersMsat);
});

test("where messages are signed, whoever paid holds a preimage whose SHA-256 is the payment's hash", () => {
  const proofs: WalletEvent[] = [];
  const original = Object.getOwnPropertyDescriptor(Client.prototype, "onWallet")!;
  Client.prototype.onWallet = function (event) {
    proofs.push(event);
    (original.value as (event: WalletEvent) => void).call(this, event);
  };
  try {
    for (const way of ["postpay", "{escrow: {parts: 2}}", "{streaming: {every: 100}}"]) {
      proofs.length = 0;
      const { report } = play(`settlement=${way}`, "network.messages=signed", "horizon=5s");
      expect(report.allJobs.completed).toBeGreaterThan(3);
      const paid = proofs.filter((event) => event.kind === "paid");
      expect(paid.length).toBeGreaterThan(3);
      for (const { preimage, paymentHash } of paid) expect(bytesToHex(sha256(hexToBytes(preimage)))).toBe(paymentHash);
    }
  } finally {
    Object.defineProperty(Client.prototype, "onWallet", original);
  }
});
