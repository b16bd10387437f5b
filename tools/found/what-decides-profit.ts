import { readFileSync } from "node:fs";
import type { ResampledFigure } from "../../protocol/result/sensitivity.ts";
import { conduct } from "../../sim/experiment/conduct.ts";
import { TaskPlayer } from "../../sim/experiment/play-task.ts";
import { sensitivity } from "../../sim/experiment/sensitivity/sensitivity.ts";
import { loadScenario } from "../../sim/scenario/load.ts";

const PROFIT = "supply.operatorClasses.mine.profitMsatPerHour";
const BUSY = "operatorClasses.mine.utilisation";

/** Plays the study of `what-decides-profit`. @returns phrases that its description lacks */
export function missingFromProfit(): string[] {
  const source = readFileSync(new URL("../../scenarios/what-decides-profit.yaml", import.meta.url), "utf8");
  const { scenario, experiment } = loadScenario(source, "what-decides-profit.yaml");
  const spec = experiment.sensitivity!;
  const player = new TaskPlayer({ source, fileName: "what-decides-profit.yaml", sets: [] });
  const cases: { readonly profitSat: number; readonly busy: number; readonly valueOf: (path: string) => number }[] = [];
  const report = conduct(sensitivity({ scenario, spec, seed: scenario.seed, sets: [], lab: { name: "infernet-lab", version: "" } }), (task, index) => {
    const outcome = player.play(task, index);
    // The first two points of a block are draws of their own; the others change them one factor at a time.
    if (/ point=[01] /.test(task.name)) cases.push({ profitSat: outcome.figures![PROFIT]! / 1_000, busy: outcome.figures![BUSY]!, valueOf: (path) => Number.parseFloat(task.sets.find((set) => set.startsWith(`${path}=`))!.slice(path.length + 1)) });
    return outcome;
  })!;

  const whole = (value: number): string => (Math.round(value) + 0).toFixed(0);
  const percent = (share: number): string => whole(100 * Math.min(1, Math.max(0, share)));
  const interval = ({ interval: found }: ResampledFigure): string => `${percent(found!.low)} to ${percent(found!.high)}`;
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [profit, busy] = report.metrics;
  const index = (of: typeof profit, factor: string): ResampledFigure => of!.indices!.factors.find((one) => one.factor === factor)!.first;
  const share = (factor: string): string => `${percent(index(profit, factor).value)} % (${interval(index(profit, factor))})`;
  const sorted = cases.map(({ profitSat }) => profitSat).sort((a, b) => a - b);
  const thirds = (path: string): (typeof cases)[] => {
    const inOrder = cases.toSorted((a, b) => a.valueOf(path) - b.valueOf(path));
    const third = Math.floor(cases.length / 3);
    return [inOrder.slice(0, third), inOrder.slice(2 * third)];
  };
  const earns = (some: typeof cases): string => whole(mean(some.map(({ profitSat }) => profitSat)));
  const pays = (some: typeof cases): string => percent(some.filter(({ profitSat }) => profitSat > 0).length / some.length);
  const [cheap, dear] = thirds("operators.mine.electricity") as [typeof cases, typeof cases];
  const [low, high] = thirds("operators.mine.price.output") as [typeof cases, typeof cases];
  const phrases = [
    `the card earns ${earns(cases)} sat an hour on average, its purchase counted, between ${whole(sorted[Math.floor(0.05 * sorted.length)]!)} and ${whole(sorted[Math.floor(0.95 * sorted.length)]!)} in nine of ten cases, and more than nothing in ${pays(cases)} %`,
    `demand explains ${percent(index(profit, "demand").value)} % (95 % interval ${interval(index(profit, "demand"))}), the own price ${share("own price")}, electricity ${share("electricity")}, rivals ${share("rivals")}, the price of the card ${share("price of the card")}, the fee ${share("router's fee")}`,
    `What factors do only together is at most ${percent(profit!.indices!.together.interval!.high)} %`,
    `${percent(mean(cases.map((one) => one.busy)))} % of its slots on average`,
    `(${percent(index(busy, "own price").value)} %, ${interval(index(busy, "own price"))}), then demand (${percent(index(busy, "demand").value)} %)`,
    `the card earns ${earns(cheap)} sat an hour on average and ${pays(cheap)} % of cases pay; in the third with the dearest, ${earns(dear)} sat and ${pays(dear)} %`,
    `The lowest third of own prices earns ${earns(low)} sat, the highest ${earns(high)}`,
  ];
  const text = scenario.description.replace(/\s+/g, " ");
  return phrases.filter((phrase) => !text.includes(phrase));
}
