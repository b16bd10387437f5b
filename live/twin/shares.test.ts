import { describe, expect, test } from "vitest";
import { affineCost } from "../../sim/world/engine/cost.ts";
import type { EngineSink } from "../../sim/world/engine/engine.ts";
import { llamaCppEngine } from "../../sim/world/engine/llama-cpp.ts";
import { Hosts } from "../../sim/world/hosts.ts";
import { type EngineRun, type Progress, progressOf, sharesOf, shareTables } from "./shares.ts";

const costs = [1, 2, 4].map((factor) => affineCost({ t0Us: 3_000 * factor, perSequenceUs: 1_500 * factor, perPrefillTokenUs: 500 * factor, contextUs: 2 * factor, prefillContextUs: 0.5 * factor }));
const truth = [
  { shares: [1, 0.8, 0.45], promptShares: [1, 0.9, 0.6] },
  { shares: [1, 0.9, 0.58], promptShares: [1, 0.9, 0.61] },
  { shares: [1, 1, 0.75], promptShares: [1, 0.87, 0.68] },
];

/** Plays jobs at engines that share a machine as in the simulation. */
function play(jobs: readonly { atUs: number; node: number; inputTokens: number; outputTokens: number }[]): EngineRun[] {
  const engines = costs.map((cost) => llamaCppEngine({ cost, slots: 2, batchTokens: 512 }));
  let nowUs = 0;
  const hosts = new Hosts([{ name: "desk", cores: 2, usedCores: 0, shares: [], promptShares: [] }], truth.map((hostShares) => ({ host: "desk", hostShares })), (node, share, promptShare) => engines[node]!.setShare(nowUs, share, promptShare));
  const changed = (): void => engines.forEach((engine, node) => hosts.changed(node, engine.running > 0));
  const found = jobs.map(({ node, inputTokens, outputTokens }) => ({ node, inputTokens, outputTokens, startedUs: 0, firstUs: 0, lastUs: 0 }));
  const sink: EngineSink = { started: (ref, atUs) => void (found[ref]!.startedUs = atUs), firstToken: (ref, atUs) => void (found[ref]!.firstUs = atUs), finished: (ref, atUs) => void (found[ref]!.lastUs = atUs), preempted() {} };
  for (let next = 0; ;) {
    nowUs = Math.min(jobs[next]?.atUs ?? Infinity, ...engines.map(({ nextUs }) => nextUs));
    if (nowUs === Infinity) return found;
    for (const engine of engines) if (engine.nextUs <= nowUs) engine.advance(nowUs, sink);
    changed();
    for (; jobs[next]?.atUs === nowUs; next++) engines[jobs[next]!.node]!.submit(nowUs, next, jobs[next]!.inputTokens, jobs[next]!.outputTokens, 0);
    changed();
  }
}

describe("what nodes take from each other", () => {
  test("is found again from the jobs of a machine where it is known", () => {
    const runs = play(Array.from({ length: 500 }, (_, i) => ({ atUs: 300_000 * i + (i * 7_919) % 250_000, node: (i * 7) % 5 % 3, inputTokens: 20 + (i * 37) % 150, outputTokens: 8 + (i * 53) % 90 })));
    const { byClass } = shareTables(progressOf(runs, costs), [0, 1, 2], 2);
    byClass.forEach(({ shares, promptShares }, node) => {
      for (const busy of [1, 2, 3]) {
        expect(Math.abs(shares[busy - 1]! - truth[node]!.shares[busy - 1]!), `generation of ${node}, ${busy} busy: ${shares}`).toBeLessThan(0.03);
        expect(Math.abs(promptShares[busy - 1]! - truth[node]!.promptShares[busy - 1]!), `prompts of ${node}, ${busy} busy: ${promptShares}`).toBeLessThan(0.05);
      }
    });
  });

  const seen = (count: number, withBusyUs: readonly number[], aloneUs: number, node = 0): Progress[] => Array.from({ length: count }, () => ({ node, phase: "generation", withBusyUs, aloneUs }));

  test("is the sum of what was done over the sum of the times, whatever the single jobs were like", () => {
    const shares = sharesOf([...seen(10, [0, 0, 300], 100), ...seen(10, [0, 0, 100], 100)], [1, 1]);
    expect(shares[0]).toBe(1);
    expect(shares[1]).toBeCloseTo(0.5, 9);
  });

  test("is as with all nodes where few jobs of a class say it, and as the cores say where nobody does", () => {
    const { all, byClass } = shareTables([...seen(20, [0, 0, 200, 0], 120, 0), ...seen(2, [0, 0, 200, 0], 10, 1)], [0, 1, 1], 2);
    expect(all.shares[1]).toBeCloseTo((20 * 120 + 2 * 10) / (22 * 200), 9);
    expect(byClass[0]!.shares[1]).toBeCloseTo(0.6, 9);
    expect(byClass[1]!.shares).toEqual(all.shares);
    // Two thirds, but never more than with fewer.
    expect(all.shares[2]).toBe(Math.min(2 / 3, all.shares[1]!));
    expect(all.promptShares).toEqual([1, 1, 2 / 3]);
  });

  test("is nothing where nobody is there to take", () => {
    expect(shareTables([], [0], 2)).toEqual({ all: { shares: [1], promptShares: [1] }, byClass: [{ shares: [1], promptShares: [1] }] });
  });
});
