import fc from "fast-check";
import { expect, test } from "vitest";
import { hashString, mix } from "./hash.ts";
import { agrees } from "./testing/chi-square.ts";

test("FNV-1a's published values, mixed", () => {
  // http://www.isthe.com/chongo/tech/comp/fnv/ and draft-eastlake-fnv: 32-bit FNV-1a of "", "a" and "foobar".
  expect([hashString(""), hashString("a"), hashString("foobar")]).toEqual([mix(0x811c9dc5), mix(0xe40c292c), mix(0xbf9cf968)]);
});

test("the finaliser of MurmurHash3 on known values", () => {
  // fmix32 of 0, 1 and 0xffffffff, as in the reference implementation (github.com/aappleby/smhasher, MurmurHash3.cpp).
  expect([mix(0), mix(1), mix(0xffffffff)]).toEqual([0, 0x514e28b7, 0x81f16f39]);
});

test("it is an unsigned 32-bit integer", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    const hash = hashString(text);
    expect(hash === hash >>> 0).toBe(true);
  }), { seed: 1 });
});

test("numbered names fill a table evenly", () => {
  const cells = new Array<number>(64).fill(0);
  for (let i = 0; i < 64_000; i++) cells[hashString(`client-1-job-${i}`) & 63]!++;
  expect(agrees(cells, new Array<number>(64).fill(1000))).toBe(true);
});
