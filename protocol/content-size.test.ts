import fc from "fast-check";
import { expect, test } from "vitest";
import { canonicalJson } from "./canonical.ts";
import { contentBytesMax, utf8BytesUpTo } from "./content-size.ts";
import { messageJsonSchema } from "./json-schema.ts";
import { CHUNK_CODE_POINTS_MAX, CONTENT_BYTES_MAX } from "./limits.ts";
import { message } from "./messages.ts";
import type { Message } from "./messages.ts";

test("counts bytes of UTF-8 as an encoder does, and no further than it must", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), fc.nat(60), (value, max) => {
    const bytes = new TextEncoder().encode(value).length;
    expect(utf8BytesUpTo(value, max)).toBe(Math.min(bytes, max + 1));
  }), { seed: 1, numRuns: 400 });
});

test("a valid message without prompt or output text fits its type's limit, however large its fields", () => {
  // The largest of each kind of value.
  const largest = (node: unknown): unknown => {
    const schema = node as { $ref?: string; const?: unknown; enum?: string[]; type?: string; maximum?: number; maxLength?: number; maxItems?: number; pattern?: string; items?: unknown; oneOf?: unknown[]; properties?: Record<string, unknown> };
    const { $ref, ...own } = schema;
    if ($ref !== undefined) return largest({ ...document.$defs[$ref.slice("#/$defs/".length)], ...own });
    if (schema.const !== undefined) return schema.const;
    if (schema.oneOf !== undefined) return schema.oneOf.map(largest).reduce((a, b) => (canonicalJson(b).length > canonicalJson(a).length ? b : a));
    if (schema.enum !== undefined) return schema.enum.reduce((a, b) => (b.length > a.length ? b : a));
    if (schema.type === "integer") return schema.maximum;
    if (schema.type === "number") return 123.45678901234567;
    if (schema.type === "boolean") return false;
    if (schema.type === "array") return Array.from({ length: schema.maxItems! }, () => largest(schema.items));
    if (schema.type === "string") return schema.maxLength === undefined ? "a".repeat(Number(/\{(?:1,)?(\d+)\}/.exec(schema.pattern!)![1])) : schema.maxLength > 1_000 ? "" : "😀".repeat(schema.maxLength);
    return Object.fromEntries(Object.entries(schema.properties!).map(([key, member]) => [key, largest(member)]));
  };
  const document = messageJsonSchema() as unknown as { oneOf: unknown[]; $defs: Record<string, object> };
  for (const part of document.oneOf) {
    const value = largest(part) as Message;
    expect(message.safeParse(value).success, value.type).toBe(true);
    expect(utf8BytesUpTo(canonicalJson(value), CONTENT_BYTES_MAX), value.type).toBeLessThanOrEqual(contentBytesMax(value.type));
  }
});

test("a prompt and an output of ordinary text, as long as they may be, fit too", () => {
  expect(contentBytesMax("job")).toBeGreaterThan(2 * 4_000_000);
  expect(contentBytesMax("token-chunk")).toBeGreaterThan(2 * CHUNK_CODE_POINTS_MAX);
});
