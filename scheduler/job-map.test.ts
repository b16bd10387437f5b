import fc from "fast-check";
import { expect, test } from "vitest";
import { hashString } from "./hash.ts";
import { JobMap } from "./job-map.ts";

/** Where a search for the id begins, in a table of so many places. */
const home = (id: string, places: number): number => (hashString(id) >>> 2) & (places - 1);
/** Ids whose hashes fall on the last places of small tables and the first: probing goes round the end. */
const crowded: string[] = [];
for (let i = 0; crowded.length < 40; i++) if (home(`j${i}`, 64) >= 61 || home(`j${i}`, 64) === 0) crowded.push(`j${i}`);
/** Ids that cannot be told apart by their place in a table of up to 4096. */
const colliding: string[] = [];
for (let i = 0; colliding.length < 12; i++) if (home(`c${i}`, 4_096) === 4_095) colliding.push(`c${i}`);
/** Ids that cannot be told apart by what is kept of their hashes. */
const alike: string[] = [];
const seen = new Map<number, string>();
for (let i = 0; alike.length < 4; i++) {
  const other = seen.get(hashString(`a${i}`) >>> 2);
  if (other !== undefined) alike.push(other, `a${i}`);
  seen.set(hashString(`a${i}`) >>> 2, `a${i}`);
}

const id = fc.oneof(fc.constantFrom(...crowded), fc.constantFrom(...colliding), fc.constantFrom(...alike), fc.stringMatching(/^[A-Za-z0-9_-]{1,3}$/), fc.constantFrom("__proto__", "constructor", "toString"));

test("it does what a Map does", () => {
  const act = fc.tuple(fc.constantFrom("set", "set", "delete", "get"), id, fc.nat());
  fc.assert(
    fc.property(fc.array(act, { maxLength: 300 }), (acts) => {
      const ours = new JobMap<number>();
      const map = new Map<string, number>();
      for (const [does, key, value] of acts) {
        if (does === "set") {
          ours.set(key, value);
          map.set(key, value);
        } else if (does === "delete") {
          expect(ours.delete(key)).toBe(map.delete(key));
        }
        expect([ours.get(key), ours.has(key), ours.size]).toEqual([map.get(key), map.has(key), map.size]);
      }
      for (const [key, value] of map) expect(ours.get(key)).toBe(value);
      expect([...ours.entries()].sort()).toEqual([...map].sort());
    }),
    { seed: 1, numRuns: 500 },
  );
});

test("a hundred thousand jobs that come and go leave it as it was", () => {
  const jobs = new JobMap<number>();
  let deleted = 0;
  for (let i = 0; i < 100_000; i++) {
    jobs.set(`job-${i}`, i);
    if (i >= 50 && jobs.delete(`job-${i - 50}`)) deleted++;
  }
  expect([deleted, jobs.size]).toEqual([99_950, 50]);
  for (let i = 99_950; i < 100_000; i++) expect(jobs.get(`job-${i}`)).toBe(i);
});

test("a value may be undefined and is still there", () => {
  const jobs = new JobMap<undefined>();
  jobs.set("a", undefined);
  expect([jobs.has("a"), jobs.size, jobs.delete("a"), jobs.has("a")]).toEqual([true, 1, true, false]);
});
