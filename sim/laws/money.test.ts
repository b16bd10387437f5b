import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Scenario } from "../scenario/scenario.ts";
import { Ledger } from "../world/money/ledger.ts";
import { Lightning } from "../world/money/lightning.ts";
import { Node } from "../../scheduler/node.ts";
import { arbitraryScenario } from "./testing/arbitrary-scenario.ts";
import { mustConserveMoney } from "./testing/conservation.ts";
import { type Fault, patch, withPatches } from "./testing/patches.ts";
import { play } from "./testing/play.ts";
import { firstViolation, inRandomMarkets, must } from "./testing/violation.ts";

/**
 * Law 1: money is conserved, to the millisatoshi, at every moment; no account is ever overdrawn; a router's account gains
 * only its fees, a node's only what its receipts say, each at most once.
 */
export function checkMoney(scenario: Scenario, faults: readonly Fault[] = []): { moments: number; feesMsat: number } {
  let moments = 0;
  const transfers: { readonly to: number; readonly amountMsat: number }[] = [];
  const watched: Fault = () => patch(Ledger.prototype, "transfer", (original) => function (this: Ledger, from, to, amountMsat) {
    original.call(this, from, to, amountMsat);
    transfers.push({ to, amountMsat });
  });
  const { events, world, report } = play(scenario, {
    faults: [...faults, watched],
    eachMoment: ({ ledger, kernel }) => {
      moments++;
      mustConserveMoney(ledger, kernel.nowUs);
    },
  });
  // The world opens accounts for routing fees, for payments under way, then for routers, nodes and clients, and last for what hold invoices lock.
  const kinds = new Map(report.money!.accounts.map((kind) => [kind.kind, kind]));
  const firstRouter = 2;
  const firstNode = firstRouter + kinds.get("routers")!.accounts;
  const firstClient = firstNode + kinds.get("nodes")!.accounts;
  const billed = { fee: [] as number[], amount: [] as number[] };
  for (const event of events) {
    if (event.event !== "finished") continue;
    if (event.feeMsat > 0) billed.fee.push(event.feeMsat);
    if (event.amountMsat > 0) billed.amount.push(event.amountMsat);
  }
  const received = (first: number, end: number): number[] => transfers.filter(({ to }) => to >= first && to < end).map(({ amountMsat }) => amountMsat);
  const fees = received(firstRouter, firstNode);
  isPart("routers", fees, billed.fee);
  isPart("nodes", received(firstNode, firstClient), billed.amount);
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  must(kinds.get("routers")!.changeMsat === sum(fees), () => `routers gained ${kinds.get("routers")!.changeMsat} msat and received ${sum(fees)} msat`);
  const settled = scenario.payment.failureShare === 0 && scenario.drain && scenario.payment.clientBalanceMsat === 1_000_000_000
    && events.every(({ event }) => event !== "node-down");
  // Where no payment can fail and everything was played to its end, nobody owes anything.
  if (settled) {
    must(sum(fees) === sum(billed.fee), () => `${sum(billed.fee)} msat of fees were billed and ${sum(fees)} msat paid`);
    must(world.ledger.balanceMsat(world.inFlightAccount) === 0, () => "money is still under way");
  }
  return { moments, feesMsat: sum(fees) };
}

/** Each received amount answers to a billed one of its own. */
function isPart(who: string, received: readonly number[], billed: readonly number[]): void {
  const open = new Map<number, number>();
  for (const amount of billed) open.set(amount, (open.get(amount) ?? 0) + 1);
  for (const amount of received) {
    must((open.get(amount) ?? 0) > 0, () => `${who} received ${amount} msat that nobody was billed`);
    open.set(amount, open.get(amount)! - 1);
  }
}

describe("law 1: conservation of money", () => {
  test("holds to the millisatoshi at every moment of random markets", () => {
    let moments = 0;
    let feesMsat = 0;
    inRandomMarkets(arbitraryScenario(), 50, 1, (scenario) => {
      const checked = checkMoney(scenario);
      moments += checked.moments;
      feesMsat += checked.feesMsat;
    });
    expect(moments).toBeGreaterThan(50_000);
    expect(feesMsat).toBeGreaterThan(1_000);
  });

  test("holds where prices are found", () => {
    inRandomMarkets(arbitraryScenario({ pricing: "found" }), 20, 1, (scenario) => void checkMoney(scenario));
  });

  const richAndWilling = arbitraryScenario({ router: { fee: { shareBps: 100, flatMsat: 1 } }, payment: { clientBalanceMsat: 1_000_000_000, baseFeeMsat: 2 } });
  /** A ledger whose books are wrong: what it says an account holds is off by so much, after some transfers. */
  const offBy = (errorMsat: (account: number, ledger: Ledger) => number): Fault => () => patch(Ledger.prototype, "balanceMsat", (original) => function (this: Ledger, account) {
    return original.call(this, account) + (this.transfers > 20 ? errorMsat(account, this) : 0);
  });
  const faults: readonly [string, RegExp, Fault][] = [
    ["loses a millisatoshi", /hold \d+ msat of/, offBy((account, { accounts }) => (account === accounts - 2 ? -1 : 0))],
    ["makes a millisatoshi", /hold \d+ msat of/, offBy((account) => (account === 0 ? 1 : 0))],
    ["overdraws an account", /holds -\d+ msat/, offBy((account, { accounts }) => (account === 0 ? -1_000_000 : account === accounts - 2 ? 1_000_000 : 0))],
    ["pays a router twice", /routers received|settlement accounts/, () => patch(Lightning.prototype, "pay", (original) => function (this: Lightning, payer, request, random) {
      original.call(this, payer, request, random);
      if (request.purpose === "fee") original.call(this, payer, request, random);
    })],
    ["pays a router for a node's work", /routers received/, () => patch(Lightning.prototype, "pay", (original) => function (this: Lightning, payer, request, random) {
      original.call(this, payer, request.purpose === "job" ? { ...request, payee: routerOf(request.jobId) } : request, random);
    })],
  ];
  const routers = new Map<string, string>();
  const routerOf = (jobId: string): string => routers.get(jobId)!;
  const rememberRouters: Fault = () => patch(Node.prototype, "onMessage", (original) => function (this: Node, from, message) {
    if (message.type === "award") routers.set(message.job.jobId, from);
    original.call(this, from, message);
  });
  test.each(faults)("is seen to be broken by a world that %s", (_, how, fault) => {
    expect(firstViolation(richAndWilling, (scenario) => void checkMoney(scenario, [rememberRouters, fault]))).toMatch(how);
  });

  test("stops a run at its end where the sum is wrong, naming law and seed", () => {
    const [scenario] = fc.sample(richAndWilling, { seed: 5, numRuns: 1 });
    expect(() => withPatches([() => patch(Ledger.prototype, "totalMsat", (original) => function (this: Ledger) { return original.call(this) + 1; })], () => play(scenario!)))
      .toThrow(/law of conservation of money is broken.*seed/);
  });
});
