import type { Estimate } from "../../../protocol/result/experiment.ts";
import { METRICS } from "../../../protocol/result/metrics.ts";
import type { SweepReport, SweptAxis, SweptPoint } from "../../../protocol/result/sweep.ts";
import { HOSTILE } from "../../testing/reports.ts";

const axis = (name: string, rest: Partial<SweptAxis>): SweptAxis => ({ name, paths: [name], unit: "", scale: "linear", whole: false, levels: null, ends: null, ...rest });
const fee = axis("router.fee.flat", { unit: "msat", levels: [0, 200, 400, 600, 800], ends: [0, 800] });
const count = axis("operators.gpu.count", { whole: true, scale: "log", levels: [1, 3, 10, 32], ends: [1, 32] });
const policy = axis("router.policy", { levels: ["cheapest", "random", "{power-of-two: {choices: 2}}"] });
const metrics = ["profit", "latency.p95", "goodput", "price"].map((id) => {
  const { path, label, unit, better } = METRICS.find((metric) => metric.id === id)!;
  return { id, path, label, unit, better };
});

const estimate = (mean: number | null, runs: number, spread: number): Estimate => mean === null ? { runs: 0, mean: null, sd: null, min: null, max: null, interval: null }
  : { runs, mean, sd: runs < 2 ? null : spread, min: mean - spread, max: mean + spread, interval: runs < 2 ? null : { confidence: 0.95, low: mean - 1.2 * spread, high: mean + 1.2 * spread } };

/** A number in [0, 1) for each number. */
const noise = (seed: number): number => (Math.imul(seed + 1, 2_654_435_761) >>> 0) / 4_294_967_296;

function product(axes: readonly SweptAxis[]): (number | string)[][] {
  return axes.reduce<(number | string)[][]>((points, { levels }) => points.flatMap((point) => levels!.map((level) => [...point, level])), [[]]);
}

function report(axes: readonly SweptAxis[], factors: readonly (readonly (number | string)[])[], design: Partial<SweepReport["design"]>, rest: Partial<SweepReport> = {}): SweepReport {
  const { replications = 5, arms = null, kind = "product" } = design;
  const points = (arms ?? [null]).flatMap((arm, a) => factors.map((at) => ({ arm, at, a }))).map(({ arm, at, a }, index): SweptPoint => {
    const level = at.reduce<number>((sum, value, i) => sum + (typeof value === "number" ? value / (axes[i]!.ends?.[1] ?? 1) : noise(value.length)) * (i + 1), a / 2) + noise(index) / 10;
    return { index, arm, factors: [...at], runs: replications, failed: 0, estimates: [estimate(1e6 * (1 - (level - 1) * (level - 1)), replications, 4e4), estimate(2e6 * (1 + level), replications, 1e5), estimate(1 / (1 + level), replications, 0.02), estimate(index % 7 === 3 ? null : 5e4 * level, replications, 1e3)] };
  });
  return {
    schema: "infernet-lab/sweep-report", schemaVersion: "1.0",
    provenance: { lab: { name: "infernet-lab", version: "0.1.0" }, scenario: { name: "toy", question: "What becomes of a toy?", hash: "0".repeat(64), resolved: {} }, seed: 1, sets: [], resultsDigest: "0".repeat(64) },
    runs: { played: points.length * replications, failed: 0, failures: [] },
    design: { kind, scrambled: kind === "sobol" ? true : null, arms, points: points.length, replications },
    confidence: 0.95, axes: [...axes], metrics, findings: ["Something is highest somewhere."], points,
    best: metrics.filter(({ better }) => better !== null).map(({ id }, i) => ({ metric: id, point: i % points.length, rivals: replications < 2 ? null : [0] })),
    effects: axes.length < 2 || kind === "zip" ? [] : metrics.flatMap(({ id }, m) => axes.map((one, i) => ({
      metric: id, axis: one.name, share: m === 3 ? null : noise(m * 7 + i),
      means: (one.levels ?? [0, 1, 2].map((part) => one.ends![0] + (part / 3) * (one.ends![1] - one.ends![0]))).map((from) => ({ from, to: typeof from === "number" && one.levels === null ? from + (one.ends![1] - one.ends![0]) / 3 : from, points: 2, mean: [5e5, 3e6, 0.5, 4e4][m]! })),
    }))),
    ...rest,
  };
}

const range = (of: SweptAxis): SweptAxis => ({ ...of, levels: null });
const drawn = (axes: readonly SweptAxis[], points: number): (number | string)[][] => Array.from({ length: points }, (_, p) => axes.map(({ levels, ends, whole }, i) => {
  const share = noise(p * 31 + i * 1_009);
  return levels !== null ? levels[Math.floor(share * levels.length)]! : whole ? Math.round(ends![0] + share * (ends![1] - ends![0])) : ends![0] + share * (ends![1] - ends![0]);
}));
const line = report([fee], product([fee]), {});

/** Sweeps of every form that plots and tables know, and at the edges of what there can be, by name. */
export const sweeps: Readonly<Record<string, SweepReport>> = {
  "one axis of numbers": line,
  "one axis of numbers, logarithmic, one run a point": report([count], product([count]), { replications: 1 }),
  "one axis of names": report([policy], product([policy]), {}),
  "one axis in arms": report([fee], product([fee]), { arms: ["plain", "auction"] }),
  "names in arms": report([policy], product([policy]), { arms: ["plain", "auction"] }),
  "numbers and names": report([fee, policy], product([fee, policy]), {}),
  "two axes of numbers": report([fee, count], product([fee, count]), {}),
  "three axes": report([fee, count, policy], product([fee, count, policy]), {}),
  "four axes and arms": report([fee, count, policy, axis("drain", { levels: ["true", "false"] })], product([fee, count, policy, axis("drain", { levels: ["true", "false"] })]), { arms: ["plain", "auction"], replications: 1 }),
  "a zip": report([fee, axis("operators.gpu.price.input", { unit: "sat/Mtok", levels: [1, 2, 3, 4, 5], ends: [1, 5] })], [0, 200, 400, 600, 800].map((value, i) => [value, i + 1]), { kind: "zip" }),
  "a Latin hypercube": report([range(fee), range(count), policy], drawn([range(fee), range(count), policy], 40), { kind: "latin-hypercube", replications: 1 }),
  "Sobol points on seven axes, in arms": report([range(fee), range(count), policy, ...["a", "b", "c", "d"].map((name) => axis(name, { ends: [0, 1] }))], drawn([range(fee), range(count), policy, ...["a", "b", "c", "d"].map((name) => axis(name, { ends: [0, 1] }))], 400), { kind: "sobol", replications: 1, arms: ["plain", "auction"] }),
  "a hundred values of each of two axes": report([axis("x", { levels: Array.from({ length: 100 }, (_, i) => i), ends: [0, 99] }), axis("y", { levels: Array.from({ length: 100 }, (_, i) => `a rather long name of value ${i}`) })], product([axis("x", { levels: Array.from({ length: 100 }, (_, i) => i), ends: [0, 99] }), axis("y", { levels: Array.from({ length: 100 }, (_, i) => `a rather long name of value ${i}`) })]), {}),
  "one point": { ...line, points: line.points.slice(0, 1), axes: [{ ...fee, levels: [0], ends: [0, 0] }] },
  "every figure the same": { ...line, points: line.points.map((point) => ({ ...point, estimates: point.estimates.map(() => estimate(0, 5, 0)) })) },
  "no figure at all": { ...line, points: line.points.map((point) => ({ ...point, estimates: point.estimates.map(() => estimate(null, 0, 0)) })), best: [] },
  "no metric": { ...line, metrics: [], points: line.points.map((point) => ({ ...point, estimates: [] })), best: [], findings: [] },
  "interrupted, with failures": {
    ...line, points: line.points.slice(0, 3).map((point, i) => i === 2 ? { ...point, runs: 2, failed: 2, estimates: point.estimates.map(() => estimate(null, 0, 0)) } : point),
    runs: { played: 12, failed: 2, failures: [{ name: "point=2 replication=0", seed: 1, error: "RangeError: no" }, { name: "point=2 replication=1", seed: 2, error: HOSTILE }] },
    provenance: { ...line.provenance, interrupted: true, sets: ["horizon=1h"] },
  },
  "what a hostile scenario says": {
    ...report([axis(HOSTILE, { levels: [HOSTILE, "b"] }), axis("x", { unit: HOSTILE.slice(0, 64), levels: [1, 2], ends: [1, 2] })], product([axis(HOSTILE, { levels: [HOSTILE, "b"] }), axis("x", { levels: [1, 2], ends: [1, 2] })]), {}),
    findings: [HOSTILE], metrics: metrics.map((metric) => ({ ...metric, label: HOSTILE, id: `${metric.id} ${HOSTILE}` })), effects: [], best: [],
  },
};
