import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { findMetric } from "../../../protocol/result/metrics.ts";
import { endsOf } from "../../../protocol/result/precision.ts";
import { RandomStreams } from "../../kernel/random.ts";
import { loadScenario } from "../../scenario/load.ts";
import { conduct } from "../conduct.ts";
import type { RunOutcome, RunTask } from "../plan.ts";
import { TaskPlayer } from "../play-task.ts";
import { runScenario } from "../run.ts";
import { replicate } from "./replicate.ts";

/** M/M/1 at rho 0.8, mean service 1 s: mean time in the system 5 s. */
const truthUs = 5e6;
const fileName = fileURLToPath(new URL("../../../scenarios/mm1.yaml", import.meta.url));
const source = readFileSync(fileName, "utf8");
const path = findMetric("latency.mean")!.path;

/** The same queue by Lindley's recursion: what the market comes to, a hundred times as fast. */
const lindley = ({ seed, name }: RunTask, index: number): RunOutcome => {
  const streams = new RandomStreams(seed);
  const gaps = streams.stream("mm1", "gaps", "draw");
  const services = streams.stream("mm1", "services", "draw");
  let [work, sum, customers] = [0, 0, 0];
  for (let time = 0; ;) {
    const gap = -Math.log(1 - gaps.next()) / 0.8;
    time += gap;
    if (time >= 6_600) break;
    work = Math.max(0, work - gap) - Math.log(1 - services.next());
    // Ten minutes of warm-up.
    if (time >= 600) {
      sum += work;
      customers++;
    }
  }
  return { index, task: { name, sets: [], seed }, figures: { [path]: sum / customers * 1e6 }, digest: null, error: null };
};

describe("95 % intervals of M/M/1 at rho 0.8", () => {
  test("over 20 replications of 4,800 jobs cover the truth in 93 to 97 % of 1,000 seeded studies", () => {
    const { scenario } = loadScenario(source, fileName);
    let covered = 0;
    for (let seed = 1; seed <= 1_000; seed++) {
      const { interval } = conduct(replicate({ scenario, replications: { count: 20, until: null }, seed, sets: [], lab: { name: "lab", version: "0" } }), lindley)!.figures[path]!;
      if (interval!.low <= truthUs && truthUs <= interval!.high) covered++;
    }
    expect(covered).toBeGreaterThanOrEqual(930);
    expect(covered).toBeLessThanOrEqual(970);
  });

  test("through the whole market cover it too, of one long run and over replications; npm run bench -- coverage has 1,000 of each", () => {
    const player = new TaskPlayer({ source, fileName, sets: ["horizon=1h", "warmup=10min"] });
    const { scenario } = loadScenario(source, fileName, { sets: ["horizon=8h", "warmup=20min"] });
    let [runs, studies] = [0, 0];
    for (let seed = 1; seed <= 25; seed++) {
      const { low, high } = endsOf(runScenario(scenario, { seed }).intervals!.figures.find(({ figure }) => figure === path)!);
      if (low <= truthUs && truthUs <= high) runs++;
    }
    for (let seed = 1; seed <= 15; seed++) {
      const report = conduct(replicate({ scenario, replications: { count: 8, until: null }, seed, sets: [], lab: { name: "lab", version: "0" } }), (task, index) => player.play(task, index))!;
      const { interval } = report.figures[path]!;
      if (interval!.low <= truthUs && truthUs <= interval!.high) studies++;
    }
    // Of 25 at 94 %, fewer than 20 have a probability of 0.2 %; of 15, fewer than 11 of 0.1 %.
    expect(runs).toBeGreaterThanOrEqual(20);
    expect(studies).toBeGreaterThanOrEqual(11);
  });
});
