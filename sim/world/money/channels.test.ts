import { describe, expect, test } from "vitest";
import type { PeerId } from "../../../protocol/messages.ts";
import type { WalletEvent } from "../../../scheduler/environment.ts";
import { Kernel } from "../../kernel/kernel.ts";
import { RandomStreams } from "../../kernel/random.ts";
import type { ChannelSpec } from "../../scenario/sections/settlement.ts";
import { Books } from "./books.ts";
import { Channels } from "./channels.ts";
import { Ledger } from "./ledger.ts";
import { Lightning } from "./lightning.ts";

const plain: ChannelSpec = { capacityMsat: 10, outboundShare: 0.5, traffic: null, rebalance: null };

/** Two peers with wallets, the first behind a channel, and nothing else. */
function twoPeers(spec: ChannelSpec, balanceMsat = 1_000_000) {
  const kernel = new Kernel();
  const ledger = new Ledger();
  const streams = new RandomStreams(7);
  const events: { readonly peer: number; readonly event: WalletEvent }[] = [];
  const [routing, inFlight, held] = [ledger.open(0), ledger.open(0), ledger.open(0)];
  const accounts = [ledger.open(balanceMsat), ledger.open(balanceMsat)];
  const ids: PeerId[] = ["a".repeat(64), "b".repeat(64)];
  const books = new Books({ horizonUs: 1e9, firstNode: 0, firstClient: 1, hasFailed: () => false });
  let rebalancedMsat = 0;
  const channels = new Channels({ stream: () => streams.stream("node", "0", "channel"), chargeRebalancing: (_, costMsat) => { rebalancedMsat += costMsat; } }, [spec, null]);
  const lightning = new Lightning({
    kernel, ledger, books, routingFeesAccount: routing, inFlightAccount: inFlight, heldAccount: held, eventKind: 0,
    peerIndex: (id) => ids.indexOf(id), peerId: (peer) => ids[peer]!, accountOf: (peer) => accounts[peer]!, isUp: () => true, moved: () => {},
    deliverWallet: (peer, event) => events.push({ peer, event }),
  }, { latencyUs: 10, baseFeeMsat: 0, feePpm: 0, failureShare: 0, clientBalanceMsat: 0, attempts: 1, retryUs: 0, invoiceExpiryUs: 1, feeBearer: "payer", capitalPerYear: 0, refundWithinUs: 1 },
  { feeBearer: "payer", reimburser: 0, channels, secret: null });
  const wallets = [0, 1].map((peer) => lightning.wallet(peer, streams.stream("node", String(peer), "payments")));
  let paid = 0;
  /** @returns "" or why the payment failed. */
  const pay = (payer: number, amountMsat: number): string => {
    const payee = 1 - payer;
    const { paymentHash } = wallets[payee]!.invoice(`j${paid++}`, "job", amountMsat);
    events.length = 0;
    wallets[payer]!.pay({ type: "payment-request", jobId: "j", purpose: "job", payee: ids[payee]!, amountMsat, paymentHash, expiresInUs: 1 });
    kernel.run((_, slot, state) => lightning.settle(slot, state), kernel.nowUs + 10);
    const failed = events.find(({ event }) => event.kind === "payment-failed");
    return failed?.event.kind === "payment-failed" ? failed.event.reason : "";
  };
  return { kernel, ledger, lightning, channels, wallets, accounts, events, ids, books, held, pay, rebalanced: () => rebalancedMsat };
}

/*
 * A channel of n units, of which the balance moves up with probability q and down with p = 1 - q at each payment, and stays
 * where the payment would take it beyond an end: a random walk with reflecting ends. Detailed balance, pi(i) q = pi(i + 1) p,
 * makes its stationary distribution geometric with ratio r = q / p: pi(i) = r^i (1 - r) / (1 - r^(n + 1)), and uniform for
 * r = 1. A payment fails exactly where the walk would leave: with probability q pi(n) + p pi(0) in all; of those that go up,
 * a share of pi(n) fails. (Norris, Markov Chains, 1997, section 1.9.)
 */
function stationary(n: number, up: number): number[] {
  const ratio = up / (1 - up);
  const weights = Array.from({ length: n + 1 }, (_, i) => Math.exp(i * Math.log(ratio)));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

/** Payments of one unit in either direction, drawn one by one, through wallets and a channel of ten units. */
function walked(up: number, payments: number, batches: number): { all: number[]; upward: number[] } {
  const { pay } = twoPeers(plain);
  const random = new RandomStreams(11).stream("test", String(up), "walk");
  const all: number[] = [];
  const upward: number[] = [];
  for (let i = 0; i < 1_000; i++) pay(random.next() < up ? 1 : 0, 1);
  for (let batch = 0; batch < batches; batch++) {
    let [failed, asked, failedUp] = [0, 0, 0];
    for (let i = 0; i < payments / batches; i++) {
      // Up: the peer behind the channel receives, and can send more.
      const goesUp = random.next() < up;
      const fails = pay(goesUp ? 1 : 0, 1) === "no-liquidity";
      if (fails) failed++;
      if (goesUp) asked++;
      if (goesUp && fails) failedUp++;
    }
    all.push(failed / (payments / batches));
    upward.push(failedUp / asked);
  }
  return { all, upward };
}

/** Mean of batches, and 99 % either way: Student's t with 39 degrees of freedom. */
function interval(batches: readonly number[]): { mean: number; half: number } {
  const mean = batches.reduce((sum, value) => sum + value, 0) / batches.length;
  const variance = batches.reduce((sum, value) => sum + (value - mean) * (value - mean), 0) / (batches.length - 1);
  return { mean, half: 2.708 * Math.sqrt(variance / batches.length) };
}

describe("a channel is a random walk between its ends", () => {
  test("the closed form: a balanced channel of ten units fails in 1 of 11, a biased one (0.6) in 0.3372 of the payments in the bias's direction", () => {
    expect(stationary(10, 0.5)[10]! * 0.5 + stationary(10, 0.5)[0]! * 0.5).toBeCloseTo(1 / 11, 12);
    expect(stationary(10, 0.6)[10]!).toBeCloseTo(0.3372, 4);
  });

  test.each([[0.5], [0.6]])("up with probability %d: the wallets' failures are the closed form's, within 99 %% confidence", (up) => {
    const { all, upward } = walked(up, 80_000, 40);
    const expected = stationary(10, up);
    for (const [batches, exact] of [[all, up * expected[10]! + (1 - up) * expected[0]!], [upward, expected[10]!]] as const) {
      const { mean, half } = interval(batches);
      expect(half).toBeLessThan(0.02);
      expect(Math.abs(mean - exact)).toBeLessThan(half);
    }
  });

  test("other traffic walks by the same law: what it leaves for the peer's own payments is uniform", () => {
    const { channels, kernel } = twoPeers({ ...plain, traffic: { ratePerS: 1_000, amountMsat: 1, outwardShare: 0.5 } });
    const seen = new Array<number>(11).fill(0);
    const looks = 4_000;
    for (let i = 0; i < looks; i++) {
      kernel.run(() => {}, kernel.nowUs + 250_000);
      const balance = channels.outMsat(0, kernel.nowUs);
      expect(balance + channels.inMsat(0, kernel.nowUs)).toBe(10);
      seen[balance]!++;
    }
    // Chi-square with 10 degrees of freedom: 23.2 at 99 %. 250 steps lie between looks, more than a walk of 10 units needs to forget.
    const chi = seen.reduce((sum, count) => sum + (count - looks / 11) ** 2 / (looks / 11), 0);
    expect(chi).toBeLessThan(23.2);
  });
});

describe("a channel", () => {
  test("sends what is on its side and receives what is on the other; without one, neither is bounded", () => {
    const { pay, channels } = twoPeers(plain);
    expect(pay(0, 6)).toBe("no-liquidity");
    expect([pay(0, 5), pay(0, 1)]).toEqual(["", "no-liquidity"]);
    expect([pay(1, 11), pay(1, 10), pay(1, 1)]).toEqual(["no-liquidity", "", "no-liquidity"]);
    expect([channels.outMsat(0, 1e6), channels.inMsat(0, 1e6), channels.outMsat(1, 1e6)]).toEqual([10, 0, Infinity]);
  });

  test("is brought back to where it began, at a price per amount moved, and as often as stated", () => {
    const { pay, channels, kernel, rebalanced } = twoPeers({ ...plain, capacityMsat: 1_000, rebalance: { everyUs: 1_000, feePpm: 10_000 } });
    pay(0, 400);
    expect(channels.outMsat(0, kernel.nowUs)).toBe(100);
    expect(channels.outMsat(0, 999)).toBe(100);
    expect([channels.outMsat(0, 1_000), rebalanced()]).toEqual([500, 4]);
    expect([channels.outMsat(0, 5_000), rebalanced()]).toEqual([500, 4]);
  });
});

describe("a hold invoice", () => {
  const lock = (timeoutUs: number) => {
    const world = twoPeers({ ...plain, capacityMsat: 1_000 });
    const { paymentHash } = world.wallets[1]!.holdInvoice("j", 300, timeoutUs);
    world.wallets[0]!.pay({ type: "payment-request", jobId: "j", purpose: "job", payee: world.ids[1]!, amountMsat: 300, paymentHash, expiresInUs: 1 });
    const run = (untilUs: number): void => world.kernel.run((_, slot, state) => world.lightning.settle(slot, state), untilUs);
    const balances = (): number[] => [...world.accounts, world.held].map((account) => world.ledger.balanceMsat(account));
    run(10);
    return { ...world, paymentHash, run, balances };
  };

  test("locks the payment until it is taken: whole, once, and after the time that the preimage travels", () => {
    const { wallets, paymentHash, run, balances, events, channels } = lock(1_000);
    expect([events.map(({ peer, event }) => [peer, event.kind]), balances()]).toEqual([[[1, "held"]], [999_700, 1_000_000, 300]]);
    expect([channels.outMsat(0, 10), channels.inMsat(0, 10)]).toEqual([200, 500]);
    expect([wallets[0]!.take(paymentHash), wallets[1]!.take("f".repeat(64)), wallets[1]!.take(paymentHash), wallets[1]!.take(paymentHash)]).toEqual([false, false, true, false]);
    run(19);
    expect(balances()).toEqual([999_700, 1_000_000, 300]);
    run(5_000);
    expect([events.map(({ peer, event }) => [peer, event.kind]), balances()]).toEqual([[[1, "held"], [1, "received"], [0, "paid"]], [999_700, 1_000_300, 0]]);
    expect([channels.outMsat(0, 5_000), channels.inMsat(0, 5_000)]).toEqual([200, 800]);
  });

  test("gives it back when it is released, or when its time is over", () => {
    const released = lock(1_000);
    released.wallets[1]!.release(released.paymentHash);
    released.run(5_000);
    expect([released.events.map(({ peer, event }) => [peer, event.kind]), released.balances()]).toEqual([[[1, "held"], [0, "payment-failed"]], [1_000_000, 1_000_000, 0]]);
    expect(released.channels.outMsat(0, 5_000)).toBe(500);
    const lapsed = lock(1_000);
    lapsed.run(1_009);
    expect(lapsed.balances()).toEqual([999_700, 1_000_000, 300]);
    lapsed.run(1_010);
    expect([lapsed.events.map(({ peer, event }) => [peer, event.kind]), lapsed.balances()]).toEqual([[[1, "held"], [0, "payment-failed"], [1, "lapsed"]], [1_000_000, 1_000_000, 0]]);
    expect(lapsed.wallets[1]!.take(lapsed.paymentHash)).toBe(false);
  });

  test("that was withdrawn takes nothing any more", () => {
    const { wallets, ids, run, balances, events } = lock(1_000);
    const { paymentHash } = wallets[1]!.invoice("k", "job", 5);
    wallets[1]!.release(paymentHash);
    wallets[0]!.pay({ type: "payment-request", jobId: "k", purpose: "job", payee: ids[1]!, amountMsat: 5, paymentHash, expiresInUs: 1 });
    run(100);
    expect(events.at(-1)).toMatchObject({ peer: 0, event: { kind: "payment-failed", reason: "invoice-expired" } });
    expect(balances()).toEqual([999_700, 1_000_000, 300]);
  });
});
