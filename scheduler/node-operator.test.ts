import { describe, expect, test } from "vitest";
import type { Award, Descriptor, MarketState, Message, PriceSheet, Refuse, Result } from "../protocol/messages.ts";
import { HONOUR_US, Node } from "./node.ts";
import { Operator, type OperatorOptions } from "./strategy/operator.ts";
import { FakeEnvironment, hex32 } from "./testing/fake-environment.ts";
import { descriptor, FREE, offer, request } from "./testing/market.ts";

const ROUTER = hex32("router");
const SECOND = 1_000_000;
const SHEET = offer().prices;
const half: PriceSheet = { inputMsatPerMtok: SHEET.inputMsatPerMtok / 2, outputMsatPerMtok: SHEET.outputMsatPerMtok / 2, fixedMsat: SHEET.fixedMsat / 2 };

/** A node of four slots whose operator decides every second. */
function start(options: Partial<OperatorOptions> & Pick<OperatorOptions, "strategy">) {
  const { type: _, node: __, ...described } = descriptor("node", { slots: 4, queueLimit: 0 });
  const env = new FakeEnvironment(hex32("node"), { nowUs: 0, slots: 4 });
  const operator = new Operator(env.self, described, { repriceUs: SECOND, cost: { inputMsatPerMtok: 0, outputMsatPerMtok: 0, fixedMsat: 0 }, ...options }, (purpose) => env.random(purpose));
  const changes: number[] = [];
  const node = new Node(env, {
    descriptor: described, routers: [ROUTER], heartbeatUs: 1e12, heartbeatOffsetUs: 1e12, invoiceExpiryUs: 5000, operator,
    bidFor: (call, posted) => operator.bidFor(call, posted), onReprice: () => void changes.push(env.nowUs),
  });
  node.start();
  env.take();
  const say = (message: Message): Message[] => {
    env.take();
    node.onMessage(ROUTER, message);
    return env.take().map(({ message: sent }) => sent);
  };
  const wait = (us: number): Message[] => {
    env.take();
    env.advance(node, us);
    return env.take().map(({ message: sent }) => sent);
  };
  const award = (jobId: string, prices: PriceSheet): Award => ({ type: "award", job: request(jobId), attempt: 1, prices, fee: FREE });
  return { env, node, changes, say, wait, award };
}

const rivalAsks = (prices: PriceSheet): MarketState => ({ type: "market-state", model: offer().model, asks: [{ node: hex32("rival"), prices }], nodes: 2, busyPpm: 0, waiting: 0, intervalUs: SECOND });

describe("a node whose operator reprices", () => {
  test("says so by a descriptor of the same incarnation, and only when something changed", () => {
    const { say, wait, changes } = start({ strategy: { kind: "undercut", by: 0.5 } });
    expect(wait(SECOND)).toEqual([]);
    say(rivalAsks(SHEET));
    expect(wait(SECOND)).toEqual([descriptor("node", { slots: 4, queueLimit: 0, offers: [{ ...offer(), prices: half }] })]);
    expect(wait(3 * SECOND)).toEqual([]);
    expect(changes).toEqual([2 * SECOND]);
  });

  test("listens to its own routers alone", () => {
    const { node, env, wait } = start({ strategy: { kind: "undercut", by: 0.5 } });
    node.onMessage(hex32("stranger"), rivalAsks(SHEET));
    env.take();
    expect(wait(SECOND)).toEqual([]);
  });

  test("takes awards at its former prices for ten seconds after it has become dearer, bills them so, and then no more", () => {
    const { env, node, say, wait, award } = start({ strategy: { kind: "undercut", by: 0.5 } });
    say(rivalAsks(SHEET));
    wait(SECOND);
    say(rivalAsks({ inputMsatPerMtok: SHEET.inputMsatPerMtok * 4, outputMsatPerMtok: SHEET.outputMsatPerMtok * 4, fixedMsat: SHEET.fixedMsat * 4 }));
    expect(wait(SECOND)).toHaveLength(1);
    expect(say(award("early", half))).toMatchObject([{ type: "accept", jobId: "early" }]);
    expect(say(award("cheeky", { ...half, outputMsatPerMtok: half.outputMsatPerMtok - 1 }))).toMatchObject([{ type: "refuse", reason: "price-changed" }]);
    wait(HONOUR_US + 1);
    expect((say(award("late", half)) as Refuse[]).map(({ reason }) => reason)).toEqual(["price-changed"]);
    expect(say(award("now", SHEET))).toMatchObject([{ type: "accept", jobId: "now" }]);
    env.take();
    env.runner.remove("early");
    node.onRunner({ kind: "finished", jobId: "early", outputTokens: 10, finishReason: "stop", outputHash: hex32("output") });
    expect((env.take().map(({ message }) => message)[0] as Result).receipt.prices).toEqual(half);
  });

  test("is held to its bid, not to what it posted before", () => {
    const { say, wait, award } = start({ strategy: { kind: "undercut", by: 0.5 } });
    say(rivalAsks(SHEET));
    wait(SECOND);
    say(rivalAsks({ inputMsatPerMtok: SHEET.inputMsatPerMtok * 4, outputMsatPerMtok: SHEET.outputMsatPerMtok * 4, fixedMsat: SHEET.fixedMsat * 4 }));
    wait(SECOND);
    expect(say({ type: "call-for-bids", job: request("j"), closesInUs: 1000 })).toMatchObject([{ type: "bid", prices: SHEET }]);
    expect(say(award("j", half))).toMatchObject([{ type: "refuse", reason: "price-changed" }]);
    expect(say(award("k", half))).toMatchObject([{ type: "accept" }]);
  });

  test("offers and takes no more slots than its operator commits", () => {
    const { say, wait, award } = start({ strategy: { kind: "newsvendor", slotCostMsat: 1e9, step: 2 } });
    expect((wait(SECOND) as Descriptor[]).map(({ slots }) => slots)).toEqual([2]);
    expect(["a", "b", "c"].flatMap((jobId) => say(award(jobId, SHEET))).map(({ type }) => type)).toEqual(["accept", "accept", "refuse"]);
  });

  test("bids what its strategy says, and is held to it", () => {
    const cost: PriceSheet = { inputMsatPerMtok: 3, outputMsatPerMtok: 4, fixedMsat: 5 };
    const { say, award } = start({ strategy: { kind: "truthful" }, costOf: () => cost });
    expect(say({ type: "call-for-bids", job: request("j"), closesInUs: 1000 })).toMatchObject([{ type: "bid", jobId: "j", prices: cost }]);
    expect(say(award("j", { ...cost, fixedMsat: 4 }))).toMatchObject([{ type: "refuse", reason: "price-changed" }]);
    say({ type: "call-for-bids", job: request("k"), closesInUs: 1000 });
    expect(say(award("k", cost))).toMatchObject([{ type: "accept" }]);
  });
});
