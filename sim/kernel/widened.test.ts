import { expect, test } from "vitest";
import { widened } from "./widened.ts";

test.each([[Float64Array.of(1.5, -2)], [Int32Array.of(-7, 9)], [Uint32Array.of(2 ** 32 - 1, 1)], [Uint8Array.of(255, 3)]])("keeps the kind and the numbers of %o, and adds zeros", (array) => {
  const twice = widened(array);
  expect([twice.constructor, [...twice], [...widened(array, 3)]]).toEqual([array.constructor, [...array, 0, 0], [...array, 0]]);
  // The old one is left as it was, and shares nothing.
  twice[0] = 42;
  expect(array[0]).not.toBe(42);
  expect(() => widened(array, 1)).toThrow(RangeError);
});
