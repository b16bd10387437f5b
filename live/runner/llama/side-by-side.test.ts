import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sideBySide } from "./side-by-side.ts";

const parts = (sequences: readonly number[]) => sequences.map((sequence) => ({ sequence, position: 3, tokens: [1], sampler: null }));
const arranged = (sequences: readonly number[], idle: readonly number[], room = 99): string => {
  const { order } = sideBySide(parts(sequences), (sequence) => idle.includes(sequence), room);
  return order.map(({ sequence, part }) => (part < 0 ? `(${sequence})` : `${sequence}`)).join(" ");
};

describe("sequences that are to share a pass", () => {
  test("stand in the order of their numbers, whichever job came first", () => {
    expect(arranged([1, 0], [])).toBe("0 1");
    expect(arranged([3, 1, 0, 2], [])).toBe("0 1 2 3");
  });

  test("have idle ones in their gaps", () => {
    expect(arranged([0, 2], [1, 3])).toBe("0 (1) 2");
    expect(arranged([5, 2], [0, 1, 3, 4])).toBe("2 (3) (4) 5");
  });

  test("but none that hold something, and none beyond the batch's room", () => {
    expect(arranged([0, 2], [3])).toBe("0 2");
    expect(arranged([0, 3], [1])).toBe("0 3");
    expect(arranged([0, 3, 5], [1, 2, 4], 1)).toBe("0 3 (4) 5");
  });

  test("each part has its place, once, and fillers are idle", () => {
    fc.assert(fc.property(fc.uniqueArray(fc.nat(15), { maxLength: 16 }), fc.uniqueArray(fc.nat(15)), fc.nat(10), (sequences, more, room) => {
      const idle = more.filter((sequence) => !sequences.includes(sequence));
      const { order, fillers } = sideBySide(parts(sequences), (sequence) => idle.includes(sequence), room);
      expect(order.map(({ sequence }) => sequence)).toEqual([...sequences, ...fillers].sort((a, b) => a - b));
      for (const { sequence, part } of order) expect(part < 0 ? fillers.includes(sequence) : sequences[part] === sequence).toBe(true);
      expect(fillers.length).toBeLessThanOrEqual(room);
      for (const filler of fillers) expect(idle).toContain(filler);
    }));
  });
});
