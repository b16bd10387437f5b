import { birthDeath, meanOver } from "../../closed-forms/birth-death.ts";
import type { TheoryCase } from "../case.ts";
import { completedPerS, everyJob, foundAt, lostShare, meanOf, overTime, sojourn, timeAt } from "../measures.ts";

const rates = [1, 1.9, 2.7, 3.4, 4, 4.5, 4.9, 5.2];
const batch = (service: number): readonly number[] => birthDeath(() => 4, (n) => rates[Math.min(n, rates.length) - 1]! / service);

const users = 10;
/** Users at the server, when each thinks for 8 s on average. */
const repair = (service: number, population = users): readonly number[] => birthDeath((n) => (population - n) / 8, () => 1 / service);

/** Jobs leave unserved at 0.2/s each, waiting or in service. */
const impatient = (service: number): readonly number[] => birthDeath(() => 1.5, (n) => 1 / service + n * 0.2);

export const stateDependent: readonly TheoryCase[] = [
  {
    name: "batch server, up to 8 jobs together",
    reference: "birth-death chain; Gross et al. 2008, 2.1",
    scenario: "batch-server",
    sets: ["horizon=28h"],
    comparisons: [
      { what: "mean time in the system", unit: "s", measure: meanOf(sojourn), theory: (s) => meanOver(batch(s)) / 4, within: 0.05, not: [{ model: "5.2 jobs/s from one job on", value: 1 / 1.2 }] },
      { what: "mean number in the system", unit: "jobs", measure: overTime("inSystem"), theory: (s) => meanOver(batch(s)), within: 0.05 },
      { what: "mean number in the batch", unit: "jobs", measure: overTime("running"), theory: (s) => meanOver(batch(s), (n) => Math.min(n, 8)), within: 0.02 },
      { what: "share of time with 2 jobs", unit: "share", measure: timeAt(2), theory: (s) => batch(s)[2]!, within: 0.05 },
      { what: "share of time with 8 jobs", unit: "share", measure: timeAt(8), theory: (s) => batch(s)[8]!, within: 0.05, insensitive: true },
      { what: "share of arrivals that find 8 jobs", unit: "share", measure: foundAt(8), theory: (s) => batch(s)[8]!, within: 0.05, insensitive: true },
    ],
  },
  {
    name: "closed loop of 10 users, M/M/1//10",
    reference: "machine repair: Gross et al. 2008, 2.7; arrival theorem: S. Lavenberg, M. Reiser, Journal of Applied Probability 17(4), 1980",
    scenario: "mm1",
    sets: ["horizon=2d", `clients.customers.arrivals.closed={users: ${users}, thinkTime: {exponential: {mean: 8s}}}`],
    comparisons: [
      { what: "throughput", unit: "jobs/s", measure: completedPerS, theory: (s) => (1 - repair(s)[0]!) / s, within: 0.02 },
      { what: "mean time in the system", unit: "s", measure: meanOf(sojourn), theory: (s) => (users * s) / (1 - repair(s)[0]!) - 8, within: 0.05 },
      { what: "mean number at the server", unit: "jobs", measure: overTime("inSystem"), theory: (s) => meanOver(repair(s)), within: 0.05 },
      { what: "share of time with nobody", unit: "share", measure: timeAt(0), theory: (s) => repair(s)[0]!, within: 0.05 },
      {
        what: "share of jobs that find nobody", unit: "share", measure: foundAt(0), theory: (s) => repair(s, users - 1)[0]!, within: 0.05,
        not: [{ model: "arrivals that see time averages", value: repair(1)[0]! }],
      },
    ],
  },
  {
    name: "impatient clients, rho = 1.5",
    reference: "birth-death chain; C. Palm 1957; Gross et al. 2008, 2.10",
    scenario: "mm1",
    sets: ["horizon=3d", "clients.customers.arrivals.poisson.rate=1.5/s", "clients.customers.patience={exponential: {mean: 5s}}"],
    comparisons: [
      { what: "share of jobs given up", unit: "share", measure: lostShare, theory: (s) => (0.2 * meanOver(impatient(s))) / 1.5, within: 0.03 },
      { what: "mean time in the system, all jobs", unit: "s", measure: meanOf(sojourn, everyJob), theory: (s) => meanOver(impatient(s)) / 1.5, within: 0.03 },
      { what: "mean number in the system", unit: "jobs", measure: overTime("inSystem"), theory: (s) => meanOver(impatient(s)), within: 0.03 },
      { what: "utilisation", unit: "share", measure: overTime("utilisation"), theory: (s) => 1 - impatient(s)[0]!, within: 0.01 },
    ],
  },
];
