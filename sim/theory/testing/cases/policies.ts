import { gammaArrivalsFindBusy } from "../../closed-forms/renewal-arrivals.ts";
import { twoChoicesSharesFinite, twoChoicesSojourn, twoChoicesSojournFinite } from "../../closed-forms/two-choices.ts";
import type { TheoryCase } from "../case.ts";
import { meanOf, overTime, sojourn, waitedShare } from "../measures.ts";

const servers = 250;
/** Each of n nodes sees every n-th arrival: Erlang-distributed gaps of n stages. */
const inTurn = (nodes: number) => (service: number): number => gammaArrivalsFindBusy(0.8, service, Math.sqrt(1 / nodes));

export const policies: readonly TheoryCase[] = [
  {
    name: "power of two choices, 250 nodes, rho = 0.9",
    reference: "M. Mitzenmacher, IEEE TPDS 12(10), 2001; 1/N correction: N. Gast, B. Van Houdt, Proceedings of the ACM MACS 1(2), 2017",
    scenario: "power-of-two",
    sets: ["horizon=30min"],
    comparisons: [
      {
        what: "mean time in the system", unit: "s", measure: meanOf(sojourn), theory: (s) => s * twoChoicesSojournFinite(0.9 * s, servers, true), within: 0.03,
        not: [{ model: "random choice", value: 10 }, { model: "join the shortest of all, at least", value: 1 }],
      },
      { what: "the same, against infinitely many nodes", unit: "s", measure: meanOf(sojourn), theory: (s) => s * twoChoicesSojourn(0.9 * s), within: 0.03 },
      { what: "mean number in the system", unit: "jobs", measure: overTime("inSystem"), theory: (s) => servers * twoChoicesSharesFinite(0.9 * s, servers, true).reduce((sum, share) => sum + share, 0), within: 0.03 },
      { what: "share of jobs that wait", unit: "share", measure: waitedShare, theory: (s) => 0.9 * s * 0.9 * s, within: 0.03 },
    ],
  },
  {
    name: "random choice, 4 nodes, rho = 0.9",
    reference: "M/M/1 at each node: Gross et al. 2008, 2.2",
    scenario: "power-of-two",
    sets: ["router.policy=random", "operators.servers.count=4", "clients.customers.arrivals.poisson.rate=3.6/s", "horizon=30h", "warmup=1h"],
    comparisons: [
      { what: "mean time in the system", unit: "s", measure: meanOf(sojourn), theory: (s) => s / (1 - 0.9 * s), within: 0.12, not: [{ model: "power of two choices", value: twoChoicesSojourn(0.9) }] },
      { what: "share of jobs that wait", unit: "share", measure: waitedShare, theory: (s) => 0.9 * s, within: 0.01 },
    ],
  },
  {
    name: "in turn to 2 nodes, rho = 0.8",
    reference: "E2/M/1 at each node: Gross et al. 2008, 5.3",
    scenario: "mm1",
    sets: ["horizon=2d", "operators.server.count=2", "clients.customers.arrivals.poisson.rate=1.6/s"],
    comparisons: [
      { what: "mean time in the system", unit: "s", measure: meanOf(sojourn), theory: (s) => s / (1 - inTurn(2)(s)), within: 0.06, not: [{ model: "random choice", value: 5 }] },
      { what: "share of jobs that wait", unit: "share", measure: waitedShare, theory: inTurn(2), within: 0.02, not: [{ model: "random choice", value: 0.8 }] },
    ],
  },
];
