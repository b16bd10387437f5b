import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sha256Hex } from "../protocol/canonical.ts";
import type { JobRequest, Message, PaymentRequest, RefusalReason, Result } from "../protocol/messages.ts";
import { Client, type ClientOptions } from "./client.ts";
import type { WalletEvent } from "./environment.ts";
import { FakeEnvironment, hex32 } from "./testing/fake-environment.ts";
import { paymentRequest, request, result } from "./testing/market.ts";

const [ROUTER, NODE] = [hex32("router"), hex32("node")];

class Bench {
  readonly env = new FakeEnvironment(hex32("client"));
  readonly client: Client;

  constructor(changes: Partial<ClientOptions> = {}) {
    this.client = new Client(this.env, { routers: [ROUTER], paymentAttempts: 3, paymentRetryUs: 1000, ...changes });
  }

  submit(jobId: string, changes: Partial<JobRequest> = {}): void {
    this.client.submit(request(jobId, changes));
    this.env.take();
  }

  say(from: string, message: Message): [string, Message][] {
    this.env.take();
    this.client.onMessage(from, message);
    return this.heard();
  }

  heard(): [string, Message][] {
    return this.env.take().map(({ to, message }) => [to, message]);
  }

  /** The answer to the `which`-th payment that was asked of the wallet. */
  wallet(which: number, kind: "paid" | "payment-failed"): [string, Message][] {
    const { jobId, purpose, payee, amountMsat, paymentHash } = this.env.wallet.asked[which]!;
    const facts = { jobId, purpose, payee, amountMsat, paymentHash };
    this.env.take();
    this.client.onWallet(kind === "paid" ? { kind, ...facts, preimage: hex32("preimage") } : { kind, ...facts, reason: "no-route" });
    return this.heard();
  }

  get ended(): unknown[] {
    return this.env.telemetry.of("ended").map(([, jobId, status, reason]) => [jobId, status, reason]);
  }

  get asked(): [string, string, number][] {
    return this.env.wallet.asked.map(({ jobId, purpose, amountMsat }) => [jobId, purpose, amountMsat]);
  }
}

/** A right result: 200 msat for the node, 10 for the router. */
function bill(jobId: string, node = NODE, receipt: Partial<Result["receipt"]> = {}): Result {
  const job = request(jobId);
  const payments: PaymentRequest[] = [paymentRequest(job, node, 200), paymentRequest(job, ROUTER, 10, { purpose: "fee" })];
  return result(job, node, 1, receipt, payments);
}

describe("a job that goes well", () => {
  test("is posted, answered, paid and completed", () => {
    const bench = new Bench();
    bench.client.submit(request("j"), "Hello");
    expect(bench.heard()).toEqual([[ROUTER, { type: "job", job: request("j"), prompt: "Hello" }]]);
    expect([bench.client.open, bench.env.pending]).toEqual([1, ["patience"]]);
    bench.say(NODE, { type: "token-chunk", jobId: "j", attempt: 2, firstToken: 0, tokens: 1, text: "Good" });
    bench.say(NODE, { type: "token-chunk", jobId: "j", attempt: 2, firstToken: 1, tokens: 99, text: " day — ✓" });
    expect(bench.say(NODE, { ...bill("j", NODE, { attempt: 2, outputHash: sha256Hex("Good day — ✓") }) })).toEqual([]);
    expect([bench.asked, bench.env.pending, bench.ended]).toEqual([[["j", "job", 200], ["j", "fee", 10]], [], []]);
    expect(bench.wallet(1, "paid")).toEqual([]);
    expect(bench.wallet(0, "paid")).toEqual([[ROUTER, {
      type: "payment-receipt", jobId: "j", purpose: "job", payer: hex32("client"), payee: NODE, amountMsat: 200, paymentHash: bench.env.wallet.asked[0]!.paymentHash, preimage: hex32("preimage"),
    }]]);
    expect(bench.env.telemetry.facts).toEqual([["submitted", "j"], ["firstToken", "j", 2], ["finished", "j", NODE, 2, 100, 100, 200, 10], ["ended", "j", "completed", ""]]);
    expect([bench.client.open, bench.env.pending]).toEqual([0, []]);
  });

  test("a result that costs nothing completes it at once", () => {
    const bench = new Bench();
    bench.submit("j");
    bench.say(NODE, { ...bill("j"), payments: [] });
    expect([bench.asked, bench.ended]).toEqual([[], [["j", "completed", ""]]]);
  });

  test("routers take turns", () => {
    const routers = [ROUTER, hex32("second"), hex32("third")];
    const bench = new Bench({ routers });
    for (let i = 0; i < 4; i++) bench.client.submit(request(`j${i}`));
    expect(bench.heard().map(([to]) => to)).toEqual([...routers, ROUTER]);
  });
});

describe("submission", () => {
  test("is in the client's own name, once per name at a time, and to some router", () => {
    const bench = new Bench();
    expect(() => bench.client.submit(request("j", {}, "another"))).toThrow(RangeError);
    bench.submit("j");
    expect(() => bench.client.submit(request("j"))).toThrow(RangeError);
    expect(() => new Bench({ routers: [] })).toThrow(RangeError);
    expect([bench.client.open, bench.env.telemetry.of("submitted").length]).toEqual([1, 1]);
  });
});

describe("the output is what the receipt says", () => {
  const chunk = (firstToken: number, tokens: number, text?: string, attempt = 1): Message => ({ type: "token-chunk", jobId: "j", attempt, firstToken, tokens, ...(text === undefined ? {} : { text }) });
  const verdict = (prompt: string | undefined, chunks: readonly Message[], outputTokens: number, output: string, from = NODE): unknown => {
    const bench = new Bench();
    bench.client.submit(request("j"), prompt);
    for (const each of chunks) bench.say(from, each);
    const amountMsat = 100 + outputTokens;
    bench.say(NODE, { ...bill("j", NODE, { outputTokens, amountMsat, outputHash: sha256Hex(output) }), payments: [paymentRequest(request("j"), NODE, amountMsat)] });
    if (bench.asked.length === 0) bench.env.advance(bench.client, 5_000_000);
    return bench.ended[0] ?? "paid";
  };
  const [wrong, lost] = [["j", "failed", "wrong-output"], ["j", "failed", "not-delivered"]];

  test("to the letter and to the token, however it was cut", () => {
    expect(verdict("Hello", [chunk(0, 1, "a"), chunk(1, 2, "bc")], 3, "abc")).toBe("paid");
    expect(verdict(undefined, [chunk(0, 3, "abc")], 3, "abc")).toBe("paid");
    expect(verdict("Hello", [], 0, "")).toBe("paid");
    // Said again, as after a connection that broke.
    expect(verdict("Hello", [chunk(0, 1, "a"), chunk(2, 1, "c"), chunk(0, 3, "abc")], 3, "abc")).toBe("paid");
    // An earlier attempt that came to nothing does not count.
    expect(verdict("Hello", [chunk(0, 2, "xx", 2), chunk(0, 3, "abc")], 3, "abc")).toBe("paid");
  });

  test("another text, a token too few, a gap, nothing at all, or from somebody else: disputed, not paid", () => {
    expect(verdict("Hello", [chunk(0, 3, "abd")], 3, "abc")).toEqual(wrong);
    expect(verdict("Hello", [chunk(0, 4, "abc")], 3, "abc")).toEqual(wrong);
    expect(verdict("Hello", [], 0, "abc")).toEqual(wrong);
    expect(verdict("Hello", [chunk(0, 2, "abc")], 3, "abc")).toEqual(lost);
    expect(verdict("Hello", [chunk(0, 1, "a"), chunk(2, 1, "bc")], 3, "abc")).toEqual(lost);
    expect(verdict("Hello", [], 3, "abc")).toEqual(lost);
    expect(verdict("Hello", [], 3, "")).toEqual(lost);
    expect(verdict("Hello", [chunk(0, 3, "abc")], 3, "abc", hex32("somebody"))).toEqual(lost);
  });

  test("a result that overtakes its output waits for it, a while", () => {
    const bench = new Bench();
    bench.client.submit(request("j"), "Hello");
    bench.say(NODE, chunk(0, 1, "a"));
    const early = { ...bill("j", NODE, { outputTokens: 3, amountMsat: 103, outputHash: sha256Hex("abc") }), payments: [paymentRequest(request("j"), NODE, 103)] };
    expect([bench.say(NODE, early), bench.asked, bench.ended]).toEqual([[], [], []]);
    bench.env.advance(bench.client, 4_999_999);
    bench.say(NODE, chunk(0, 3, "abc"));
    expect([bench.asked, bench.ended, bench.env.telemetry.of("firstToken").length]).toEqual([[["j", "job", 103]], [], 1]);
    // And once more changes nothing.
    bench.say(NODE, chunk(0, 3, "abc"));
    bench.say(NODE, early);
    bench.env.advance(bench.client, 1);
    expect([bench.asked.length, bench.ended, bench.wallet(0, "paid").length, bench.ended]).toEqual([1, [], 1, [["j", "completed", ""]]]);
  });

  test("where there is neither prompt nor text, as in the simulation, there is nothing to check", () => {
    expect(verdict(undefined, [chunk(0, 1)], 3, "abc")).toBe("paid");
  });
});

test("a quote is asked of a router, and heard once, from it alone", () => {
  const heard: unknown[] = [];
  const bench = new Bench({ onQuote: (answer) => heard.push(answer) });
  bench.client.askQuote(request("q"));
  expect(bench.heard()).toEqual([[ROUTER, { type: "quote-request", job: request("q") }]]);
  const refusal: Message = { type: "refuse", jobId: "q", attempt: 0, reason: "no-eligible-node" };
  bench.say(NODE, refusal);
  expect(heard).toEqual([]);
  bench.say(ROUTER, refusal);
  bench.say(ROUTER, refusal);
  expect(heard).toEqual([refusal]);
  bench.client.askQuote(request("late"));
  bench.client.forgetQuote("late");
  bench.say(ROUTER, { ...refusal, jobId: "late" } as Message);
  expect(heard).toEqual([refusal]);
  expect(() => bench.client.askQuote(request("q", {}, "another"))).toThrow(RangeError);
});

describe("a job that is given up", () => {
  test("when patience ends", () => {
    const bench = new Bench();
    bench.submit("j", { patienceUs: 500 });
    bench.env.advance(bench.client, 499);
    expect(bench.ended).toEqual([]);
    bench.env.advance(bench.client, 1);
    expect([bench.heard(), bench.ended]).toEqual([[[ROUTER, { type: "cancel", jobId: "j", reason: "patience" }]], [["j", "expired", "patience"]]]);
  });

  test("patience ends with the result: a slow payment is not a late job", () => {
    const bench = new Bench();
    bench.submit("j", { patienceUs: 500 });
    bench.say(NODE, bill("j"));
    bench.env.advance(bench.client, 10_000);
    expect([bench.ended, bench.client.cancel("j")]).toEqual([[], false]);
    bench.wallet(0, "paid");
    bench.wallet(1, "paid");
    expect(bench.ended).toEqual([["j", "completed", ""]]);
  });

  test("by its user", () => {
    const bench = new Bench();
    bench.submit("j");
    expect([bench.client.cancel("j"), bench.client.cancel("j"), bench.client.cancel("unknown")]).toEqual([true, false, false]);
    expect([bench.heard(), bench.ended, bench.env.pending]).toEqual([[[ROUTER, { type: "cancel", jobId: "j", reason: "user" }]], [["j", "cancelled", "user"]], []]);
  });

  test.each(["no-eligible-node", "router-queue-full", "router-wait-too-long", "attempts-exhausted"] as const)("by its router: %s", (reason) => {
    const bench = new Bench();
    bench.submit("j");
    bench.say(ROUTER, { type: "refuse", jobId: "j", attempt: 0, reason });
    expect([bench.ended, bench.env.pending]).toEqual([[["j", reason === "attempts-exhausted" ? "failed" : "rejected", reason]], []]);
  });

  test("when the router will not have it", () => {
    const bench = new Bench();
    bench.submit("j");
    bench.say(ROUTER, { type: "error", code: "duplicate-job", detail: "a job of this name is in progress", jobId: "j" });
    expect([bench.ended, bench.env.pending]).toEqual([[["j", "failed", "duplicate-job"]], []]);
  });

  test("the end of one job does not touch the clock of another", () => {
    const bench = new Bench();
    bench.submit("a", { patienceUs: 100 });
    bench.env.advance(bench.client, 100);
    // Ids of timers that are over are given out again.
    bench.submit("b", { patienceUs: 100 });
    bench.submit("c");
    bench.say(NODE, { ...bill("c"), payments: [] });
    bench.submit("d", { patienceUs: 100 });
    bench.env.advance(bench.client, 100);
    expect(bench.ended).toEqual([["a", "expired", "patience"], ["c", "completed", ""], ["b", "expired", "patience"], ["d", "expired", "patience"]]);
  });
});

describe("bills", () => {
  test.each([["over-metered", { outputTokens: 101 }], ["over-charged", { amountMsat: 201 }]] as const)("one that is %s is disputed, not paid", (claim, receipt) => {
    const bench = new Bench();
    bench.submit("j");
    expect(bench.say(NODE, bill("j", NODE, receipt))).toEqual([[ROUTER, { type: "dispute", jobId: "j", claim }]]);
    expect([bench.asked, bench.ended, bench.env.pending, bench.env.telemetry.of("finished")]).toEqual([[], [["j", "failed", claim]], [], []]);
  });

  test("one that goes beyond the client's maximum", () => {
    const bench = new Bench();
    bench.submit("j", { maxPriceMsat: 209 });
    bench.say(NODE, bill("j"));
    expect([bench.asked, bench.ended]).toEqual([[], [["j", "failed", "over-charged"]]]);
  });
});

describe("payments that fail", () => {
  test("are tried again, with pauses that double, until the job counts as failed", () => {
    const bench = new Bench();
    bench.submit("j");
    bench.say(NODE, bill("j"));
    bench.wallet(1, "paid");
    bench.wallet(0, "payment-failed");
    bench.env.advance(bench.client, 999);
    expect(bench.asked.length).toBe(2);
    bench.env.advance(bench.client, 1);
    expect(bench.asked.slice(2)).toEqual([["j", "job", 200]]);
    bench.wallet(2, "payment-failed");
    bench.env.advance(bench.client, 1999);
    expect(bench.asked.length).toBe(3);
    bench.env.advance(bench.client, 1);
    expect(bench.wallet(3, "payment-failed")).toEqual([]);
    expect([bench.asked.length, bench.ended, bench.client.open, bench.env.pending]).toEqual([4, [["j", "failed", "payment-failed: no-route"]], 0, []]);
  });

  test("and succeed in the end", () => {
    const bench = new Bench();
    bench.submit("j");
    bench.say(NODE, bill("j"));
    bench.wallet(0, "payment-failed");
    bench.wallet(1, "paid");
    bench.env.advance(bench.client, 1000);
    bench.wallet(2, "paid");
    expect(bench.ended).toEqual([["j", "completed", ""]]);
  });

  test("a fee that cannot be paid does not undo the job", () => {
    const bench = new Bench({ paymentAttempts: 1 });
    bench.submit("j");
    bench.say(NODE, bill("j"));
    bench.wallet(1, "payment-failed");
    expect(bench.ended).toEqual([]);
    bench.wallet(0, "paid");
    expect(bench.ended).toEqual([["j", "completed", ""]]);
  });

  test("a payment's end that comes after the job's changes nothing, also for a later job of the same name", () => {
    const bench = new Bench({ paymentAttempts: 1 });
    bench.submit("j");
    bench.say(NODE, bill("j"));
    bench.wallet(0, "payment-failed");
    expect([bench.wallet(1, "paid"), bench.ended.length]).toEqual([[], 1]);
    bench.submit("j");
    expect([bench.wallet(1, "paid"), bench.wallet(0, "payment-failed"), bench.ended.length, bench.client.open]).toEqual([[], [], 1, 1]);
  });

  test("what the wallet receives is none of the client's business", () => {
    const bench = new Bench();
    bench.submit("j");
    bench.say(NODE, bill("j"));
    bench.client.onWallet({ kind: "received", jobId: "j", purpose: "job", amountMsat: 200, paymentHash: hex32("x") });
    expect([bench.ended, bench.client.open]).toEqual([[], 1]);
  });
});

describe("those who speak out of turn", () => {
  const right = bill("j");
  const ignored: Record<string, [string, Message]> = {
    "a result in another node's name": [hex32("thief"), right],
    "a result that does not know the prompt": [hex32("thief"), bill("j", hex32("thief"), { promptHash: hex32("guess") })],
    "a result with another job's receipt": [NODE, { ...right, receipt: { ...right.receipt, jobId: "k" } }],
    "a result for another client": [NODE, { ...right, receipt: { ...right.receipt, client: hex32("another") } }],
    "a result of another model": [NODE, { ...right, receipt: { ...right.receipt, model: "cheaper" } }],
    "a result of an unknown job": [NODE, bill("k")],
    "a refusal by a node": [NODE, { type: "refuse", jobId: "j", attempt: 1, reason: "runner-failed" }],
    "a refusal by another router": [hex32("another router"), { type: "refuse", jobId: "j", attempt: 1, reason: "no-eligible-node" }],
    "a refusal of an unknown job": [ROUTER, { type: "refuse", jobId: "k", attempt: 1, reason: "no-eligible-node" }],
    "an error of a node": [NODE, { type: "error", code: "internal", detail: "no", jobId: "j" }],
    "an error about nothing": [ROUTER, { type: "error", code: "rate-limited", detail: "slow down" }],
    "tokens of an unknown job": [NODE, { type: "token-chunk", jobId: "k", attempt: 1, firstToken: 0, tokens: 1 }],
    "an acceptance": [NODE, { type: "accept", jobId: "j", attempt: 1 }],
    "a bare request for money": [NODE, paymentRequest(request("j"), NODE, 200)],
  };

  test.each(Object.keys(ignored))("%s changes nothing", (name) => {
    const bench = new Bench();
    bench.submit("j");
    const [from, message] = ignored[name]!;
    expect(bench.say(from, message)).toEqual([]);
    expect([bench.client.open, bench.env.pending, bench.asked, bench.env.telemetry.facts]).toEqual([1, ["patience"], [], [["submitted", "j"]]]);
    // The job's own result still comes through.
    bench.say(NODE, right);
    expect(bench.asked.length).toBe(2);
  });

  test("once the result is in, nothing but its payment decides", () => {
    const bench = new Bench();
    bench.submit("j");
    bench.say(NODE, right);
    bench.say(hex32("slower node"), bill("j", hex32("slower node")));
    bench.say(ROUTER, { type: "refuse", jobId: "j", attempt: 3, reason: "attempts-exhausted" });
    bench.say(ROUTER, { type: "error", code: "internal", detail: "no", jobId: "j" });
    expect([bench.asked.length, bench.ended, bench.env.telemetry.of("finished").length]).toEqual([2, [], 1]);
  });
});

const JOBS = ["j0", "j1", "j2"];
const step = fc.record({
  does: fc.constantFrom("submit", "submit", "result", "wrong result", "free result", "refuse", "error", "tokens", "cancel", "wallet", "wallet", "wait"),
  job: fc.constantFrom(...JOBS),
  from: fc.constantFrom(NODE, hex32("second node"), ROUTER, hex32("another router"), hex32("stranger")),
  forged: fc.constantFrom(false, false, false, true),
  which: fc.nat(100),
  succeeds: fc.boolean(),
  us: fc.nat(4000),
  reason: fc.constantFrom<RefusalReason>("no-eligible-node", "attempts-exhausted", "router-queue-full"),
});

/** Plays the steps, then lets clocks and wallets run out. */
function play(steps: readonly (typeof step extends fc.Arbitrary<infer T> ? T : never)[], plant: (client: Client, env: FakeEnvironment) => void = () => {}): void {
  const bench = new Bench();
  const { env, client } = bench;
  plant(client, env);
  /** The wallet's answers that are still to come. */
  const answers: WalletEvent[] = [];
  let asked = 0;
  let submitted = 0;
  const submittedUs = new Map<unknown, number>();
  let seen = 0;
  const settle = (which: number, succeeds: boolean): void => {
    for (; asked < env.wallet.asked.length; asked++) {
      const { jobId, purpose, payee, amountMsat, paymentHash } = env.wallet.asked[asked]!;
      answers.push({ kind: "paid", jobId, purpose, payee, amountMsat, paymentHash, preimage: hex32("preimage") });
    }
    const [answer] = answers.splice(which % Math.max(1, answers.length), 1);
    if (answer !== undefined) client.onWallet(succeeds ? answer : { ...answer, kind: "payment-failed", reason: "no-route" } as WalletEvent);
  };
  const check = (): void => {
    const ended = env.telemetry.of("ended");
    expect(ended.length + client.open).toBe(submitted);
    // Patience ends when it ends, not before and not after.
    for (; seen < ended.length; seen++) {
      const [, jobId, status] = ended[seen]!;
      if (status === "expired") expect(env.nowUs - submittedUs.get(jobId)!).toBe(5000);
    }
    // Whoever looks at one name sees submissions and ends in turn.
    for (const job of JOBS) {
      const order = env.telemetry.facts.filter(([fact, jobId]) => jobId === job && (fact === "submitted" || fact === "ended")).map(([fact]) => fact);
      expect(order).toEqual(order.map((_, i) => (i % 2 === 0 ? "submitted" : "ended")));
    }
    // Nobody is paid but a node with a right receipt and the job's router.
    for (const { purpose, payee, amountMsat } of env.wallet.asked) {
      expect(purpose === "fee" ? [payee, amountMsat] : [[NODE, hex32("second node")].includes(payee), amountMsat]).toEqual(purpose === "fee" ? [ROUTER, 10] : [true, 200]);
    }
  };
  for (const { does, job, from, forged, which, succeeds, us, reason } of steps) {
    const node = from === NODE || from === hex32("second node");
    const open = env.telemetry.of("submitted").filter(([, id]) => id === job).length > env.telemetry.of("ended").filter(([, id]) => id === job).length;
    if (does === "submit" && !open) {
      submittedUs.set(job, env.nowUs);
      client.submit(request(job, { patienceUs: 5000 }));
      submitted++;
    } else if (does === "result") client.onMessage(from, bill(job, node && !forged ? from : hex32("forged")));
    else if (does === "wrong result") client.onMessage(from, bill(job, node ? from : hex32("forged"), forged ? { amountMsat: 199 } : { outputTokens: 101 }));
    else if (does === "free result" && node) client.onMessage(from, { ...bill(job, from, forged ? { promptHash: hex32("guess") } : {}), payments: [] });
    else if (does === "refuse") client.onMessage(from, { type: "refuse", jobId: job, attempt: 1, reason });
    else if (does === "error") client.onMessage(from, { type: "error", code: "internal", detail: "no", jobId: job });
    else if (does === "tokens") client.onMessage(from, { type: "token-chunk", jobId: job, attempt: 1, firstToken: which % 2, tokens: 1 });
    else if (does === "cancel") client.cancel(job);
    else if (does === "wallet") settle(which, succeeds);
    else if (does === "wait") env.advance(client, us, check);
    check();
  }
  for (let i = 0; i < 100; i++) {
    env.advance(client, 5000, check);
    settle(0, false);
  }
  check();
  expect([client.open, env.pending]).toEqual([0, []]);
}

test("over any sequence of messages each job ends exactly once, and only who is owed is paid", () => {
  fc.assert(fc.property(fc.array(step, { maxLength: 60, size: "max" }), (steps) => play(steps)), { seed: 1, numRuns: 300 });
});

const faults: Record<string, (client: Client, env: FakeEnvironment) => void> = {
  "cancelled timers fire": (_, env) => void (env.cancel = () => false),
  "an end is told twice": (_, { telemetry }) => {
    const ended = telemetry.ended.bind(telemetry);
    telemetry.ended = (jobId, status, reason) => {
      ended(jobId, status, reason);
      if (reason === "internal") ended(jobId, status, reason);
    };
  },
  "patience is never remembered": (_, env) => {
    const after = env.after.bind(env);
    env.after = (delayUs, timer) => (timer.kind === "patience" ? -2 : after(delayUs, timer));
  },
  "results are taken at their word": (client) => {
    const onMessage = client.onMessage.bind(client);
    client.onMessage = (from, message) => onMessage(message.type === "result" ? message.receipt.node : from, message);
  },
};

test.each(Object.keys(faults))("the property finds a planted fault: %s", (name) => {
  expect(fc.check(fc.property(fc.array(step, { maxLength: 60, size: "max" }), (steps) => play(steps, faults[name]!)), { seed: 1, numRuns: 300, endOnFailure: true }).failed).toBe(true);
});
