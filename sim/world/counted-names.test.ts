import fc from "fast-check";
import { expect, test } from "vitest";
import { CountedNames } from "./counted-names.ts";

test("names are their head and a number that counts up", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 5 }), fc.oneof(fc.nat(5_000), fc.constantFrom(999, 1_000, 999_999, 1_000_000_001)), fc.integer({ min: 1, max: 2_500 }), (head, first, count) => {
      const names = new CountedNames(head, first);
      for (let number = first; number < first + count; number++) expect(names.next()).toBe(`${head}${number}`);
    }),
    { seed: 1, numRuns: 50 },
  );
});
