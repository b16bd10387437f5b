import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nostrEvent } from "./event.ts";
import { compileValidator, messageJsonSchema } from "./json-schema.ts";
import { message } from "./messages.ts";
import { parseMessage } from "./parse.ts";
import { nearMiss, oddValue, valuesOf } from "./testing/arbitraries.ts";

const schema = messageJsonSchema();
const byAjv = compileValidator();
const types = message.options.map((option) => [...option.shape.type.values][0]!);

test("protocol.schema.json is the schema derived from the code; `npx vitest run protocol/json-schema -u` rewrites it", async () => {
  await expect(`${JSON.stringify(schema, null, 2)}\n`).toMatchFileSnapshot("./protocol.schema.json");
});

test("every object in the schema refuses unknown fields, and every string, number and array is bounded", () => {
  const visit = (part: unknown, path: string): void => {
    if (typeof part !== "object" || part === null) return;
    const node = part as Record<string, unknown>;
    if (node["type"] === "object") expect(node["additionalProperties"], path).toBe(false);
    if (node["type"] === "string") expect(node["pattern"] ?? node["const"] ?? node["enum"], path).toBeDefined();
    if (node["type"] === "integer" || node["type"] === "number") expect(node["maximum"], path).toBeDefined();
    if (node["type"] === "array") expect(node["maxItems"], path).toBeDefined();
    for (const [key, member] of Object.entries(node)) visit(member, `${path}/${key}`);
  };
  visit(schema, "#");
});

describe("zod and Ajv agree", () => {
  test("on valid messages made from the JSON Schema alone: both accept each type", () => {
    const seen = new Set<string>();
    fc.assert(fc.property(valuesOf(schema), (value) => {
      const parsed = parseMessage(value);
      expect(parsed, JSON.stringify(value)).toMatchObject({ ok: true });
      expect(byAjv(value)).toBe(true);
      seen.add((value as { type: string }).type);
    }), { seed: 1, numRuns: 800 });
    expect([...seen].sort()).toEqual([...types].sort());
  });

  test("on near misses: valid messages with one place changed", () => {
    let accepted = 0;
    let refused = 0;
    fc.assert(fc.property(valuesOf(schema).chain(nearMiss), (value) => {
      const parsed = message.safeParse(value);
      expect(parsed.success, parsed.success ? "zod accepts" : parsed.error.message).toBe(byAjv(value));
      if (parsed.success) accepted++;
      else refused++;
    }), { seed: 1, numRuns: 5_000 });
    // Neither verdict may be a rarity, or the agreement would say little.
    expect(accepted).toBeGreaterThan(250);
    expect(refused).toBeGreaterThan(2_000);
  });

  test("on near misses of the messages with optional and nested parts", () => {
    for (const part of ["Job", "Error", "Dispute", "Award", "TokenChunk", "Result", "CallForBids", "Bid", "MarketState"]) {
      fc.assert(fc.property(valuesOf(schema, part).chain(nearMiss), (value) => {
        expect(message.safeParse(value).success).toBe(byAjv(value));
      }), { seed: 2, numRuns: 600 });
    }
  });

  test("on an object all of whose fields are optional", () => {
    const fields = fc.sample(valuesOf(schema, "JobRequest"), { seed: 1, numRuns: 1 })[0] as object;
    const cases: [unknown, boolean][] = [
      [{}, true], [{ ttftUs: undefined }, true], [{ ttftUs: -0 }, true], [{ ttftUs: null }, false], [{ tftUs: undefined }, false], [[], false],
      [new Map(), true], [new Date(0), true], [Object.create(null), true], ["", false], [undefined, false],
    ];
    for (const [latencyGoal, valid] of cases) {
      const value = { type: "job", job: { ...fields, latencyGoal } };
      expect(message.safeParse(value).success).toBe(valid);
      expect(byAjv(value)).toBe(valid);
    }
  });

  test("on junk", () => {
    fc.assert(fc.property(oddValue, fc.constantFrom(...types), (value, type) => {
      expect(message.safeParse(value).success).toBe(byAjv(value));
      const typed: unknown = typeof value === "object" && value !== null ? Object.assign(value, { type }) : { type, value };
      expect(message.safeParse(typed).success).toBe(byAjv(typed));
    }), { seed: 1, numRuns: 2_000 });
  });

  test("on what class instances, accessors and inherited members hold", () => {
    class Accept {
      type = "accept";
      jobId = "x";
      get attempt(): number { return 1; }
    }
    const inherited: unknown = Object.create({ type: "accept", jobId: "x", attempt: 1 });
    const polluted: unknown = Object.assign(Object.create({ extra: 1 }) as object, { type: "accept", jobId: "x", attempt: 1 });
    for (const value of [new Accept(), inherited, polluted, Object.freeze({ type: "accept", jobId: "x", attempt: 1 }), JSON.parse('{"type":"accept","jobId":"x","attempt":1,"__proto__":1}')]) {
      expect(message.safeParse(value).success).toBe(byAjv(value));
    }
    expect(byAjv(polluted)).toBe(false);
  });

  test("on text at its bound: code points count, not UTF-16 units, and a lone surrogate is no text", () => {
    const error = (detail: string): unknown => ({ type: "error", code: "internal", detail });
    const cases: [string, boolean][] = [
      ["😀".repeat(1_000), true], ["😀".repeat(1_001), false], ["x".repeat(1_000), true], ["x".repeat(1_001), false], [`${"😀".repeat(999)}xx`, false],
      ["\ud83d", false], ["\ude00\ud83d", false], ["\u0007", false], ["\u0085", false], ["\u2028", true], ["", true],
    ];
    for (const [detail, valid] of cases) {
      expect(message.safeParse(error(detail)).success).toBe(valid);
      expect(byAjv(error(detail))).toBe(valid);
    }
    const chunk = (text: string): unknown => ({ type: "token-chunk", jobId: "x", attempt: 1, firstToken: 0, tokens: 1, text });
    for (const [text, valid] of [["😀".repeat(1_000_000), true], ["😀".repeat(1_000_001), false], ["\n\u0000", true], ["\ud83d", false]] as const) {
      expect(message.safeParse(chunk(text)).success).toBe(valid);
      expect(byAjv(chunk(text))).toBe(valid);
    }
  });

  test("on envelopes", () => {
    const validate = compileValidator("Envelope");
    let accepted = 0;
    fc.assert(fc.property(valuesOf(schema, "Envelope"), (value) => {
      expect(nostrEvent.safeParse(value).success).toBe(true);
      expect(validate(value)).toBe(true);
    }), { seed: 1, numRuns: 300 });
    fc.assert(fc.property(valuesOf(schema, "Envelope").chain(nearMiss), (value) => {
      const verdict = nostrEvent.safeParse(value).success;
      expect(verdict).toBe(validate(value));
      if (verdict) accepted++;
    }), { seed: 1, numRuns: 2_000 });
    expect(accepted).toBeGreaterThan(50);
  });
});
