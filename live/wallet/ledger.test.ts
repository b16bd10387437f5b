import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { PaymentPurpose, PaymentRequest } from "../../protocol/messages.ts";
import { BooksError, Books } from "./books.ts";
import { Ledger } from "./ledger.ts";
import { ShakyBank, type ShakyWallet } from "./testing/shaky-bank.ts";

const [ALICE, BOB, CAROL] = ["a", "b", "c"].map((letter) => letter.repeat(64)) as [string, string, string];
const CREDIT_MSAT = 10_000;

const request = (payee: string, paymentHash: string, amountMsat: number, purpose: PaymentPurpose = "job"): PaymentRequest =>
  ({ type: "payment-request", jobId: "job-1", purpose, payee, amountMsat, paymentHash, expiresInUs: 60_000_000 });

const pair = (options = {}) => {
  const bank = new ShakyBank([ALICE, BOB], { creditMsat: CREDIT_MSAT, ...options });
  const [alice, bob] = bank.wallets as [ShakyWallet, ShakyWallet];
  bank.connect(alice);
  bank.connect(bob);
  bank.settle();
  return { bank, alice, bob };
};

describe("a payment", () => {
  test("is paid and received, with the preimage as its proof", () => {
    const { bank, alice, bob } = pair();
    const { paymentHash } = bob.purse.invoice("job-1", "job", 700);
    alice.purse.pay(request(BOB, paymentHash, 700));
    expect(alice.purse.balanceMsat).toBe(CREDIT_MSAT - 700);
    bank.settle();
    expect(alice.events).toEqual([{ kind: "paid", jobId: "job-1", purpose: "job", payee: BOB, amountMsat: 700, paymentHash, preimage: expect.stringMatching(/^[0-9a-f]{64}$/) }]);
    expect(bob.events).toEqual([{ kind: "received", jobId: "job-1", purpose: "job", amountMsat: 700, paymentHash }]);
    expect([alice.purse.balanceMsat, bob.purse.balanceMsat]).toEqual([CREDIT_MSAT - 700, CREDIT_MSAT + 700]);
    expect(bank.ledger.size).toEqual({ payments: 0, pending: 0 });
  });

  test("costs its payer what routing costs, on top", () => {
    const { bank, alice, bob } = pair({ feeBaseMsat: 10, feePpm: 20_000 });
    alice.purse.pay(request(BOB, bob.purse.invoice("job-1", "job", 700).paymentHash, 700));
    bank.settle();
    expect(bank.ledger.sums).toEqual({ issuedMsat: 2 * CREDIT_MSAT, inFlightMsat: 0, heldMsat: 0, feesMsat: 24 });
    expect([alice.purse.balanceMsat, bob.purse.balanceMsat]).toEqual([CREDIT_MSAT - 724, CREDIT_MSAT + 700]);
  });

  test.each([
    ["of more than there is", 10_001, 10_001, "insufficient-balance"],
    ["of nothing", 0, null, "insufficient-balance"],
    ["of another amount than the invoice's", 701, 700, "wrong-amount"],
  ])("%s fails", (_, amountMsat, invoiceMsat, reason) => {
    const { bank, alice, bob } = pair();
    alice.purse.pay(request(BOB, bob.purse.invoice("job-1", "job", invoiceMsat).paymentHash, amountMsat));
    bank.settle();
    expect(alice.events).toMatchObject([{ kind: "payment-failed", reason }]);
    expect(alice.purse.balanceMsat).toBe(CREDIT_MSAT);
  });

  test("on an unknown, a withdrawn or a paid invoice fails", () => {
    const { bank, alice, bob } = pair();
    const paid = bob.purse.invoice("job-1", "job", 5).paymentHash;
    const withdrawn = bob.purse.invoice("job-1", "job", 5).paymentHash;
    bob.purse.release(withdrawn);
    for (const hash of ["9".repeat(64), withdrawn, paid, paid]) alice.purse.pay(request(BOB, hash, 5));
    bank.settle();
    expect(alice.events.map((event) => event.kind === "payment-failed" ? event.reason : event.kind).sort()).toEqual(["invoice-expired", "invoice-expired", "paid", "paid-already"]);
  });

  test("waits for a payee that is away, and fails where it does not come back in time", () => {
    const { bank, alice, bob } = pair();
    const hashes = [1, 2].map((amount) => bob.purse.invoice("job-1", "job", amount).paymentHash);
    bank.disconnect(bob);
    alice.purse.pay(request(BOB, hashes[0]!, 1));
    bank.settle();
    bank.pass(9_999);
    bank.connect(bob);
    bank.settle();
    expect(alice.events).toMatchObject([{ kind: "paid" }]);
    bank.disconnect(bob);
    alice.purse.pay(request(BOB, hashes[1]!, 2));
    bank.settle();
    bank.pass(10_000);
    bank.settle();
    expect(alice.events).toMatchObject([{ kind: "paid" }, { kind: "payment-failed", reason: "payee-offline" }]);
  });

  test("that found no connection in time fails", () => {
    const { bank, alice, bob } = pair();
    bank.disconnect(alice);
    alice.purse.pay(request(BOB, bob.purse.invoice("job-1", "job", 2).paymentHash, 2));
    bank.pass(29_999);
    expect(alice.events).toEqual([]);
    bank.pass(1);
    bank.connect(alice);
    bank.settle();
    expect(alice.events).toMatchObject([{ kind: "payment-failed", reason: "wallet-offline" }]);
    expect(bob.events).toEqual([]);
  });

  test.each([["before", 0], ["after", 1]])("whose ledger was killed %s it had arrived is asked for again, and paid once", (_, frames) => {
    const { bank, alice, bob } = pair();
    alice.purse.pay(request(BOB, bob.purse.invoice("job-1", "job", 1).paymentHash, 1));
    for (let n = 0; n < frames; n++) bank.deliverUp(alice);
    bank.restartLedger();
    bank.pass(9_000);
    bank.connect(alice);
    bank.connect(bob);
    bank.settle();
    expect(alice.events).toMatchObject([{ kind: "paid" }]);
    expect(bob.events).toMatchObject([{ kind: "received" }]);
    expect(bank.ledger.balanceMsat(BOB)).toBe(CREDIT_MSAT + 1);
  });

  test("on an offer tells who pays, and can be made again", () => {
    const { bank, alice, bob } = pair();
    const { paymentHash } = bob.purse.invoice("job-1", "refund", null);
    for (const amount of [3, 4]) alice.purse.pay(request(BOB, paymentHash, amount, "refund"));
    bank.settle();
    expect(bob.events).toEqual([3, 4].map((amountMsat) => ({ kind: "received", jobId: "job-1", purpose: "refund", amountMsat, paymentHash, payer: ALICE })));
  });
});

describe("a held payment", () => {
  const held = () => {
    const { bank, alice, bob } = pair();
    const { paymentHash } = bob.purse.holdInvoice("job-1", 700, 5_000_000);
    alice.purse.pay(request(BOB, paymentHash, 700));
    bank.settle();
    expect(bob.events.splice(0)).toEqual([{ kind: "held", jobId: "job-1", purpose: "job", amountMsat: 700, paymentHash }]);
    expect(alice.events).toEqual([]);
    return { bank, alice, bob, paymentHash };
  };

  test("is taken", () => {
    const { bank, alice, bob, paymentHash } = held();
    expect(bob.purse.take(paymentHash)).toBe(true);
    expect(bob.purse.take(paymentHash)).toBe(false);
    bank.settle();
    expect(bob.events).toMatchObject([{ kind: "received" }]);
    expect(alice.events).toMatchObject([{ kind: "paid" }]);
  });

  test("is released", () => {
    const { bank, alice, bob, paymentHash } = held();
    bob.purse.release(paymentHash);
    bank.settle();
    expect(bob.purse.take(paymentHash)).toBe(false);
    expect(bob.events).toEqual([]);
    expect(alice.events).toMatchObject([{ kind: "payment-failed", reason: "released" }]);
  });

  test("lapses", () => {
    const { bank, alice, bob } = held();
    bank.pass(4_999);
    bank.settle();
    expect(bob.events).toEqual([]);
    bank.pass(1);
    bank.settle();
    expect(bob.events).toMatchObject([{ kind: "lapsed" }]);
    expect(alice.events).toMatchObject([{ kind: "payment-failed", reason: "escrow-timeout" }]);
    expect(alice.purse.balanceMsat).toBe(CREDIT_MSAT);
  });

  test("goes back when its payee comes back without its memory", () => {
    const { bank, alice, bob } = held();
    bank.restartWallet(bob);
    bank.connect(bob);
    bank.settle();
    expect(alice.events).toMatchObject([{ kind: "payment-failed", reason: "invoice-expired" }]);
  });

  test("is held once: a second payment on its invoice fails", () => {
    const { bank, alice, paymentHash } = held();
    alice.purse.pay(request(BOB, paymentHash, 700));
    bank.settle();
    expect(alice.events).toMatchObject([{ kind: "payment-failed", reason: "paid-already" }]);
  });
});

describe("the ledger refuses", () => {
  const ledger = new Ledger({ creditMsat: 100, accountsMax: 2 });
  ledger.open(ALICE, 0);
  ledger.open(BOB, 0);
  const hash = "66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925";
  const order = { id: "0".repeat(32), payee: BOB, amountMsat: 10, paymentHash: hash, showPayer: false };
  const payment = ledger.pay(ALICE, order, 0);

  test("a third account where it has room for two", () => expect(() => ledger.open(CAROL, 0)).toThrow(/its 2 accounts/));
  test("two payments of one name", () => expect(() => ledger.pay(ALICE, { ...order, amountMsat: 11 }, 0)).toThrow(/another payment's/));
  test("a wrong preimage", () => expect(() => ledger.settle(BOB, 1, "1".repeat(64), 0)).toThrow(/preimage/));
  test("to let anybody but the payee settle", () => expect(ledger.settle(ALICE, 1, "0".repeat(64), 0)).toBeUndefined());
  test("more payments than one account may have open", () => {
    const small = new Ledger({ creditMsat: 100, openMax: 1 });
    for (const account of [ALICE, BOB]) small.open(account, 0);
    small.pay(ALICE, order, 0);
    expect(small.pay(ALICE, { ...order, id: "1".repeat(32) }, 0)).toBe("busy");
  });
  test("entries that lead nowhere", () => {
    expect(payment).toMatchObject({ number: 1, state: "offered" });
    expect(() => new Ledger().replay([{ entry: "settle", atMs: 0, payment: 1, preimage: hash }])).toThrow(/not under way/);
    expect(() => new Ledger().replay([{ entry: "sums", feesMsat: 1, nextPayment: 1 }, { entry: "fail", atMs: 0, payment: 3, reason: "released" }])).toThrow(/not under way/);
  });
});

describe("memory", () => {
  test("an account that nothing came of is gone with its wallet; one that has paid, been paid, or waits for news stays", () => {
    const { bank, alice, bob } = pair({ accountsMax: 2 });
    bank.disconnect(bob);
    expect([...bank.ledger.accounts()].map(({ account }) => account)).toEqual([ALICE]);
    bank.connect(bob);
    const { paymentHash } = bob.purse.invoice("job-1", "job", 700);
    alice.purse.pay(request(BOB, paymentHash, 700));
    while (bank.deliverUp(alice));
    bank.disconnect(bob);
    // Its answer may still come.
    expect(bank.ledger.accountCount).toBe(2);
    bank.connect(bob);
    bank.settle();
    for (const wallet of [alice, bob]) bank.disconnect(wallet);
    expect(bank.ledger.accountCount).toBe(2);
    bank.restartLedger();
    expect([bank.ledger.balanceMsat(ALICE), bank.ledger.balanceMsat(BOB)]).toEqual([CREDIT_MSAT - 700, CREDIT_MSAT + 700]);
  });

  test("of payments whose end nobody comes to hear, the oldest are forgotten; who comes back hears of the others", () => {
    const { bank, alice, bob } = pair({ endedMax: 3 });
    const hashes = [1, 2, 3, 4, 5].map((amountMsat) => bob.purse.invoice("job-1", "job", amountMsat).paymentHash);
    for (const [i, paymentHash] of hashes.entries()) alice.purse.pay(request(BOB, paymentHash, i + 1));
    while (bank.deliverUp(alice));
    bank.disconnect(alice);
    while (bank.deliverDown(bob) || bank.deliverUp(bob));
    expect(bank.ledger.size).toEqual({ payments: 3, pending: 0 });
    bank.restartLedger();
    expect(bank.ledger.size).toEqual({ payments: 3, pending: 0 });
    bank.restartWallet(alice);
    bank.connect(alice);
    bank.settle();
    expect(bank.ledger.size).toEqual({ payments: 0, pending: 0 });
    expect(alice.purse.balanceMsat).toBe(CREDIT_MSAT - 15);
    bank.ledger.check();
  });
});

test("books refuse to make or lose money", () => {
  const books = new Books();
  const [issue, one, two] = [books.open("issue", true), books.open("one"), books.open("two")];
  books.move(issue, one, 10);
  expect(() => books.move(one, two, 11)).toThrow(BooksError);
  expect(() => books.move(one, two, 0.5)).toThrow(BooksError);
  expect(() => books.move(one, two, -1)).toThrow(BooksError);
  expect(() => books.move(issue, one, Number.MAX_SAFE_INTEGER)).toThrow(/2\^53/);
  expect(() => books.close(one)).toThrow(/has 10 msat/);
  expect([issue.balanceMsat, one.balanceMsat, two.balanceMsat, books.sumMsat()]).toEqual([-10, 10, 0, 0]);
});

/** What can happen; numbers choose among what there is. */
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("pay" as const), from: fc.nat(2), to: fc.nat(2), amount: fc.integer({ min: 1, max: 4_000 }), kind: fc.constantFrom("plain", "open", "hold", "again", "refund") }) },
  { weight: 12, arbitrary: fc.record({ do: fc.constantFrom("up" as const, "down" as const), from: fc.nat(2), times: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom("take" as const, "release" as const), from: fc.nat(2), which: fc.nat(9) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom("connect" as const, "disconnect" as const), from: fc.nat(2) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("pass" as const), ms: fc.integer({ min: 1, max: 8_000 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("kill ledger" as const, "compact" as const) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("calm" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("kill wallet" as const), from: fc.nat(2) }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** Plays the steps, then lets everything come to its end. */
const play = (steps: readonly Step[]): ShakyBank => {
  const bank = new ShakyBank([ALICE, BOB, CAROL], { creditMsat: CREDIT_MSAT, feePpm: 10_000 }, { unsentUs: 5_000_000 });
  for (const wallet of bank.wallets) bank.connect(wallet);
  for (const one of steps) {
    const wallet = bank.wallets["from" in one ? one.from : 0]!;
    switch (one.do) {
      case "pay": {
        const payee = bank.wallets[one.to]!;
        if (one.kind !== "again" || payee.invoices.length === 0) {
          payee.invoices.push(one.kind === "hold" ? payee.purse.holdInvoice("job-1", one.amount, 6_000_000)
            : payee.purse.invoice("job-1", one.kind === "refund" ? "refund" : "job", one.kind === "open" || one.kind === "refund" ? null : one.amount));
        }
        const invoice = payee.invoices[one.amount % payee.invoices.length]!;
        const order = request(payee.account, invoice.paymentHash, invoice.amountMsat ?? one.amount);
        wallet.asked.push(order);
        wallet.purse.pay(order);
        break;
      }
      case "up": for (let n = 0; n < one.times; n++) bank.deliverUp(wallet); break;
      case "down": for (let n = 0; n < one.times; n++) bank.deliverDown(wallet); break;
      case "take": case "release": {
        // Held or not: what is not held cannot be taken, and is withdrawn.
        const known = [...wallet.events.filter(({ kind }) => kind === "held"), ...wallet.invoices.slice(-2)];
        if (known.length > 0) wallet.purse[one.do](known[one.which % known.length]!.paymentHash);
        break;
      }
      case "connect": bank.connect(wallet); break;
      case "disconnect": bank.disconnect(wallet); break;
      case "pass": bank.pass(one.ms); break;
      case "kill ledger": bank.restartLedger(); break;
      case "kill wallet": bank.restartWallet(wallet); break;
      case "compact": bank.compact(); break;
      case "calm": {
        for (const each of bank.wallets) if (each.up === null) bank.connect(each);
        bank.settle();
        break;
      }
    }
  }
  for (let turn = 0; turn < 2; turn++) {
    for (const wallet of bank.wallets) bank.connect(wallet);
    bank.settle();
    bank.pass(20_000);
    bank.settle();
  }
  return bank;
};

test("whatever is paid, held, taken, released, cut off, killed: money is conserved and every payment ends exactly once", () => {
  const seen = new Map<string, number>();
  fc.assert(fc.property(fc.array(step, { minLength: 20, maxLength: 120 }), (steps) => {
    const bank = play(steps);
    const { ledger, wallets } = bank;
    ledger.check();
    const { issuedMsat, inFlightMsat, heldMsat, feesMsat } = ledger.sums;
    const accounts = [...ledger.accounts()];
    expect([issuedMsat, inFlightMsat, heldMsat]).toEqual([accounts.length * CREDIT_MSAT, 0, 0]);
    expect(accounts.reduce((sum, { balanceMsat }) => sum + balanceMsat, feesMsat)).toBe(issuedMsat);
    // Nothing is left over, nowhere.
    expect(ledger.size).toEqual({ payments: 0, pending: 0 });
    for (const wallet of wallets) {
      expect(wallet.purse.open).toEqual({ outgoing: 0, incoming: 0 });
      expect(wallet.purse.balanceMsat).toBe(ledger.balanceMsat(wallet.account));
      const ended = wallet.events.filter(({ kind }) => kind === "paid" || kind === "payment-failed");
      expect(ended.map(({ paymentHash }) => paymentHash).sort()).toEqual(wallet.asked.map(({ paymentHash }) => paymentHash).sort());
      for (const event of wallet.events) {
        const kind = event.kind === "payment-failed" ? event.reason : event.kind;
        seen.set(kind, (seen.get(kind) ?? 0) + 1);
      }
      // Its own account of it is the ledger's.
      if (wallet.restarted) continue;
      let balanceMsat = CREDIT_MSAT;
      for (const event of wallet.events) {
        if (event.kind === "received") balanceMsat += event.amountMsat;
        else if (event.kind === "paid") balanceMsat -= event.amountMsat + Math.floor(event.amountMsat / 100);
      }
      expect(balanceMsat).toBe(ledger.balanceMsat(wallet.account));
    }
    // What one side calls paid, the other calls received.
    if (wallets.every(({ restarted }) => !restarted)) {
      const of = (kind: string) => wallets.flatMap(({ events }) => events.filter((event) => event.kind === kind).map(({ paymentHash, amountMsat }) => `${paymentHash} ${amountMsat}`)).sort();
      expect(of("paid")).toEqual(of("received"));
    }
  }), { seed: 1, numRuns: 300 });
  // Had it not come to all of this, nothing would be shown.
  for (const kind of ["paid", "received", "held", "lapsed", "released", "escrow-timeout", "payee-offline", "invoice-expired", "paid-already", "insufficient-balance", "wallet-offline"]) {
    expect(seen.get(kind) ?? 0, kind).toBeGreaterThan(5);
  }
});

test("a ledger is what its entries say, at every moment", () => {
  fc.assert(fc.property(fc.array(step, { minLength: 20, maxLength: 60 }), (steps) => {
    const bank = play(steps.filter((one) => one.do !== "compact"));
    const again = new Ledger({ creditMsat: CREDIT_MSAT });
    again.replay(bank.entries);
    expect([...again.snapshot()]).toEqual([...bank.ledger.snapshot()]);
    const short = new Ledger();
    short.replay(again.snapshot());
    expect([...short.snapshot()]).toEqual([...again.snapshot()]);
    expect(short.sums).toEqual(again.sums);
    for (let until = 0; until < bank.entries.length; until += 7) {
      const early = new Ledger();
      early.replay(bank.entries.slice(0, until));
      const copy = new Ledger();
      copy.replay(early.snapshot());
      expect(copy.sums).toEqual(early.sums);
      expect([...copy.snapshot()]).toEqual([...early.snapshot()]);
    }
  }), { seed: 1, numRuns: 60 });
});
