/** The event queue against the fastest priority queues of npm: pop + push with 10 to a million events pending (hold model). */
import { fileURLToPath } from "node:url";
import { Contender, median } from "./peers/contender.ts";
import type { BenchRow } from "./row.ts";

const OURS = "event-queue";
/** As their manuals make them. An item is one integer (flatqueue) or an object; none keeps ties in order. */
const PEERS = ["flatqueue", "tinyqueue", "heap-js"] as const;
/** For comparison: one that cannot grow, and one that does what ours does and hands over three integers with each event. */
const OTHERS = ["flatqueue of fixed capacity", "flatqueue with payload"] as const;
/** Processes of each contender, one after the other: what V8 makes of the same code differs by a tenth from process to process. */
const PROCESSES = 3;
/** Rounds in each of them. */
const ROUNDS = 5;
/** Processor time of one contender in one round. */
const SECONDS = 0.04;

interface Measurement {
  distribution: string;
  pending: number;
  among: readonly string[];
}

const ALL = [OURS, ...PEERS, ...OTHERS];
const MEASUREMENTS: readonly Measurement[] = [
  ...[10, 1_000, 100_000, 1_000_000].map((pending) => ({ distribution: "exponential", pending, among: ALL })),
  { distribution: "bimodal", pending: 100_000, among: [OURS, "flatqueue", ...OTHERS] },
];

/** Millions of holds per second: by measurement, by contender, by round. */
type Speeds = ReadonlyMap<string, number[]>;

export async function bench(): Promise<BenchRow[]> {
  const speeds: Speeds[] = MEASUREMENTS.map(({ among }) => new Map(among.map((name) => [name, []])));
  for (let turn = 0; turn < PROCESSES; turn++) await play(speeds);
  return MEASUREMENTS.flatMap((measurement, i) => rowsOf(measurement, speeds[i]!));
}

/** Takes all measurements once, in new processes. */
async function play(speeds: readonly Speeds[]): Promise<void> {
  const contenders = new Map(ALL.map((name) => [name, new Contender("./hold.ts", name)]));
  try {
    for (const [i, { distribution, pending, among }] of MEASUREMENTS.entries()) {
      for (const name of among) {
        await contenders.get(name)!.ask({ pending, distribution });
        await contenders.get(name)!.ask({ seconds: SECONDS });
      }
      // In turn, so that whatever else the machine does meets all contenders alike.
      for (let round = 0; round < ROUNDS; round++) {
        for (const name of among) speeds[i]!.get(name)!.push((await contenders.get(name)!.ask<number>({ seconds: SECONDS })) / 1e6);
      }
    }
  } finally {
    for (const contender of contenders.values()) contender.end();
  }
}

function rowsOf({ distribution, pending, among }: Measurement, speeds: Speeds): BenchRow[] {
  const ours = speeds.get(OURS)!;
  const speed = (name: string): number => median(speeds.get(name)!);
  // Round by round, then the median: what slows the whole machine for a while cancels out.
  const ratioTo = (name: string): number => median(speeds.get(name)!.map((other, round) => ours[round]! / other));
  const fastest = among.filter((name) => (PEERS as readonly string[]).includes(name)).reduce((best, name) => (speed(name) > speed(best) ? name : best));
  const ratio = ratioTo(fastest);
  const bar = distribution === "exponential" ? { target: `>= 1x the fastest, ${fastest}`, pass: ratio >= 1 } : { note: `of the fastest, ${fastest}` };
  const what = `${distribution}, ${pending.toLocaleString("en")} pending`;
  const others = among.filter((name) => name !== OURS);
  return [
    { name: `${what}: ours`, value: speed(OURS), unit: "M holds/s", ratio, ...bar },
    ...others.map((name) => ({ name: `${what}: ${name}`, value: speed(name), unit: "M holds/s", ratio: ratioTo(name) })),
  ];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.table(await bench());
