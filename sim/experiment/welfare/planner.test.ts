import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { plan } from "./planner.ts";

interface Case {
  readonly jobs: readonly { readonly value: number; readonly size: number; readonly segment?: number }[];
  readonly groups: readonly { readonly cost: number; readonly capacity: number }[];
  readonly eligible?: readonly (readonly number[])[];
}

/** Costs are msat per unit of size. @returns each job's planned surplus. */
function planned({ jobs, groups, eligible = [groups.map((_, group) => group)] }: Case): number[] {
  const out = new Float64Array(jobs.length);
  plan(
    { count: jobs.length, valueMsat: Float64Array.from(jobs, ({ value }) => value), size: Float64Array.from(jobs, ({ size }) => size), segment: Uint16Array.from(jobs, ({ segment = 0 }) => segment) },
    {
      capacity: Float64Array.from(groups, ({ capacity }) => capacity),
      eligible: eligible.map((members) => Int32Array.from(members).sort((a, b) => groups[a]!.cost - groups[b]!.cost || a - b)),
      costMsat: (group, job) => groups[group]!.cost * jobs[job]!.size,
      sameCost: (a, b) => groups[a]!.cost === groups[b]!.cost,
    },
    out,
  );
  return [...out];
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** The best of all assignments of whole jobs to groups, by trying them all. */
function bruteForce({ jobs, groups }: Case): number {
  const left = groups.map(({ capacity }) => capacity);
  const best = (job: number): number => {
    if (job === jobs.length) return 0;
    let most = best(job + 1);
    groups.forEach(({ cost }, group) => {
      const { value, size } = jobs[job]!;
      if (left[group]! < size) return;
      left[group]! -= size;
      most = Math.max(most, value - cost * size + best(job + 1));
      left[group]! += size;
    });
    return most;
  };
  return best(0);
}

const groups = fc.array(fc.record({ cost: fc.nat(40), capacity: fc.nat(4) }), { minLength: 1, maxLength: 3 });

describe("the planner", () => {
  test("serves the most valuable jobs at the cheapest nodes, as far as values exceed costs and time lasts", () => {
    const jobs = [{ value: 100, size: 1 }, { value: 10, size: 1 }, { value: 70, size: 1 }, { value: 30, size: 1 }];
    expect(planned({ jobs, groups: [{ cost: 20, capacity: 9 }] })).toEqual([80, 0, 50, 10]);
    expect(planned({ jobs, groups: [{ cost: 20, capacity: 2 }] })).toEqual([80, 0, 50, 0]);
    expect(planned({ jobs, groups: [{ cost: 25, capacity: 9 }, { cost: 5, capacity: 1 }] })).toEqual([95, 0, 45, 5]);
    expect(planned({ jobs, groups: [] })).toEqual([0, 0, 0, 0]);
  });

  test("serves the last job in part, and splits jobs between nodes", () => {
    expect(planned({ jobs: [{ value: 100, size: 4 }], groups: [{ cost: 5, capacity: 3 }] })).toEqual([60]);
    expect(planned({ jobs: [{ value: 100, size: 4 }], groups: [{ cost: 5, capacity: 1 }, { cost: 10, capacity: 1 }] })).toEqual([35]);
  });

  test("equals the best of all assignments where jobs are alike in size", () => {
    fc.assert(fc.property(fc.record({ jobs: fc.array(fc.record({ value: fc.nat(60), size: fc.constant(1) }), { maxLength: 7 }), groups }), (given) => {
      expect(sum(planned(given))).toBe(bruteForce(given));
    }), { seed: 1, numRuns: 300 });
  });

  test("is no less than the best of all assignments where they are not, and exceeds it by less than a job", () => {
    let above = 0;
    fc.assert(fc.property(fc.record({ jobs: fc.array(fc.record({ value: fc.nat(100), size: fc.integer({ min: 1, max: 3 }) }), { maxLength: 6 }), groups: fc.array(fc.record({ cost: fc.nat(20), capacity: fc.nat(6) }), { minLength: 1, maxLength: 1 }) }), (given) => {
      const found = sum(planned(given));
      const best = bruteForce(given);
      // A split job's surplus is rounded down once.
      expect(found).toBeGreaterThanOrEqual(best - 1);
      expect(found - best).toBeLessThanOrEqual(Math.max(0, ...given.jobs.map(({ value }) => value)));
      if (found > best) above++;
    }), { seed: 1, numRuns: 300 });
    expect(above).toBeGreaterThan(0);
  });

  test("never uses more time than there is, nor a node that may not serve the job", () => {
    fc.assert(fc.property(fc.record({ jobs: fc.array(fc.record({ value: fc.nat(100), size: fc.integer({ min: 1, max: 3 }), segment: fc.nat(1) }), { maxLength: 30 }), groups: fc.array(fc.record({ cost: fc.nat(20), capacity: fc.nat(20) }), { minLength: 2, maxLength: 2 }) }), (given) => {
      const capacity = Float64Array.from(given.groups, (group) => group.capacity);
      const out = new Float64Array(given.jobs.length);
      const asked: number[] = [];
      plan(
        { count: given.jobs.length, valueMsat: Float64Array.from(given.jobs, ({ value }) => value), size: Float64Array.from(given.jobs, ({ size }) => size), segment: Uint16Array.from(given.jobs, ({ segment }) => segment) },
        { capacity, eligible: [Int32Array.of(0), Int32Array.of(1)], costMsat: (group, job) => { asked.push(group - given.jobs[job]!.segment); return given.groups[group]!.cost * given.jobs[job]!.size; }, sameCost: () => false },
        out,
      );
      expect(capacity.every((left) => left >= 0)).toBe(true);
      expect(asked.every((difference) => difference === 0)).toBe(true);
      for (const group of [0, 1]) {
        const used = sum(given.jobs.map(({ size, segment }, job) => (segment === group && out[job]! > 0 ? size : 0)));
        expect(used).toBeLessThan(given.groups[group]!.capacity + 3);
      }
    }), { seed: 1, numRuns: 200 });
  });

  test("clears a market of n uniform values and n uniform costs at a half: a surplus of n / 4", () => {
    // Order statistics at their means make the sum exact: sum over i < n/2 of (1 - 2 i / (n + 1)) = n^2 / (4 (n + 1)) for even n.
    const n = 1_000;
    const scale = (n + 1) * 1_000;
    const jobs = Array.from({ length: n }, (_, i) => ({ value: ((i + 1) * scale) / (n + 1), size: 1 }));
    const sellers = Array.from({ length: n }, (_, i) => ({ cost: ((i + 1) * scale) / (n + 1), capacity: 1 }));
    const surplus = planned({ jobs, groups: sellers });
    expect(sum(surplus) / scale).toBeCloseTo((n * n) / (4 * (n + 1)), 6);
    expect(surplus.filter((part) => part > 0).length).toBe(n / 2);
  });

  test("has the same result in whatever order equal jobs come, and takes equal values by their number", () => {
    expect(planned({ jobs: [{ value: 5, size: 1 }, { value: 5, size: 1 }, { value: 5, size: 1 }], groups: [{ cost: 0, capacity: 2 }] })).toEqual([5, 5, 0]);
  });
});
