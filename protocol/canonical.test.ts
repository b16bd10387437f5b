import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalJson, digest, sha256Hex } from "./canonical.ts";

const seeded = { seed: 1, numRuns: 500 };

/** The same value with every object's keys put in in another order. */
function shuffled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shuffled);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).reverse().map(([key, member]) => [key, shuffled(member)]));
}

describe("canonical JSON", () => {
  test("RFC 8785, section 3.2.3: keys sort by UTF-16 code units, not by code points", () => {
    const value = { "\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh", "1": "One", "\ud83d\ude00": "Emoji: Grinning Face", "\u0080": "Control", "\u00f6": "Latin Small Letter O With Diaeresis" };
    const keys = [...canonicalJson(value).matchAll(/:"([^"]*)"/g)].map((match) => match[1]);
    expect(keys).toEqual(["Carriage Return", "One", "Control", "Latin Small Letter O With Diaeresis", "Euro Sign", "Emoji: Grinning Face", "Hebrew Letter Dalet With Dagesh"]);
  });

  test("RFC 8785, section 3.2.2: its example", () => {
    const value = { numbers: [333333333.33333329, 1e30, 4.5, 2e-3, 0.000000000000000000000000001], string: "\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"\u002f", literals: [null, true, false] };
    expect(canonicalJson(value)).toBe('{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}');
  });

  test("does not depend on the order in which a value was built, and reads back as the value", () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => {
      fc.pre(JSON.stringify(value).isWellFormed() && !/\\ud[89a-f]/i.test(JSON.stringify(value)));
      expect(canonicalJson(shuffled(value))).toBe(canonicalJson(value));
      expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
    }), seeded);
  });

  test("names the place of what it cannot carry", () => {
    const cycle: Record<string, unknown> = {};
    cycle["self"] = cycle;
    const cases: [unknown, RegExp][] = [
      [{ a: { b: [0, Number.NaN] } }, /^a\.b\[1\] is the number NaN/], [-Infinity, /^the value is the number -Infinity/],
      [{ f: () => 1 }, /^f is a value of type function/], [[1n], /^\[0\] is a value of type bigint/], [[undefined], /^\[0\] is a value of type undefined/],
      [new Array(1), /^\[0\] is a value of type undefined/],
      [{ when: new Date(0) }, /^when is an object that is neither plain/], [{ s: "\ud800" }, /^s is a string with a lone surrogate/], [cycle, /^self is a cycle/],
    ];
    for (const [value, message] of cases) expect(() => canonicalJson(value)).toThrow(message);
  });

  test("an undefined member is an absent one; a value that appears twice is no cycle; -0 is 0", () => {
    const shared = { x: -0 };
    expect(canonicalJson({ b: shared, a: shared, c: undefined })).toBe('{"a":{"x":0},"b":{"x":0}}');
  });
});

test("SHA-256 of text and bytes: FIPS 180-4's example", () => {
  const abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  expect(sha256Hex("abc")).toBe(abc);
  expect(sha256Hex(new Uint8Array([97, 98, 99]))).toBe(abc);
  expect(digest({ b: 1, a: "é" })).toBe(sha256Hex('{"a":"é","b":1}'));
});
