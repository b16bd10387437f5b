import { describe, expect, test } from "vitest";
import type { Award, CallForBids, Message, PriceSheet } from "../protocol/messages.ts";
import { Node, type NodeOptions } from "./node.ts";
import { FakeEnvironment, hex32 } from "./testing/fake-environment.ts";
import { descriptor, FREE, offer, prices, request } from "./testing/market.ts";

const ROUTER = hex32("router");
const POSTED = offer().prices;
const fixed = (msat: number): PriceSheet => prices(0, 0, msat);

class Bench {
  readonly env: FakeEnvironment;
  readonly node: Node;

  constructor(bidFor?: NodeOptions["bidFor"], heard: Message[] = []) {
    const { type: _, node: __, ...described } = descriptor("node", { slots: 1, queueLimit: 1 });
    this.env = new FakeEnvironment(hex32("node"), { slots: 1 });
    this.node = new Node(this.env, { descriptor: described, routers: [ROUTER], heartbeatUs: 1_000_000, heartbeatOffsetUs: 300, invoiceExpiryUs: 5000, bidFor, onMarketState: (state) => { heard.push(state); } });
    this.node.start();
  }

  say(message: Message, from = ROUTER): Message[] {
    this.env.take();
    this.node.onMessage(from, message);
    return this.env.take().map((sent) => sent.message);
  }

  call(jobId: string, changes: Partial<CallForBids> = {}, from = ROUTER): Message[] {
    return this.say({ type: "call-for-bids", job: request(jobId), closesInUs: 100, reserveMsat: 500, ...changes }, from);
  }

  award(jobId: string, sheet: PriceSheet, attempt = 1): string {
    const award: Award = { type: "award", job: request(jobId), attempt, prices: sheet, fee: FREE };
    const [answer] = this.say(award);
    return answer?.type === "refuse" ? answer.reason : answer?.type ?? "";
  }
}

describe("a node that is called for bids", () => {
  test("bids its posted prices unless its operator knows better", () => {
    expect(new Bench().call("j")).toMatchObject([{ type: "bid", jobId: "j", prices: POSTED, expectedStartUs: 0 }]);
    const seen: unknown[] = [];
    const bench = new Bench((call, posted) => { seen.push([call.reserveMsat, posted]); return fixed(7); });
    expect(bench.call("j")).toMatchObject([{ type: "bid", prices: fixed(7) }]);
    expect(seen).toEqual([[500, POSTED]]);
    expect(new Bench(() => undefined).call("j")).toEqual([]);
  });

  test("keeps silent where it could not take the job, and to strangers", () => {
    const bench = new Bench();
    expect([bench.call("j", {}, hex32("stranger")), bench.call("j", { job: request("j", { model: "other" }) }), bench.call("j", { job: request("j", { inputTokens: 8_093 }) })]).toEqual([[], [], []]);
    expect([bench.award("a", POSTED), bench.call("j").length, bench.award("b", POSTED), bench.call("j")]).toEqual(["accept", 1, "accept", []]);
    bench.node.shutDown();
    expect(bench.call("k")).toEqual([]);
  });

  test("takes the job at its bid or more, at every length; its posted prices do not count then", () => {
    const bench = new Bench(() => ({ inputMsatPerMtok: 5, outputMsatPerMtok: 6, fixedMsat: 7 }));
    bench.call("j");
    expect(bench.award("j", { inputMsatPerMtok: 5, outputMsatPerMtok: 5, fixedMsat: 7 })).toBe("price-changed");
    expect(bench.award("j", { inputMsatPerMtok: 500, outputMsatPerMtok: 500, fixedMsat: 6 })).toBe("price-changed");
    bench.call("j");
    expect(bench.award("j", { inputMsatPerMtok: 5, outputMsatPerMtok: 8, fixedMsat: 7 })).toBe("accept");
    // No bid was made for this one: its posted prices hold.
    expect(bench.award("k", { inputMsatPerMtok: 5, outputMsatPerMtok: 8, fixedMsat: 7 })).toBe("price-changed");
  });

  test("a later bid for the same job replaces the earlier one, and no bid holds for ever", () => {
    let msat = 10;
    const bench = new Bench(() => fixed(msat));
    bench.call("j");
    msat = 20;
    bench.call("j");
    expect(bench.award("j", fixed(15))).toBe("price-changed");
    const late = new Bench(() => fixed(10));
    late.call("j");
    late.env.advance(late.node, 20_000_000);
    expect(late.award("j", fixed(10))).toBe("price-changed");
    expect(late.award("j", POSTED, 2)).toBe("accept");
  });

  test("hears how its market stands, from its own routers alone", () => {
    const heard: Message[] = [];
    const bench = new Bench(undefined, heard);
    const state: Message = { type: "market-state", model: request("j").model, asks: [], nodes: 1, busyPpm: 0, waiting: 0, intervalUs: 5 };
    bench.say(state, hex32("stranger"));
    bench.say(state);
    expect(heard).toEqual([state]);
  });
});
