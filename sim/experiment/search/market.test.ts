/** Searches through the whole market, against closed forms. */
import { expect, test } from "vitest";
import { loadScenario } from "../../scenario/load.ts";
import { conduct } from "../conduct.ts";
import { TaskPlayer } from "../play-task.ts";
import { search } from "./search.ts";
import type { SearchOutcome } from "./search.ts";

/** Jobs worth 0 to 1,000 msat, each value equally likely, at a cost of 200: demand falls in a straight line, and half of the gap to the cost earns most. */
const market = {
  name: "line", question: "Which price or fee earns most?", horizon: "4min", network: { latency: 0, sameRegion: 0, signing: 0, verifying: 0 },
  operators: [{ name: "firm", model: "m", engine: { "service-time": { service: "1ms", slots: 1000 } }, price: { fixed: "200 msat" }, marginalCost: { fixed: "200 msat" } }],
  clients: [{ name: "users", model: "m", arrivals: { poisson: { rate: "10/s" } }, inputTokens: 1, outputTokens: 1, maxOutputTokens: 1, value: { uniform: { min: "0 msat", max: "1000 msat" } } }],
};

function play(experiment: object): SearchOutcome {
  const source = JSON.stringify({ ...market, search: experiment });
  const { experiment: { search: spec }, scenario } = loadScenario(source, "line.json");
  const player = new TaskPlayer({ source, fileName: "line.json", sets: [] });
  return conduct(search(spec!, { seed: scenario.seed }), (task, index) => player.play(task, index))!;
}

test("a list of fees: 400 msat earns the router most, half of what the dearest client could gain", () => {
  const { contenders, chosen, fresh, outcome } = play({ maximise: "router.revenue", over: { "router.fee.flat": { from: "200 msat", to: "600 msat", steps: 5 } }, indifference: "3 %", fresh: 8 });
  expect(contenders[chosen!]!.name).toBe("400 msat");
  expect(outcome).toBe("decided");
  // 2,400 jobs, of which (1000 - 200 - f)/1000 trade: 400 * 0.4 * 2,400 msat.
  const { values, lead } = fresh[chosen!]!;
  expect(Math.abs(values.mean - 384_000)).toBeLessThan((3.5 * values.standardDeviation) / Math.sqrt(values.count));
  expect(lead.mean).toBe(0);
  // Of the neighbours: 300 * 0.5 and 500 * 0.3 in place of 160.
  for (const i of [1, 3]) expect(Math.abs(fresh[i]!.lead.mean + 24_000)).toBeLessThan(12_000);
});

test("a range of prices: the monopolist's (1000 + 200)/2 = 600 msat, within 5 % of the range, and what it earns within 3 % of the greatest", () => {
  const { contenders, chosen, fresh, points } = play({ maximise: "surplus.operators@firm", over: { "operators.firm.price.fixed": { from: "200 msat", to: "1000 msat", step: "1 msat" } }, replications: 4, finalists: 3, fresh: 10, budget: 300 });
  const price = Number.parseFloat(contenders[chosen!]!.name);
  expect(Math.abs(price - 600)).toBeLessThan(40);
  expect(points!.length).toBeGreaterThan(20);
  const { values } = fresh[chosen!]!;
  expect(Math.abs(values.mean / (2_400 * 400 * 0.4) - 1)).toBeLessThan(0.03);
});
