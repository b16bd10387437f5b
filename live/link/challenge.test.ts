import { describe, expect, test } from "vitest";
import { eventId } from "../../protocol/event.ts";
import { Signer } from "../../protocol/signer.ts";
import { ANSWER_AGE_MAX_S, answerChallenge, checkAnswer } from "./challenge.ts";

const signer = new Signer(new Uint8Array(32).fill(1));
const challenge = { nonce: "ab".repeat(32), audience: `router:${"cd".repeat(32)}` };
const nowS = 1_800_000_000;

describe("a challenge", () => {
  test("is answered by whoever holds the key", () => {
    expect(checkAnswer(JSON.parse(JSON.stringify(answerChallenge(signer, challenge, nowS))), challenge, nowS)).toEqual({ ok: true, peer: signer.publicKey });
  });

  const answer = answerChallenge(signer, challenge, nowS);
  const resigned = (change: Partial<typeof answer>) => {
    const unsigned = { ...answer, ...change };
    const id = eventId(unsigned);
    return { ...unsigned, id, sig: signer.sign(id) };
  };
  test.each([
    ["another's key", { ...answer, pubkey: new Signer(new Uint8Array(32).fill(2)).publicKey }, /id is not/],
    ["a signature that is not its own", { ...answer, sig: "0".repeat(128) }, /sig is not/],
    ["another challenge", answerChallenge(signer, { ...challenge, nonce: "00".repeat(32) }, nowS), /another challenge/],
    ["another server", answerChallenge(signer, { ...challenge, audience: "router:x" }, nowS), /another server/],
    ["an answer too old", answerChallenge(signer, challenge, nowS - ANSWER_AGE_MAX_S - 1), /from this clock/],
    ["an answer from the future", answerChallenge(signer, challenge, nowS + ANSWER_AGE_MAX_S + 1), /from this clock/],
    ["an envelope", resigned({ kind: 26_402 }), /kind 22242/],
    ["a third tag", resigned({ tags: [...answer.tags, ["x", "y"]] }), /two tags/],
    ["garbage", "garbage", /not a Nostr event/],
    ["nothing", undefined, /not a Nostr event/],
  ])("is not answered by %s", (_, found, detail) => {
    const outcome = checkAnswer(found, challenge, nowS);
    expect(outcome).toMatchObject({ ok: false, detail: expect.stringMatching(detail) });
  });
});
