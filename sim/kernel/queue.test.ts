import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RandomStreams } from "./random.ts";
import { EventQueue } from "./queue.ts";
import type { EventId } from "./queue.ts";

interface Entry {
  readonly time: number;
  readonly sequence: number;
  readonly id: EventId;
}

/** The queue beside a plainly correct one: a list that is searched for its least (time, sequence). */
class Pair {
  readonly #queue: EventQueue;
  readonly #ids: EventId[] = [];
  #reference: Entry[] = [];
  #pushed = 0;

  constructor(queue: EventQueue) {
    this.#queue = queue;
  }

  push(time: number): void {
    const sequence = this.#pushed++;
    const id = this.#queue.push(time, sequence % 7, sequence, -sequence);
    expect(Number.isSafeInteger(id) && id > 0).toBe(true);
    expect(this.#reference.some((entry) => entry.id === id)).toBe(false);
    this.#ids.push(id);
    this.#reference.push({ time, sequence, id });
    this.#agree();
  }

  pop(until: number): void {
    const next = this.#reference.reduce<Entry | undefined>((best, entry) => (best === undefined || entry.time < best.time || (entry.time === best.time && entry.sequence < best.sequence) ? entry : best), undefined);
    const due = next !== undefined && next.time <= until;
    expect(this.#queue.pop(until)).toBe(due);
    if (due) {
      const { time, kind, a, b } = this.#queue;
      expect([time, kind, a, b]).toEqual([next.time, next.sequence % 7, next.sequence, 0 - next.sequence]);
      this.#reference = this.#reference.filter((entry) => entry !== next);
    }
    this.#agree();
  }

  /** Any id that was ever given: pending, fired or cancelled. */
  cancel(pick: number): void {
    if (this.#ids.length === 0) return;
    const id = this.#ids[pick % this.#ids.length]!;
    const pending = this.#reference.some((entry) => entry.id === id);
    expect(this.#queue.cancel(id)).toBe(pending);
    expect(this.#queue.cancel(id)).toBe(false);
    this.#reference = this.#reference.filter((entry) => entry.id !== id);
    this.#agree();
  }

  peek(): void {
    expect(this.#queue.peekTime()).toBe(this.#reference.reduce((least, { time }) => Math.min(least, time), Infinity));
    this.#agree();
  }

  drain(): void {
    while (this.#reference.length > 0) this.pop(Infinity);
    this.pop(Infinity);
  }

  #agree(): void {
    expect(this.#queue.length).toBe(this.#reference.length);
  }
}

const operation = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant("push" as const), with: fc.integer({ min: 0, max: 12 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("pop" as const), with: fc.oneof(fc.constant(Infinity), fc.integer({ min: 0, max: 12 })) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("cancel" as const), with: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("peek" as const), with: fc.constant(0) }) },
);

describe("EventQueue", () => {
  test("equals a searched list under any pushes, pops and cancellations, ties in order of insertion", () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 150 }), fc.constantFrom(2, 4, 16, undefined), (operations, near) => {
        const pair = new Pair(new EventQueue(near));
        for (const step of operations) pair[step.do](step.with);
        pair.drain();
      }),
      { seed: 1, numRuns: 400 },
    );
  });

  test("slots that have used up their generations are never used again, and nothing else changes", () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 150 }), fc.constantFrom(2, 4, 6), (operations, generations) => {
        const pair = new Pair(new EventQueue(4, generations));
        for (const step of operations) pair[step.do](step.with);
        pair.drain();
      }),
      { seed: 2, numRuns: 200 },
    );
  });

  test("equals a sorted list on long random runs with many pending, ties and cancellations", () => {
    // A small heap sends most of them far, into runs of many chunks.
    for (const [entity, span, near] of [["few ties", 1_000_000, 64], ["many ties", 20, 64], ["wide", 1_000_000, 16], ["one heap", 1_000_000, undefined]] as const) {
      const random = new RandomStreams(1).stream("test", entity, "queue");
      const queue = new EventQueue(near);
      const expected = new Map<number, number>();
      const ids: EventId[] = [];
      let now = 0;
      let popped = 0;
      let before = -1;
      for (let step = 0; step < 60_000; step++) {
        const u = random.next();
        // Grows to some thousands, then shrinks.
        if (u < (step < 30_000 ? 0.55 : 0.35)) {
          const time = now + Math.floor(random.next() * span);
          expected.set(ids.length, time);
          ids.push(queue.push(time, 0, ids.length, 0));
        } else if (u < 0.75) {
          if (!queue.pop()) continue;
          const time = expected.get(queue.a);
          if (time !== queue.time || time < now || (time === now && queue.a < before)) throw new Error(`Popped ${queue.a} at ${queue.time}, expected ${time}.`);
          expected.delete(queue.a);
          now = time;
          before = queue.a;
          popped++;
        } else if (ids.length > 0) {
          const pick = Math.floor(random.next() * ids.length);
          if (queue.cancel(ids[pick]!) !== expected.delete(pick)) throw new Error(`Cancelling ${pick}.`);
        }
        // An event planned now for now must leave after those planned earlier for now.
        if (queue.peekTime() > now) before = -1;
      }
      const rest = [...expected].sort(([p, s], [q, t]) => s - t || p - q).map(([payload]) => payload);
      const drained: number[] = [];
      while (queue.pop()) drained.push(queue.a);
      expect(drained).toEqual(rest);
      expect(popped).toBeGreaterThan(10_000);
    }
  });

  test("sorts what comes in falling order, in rising order, all at once, and anywhere among thousands of runs", () => {
    for (const timeOf of [(i: number) => -i, (i: number) => i, () => 7, (i: number) => (i % 3 === 0 ? 7 : -i), (i: number) => (i < 10_000 ? 7 : 8), (i: number) => -10 * (i < 10_000 ? i : (i * 7919) % 10_000)]) {
      const queue = new EventQueue(16);
      const times = Array.from({ length: 20_000 }, (_, i) => timeOf(i));
      for (const [i, time] of times.entries()) queue.push(time, 0, i, 0);
      const drained: number[] = [];
      while (queue.pop()) drained.push(queue.a);
      expect(drained).toEqual(times.map((_, i) => i).sort((p, q) => times[p]! - times[q]! || p - q));
      expect(queue.length).toBe(0);
    }
  });

  test("far entries that are cancelled free their memory, and the rest stay in order", () => {
    const queue = new EventQueue(16);
    const ids = Array.from({ length: 20_000 }, (_, i) => queue.push((i * 7919) % 20_000, 0, (i * 7919) % 20_000, 0));
    const full = queue.capacity;
    for (let i = 0; i < 10; i++) expect(queue.pop()).toBe(true);
    for (let round = 0; round < 20; round++) {
      // All but every tenth is called off and planned anew, far away.
      for (const [i, id] of ids.entries()) if (i % 10 !== 0 && queue.cancel(id)) ids[i] = queue.push(1e6 + round, 0, 1e6 + round, 0);
    }
    expect(queue.capacity).toBeLessThanOrEqual(3 * full);
    let before = 9;
    while (queue.pop()) {
      if (queue.a !== queue.time || queue.time < before) throw new Error(`${queue.a} at ${queue.time} after ${before}.`);
      before = queue.time;
    }
    expect(before).toBe(1e6 + 19);
  });

  test("memory is bounded by the living, however many are cancelled", () => {
    const queue = new EventQueue();
    const ids = Array.from({ length: 100 }, (_, i) => queue.push(1e9 + i, 0, i, 0));
    let cancelled = 0;
    for (let i = 0; i < 300_000; i++) {
      const at = i % 100;
      if (queue.cancel(ids[at]!)) cancelled++;
      ids[at] = queue.push(1e9 + i, 0, i, 0);
    }
    expect(cancelled).toBe(300_000);
    expect(queue.length).toBe(100);
    expect(queue.capacity).toBeLessThanOrEqual(2048);
  });

  test("0, numbers that are no ids, and ids of another queue's slots cancel nothing", () => {
    const queue = new EventQueue();
    queue.push(1, 0, 0, 0);
    for (const id of [0, -1, 0.5, NaN, Infinity, 2 ** 53, 63, 2 ** 24 + 60, 3 * 2 ** 24]) expect(queue.cancel(id)).toBe(false);
    expect(queue.length).toBe(1);
  });
});
