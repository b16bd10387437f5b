import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Award, type FeeTerms, type Heartbeat, type Message, message, type PriceSheet, type RefusalReason, type Result } from "../protocol/messages.ts";
import { Node, type NodeOptions } from "./node.ts";
import { FakeEnvironment, hex32 } from "./testing/fake-environment.ts";
import { descriptor, FREE, offer, prices, request } from "./testing/market.ts";

const ROUTER = hex32("router");
const SHEET = offer().prices;

/** A node on the bench, with one slot and one place in its queue. */
class Bench {
  readonly env: FakeEnvironment;
  readonly node: Node;

  constructor(changes: Partial<NodeOptions["descriptor"]> = {}, nowUs = 0) {
    const { type: _, node: __, ...described } = descriptor("node", { slots: 1, queueLimit: 1, ...changes });
    this.env = new FakeEnvironment(hex32("node"), { nowUs, slots: described.slots });
    this.node = new Node(this.env, { descriptor: described, routers: [ROUTER, hex32("second router")], heartbeatUs: 1000, heartbeatOffsetUs: 300, invoiceExpiryUs: 5000 });
  }

  say(from: string, message: Message): [string, Message][] {
    this.env.take();
    this.node.onMessage(from, message);
    return this.heard();
  }

  heard(): [string, Message][] {
    return this.env.take().map(({ to, message }) => [to, message]);
  }

  award(jobId: string, changes: Partial<Award> = {}, from = ROUTER): [string, Message][] {
    return this.say(from, award(jobId, changes));
  }

  /** The runner starts after 1 ms, has the first token after 2 more, and is done after 3 more. */
  serve(jobId: string, outputTokens = 100): [string, Message][] {
    this.env.take();
    this.env.advance(this.node, 1000);
    this.node.onRunner({ kind: "started", jobId });
    this.env.advance(this.node, 2000);
    this.node.onRunner({ kind: "first-token", jobId });
    this.env.advance(this.node, 3000);
    this.finish(jobId, outputTokens);
    return this.heard();
  }

  finish(jobId: string, outputTokens = 100): void {
    this.env.runner.remove(jobId);
    this.node.onRunner({ kind: "finished", jobId, outputTokens, finishReason: "stop", outputHash: hex32("output") });
  }
}

function award(jobId: string, changes: Partial<Award> = {}): Award {
  return { type: "award", job: request(jobId), attempt: 1, prices: SHEET, fee: FREE, ...changes };
}

const refused = (jobId: string, reason: RefusalReason, attempt = 1): [string, Message][] => [[ROUTER, { type: "refuse", jobId, attempt, reason }]];
const accepted = (jobId: string, attempt = 1): [string, Message][] => [[ROUTER, { type: "accept", jobId, attempt }]];

describe("registration", () => {
  test("it sends its descriptor to every router, then beats in its own rhythm", () => {
    const bench = new Bench();
    bench.node.start();
    expect(bench.heard()).toEqual([ROUTER, hex32("second router")].map((to) => [to, descriptor("node", { slots: 1, queueLimit: 1 })]));
    bench.env.advance(bench.node, 299);
    expect(bench.heard()).toEqual([]);
    bench.award("j");
    bench.award("k");
    bench.env.advance(bench.node, 2001);
    const beats = bench.heard();
    expect(beats.map(([to, message]) => [to, (message as { sequence: number }).sequence])).toEqual([0, 1, 2].flatMap((sequence) => [[ROUTER, sequence], [hex32("second router"), sequence]]));
    expect(beats[0]![1]).toEqual({ type: "heartbeat", incarnation: 0, sequence: 0, running: 1, waiting: 1, kvTokensUsed: 0, accepting: true });
  });

  test("its heartbeats say how busy the machine is, each time anew, where that is measured and known", () => {
    const env = new FakeEnvironment(hex32("node"));
    const { type: _, node: __, ...described } = descriptor("node");
    const readings = [{ cpuPpm: 250_000, memoryPpm: 1_000_000 }, undefined, { cpuPpm: 0, gpuPpm: 7, memoryPpm: 0 }];
    let asked = 0;
    const node = new Node(env, {
      descriptor: described, routers: [ROUTER, hex32("second router")], heartbeatUs: 1000, heartbeatOffsetUs: 0, invoiceExpiryUs: 5000, utilisation: () => readings[asked++],
    });
    node.start();
    env.take();
    env.advance(node, 2500);
    const beats = env.take().map(({ message }) => message);
    expect(beats.map((beat) => message.parse(beat))).toEqual(beats);
    expect(beats.map((beat) => (beat as Heartbeat).utilisation)).toEqual([0, 0, 1, 1, 2, 2].map((i) => readings[i]));
    expect("utilisation" in beats[2]!).toBe(false);
    expect(asked).toBe(3);
  });

  describe("a connection that broke", () => {
  const HASH = hex32("output");
  const finish = (bench: Bench): void => {
    bench.env.runner.remove("j");
    bench.node.onRunner({ kind: "finished", jobId: "j", outputTokens: 3, finishReason: "stop", outputHash: HASH });
    bench.env.take();
  };
  const running = (sheet = SHEET): Bench => {
    const bench = new Bench({ offers: [offer({ prices: sheet })] });
    bench.node.start();
    bench.award("j", { prices: sheet });
    bench.node.onRunner({ kind: "first-token", jobId: "j", text: "a" });
    bench.node.onRunner({ kind: "tokens", jobId: "j", firstToken: 1, tokens: 2, text: "bc" });
    bench.env.take();
    return bench;
  };
  const again = (bench: Bench, router = ROUTER): unknown[] => {
    bench.node.reconnected(router);
    return bench.heard().map(([to, message]) => [to, message.type, ...(message.type === "token-chunk" ? [message.firstToken, message.tokens, message.text] : message.type === "result" ? [message.payments.length] : [])]);
  };
  const CLIENT = request("j").client;

  test("may have swallowed tokens: they are said again", () => {
    expect(again(running())).toEqual([[ROUTER, "descriptor"], [CLIENT, "token-chunk", 0, 3, "abc"]]);
    expect(again(running(), hex32("second router"))).toEqual([[hex32("second router"), "descriptor"]]);
  });

  test("may have swallowed the result: it is said again, until it is paid or half a minute has passed", () => {
    const bench = running();
    finish(bench);
    const whole = [[ROUTER, "descriptor"], [CLIENT, "token-chunk", 0, 3, "abc"], [CLIENT, "result", 1], [ROUTER, "result", 0]];
    expect(again(bench)).toEqual(whole);
    expect(again(bench)).toEqual(whole);
    bench.node.onWallet({ kind: "received", jobId: "j", purpose: "job", amountMsat: 103, paymentHash: hex32("invoice 0") });
    expect(again(bench)).toEqual([[ROUTER, "descriptor"]]);
    const free = running(prices(0));
    finish(free);
    free.env.advance(free.node, 29_000_000);
    free.env.take();
    expect(again(free)).toEqual([[ROUTER, "descriptor"], [CLIENT, "token-chunk", 0, 3, "abc"], [CLIENT, "result", 0], [ROUTER, "result", 0]]);
    free.env.advance(free.node, 2_000_000);
    free.env.take();
    expect(again(free)).toEqual([[ROUTER, "descriptor"]]);
  });

  test("may have swallowed more than is kept: the newest eight million characters are said again", () => {
    const bench = new Bench();
    const text = "x".repeat(200_000);
    for (let i = 0; i < 50; i++) {
      bench.award(`j${i}`);
      bench.node.onRunner({ kind: "first-token", jobId: `j${i}`, text });
      bench.finish(`j${i}`, 1);
    }
    bench.heard();
    bench.node.reconnected(ROUTER);
    const said = bench.heard().flatMap(([, message]) => (message.type === "token-chunk" ? [message.jobId] : []));
    expect(said).toEqual(Array.from({ length: 40 }, (_, i) => `j${10 + i}`));
  });
});

test("it registers anew with a router that does not know it; others may ask in vain", () => {
    const bench = new Bench();
    const unknown: Message = { type: "error", code: "not-registered", detail: "send your descriptor first" };
    expect(bench.say(ROUTER, unknown).map(([to, { type }]) => [to, type])).toEqual([[ROUTER, "descriptor"]]);
    expect([bench.say(hex32("stranger"), unknown), bench.say(ROUTER, { ...unknown, code: "rate-limited" })]).toEqual([[], []]);
  });

  test("a model is offered once", () => {
    expect(() => new Bench({ offers: [offer(), offer({ prices: prices(1) })] })).toThrow(RangeError);
  });
});

describe("admission", () => {
  test("it accepts and hands the job with its prompt to the runner", () => {
    const bench = new Bench();
    expect(bench.award("j", { attempt: 3, prompt: "Hello" })).toEqual(accepted("j", 3));
    const { model, inputTokens, maxOutputTokens, priority } = request("j");
    expect(bench.env.runner.jobs).toEqual([{ jobId: "j", model, inputTokens, maxOutputTokens, priority, prompt: "Hello" }]);
    expect([bench.node.open, [...bench.node.jobsAtRunner()]]).toEqual([1, ["j"]]);
  });

  const reasons: Record<string, [RefusalReason, Partial<Award>]> = {
    "a model it does not offer": ["unknown-model", { job: request("j", { model: "other" }) }],
    "a longer context": ["context-too-long", { job: request("j", { inputTokens: 8093 }) }],
    "a lower price for input": ["price-changed", { prices: { ...SHEET, inputMsatPerMtok: SHEET.inputMsatPerMtok - 1 } }],
    "a lower price for input that output alone makes up for": ["price-changed", { prices: { ...SHEET, inputMsatPerMtok: SHEET.inputMsatPerMtok - 1, outputMsatPerMtok: 1_000_000_000 } }],
    "a lower price for output that the rest does not make up for at the most tokens": ["price-changed", { prices: { ...SHEET, inputMsatPerMtok: SHEET.inputMsatPerMtok + 99, outputMsatPerMtok: SHEET.outputMsatPerMtok - 100 } }],
  };
  test.each(Object.keys(reasons))("it refuses %s", (name) => {
    const bench = new Bench();
    const [reason, changes] = reasons[name]!;
    expect([bench.award("j", changes), bench.node.open, bench.env.runner.jobs]).toEqual([refused("j", reason), 0, []]);
  });

  test("it takes a lower price for a part where the job is paid as much at every length", () => {
    const { inputTokens, maxOutputTokens } = request("j");
    expect([inputTokens, maxOutputTokens]).toEqual([100, 100]);
    const forInput = { ...SHEET, inputMsatPerMtok: SHEET.inputMsatPerMtok + 100, outputMsatPerMtok: SHEET.outputMsatPerMtok - 100 };
    expect(new Bench().award("j", { prices: forInput })).toEqual(accepted("j"));
    expect(new Bench().award("j", { prices: { ...SHEET, inputMsatPerMtok: SHEET.inputMsatPerMtok - 10_000, fixedMsat: SHEET.fixedMsat + 1 } })).toEqual(accepted("j"));
  });

  test("it takes a context that just fits", () => {
    expect(new Bench().award("j", { job: request("j", { inputTokens: 8092 }) })).toEqual(accepted("j"));
  });

  test("it refuses a job that it has, and keeps it", () => {
    const bench = new Bench();
    bench.award("j");
    expect([bench.award("j", { attempt: 2 }), bench.node.open, bench.env.runner.jobs.length]).toEqual([refused("j", "duplicate-job", 2), 1, 1]);
  });

  test("it refuses what has no place, until a job is done, cancelled or failed", () => {
    const bench = new Bench();
    bench.award("j");
    bench.award("k");
    expect(bench.award("l")).toEqual(refused("l", "queue-full"));
    bench.serve("j");
    expect([bench.award("l"), bench.award("m")]).toEqual([accepted("l"), refused("m", "queue-full")]);
    bench.say(ROUTER, { type: "cancel", jobId: "l", reason: "superseded" });
    expect([bench.award("m"), bench.award("n")]).toEqual([accepted("m"), refused("n", "queue-full")]);
    bench.node.onRunner({ kind: "failed", jobId: "m", reason: "runner-failed" });
    expect([bench.award("n"), bench.award("o")]).toEqual([accepted("n"), refused("o", "queue-full")]);
  });

  test("when it shuts down it says so, takes nothing new and finishes what it has", () => {
    const bench = new Bench();
    bench.award("j");
    bench.env.take();
    bench.node.shutDown();
    expect(bench.heard().map(([, message]) => message.type === "heartbeat" && message.accepting)).toEqual([false, false]);
    expect(bench.award("k")).toEqual(refused("k", "shutting-down"));
    expect(bench.serve("j").map(([, { type }]) => type)).toEqual(["token-chunk", "result", "result"]);
  });
});

describe("leaving", () => {
  test("it hands back what the runner has not begun, or all that has no result yet", () => {
    const bench = new Bench();
    bench.award("j");
    bench.award("k");
    bench.node.onRunner({ kind: "started", jobId: "j" });
    bench.env.take();
    expect([bench.node.handBack("waiting"), bench.heard()]).toEqual([1, refused("k", "shutting-down")]);
    expect([bench.node.handBack("all"), bench.heard(), bench.env.runner.cancelled]).toEqual([1, refused("j", "shutting-down"), ["k", "j"]]);
    expect([bench.node.handBack("all"), bench.node.open]).toEqual([0, 0]);
  });

  test("what is delivered is not handed back: it is owed", () => {
    const bench = new Bench();
    bench.award("j");
    bench.serve("j");
    expect([bench.node.handBack("all"), bench.node.open]).toEqual([0, 1]);
  });
});

test("it registers anew with a router that comes back, and with nobody else", () => {
  const bench = new Bench();
  bench.node.reconnected(ROUTER);
  bench.node.reconnected(hex32("stranger"));
  expect(bench.heard().map(([to, { type }]) => [to, type])).toEqual([[ROUTER, "descriptor"]]);
});

describe("delivery", () => {
  test("tokens and the result with its bill go to the client, the receipt without bill to the router", () => {
    const bench = new Bench({}, 777);
    const fee: FeeTerms = { shareBps: 1000, flatMsat: 2 };
    const feePaymentHash = hex32("the router's invoice");
    bench.award("j", { fee, feePaymentHash, attempt: 2 });
    const sent = bench.serve("j", 42);
    const job = request("j");
    const receipt = {
      type: "metering-receipt" as const, jobId: "j", attempt: 2, node: hex32("node"), client: job.client, model: job.model, inputTokens: 100, outputTokens: 42,
      prices: SHEET, amountMsat: 142, queuedUs: 1000, prefillUs: 2000, decodeUs: 3000, promptHash: job.promptHash, outputHash: hex32("output"),
    };
    const payment = (purpose: "job" | "fee", payee: string, amountMsat: number, paymentHash: string) => ({ type: "payment-request", jobId: "j", purpose, payee, amountMsat, paymentHash, expiresInUs: 5000 });
    expect(bench.env.wallet.invoices).toEqual([{ jobId: "j", purpose: "job", amountMsat: 142, paymentHash: hex32("invoice 0") }]);
    expect(sent).toEqual([
      [job.client, { type: "token-chunk", jobId: "j", attempt: 2, firstToken: 0, tokens: 1 }],
      // 142 msat, a tenth of it rounded down, and 2 msat.
      [job.client, { type: "result", jobId: "j", finishReason: "stop", receipt, payments: [payment("job", hex32("node"), 142, hex32("invoice 0")), payment("fee", ROUTER, 16, feePaymentHash)] }],
      [ROUTER, { type: "result", jobId: "j", finishReason: "stop", receipt, payments: [] }],
    ]);
    expect(bench.env.telemetry.facts).toEqual([["started", "j", 2]]);
    expect([...bench.node.jobsAtRunner()]).toEqual([]);
  });

  test("the bill is the award's prices on what was metered, rounded once; never more than was allowed", () => {
    const sheet = fc.record({ inputMsatPerMtok: fc.nat(50_000_000), outputMsatPerMtok: fc.nat(50_000_000), fixedMsat: fc.nat(1000) });
    fc.assert(
      fc.property(sheet, fc.nat(100_000), fc.integer({ min: 1, max: 100_000 }), fc.nat(100_000), fc.record({ shareBps: fc.nat(10_000), flatMsat: fc.nat(100) }), (given: PriceSheet, inputTokens, maxOutputTokens, drawn, fee) => {
        const outputTokens = drawn % (maxOutputTokens + 1);
        const bench = new Bench({ offers: [offer({ prices: given, contextTokensMax: 1_000_000 })] });
        bench.award("j", { prices: given, job: request("j", { inputTokens, maxOutputTokens }), fee, feePaymentHash: hex32("fee") });
        const sent = bench.serve("j", outputTokens);
        const { receipt, payments } = sent.at(-2)![1] as Result;
        const exact = (BigInt(inputTokens) * BigInt(given.inputMsatPerMtok) + BigInt(outputTokens) * BigInt(given.outputMsatPerMtok)) / 1_000_000n + BigInt(given.fixedMsat);
        expect([receipt.outputTokens, BigInt(receipt.amountMsat)]).toEqual([outputTokens, exact]);
        expect(payments.map(({ purpose, amountMsat }) => [purpose, BigInt(amountMsat)])).toEqual(
          [["job", exact], ["fee", (exact * BigInt(fee.shareBps)) / 10_000n + BigInt(fee.flatMsat)]].filter(([, amount]) => (amount as bigint) > 0n),
        );
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  test("a runner that says nothing before the end leaves no negative times in the receipt", () => {
    const bench = new Bench({}, 5000);
    bench.award("j");
    bench.env.advance(bench.node, 700);
    bench.finish("j", 0);
    const { receipt } = bench.heard().at(-1)![1] as Result;
    expect([receipt.outputTokens, receipt.queuedUs, receipt.prefillUs, receipt.decodeUs]).toEqual([0, 700, 0, 0]);
  });

  test("a runner that writes more than it may has failed: nothing is billed", () => {
    const bench = new Bench();
    bench.award("j");
    expect(bench.serve("j", 101).at(-1)).toEqual(refused("j", "runner-failed")[0]);
    expect([bench.node.open, bench.env.wallet.invoices]).toEqual([0, []]);
  });

  test("the client declares a bound on its prompt, and pays what was counted; more than declared is not served", () => {
    const counted = (inputTokens: number): [string, Message][] => {
      const bench = new Bench();
      bench.award("j");
      bench.env.take();
      bench.env.runner.remove("j");
      bench.node.onRunner({ kind: "finished", jobId: "j", outputTokens: 10, finishReason: "stop", outputHash: hex32("output"), inputTokens });
      return bench.heard();
    };
    expect(counted(30)[0]![1]).toMatchObject({ type: "result", receipt: { inputTokens: 30, outputTokens: 10, amountMsat: 40 } });
    expect(counted(101)).toEqual(refused("j", "input-over-declared"));
  });

  test("a runner's failure goes to the router", () => {
    const bench = new Bench();
    bench.award("j", { attempt: 2 });
    bench.env.take();
    bench.node.onRunner({ kind: "failed", jobId: "j", reason: "runner-failed" });
    expect([bench.heard(), bench.node.open]).toEqual([refused("j", "runner-failed", 2), 0]);
  });

  test("a job that costs nothing is done with its result", () => {
    const bench = new Bench({ offers: [offer({ prices: prices(0) })] });
    bench.award("j", { prices: prices(0) });
    expect((bench.serve("j").at(-2)![1] as Result).payments).toEqual([]);
    expect([bench.node.open, bench.env.wallet.invoices]).toEqual([0, []]);
  });

  test("events of jobs that it does not have change nothing", () => {
    const bench = new Bench();
    bench.node.onRunner({ kind: "started", jobId: "j" });
    bench.finish("j");
    bench.node.onRunner({ kind: "failed", jobId: "j", reason: "runner-failed" });
    expect([bench.heard(), bench.env.telemetry.facts, bench.award("k"), bench.award("l"), bench.award("m")]).toEqual([[], [], accepted("k"), accepted("l"), refused("m", "queue-full")]);
  });
});

describe("money", () => {
  function delivered(): Bench {
    const bench = new Bench();
    bench.node.start();
    bench.award("j");
    bench.serve("j");
    return bench;
  }
  const received = { kind: "received", jobId: "j", purpose: "job", amountMsat: 200, paymentHash: hex32("invoice 0") } as const;

  test("a payment closes the job", () => {
    const bench = delivered();
    expect(bench.node.open).toBe(1);
    bench.node.onWallet(received);
    bench.env.advance(bench.node, 100_000);
    expect([bench.node.open, bench.node.unpaidMsat]).toEqual([0, 0]);
  });

  test("what is not paid in time is written off, once", () => {
    const bench = delivered();
    bench.env.advance(bench.node, 4000);
    expect([bench.node.open, bench.node.unpaidMsat]).toEqual([1, 0]);
    bench.env.advance(bench.node, 2000);
    expect([bench.node.open, bench.node.unpaidMsat]).toEqual([0, 200]);
    bench.node.onWallet(received);
    bench.env.advance(bench.node, 100_000);
    expect(bench.node.unpaidMsat).toBe(200);
  });

  test("jobs that still run are not written off, however long they take", () => {
    const bench = new Bench();
    bench.node.start();
    bench.award("j");
    bench.env.advance(bench.node, 1_000_000);
    expect([bench.node.open, bench.node.unpaidMsat]).toEqual([1, 0]);
  });

  test("a late payment for an earlier job of the same name does not touch the one that runs", () => {
    const bench = delivered();
    bench.env.advance(bench.node, 6000);
    bench.award("j");
    bench.node.onWallet(received);
    expect([...bench.node.jobsAtRunner()]).toEqual(["j"]);
  });

  test("other wallet events change nothing", () => {
    const bench = delivered();
    bench.node.onWallet({ ...received, purpose: "fee" });
    bench.node.onWallet({ ...received, jobId: "k" });
    bench.node.onWallet({ kind: "payment-failed", jobId: "j", purpose: "job", payee: ROUTER, amountMsat: 1, paymentHash: hex32("x"), reason: "no-route" });
    expect(bench.node.open).toBe(1);
  });
});

describe("whom it listens to", () => {
  test("awards come from its routers only", () => {
    const bench = new Bench();
    for (const stranger of [hex32("stranger"), request("j").client, hex32("node")]) expect(bench.award("j", {}, stranger)).toEqual([]);
    expect([bench.node.open, bench.award("j", {}, hex32("second router"))]).toEqual([0, [[hex32("second router"), { type: "accept", jobId: "j", attempt: 1 }]]]);
  });

  test("a cancellation comes from the router that awarded the job, or from its client", () => {
    for (const [from, left] of [[ROUTER, 0], [request("j").client, 0], [hex32("second router"), 1], [hex32("stranger"), 1]] as const) {
      const bench = new Bench();
      bench.award("j");
      expect(bench.say(from, { type: "cancel", jobId: "j", reason: "user" })).toEqual([]);
      expect([from, bench.node.open, bench.env.runner.jobs.length, bench.env.runner.cancelled.length]).toEqual([from, left, left, 1 - left]);
    }
  });

  test("what is delivered cannot be cancelled: it is owed", () => {
    const bench = new Bench();
    bench.award("j");
    bench.serve("j");
    bench.say(ROUTER, { type: "cancel", jobId: "j", reason: "superseded" });
    bench.say(ROUTER, { type: "cancel", jobId: "unknown", reason: "superseded" });
    expect([bench.node.open, bench.env.runner.cancelled]).toEqual([1, []]);
    // Nor does it make room twice.
    expect([bench.award("k"), bench.award("l"), bench.award("m")]).toEqual([accepted("k"), accepted("l"), refused("m", "queue-full")]);
  });

  test("messages that are none of a node's business change nothing", () => {
    const bench = new Bench();
    bench.award("j");
    const job = request("j");
    for (const message of [{ type: "job", job }, { type: "accept", jobId: "j", attempt: 1 }, { type: "refuse", jobId: "j", attempt: 1, reason: "queue-full" }, { type: "dispute", jobId: "j", claim: "not-paid" }] as Message[]) {
      expect(bench.say(ROUTER, message)).toEqual([]);
    }
    expect(bench.node.open).toBe(1);
  });
});

test("over any sequence of awards, events and cancellations it never holds more than it has places for, and bills each job at most once", () => {
  const step = fc.record({ does: fc.constantFrom("award", "award", "finish", "fail", "cancel", "pay", "wait"), job: fc.nat(5), by: fc.constantFrom(ROUTER, hex32("second router"), hex32("client"), hex32("stranger")) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const bench = new Bench({ slots: 2, queueLimit: 1 });
      const { env, node } = bench;
      node.start();
      /** What is to be at the runner, with the router that awarded it. */
      const held = new Map<string, string>();
      const owed = new Set<string>();
      let [delivered, paid] = [0, 0];
      for (const { does, job, by } of steps) {
        const jobId = `j${job}`;
        if (does === "award") {
          const isRouter = by === ROUTER || by === hex32("second router");
          const answer = bench.award(jobId, {}, by).map(([to, message]) => [to, message.type, message.type === "refuse" ? message.reason : ""]);
          if (!isRouter) expect(answer).toEqual([]);
          else if (held.has(jobId) || owed.has(jobId)) expect(answer).toEqual([[by, "refuse", "duplicate-job"]]);
          else if (held.size >= 3) expect(answer).toEqual([[by, "refuse", "queue-full"]]);
          else {
            expect(answer).toEqual([[by, "accept", ""]]);
            held.set(jobId, by);
          }
        } else if (does === "cancel") {
          bench.say(by, { type: "cancel", jobId, reason: "user" });
          if (by === held.get(jobId) || by === hex32("client")) held.delete(jobId);
        } else if (does === "finish" && held.delete(jobId)) {
          bench.finish(jobId);
          owed.add(jobId);
          delivered++;
        } else if (does === "fail" && held.delete(jobId)) {
          env.runner.remove(jobId);
          node.onRunner({ kind: "failed", jobId, reason: "runner-failed" });
        } else if (does === "pay") {
          node.onWallet({ kind: "received", jobId, purpose: "job", amountMsat: 200, paymentHash: hex32("x") });
          if (owed.delete(jobId)) paid++;
        } else if (does === "wait") {
          env.advance(node, 10_000);
          owed.clear();
        }
        expect([...node.jobsAtRunner()].sort()).toEqual([...held.keys()].sort());
        expect(env.runner.jobs.map((each) => each.jobId).sort()).toEqual([...held.keys()].sort());
        expect(node.open).toBe(held.size + owed.size);
      }
      env.advance(node, 10_000);
      expect([node.unpaidMsat, env.wallet.invoices.length]).toEqual([(delivered - paid) * 200, delivered]);
    }),
    { seed: 1, numRuns: 300 },
  );
});
