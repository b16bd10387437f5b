import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ReplayGuard } from "./replay-guard.ts";
import type { ReplayGuardOptions, Sighting } from "./replay-guard.ts";

const see = (from: string, id: string, createdAtS: number, expiresAtS = createdAtS + 60): Sighting => ({ from, id, createdAtS, expiresAtS });

describe("a replay guard", () => {
  test("takes each envelope once, and tells senders apart", () => {
    const guard = new ReplayGuard();
    expect(guard.admit(see("a", "1", 100), 100)).toBeUndefined();
    expect(guard.admit(see("a", "1", 100), 100)).toBe("replayed");
    expect(guard.admit(see("b", "1", 100), 100)).toBeUndefined();
    expect(guard.admit(see("a", "2", 100), 100)).toBeUndefined();
  });

  test("asking changes nothing", () => {
    const guard = new ReplayGuard();
    expect(guard.refusal(see("a", "1", 100), 100)).toBeUndefined();
    expect(guard.keys).toBe(0);
    expect(guard.admit(see("a", "1", 100), 100)).toBeUndefined();
  });

  test("forgets what has expired, and refuses it by its expiry, even when the clock is set back", () => {
    const guard = new ReplayGuard();
    guard.admit(see("a", "1", 100), 100);
    guard.admit(see("a", "2", 170), 170);
    expect(guard.idsOf("a")).toBe(1);
    expect(guard.admit(see("a", "1", 100), 120)).toBe("expired");
    // Within the life of what it remembers, a clock set back does no harm.
    expect(guard.admit(see("a", "3", 165), 165)).toBeUndefined();
  });

  test("out of room for a sender's envelopes, refuses whatever is as old as what it forgot", () => {
    const guard = new ReplayGuard({ maxIdsPerKey: 2 });
    for (const id of [1, 2, 3]) expect(guard.admit(see("a", String(id), 100 + id), 104)).toBeUndefined();
    expect(guard.idsOf("a")).toBe(2);
    expect(guard.admit(see("a", "1", 101), 104)).toBe("replayed");
    expect(guard.admit(see("a", "late but never seen", 101), 104)).toBe("replayed");
    expect(guard.admit(see("a", "4", 102), 104)).toBeUndefined();
    expect(guard.admit(see("b", "1", 101), 104)).toBeUndefined();
  });

  test("out of room for senders, serves those it knows, turns newcomers away, and takes them once others have fallen quiet", () => {
    const guard = new ReplayGuard({ maxKeys: 2 });
    guard.admit(see("a", "1", 100, 110), 100);
    guard.admit(see("b", "1", 100, 130), 100);
    expect(guard.admit(see("c", "1", 105), 105)).toBe("rate-limited");
    expect(guard.admit(see("a", "2", 105, 120), 105)).toBeUndefined();
    expect(guard.admit(see("c", "1", 105), 115)).toBe("rate-limited");
    expect(guard.admit(see("c", "1", 105), 120)).toBeUndefined();
    expect(guard.keys).toBe(2);
    // Its first sender is forgotten as a whole; all that it sent has expired.
    expect(guard.idsOf("a")).toBe(0);
    expect(guard.admit(see("a", "2", 105, 120), 119)).toBe("expired");
  });

  test("lets go of what has expired when it is asked to, of senders that have gone too, and takes none of it again", () => {
    const guard = new ReplayGuard();
    guard.admit(see("a", "1", 100, 110), 100);
    guard.admit(see("a", "2", 100, 120), 100);
    guard.admit(see("b", "1", 100, 110), 100);
    guard.forget(115);
    expect([guard.ids, guard.keys, guard.idsOf("a")]).toEqual([1, 1, 1]);
    guard.forget(120);
    expect([guard.ids, guard.keys]).toEqual([0, 0]);
    // By a clock that has been set back, too.
    expect(guard.admit(see("a", "2", 100, 120), 105)).toBe("expired");
  });

  test("out of room for envelopes, leaves each sender its even share, and those below it undisturbed", () => {
    const guard = new ReplayGuard({ maxIds: 100 });
    for (let i = 0; i < 1_000; i++) guard.admit(see("flood", String(i), 100), 100);
    expect(guard.ids).toBe(100);
    for (let i = 0; i < 50; i++) expect(guard.admit(see("quiet", String(i), 100), 100)).toBeUndefined();
    expect([guard.idsOf("quiet"), guard.idsOf("flood")]).toEqual([50, 100]);
    // What was forgotten is refused all the same; a new second's is taken.
    expect(guard.admit(see("flood", "0", 100), 100)).toBe("replayed");
    expect(guard.admit(see("flood", "new", 101), 101)).toBeUndefined();
    expect(guard.idsOf("flood")).toBe(50);
    for (let i = 0; i < 50; i++) expect(guard.admit(see("quiet", String(i), 100), 101)).toBe("replayed");
  });

  test("a receiver that starts again refuses what was made before", () => {
    const guard = new ReplayGuard({ startS: 200 });
    expect(guard.admit(see("a", "1", 200), 201)).toBe("replayed");
    expect(guard.admit(see("a", "2", 201), 201)).toBeUndefined();
  });

  test("bounds are whole numbers from 1", () => {
    for (const wrong of [0, -1, 1.5, Number.NaN]) {
      expect(() => new ReplayGuard({ maxKeys: wrong })).toThrow(RangeError);
      expect(() => new ReplayGuard({ maxIdsPerKey: wrong })).toThrow(RangeError);
    }
  });
});

interface Arrival { readonly sender: number; readonly number: number; readonly madeBeforeS: number; readonly livesS: number; readonly clockS: number; readonly again: number }

/** Arrivals under a clock that mostly goes forward; some are envelopes that arrived before. */
const arrivals = fc.array(fc.record<Arrival>({
  sender: fc.nat(5), number: fc.nat(40), madeBeforeS: fc.integer({ min: -5, max: 15 }), livesS: fc.integer({ min: 1, max: 20 }),
  clockS: fc.integer({ min: -4, max: 8 }), again: fc.nat(3),
}), { minLength: 1, maxLength: 200, size: "max" });

function play(steps: readonly Arrival[], options: ReplayGuardOptions, visit: (sighting: Sighting, nowS: number, taken: boolean, guard: ReplayGuard) => void): void {
  const guard = new ReplayGuard(options);
  const sent: Sighting[] = [];
  let nowS = 1_000;
  for (const step of steps) {
    nowS += step.clockS;
    const createdAtS = nowS - step.madeBeforeS;
    const old = step.again === 0 ? sent[step.number % Math.max(1, sent.length)] : undefined;
    const sighting = old ?? see(`sender-${step.sender}`, `${sent.length}`, createdAtS, createdAtS + step.livesS);
    if (old === undefined) sent.push(sighting);
    visit(sighting, nowS, guard.admit(sighting, nowS) === undefined, guard);
  }
}

describe("whatever arrives, in whatever order,", () => {
  test("nothing is taken twice, and memory stays within its bounds", () => {
    let replays = 0;
    let taken = 0;
    fc.assert(fc.property(arrivals, fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 12 }), fc.boolean(), (steps, maxKeys, maxIdsPerKey, maxIds, forgets) => {
      const before = new Set<Sighting>();
      play(steps, { maxKeys, maxIdsPerKey, maxIds }, (sighting, nowS, isTaken, guard) => {
        if (forgets) guard.forget(nowS);
        if (isTaken && before.has(sighting)) throw new Error(`${sighting.id} was taken twice`);
        if (isTaken) taken++;
        else if (before.has(sighting)) replays++;
        if (isTaken) before.add(sighting);
        if (guard.keys > maxKeys || guard.idsOf(sighting.from) > maxIdsPerKey) throw new Error(`${guard.keys} senders, ${guard.idsOf(sighting.from)} ids`);
        if (guard.ids > 2 * Math.max(maxIds, guard.keys)) throw new Error(`${guard.ids} ids in all`);
      });
    }), { seed: 1, numRuns: 300 });
    expect(taken).toBeGreaterThan(1_000);
    expect(replays).toBeGreaterThan(1_000);
  });

  test("with room enough, everything fresh and alive is taken", () => {
    fc.assert(fc.property(arrivals, (steps) => {
      const before = new Set<Sighting>();
      let latestS = -1;
      play(steps, { maxKeys: 6, maxIdsPerKey: 200 }, (sighting, nowS, isTaken) => {
        expect(isTaken).toBe(!before.has(sighting) && sighting.expiresAtS > Math.max(latestS, nowS));
        if (isTaken) { before.add(sighting); latestS = Math.max(latestS, nowS); }
      });
    }), { seed: 1, numRuns: 300 });
  });

  test("one sender's flood changes nothing for another that is known", () => {
    fc.assert(fc.property(arrivals, fc.integer({ min: 1, max: 3 }), (steps, maxIdsPerKey) => {
      const verdicts = (options: { readonly flood: boolean }): boolean[] => {
        const guard = new ReplayGuard({ maxKeys: 2, maxIdsPerKey });
        const taken: boolean[] = [];
        let nowS = 1_000;
        let sent = 0;
        for (const step of steps) {
          nowS += Math.abs(step.clockS);
          const id = `${sent++}`;
          // The clock is the receiver's own: it is shown the time whether or not the flood comes.
          guard.admit(see("clock", id, nowS, nowS + 1), nowS);
          if (step.sender > 0) { if (options.flood) guard.admit(see(`flood-${step.sender}`, id, nowS, nowS + step.livesS), nowS); continue; }
          taken.push(guard.admit(see("victim", step.again === 0 ? "again" : id, nowS - step.madeBeforeS, nowS + 3_600), nowS) === undefined);
        }
        return taken;
      };
      const first = steps.findIndex((step) => step.sender === 0);
      fc.pre(first === 0);
      expect(verdicts({ flood: true })).toEqual(verdicts({ flood: false }));
    }), { seed: 1, numRuns: 300 });
  });
});

test("a full guard looks for room once a second, not at every newcomer", () => {
  const keys = 20_000;
  const guard = new ReplayGuard({ maxKeys: keys });
  for (let i = 0; i < keys; i++) guard.admit(see(`k${i}`, "1", 100, 1_000 + i), 100);
  // 100,000 looks through 20,000 senders would take far longer than a test may.
  let turnedAway = 0;
  for (let i = 0; i < 100_000; i++) if (guard.refusal(see(`new${i}`, "1", 100), 110) === "rate-limited") turnedAway++;
  expect(turnedAway).toBe(100_000);
});
