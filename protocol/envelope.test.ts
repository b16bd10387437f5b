import fc from "fast-check";
import { verifyEvent } from "nostr-tools/pure";
import { describe, expect, test } from "vitest";
import { authorOf } from "./author.ts";
import { canonicalJson } from "./canonical.ts";
import { contentBytesMax } from "./content-size.ts";
import { open, seal } from "./envelope.ts";
import { eventId } from "./event.ts";
import type { NostrEvent, UnsignedEvent } from "./event.ts";
import { messageJsonSchema } from "./json-schema.ts";
import { CLOCK_AHEAD_MAX_S, ENVELOPE_BYTES_MAX, ENVELOPE_KIND, LIFETIME_MAX_S } from "./limits.ts";
import { message as messageSchema } from "./messages.ts";
import type { Message, PaymentReceipt } from "./messages.ts";
import { ReplayGuard } from "./replay-guard.ts";
import { Signer } from "./signer.ts";
import { nearMiss, oddValue, valuesOf } from "./testing/arbitraries.ts";

const alice = new Signer(new Uint8Array(32).fill(1));
const bob = new Signer(new Uint8Array(32).fill(2));
const mallory = new Signer(new Uint8Array(32).fill(3));
const nowS = 1_700_000_000;
const accept: Message = { type: "accept", jobId: "job-1", attempt: 1 };
const schema = messageJsonSchema();

const sealed = (message: Message = accept, from = alice): NostrEvent => seal(message, { signer: from, to: bob.publicKey, nowS, expiresInS: 60 });
const opened = (envelope: unknown, replay = new ReplayGuard(), atS = nowS): ReturnType<typeof open> => open(envelope, { self: bob.publicKey, nowS: atS, replay });

/** An event with some parts replaced, and id and signature made anew by `signer`: what only the signer itself can do. */
function resigned(event: NostrEvent, change: Partial<UnsignedEvent>, signer = alice): NostrEvent {
  const { id: _id, sig: _sig, ...unsigned } = { ...event, pubkey: signer.publicKey, ...change };
  const id = eventId(unsigned);
  return { id, ...unsigned, sig: signer.sign(id) };
}

/** The message with `peer` put where it names its sender. */
function inTheNameOf(peer: string, message: Message): Message {
  const copy = structuredClone(message) as Record<string, unknown>;
  const author = authorOf(message);
  if (author === undefined) return message;
  const path = author.field.split(".");
  let at = copy;
  for (const step of path.slice(0, -1)) at = at[step] as Record<string, unknown>;
  at[path.at(-1)!] = peer;
  return copy as Message;
}

/** Opening must fail with this code and field, and leave the guard as it was. */
function expectRefusal(envelope: unknown, code: string, field: string, detail = /^[A-Za-z].*\.$/, atS = nowS): void {
  const replay = new ReplayGuard();
  expect(opened(envelope, replay, atS)).toEqual({ ok: false, code, field, detail: expect.stringMatching(detail) });
  expect(replay.keys).toBe(0);
}

describe("sealing and opening", () => {
  test("every type of message arrives as it was sent, from whom it was sent, through JSON text", () => {
    const types = new Set<string>();
    fc.assert(fc.property(valuesOf(schema), (value) => {
      const message = inTheNameOf(alice.publicKey, value as Message);
      types.add(message.type);
      const outcome = opened(JSON.stringify(sealed(message)));
      // -0 crosses the wire as 0.
      expect(outcome).toMatchObject({ ok: true, from: alice.publicKey, message: JSON.parse(canonicalJson(message)) });
    }), { seed: 1, numRuns: 120 });
    expect(types.size).toBe(messageSchema.options.length);
  });

  test("an envelope is a Nostr event that nostr-tools verifies, with addressee, expiry, version and nonce as tags", () => {
    const event = seal(accept, { signer: alice, to: bob.publicKey, nowS, expiresInS: 60, nonce: "n1" });
    expect(verifyEvent({ ...event })).toBe(true);
    expect(event).toMatchObject({
      pubkey: alice.publicKey, created_at: nowS, kind: ENVELOPE_KIND, content: '{"attempt":1,"jobId":"job-1","type":"accept"}',
      tags: [["p", bob.publicKey], ["expiration", String(nowS + 60)], ["infernet", "2"], ["salt", "n1"]],
    });
  });

  test("the same message, key, time and nonce give the same bytes, today and tomorrow", () => {
    const event = seal(accept, { signer: alice, to: bob.publicKey, nowS, expiresInS: 60, nonce: "n1" });
    expect(event.id).toBe("4ca2470108fbc9692ba80b29969282838fb99ba98773463f947ba2e71622f18b");
    expect(seal(accept, { signer: new Signer(new Uint8Array(32).fill(1)), to: bob.publicKey, nowS, expiresInS: 60, nonce: "n1" })).toEqual(event);
  });

  test("two like messages of one second are two", () => {
    const replay = new ReplayGuard();
    expect(opened(sealed(), replay)).toMatchObject({ ok: true });
    expect(opened(sealed(), replay)).toMatchObject({ ok: true });
    expect(replay.idsOf(alice.publicKey)).toBe(2);
  });

  test("what the sender itself got wrong is thrown at it", () => {
    const options = { signer: alice, to: bob.publicKey, nowS, expiresInS: 60 };
    expect(() => seal({ ...accept, attempt: 0 } as Message, options)).toThrow("attempt must be at least 1");
    for (const expiresInS of [0, -1, 0.5, LIFETIME_MAX_S + 1, Number.NaN]) expect(() => seal(accept, { ...options, expiresInS })).toThrow("an envelope lives from 1 to");
    for (const wrongS of [-1, 0.5, Number.NaN]) expect(() => seal(accept, { ...options, nowS: wrongS })).toThrow("created_at");
    expect(() => seal(accept, { ...options, to: "bob" })).toThrow("the addressee is a public key of 64 lower-case hexadecimal digits");
    expect(() => seal(accept, { ...options, nonce: "x".repeat(129) })).toThrow("tags[3][1]");
    expect(() => seal(inTheNameOf(mallory.publicKey, receipt()), options)).toThrow("cannot seal a payment-receipt whose payer is not the signer");
    expect(() => seal({ type: "token-chunk", jobId: "j", attempt: 1, firstToken: 0, tokens: 1, text: "\u0001".repeat(500_000) }, options)).toThrow(`a token-chunk takes at most ${contentBytesMax("token-chunk")} bytes`);
  });
});

function receipt(): PaymentReceipt {
  const hash = "0".repeat(64);
  return { type: "payment-receipt", jobId: "j", purpose: "job", payer: alice.publicKey, payee: bob.publicKey, amountMsat: 1, paymentHash: hash, preimage: hash };
}

describe("an envelope is refused, and changes nothing,", () => {
  test("when it comes a second time, as text or parsed, at once or as late as it lives", () => {
    const replay = new ReplayGuard();
    const event = sealed();
    expect(opened(event, replay)).toMatchObject({ ok: true, id: event.id });
    for (const atS of [nowS, nowS + 59, nowS - 10]) {
      expect(opened(event, replay, atS)).toMatchObject({ ok: false, code: "replayed", field: "id" });
      expect(opened(JSON.stringify(event, null, 2), replay, atS)).toMatchObject({ ok: false, code: "replayed" });
    }
    expect(opened(event, replay, nowS + 60)).toMatchObject({ ok: false, code: "expired" });
    expect(replay.idsOf(alice.publicKey)).toBe(1);
  });

  test("from the second on in which it expires", () => {
    expect(opened(sealed(), new ReplayGuard(), nowS + 59)).toMatchObject({ ok: true });
    expectRefusal(sealed(), "expired", "tags", /expired/, nowS + 60);
  });

  test("when its maker's clock is too far ahead, and not when it is a little ahead", () => {
    expect(opened(sealed(), new ReplayGuard(), nowS - CLOCK_AHEAD_MAX_S)).toMatchObject({ ok: true });
    expectRefusal(sealed(), "bad-envelope", "created_at", /61 s ahead of this clock; at most 60 s/, nowS - CLOCK_AHEAD_MAX_S - 1);
  });

  test("when it is for somebody else", () => {
    expectRefusal(seal(accept, { signer: alice, to: mallory.publicKey, nowS, expiresInS: 60 }), "misaddressed", "tags", /another peer/);
  });

  test("when it is of another version, whatever else is new in it", () => {
    const tags = [["p", bob.publicKey], ["expiration", String(nowS + 60)], ["infernet", "3"], ["future", "x"]];
    expectRefusal(resigned(sealed(), { tags, content: "?" }), "unsupported-version", "tags", /speaks version 2/);
  });

  test("when a tag is missing, doubled, unknown or malformed, though it be signed", () => {
    const event = sealed();
    const [p, expiration, version, salt] = event.tags as [string[], string[], string[], string[]];
    const cases: string[][][] = [
      [], [p, expiration, version], [expiration, version, salt], [p, version, salt], [p, expiration, salt], [p, p, expiration, version, salt],
      [p, expiration, version, salt, ["alt", "x"]], [p, expiration, version, [...salt, "20"]], [p, expiration, version, ["salt"]], [p, expiration, version, version, salt],
    ];
    for (const tags of cases) expectRefusal(resigned(event, { tags }), "bad-envelope", "tags");
    for (const value of ["", "x", "1e10", ` ${nowS + 60}`, `0${nowS + 60}`, `${nowS + 60}.5`, String(nowS), String(nowS - 1), String(nowS + LIFETIME_MAX_S + 1), "99999999999999999999"]) {
      expectRefusal(resigned(event, { tags: [p, ["expiration", value], version, salt] }), "bad-envelope", "tags", /expiration must be/);
    }
    // The order of the tags means nothing.
    expect(opened(resigned(event, { tags: [salt, version, p, expiration] }))).toMatchObject({ ok: true });
    expectRefusal(resigned(event, { kind: 1 }), "bad-envelope", "kind");
  });

  test("when it is too long: the text as a whole, or the content for its type", () => {
    expectRefusal("x".repeat(ENVELOPE_BYTES_MAX + 1), "oversized", "", /at most/);
    expectRefusal(`"${"é".repeat(ENVELOPE_BYTES_MAX / 2)}"`, "oversized", "", /at most/);
    const long = { type: "error", code: "internal", detail: "é".repeat(1_000), field: "😀".repeat(256), jobId: "j" } as const;
    expect(opened(sealed(long))).toMatchObject({ ok: true });
    const chunk = canonicalJson({ type: "token-chunk", jobId: "j", attempt: 1, firstToken: 0, tokens: 1, text: "\u0001".repeat(400_000) });
    expectRefusal(resigned(sealed(), { content: chunk }), "oversized", "content", /longer than any message of its type/);
    const wide = canonicalJson({ type: "token-chunk", jobId: "j", attempt: 1, firstToken: 0, tokens: 1, text: "é".repeat(970_000) + "\u0001".repeat(30_000) });
    expectRefusal(resigned(sealed(), { content: wide }), "oversized", "content", /A token-chunk takes at most/);
    // Before it is judged against the schemas, which takes long for what is long.
    for (const type of ["heartbeat", "constructor", "?"]) {
      expectRefusal(resigned(sealed(), { content: `{"offers":[${"{},".repeat(200_000)}{}],"type":"${type}"}` }), "oversized", "content", /longer than any message of its type/);
    }
  });

  test("when its content is no valid message: the fault names the field", () => {
    const cases: [string, string, RegExp][] = [
      ["", "", /not JSON/], ["[]", "", /must be an object/], ['{"type":"accept"}', "jobId", /jobId must be a string; found nothing/],
      ['{"attempt":1,"jobId":"j","type":"accept","x":1}', "x", /^x is a field that version 2 of the protocol does not know\.$/],
      ['{"attempt":9007199254740993,"jobId":"j","type":"accept"}', "attempt", /attempt must be/],
    ];
    for (const [content, field, detail] of cases) expectRefusal(resigned(sealed(), { content }), "bad-message", field, detail);
  });

  test("when its content is not in canonical form: two readers could differ on doubled keys and other spellings", () => {
    for (const content of [
      '{"jobId":"j","attempt":1,"type":"accept"}', '{"attempt":1, "jobId":"j","type":"accept"}', '{"attempt":2,"attempt":1,"jobId":"j","type":"accept"}',
      '{"attempt":1.0,"jobId":"j","type":"accept"}', '{"attempt":1,"jobId":"\\u006a","type":"accept"}',
    ]) expectRefusal(resigned(sealed(), { content }), "bad-message", "", /canonical/);
  });

  test("when the message speaks in another's name", () => {
    const forged = resigned(sealed(receipt()), {}, mallory);
    expectRefusal(forged, "bad-message", "payer", /payer must be the envelope's sender/);
  });

  test("when it was signed by another key than it says", () => {
    const event = sealed();
    const id = event.id;
    expectRefusal({ ...event, sig: mallory.sign(id) }, "bad-signature", "sig");
    expectRefusal({ ...event, sig: "0".repeat(128) }, "bad-signature", "sig");
    const stolen = { ...event, pubkey: mallory.publicKey };
    expectRefusal(stolen, "bad-envelope", "id");
    expectRefusal({ ...stolen, id: eventId(stolen) }, "bad-signature", "sig");
    // A public key that is no point of the curve.
    const nobody = { ...event, pubkey: "f".repeat(64) };
    expectRefusal({ ...nobody, id: eventId(nobody) }, "bad-signature", "sig");
  });

  test("when anything in it was changed on the way; and the honest one still opens afterwards", () => {
    const event = sealed();
    let refusals = 0;
    fc.assert(fc.property(nearMiss(event), (mutant) => {
      fc.pre(!isSame(mutant, event));
      const replay = new ReplayGuard();
      expect(opened(mutant, replay).ok).toBe(false);
      expect(replay.keys).toBe(0);
      refusals++;
    }), { seed: 1, numRuns: 600 });
    expect(refusals).toBeGreaterThan(400);
    expect(opened(event)).toMatchObject({ ok: true });
  });

  test("when a character of its text was changed, left out or put in", () => {
    const event = sealed();
    const text = JSON.stringify(event);
    fc.assert(fc.property(fc.nat(text.length - 1), fc.nat(1), fc.constantFrom("", "0", "1", "a", "f", "\"", "\\", ",", " ", "é", "\u0000"), (at, removed, put) => {
      const mutant = text.slice(0, at) + put + text.slice(at + removed);
      fc.pre(!isSame(parsed(mutant), event));
      const replay = new ReplayGuard();
      expect(opened(mutant, replay).ok).toBe(false);
      expect(replay.keys).toBe(0);
    }), { seed: 1, numRuns: 600 });
  });

  test("whatever junk it is; nothing throws", () => {
    fc.assert(fc.property(fc.oneof(oddValue, fc.string(), fc.json()), (junk) => {
      expect(opened(junk).ok).toBe(false);
    }), { seed: 1, numRuns: 600 });
    fc.assert(fc.property(fc.oneof(fc.json(), fc.string()), (content) => {
      expect(opened(resigned(sealed(), { content })).ok).toBe(false);
    }), { seed: 1, numRuns: 50 });
    const deep = 500_000;
    expectRefusal("[".repeat(deep) + "]".repeat(deep), "bad-envelope", "");
    expectRefusal(resigned(sealed(), { content: "[".repeat(deep) + "]".repeat(deep) }), "oversized", "content");
    expectRefusal(resigned(sealed(), { content: "[".repeat(4_000) + "]".repeat(4_000) }), "bad-message", "");
  });

  test("a refusal repeats no text of the message", () => {
    const secret = "my secret prompt";
    for (const content of [`{"type":"job","prompt":"${secret}"}`, `{"type":"${secret}"}`, `{"attempt":"${secret}","jobId":"j","type":"accept"}`, `{"detail":["${secret}"],"type":"error"}`, secret]) {
      expect(JSON.stringify(opened(resigned(sealed(), { content })))).not.toContain(secret);
    }
  });
});

test("among honest, changed, replayed, late and early envelopes in any order, each honest one in time is acted on once", () => {
  const honest = Array.from({ length: 12 }, (_, index) => sealed({ ...accept, jobId: `job-${index}` } as Message, index % 2 === 0 ? alice : mallory));
  const trials = fc.array(fc.record({ index: fc.nat(11), change: fc.constantFrom("none", "none", "sig", "content", "pubkey", "created_at"), atS: fc.constantFrom(nowS - 61, nowS, nowS + 30, nowS + 60) }), { maxLength: 60 });
  fc.assert(fc.property(trials, (steps) => {
    const replay = new ReplayGuard();
    const acted = new Set<string>();
    let latestS = -1;
    for (const { index, change, atS } of steps) {
      const event = honest[index]!;
      const envelope = { ...event };
      if (change === "sig") envelope.sig = honest[(index + 1) % 12]!.sig;
      if (change === "content") envelope.content = event.content.replace("1", "2");
      if (change === "pubkey") envelope.pubkey = bob.publicKey;
      if (change === "created_at") envelope.created_at += 1;
      const fresh = change === "none" && !acted.has(event.id) && atS >= nowS - CLOCK_AHEAD_MAX_S && Math.max(atS, latestS) < nowS + 60;
      expect(opened(envelope, replay, atS).ok).toBe(fresh);
      if (fresh) { acted.add(event.id); latestS = Math.max(latestS, atS); }
    }
    expect(replay.idsOf(alice.publicKey) + replay.idsOf(mallory.publicKey)).toBe(acted.size);
  }), { seed: 1, numRuns: 60 });
});

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whether two values are the same envelope on the wire. */
function isSame(a: unknown, b: unknown): boolean {
  try {
    return canonicalJson(parsed(JSON.stringify(a))) === canonicalJson(b);
  } catch {
    return false;
  }
}
