import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { loadScenario } from "../scenario/load.ts";
import { runScenario } from "./run.ts";

const file = new URL("../../scenarios/router-fee.yaml", import.meta.url);

/** Jobs that trade, and the router's revenue, at a flat fee. */
function at(feeMsat: number, bearer = "client"): { jobs: number; traded: number; revenueMsat: number; reached: number } {
  const { scenario } = loadScenario(readFileSync(file, "utf8"), "router-fee.yaml", { sets: [`router.fee={flat: ${feeMsat} msat, bearer: ${bearer}}`] });
  const { allJobs, settlement, welfare } = runScenario(scenario);
  return { jobs: allJobs.submitted, traded: allJobs.completed, revenueMsat: settlement!.routerFees.billedMsat, reached: welfare!.shareReached! };
}

test("with values uniform on [0, 1000] and a cost of 200, demand, revenue and welfare follow the monopolist's closed form", () => {
  const fees = [200, 300, 400, 500, 600];
  const found = fees.map((fee) => at(fee));
  fees.forEach((fee, i) => {
    const { jobs, traded, revenueMsat, reached } = found[i]!;
    const share = (800 - fee) / 1_000;
    // A binomial share, 99 %; a job worth exactly its price may go either way.
    expect(Math.abs(traded / jobs - share)).toBeLessThan(2.576 * Math.sqrt((share * (1 - share)) / jobs) + 0.001);
    expect(revenueMsat).toBe(fee * traded);
    // What trade could bring is the triangle of side 800; the fee loses the one of side f.
    expect(reached).toBeCloseTo(1 - (fee / 800) ** 2, 1);
  });
  const best = found.reduce((a, b) => (b.revenueMsat > a.revenueMsat ? b : a));
  expect(best).toBe(found[2]);
});

test("borne by operators, the fee changes no price, no demand, and comes out of what they were paid", () => {
  const [none, borne] = [at(0), at(100, "operator")];
  expect([borne.jobs, borne.traded, borne.revenueMsat]).toEqual([none.jobs, none.traded, 100 * none.traded]);
});
