import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { figuresOf } from "../protocol/result/figures.ts";
import { loadScenario } from "../sim/scenario/load.ts";
import type { Figures } from "../protocol/result/figures.ts";
import { run } from "./experiments.ts";

const fileName = fileURLToPath(new URL("../scenarios/examples/own-pricing.yaml", import.meta.url));
const play = (...sets: readonly string[]): Figures => figuresOf(run(loadScenario(readFileSync(fileName), fileName, { sets })));

test("the worked example of a pricing policy of one's own: a price that follows the queue keeps waits short", () => {
  const [own, posted] = [play(), play("pricing=posted")];
  expect(own["overall.latency.ttftUs.p95"]!).toBeLessThan(0.5 * posted["overall.latency.ttftUs.p95"]!);
  expect(own["market.revenueMsat"]!).toBeGreaterThan(1.5 * posted["market.revenueMsat"]!);
  // Whoever asks for no price above the posted ones gets the market of posted prices.
  expect(play("pricing.policy.options.most=1")["overall.latency.ttftUs.p95"]).toBe(posted["overall.latency.ttftUs.p95"]);
});
