/**
 * How often the 99 % intervals miss, over many seeds: `node sim/theory/testing/coverage.ts [SEEDS] [FIRST]`. For those who
 * change a case: intervals from batches that are too short miss more often than once in a hundred.
 */
import { judge } from "./judge.ts";
import { suite } from "./suite.ts";

const seeds = Number(process.argv[2] ?? 10);
const first = Number(process.argv[3] ?? 1001);
let all = 0;
let missed = 0;
for (const theoryCase of suite) {
  const counts = theoryCase.comparisons.map(() => ({ missed: 0, apart: 0, blind: 0, square: 0, sharpness: 0, lag: 0 }));
  for (let seed = first; seed < first + seeds; seed++) {
    for (const [i, { holds, holdsJointly, bites, interval, theory, sharpness, lag1 }] of judge(theoryCase, seed).verdicts.entries()) {
      const count = counts[i]!;
      if (!holds) count.missed++;
      if (!holdsJointly) count.apart++;
      if (!bites) count.blind++;
      const off = (interval.mean - theory) / interval.halfWidth;
      count.square += (off * off) / seeds;
      count.sharpness = Math.max(count.sharpness, sharpness);
      count.lag += lag1 / seeds;
    }
  }
  console.log(theoryCase.name);
  for (const [i, count] of counts.entries()) {
    all += seeds;
    missed += count.missed;
    console.log(
      `  ${theoryCase.comparisons[i]!.what}: missed ${count.missed} of ${seeds}, jointly ${count.apart}, blind ${count.blind}, `
      + `rms error ${Math.sqrt(count.square).toFixed(2)} half-widths, widest ${(100 * count.sharpness).toFixed(1)} %, lag-1 ${count.lag.toFixed(2)}`,
    );
  }
}
console.log(`${missed} of ${all} intervals missed (${((100 * missed) / all).toFixed(2)} %)`);
