import { expect, test } from "vitest";
import { manyServers } from "./testing/cases/many-servers.ts";
import { oneServer } from "./testing/cases/one-server.ts";
import { stateDependent } from "./testing/cases/state-dependent.ts";
import { describePlanted } from "./testing/describe-cases.ts";
import { judge } from "./testing/judge.ts";
import { seedOf } from "./testing/suite.ts";

const named = (beginning: string) => [...oneServer, ...manyServers, ...stateDependent].find(({ name }) => name.startsWith(beginning))!;

describePlanted(named("M/D/1"), "1.03s");
describePlanted(named("M/M/4/10"), "{exponential: {mean: 1.03s}}");
describePlanted(named("closed loop"), "{exponential: {mean: 1.03s}}");

test("arrivals that are not Poisson do not see time averages, and the check says so", () => {
  const theoryCase = named("M/M/1, ");
  const { verdicts } = judge(theoryCase, seedOf(theoryCase), ["horizon=2d", "clients.customers.arrivals.gamma={rate: 0.8/s, cv: 0.8}"]);
  expect(verdicts.find(({ comparison }) => comparison.what.startsWith("arrivals that find nobody"))!.holdsJointly).toBe(false);
});

test("a job with a microsecond too much breaks Little's law", () => {
  const theoryCase = named("closed loop");
  const { jobs, report } = judge(theoryCase, seedOf(theoryCase), ["horizon=3h"]).played;
  let sojournUs = 1;
  for (let i = 0; i < jobs.count; i++) sojournUs += jobs.endedUs[i]! - jobs.submittedUs[i]!;
  expect(report.checks.little.jobUs).not.toBe(String(sojournUs));
});
