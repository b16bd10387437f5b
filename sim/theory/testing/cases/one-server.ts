import { cobhamWaits, pollaczekKhinchineWait, processorSharingSojourn } from "../../closed-forms/single-server.ts";
import { mmcWait } from "../../closed-forms/erlang.ts";
import { gammaArrivalsFindBusy } from "../../closed-forms/renewal-arrivals.ts";
import type { TheoryCase } from "../case.ts";
import { foundLessTimeEmpty, longerThan, meanOf, ofClass, overTime, sojourn, timeAt, wait, waitedShare } from "../measures.ts";
import { COMPLETED, type Played } from "../played.ts";

const rate = 0.8;
const mm1Sojourn = (service: number): number => service / (1 - rate * service);
/** Share of M/M/1 jobs that take longer than t: exponential. */
const mm1Longer = (t: number) => (service: number): number => Math.exp(-t / mm1Sojourn(service));
const quantile = (p: number): number => -Math.log(1 - p) * mm1Sojourn(1);

/** Every 500th job after the warm-up: by then the queue has forgotten (its relaxation time is some 90 service times). */
function thinnedSojourns({ jobs, report }: Played): number[] {
  const sample: number[] = [];
  for (let i = 0; i < jobs.count; i += 500) if (jobs.submittedUs[i]! >= report.warmupUs && jobs.status[i] === COMPLETED) sample.push(sojourn(jobs, i));
  return sample;
}

const renewalRate = 0.6;
const gammaSigma = (cv: number) => (service: number): number => gammaArrivalsFindBusy(renewalRate, service, cv);
const gammaWait = (cv: number) => (service: number): number => (service * gammaSigma(cv)(service)) / (1 - gammaSigma(cv)(service));

export const oneServer: readonly TheoryCase[] = [
  {
    name: "M/M/1, rho = 0.8",
    reference: "Gross et al. 2008, 2.2; PASTA: R. W. Wolff, Operations Research 30(2), 1982",
    scenario: "mm1",
    sets: ["horizon=7d"],
    comparisons: [
      { what: "mean wait", unit: "s", measure: meanOf(wait), theory: (s) => mmcWait(1, rate, s), within: 0.05, not: [{ model: "M/D/1", value: pollaczekKhinchineWait(rate, 1, 0) }] },
      { what: "mean time in the system", unit: "s", measure: meanOf(sojourn), theory: mm1Sojourn, within: 0.05 },
      { what: "share above the theoretical median", unit: "share", measure: longerThan(quantile(0.5)), theory: mm1Longer(quantile(0.5)), within: 0.05 },
      { what: "share above the theoretical p90", unit: "share", measure: longerThan(quantile(0.9)), theory: mm1Longer(quantile(0.9)), within: 0.12 },
      { what: "share of jobs that wait", unit: "share", measure: waitedShare, theory: (s) => rate * s, within: 0.01 },
      { what: "mean number in the system", unit: "jobs", measure: overTime("inSystem"), theory: (s) => rate * mm1Sojourn(s), within: 0.05 },
      { what: "utilisation", unit: "share", measure: overTime("utilisation"), theory: (s) => rate * s, within: 0.01 },
      { what: "share of time with 3 jobs", unit: "share", measure: timeAt(3), theory: (s) => (1 - rate * s) * (rate * s) * (rate * s) * (rate * s), within: 0.05, insensitive: true },
      { what: "arrivals that find nobody less time with nobody", unit: "share", measure: foundLessTimeEmpty, theory: () => 0, within: 0.01, scale: 0.2, insensitive: true, not: [{ model: "gamma gaps with CV 0.5", value: rate - gammaArrivalsFindBusy(rate, 1, 0.5) }] },
    ],
    distribution: { what: "time in the system of every 500th job is exponential", sample: thinnedSojourns, cdf: (x, s) => -Math.expm1(-x / mm1Sojourn(s)) },
  },
  {
    name: "M/D/1, rho = 0.8",
    reference: "Pollaczek-Khinchine; Gross et al. 2008, 5.1",
    scenario: "md1",
    sets: ["horizon=4d"],
    comparisons: [
      { what: "mean wait", unit: "s", measure: meanOf(wait), theory: (s) => pollaczekKhinchineWait(rate, s, 0), within: 0.06, not: [{ model: "M/M/1", value: mmcWait(1, rate, 1) }] },
      { what: "share of jobs that wait", unit: "share", measure: waitedShare, theory: (s) => rate * s, within: 0.01 },
      { what: "mean number in the system", unit: "jobs", measure: overTime("inSystem"), theory: (s) => rate * (s + pollaczekKhinchineWait(rate, s, 0)), within: 0.05 },
    ],
  },
  ...([["hyperexponential", 1.5, 0.7, "6d"], ["lognormal", 1, 0.5, "5d"]] as const).map(([family, cv, load, horizon]): TheoryCase => ({
    name: `M/G/1, rho = ${load}, ${family} service with CV ${cv}`,
    reference: "Pollaczek-Khinchine; Gross et al. 2008, 5.1",
    scenario: "mg1",
    sets: [`horizon=${horizon}`, `clients.customers.arrivals.poisson.rate=${load}/s`, `operators.server.engine.service-time.service={${family}: {mean: 1s, cv: ${cv}}}`],
    comparisons: [
      { what: "mean wait", unit: "s", measure: meanOf(wait), theory: (s) => pollaczekKhinchineWait(load, s, cv), within: 0.08, not: [{ model: "M/D/1", value: pollaczekKhinchineWait(load, 1, 0) }] },
      { what: "share of jobs that wait", unit: "share", measure: waitedShare, theory: (s) => load * s, within: 0.02 },
      { what: "mean number in the system", unit: "jobs", measure: overTime("inSystem"), theory: (s) => load * (s + pollaczekKhinchineWait(load, s, cv)), within: 0.08 },
    ],
  })),
  ...([[0.5, "3d"], [1.5, "5d"]] as const).map(([cv, horizon]): TheoryCase => ({
    name: `GI/M/1, rho = 0.6, gamma gaps with CV ${cv}`,
    reference: "D. G. Kendall 1953; Gross et al. 2008, 5.3",
    scenario: "mm1",
    sets: [`horizon=${horizon}`, `clients.customers.arrivals.gamma={rate: ${renewalRate}/s, cv: ${cv}}`],
    comparisons: [
      { what: "mean wait", unit: "s", measure: meanOf(wait), theory: gammaWait(cv), within: 0.06, not: [{ model: "M/M/1", value: mmcWait(1, renewalRate, 1) }] },
      { what: "share of jobs that wait", unit: "share", measure: waitedShare, theory: gammaSigma(cv), within: 0.02, not: [{ model: "M/M/1", value: renewalRate }] },
      { what: "utilisation", unit: "share", measure: overTime("utilisation"), theory: (s) => renewalRate * s, within: 0.01 },
    ],
  })),
  {
    name: "two classes with priority, rho = 0.3 + 0.5",
    reference: "A. Cobham, Operations Research 2(1), 1954; Gross et al. 2008, 3.4.1",
    scenario: "two-class-priority",
    sets: ["horizon=6d"],
    comparisons: [0, 1].map((clientClass) => ({
      what: `mean wait, ${clientClass === 0 ? "urgent" : "ordinary"} jobs`, unit: "s", measure: meanOf(wait, ofClass(clientClass)),
      theory: (s: number) => cobhamWaits([0.3, 0.5], s, rate * s * s)[clientClass]!, within: 0.06, not: [{ model: "without priorities", value: mmcWait(1, rate, 1) }],
    })),
  },
  ...([["processor-sharing", "exponential service", 0.7, "3d"], ["processor-sharing-heavy", "hyperexponential service with CV 2", 0.7, "7d"]] as const).map(([scenario, service, load, horizon]): TheoryCase => ({
    name: `processor sharing, rho = ${load}, ${service}`,
    reference: "L. Kleinrock, Journal of the ACM 14(2), 1967; M. Sakata et al., Operations Research 19(2), 1971",
    scenario,
    sets: [`horizon=${horizon}`, ...(scenario === "processor-sharing" ? [] : ["operators.server.engine.service-time.service.hyperexponential.cv=2"])],
    comparisons: [
      {
        what: "mean time in the system", unit: "s", measure: meanOf(sojourn), theory: (s) => processorSharingSojourn(load, s), within: 0.07,
        not: scenario === "processor-sharing" ? [] : [{ model: "M/G/1, first come first served", value: 1 + pollaczekKhinchineWait(load, 1, 2) }],
      },
      { what: "mean number in the system", unit: "jobs", measure: overTime("inSystem"), theory: (s) => load * processorSharingSojourn(load, s), within: 0.07 },
      { what: "share of time with nobody", unit: "share", measure: timeAt(0), theory: (s) => 1 - load * s, within: 0.04 },
      { what: "share of time with 2 jobs", unit: "share", measure: timeAt(2), theory: (s) => (1 - load * s) * load * s * load * s, within: 0.05, insensitive: true },
    ],
  })),
];
