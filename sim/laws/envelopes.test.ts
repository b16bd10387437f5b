import { describe, expect, test } from "vitest";
import { canonicalJson } from "../../protocol/canonical.ts";
import { seal } from "../../protocol/envelope.ts";
import { eventId, type NostrEvent } from "../../protocol/event.ts";
import type { ErrorCode, Message, PeerId } from "../../protocol/messages.ts";
import { ReplayGuard } from "../../protocol/replay-guard.ts";
import { Signer } from "../../protocol/signer.ts";
import { type RunOptions, SimulatedRun } from "../experiment/run.ts";
import { loadScenario } from "../scenario/load.ts";
import { SignedEnvelopes } from "../world/envelopes.ts";
import { type Fault, patch, withPatches } from "./testing/patches.ts";
import { must } from "./testing/violation.ts";

const { scenario } = loadScenario(`
name: hostile
question: What does a stranger on the wire change?
horizon: 5s
network: { messages: signed, verifying: 0us, signing: 60us, latency: 20ms, sameRegion: 5ms }
router: { heartbeat: 2500ms, fee: { share: 100 bps, flat: 0 msat } }
operators:
  - { name: node, count: 2, model: m, engine: { service-time: { slots: 1, service: { exponential: { mean: 400ms } } } }, queueLimit: 1, price: { input: 1000 sat/Mtok, output: 1000 sat/Mtok }, churn: { failure: 20% } }
clients:
  - { name: users, model: m, arrivals: { regular: { rate: 2/s } }, inputTokens: 100, outputTokens: 100, patience: 1s }
`, "hostile.yaml");

/** One envelope that the wire carried. */
interface Carried {
  readonly from: number;
  readonly to: number;
  readonly event: NostrEvent;
  readonly text: string;
}

interface Injected {
  readonly parcel: string;
  readonly from: number;
  readonly to: number;
  readonly delayUs: number;
  readonly code: ErrorCode;
}

type Attack = (carried: Carried, index: number, nowS: number) => readonly Injected[];

const stranger = new Signer(new Uint8Array(32).fill(7));
const heartbeat: Message = { type: "heartbeat", incarnation: 0, sequence: 1_000_000, running: 0, waiting: 0, kvTokensUsed: 0, accepting: false };
const resealed = (event: NostrEvent, change: Partial<NostrEvent>): string => {
  const changed = { ...event, ...change };
  return JSON.stringify({ ...changed, id: eventId(changed) });
};
const signedByStranger = (change: (event: NostrEvent) => Partial<NostrEvent>, to: PeerId, nowS: number, message: Message = heartbeat): string => {
  const event = seal(message, { signer: stranger, to, nowS, expiresInS: 60 });
  const changed = { ...event, ...change(event) };
  const id = eventId(changed);
  return JSON.stringify({ ...changed, id, sig: stranger.sign(id) });
};
const addresseeOf = ({ event }: Carried): PeerId => event.tags.find(([name]) => name === "p")![1]!;

/** What a stranger who sees every envelope can do with it. Each is refused for the reason given. */
const attacks: Readonly<Record<string, Attack>> = {
  // After the first has been acted on: earlier, it would be that one that counts.
  replayed: ({ from, to, text }) => [{ parcel: text, from, to, delayUs: 1_000_000, code: "replayed" }],
  // Before the honest one: the receiver must not take that one for seen.
  forged: ({ from, to, event }) => [{ parcel: JSON.stringify({ ...event, sig: event.sig.replace(/^./, (digit) => (digit === "0" ? "1" : "0")) }), from, to, delayUs: 0, code: "bad-signature" }],
  changed: ({ from, to, event }) => [
    { parcel: JSON.stringify({ ...event, content: event.content.replace(/\d(?=[,}])/, (digit) => (digit === "9" ? "8" : "9")) }), from, to, delayUs: 0, code: "bad-envelope" },
    { parcel: resealed(event, { content: event.content.replace(/\d(?=[,}])/, (digit) => (digit === "9" ? "8" : "9")) }), from, to, delayUs: 0, code: "bad-signature" },
  ],
  "in another's name": (carried, _, nowS) => [{ parcel: signedByStranger(() => ({}), addresseeOf(carried), nowS), from: carried.from, to: carried.to, delayUs: 0, code: "bad-signature" }],
  misaddressed: ({ from, to, text }) => [{ parcel: text, from, to: to === 0 ? 1 : 0, delayUs: 0, code: "misaddressed" }],
  expired: (carried, _, nowS) => (nowS < 3 ? [] : [{ parcel: signedByStranger(({ tags }) => ({ created_at: 0, tags: tags.map((tag) => (tag[0] === "expiration" ? ["expiration", "2"] : tag)) }), addresseeOf(carried), nowS), from: carried.from, to: carried.to, delayUs: 0, code: "expired" }]),
  "from the future": (carried, _, nowS) => [{ parcel: signedByStranger(({ tags }) => ({ created_at: nowS + 100, tags: tags.map((tag) => (tag[0] === "expiration" ? ["expiration", String(nowS + 200)] : tag)) }), addresseeOf(carried), nowS), from: carried.from, to: carried.to, delayUs: 0, code: "bad-envelope" }],
  oversized: (carried, _, nowS) => [{ parcel: signedByStranger(({ content }) => ({ content: `${" ".repeat(9_000)}${content}` }), addresseeOf(carried), nowS), from: carried.from, to: carried.to, delayUs: 0, code: "oversized" }],
  "not one at all": ({ from, to }, index) => [{ parcel: ["", "{}", "not JSON", "[1,2]", "null"][index % 5]!, from, to, delayUs: 0, code: "bad-envelope" }],
  "of another version": (carried, _, nowS) => [{ parcel: signedByStranger(({ tags }) => ({ tags: tags.map((tag) => (tag[0] === "infernet" ? ["infernet", "999"] : tag)) }), addresseeOf(carried), nowS), from: carried.from, to: carried.to, delayUs: 0, code: "unsupported-version" }],
};

interface Outcome {
  readonly report: string;
  readonly delivered: number;
}

function playSigned(options: RunOptions, attack: Attack | null, injected: Injected[]): Outcome {
  const carried: Carried[] = [];
  return withPatches([() => patch(SignedEnvelopes.prototype, "seal", (original) => function (this: SignedEnvelopes, from, to, message, departUs) {
    const text = original.call(this, from, to, message, departUs);
    carried.push({ from, to: -1, event: JSON.parse(text) as NostrEvent, text });
    return text;
  })], () => {
    const run = new SimulatedRun(scenario, options);
    const { world } = run;
    const indexes = new Map<PeerId, number>();
    let handled = 0;
    do {
      for (; handled < carried.length; handled++) {
        const one = carried[handled]!;
        indexes.set(one.event.pubkey, one.from);
        const to = indexes.get(addresseeOf(one));
        if (attack === null || to === undefined || handled % 3 !== 0) continue;
        for (const hostile of attack({ ...one, to }, handled, Math.floor(world.kernel.nowUs / 1e6))) {
          injected.push(hostile);
          world.inject(hostile.from, hostile.to, hostile.parcel, hostile.delayUs);
        }
      }
    } while (!run.step(Math.max(0, Math.min(world.kernel.nextUs, scenario.horizonUs > world.kernel.nowUs ? scenario.horizonUs : Infinity) - world.kernel.nowUs)));
    return { report: canonicalJson(run.finish()), delivered: world.delivered };
  });
}

let honest: Outcome | undefined;
/** Law 12: a forged, replayed, expired, oversized or misaddressed envelope never changes state: everything is as without it. */
function checkEnvelopes(attack: Attack): number {
  honest ??= playSigned({}, null, []);
  const injected: Injected[] = [];
  const refused: ErrorCode[] = [];
  const attacked = playSigned({ onRefused: (code) => refused.push(code) }, attack, injected);
  must(attacked.delivered === honest.delivered, () => `${attacked.delivered} messages were acted on instead of ${honest!.delivered}`);
  must(attacked.report === honest.report, () => "the results are others");
  // Those that arrive after the run's end are not refused any more.
  const expected = new Set(injected.map(({ code }) => code));
  must(refused.every((code) => expected.has(code)), () => `refused as ${[...new Set(refused)].join(", ")}, expected ${[...expected].join(", ")}`);
  must(refused.length <= injected.length && refused.length >= injected.length * 0.8, () => `${refused.length} of ${injected.length} were refused`);
  return refused.length;
}

describe("law 12: envelopes", () => {
  test.each(Object.keys(attacks))("one that is %s changes nothing", (name) => {
    expect(checkEnvelopes(attacks[name]!)).toBeGreaterThan(9);
  });

  test.each<readonly [string, string, Fault]>([
    ["forgets what it has seen", "replayed", () => patch(ReplayGuard.prototype, "refusal", () => () => undefined)],
    ["remembers what it has not proven", "forged", () => patch(ReplayGuard.prototype, "refusal", (original) => function (this: ReplayGuard, sighting, nowS) {
      const refusal = original.call(this, sighting, nowS);
      if (refusal === undefined && !admitting) {
        admitting = true;
        this.admit(sighting, nowS);
        admitting = false;
      }
      return refusal;
    })],
    ["does not look at the addressee", "misaddressed", () => patch(SignedEnvelopes.prototype, "open", (original) => function (this: SignedEnvelopes, to, from, parcel, nowUs) {
      return original.call(this, to, from, parcel, nowUs) ?? heartbeat;
    })],
  ])("is seen to be broken by a receiver that %s", (_, name, fault) => {
    expect(() => withPatches([fault], () => checkEnvelopes(attacks[name]!))).toThrow(/were acted on|the results are others|refused|law of/);
  });
  let admitting = false;

  test("between honest peers a refusal is a fault of the program, and stops the run", () => {
    const everything: Fault = () => patch(ReplayGuard.prototype, "refusal", () => () => "expired" as const);
    expect(() => withPatches([everything], () => playSigned({}, null, []))).toThrow(/an envelope between honest peers was refused: expired/);
  });
});
