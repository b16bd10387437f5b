import { describe, expect, test } from "vitest";
import { RandomStreams } from "./random.ts";
import { kolmogorovStatistic, KOLMOGOROV_CRITICAL } from "./testing/kolmogorov.ts";

function draws(streams: RandomStreams, subsystem: string, entity: string, purpose: string, count = 8): number[] {
  const random = streams.stream(subsystem, entity, purpose);
  return Array.from({ length: count }, () => random.next());
}

describe("RandomStreams", () => {
  test("the same seed and name give the same numbers from the start, whatever was drawn elsewhere", () => {
    const streams = new RandomStreams(7);
    const first = draws(streams, "client", "chat", "arrivals");
    draws(streams, "client", "batch", "arrivals", 1000);
    expect(draws(streams, "client", "chat", "arrivals")).toEqual(first);
    expect(draws(new RandomStreams("7"), "client", "chat", "arrivals")).toEqual(first);
  });

  test("seed, subsystem, entity and purpose each make another stream", () => {
    const all = [
      draws(new RandomStreams(1), "a", "b", "c"),
      draws(new RandomStreams(2), "a", "b", "c"),
      draws(new RandomStreams(1), "x", "b", "c"),
      draws(new RandomStreams(1), "a", "x", "c"),
      draws(new RandomStreams(1), "a", "b", "x"),
    ];
    expect(new Set(all.map((numbers) => numbers[0])).size).toBe(all.length);
  });

  test("names that hold the separator or the escape stay apart", () => {
    const names: [string, string, string][] = [["a/b", "c", "d"], ["a", "b/c", "d"], ["a", "b", "c/d"], ["a~1b", "c", "d"], ["a~0", "c", "d"], ["a~", "c", "d"]];
    expect(new Set(names.map((name) => draws(new RandomStreams(1), ...name)[0])).size).toBe(names.length);
  });

  test("pinned numbers: a change of them changes every report", () => {
    expect(draws(new RandomStreams(1), "client", "chat", "arrivals", 3)).toEqual([0.37628312641754746, 0.4517031565774232, 0.15572239714674652]);
  });

  test("within a stream, uniform", () => {
    const numbers = draws(new RandomStreams(3), "a", "b", "c", 20_000);
    expect(kolmogorovStatistic(numbers, (x) => x)).toBeLessThan(KOLMOGOROV_CRITICAL);
  });

  test("across streams with names that differ in a digit: first numbers uniform, neighbours uncorrelated, none twice", () => {
    const streams = new RandomStreams(4);
    const numbers = Array.from({ length: 20_000 }, (_, i) => draws(streams, "node", `node-${i}`, "service", 1)[0]!);
    expect(kolmogorovStatistic(numbers, (x) => x)).toBeLessThan(KOLMOGOROV_CRITICAL);
    let products = 0;
    for (let i = 1; i < numbers.length; i++) products += (numbers[i]! - 0.5) * (numbers[i - 1]! - 0.5);
    // Under independence the correlation has a standard deviation of 1/sqrt(n); 3.3 of them at 0.1 %.
    expect(Math.abs((12 * products) / numbers.length)).toBeLessThan(3.3 / Math.sqrt(numbers.length));
    // Of 20,000 numbers in 2^32 some 0.05 pairs coincide by chance.
    expect(new Set(numbers).size).toBe(numbers.length);
  });
});
