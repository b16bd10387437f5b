import { describe, expect, test } from "vitest";
import { RandomStreams } from "../random.ts";
import { JOE_KUO } from "./joe-kuo.ts";
import { SOBOL_DIMENSIONS, SobolSequence } from "./sobol.ts";

const take = (sequence: SobolSequence, count: number): Float64Array[] => Array.from({ length: count }, () => sequence.next());
const scrambling = (seed: number) => new RandomStreams(seed).stream("test", "sobol", "scrambling");

describe("the plain sequence", () => {
  test("begins with the published points", () => {
    // Joe and Kuo, sobol.cc with new-joe-kuo-6.21201; scipy 1.17.1, qmc.Sobol(5, scramble=False), prints the same.
    expect(take(new SobolSequence(5), 8).map((point) => [...point])).toEqual([
      [0, 0, 0, 0, 0],
      [0.5, 0.5, 0.5, 0.5, 0.5],
      [0.75, 0.25, 0.25, 0.25, 0.75],
      [0.25, 0.75, 0.75, 0.75, 0.25],
      [0.375, 0.375, 0.625, 0.875, 0.375],
      [0.875, 0.875, 0.125, 0.375, 0.875],
      [0.625, 0.125, 0.875, 0.625, 0.625],
      [0.125, 0.625, 0.375, 0.125, 0.125],
    ]);
  });

  test("is scipy's in all 256 dimensions", () => {
    const points = take(new SobolSequence(256), 1024);
    expect([0, 1, 10, 63, 100, 255].map((d) => points[1000]![d])).toEqual([0.2197265625, 0.0966796875, 0.0849609375, 0.4462890625, 0.7685546875, 0.2490234375]);
    let sum = 0;
    for (const point of points) for (let d = 0; d < 256; d++) sum += point[d]! * (d + 1);
    expect(sum).toBeCloseTo(16_826_304, 3);
  });

  test("has odd direction numbers below their bounds, as the theory asks", () => {
    for (const [s = 0, a = 0, ...m] of JOE_KUO) {
      expect(m).toHaveLength(s);
      expect(a).toBeLessThan(2 ** Math.max(0, s - 1));
      m.forEach((one, i) => expect(one % 2 === 1 && one < 2 ** (i + 1)).toBe(true));
    }
  });

  test("refuses dimensions for which it has no numbers", () => {
    expect(SOBOL_DIMENSIONS).toBe(256);
    for (const dimensions of [0, 1.5, 257]) expect(() => new SobolSequence(dimensions)).toThrow("here are 1 to 256");
  });
});

describe.each([["plain", undefined], ["scrambled", 1], ["scrambled otherwise", 7]])("the first 2^m points, %s", (_, seed) => {
  const sequence = (dimensions: number): SobolSequence => new SobolSequence(dimensions, seed === undefined ? undefined : scrambling(seed));

  test("have one point in each of 2^m intervals of each dimension", () => {
    const points = take(sequence(256), 256);
    for (let d = 0; d < 256; d++) expect(new Set(points.map((point) => Math.floor(point[d]! * 256))).size).toBe(256);
  });

  test("are a (0, m, 2)-net in the first two dimensions: one point in every elementary box", () => {
    const points = take(sequence(2), 64);
    for (let k = 0; k <= 6; k++) expect(new Set(points.map(([x, y]) => `${Math.floor(x! * 2 ** k)} ${Math.floor(y! * 2 ** (6 - k))}`)).size, `2^${k} columns`).toBe(64);
  });

  test("are a (t, m, s)-net with t = 1 in the first three: two points in every box of half as many", () => {
    const points = take(sequence(3), 128);
    for (let j = 0; j <= 6; j++) for (let k = 0; j + k <= 6; k++) {
      const boxes = new Map<string, number>();
      for (const [x, y, z] of points) {
        const box = `${Math.floor(x! * 2 ** j)} ${Math.floor(y! * 2 ** k)} ${Math.floor(z! * 2 ** (6 - j - k))}`;
        boxes.set(box, (boxes.get(box) ?? 0) + 1);
      }
      expect([boxes.size, ...new Set(boxes.values())]).toEqual([64, 2]);
    }
  });
});

describe("scrambling", () => {
  test("moves the points, the same way for the same random numbers", () => {
    const [plain, one, again, other] = [new SobolSequence(4), new SobolSequence(4, scrambling(1)), new SobolSequence(4, scrambling(1)), new SobolSequence(4, scrambling(2))].map((sequence) => take(sequence, 16));
    expect(one).toEqual(again);
    expect(one).not.toEqual(other);
    expect(one).not.toEqual(plain);
  });

  test("leaves every point uniform: each in each half as often, over many scramblings", () => {
    const low = [0, 0, 0, 0];
    for (let seed = 0; seed < 400; seed++) take(new SobolSequence(1, scrambling(seed)), 4).forEach(([x], i) => { low[i]! += x! < 0.5 ? 1 : 0; });
    // 200 expected, sd 10.
    for (const count of low) expect(Math.abs(count - 200)).toBeLessThan(40);
  });
});
