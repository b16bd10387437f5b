import fc from "fast-check";
import { expect, test } from "vitest";
import { rateOf } from "./amount.ts";
import { type BookSetup, type NodeUse, SupplyBook } from "./book.ts";
import { ExchangePath } from "./exchange.ts";
import { flatTariff } from "./tariff.ts";

const HOUR = 3_600_000_000;
const usd = (units: number) => ({ currency: "USD" as const, units });

/** Two nodes of two classes over ten hours; the bitcoin moves at 3 h and 7 h, power of the second class at 5 h. */
function setup(): BookSetup {
  const model = {
    machine: { kind: "rented" as const, perHour: usd(100_000) }, capitalPpmPerYear: 0, stakeMsat: 0, power: { idleMilliwatts: 10_000, loadMilliwatts: 100_000 }, bandwidthPerGb: usd(50_000), bytesPerToken: 100,
  };
  return {
    warmupUs: 2 * HOUR, horizonUs: 10 * HOUR, windowUs: HOUR,
    operatorClasses: [
      { name: "a", model, tariff: flatTariff(usd(200_000)), unknown: [], inFiat: true },
      { name: "b", model, tariff: { steps: [{ atUs: 0, perKwh: usd(100_000) }, { atUs: 5 * HOUR, perKwh: usd(400_000) }], periodUs: null }, unknown: [], inFiat: false },
    ],
    clientClasses: [{ name: "c", inFiat: true }, { name: "d", inFiat: false }],
    nodes: [{ operatorClass: 0, present: true }, { operatorClass: 1, present: true }],
    exchange: new ExchangePath({ kind: "path", points: [{ atUs: 0, relative: 1 }, { atUs: 3 * HOUR, relative: 1.3 }, { atUs: 7 * HOUR, relative: 0.7 }] }, [{ currency: "USD", msatPerUnit: 1_000_000 }], { next: () => 0 }),
    operatorFeeMsat: (amount) => Math.floor(amount / 20),
  };
}

/** Machines that are up all the time and busy for the first twenty minutes of each hour. */
class Steady implements NodeUse {
  nowUs = 0;
  upUs(): number {
    return Math.max(0, this.nowUs - 2 * HOUR);
  }
  activeUs(): number {
    const us = this.upUs();
    return Math.floor(us / HOUR) * (HOUR / 3) + Math.min(us % HOUR, HOUR / 3);
  }
  tokens(): number {
    return Math.floor(this.upUs() / HOUR) * 1_000;
  }
}

function played(extraUs: readonly number[]): SupplyBook {
  const book = new SupplyBook(setup());
  const use = new Steady();
  const extra = [...extraUs].sort((a, b) => a - b);
  for (let us = 0; us < 10 * HOUR;) {
    const dueUs = book.nextUs(us);
    us = extra.find((at) => at > us && at < dueUs) ?? dueUs;
    use.nowUs = us;
    book.flush(us, use);
  }
  return book;
}

test("accounts do not depend on how often they are brought up to date", () => {
  const once = played([]).accounts();
  fc.assert(fc.property(fc.array(fc.integer({ min: 1, max: 10 * HOUR - 1 }), { maxLength: 20 }), (extraUs) => {
    expect(played(extraUs).accounts()).toEqual(once);
  }), { seed: 1, numRuns: 50 });
  // Rent: 1 h at 1, 4 h at 1/1.3, 3 h at 1/0.7 of 100 sat.
  expect(once[0]!.costs.rentMsat).toBe(Math.ceil((rateOf(1e6) + 4 * rateOf(1e6 / 1.3) + 3 * rateOf(1e6 / 0.7)) / 1e12 * 100_000));
  expect(once[0]!.ownedUs).toBe(8 * HOUR);
});

test("accounts that come late, when prices may have changed meanwhile, are refused", () => {
  const book = new SupplyBook(setup());
  expect(book.nextUs(0)).toBe(HOUR);
  expect(() => book.flush(HOUR + 1, new Steady())).toThrow(/were due at 3600000000 us/);
});

test("what the exchange rate gives to one it takes from another, payment by payment", () => {
  const time = fc.integer({ min: 2 * HOUR, max: 10 * HOUR });
  const payment = fc.record({ slot: fc.integer({ min: 0, max: 600 }), node: fc.integer({ min: 0, max: 1 }), client: fc.integer({ min: 0, max: 1 }), amount: fc.integer({ min: 0, max: 2 ** 40 }), fee: fc.integer({ min: 0, max: 2 ** 30 }), quotedUs: time, paidUs: time });
  fc.assert(fc.property(fc.array(payment, { maxLength: 30 }), (payments) => {
    const book = new SupplyBook(setup());
    let changed = 0;
    for (const { slot, node, client, amount, fee, quotedUs, paidUs } of payments) {
      book.quoted(node, quotedUs);
      book.assigned(slot, node);
      book.paid(paidUs, slot, node, client, amount, fee, 10, true);
      if (book.setup.exchange.relativeAt(quotedUs) !== book.setup.exchange.relativeAt(paidUs)) changed++;
    }
    const parties = book.parties();
    expect(parties.reduce((sum, { gainMsat }) => sum + gainMsat, 0)).toBe(0);
    expect(parties.filter(({ role }) => role === "clients").reduce((sum, { jobs }) => sum + jobs, 0)).toBe(changed);
    for (const { gainMsat, movedMsat } of parties) expect(Math.abs(gainMsat)).toBeLessThanOrEqual(movedMsat);
  }), { seed: 1 });
});
