import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Welfare } from "../experiment/welfare/accounts.ts";
import type { Scenario } from "../scenario/scenario.ts";
import { arbitraryScenario } from "./testing/arbitrary-scenario.ts";
import { type Fault, patch } from "./testing/patches.ts";
import { play } from "./testing/play.ts";
import { firstViolation, inRandomMarkets, must } from "./testing/violation.ts";

/** From the first moment to the last: what the accounts say can then be held against the ledger. */
const WHOLE = { scenario: { warmupUs: 0, drain: true } } as const;

/**
 * The accounts of welfare add up (the run itself sees to that), and say the same of money as the ledger, of jobs as the rows,
 * and of value as nobody knows but the scenario.
 */
export function checkWelfare(scenario: Scenario, faults: readonly Fault[] = []): { delivered: number; lost: number } {
  const { report, rows } = play(scenario, { faults });
  const { welfare, money, structure } = report;
  must(welfare !== null, () => "there are no accounts");
  const change = (kind: string): number => money!.accounts.find((account) => account.kind === kind)!.changeMsat;
  const under = money!.accounts.filter(({ kind }) => !["routers", "nodes", "clients", "Lightning routing fees"].includes(kind)).reduce((sum, { changeMsat }) => sum + changeMsat, 0);
  const paidMsat = welfare.clientClasses.reduce((sum, of) => sum + of.paidMsat, 0);
  const receivedMsat = welfare.operatorClasses.reduce((sum, of) => sum + of.receivedMsat, 0);
  must(paidMsat + under === -change("clients"), () => `clients paid ${paidMsat} msat, their accounts say ${-change("clients")} msat, ${under} msat under way`);
  must(receivedMsat === change("nodes"), () => `nodes received ${receivedMsat} msat, their accounts say ${change("nodes")} msat`);
  must(welfare.routerRevenueMsat === change("routers"), () => `routers received ${welfare.routerRevenueMsat} msat, their accounts say ${change("routers")} msat`);
  must(welfare.routingFeesMsat === change("Lightning routing fees"), () => `the network received ${welfare.routingFeesMsat} msat, its account says ${change("Lightning routing fees")} msat`);
  const finished = rows.filter(({ finishedUs }) => finishedUs >= 0).length;
  must(welfare.delivered === finished, () => `${welfare.delivered} jobs were delivered, ${finished} by the rows`);
  must(welfare.jobs >= rows.length, () => `${welfare.jobs} jobs are accounted for, ${rows.length} were submitted`);
  const withoutBudget = scenario.clients.every(({ worth: { budget } }) => budget === null);
  must(!withoutBudget || (welfare.jobs === rows.length && welfare.losses.budget === 0), () => `${welfare.jobs} jobs are accounted for, ${rows.length} were submitted, and nobody has a budget`);
  const parts = [welfare.consumerSurplusMsat, welfare.operatorSurplusMsat, welfare.routerRevenueMsat, welfare.routingFeesMsat, ...Object.values(welfare.losses)];
  const sum = parts.reduce((total, part) => total + part, 0);
  must(sum === welfare.firstBestMsat, () => `the parts sum to ${sum} msat, the first-best is ${welfare.firstBestMsat} msat`);
  must(structure.gini === null || structure.lorenz.length > 1, () => "there is a Gini coefficient without a curve");
  // Nobody pays more than a job is worth, unless its maximum price says otherwise.
  for (const [i, { surplusMsat }] of welfare.clientClasses.entries()) {
    const { worth } = scenario.clients[i]!;
    const truthful = (worth.valueMsat === null || worth.maxPriceShare !== null) && worth.delayMsatPerS === 0 && scenario.payment.baseFeeMsat === 0 && scenario.payment.feePpm === 0;
    must(!truthful || surplusMsat >= 0, () => `clients who pay no more than a job is worth have lost ${-surplusMsat} msat`);
  }
  return { delivered: welfare.delivered, lost: welfare.deadweightMsat };
}

describe("law: the welfare accounts add up, and agree with ledger and rows", () => {
  test("in random markets with values, shading, budgets, choices, churn, rejections and failures", () => {
    let delivered = 0;
    let lost = 0;
    inRandomMarkets(arbitraryScenario(WHOLE), 60, 15, (scenario) => {
      const checked = checkWelfare(scenario);
      delivered += checked.delivered;
      if (checked.lost > 0) lost++;
    });
    expect(delivered).toBeGreaterThan(1_000);
    expect(lost).toBeGreaterThan(20);
  });

  const rich = arbitraryScenario({ ...WHOLE, router: { fee: { shareBps: 100, flatMsat: 1 } }, payment: { clientBalanceMsat: 1_000_000_000, baseFeeMsat: 2, failureShare: 0 } });
  const every = (n: number, does: (welfare: Welfare, original: Welfare["moved"], told: Parameters<Welfare["moved"]>) => void): Fault => {
    let count = 0;
    return () => patch(Welfare.prototype, "moved", (original) => function (this: Welfare, ...told) {
      if (++count % n === 0) does(this, original, told);
      else original.apply(this, told);
    });
  };
  test.each<[string, RegExp, Fault]>([
    ["forgets a payment", /accounts? says?/, every(7, () => {})],
    ["counts a payment twice", /accounts? says?/, every(7, (welfare, original, told) => { original.apply(welfare, told); original.apply(welfare, told); })],
    ["gives a payee one msat that nobody paid", /welfare accounts is broken: the parts of the surplus/, every(7, (welfare, original, [slot, nowUs, of, node, paid, got, ...rest]) => original.call(welfare, slot, nowUs, of, node, paid, got + 1, ...rest))],
    ["takes a result for none", /jobs were delivered/, () => patch(Welfare.prototype, "delivered", (original) => function (this: Welfare, slot, nowUs, node, inputTokens, outputTokens) {
      if (slot % 5 !== 4) original.call(this, slot, nowUs, node, inputTokens, outputTokens);
    })],
  ])("is seen to be broken by accounts that %s", (_, how, fault) => {
    expect(firstViolation(rich, (scenario) => void checkWelfare(scenario, [fault]))).toMatch(how);
  });
});

test("what a job is worth never crosses a wire, nor reaches a wallet, a runner or a decision", () => {
  const secret = 77_345_617;
  for (const scenario of fc.sample(arbitraryScenario({ router: { fee: { shareBps: 100, flatMsat: 0 } } }), { seed: 5, numRuns: 8 })) {
    const clients = scenario.clients.map((spec) => ({ ...spec, worth: { ...spec.worth, valueMsat: secret, maxPriceShare: null } }));
    const { seen, rows, events } = play({ ...scenario, clients });
    expect(JSON.stringify([seen, rows, events])).not.toContain(String(secret));
  }
});
