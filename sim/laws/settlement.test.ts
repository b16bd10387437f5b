import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { JobRequest, Message, PriceSheet } from "../../protocol/messages.ts";
import { amountMsat, feeMsat } from "../../protocol/units.ts";
import { ClientAdvances } from "../../scheduler/settlement/client-advances.ts";
import { NodeAdvances } from "../../scheduler/settlement/node-advances.ts";
import { Outgoing } from "../../scheduler/settlement/outgoing.ts";
import type { Scenario } from "../scenario/scenario.ts";
import type { ChannelSpec, ClientSettlementSpec } from "../scenario/sections/settlement.ts";
import { Books } from "../world/money/books.ts";
import { Ledger } from "../world/money/ledger.ts";
import { Lightning } from "../world/money/lightning.ts";
import { SimulatedEnvironment } from "../world/environment.ts";
import { arbitraryScenario } from "./testing/arbitrary-scenario.ts";
import { mustConserveMoney } from "./testing/conservation.ts";
import { type Fault, patch } from "./testing/patches.ts";
import { play } from "./testing/play.ts";
import { firstViolation, inRandomMarkets, must } from "./testing/violation.ts";

const SECOND_US = 1_000_000;
type Terms = ClientSettlementSpec["terms"];

const terms: fc.Arbitrary<Terms> = fc.oneof(
  fc.constant(null),
  fc.record({ kind: fc.constant("prepay" as const), payWithinUs: fc.constantFrom(SECOND_US, 5 * SECOND_US) }),
  fc.record({ kind: fc.constant("escrow" as const), payWithinUs: fc.constantFrom(SECOND_US, 5 * SECOND_US), timeoutUs: fc.constantFrom(2 * SECOND_US, 60 * SECOND_US), parts: fc.constantFrom(1, 2, 7) }),
  fc.record({ kind: fc.constant("streaming" as const), payWithinUs: fc.constantFrom(SECOND_US, 5 * SECOND_US), everyTokens: fc.constantFrom(1, 16, 100), stallUs: fc.constantFrom(SECOND_US, 10 * SECOND_US) }),
);

const channel: fc.Arbitrary<ChannelSpec | null> = fc.option(fc.record({
  capacityMsat: fc.constantFrom(500, 20_000), outboundShare: fc.constantFrom(0.2, 0.5, 1),
  traffic: fc.option(fc.record({ ratePerS: fc.constantFrom(1, 20), amountMsat: fc.constantFrom(10, 200), outwardShare: fc.constantFrom(0.5, 0.7) }), { nil: null }),
  rebalance: fc.option(fc.record({ everyUs: fc.constant(3 * SECOND_US), feePpm: fc.constantFrom(0, 20_000) }), { nil: null }),
}), { nil: null, freq: 3 });

/** Random markets in which jobs are paid in every way, by clients who do not always pay, to nodes that do not always deliver. */
function settled(wishes: Parameters<typeof arbitraryScenario>[0] = {}, of: fc.Arbitrary<Terms> = terms, honest = false, bounded = true): fc.Arbitrary<Scenario> {
  const lies = honest ? fc.constant(0) : fc.constantFrom(0, 0.1, 0.5);
  return fc.tuple(
    arbitraryScenario(wishes), fc.array(fc.tuple(of, lies, fc.constantFrom(0.5, 1), channel), { minLength: 3, maxLength: 3 }), fc.array(fc.tuple(lies, channel), { minLength: 4, maxLength: 4 }),
    fc.constantFrom("payer" as const, "payee" as const, "router" as const), fc.constantFrom("client" as const, "operator" as const),
  ).map(([scenario, clients, operators, feeBearer, bearer]) => ({
    ...scenario,
    payment: { ...scenario.payment, feeBearer },
    router: { ...scenario.router, fee: { ...scenario.router.fee, ...(bearer === "operator" ? { bearer, maxMsat: 40 } : { minMsat: 2 }) } },
    clients: scenario.clients.map((spec, i) => {
      const [ways, nonPaymentShare, dishonestShare, liquidity] = clients[i]!;
      return { ...spec, settlement: { terms: ways, nonPaymentShare, dishonestShare, channel: bounded ? liquidity : null } };
    }),
    operators: operators.slice(0, scenario.operators.length).map(([nonDeliveryShare, liquidity], i) => ({ ...scenario.operators[i]!, settlement: { nonDeliveryShare, channel: bounded ? liquidity : null } })),
  }));
}

interface Position {
  paidMsat: number;
  refundedMsat: number;
  deliveredMsat: number;
  mostMsat: number;
  leastMsat: number;
}

interface Checked {
  readonly moments: number;
  readonly kinds: ReadonlySet<string>;
  readonly lostMsat: number;
  readonly most: ReadonlyMap<string, number>;
}

/**
 * In every arrangement: money is conserved at every moment; no job costs its client more than its maximum, nor its node
 * more than it got; nobody is exposed to more than the arrangement says; and every loss has its reason.
 */
function checkSettlement(scenario: Scenario, faults: readonly Fault[] = []): Checked {
  let moments = 0;
  const positions = new Map<string, Position>();
  const requests = new Map<string, JobRequest>();
  const chunks = new Map<string, number>();
  const cheated = new Set<string>();
  const fees = { billed: 0, paid: 0 };
  const position = (jobId: string, node: number): Position => {
    const key = `${jobId} ${node}`;
    if (!positions.has(key)) positions.set(key, { paidMsat: 0, refundedMsat: 0, deliveredMsat: 0, mostMsat: 0, leastMsat: 0 });
    return positions.get(key)!;
  };
  const changed = (one: Position): void => {
    const net = one.paidMsat - one.refundedMsat - one.deliveredMsat;
    one.mostMsat = Math.max(one.mostMsat, net);
    one.leastMsat = Math.min(one.leastMsat, net);
  };
  const watched: Fault[] = [
    () => patch(Books.prototype, "arrived", (original) => function (this: Books, nowUs, purpose, jobId, payer, payee, total, amount, fee, bearer, rebate) {
      if (purpose === "fee") fees.paid += amount;
      else if (purpose === "job") { position(jobId, payee).paidMsat += amount; changed(position(jobId, payee)); }
      else { position(jobId, payer).refundedMsat += amount; changed(position(jobId, payer)); }
      original.call(this, nowUs, purpose, jobId, payer, payee, total, amount, fee, bearer, rebate);
    }),
    () => patch(Books.prototype, "delivered", (original) => function (this: Books, nowUs, jobId, node, value) {
      position(jobId, node).deliveredMsat = value;
      changed(position(jobId, node));
      original.call(this, nowUs, jobId, node, value);
    }),
    () => patch(Books.prototype, "finished", (original) => function (this: Books, nowUs, slot, jobId, node, amount, fee) {
      position(jobId, node).deliveredMsat = amount;
      changed(position(jobId, node));
      original.call(this, nowUs, slot, jobId, node, amount, fee);
    }),
    () => patch(Books.prototype, "owesFee", (original) => function (this: Books, fee) { fees.billed += fee; original.call(this, fee); }),
    () => patch(Books.prototype, "reneged", (original) => function (this: Books, jobId) { cheated.add(jobId); original.call(this, jobId); }),
    () => patch(SimulatedEnvironment.prototype, "send", (original) => function (this: SimulatedEnvironment, to, message: Message) {
      if (message.type === "job") requests.set(message.job.jobId, message.job);
      if (message.type === "payment-call") {
        const request = requests.get(message.jobId)!;
        if (request.settlement?.kind === "streaming") chunks.set(message.jobId, Math.max(chunks.get(message.jobId) ?? 0, chunkMsat(message.prices, request, message.throughTokens, request.settlement.everyTokens)));
      }
      original.call(this, to, message);
    }),
  ];
  const { report } = play(scenario, {
    faults: [...faults, ...watched],
    eachMoment: ({ ledger, kernel }) => {
      moments++;
      mustConserveMoney(ledger, kernel.nowUs);
    },
  });
  const settlement = report.settlement!;
  const most = new Map<string, number>();
  const spent = new Map<string, number>();
  for (const [key, one] of positions) {
    const jobId = key.slice(0, key.indexOf(" "));
    const request = requests.get(jobId)!;
    const kind = request.settlement?.kind ?? "postpay";
    spent.set(jobId, (spent.get(jobId) ?? 0) + one.paidMsat - one.refundedMsat);
    most.set(kind, Math.max(most.get(kind) ?? 0, one.mostMsat));
    must(one.refundedMsat <= one.paidMsat, () => `${key}: ${one.refundedMsat} msat came back of ${one.paidMsat} msat`);
    if (kind === "postpay") must(one.mostMsat === 0, () => `${key}: paid ${one.mostMsat} msat that was not delivered`);
    if (kind === "prepay" || kind === "streaming") must(one.leastMsat === 0, () => `${key}: ${-one.leastMsat} msat was delivered and not paid`);
    if (kind === "streaming") must(one.mostMsat <= (chunks.get(jobId) ?? 0), () => `${key}: ${one.mostMsat} msat was paid and not delivered, a chunk costs at most ${chunks.get(jobId)} msat`);
    if (kind === "escrow" && request.settlement?.kind === "escrow" && !cheated.has(jobId) && resultsAreFaster(scenario)) {
      const part = Math.ceil(request.maxPriceMsat / request.settlement.parts);
      must(one.mostMsat <= part, () => `${key}: ${one.mostMsat} msat was taken and not delivered, of parts of at most ${part} msat`);
    }
  }
  for (const [jobId, msat] of spent) must(msat <= requests.get(jobId)!.maxPriceMsat, () => `${jobId} cost ${msat} msat of at most ${requests.get(jobId)!.maxPriceMsat} msat`);
  must(fees.billed === settlement.routerFees.billedMsat && fees.paid === settlement.routerFees.paidMsat, () => `fees of ${fees.billed} and ${fees.paid} msat are reported as ${JSON.stringify(settlement.routerFees)}`);
  must(fees.paid <= fees.billed, () => `${fees.paid} msat of fees were paid of ${fees.billed} msat`);
  for (const { cause, bearer, msat } of settlement.losses) {
    must(cause !== "not-delivered" || cheated.size > 0, () => `${msat} msat are said to be lost to dishonest nodes, and there are none`);
    must(bearer !== "client" || cheated.size > 0 || cause !== "not-refunded" || mayFail(scenario), () => `${msat} msat were not refunded by honest nodes whose payments cannot fail`);
  }
  return { moments, kinds: new Set(most.keys()), lostMsat: settlement.losses.reduce((sum, { msat }) => sum + msat, 0), most };
}

/** Payments may come to nothing although everybody is honest. */
function mayFail({ payment, operators, clients }: Scenario): boolean {
  return payment.failureShare > 0 || payment.baseFeeMsat + payment.feePpm > 0 || [...operators, ...clients].some(({ settlement }) => settlement.channel !== null);
}

/** The result is there before the money that pays for it. */
function resultsAreFaster({ payment, network }: Scenario): boolean {
  return payment.latencyUs > 500_000 && network.jitterCv === 0 && network.signingUs + network.verifyingUs < 200;
}

/** What the chunk that ends with this token costs; the prompt and tokens that cost nothing before it included. */
function chunkMsat(prices: PriceSheet, { inputTokens }: JobRequest, throughTokens: number, everyTokens: number): number {
  return amountMsat(prices, inputTokens, throughTokens) - (throughTokens > everyTokens ? amountMsat(prices, inputTokens, throughTokens - everyTokens) : 0);
}

const rich = { payment: { clientBalanceMsat: 1_000_000_000, failureShare: 0, baseFeeMsat: 0, feePpm: 0, attempts: 3, latencyUs: 300_000 }, churn: { presence: null, failureShare: 0 }, clients: { maxPriceMsat: 1_000_000, patienceUs: 3_600 * SECOND_US }, router: { jobTimeoutUs: 3_600 * SECOND_US }, scenario: { drain: true } };

describe("settlement", () => {
  test("conserves money, bounds exposure and explains every loss in random markets with churn, failures and dishonesty", () => {
    let moments = 0;
    let lostMsat = 0;
    const kinds = new Set<string>();
    inRandomMarkets(settled(), 60, 1, (scenario) => {
      const checked = checkSettlement(scenario);
      moments += checked.moments;
      lostMsat += checked.lostMsat;
      for (const kind of checked.kinds) kinds.add(kind);
    });
    expect(moments).toBeGreaterThan(50_000);
    expect(lostMsat).toBeGreaterThan(1_000);
    expect([...kinds].sort()).toEqual(["escrow", "postpay", "prepay", "streaming"]);
  });


  test("where all are honest and nothing fails, nobody loses anything, in any arrangement", () => {
    let completed = 0;
    inRandomMarkets(settled(rich, terms.map((one) => (one === null ? null : { ...one, payWithinUs: 10 * SECOND_US, ...(one.kind === "escrow" ? { timeoutUs: 600 * SECOND_US } : {}), ...(one.kind === "streaming" ? { stallUs: 600 * SECOND_US } : {}) } as Terms)), true, false), 20, 2, (scenario) => {
      const { report } = play(scenario);
      completed += report.allJobs.completed;
      // A fee that the operator bears may be under way when the last job has ended.
      expect(report.settlement!.losses.filter(({ cause }) => cause !== "fee-not-paid" || scenario.router.fee.bearer !== "operator")).toEqual([]);
      expect(report.settlement).toMatchObject({ deliveredMsat: report.settlement!.paidMsat - report.settlement!.refundedMsat, exposure: { deliveredUnpaid: { endMsat: 0 }, paidUndelivered: { endMsat: 0 } } });
    });
    expect(completed).toBeGreaterThan(1_000);
  });

  const honest = (of: fc.Arbitrary<Terms>): fc.Arbitrary<Scenario> => settled(rich, of, true, false);
  const way = (kind: "prepay" | "escrow" | "streaming"): fc.Arbitrary<Terms> => terms.filter((one) => one?.kind === kind);
  const faults: readonly [string, RegExp, fc.Arbitrary<Scenario>, Fault][] = [
    ["a node keeps what it should pay back", /not refunded by honest nodes/, honest(way("prepay")), () => patch(Outgoing.prototype, "pay", (original) => function (this: Outgoing, request) { if (request.purpose !== "refund") original.call(this, request); })],
    ["a node pays back far too much", /came back of|nodes were paid/, honest(way("prepay")), () => patch(Outgoing.prototype, "pay", (original) => function (this: Outgoing, request) { original.call(this, request); original.call(this, { ...request, amountMsat: request.amountMsat * 9 }); })],
    ["a client pays whatever it is asked, whoever it paid before", /cost \d+ msat of at most|a chunk costs at most/, settled({ ...rich, churn: { presence: { uptimeUs: 6 * SECOND_US, downtimeUs: SECOND_US, abruptShare: 1 } }, clients: { maxPriceMsat: 60, patienceUs: 3_600 * SECOND_US } }, way("prepay"), true, false), () => patch(ClientAdvances.prototype, "onCall", (original) => function (this: ClientAdvances, from, call, request, router, pays) { original.call(this, from, call, { ...request, maxPriceMsat: Number.MAX_SAFE_INTEGER }, router, pays); })],
    ["an escrow is taken whole although less is due", /of parts of at most|came back of|not refunded/, settled({ ...rich, clients: { maxPriceMsat: 200 } }, fc.constant<Terms>({ kind: "escrow", payWithinUs: 5 * SECOND_US, timeoutUs: 600 * SECOND_US, parts: 7 }), true, false), () => patch(Lightning.prototype, "release", (original) => function (this: Lightning, payee, hash) { if (!this.take(payee, hash)) original.call(this, payee, hash); })],
    ["tokens are handed out before they are paid", /delivered and not paid|settlement accounts|not refunded/, honest(way("streaming")), () => patch(NodeAdvances.prototype, "progress", () => function (this: NodeAdvances, advance) { advance.paidTokens = advance.award.job.maxOutputTokens; })],
    ["what a hold invoice locks is lost", /hold \d+ msat of/, honest(way("escrow")), () => patch(Ledger.prototype, "balanceMsat", (original) => function (this: Ledger, account) { return account === this.accounts - 1 ? 0 : original.call(this, account); })],
    ["refunds are not booked", /fees of|nodes were paid/, honest(way("prepay")), () => patch(Books.prototype, "arrived", (original) => function (this: Books, nowUs, purpose, ...rest) { original.call(this, nowUs, purpose === "refund" ? "fee" : purpose, ...rest); })],
    ["losses are not booked", /jobs in progress leave/, settled({ ...rich, clients: { patienceUs: 3_600 * SECOND_US } }, fc.constant(null), false, false), () => patch(Books.prototype, "ended", (original) => function (this: Books, nowUs, slot, jobId, status, reason) { original.call(this, nowUs, slot, jobId, reason === "not-paid" ? "completed" : status, reason); })],
    ["money on its way back is not booked", /accounts of (clients|nodes) changed/, settled({ payment: { ...rich.payment, failureShare: 0.2 } }), () => patch(Books.prototype, "returned", () => () => {})],
    ["a routing fee is booked to the wrong side", /accounts of \w+ changed/, settled({ payment: { ...rich.payment, baseFeeMsat: 2 } }), () => patch(Books.prototype, "arrived", (original) => function (this: Books, nowUs, purpose, jobId, payer, payee, total, amount, fee, bearer, rebate) { original.call(this, nowUs, purpose, jobId, payer, payee, total, amount, 0 * fee, bearer, rebate); })],
    ["the router gets more than its fee", /msat of fees|accounts of routers|fee .* billed/, settled(rich, fc.constant(null), true, false), () => patch(Lightning.prototype, "pay", (original) => function (this: Lightning, payer, request, random) { original.call(this, payer, request.purpose === "fee" ? { ...request, amountMsat: request.amountMsat + 1 } : request, random); })],
  ];
  test.each(faults)("is seen to be broken where %s", (_, how, scenarios, fault) => {
    expect(firstViolation(scenarios, (scenario) => void checkSettlement(scenario, [fault]), 25)).toMatch(how);
  });
});

test("the router's fee is between its bounds, and who bears it pays it", () => {
  for (const bearer of ["client", "operator"] as const) {
    const [scenario] = fc.sample(arbitraryScenario({
      payment: { clientBalanceMsat: 1_000_000_000, failureShare: 0, baseFeeMsat: 0, feePpm: 0 }, churn: { presence: null, failureShare: 0 }, clients: { maxPriceMsat: 1_000_000 },
      operators: { prices: { inputMsatPerMtok: 50_000, outputMsatPerMtok: 200_000, fixedMsat: 5 } }, router: { fee: { shareBps: 1_000, flatMsat: 0, minMsat: 2, maxMsat: 5, ...(bearer === "operator" ? { bearer } : {}) } }, scenario: { drain: true },
    }), { seed: 3, numRuns: 1 });
    const { report, rows } = play(scenario!);
    const fee = scenario!.router.fee;
    const amounts = rows.filter(({ status }) => status === "completed").map((row) => row.amountMsat);
    const due = amounts.reduce((sum, amount) => sum + feeMsat(fee, amount), 0);
    expect(new Set(amounts.map((amount) => feeMsat(fee, amount))).size).toBeGreaterThan(1);
    const change = (kind: string): number => report.money!.accounts.find((account) => account.kind === kind)!.changeMsat;
    const paid = amounts.reduce((sum, amount) => sum + amount, 0);
    // The last fees that operators pay may be under way when the last job has ended.
    expect([change("routers") + change("payments in flight"), change("clients"), change("nodes")]).toEqual(bearer === "client" ? [due, -paid - due, paid] : [due, -paid, paid - due]);
  }
});
