import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { birthDeath, meanOver } from "./birth-death.ts";
import { erlangB, erlangC, mmcWait } from "./erlang.ts";
import { solveLinear } from "./linear.ts";
import { gammaArrivalsFindBusy } from "./renewal-arrivals.ts";
import { cobhamWaits, pollaczekKhinchineWait, processorSharingSojourn } from "./single-server.ts";
import { twoChoicesShares, twoChoicesSharesFinite, twoChoicesSojourn, twoChoicesSojournFinite } from "./two-choices.ts";

const loads = fc.double({ min: 0.05, max: 0.95, noNaN: true });
const servers = fc.integer({ min: 1, max: 40 });

describe("Erlang's formulas", () => {
  test("agree with published tables (P. Kühn, Tables on Delay Systems, 1976; any Erlang B table)", () => {
    expect(erlangB(10, 5)).toBeCloseTo(0.018385, 6);
    expect(erlangB(1, 1)).toBe(0.5);
    expect(erlangB(2, 1)).toBeCloseTo(0.2, 12);
    expect(erlangB(5, 3)).toBeCloseTo(0.110054, 6);
    expect(erlangC(1, 0.8)).toBeCloseTo(0.8, 12);
    expect(erlangC(2, 1.6)).toBeCloseTo((2 * 0.64) / 1.8, 12);
    expect(mmcWait(1, 0.8, 1)).toBeCloseTo(4, 12);
  });

  test("are birth-death chains", () => {
    fc.assert(fc.property(servers, loads, (c, rho) => {
      const loss = birthDeath((n) => (n < c ? rho * c : 0), (n) => n);
      expect(loss[c] ?? 0).toBeCloseTo(erlangB(c, rho * c), 12);
      const delay = birthDeath(() => rho * c, (n) => Math.min(n, c));
      expect(meanOver(delay, (n) => (n >= c ? 1 : 0))).toBeCloseTo(erlangC(c, rho * c), 9);
      expect(meanOver(delay, (n) => Math.max(0, n - c)) / (rho * c)).toBeCloseTo(mmcWait(c, rho * c, 1), 8);
    }), { seed: 1, numRuns: 50 });
  });
});

describe("birth-death chains", () => {
  test("M/M/1 is geometric", () => {
    const chain = birthDeath(() => 0.8, () => 1);
    for (const n of [0, 1, 5, 20]) expect(chain[n]).toBeCloseTo(0.2 * Math.exp(n * Math.log(0.8)), 12);
    expect(meanOver(chain)).toBeCloseTo(4, 10);
  });

  test("a chain that runs away is refused", () => {
    expect(() => birthDeath(() => 2, () => 1)).toThrow(/births outweigh deaths/);
  });
});

describe("one server", () => {
  test("Pollaczek-Khinchine with CV 1 is M/M/1, with CV 0 half of it", () => {
    fc.assert(fc.property(loads, (rho) => {
      expect(pollaczekKhinchineWait(rho, 1, 1)).toBeCloseTo(mmcWait(1, rho, 1), 9);
      expect(pollaczekKhinchineWait(rho, 1, 0)).toBeCloseTo(mmcWait(1, rho, 1) / 2, 9);
    }), { seed: 1 });
  });

  test("priorities move waiting from class to class: the mean over jobs stays", () => {
    fc.assert(fc.property(loads, fc.double({ min: 0.01, max: 0.99, noNaN: true }), servers, (rho, share, c) => {
      const rates = [share * rho * c, (1 - share) * rho * c];
      const [urgent, ordinary] = cobhamWaits(rates, 1, erlangC(c, rho * c) / c, c);
      expect(urgent! * share + ordinary! * (1 - share)).toBeCloseTo(mmcWait(c, rho * c, 1), 6);
      expect(urgent!).toBeLessThan(ordinary!);
    }), { seed: 1 });
    expect(cobhamWaits([0.3, 0.5], 1, 0.8)).toEqual([expect.closeTo(0.8 / 0.7, 12), expect.closeTo(0.8 / 0.14, 12)]);
  });

  test("processor sharing is as slow as M/M/1 in first-come order", () => {
    expect(processorSharingSojourn(0.8, 1)).toBeCloseTo(1 + mmcWait(1, 0.8, 1), 12);
  });

  test("gamma gaps: CV 1 is Poisson, two Erlang stages have an explicit root", () => {
    fc.assert(fc.property(loads, (rho) => {
      expect(gammaArrivalsFindBusy(rho, 1, 1)).toBeCloseTo(rho, 9);
      expect(gammaArrivalsFindBusy(rho, 1, Math.SQRT1_2)).toBeCloseTo((4 * rho + 1 - Math.sqrt(8 * rho + 1)) / 2, 9);
    }), { seed: 1 });
    expect(() => gammaArrivalsFindBusy(1, 1, 2)).toThrow(/below 1/);
  });
});

describe("power of two choices", () => {
  test("infinitely many servers: Mitzenmacher's figures", () => {
    expect(twoChoicesSojourn(0.9)).toBeCloseTo(2.6141, 4);
    expect(twoChoicesSojourn(0.5)).toBeCloseTo(1.2657, 4);
    expect(twoChoicesShares(0.9)[1]).toBeCloseTo(0.729, 12);
  });

  test("ten servers, with replacement: the refined approximation of Gast and Van Houdt, 2.7513 jobs a server at load 0.9", () => {
    const jobs = twoChoicesSharesFinite(0.9, 10, false).reduce((sum, share) => sum + share, 0);
    expect(jobs).toBeCloseTo(2.7513, 4);
  });

  test("whatever the number of servers, they are busy for their load; distinct servers help a little", () => {
    for (const n of [50, 250]) {
      expect(twoChoicesSharesFinite(0.9, n, true)[0]).toBeCloseTo(0.9, 10);
      expect(twoChoicesSojournFinite(0.9, n, true)).toBeLessThan(twoChoicesSojournFinite(0.9, n, false));
      expect(twoChoicesSojournFinite(0.9, n, true)).toBeGreaterThan(twoChoicesSojourn(0.9));
    }
  });

  test("linear equations are solved, singular ones refused", () => {
    expect(solveLinear([[0, 2], [3, 1]], [4, 5])).toEqual([1, 2]);
    expect(() => solveLinear([[1, 2], [2, 4]], [1, 2])).toThrow(/singular/);
  });
});
