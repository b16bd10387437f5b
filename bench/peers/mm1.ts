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

/**
 * Exponential numbers of mean 1, the same for everyone. They are drawn a block at a time: one at a time, waiting
 * for the logarithm would be half of what the fastest contenders are measured by.
 */
class Exponentials {
  readonly #random = seedrandom.alea("mm1");
  readonly #block = new Float64Array(1024);
  #next = 1024;

  next(): number {
    if (this.#next === 1024) this.#refill();
    return this.#block[this.#next++]!;
  }

  #refill(): void {
    const block = this.#block;
    const random = this.#random;
    for (let i = 0; i < block.length; i++) block[i] = -Math.log(1 - random());
    this.#next = 0;
  }
}

const ARRIVAL = 0;
const DEPARTURE = 1;

/** As a user of the kernel writes it. */
class Station {
  readonly #customers: number;
  readonly #world = new Kernel();
  readonly #exponentials = new Exponentials();
  readonly #arrivals = new Float64Array(RING);
  #first = 0;
  #last = 0;
  #sumUs = 0;

  constructor(customers: number) {
    this.#customers = customers;
  }

  /** @returns the mean time in the system, µs. */
  run(): number {
    this.#plan(ARRIVAL, GAP_US);
    this.#world.run(this.#handle);
    return this.#sumUs / this.#customers;
  }

  readonly #handle = (kind: number): void => {
    if (kind === ARRIVAL) {
      this.#arrivals[this.#last++ & (RING - 1)] = this.#world.nowUs;
      if (this.#last - this.#first === 1) this.#plan(DEPARTURE, SERVICE_US);
      if (this.#last < this.#customers) this.#plan(ARRIVAL, GAP_US);
    } else {
      this.#sumUs += this.#world.nowUs - this.#arrivals[this.#first++ & (RING - 1)]!;
      if (this.#first < this.#last) this.#plan(DEPARTURE, SERVICE_US);
    }
  };

  #plan(kind: number, meanUs: number): void {
    this.#world.after(Math.floor(0.5 + meanUs * this.#exponentials.next()), kind, 0, 0);
  }
}

const kernel: Queue = (customers) => new Station(customers).run() / SERVICE_US;

/** The same with the heap written into the loop: no handles, no ties, no checks, no payload. */
const bare: Queue = (customers) => {
  const exponentials = new Exponentials();
  const arrivals = new Float64Array(RING);
  const times = new Float64Array(64);
  const kinds = new Int32Array(64);
  let pending = 0;
  let first = 0;
  let last = 0;
  let sumUs = 0;
  const exponential = (meanUs: number): number => Math.floor(0.5 + meanUs * exponentials.next());
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
  const exponentials = new Exponentials();
  let sumUs = 0;
  const exponential = (meanUs: number): number => Math.floor(0.5 + meanUs * exponentials.next());
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
  const exponentials = new Exponentials();
  const exponential = (mean: number): number => mean * exponentials.next();
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
