import { describe, expect, test } from "vitest";
import type { Scenario } from "../scenario/scenario.ts";
import { BatchEngine } from "../world/engine/batch.ts";
import { SimulatedEnvironment } from "../world/environment.ts";
import type { World } from "../world/world.ts";
import { arbitraryScenario } from "./testing/arbitrary-scenario.ts";
import { watchEngines } from "./testing/engine-witness.ts";
import { HeldJobs } from "./testing/held-jobs.ts";
import { type Fault, patch } from "./testing/patches.ts";
import { play } from "./testing/play.ts";
import { firstViolation, inRandomMarkets, must } from "./testing/violation.ts";
import { Who } from "./testing/who.ts";

/**
 * Law 4: at every moment the jobs that run are at most the slots, and the KV tokens in use at most the cache, by the
 * engine's own word and by a count of what went in and came out; a node holds no more jobs than it says it can.
 */
export function checkCapacity(scenario: Scenario, faults: readonly Fault[] = [], before?: (world: World) => void): { fullMoments: number; tightMoments: number } {
  const { contents, watch } = watchEngines();
  const who = new Who(scenario, scenario.seed);
  const held = new HeldJobs(who);
  let fullMoments = 0;
  let tightMoments = 0;
  play(scenario, {
    faults: [...faults, watch],
    ...(before === undefined ? {} : { before }),
    eachMoment: ({ kernel, runners }, seen) => {
      held.follow(seen);
      runners.forEach((runner, n) => {
        const { slots, kvTokensMax, queueLimit } = who.plans[n]!.descriptor;
        const say = (what: string) => () => `at ${kernel.nowUs} us node ${who.plans[n]!.name} ${what}`;
        const { running, waiting, kvTokensUsed } = runner;
        must(Number.isInteger(running) && running >= 0 && running <= slots, say(`runs ${running} jobs on ${slots} slots`));
        must(Number.isInteger(waiting) && waiting >= 0, say(`has ${waiting} jobs waiting`));
        must(kvTokensUsed >= 0 && kvTokensUsed <= kvTokensMax, say(`holds ${kvTokensUsed} of ${kvTokensMax} KV tokens`));
        const accepted = held.at(n).size;
        must(accepted <= slots + queueLimit, say(`has accepted ${accepted} jobs with ${slots} slots and ${queueLimit} places to wait`));
        const inside = contents.get(runner.engine);
        if (inside === undefined) return;
        must(inside.jobs.size === accepted, say(`has accepted ${accepted} jobs, its engine was given ${inside.jobs.size}`));
        // Those cancelled run on to the end of the step.
        must(running + waiting >= inside.jobs.size, say(`holds ${inside.jobs.size} jobs and tells of ${running} and ${waiting}`));
        must(inside.preempted || (inside.running <= running && inside.jobs.size - inside.running === waiting), say(`runs ${inside.running} of ${inside.jobs.size} jobs and tells of ${running} and ${waiting}`));
        if (!inside.preempted && runner.engine instanceof BatchEngine) {
          must(inside.promptTokens <= kvTokensUsed, say(`has prompts of ${inside.promptTokens} tokens in a cache said to hold ${kvTokensUsed}`));
        }
        if (running === slots) fullMoments++;
        if (kvTokensUsed > 0.8 * kvTokensMax) tightMoments++;
      });
    },
  });
  return { fullMoments, tightMoments };
}

describe("law 4: capacity", () => {
  test("slots, waiting places and KV cache are never overrun at any moment of random markets", () => {
    let fullMoments = 0;
    let tightMoments = 0;
    inRandomMarkets(arbitraryScenario(), 45, 7, (scenario) => {
      const checked = checkCapacity(scenario);
      fullMoments += checked.fullMoments;
      tightMoments += checked.tightMoments;
    });
    expect(fullMoments).toBeGreaterThan(5_000);
    expect(tightMoments).toBeGreaterThan(100);
  });

  test.each<readonly [string, RegExp, Fault, ((world: World) => void) | undefined]>([
    ["an engine has a slot more than its node says", /law of capacity is broken|runs \d+ jobs on/, () => () => {}, ({ runners }) => {
      for (const { engine } of runners) (engine as { slots: number }).slots++;
    }],
    ["a node admits one job too many", /has accepted \d+ jobs with/, () => patch(SimulatedEnvironment.prototype, "send", (original) => function (this: SimulatedEnvironment, to, message) {
      original.call(this, to, message.type === "refuse" && message.reason === "queue-full" ? { type: "accept", jobId: message.jobId, attempt: message.attempt } : message);
    }), undefined],
    ["an engine loses jobs", /its engine was given|its engine|tells of/, () => patch(BatchEngine.prototype, "submit", (original) => function (this: BatchEngine, nowUs, ref, input, output, priority) {
      if (ref !== 5) original.call(this, nowUs, ref, input, output, priority);
    }), undefined],
    ["a cache holds more than it can", /KV tokens|law of capacity/, () => patch(BatchEngine.prototype, "kvTokensUsed", (original) => function (this: BatchEngine) {
      return (original as unknown as () => number).call(this) * 1_000_000;
    } as never), undefined],
  ])("is seen to be broken where %s", (_, how, fault, before) => {
    expect(firstViolation(arbitraryScenario(), (scenario) => void checkCapacity(scenario, [fault], before))).toMatch(how);
  });
});
