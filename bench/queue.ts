/** The event queue against the fastest priority queues of npm: pop + push with 10 to a million events pending (hold model). */
import { fileURLToPath } from "node:url";
import { Contender, median } from "./peers/contender.ts";
import type { BenchRow } from "./row.ts";

const OURS = "event-queue";
const PEERS = ["flatqueue", "flatqueue of fixed capacity", "tinyqueue", "heap-js"] as const;
/** Does what ours does: hands over three integers with each event. Shown for comparison, not a bar. */
const WITH_PAYLOAD = "flatqueue with payload";
const ROUNDS = 7;
const SIZES = [
  { pending: 10, holds: 300_000 },
  { pending: 1_000, holds: 200_000 },
  { pending: 100_000, holds: 150_000 },
  { pending: 1_000_000, holds: 100_000 },
] as const;

export async function bench(): Promise<BenchRow[]> {
  const names = [OURS, ...PEERS, WITH_PAYLOAD];
  const contenders = names.map((name) => ({ name, process: new Contender("./hold.ts", name) }));
  const rows: BenchRow[] = [];
  const measure = async (distribution: string, pending: number, holds: number, among: readonly string[]): Promise<void> => {
    const speeds = new Map<string, number[]>();
    const chosen = contenders.filter(({ name }) => among.includes(name));
    for (const { name, process } of chosen) {
      speeds.set(name, []);
      await process.ask({ pending, distribution });
      await process.ask({ holds });
    }
    for (let round = 0; round < ROUNDS; round++) {
      for (const { name, process } of chosen) speeds.get(name)!.push(holds / (await process.ask<number>({ holds })) / 1e6);
    }
    const speed = (name: string): number => median(speeds.get(name)!);
    const peers = among.filter((name) => name !== OURS && name !== WITH_PAYLOAD);
    const fastest = peers.reduce((best, name) => (speed(name) > speed(best) ? name : best));
    const what = `${distribution}, ${pending.toLocaleString("en")} pending`;
    const ratio = speed(OURS) / speed(fastest);
    rows.push({ name: `${what}: ours`, value: speed(OURS), unit: "M holds/s", ratio, target: `>= 1x the fastest (${fastest})`, pass: ratio >= 1 });
    for (const name of among) if (name !== OURS) rows.push({ name: `${what}: ${name}`, value: speed(name), unit: "M holds/s" });
  };
  try {
    for (const { pending, holds } of SIZES) await measure("exponential", pending, holds, names);
    await measure("bimodal", 100_000, 150_000, [OURS, "flatqueue", "flatqueue of fixed capacity"]);
  } finally {
    for (const { process } of contenders) process.end();
  }
  return rows;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.table(await bench());
