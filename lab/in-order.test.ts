import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RandomStreams } from "../sim/kernel/random.ts";
import { type JobPlayer, playInOrder, type Plays } from "./in-order.ts";
import { type Job, type JobResult, WorkerDied } from "./job.ts";

interface Item {
  readonly index: number;
  /** How often it ends its worker before it lets itself be played. */
  readonly deaths: number;
  readonly known: boolean;
}

/** Workers that finish in a random order, some items of which end them. */
class RandomWorkers implements JobPlayer {
  readonly workers: number;
  readonly underWay = 0;
  /** How often each item was tried. */
  readonly tries = new Map<number, number>();
  most = 0;
  #busy = 0;
  readonly #random: () => number;
  readonly #ms: number;

  constructor(workers: number, seed: number, ms: number) {
    this.workers = workers;
    this.#ms = ms;
    const random = new RandomStreams(seed).stream("test", "", "");
    this.#random = () => random.next();
  }

  get free(): number {
    return this.workers - this.#busy;
  }

  async play<Result>(job: Job): Promise<JobResult<Result>> {
    this.most = Math.max(this.most, ++this.#busy);
    const items = job.items as unknown as Item[];
    for (let turns = Math.floor(5 * this.#random()); turns > 0; turns--) await Promise.resolve();
    this.#busy--;
    for (const { index, deaths } of items) {
      const tried = (this.tries.get(index) ?? 0) + 1;
      this.tries.set(index, tried);
      if (tried <= deaths) throw new WorkerDied(`item ${index}`);
    }
    return { results: items.map(({ index }) => `played ${index}` as Result), ms: this.#ms * items.length };
  }

  stop(): void {}
}

const kind: Plays<Item, string> = {
  job: (items) => ({ kind: "plays", items: items as never }),
  known: ({ known, index }) => (known ? `known ${index}` : null),
  finished: () => {},
  died: ({ index }, reason) => `died ${index} (${reason})`,
};

const options = (take: (item: Item, result: string) => void, count: number, mostWaiting = 1_000): Parameters<typeof playInOrder<Item, string>>[3] =>
  ({ take, count, mostWaiting, onProgress: () => {}, signal: undefined });

describe("playing in order", () => {
  test("gives every result once, in order, whoever dies when, with no more workers than there are and no more waiting than may", async () => {
    const items = fc.array(fc.record({ deaths: fc.constantFrom(0, 0, 0, 0, 1, 2, 9), known: fc.constantFrom(false, false, true) }), { maxLength: 60 });
    await fc.assert(fc.asyncProperty(items, fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 20 }), fc.nat(), fc.constantFrom(0.1, 10, 1_000), async (given, workers, mostWaiting, seed, ms) => {
      const player = new RandomWorkers(workers, seed, ms);
      const taken: string[] = [];
      let asked = 0;
      let ahead = 0;
      function* lazily(): Generator<Item> {
        for (const [index, item] of given.entries()) {
          ahead = Math.max(ahead, ++asked - taken.length);
          yield { ...item, index };
        }
      }
      expect(await playInOrder(player, lazily(), kind, options((_, result) => void taken.push(result), given.length, mostWaiting))).toBe(given.length);
      // Dying in the company of others is held against nobody; alone, the second time is the last.
      const outcomes = (index: number): string[] => [`played ${index}`, `died ${index} (item ${index})`];
      for (const [index, { deaths, known }] of given.entries()) {
        if (known) expect(taken[index]).toBe(`known ${index}`);
        else if (deaths < 2) expect(taken[index]).toBe(`played ${index}`);
        else if (deaths > 3) expect(taken[index]).toBe(`died ${index} (item ${index})`);
        else expect(outcomes(index)).toContain(taken[index]);
      }
      expect(taken).toHaveLength(given.length);
      expect(player.most).toBeLessThanOrEqual(workers);
      expect(ahead).toBeLessThanOrEqual(mostWaiting);
      for (const [index, { known }] of given.entries()) if (known) expect(player.tries.has(index)).toBe(false);
    }), { seed: 1, numRuns: 200 });
  });

  test("puts short items together, and fewer of them towards the end", async () => {
    const sizes: number[] = [];
    const player = new RandomWorkers(2, 1, 1);
    const items = Array.from({ length: 1_000 }, (_, index) => ({ index, deaths: 0, known: false }));
    const counting: Plays<Item, string> = { ...kind, job: (some) => {
      sizes.push(some.length);
      return kind.job(some);
    } };
    await playInOrder(player, items, counting, options(() => {}, items.length));
    expect(sizes[0]).toBe(1);
    expect(Math.max(...sizes)).toBe(50);
    expect(sizes.at(-1)).toBe(1);
    expect(sizes.length).toBeLessThan(60);
  });

  test("leaves long items alone", async () => {
    const player = new RandomWorkers(2, 1, 200);
    const items = Array.from({ length: 20 }, (_, index) => ({ index, deaths: 0, known: false }));
    let jobs = 0;
    await playInOrder(player, items, { ...kind, job: (some) => {
      jobs++;
      return kind.job(some);
    } }, options(() => {}, items.length));
    expect(jobs).toBe(20);
  });

  test("an error of the worker's own, which is no death, comes through", async () => {
    const player = new RandomWorkers(1, 1, 1);
    player.play = () => Promise.reject(new Error("cannot start"));
    await expect(playInOrder(player, [{ index: 0, deaths: 0, known: false }], kind, options(() => {}, 1))).rejects.toThrow("cannot start");
  });
});
