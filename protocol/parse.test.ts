import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DETAIL_CODE_POINTS_MAX, FIELD_CODE_POINTS_MAX } from "./limits.ts";
import { messageJsonSchema } from "./json-schema.ts";
import { errorMessage } from "./messages.ts";
import { parseMessage } from "./parse.ts";
import { nearMiss, oddValue, valuesOf } from "./testing/arbitraries.ts";

const hash = "0".repeat(64);
const request = {
  jobId: "j", client: hash, model: "m", inputTokens: 1, maxOutputTokens: 1, maxPriceMsat: 1, latencyGoal: {}, patienceUs: 1, priority: 0,
  region: "eu", minStakeMsat: 0, privacy: "any", verification: "none", promptHash: hash,
};
const job = (change: object): unknown => ({ type: "job", job: { ...request, ...change } });

describe("a fault names the field and says what is allowed and what was found", () => {
  const cases: [unknown, string, string][] = [
    [null, "", "The value must be an object; found null."],
    [[], "", "The value must be an object; found an array of 0."],
    [{ type: "accept", attempt: 1 }, "jobId", "jobId must be a string; found nothing."],
    [{ type: "accept", jobId: "j", attempt: 1.5 }, "attempt", "attempt must be a whole number; found 1.5."],
    [{ type: "accept", jobId: "a b", attempt: 1 }, "jobId", "jobId must match /^[A-Za-z0-9_-]{1,64}$/; found a string of 3 characters."],
    [{ type: "accept", jobId: "j", attempt: 1, extra: 1 }, "extra", "extra is a field that version 2 of the protocol does not know."],
    [{ type: "accept", jobId: "j", attempt: 1, "": 1 }, '[""]', '[""] is a field that version 2 of the protocol does not know.'],
    [job({ maxPriceMsat: -1 }), "job.maxPriceMsat", "job.maxPriceMsat must be at least 0; found -1."],
    [job({ maxPriceMsat: Number.NaN }), "job.maxPriceMsat", "job.maxPriceMsat must be a number; found NaN."],
    [job({ priority: 10 }), "job.priority", "job.priority must be at most 9; found 10."],
    [job({ privacy: "none" }), "job.privacy", "job.privacy must be one of any, attested; found a string of 4 characters."],
    [job({ allowedRegions: [] }), "job.allowedRegions", "job.allowedRegions must have at least 1 element; found an array of 0."],
    [job({ allowedRegions: ["eu", "EU"] }), "job.allowedRegions[1]", "job.allowedRegions[1] must match /^[a-z0-9-]{1,32}$/; found a string of 2 characters."],
    [job({ latencyGoal: { ttft: 1 } }), "job.latencyGoal.ttft", "job.latencyGoal.ttft is a field that version 2 of the protocol does not know."],
    [{ type: "error", code: "internal", detail: "x".repeat(1_001) }, "detail", "detail must have at most 1000 characters; found a string of 1001 characters."],
    [{ type: "error", code: "internal", detail: "\u001b[2J" }, "detail", "detail must be well-formed Unicode without control characters; found a string of 4 characters."],
  ];
  for (const [value, field, detail] of cases) {
    test(`${detail}`, () => {
      expect(parseMessage(value)).toEqual({ ok: false, field, detail });
    });
  }

  test("an unknown type is told the known ones", () => {
    const parsed = parseMessage({ type: "jobs" });
    expect(parsed).toMatchObject({ ok: false, field: "type", detail: expect.stringMatching(/^type must name a message type: descriptor, heartbeat, .*, error; found a string of 4 characters\.$/) });
  });
});

test("every fault fits into an error message, and names a field that is in the value or missing from it", () => {
  fc.assert(fc.property(fc.oneof(valuesOf(messageJsonSchema()).chain(nearMiss), oddValue), (value) => {
    const parsed = parseMessage(value);
    if (parsed.ok) return;
    const error = { type: "error", code: "bad-message", field: parsed.field, detail: parsed.detail };
    expect(errorMessage.safeParse(error).success, parsed.detail).toBe(true);
    expect(parsed.detail.startsWith(parsed.field === "" ? "The value " : parsed.field.slice(0, 100))).toBe(true);
  }), { seed: 1, numRuns: 2_000 });
});

test("an unknown field with a long, rude or broken name is still shown within its bounds", () => {
  for (const name of ["x".repeat(100_000), "😀".repeat(1_000), `x${"😀".repeat(1_000)}`, "\u001b[2J".repeat(500), "\ud83d".repeat(500)]) {
    const parsed = parseMessage({ type: "accept", jobId: "j", attempt: 1, [name]: 1 });
    if (parsed.ok) throw new Error("accepted");
    expect(parsed.field.length).toBeLessThanOrEqual(FIELD_CODE_POINTS_MAX);
    expect(parsed.detail.length).toBeLessThanOrEqual(DETAIL_CODE_POINTS_MAX);
    expect(parsed.field.isWellFormed() && parsed.detail.isWellFormed()).toBe(true);
    expect(/\p{Cc}/u.test(parsed.field + parsed.detail)).toBe(false);
  }
});

test("what is parsed is a copy that holds the known fields and nothing else", () => {
  const value = { type: "accept", jobId: "j", attempt: 1 };
  const parsed = parseMessage(value);
  expect(parsed).toEqual({ ok: true, message: value });
  if (parsed.ok) expect(parsed.message).not.toBe(value);
});
