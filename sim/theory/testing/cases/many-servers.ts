import { birthDeath, meanOver } from "../../closed-forms/birth-death.ts";
import { erlangB, erlangC, mmcWait } from "../../closed-forms/erlang.ts";
import { cobhamWaits } from "../../closed-forms/single-server.ts";
import type { TheoryCase } from "../case.ts";
import { foundAt, lostShare, meanOf, ofClass, overTime, timeAt, wait, waitedShare } from "../measures.ts";

const mmck = (service: number): readonly number[] => birthDeath((n) => (n < 10 ? 4 : 0), (n) => Math.min(n, 4) / service);
const carried = (service: number): number => 12 * service * (1 - erlangB(16, 12 * service));
/** Four nodes with one slot each and the queue at the router: still one queue and four servers. */
const queueAtRouter = [
  "operators.server.count=4", "operators.server.queueLimit=0", "router.policy=least-loaded", "router.queue={limit: unlimited, maxWait: forever}",
];

export const manyServers: readonly TheoryCase[] = [
  ...([[2, "3d", 0.07], [4, "40h", 0.08], [16, "9h", 0.14]] as const).map(([servers, horizon, within]): TheoryCase => ({
    name: `M/M/${servers}, rho = 0.8`,
    reference: "Erlang C; Gross et al. 2008, 2.3",
    scenario: `mmc-${servers}`,
    sets: [`horizon=${horizon}`],
    comparisons: [
      {
        what: "mean wait", unit: "s", measure: meanOf(wait), theory: (s) => mmcWait(servers, 0.8 * servers, s), within,
        not: [{ model: "as many M/M/1", value: mmcWait(1, 0.8, 1) }],
      },
      { what: "share of jobs that wait", unit: "share", measure: waitedShare, theory: (s) => erlangC(servers, 0.8 * servers * s), within: 0.05 },
      {
        what: "mean number in the system", unit: "jobs", measure: overTime("inSystem"), theory: (s) => 0.8 * servers * (s + mmcWait(servers, 0.8 * servers, s)), within: 0.05,
      },
      { what: "utilisation", unit: "share", measure: overTime("utilisation"), theory: (s) => 0.8 * s, within: 0.01 },
    ],
  })),
  {
    name: "M/M/4, rho = 0.8, four nodes and the queue at the router",
    reference: "Erlang C; Gross et al. 2008, 2.3",
    scenario: "mmc-4",
    sets: ["horizon=36h", "operators.server.engine.service-time.slots=1", ...queueAtRouter],
    comparisons: [
      { what: "mean wait", unit: "s", measure: meanOf(wait), theory: (s) => mmcWait(4, 3.2, s), within: 0.08, not: [{ model: "four M/M/1", value: mmcWait(1, 0.8, 1) }] },
      { what: "share of jobs that wait", unit: "share", measure: waitedShare, theory: (s) => erlangC(4, 3.2 * s), within: 0.03 },
      { what: "mean number at the router", unit: "jobs", measure: overTime("waitingAtRouter"), theory: (s) => 3.2 * mmcWait(4, 3.2, s), within: 0.08 },
    ],
  },
  {
    name: "two classes with priority at the router, four nodes, rho = 0.3 + 0.5",
    reference: "A. Cobham, Operations Research 2(1), 1954",
    scenario: "two-class-priority",
    sets: ["horizon=36h", "clients.urgent.arrivals.poisson.rate=1.2/s", "clients.ordinary.arrivals.poisson.rate=2/s", ...queueAtRouter],
    comparisons: [0, 1].map((clientClass) => ({
      what: `mean wait, ${clientClass === 0 ? "urgent" : "ordinary"} jobs`, unit: "s", measure: meanOf(wait, ofClass(clientClass)),
      theory: (s: number) => cobhamWaits([1.2, 2], s, (erlangC(4, 3.2 * s) * s) / 4, 4)[clientClass]!, within: 0.08, not: [{ model: "without priorities", value: mmcWait(4, 3.2, 1) }],
    })),
  },
  {
    name: "M/M/4/10, rho = 1",
    reference: "birth-death chain; Gross et al. 2008, 2.5",
    scenario: "mmck",
    sets: ["horizon=18h"],
    comparisons: [
      { what: "share of jobs lost", unit: "share", measure: lostShare, theory: (s) => mmck(s)[10]!, within: 0.05, not: [{ model: "without a queue", value: erlangB(4, 4) }] },
      { what: "mean wait of those admitted", unit: "s", measure: meanOf(wait), theory: (s) => meanOver(mmck(s), (n) => Math.max(0, n - 4)) / (4 * (1 - mmck(s)[10]!)), within: 0.03 },
      { what: "mean number in the system", unit: "jobs", measure: overTime("inSystem"), theory: (s) => meanOver(mmck(s)), within: 0.02 },
      { what: "mean number in service", unit: "jobs", measure: overTime("running"), theory: (s) => meanOver(mmck(s), (n) => Math.min(n, 4)), within: 0.02 },
      { what: "share of time with 10 jobs", unit: "share", measure: timeAt(10), theory: (s) => mmck(s)[10]!, within: 0.06 },
      { what: "share of arrivals that find 4 jobs", unit: "share", measure: foundAt(4), theory: (s) => mmck(s)[4]!, within: 0.05, insensitive: true },
    ],
  },
  ...(["exponential: {mean: 1s}", "lognormal: {mean: 1s, cv: 1.5}", "constant: 1s"] as const).map((service): TheoryCase => ({
    name: `Erlang B, 16 slots, 12 Erlang, ${service.split(":")[0]} service`,
    reference: "A. K. Erlang 1917; insensitivity: B. A. Sevastyanov, Theory of Probability and its Applications 2(1), 1957",
    scenario: "erlang-b",
    sets: [...(service.startsWith("lognormal") ? [] : ["horizon=6h"]), `operators.server.engine.service-time.service=${service === "constant: 1s" ? "1s" : `{${service}}`}`],
    comparisons: [
      { what: "share of jobs lost", unit: "share", measure: lostShare, theory: (s) => erlangB(16, 12 * s), within: 0.06, not: [{ model: "one slot fewer", value: erlangB(15, 12) }] },
      { what: "mean number in service", unit: "jobs", measure: overTime("running"), theory: carried, within: 0.01 },
      { what: "share of time with 16 jobs", unit: "share", measure: timeAt(16), theory: (s) => erlangB(16, 12 * s), within: 0.06 },
    ],
  })),
];
