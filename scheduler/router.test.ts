import { describe, expect, test } from "vitest";
import type { Message, RefusalReason } from "../protocol/messages.ts";
import { hex32 } from "./testing/fake-environment.ts";
import { descriptor, MODEL, offer, prices, request, result } from "./testing/market.ts";
import { awards, RouterBench } from "./testing/router-bench.ts";

const refusal = (jobId: string, attempt: number, reason: RefusalReason, client = "client"): [string, Message][] => [[hex32(client), { type: "refuse", jobId, attempt, reason }]];
const superseded = (node: string, jobId: string): [string, Message] => [hex32(node), { type: "cancel", jobId, reason: "superseded" }];

/** Two nodes, of which `a` is taken first: `b` has two jobs of somebody else's. */
function twoNodes(changes: ConstructorParameters<typeof RouterBench>[0] = {}): RouterBench {
  const bench = new RouterBench(changes);
  bench.register("a", { slots: 4 });
  bench.register("b", { slots: 4 });
  bench.beat("b", { running: 2 });
  return bench;
}

describe("a job that goes well", () => {
  test("is awarded at the node's prices and the router's terms, and forgotten with its result", () => {
    const bench = new RouterBench({ fee: { shareBps: 100, flatMsat: 5 } });
    const sheet = prices(10, 20, 30);
    bench.register("a", { offers: [offer({ prices: sheet })] });
    const sent = bench.say("client", { type: "job", job: request("j"), prompt: "Hello" });
    const [invoice] = bench.env.wallet.invoices;
    expect(invoice).toMatchObject({ jobId: "j", purpose: "fee", amountMsat: null });
    expect(sent).toEqual([[hex32("a"), {
      type: "award", job: request("j"), attempt: 1, prices: sheet, fee: { shareBps: 100, flatMsat: 5 }, feePaymentHash: invoice!.paymentHash, prompt: "Hello",
    }]]);
    expect([bench.own("a"), bench.router.open, bench.accept("a", "j")]).toEqual([1, 1, []]);
    expect(bench.env.pending).toEqual(["job-timeout"]);
    expect(bench.say("a", result(request("j"), hex32("a"), 1))).toEqual([]);
    expect([bench.own("a"), bench.router.open, bench.env.pending]).toEqual([0, 0, []]);
    expect(bench.env.telemetry.facts).toEqual([["assigned", "j", hex32("a"), 1]]);
  });

  test.each([{ shareBps: 1, flatMsat: 0 }, { shareBps: 0, flatMsat: 1 }])("a fee of %o has an invoice", (fee) => {
    const bench = new RouterBench({ fee });
    bench.register("a");
    expect(bench.submit("j")[0]![1]).toMatchObject({ fee, feePaymentHash: bench.env.wallet.invoices[0]!.paymentHash });
  });

  test("a router that charges nothing makes no invoice", () => {
    const bench = new RouterBench();
    bench.register("a");
    const [[, award]] = bench.submit("j") as [[string, Message]];
    expect([bench.env.wallet.invoices, "feePaymentHash" in award, "prompt" in award]).toEqual([[], false, false]);
  });

  test("its name can be used again", () => {
    const bench = new RouterBench();
    bench.register("a");
    bench.submit("j");
    bench.say("a", result(request("j"), hex32("a"), 1));
    expect(awards(bench.submit("j"), "a")).toEqual(["a j 1"]);
  });
});

describe("an attempt that comes to nothing", () => {
  test.each(["queue-full", "price-changed", "shutting-down", "runner-failed", "unknown-model", "context-too-long", "duplicate-job"] as const)("refused with %s: the next node has it", (reason) => {
    const bench = twoNodes();
    expect(awards(bench.submit("j"), "a", "b")).toEqual(["a j 1"]);
    expect(awards(bench.refuse("a", "j", reason), "a", "b")).toEqual(["b j 2"]);
    expect([bench.own("a"), bench.own("b")]).toEqual([0, 1]);
    expect(bench.env.telemetry.of("attemptFailed")).toEqual([["attemptFailed", "j", hex32("a"), 1, reason]]);
  });

  test("no word within the accept timeout", () => {
    const bench = twoNodes();
    bench.submit("j");
    expect(bench.advance(999)).toEqual([]);
    const sent = bench.advance(1);
    expect([sent[0], awards(sent, "b")]).toEqual([superseded("a", "j"), ["b j 2"]]);
  });

  test("no result within the job timeout", () => {
    const bench = twoNodes();
    bench.submit("j");
    bench.advance(500);
    bench.accept("a", "j");
    expect(bench.advance(4999)).toEqual([]);
    const sent = bench.advance(1);
    expect([sent[0], awards(sent, "b")]).toEqual([superseded("a", "j"), ["b j 2"]]);
  });

  test("accepting again buys no time", () => {
    const bench = twoNodes();
    bench.submit("j");
    bench.accept("a", "j");
    bench.advance(4000);
    bench.accept("a", "j");
    expect(awards(bench.advance(1000), "b")).toEqual(["b j 2"]);
  });

  test("a runner that fails after accepting", () => {
    const bench = twoNodes();
    bench.submit("j");
    bench.accept("a", "j");
    expect(awards(bench.refuse("a", "j", "runner-failed"), "b")).toEqual(["b j 2"]);
  });

  test("a node that falls silent loses all its jobs, and has failed once", () => {
    const bench = twoNodes({ jobTimeoutUs: 1e9, circuitBreaker: { failures: 2, coolDownUs: 1000, growth: 2, maxCoolDownUs: 1000 } });
    bench.router.start();
    for (const job of ["j2", "j1"]) {
      bench.submit(job);
      bench.accept("a", job);
    }
    expect(bench.own("a")).toBe(2);
    for (let i = 0; i < 3; i++) {
      bench.beat("b", { running: 2 });
      expect(bench.advance(10_000)).toEqual([]);
    }
    bench.beat("b", { running: 2 });
    const sent = bench.advance(10_000);
    expect(sent.filter(([, { type }]) => type === "cancel")).toEqual([superseded("a", "j1"), superseded("a", "j2")]);
    expect(awards(sent, "b")).toEqual(["b j1 2", "b j2 2"]);
    expect(bench.router.registry.breaker.openUntilUs(0)).toBe(0);
    expect(bench.router.registry.reliability[0]).toBeCloseTo(0.95, 12);
  });

  test("a single job is enough for it to have failed", () => {
    const bench = twoNodes({ jobTimeoutUs: 1e9 });
    bench.router.start();
    bench.submit("j");
    bench.accept("a", "j");
    expect(bench.advance(40_000)[0]).toEqual(superseded("a", "j"));
    expect(bench.router.registry.reliability[0]).toBeCloseTo(0.95, 12);
  });

  test("a node that restarts has lost its jobs; it need not be told", () => {
    const bench = twoNodes();
    bench.submit("j");
    const sent = bench.register("a", { slots: 4, incarnation: 1 });
    expect([sent.length, awards(sent, "b")]).toEqual([1, ["b j 2"]]);
    expect(bench.env.telemetry.of("attemptFailed")).toEqual([["attemptFailed", "j", hex32("a"), 1, "node-restarted"]]);
  });

  test("after the last attempt the client is told", () => {
    const bench = twoNodes({ attempts: 2 });
    bench.register("c");
    bench.beat("c", { running: 1 });
    bench.submit("j");
    bench.refuse("a", "j", "runner-failed");
    expect(bench.refuse("b", "j", "runner-failed", 2)).toEqual(refusal("j", 2, "attempts-exhausted"));
    expect([bench.router.open, bench.env.pending]).toEqual([0, []]);
  });

  test("or when there is nobody left to try", () => {
    const bench = new RouterBench();
    bench.register("a");
    bench.submit("j");
    expect(bench.refuse("a", "j", "runner-failed")).toEqual(refusal("j", 1, "attempts-exhausted"));
  });
});

describe("shutting down", () => {
  test("takes no new jobs, gives up those that wait and those that come back, and lets nodes finish theirs", () => {
    const bench = new RouterBench({ queueLimit: 10 });
    for (const node of ["a", "b"]) bench.register(node);
    for (const job of ["i", "j", "k"]) bench.submit(job);
    bench.router.shutDown();
    expect(bench.heard()).toEqual(refusal("k", 0, "shutting-down"));
    expect(bench.submit("l")).toEqual(refusal("l", 0, "shutting-down"));
    expect(bench.refuse("a", "i", "runner-failed")).toEqual(refusal("i", 1, "shutting-down"));
    bench.say("b", result(request("j"), hex32("b"), 1));
    expect([bench.router.open, bench.router.waiting, bench.env.telemetry.waiting]).toEqual([0, 0, 0]);
  });

  test("in the end everybody is told", () => {
    const bench = twoNodes();
    bench.submit("j");
    bench.router.giveUpAll();
    expect(bench.heard()).toEqual([[hex32("a"), { type: "cancel", jobId: "j", reason: "shutdown" }], ...refusal("j", 1, "shutting-down")]);
    expect([bench.router.open, bench.own("a"), bench.env.pending]).toEqual([0, 0, []]);
  });
});

test("a prompt longer than its client says is no longer at another node: the job ends, and no node is to blame", () => {
  const bench = twoNodes({ circuitBreaker: { failures: 1, coolDownUs: 1000, growth: 2, maxCoolDownUs: 1000 } });
  bench.submit("j");
  expect(bench.refuse("a", "j", "input-over-declared")).toEqual(refusal("j", 1, "input-over-declared"));
  expect([bench.router.open, bench.router.registry.breaker.openUntilUs(0)]).toEqual([0, 0]);
});

describe("whose fault it is", () => {
  const fails = (reason: RefusalReason): boolean => {
    const bench = new RouterBench({ circuitBreaker: { failures: 1, coolDownUs: 1000, growth: 2, maxCoolDownUs: 1000 } });
    bench.register("a");
    bench.submit("j");
    bench.refuse("a", "j", reason);
    return bench.router.registry.breaker.openUntilUs(0) > 0;
  };

  test("a full, leaving or busy node has done no wrong; one that fails or goes back on its word has", () => {
    const reasons = ["queue-full", "shutting-down", "duplicate-job", "runner-failed", "price-changed", "unknown-model", "context-too-long"] as const;
    expect(reasons.map((reason) => fails(reason))).toEqual([false, false, false, true, true, true, true]);
  });

  test("a node that is full gets no waiting job until its next heartbeat", () => {
    const bench = new RouterBench();
    bench.register("a", { slots: 2 });
    bench.beat("a");
    bench.submit("j1");
    bench.submit("j2");
    bench.submit("j3");
    expect(bench.router.waiting).toBe(1);
    // Somebody else's jobs have taken both places.
    expect(awards(bench.refuse("a", "j1", "queue-full"))).toEqual([]);
    expect(awards(bench.beat("a", { running: 0 }), "a")).toEqual(["a j3 1"]);
  });

  test("a node that is shutting down gets no waiting job until it says otherwise", () => {
    const bench = new RouterBench();
    bench.register("a", { slots: 1 });
    bench.submit("j1");
    bench.submit("j2");
    expect(awards(bench.refuse("a", "j1", "shutting-down"))).toEqual([]);
    expect(awards(bench.beat("a"), "a")).toEqual(["a j2 1"]);
  });
});

describe("waiting", () => {
  /** One node with one place, which is taken. */
  function busy(changes: ConstructorParameters<typeof RouterBench>[0] = {}): RouterBench {
    const bench = new RouterBench(changes);
    bench.register("a");
    bench.submit("first");
    return bench;
  }
  const done = (bench: RouterBench, jobId: string): [string, Message][] => bench.say("a", result(request(jobId), hex32("a"), 1));

  test("jobs wait while every node that could serve them is full, and go by priority, then age", () => {
    const bench = busy();
    for (const [job, priority] of [["x", 0], ["y", 5], ["z", 5]] as const) expect(bench.submit(job, { priority })).toEqual([]);
    expect([bench.router.waiting, bench.env.telemetry.waiting]).toEqual([3, 3]);
    expect(awards(done(bench, "first"), "a")).toEqual(["a y 1"]);
    expect(awards(done(bench, "y"), "a")).toEqual(["a z 1"]);
    expect(awards(done(bench, "z"), "a")).toEqual(["a x 1"]);
    expect([bench.router.waiting, bench.env.telemetry.waiting]).toEqual([0, 0]);
  });

  test("a job that the free node cannot serve is passed over", () => {
    const bench = busy();
    bench.register("rich", { stakeMsat: 10 });
    bench.submit("taken", { minStakeMsat: 10 });
    bench.submit("picky", { minStakeMsat: 10 });
    bench.submit("plain");
    expect(awards(done(bench, "first"), "a")).toEqual(["a plain 1"]);
    expect(bench.router.waiting).toBe(1);
  });

  test("nobody waits for what will not come by itself", () => {
    const bench = busy();
    expect(bench.submit("dear", { maxPriceMsat: 1 })).toEqual(refusal("dear", 0, "no-eligible-node"));
    expect(bench.submit("other", { model: "unheard-of" })).toEqual(refusal("other", 0, "no-eligible-node"));
    expect(bench.submit("first-again", { allowedRegions: ["moon"] })).toEqual(refusal("first-again", 0, "no-eligible-node"));
  });

  test("the queue has a limit", () => {
    const bench = busy({ queueLimit: 2 });
    for (const job of ["x", "y"]) expect(bench.submit(job)).toEqual([]);
    expect(bench.submit("z")).toEqual(refusal("z", 0, "router-queue-full"));
    expect(busy({ queueLimit: 0 }).submit("x")).toEqual(refusal("x", 0, "no-eligible-node"));
  });

  test("and the wait has one", () => {
    const bench = busy({ jobTimeoutUs: 1e9 });
    bench.accept("a", "first");
    bench.submit("x");
    expect(bench.advance(19_999)).toEqual([]);
    expect(bench.advance(1)).toEqual(refusal("x", 0, "router-wait-too-long"));
    expect([bench.router.waiting, bench.env.telemetry.waiting, bench.router.open]).toEqual([0, 0, 1]);
  });

  test("a retried job waits for nodes that have not tried it", () => {
    const bench = twoNodes();
    bench.beat("b", { running: 4 });
    bench.submit("j");
    expect([bench.refuse("a", "j", "runner-failed"), bench.router.waiting]).toEqual([[], 1]);
    expect(awards(bench.beat("a"))).toEqual([]);
    expect(awards(bench.beat("b", { running: 3 }), "b")).toEqual(["b j 2"]);
  });

  test("a new node, and one that can hold more, is given what waits", () => {
    const bench = busy();
    bench.submit("x");
    bench.submit("y");
    expect(awards(bench.register("b"), "b")).toEqual(["b x 1"]);
    expect(awards(bench.register("b", { slots: 2 }), "b")).toEqual(["b y 1"]);
  });

  test("a node whose circuit has cooled down is given one job, without waiting for a sweep", () => {
    const bench = new RouterBench({ sweepUs: 1e9, circuitBreaker: { failures: 1, coolDownUs: 4000, growth: 2, maxCoolDownUs: 60_000 } });
    bench.register("a", { slots: 4 });
    bench.submit("j");
    bench.refuse("a", "j", "runner-failed");
    bench.submit("x");
    bench.submit("y");
    expect([bench.router.waiting, bench.advance(3999)]).toEqual([2, []]);
    expect(awards(bench.advance(1), "a")).toEqual(["a x 1"]);
    expect(awards(bench.say("a", result(request("x"), hex32("a"), 1)), "a")).toEqual(["a y 1"]);
  });

  test("a late result that closes a circuit opens the node to what waits", () => {
    const bench = twoNodes({ circuitBreaker: { failures: 1, coolDownUs: 1e6, growth: 2, maxCoolDownUs: 1e6 } });
    bench.register("b", { slots: 1 });
    bench.submit("j");
    bench.advance(1000);
    expect(bench.router.waiting).toBe(1);
    bench.submit("x");
    expect(bench.router.waiting).toBe(2);
    // `j` itself ends here; `x` can go where the result came from.
    expect(awards(bench.say("a", result(request("j"), hex32("a"), 1)), "a")).toEqual(["a x 1"]);
  });
});

describe("results of attempts that had been given up", () => {
  function late(): RouterBench {
    const bench = twoNodes();
    bench.submit("j");
    bench.advance(1000);
    return bench;
  }

  test("end the job once; the present holder is told to stop", () => {
    const bench = late();
    expect(bench.say("a", result(request("j"), hex32("a"), 1))).toEqual([superseded("b", "j")]);
    expect([bench.router.open, bench.own("a"), bench.own("b"), bench.env.pending]).toEqual([0, 0, 0, []]);
    expect(bench.say("b", result(request("j"), hex32("b"), 2))).toEqual([]);
    expect(bench.own("b")).toBe(0);
  });

  test("whichever node registered first", () => {
    const bench = new RouterBench();
    for (const node of ["b", "a"]) bench.register(node, { slots: 4 });
    bench.beat("b", { running: 2 });
    bench.submit("j");
    bench.advance(1000);
    expect(bench.say("a", result(request("j"), hex32("a"), 1))).toEqual([superseded("b", "j")]);
  });

  test("also while the job waits", () => {
    const bench = new RouterBench();
    bench.register("a");
    bench.register("b");
    bench.submit("other");
    bench.submit("j");
    const [holder, occupied] = bench.env.telemetry.of("assigned").at(-1)![2] === hex32("a") ? ["a", "b"] as const : ["b", "a"] as const;
    bench.accept(occupied, "other");
    bench.advance(1000);
    expect([bench.router.waiting, bench.own(occupied)]).toEqual([1, 1]);
    bench.say(holder, result(request("j"), hex32(holder), 1));
    expect([bench.router.waiting, bench.env.telemetry.waiting, bench.router.open, bench.env.pending]).toEqual([0, 0, 1, ["job-timeout"]]);
  });

  test("refusals and acceptances of them change nothing", () => {
    const bench = late();
    bench.accept("b", "j", 2);
    for (const message of [bench.accept("a", "j", 1), bench.refuse("a", "j", "runner-failed", 1), bench.accept("b", "j", 1), bench.refuse("b", "j", "queue-full", 3)]) expect(message).toEqual([]);
    expect([bench.own("b"), bench.router.open, bench.env.pending]).toEqual([1, 1, ["job-timeout"]]);
  });
});

describe("cancellation", () => {
  test("at a node: the node is told, and its place is free", () => {
    const bench = new RouterBench();
    bench.register("a");
    bench.submit("j");
    bench.submit("next");
    const sent = bench.say("client", { type: "cancel", jobId: "j", reason: "patience" });
    expect([sent[0], awards(sent, "a")]).toEqual([[hex32("a"), { type: "cancel", jobId: "j", reason: "patience" }], ["a next 1"]]);
  });

  test("while waiting", () => {
    const bench = new RouterBench();
    bench.register("a");
    bench.submit("j");
    bench.submit("next");
    expect(bench.say("client", { type: "cancel", jobId: "next", reason: "user" })).toEqual([]);
    expect([bench.router.waiting, bench.env.telemetry.waiting, bench.router.open, bench.env.pending]).toEqual([0, 0, 1, ["accept-timeout"]]);
  });

  test("a result that comes afterwards is nobody's", () => {
    const bench = new RouterBench();
    bench.register("a");
    bench.submit("j");
    bench.say("client", { type: "cancel", jobId: "j", reason: "user" });
    expect(bench.say("a", result(request("j"), hex32("a"), 1))).toEqual([]);
    expect([bench.own("a"), bench.router.open]).toEqual([0, 0]);
  });
});

describe("those who speak out of turn", () => {
  function atA(): RouterBench {
    const bench = twoNodes();
    bench.register("stranger", { offers: [offer({ model: "other" })] });
    bench.submit("j");
    return bench;
  }
  const state = (bench: RouterBench) => [bench.router.open, bench.router.waiting, [...bench.router.registry.own.subarray(0, 3)], bench.env.pending, [...bench.router.registry.reliability.subarray(0, 3)], bench.router.registry.market(MODEL).meanOutputTokens];
  const honest = result(request("j"), hex32("a"), 1);

  const ignored: Record<string, [string, Message]> = {
    "an acceptance by another node": ["b", { type: "accept", jobId: "j", attempt: 1 }],
    "a refusal by another node": ["b", { type: "refuse", jobId: "j", attempt: 1, reason: "runner-failed" }],
    "a refusal by the client": ["client", { type: "refuse", jobId: "j", attempt: 1, reason: "runner-failed" }],
    "a result of another node": ["b", result(request("j"), hex32("b"), 1)],
    "another node's word for the node's result": ["b", honest],
    "a result of somebody who is not registered": ["nobody", result(request("j"), hex32("nobody"), 1)],
    "a result for an attempt that was not made": ["a", result(request("j"), hex32("a"), 2)],
    "a receipt of another job": ["a", { ...honest, receipt: { ...honest.receipt, jobId: "k" } }],
    "a receipt of another client": ["a", { ...honest, receipt: { ...honest.receipt, client: hex32("someone") } }],
    "a receipt of another prompt": ["a", { ...honest, receipt: { ...honest.receipt, promptHash: hex32("another prompt") } }],
    "a receipt of another model": ["a", { ...honest, receipt: { ...honest.receipt, model: "other" } }],
    "a cancellation by another client": ["other client", { type: "cancel", jobId: "j", reason: "user" }],
    "a cancellation by the node": ["a", { type: "cancel", jobId: "j", reason: "user" }],
    "an acceptance of an unknown job": ["a", { type: "accept", jobId: "k", attempt: 1 }],
    "a refusal of an unknown job": ["a", { type: "refuse", jobId: "k", attempt: 1, reason: "queue-full" }],
    "a cancellation of an unknown job": ["client", { type: "cancel", jobId: "k", reason: "user" }],
    "a dispute": ["client", { type: "dispute", jobId: "j", claim: "not-delivered" }],
    "an error": ["a", { type: "error", code: "internal", detail: "no" }],
  };

  test.each(Object.keys(ignored))("%s changes nothing", (name) => {
    const bench = atA();
    const before = state(bench);
    const [from, message] = ignored[name]!;
    expect([bench.say(from, message), state(bench)]).toEqual([[], before]);
  });

  test("what is ignored above is taken from the right peer: the tests can fail", () => {
    for (const [from, message] of [["a", honest], ["a", { type: "refuse", jobId: "j", attempt: 1, reason: "runner-failed" }], ["a", { type: "accept", jobId: "j", attempt: 1 }], ["client", { type: "cancel", jobId: "j", reason: "user" }]] as [string, Message][]) {
      const bench = atA();
      const before = state(bench);
      bench.say(from, message);
      expect(state(bench)).not.toEqual(before);
    }
  });

  test("a job in another client's name is refused with the field", () => {
    const bench = new RouterBench();
    bench.register("a");
    const sent = bench.say("thief", { type: "job", job: request("j") });
    expect(sent).toEqual([[hex32("thief"), { type: "error", code: "bad-message", field: "job.client", detail: "a job is posted by its own client", jobId: "j" }]]);
    expect(bench.router.open).toBe(0);
  });

  test("a name in use is refused, whoever uses it", () => {
    const bench = atA();
    for (const client of ["client", "another"]) {
      expect(bench.submit("j", {}, client)).toEqual([[hex32(client), { type: "error", code: "duplicate-job", detail: "a job of this name is in progress", jobId: "j" }]]);
    }
    expect([bench.router.open, bench.own("a")]).toEqual([1, 1]);
  });

  test("a descriptor in another node's name", () => {
    const bench = new RouterBench();
    expect(bench.say("thief", descriptor("a")))
      .toEqual([[hex32("thief"), { type: "error", code: "bad-message", field: "node", detail: "a descriptor is sent by its own node" }]]);
    expect(bench.router.registry.size).toBe(0);
  });

  test("a heartbeat of a node that is not registered is asked for its descriptor; an old one is not heard", () => {
    const bench = new RouterBench();
    expect(bench.beat("a")).toEqual([[hex32("a"), { type: "error", code: "not-registered", detail: "send your descriptor first" }]]);
    bench.register("a");
    bench.beat("a", { running: 1 });
    expect(bench.say("a", { type: "heartbeat", incarnation: 0, sequence: 0, running: 0, waiting: 0, kvTokensUsed: 0, accepting: true })).toEqual([]);
    expect(bench.router.registry.others[0]).toBe(1);
  });

  test("a node that bills more than was asked for has not succeeded, and teaches nothing", () => {
    const bench = atA();
    bench.say("a", result(request("j"), hex32("a"), 1, { outputTokens: 101 }));
    expect([bench.router.open, bench.router.registry.market(MODEL).meanOutputTokens, bench.router.registry.reliability[0]]).toEqual([0, 0, 0.95]);
  });
});

describe("quotes", () => {
  const ask = (bench: RouterBench, changes = {}) => bench.say("client", { type: "quote-request", job: request("q", changes) });

  test("name the node that would be chosen, its prices and the most the job can cost", () => {
    const bench = new RouterBench({ policy: { kind: "cheapest" }, fee: { shareBps: 1000, flatMsat: 3 } });
    bench.register("dear", { offers: [offer({ prices: prices(9_000_000) })] });
    bench.register("cheap", { offers: [offer({ prices: prices(1_000_000, 2_000_000, 7) })] });
    // 100 x 1 + 100 x 2 + 7 = 307; a tenth of it is 30, and 3.
    expect(ask(bench)).toEqual([[hex32("client"), { type: "quote", jobId: "q", node: hex32("cheap"), prices: prices(1_000_000, 2_000_000, 7), fee: { shareBps: 1000, flatMsat: 3 }, maxAmountMsat: 340, validForUs: 1234 }]]);
    expect([bench.router.open, bench.own("cheap")]).toEqual([0, 0]);
  });

  test("there is none where no node is eligible", () => {
    const bench = new RouterBench();
    expect(ask(bench)).toEqual(refusal("q", 0, "no-eligible-node"));
    bench.register("a");
    expect(ask(bench, { maxPriceMsat: 0 })).toEqual(refusal("q", 0, "no-eligible-node"));
  });

  test("do not turn the round", () => {
    const bench = new RouterBench({ policy: { kind: "round-robin" } });
    for (const node of ["a", "b", "c"]) bench.register(node, { slots: 9 });
    const quoted = (ask(bench)[0]![1] as Extract<Message, { type: "quote" }>).node;
    ask(bench);
    expect(bench.submit("q")[0]![0]).toBe(quoted);
  });
});

test("decisions are told to whoever asks: chosen, passed over, and none", () => {
  const bench = twoNodes({ attempts: 2 });
  bench.env.telemetry.explaining = true;
  bench.submit("j");
  bench.refuse("a", "j", "runner-failed");
  bench.submit("k", { model: "unheard-of" });
  expect(bench.env.telemetry.decisions.map(({ jobId, attempt, chosen, candidates, excluded }) => [jobId, attempt, chosen, candidates.length, excluded.map(({ rule }) => rule)])).toEqual([
    ["j", 1, hex32("a"), 2, []],
    ["j", 2, hex32("b"), 1, ["already-tried"]],
    ["k", 1, "", 0, ["no-model", "no-model"]],
  ]);
});

test("a router at which no job may wait sets no timers for circuits", () => {
  const bench = new RouterBench({ queueLimit: 0, circuitBreaker: { failures: 1, coolDownUs: 1000, growth: 2, maxCoolDownUs: 1000 } });
  bench.register("a");
  bench.submit("j");
  bench.refuse("a", "j", "runner-failed");
  expect(bench.env.pending).toEqual([]);
});

test("a reminder of a job that is over, or of an earlier attempt, changes nothing", () => {
  const bench = twoNodes();
  bench.submit("j");
  bench.refuse("a", "j", "queue-full");
  for (const kind of ["accept-timeout", "job-timeout", "queue-wait"]) {
    bench.router.onTimer({ kind, jobId: "j", attempt: 1 });
    bench.router.onTimer({ kind, jobId: "over", attempt: 1 });
  }
  bench.router.onTimer({ kind: "none of its own", jobId: "j", attempt: 2 });
  expect([bench.own("b"), bench.env.pending, bench.env.telemetry.of("attemptFailed").length]).toEqual([1, ["accept-timeout"], 1]);
});

test("a router's clock does not run out: the sweep goes on", () => {
  const bench = new RouterBench();
  bench.router.start();
  bench.advance(1_000_000);
  expect(bench.env.pending).toEqual(["sweep"]);
});
