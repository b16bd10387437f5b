/** The event queue against the fastest priority queues of npm: pop + push with 10 to a million events pending (hold model). */
import { fileURLToPath } from "node:url";
import { Contender, median } from "./peers/contender.ts";
import type { BenchRow } from "./row.ts";

const OURS = "event-queue";
/** As their manuals make them. An item is one integer (flatqueue) or an object; none keeps ties in order. */
const PEERS = ["flatqueue", "tinyqueue", "heap-js"] as const;
/** For comparison: one that cannot grow, and one that does what ours does and hands over three integers with each event. */
const OTHERS = ["flatqueue of fixed capacity", "flatqueue with payload"] as const;
const ROUNDS = 7;
/** Processor time of one contender in one round. */
const SECONDS = 0.04;

export async function bench(): Promise<BenchRow[]> {
  const contenders = [OURS, ...PEERS, ...OTHERS].map((name) => ({ name, process: new Contender("./hold.ts", name) }));
  const rows: BenchRow[] = [];

  /** Rounds in turn, so that whatever else the machine does meets all contenders alike; the median of each. */
  const measure = async (distribution: string, pending: number, among: readonly string[]): Promise<void> => {
    const chosen = contenders.filter(({ name }) => among.includes(name)).map((contender) => ({ ...contender, speeds: [] as number[] }));
    for (const { process } of chosen) {
      await process.ask({ pending, distribution });
      await process.ask({ seconds: SECONDS });
    }
    for (let round = 0; round < ROUNDS; round++) {
      for (const { process, speeds } of chosen) speeds.push((await process.ask<number>({ seconds: SECONDS })) / 1e6);
    }
    const speed = new Map(chosen.map(({ name, speeds }) => [name, median(speeds)]));
    const ours = chosen.find(({ name }) => name === OURS)!.speeds;
    // Round by round, then the median: what slows the whole machine for a while cancels out.
    const ratioTo = (name: string): number => median(chosen.find((contender) => contender.name === name)!.speeds.map((other, round) => ours[round]! / other));
    const fastest = among.filter((name) => (PEERS as readonly string[]).includes(name)).reduce((best, name) => (speed.get(name)! > speed.get(best)! ? name : best));
    const what = `${distribution}, ${pending.toLocaleString("en")} pending`;
    const ratio = ratioTo(fastest);
    const bar = distribution === "exponential" ? { target: `>= 1x the fastest, ${fastest}`, pass: ratio >= 1 } : { note: `of the fastest, ${fastest}` };
    rows.push({ name: `${what}: ours`, value: speed.get(OURS)!, unit: "M holds/s", ratio, ...bar });
    for (const [name, other] of speed) if (name !== OURS) rows.push({ name: `${what}: ${name}`, value: other, unit: "M holds/s", ratio: ratioTo(name) });
  };

  try {
    for (const pending of [10, 1_000, 100_000, 1_000_000]) await measure("exponential", pending, contenders.map(({ name }) => name));
    await measure("bimodal", 100_000, [OURS, "flatqueue", ...OTHERS]);
  } finally {
    for (const { process } of contenders) process.end();
  }
  return rows;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.table(await bench());
