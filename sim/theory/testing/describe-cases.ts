import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { KOLMOGOROV_CRITICAL } from "../../kernel/testing/kolmogorov.ts";
import type { TheoryCase } from "./case.ts";
import { judge, type Judgement } from "./judge.ts";
import { pageFile, section } from "./page.ts";
import { seedOf } from "./suite.ts";

/** Correlation of neighbouring batches, in its own standard errors, beyond which the intervals are not believed. */
const LAG_MAX = 3.5;
/** What the edges of the measured interval may leave over of Little's law. */
const EDGES_MAX = 0.002;

/** Tests that play each case once and compare all its figures with theory. */
export function describeCases(cases: readonly TheoryCase[]): void {
  const page = readFileSync(pageFile, "utf8");
  for (const theoryCase of cases) {
    describe(theoryCase.name, () => {
      let judgement: Judgement | undefined;
      const judged = (): Judgement => (judgement ??= judge(theoryCase, seedOf(theoryCase)));

      test("every closed form lies in its joint confidence interval", () => {
        for (const { comparison, theory, interval, holdsJointly } of judged().verdicts) {
          expect(holdsJointly, `${comparison.what}: theory ${theory}, measured ${interval.mean}, 99 % half-width ${interval.halfWidth}`).toBe(true);
        }
      });

      test("the intervals are sharp, their batches uncorrelated", () => {
        for (const { comparison, sharpness, lag1, interval } of judged().verdicts) {
          expect(sharpness, comparison.what).toBeLessThanOrEqual(comparison.within);
          expect(lag1 * Math.sqrt(interval.observations), comparison.what).toBeLessThan(LAG_MAX);
          expect(interval.observations, comparison.what).toBeGreaterThanOrEqual(30);
        }
      });

      test("the same check rejects 3 % slower service and every neighbouring model", () => {
        for (const { comparison, bites, interval, faulty } of judged().verdicts) {
          expect(bites, `${comparison.what}: faulty ${faulty}, measured ${interval.mean}, 99 % half-width ${interval.halfWidth}`).toBe(true);
        }
      });

      test("Little's law holds exactly, and no job is lost", () => {
        const { report, jobs } = judged().played;
        const { little } = report.checks;
        let sojournUs = 0;
        for (let i = 0; i < jobs.count; i++) sojournUs += jobs.endedUs[i]! - jobs.submittedUs[i]!;
        expect(Number.isSafeInteger(sojournUs)).toBe(true);
        expect(little.jobUs).toBe(String(sojournUs));
        expect(Math.abs((little.arrivalsPerS! * little.meanSojournUs!) / 1e6 / little.meanInSystem! - 1)).toBeLessThan(EDGES_MAX);
        const { submitted, completed, failed, rejected, expired, cancelled, inFlight } = report.allJobs;
        expect(submitted).toBe(jobs.count);
        expect(completed + failed + rejected + expired + cancelled).toBe(submitted);
        expect(inFlight).toBe(0);
      });

      for (const { what } of theoryCase.distribution === undefined ? [] : [theoryCase.distribution]) {
        test(`${what} (Kolmogorov-Smirnov, p > 0.001), and not as under slower service`, () => {
          const { kolmogorov } = judged();
          expect(kolmogorov!.size).toBeGreaterThan(500);
          expect(kolmogorov!.statistic).toBeLessThan(KOLMOGOROV_CRITICAL);
          expect(kolmogorov!.faulty).toBeGreaterThan(KOLMOGOROV_CRITICAL);
        });
      }

      test("README.md is current; if not: node sim/theory/testing/generate.ts", () => {
        expect(page).toContain(section(judged()));
        judgement = undefined;
      });
    });
  }
}

/** Tests that a server that is really 3 % slower, played at the same length, is rejected. */
export function describePlanted(theoryCase: TheoryCase, slower: string): void {
  test(`${theoryCase.name}: planted in the run, 3 % slower service is rejected`, () => {
    const { verdicts } = judge(theoryCase, seedOf(theoryCase), [`operators.server.engine.service-time.service=${slower}`]);
    const rejected = verdicts.filter(({ comparison, holdsJointly }) => comparison.insensitive !== true && !holdsJointly);
    expect(rejected.length, verdicts.map(({ comparison, theory, interval }) => `${comparison.what}: theory ${theory}, measured ${interval.mean}`).join("\n")).toBeGreaterThan(0);
  });
}
