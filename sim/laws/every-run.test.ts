import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Descriptor } from "../../protocol/messages.ts";
import { Node } from "../../scheduler/node.ts";
import { Registry } from "../../scheduler/registry.ts";
import { Eligibility, rules } from "../../scheduler/selection/eligibility.ts";
import { InvariantError } from "../experiment/recorder/invariant.ts";
import { runScenario } from "../experiment/run.ts";
import { Ledger } from "../world/money/ledger.ts";
import { SimulatedRunner } from "../world/runner.ts";
import { SimulatedTelemetry } from "../world/telemetry.ts";
import { arbitraryScenario } from "./testing/arbitrary-scenario.ts";
import { type Fault, patch, type Restore, withPatches } from "./testing/patches.ts";

const both = (...faults: readonly Fault[]): Fault => () => {
  const restores = faults.map((fault) => fault());
  return () => { for (const restore of restores.reverse()) restore(); };
};
const blind = (rule: string): Fault => () => patch(Eligibility.prototype, "judge", (original) => function (this: Eligibility, offer) {
  const code = original.call(this, offer);
  return rules[code] === rule ? 0 : code;
});
const believed = (lie: (descriptor: Descriptor) => Descriptor): Restore =>
  patch(Registry.prototype, "register", (original) => function (this: Registry, descriptor, nowUs) { return original.call(this, lie(descriptor), nowUs); });

describe("the laws that are checked in every run", () => {
  test("are listed in the report, each with how often it was", () => {
    const [scenario] = fc.sample(arbitraryScenario({ payment: { clientBalanceMsat: 1_000_000_000 } }), { seed: 21, numRuns: 1 });
    const { checks, allJobs } = runScenario(scenario!);
    const passed = new Map(checks.laws.map((law) => [law.law, law.passed]));
    expect([...passed.keys()].sort()).toEqual([
      "Little's law", "capacity", "causality", "conservation of jobs", "conservation of money", "eligibility", "metering", "one terminal state",
      "settlement accounts", "welfare accounts", "work conservation",
    ]);
    expect(allJobs.completed).toBeGreaterThan(10);
    for (const law of ["capacity", "causality", "conservation of money", "eligibility", "metering", "one terminal state", "work conservation"]) expect(passed.get(law)).toBeGreaterThanOrEqual(allJobs.completed);
  });

  test.each<readonly [string, string, Fault]>([
    ["a node that is too dear is chosen", "eligibility", blind("too-dear")],
    ["a node in the wrong region is chosen", "eligibility", () => believed((descriptor) => ({ ...descriptor, region: "eu" }))],
    ["a node without the stake is chosen", "eligibility", () => believed((descriptor) => ({ ...descriptor, stakeMsat: 1_000_000 }))],
    ["a node without attestation is chosen", "eligibility", () => believed((descriptor) => ({ ...descriptor, attested: true }))],
    ["a node with too short a context is chosen", "eligibility", () => believed((descriptor) => ({ ...descriptor, offers: descriptor.offers.map((offer) => ({ ...offer, contextTokensMax: 1_000_000 })) }))],
    ["a token too many is metered", "metering", () => patch(Node.prototype, "onRunner", (original) => function (this: Node, event) {
      original.call(this, event.kind === "finished" ? { ...event, outputTokens: Math.max(1, event.outputTokens - 1) } : event);
    })],
    ["another price is billed than posted", "metering", () => patch(SimulatedTelemetry.prototype, "finished", (original) => function (this: SimulatedTelemetry, job, node, attempt, input, output, amountMsat, feeMsat) {
      original.call(this, job, node, attempt, input, output, Math.max(0, amountMsat - 1), feeMsat);
    })],
    ["another fee is billed than agreed", "metering", () => patch(SimulatedTelemetry.prototype, "finished", (original) => function (this: SimulatedTelemetry, job, node, attempt, input, output, amountMsat, feeMsat) {
      original.call(this, job, node, attempt, input, output, amountMsat, Math.max(0, feeMsat - 1));
    })],
    ["an engine tells of more KV than there is", "capacity", () => patch(SimulatedRunner.prototype, "kvTokensUsed", () => (() => 2 ** 33) as never)],
    ["an engine rests", "work conservation", both(
      () => patch(SimulatedRunner.prototype, "running", () => (() => 0) as never),
      () => patch(SimulatedRunner.prototype, "waiting", () => (() => 1) as never),
    )],
    ["a job ends twice", "one terminal state", () => patch(SimulatedTelemetry.prototype, "ended", (original) => function (this: SimulatedTelemetry, job, status, reason) {
      original.call(this, job, status, reason);
      original.call(this, job, status, reason);
    })],
    ["a token comes before the start", "causality", () => patch(SimulatedTelemetry.prototype, "started", () => function () {})],
    ["money is lost", "conservation of money", () => patch(Ledger.prototype, "totalMsat", (original) => function (this: Ledger) { return original.call(this) - 1; })],
  ])("stop it where %s: %s", (_, law, fault) => {
    const errors: unknown[] = [];
    for (const scenario of fc.sample(arbitraryScenario({ router: { fee: { shareBps: 100, flatMsat: 2 } } }), { seed: 21, numRuns: 60 })) {
      try {
        withPatches([fault], () => runScenario(scenario, { seed: 4321 }));
      } catch (error) {
        errors.push(error);
        break;
      }
    }
    const [error] = errors as InvariantError[];
    expect(error).toBeInstanceOf(InvariantError);
    expect(error).toMatchObject({ law, seed: 4321 });
    expect(error!.message).toContain("seed 4321");
    if (["eligibility", "metering", "one terminal state", "causality"].includes(law)) expect(error!.job).toMatch(/^users-[xyz]-\d+$/);
  });
});
