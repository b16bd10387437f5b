import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Award, CallForBids, Message, PeerId, PriceSheet } from "../../protocol/messages.ts";
import { amountMsat, feeMsat } from "../../protocol/units.ts";
import { OrderBook } from "../pricing/order-book.ts";
import type { PricingOptions } from "../pricing/options.ts";
import { hex32 } from "../testing/fake-environment.ts";
import { offer, prices, request, result } from "../testing/market.ts";
import { RouterBench } from "../testing/router-bench.ts";

const fixed = (msat: number): PriceSheet => prices(0, 0, msat);
const priced = (msat: number, changes: object = {}): object => ({ offers: [offer({ prices: fixed(msat) })], ...changes });
type Sent = readonly (readonly [PeerId, Message])[];
const names = ["a", "b", "c", "d", "e"];
const nameOf = (id: PeerId): string => names.find((name) => hex32(name) === id) ?? "client";
const calls = (sent: Sent): string[] => sent.filter(([, message]) => message.type === "call-for-bids").map(([to]) => nameOf(to)).sort();
const awarded = (sent: Sent): string[] => sent.filter((each): each is [PeerId, Award] => each[1].type === "award").map(([to, award]) => `${award.job.jobId} to ${nameOf(to)} for ${award.prices.fixedMsat}${award.fee.flatMsat > 0 ? ` and ${award.fee.flatMsat}` : ""}`);
const refusals = (sent: Sent): string[] => sent.flatMap(([, message]) => (message.type === "refuse" ? [message.reason] : []));

describe("a call for bids", () => {
  function bench(changes: Partial<Extract<PricingOptions, { kind: "call-for-bids" }>> = {}, nodes = names.slice(0, 3), router: object = {}): RouterBench {
    const bench = new RouterBench({ pricing: { kind: "call-for-bids", payment: "second-price", windowUs: 100, invited: 8, reserveMsat: null, rounds: 1, ...changes }, queueLimit: 0, ...router });
    for (const node of nodes) bench.register(node, priced(50));
    return bench;
  }
  const bid = (bench: RouterBench, node: string, msat: number, jobId = "j"): Sent => bench.say(node, { type: "bid", jobId, prices: fixed(msat), expectedStartUs: 0, validForUs: 1000 });

  test("goes to all eligible nodes with the reserve, and closes as soon as all have bid", () => {
    const router = bench({ reserveMsat: 40 });
    const sent = router.submit("j");
    expect(calls(sent)).toEqual(["a", "b", "c"]);
    expect(sent[0]![1]).toEqual({ type: "call-for-bids", job: request("j"), closesInUs: 100, reserveMsat: 40 } satisfies CallForBids);
    expect([bid(router, "a", 30), bid(router, "b", 20)]).toEqual([[], []]);
    expect(awarded(bid(router, "c", 35))).toEqual(["j to b for 30"]);
    expect(router.env.telemetry.prices).toEqual([{ kind: "auction", model: request("j").model, invited: 3, bids: 3, withinReserve: 3, paidMsat: 30, byReserve: false }]);
    // The window's end finds nothing to close.
    expect(awarded(router.advance(200))).toEqual([]);
  });

  test("pays the winner its bid under the first price; the reserve under the second where nobody else is within it", () => {
    for (const [payment, paid] of [["first-price", 20], ["second-price", 40]] as const) {
      const router = bench({ payment, reserveMsat: 40 });
      router.submit("j");
      bid(router, "a", 20);
      bid(router, "b", 41);
      expect(awarded(router.advance(100))).toEqual([`j to a for ${paid}`]);
    }
  });

  test("the client's maximum less the fee is the reserve where that is lower", () => {
    const router = bench({ reserveMsat: 40 }, names.slice(0, 3), { fee: { shareBps: 1000, flatMsat: 3 } });
    const [[, call]] = router.submit("j", { maxPriceMsat: 36 }) as [[PeerId, CallForBids]];
    expect(call.reserveMsat).toBe(30);
    bid(router, "a", 20);
    expect(awarded(router.advance(100))).toEqual(["j to a for 30 and 3"]);
  });

  test("does not look at late bids, second bids, bids of others and bids on unknown jobs", () => {
    const router = bench({ payment: "first-price", invited: 2 });
    const [first, second] = calls(router.submit("j")) as [string, string];
    const stranger = ["a", "b", "c"].find((name) => name !== first && name !== second)!;
    bid(router, stranger, 1);
    bid(router, first, 30);
    bid(router, first, 2);
    bid(router, "nobody", 1);
    bid(router, first, 1, "other");
    expect(awarded(router.advance(100))).toEqual([`j to ${first} for 30`]);
    expect(bid(router, second, 1)).toEqual([]);
  });

  test("equal bids: the same node wins whatever the order of arrival and registration, and not always the same one", () => {
    const winners = new Set<string>();
    for (const jobId of ["j", "k", "l", "m"]) {
      const won = [[0, 1, 2], [2, 1, 0], [1, 2, 0]].map((order) => {
        const router = bench({}, order.map((i) => names[i]!));
        router.submit(jobId);
        let sent: Sent = [];
        for (const i of order.toReversed()) sent = bid(router, names[i]!, 30, jobId);
        return awarded(sent)[0]!;
      });
      expect(new Set(won).size).toBe(1);
      winners.add(won[0]!.slice(2));
    }
    expect(winners.size).toBeGreaterThan(1);
  });

  test("nobody bids: called again as often as the rules say, then given up; the price is to blame only where there were bids", () => {
    const router = bench({ rounds: 2 });
    router.submit("j");
    expect(calls(router.advance(100))).toEqual(["a", "b", "c"]);
    const end = router.advance(100);
    expect([calls(end), refusals(end), router.router.open]).toEqual([[], ["no-bid"], 0]);
    expect(router.env.telemetry.of("tooDear")).toEqual([]);
    const dear = bench({ reserveMsat: 10 });
    dear.submit("j");
    bid(dear, "a", 11);
    expect(refusals(dear.advance(100))).toEqual(["no-bid"]);
    expect(dear.env.telemetry.of("tooDear")).toEqual([["tooDear", "j"]]);
  });

  test("a bid that no longer stands because its node has filled up since: given up for want of room, not for the price", () => {
    const router = bench({}, ["a"]);
    router.submit("j");
    router.submit("k");
    expect(awarded(bid(router, "a", 30, "j"))).toHaveLength(1);
    expect(refusals(bid(router, "a", 30, "k"))).toEqual(["no-bid"]);
    expect(router.env.telemetry.of("tooDear")).toEqual([]);
  });

  test("a winner that refuses is out; the others are called anew", () => {
    const router = bench();
    router.submit("j");
    bid(router, "a", 10);
    router.advance(100);
    expect(calls(router.refuse("a", "j", "queue-full"))).toEqual(["b", "c"]);
    bid(router, "b", 30);
    bid(router, "c", 20);
    expect(awarded(router.advance(100))).toEqual([]);
    expect(router.own("c")).toBe(1);
  });

  test("a job that its client gives up is forgotten, and its bids with it", () => {
    const router = bench();
    router.submit("j");
    router.say("client", { type: "cancel", jobId: "j", reason: "patience" });
    expect([router.router.open, router.env.pending, bid(router, "a", 1), router.env.telemetry.waiting]).toEqual([0, [], [], 0]);
  });

  test("a node that filled up meanwhile has no bid; without eligible nodes the job is turned away at once, or waits where it may", () => {
    const router = bench({}, ["a", "b"]);
    router.submit("j");
    router.submit("k");
    for (const jobId of ["j", "k"]) bid(router, "a", 10, jobId);
    bid(router, "b", 20, "j");
    expect(router.own("a")).toBe(1);
    // Only b could still take k, and it has not bid.
    expect(refusals(router.advance(100))).toEqual(["no-bid"]);
    expect(refusals(bench({}, []).submit("j"))).toEqual(["no-eligible-node"]);
    const patient = bench({}, ["a"], { queueLimit: 5 });
    patient.submit("j");
    bid(patient, "a", 10);
    expect([calls(patient.submit("k")), patient.env.telemetry.waiting]).toEqual([[], 1]);
    expect(calls(patient.say("a", result(request("j"), hex32("a"), 1, { prices: fixed(1_000_000), outputTokens: 10 })))).toEqual(["a"]);
  });

  test("explains who bid what and how the price came about", () => {
    const router = bench({ reserveMsat: 40 });
    router.env.telemetry.explaining = true;
    router.submit("j");
    bid(router, "a", 30);
    bid(router, "b", 20);
    router.advance(100);
    const [decision] = router.env.telemetry.decisions;
    expect(decision).toMatchObject({ chosen: hex32("b"), price: "second price: the winner bid 20 msat and is paid the lowest rival bid, at most 30 msat" });
    expect(decision!.candidates.map(({ node, score }) => [nameOf(node), score])).toEqual([["b", -20], ["a", -30]]);
    expect(decision!.excluded).toEqual([{ node: hex32("c"), rule: "no-bid", detail: "was called and made no bid that stands" }]);
  });
});

describe("a batch", () => {
  function clear(pricing: PricingOptions, router: object = {}): { router: RouterBench; sent: Sent } {
    const bench = new RouterBench({ pricing, queueLimit: 100, acceptTimeoutUs: 1e9, ...router });
    bench.router.start();
    [["c", 30], ["a", 10], ["b", 20]].forEach(([node, msat]) => bench.register(node as string, priced(msat as number)));
    for (const [jobId, maxPriceMsat] of [["x", 15], ["y", 25], ["z", 22]] as const) expect(bench.submit(jobId, { maxPriceMsat })).toEqual([]);
    expect(bench.env.telemetry.waiting).toBe(3);
    return { router: bench, sent: bench.advance(1000) };
  }

  test.each<[string, PricingOptions, string[]]>([
    // Bids 25, 22, 15 and asks 10, 20, 30: two trades at prices from 20 to 22.
    ["uniform price", { kind: "uniform-price", intervalUs: 1000 }, ["y to a for 22", "z to b for 22"]],
    ["midpoint", { kind: "call-market", rule: "midpoint", intervalUs: 1000 }, ["y to a for 21", "z to b for 21"]],
    // (15 + 30) / 2 is above the last bid served: that pair does not trade, buyers pay 22 and sellers get 20.
    ["trade reduction", { kind: "call-market", rule: "mcafee", intervalUs: 1000 }, ["y to a for 20 and 2"]],
  ])("%s", (_, pricing, expected) => {
    const { router, sent } = clear(pricing);
    expect(awarded(sent)).toEqual(expected);
    expect(router.env.telemetry.waiting).toBe(3 - expected.length);
    // Nothing is free at the price of what rests, until a slot is; then it is the next round's.
    expect(awarded(router.advance(1000))).toEqual([]);
  });

  test("trade reduction's rest is the router's whatever bounds its fee has, and is never the nodes' to pay", () => {
    const pricing: PricingOptions = { kind: "call-market", rule: "mcafee", intervalUs: 1000 };
    const feeOf = (terms: object): number => {
      const [award] = clear(pricing, { fee: { shareBps: 1000, flatMsat: 0, ...terms } }).sent.flatMap(([, message]) => (message.type === "award" ? [message] : []));
      expect(award!.prices).toEqual(fixed(20));
      return feeMsat(award!.fee, amountMsat(award!.prices, award!.job.inputTokens, 1));
    };
    // A tenth of 20 is 2. Buyers pay 22 less the fee in its bounds, sellers get 20.
    expect([{ maxMsat: 0 }, { maxMsat: 1 }, { shareBps: 0, minMsat: 1 }].map(feeOf)).toEqual([0 + 2, 1 + 1, 1 + 1]);
    expect(() => clear(pricing, { fee: { shareBps: 0, flatMsat: 0, bearer: "operator" } })).toThrow(/a fee that clients bear/);
  });

  test("what is not served waits as long as the router's queue has it, and the price is to blame where it is", () => {
    const { router } = clear({ kind: "uniform-price", intervalUs: 1000 }, { queueWaitUs: 2500 });
    expect([refusals(router.advance(1000)), refusals(router.advance(1000)), router.router.open, router.env.telemetry.waiting]).toEqual([[], ["router-wait-too-long"], 2, 0]);
    expect(router.env.telemetry.of("tooDear")).toEqual([["tooDear", "x"]]);
    expect(refusals(clear({ kind: "uniform-price", intervalUs: 1000 }, { queueLimit: 0 }).sent)).toEqual(["router-queue-full"]);
  });

  test("where more jobs are left than may wait, the lowest bids go, however long they have waited", () => {
    const { router, sent } = clear({ kind: "uniform-price", intervalUs: 1000 }, { queueLimit: 1 });
    // x bids 15 and is left over; w, who comes after it, bids 18, and nothing is free at that.
    expect(refusals(sent)).toEqual([]);
    router.submit("w", { maxPriceMsat: 18 });
    const next = router.advance(1000);
    expect([awarded(next), refusals(next)]).toEqual([[], ["router-queue-full"]]);
    expect(next.flatMap(([, message]) => (message.type === "refuse" ? [message.jobId] : []))).toEqual(["x"]);
  });

  test("a slot that does not suit a job keeps it from no other, and a job that no slot suits keeps no other from its own", () => {
    const router = new RouterBench({ pricing: { kind: "uniform-price", intervalUs: 1000 }, queueLimit: 100, acceptTimeoutUs: 1e9 });
    router.router.start();
    router.register("a", priced(10));
    router.register("b", priced(20, { attested: true }));
    router.submit("x", { maxPriceMsat: 40, privacy: "attested" });
    expect(awarded(router.advance(1000))).toEqual(["x to b for 40"]);
    // b is taken: y, though it pays more, can have no slot, and does not stand between z and a.
    router.submit("y", { maxPriceMsat: 40, privacy: "attested" });
    router.submit("z", { maxPriceMsat: 15 });
    expect(awarded(router.advance(1000))).toEqual(["z to a for 15"]);
  });

  test("where asks differ in their proportions, the price covers every job at every slot that is sold, at every length", () => {
    const bench = new RouterBench({ pricing: { kind: "uniform-price", intervalUs: 1000 }, queueLimit: 100, acceptTimeoutUs: 1e9 });
    bench.router.start();
    // Dear for output, and dear for input.
    bench.register("a", { offers: [offer({ prices: prices(300_000, 1_600_000, 0) })] });
    bench.register("b", { offers: [offer({ prices: prices(3_000_000, 0, 0) })] });
    for (const [jobId, maxOutputTokens, maxPriceMsat] of [["long", 200, 1_000], ["short", 20, 900]] as const) bench.submit(jobId, { maxOutputTokens, maxPriceMsat });
    const sent = bench.advance(1000).flatMap(([to, message]) => (message.type === "award" ? [{ to: nameOf(to), message }] : []));
    expect(sent.length).toBeGreaterThan(0);
    for (const { to, message: { job, prices: paid } } of sent) {
      const ask = to === "a" ? prices(300_000, 1_600_000, 0) : prices(3_000_000, 0, 0);
      for (const output of [0, job.maxOutputTokens]) expect(amountMsat(paid, job.inputTokens, output)).toBeGreaterThanOrEqual(amountMsat(ask, job.inputTokens, output));
    }
  });

  test("a job that its client gives up is in no batch", () => {
    const { router } = clear({ kind: "uniform-price", intervalUs: 1000 });
    router.say("client", { type: "cancel", jobId: "x", reason: "user" });
    expect([router.router.open, router.env.telemetry.waiting]).toEqual([2, 0]);
  });
});

describe("a continuous market", () => {
  test("trades as an order book does, job by job and slot by slot", () => {
    const step = fc.oneof(
      fc.record({ does: fc.constant("job" as const), limit: fc.integer({ min: 1, max: 40 }) }),
      fc.record({ does: fc.constant("finish" as const), which: fc.nat(4) }),
      fc.record({ does: fc.constant("give-up" as const), which: fc.nat(30) }),
    );
    let trades = 0;
    fc.assert(fc.property(fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 5, maxLength: 5 }), fc.array(step, { minLength: 5, maxLength: 50 }), (asks, steps) => {
      const bench = new RouterBench({ pricing: { kind: "continuous" }, queueLimit: 1000, queueWaitUs: 1e9, sweepUs: 1e9, staleAfterUs: 1e9, acceptTimeoutUs: 1e9 });
      const byId = [0, 1, 2, 3, 4].sort((x, y) => (hex32(names[x]!) < hex32(names[y]!) ? -1 : 1));
      const matched: string[] = [];
      const jobs: { resting: number; limit: number; node: number; open: boolean }[] = [];
      let buys = false;
      const book = new OrderBook((resting, incoming, _units, price) => {
        const [job, node] = buys ? [incoming, resting] : [resting, incoming];
        jobs[job]!.node = node;
        matched.push(`j${job} to ${names[node]} for ${price}`);
      });
      for (const node of byId) {
        bench.register(names[node]!, priced(asks[node]!));
        book.submit("sell", node, 1, asks[node]!);
      }
      const seen: string[] = [];
      for (const does of steps) {
        bench.advance(1);
        if (does.does === "job") {
          const job = jobs.length;
          jobs.push({ resting: -1, limit: does.limit, node: -1, open: true });
          seen.push(...awarded(bench.submit(`j${job}`, { maxPriceMsat: does.limit })));
          buys = true;
          jobs[job]!.resting = book.submit("buy", job, 1, does.limit);
        } else if (does.does === "finish") {
          const job = jobs.findIndex(({ node, open }) => open && node === does.which);
          if (job < 0) continue;
          jobs[job]!.open = false;
          const done = request(`j${job}`, { maxPriceMsat: jobs[job]!.limit });
          seen.push(...awarded(bench.say(names[does.which]!, result(done, hex32(names[does.which]!), 1, { prices: fixed(1), outputTokens: 1 }))));
          buys = false;
          book.submit("sell", does.which, 1, asks[does.which]!);
        } else {
          const job = jobs[does.which];
          if (job === undefined || !job.open || job.node >= 0) continue;
          job.open = false;
          bench.say("client", { type: "cancel", jobId: `j${does.which}`, reason: "patience" });
          book.cancel(job.resting);
        }
        expect(seen).toEqual(matched);
      }
      trades += seen.length;
    }), { seed: 1, numRuns: 200 });
    expect(trades).toBeGreaterThan(500);
  });

  test("a full book keeps the best orders, of equal ones the older, and turns the others away at once", () => {
    const limit = 3;
    fc.assert(fc.property(fc.array(fc.record({ bid: fc.integer({ min: 1, max: 9 }), priority: fc.constantFrom(0, 0, 4) }), { maxLength: 12 }), (orders) => {
      const bench = new RouterBench({ pricing: { kind: "continuous" }, queueLimit: limit, queueWaitUs: 1e9, sweepUs: 1e9, staleAfterUs: 1e9, acceptTimeoutUs: 1e9 });
      bench.register("a", priced(1));
      expect(awarded(bench.submit("first", { maxPriceMsat: 1 }))).toEqual(["first to a for 1"]);
      let resting: { job: string; bid: number; priority: number; age: number }[] = [];
      for (const [age, { bid, priority }] of orders.entries()) {
        bench.advance(1);
        const ranked = [...resting, { job: `j${age}`, bid, priority, age }].sort((x, y) => y.bid - x.bid || y.priority - x.priority || x.age - y.age);
        const refused = bench.submit(`j${age}`, { maxPriceMsat: bid, priority }).flatMap(([, message]) => (message.type === "refuse" ? [[message.jobId, message.reason]] : []));
        expect(refused).toEqual(ranked.slice(limit).map(({ job }) => [job, "router-queue-full"]));
        resting = ranked.slice(0, limit);
        expect(bench.env.telemetry.waiting).toBe(resting.length);
      }
    }), { seed: 3, numRuns: 300 });
  });

  test("the price is to blame for what rests below every ask, and not for what rests for want of a slot", () => {
    const bench = new RouterBench({ pricing: { kind: "continuous" }, queueLimit: 5, queueWaitUs: 1000, acceptTimeoutUs: 1e9 });
    bench.register("a", priced(10));
    expect(awarded(bench.submit("first", { maxPriceMsat: 10 }))).toHaveLength(1);
    bench.submit("able", { maxPriceMsat: 12 });
    bench.submit("mean", { maxPriceMsat: 9 });
    expect(refusals(bench.advance(1000))).toEqual(["router-wait-too-long", "router-wait-too-long"]);
    expect(bench.env.telemetry.of("tooDear")).toEqual([["tooDear", "mean"]]);
  });

  test("a job that takes any price pays the ask, although it rested", () => {
    const bench = new RouterBench({ pricing: { kind: "continuous" } });
    bench.register("a", priced(10));
    bench.submit("j");
    bench.submit("k", { maxPriceMsat: 100_000_000_000 });
    expect(awarded(bench.say("a", result(request("j"), hex32("a"), 1, { prices: fixed(1), outputTokens: 1 })))).toEqual(["k to a for 10"]);
  });
});

describe("going prices", () => {
  const sheet = fixed(20);

  test("network price: nodes that ask more do not serve, the others are paid it", () => {
    const bench = new RouterBench({ pricing: { kind: "network", prices: sheet }, queueLimit: 0 });
    bench.env.telemetry.explaining = true;
    bench.register("a", priced(10));
    bench.register("b", priced(21));
    expect(awarded(bench.submit("j"))).toEqual(["j to a for 20"]);
    expect(bench.env.telemetry.decisions[0]!.excluded).toEqual([{ node: hex32("b"), rule: "asks-more", detail: "asks 0 msat/Mtok in, 0 out, 21 msat a job: more than the going price for this job at some length" }]);
    expect(bench.env.telemetry.decisions[0]!.price).toBe("the network's price: 0 msat/Mtok in, 0 out, 20 msat a job; the node asks 0 msat/Mtok in, 0 out, 10 msat a job");
    expect(refusals(bench.submit("k", { maxPriceMsat: 19 }))).toEqual(["no-eligible-node"]);
    expect(bench.env.telemetry.of("tooDear")).toEqual([["tooDear", "k"]]);
  });

  test("network price: a node whose ask has other proportions serves the jobs that cover it at every length, and no others", () => {
    const bench = new RouterBench({ pricing: { kind: "network", prices: prices(1_000_000, 1_000_000, 0) }, queueLimit: 0 });
    // Asks 30 msat where it is paid 100 for input; 160 for output where it is paid 100.
    bench.register("a", { offers: [offer({ prices: prices(300_000, 1_600_000, 0) })] });
    const served = (jobId: string, inputTokens: number, maxOutputTokens: number): string[] => refusals(bench.submit(jobId, { inputTokens, maxOutputTokens }));
    expect([served("short", 100, 100), served("long", 100, 117)]).toEqual([[], ["no-eligible-node"]]);
    expect(bench.env.telemetry.of("tooDear")).toEqual([]);
  });

  test("base fee: a node that does not serve one of the last jobs is no idle capacity", () => {
    const bench = new RouterBench({ pricing: { kind: "base-fee", start: prices(1_000_000, 1_000_000, 0), floor: fixed(0), target: { low: 0.5, high: 0.5 }, step: 0.125, intervalUs: 1000 }, queueLimit: 0 });
    bench.router.start();
    bench.register("a", { offers: [offer({ prices: prices(300_000, 1_600_000, 0) })] });
    bench.submit("long", { inputTokens: 100, maxOutputTokens: 117 });
    bench.advance(1000);
    expect(bench.env.telemetry.prices).toMatchObject([{ kind: "going", utilisation: 1 }]);
  });

  test("base fee: up by an eighth after an interval in which all slots were busy, down by one after an idle one; a job keeps its price", () => {
    const bench = new RouterBench({ pricing: { kind: "base-fee", start: fixed(800), floor: fixed(700), target: { low: 0.5, high: 0.5 }, step: 0.125, intervalUs: 1000 }, jobTimeoutUs: 1e9, acceptTimeoutUs: 1e9 });
    bench.router.start();
    bench.register("a", priced(0));
    expect(awarded(bench.submit("j"))).toEqual(["j to a for 800"]);
    bench.advance(1000);
    bench.say("a", result(request("j"), hex32("a"), 1, { prices: fixed(800), outputTokens: 1 }));
    bench.advance(1000);
    bench.advance(1000);
    expect(bench.env.telemetry.prices.map((event) => event.kind === "going" && [event.prices.fixedMsat, event.utilisation])).toEqual([[900, 1], [788, 0], [700, 0]]);
  });

  test("base fee: where no node serves at it, it rises, until one does", () => {
    const bench = new RouterBench({ pricing: { kind: "base-fee", start: fixed(80), floor: fixed(0), target: { low: 0.5, high: 0.5 }, step: 0.125, intervalUs: 1000 } });
    bench.router.start();
    bench.register("a", priced(90));
    expect(refusals(bench.submit("j"))).toEqual(["no-eligible-node"]);
    bench.advance(1000);
    expect(awarded(bench.submit("k"))).toEqual(["k to a for 90"]);
  });

  test("surge: posted prices times one more than slope x what utilisation is above the bound", () => {
    const bench = new RouterBench({ pricing: { kind: "surge", above: 0.5, slope: 2, max: 3, intervalUs: 1000 }, acceptTimeoutUs: 1e9 });
    bench.router.start();
    bench.register("a", priced(10, { slots: 2, queueLimit: 10 }));
    for (const jobId of ["j", "k"]) bench.submit(jobId);
    bench.advance(1000);
    expect(awarded(bench.submit("l"))).toEqual(["l to a for 20"]);
  });

  test("nodes are told how their market stands, lowest asks first", () => {
    const bench = new RouterBench({ pricing: { kind: "network", prices: sheet }, marketStateUs: 1000, acceptTimeoutUs: 1e9 });
    bench.router.start();
    bench.register("a", priced(15));
    bench.register("b", priced(10));
    bench.submit("j");
    const sent = bench.advance(1000);
    expect(sent.map(([to]) => nameOf(to)).sort()).toEqual(["a", "b"]);
    expect(sent[0]![1]).toEqual({
      type: "market-state", model: request("j").model, prices: sheet, asks: [{ node: hex32("b"), prices: fixed(10) }, { node: hex32("a"), prices: fixed(15) }],
      nodes: 2, busyPpm: 500_000, waiting: 0, intervalUs: 1000,
    });
  });
});
