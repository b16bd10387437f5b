import fc from "fast-check";
import { expect, test } from "vitest";
import { Arena } from "./arena.ts";

interface Room {
  page: Float64Array;
  at: number;
  numbers: number[];
}

test("what is taken is empty, stays where it is, and is nobody else's; what moves takes its numbers along", () => {
  const steps = fc.array(fc.record({ count: fc.integer({ min: 1, max: 3_000 }), mover: fc.option(fc.nat()), grows: fc.integer({ min: 0, max: 9_000 }) }), { maxLength: 60 });
  fc.assert(fc.property(steps, (list) => {
    const arena = new Arena();
    const rooms: Room[] = [];
    let written = 0;
    for (const { count, mover, grows } of list) {
      const moved = mover === null || rooms.length === 0 ? undefined : rooms[mover % rooms.length]!;
      let at: number;
      let numbers: number[];
      if (moved === undefined) {
        at = arena.take(count);
        numbers = Array<number>(count).fill(0);
      } else {
        numbers = [...moved.numbers, ...Array<number>(grows).fill(0)];
        at = arena.move(moved.page, moved.at, moved.numbers.length, numbers.length);
        rooms.splice(rooms.indexOf(moved), 1);
      }
      const room = { page: arena.page, at, numbers };
      expect([...room.page.subarray(at, at + numbers.length)]).toEqual(numbers);
      rooms.push(room);
      for (const place of [0, numbers.length - 1]) room.numbers[place] = room.page[at + place] = ++written;
    }
    for (const { page, at, numbers } of rooms) expect([...page.subarray(at, at + numbers.length)]).toEqual(numbers);
  }), { seed: 7, numRuns: 60 });
});

test("an engine alone takes little memory, many share large pages", () => {
  const arena = new Arena();
  arena.take(80);
  expect(arena.page.byteLength).toBe(1_024);
  const pages = new Set<Float64Array>();
  for (let i = 0; i < 1_000; i++) {
    arena.take(80);
    pages.add(arena.page);
  }
  expect([pages.size, arena.page.byteLength]).toEqual([14, 65_536]);
});
