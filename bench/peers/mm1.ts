/** A contender of M/M/1: a Poisson stream at 0.8 of the speed of one server. All draw the same numbers. */
import { createRequire } from "node:module";
import seedrandom from "seedrandom";
import { Kernel } from "../../sim/kernel/kernel.ts";
import { answer, threadSeconds } from "./contender.ts";

/** Serves so many customers; returns the mean time in the system, in mean service times. */
type Queue = (customers: number) => number;

const SERVICE_US = 1e6;
const GAP_US = SERVICE_US / 0.8;

/** A ring of arrival times; more than that many never wait at this load. */
const RING = 1 << 12;

/** As a user of the kernel writes it. */
const kernel: Queue = (customers) => {
  const ARRIVAL = 0;
  const DEPARTURE = 1;
  const random = seedrandom.alea("mm1");
  const world = new Kernel();
  const arrivals = new Float64Array(RING);
  let first = 0;
  let last = 0;
  let sumUs = 0;
  const exponential = (meanUs: number): number => Math.round(-meanUs * Math.log(1 - random()));
  world.after(exponential(GAP_US), ARRIVAL, 0, 0);
  world.run((kind) => {
    if (kind === ARRIVAL) {
      arrivals[last++ & (RING - 1)] = world.nowUs;
      if (last - first === 1) world.after(exponential(SERVICE_US), DEPARTURE, 0, 0);
      if (last < customers) world.after(exponential(GAP_US), ARRIVAL, 0, 0);
    } else {
      sumUs += world.nowUs - arrivals[first++ & (RING - 1)]!;
      if (first < last) world.after(exponential(SERVICE_US), DEPARTURE, 0, 0);
    }
  });
  return sumUs / customers / SERVICE_US;
};

/** The same with the heap written into the loop: no handles, no ties, no checks, no payload. */
const bare: Queue = (customers) => {
  const ARRIVAL = 0;
  const DEPARTURE = 1;
  const random = seedrandom.alea("mm1");
  const arrivals = new Float64Array(RING);
  const times = new Float64Array(64);
  const kinds = new Int32Array(64);
  let pending = 0;
  let first = 0;
  let last = 0;
  let sumUs = 0;
  const exponential = (meanUs: number): number => Math.round(-meanUs * Math.log(1 - random()));
  const push = (time: number, kind: number): void => {
    let position = pending++;
    while (position > 0) {
      const parent = (position - 1) >> 1;
      if (time >= times[parent]!) break;
      times[position] = times[parent]!;
      kinds[position] = kinds[parent]!;
      position = parent;
    }
    times[position] = time;
    kinds[position] = kind;
  };
  push(exponential(GAP_US), ARRIVAL);
  while (pending > 0) {
    const nowUs = times[0]!;
    const kind = kinds[0]!;
    const length = --pending;
    const time = times[length]!;
    let position = 0;
    for (let left = 1; left < length; left = 2 * position + 1) {
      const child = left + (+(left + 1 < length) & +(times[left + 1]! < times[left]!));
      if (times[child]! >= time) break;
      times[position] = times[child]!;
      kinds[position] = kinds[child]!;
      position = child;
    }
    times[position] = time;
    kinds[position] = kinds[length]!;
    if (kind === ARRIVAL) {
      arrivals[last++ & (RING - 1)] = nowUs;
      if (last - first === 1) push(nowUs + exponential(SERVICE_US), DEPARTURE);
      if (last < customers) push(nowUs + exponential(GAP_US), ARRIVAL);
    } else {
      sumUs += nowUs - arrivals[first++ & (RING - 1)]!;
      if (first < last) push(nowUs + exponential(SERVICE_US), DEPARTURE);
    }
  }
  return sumUs / customers / SERVICE_US;
};

/** The random numbers of that many customers, and nothing else: what none of the others can be faster than. */
const draws: Queue = (customers) => {
  const random = seedrandom.alea("mm1");
  let sumUs = 0;
  const exponential = (meanUs: number): number => Math.round(-meanUs * Math.log(1 - random()));
  for (let i = 0; i < customers; i++) sumUs += 2 * exponential(GAP_US) + 2.5 * exponential(SERVICE_US);
  return sumUs / customers / SERVICE_US;
};

interface Simjs {
  Sim: new () => { addEntity(entity: unknown): void; simulate(until: number): void };
  Entity: new (...options: never[]) => { time(): number; setTimer(delay: number): { done(callback: () => void): void }; useFacility(facility: unknown, duration: number): { done(callback: () => void): void } };
  Facility: new (name: string) => unknown;
}

/** As simjs's own manual writes it: a Facility, and a request per customer. */
const simjs: Queue = (customers) => {
  // The library is a browser's script that leaves its names in `window`.
  const scope = globalThis as unknown as { window: unknown; Sim: Simjs };
  scope.window = globalThis;
  createRequire(import.meta.url)("simjs");
  const { Sim, Entity, Facility } = scope.Sim;
  const random = seedrandom.alea("mm1");
  const exponential = (mean: number): number => -mean * Math.log(1 - random());
  const server = new Facility("server");
  let arrived = 0;
  let sum = 0;
  class Source extends Entity {
    start(): void {
      this.setTimer(exponential(GAP_US / SERVICE_US)).done(() => this.arrive());
    }
    arrive(): void {
      const since = this.time();
      this.useFacility(server, exponential(1)).done(() => (sum += this.time() - since));
      if (++arrived < customers) this.start();
    }
  }
  const sim = new Sim();
  sim.addEntity(Source);
  sim.simulate(1e12);
  return sum / customers;
};

const contenders: Readonly<Record<string, Queue>> = { kernel, bare, draws, simjs };

const queue = contenders[process.argv[2]!]!;
answer<{ customers: number }, { seconds: number; mean: number }>(({ customers }) => {
  let mean = NaN;
  const seconds = threadSeconds(() => (mean = queue(customers)));
  return { seconds, mean };
});
