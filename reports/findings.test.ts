import { expect, test } from "vitest";
import type { RunReport } from "../protocol/result.ts";
import { findings } from "./findings.ts";
import { empty, toy } from "./testing/reports.ts";

const { overall } = toy;
const calm: RunReport = {
  ...toy,
  overall: {
    ...overall,
    jobs: { submitted: 1_000, completed: 1_000, failed: 0, rejected: 0, expired: 0, cancelled: 0, inFlight: 0 }, reasons: [],
    goodput: { ...overall.goodput, share: 0.99 }, attempts: { ...overall.attempts, retriedJobs: 0 },
  },
  operatorClasses: toy.operatorClasses.map((of) => ({ ...of, utilisation: 0.5 })),
  checks: { ...toy.checks, little: { ...toy.checks.little, relativeError: 0.001 } },
};

test("a calm market is called calm", () => {
  expect(findings(calm)).toEqual([expect.stringContaining("Nothing stands out")]);
});

test.each<[string, RunReport, RegExp]>([
  ["no jobs", empty, /No job was submitted/],
  ["few jobs", { ...calm, overall: { ...calm.overall, jobs: { ...calm.overall.jobs, submitted: 12, completed: 12 } } }, /Only 12 jobs completed/],
  ["an interruption", { ...calm, provenance: { ...calm.provenance, interrupted: true } }, /interrupted: it covers 20 min/],
  ["jobs under way", { ...calm, overall: { ...calm.overall, jobs: { ...calm.overall.jobs, submitted: 1_005, inFlight: 5 } } }, /5 jobs were still under way/],
  ["losses", { ...calm, overall: { ...calm.overall, jobs: { ...calm.overall.jobs, completed: 900, rejected: 100 }, reasons: [{ status: "rejected", reason: "full", jobs: 100 }] } }, /10 % of the jobs did not complete; most often they were rejected \(full\): 100 jobs/],
  ["missed goals", { ...calm, overall: { ...calm.overall, goodput: { ...overall.goodput, share: 0.5, goals: [{ goal: "ttft", jobs: 10, met: 9, share: 0.9 }, { goal: "tpot", jobs: 10, met: 4, share: 0.4 }] } } }, /50 % of the jobs .* time per output token, met by 40 %/],
  ["overload", { ...calm, operatorClasses: calm.operatorClasses.map((of, index) => ({ ...of, utilisation: index === 0 ? 0.97 : 0.5 })) }, /Nearly always busy: rtx3060 \(97 % of slot time\)\./],
  ["idleness", { ...calm, operatorClasses: calm.operatorClasses.map((of) => ({ ...of, utilisation: 0.01 })) }, /Hardly used: rtx3060 \(1 % of slot time\), rtx4090/],
  ["retries", { ...calm, overall: { ...calm.overall, attempts: { ...overall.attempts, retriedJobs: 200, failures: [{ reason: "queue-full", attempts: 220 }] } } }, /20 % of the jobs needed more than one node, most often because of queue-full/],
  ["no steady state", { ...calm, checks: { ...calm.checks, little: { ...calm.checks.little, relativeError: -0.4 } } }, /not in a steady state: .* 60 % of the jobs in the system/],
])("%s stands out", (_, report, sentence) => {
  expect(findings(report)).toEqual([expect.stringMatching(sentence)]);
});
