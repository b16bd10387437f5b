/** A contender of the hold model: takes the next event and plans another a random time later, over and over. */
import FlatQueue from "flatqueue";
import { Heap } from "heap-js";
import seedrandom from "seedrandom";
import TinyQueue from "tinyqueue";
import { EventQueue } from "../../sim/kernel/queue.ts";
import { answer, threadSeconds } from "./contender.ts";

/** Fills a queue; the function that comes back does so many holds, and can go on with more. */
type Hold = (pending: number) => (holds: number) => void;

/** Increments in microseconds, a power of two of them, taken in turn. */
const COUNT = 1 << 16;
/** Holds between two looks at the clock. */
const BATCH = 50_000;
const increments = new Float64Array(COUNT);

function draw(distribution: string): void {
  const next = seedrandom.alea(`hold/${distribution}`);
  for (let i = 0; i < COUNT; i++) {
    const u = next();
    // Bimodal: messages within 10 ms, among them one timer in ten some 10 s away.
    increments[i] = Math.round(distribution === "bimodal" ? (next() < 0.9 ? 1e4 * u : 1e7 + 1e4 * u) : -1e6 * Math.log(1 - u));
  }
}

const at = (i: number): number => increments[i & (COUNT - 1)]!;

interface Item {
  timeUs: number;
  kind: number;
  a: number;
  b: number;
}

const earlier = (x: Item, y: Item): number => x.timeUs - y.timeUs;

const contenders: Readonly<Record<string, Hold>> = {
  "event-queue": (pending) => {
    const queue = new EventQueue();
    let turn = 0;
    for (let i = 0; i < pending; i++) queue.push(at(turn++), i & 7, i, 0);
    return (holds) => {
      for (let i = 0; i < holds; i++) {
        queue.next();
        queue.push(queue.time + at(turn++), queue.kind, queue.a, queue.b);
      }
    };
  },
  // The item is an integer, the queue's best case; whatever it stands for is the user's to keep.
  flatqueue: (pending) => flat(new FlatQueue<number>(), pending),
  "flatqueue of fixed capacity": (pending) => flat(new FlatQueue<number>(pending), pending),
  "flatqueue with payload": (pending) => {
    const queue = new FlatQueue<number>();
    const kinds = new Int32Array(pending);
    const as = new Int32Array(pending);
    const bs = new Int32Array(pending);
    const plan = (slot: number, time: number, kind: number, a: number, b: number): void => {
      kinds[slot] = kind;
      as[slot] = a;
      bs[slot] = b;
      queue.push(slot, time);
    };
    let turn = 0;
    for (let i = 0; i < pending; i++) plan(i, at(turn++), i & 7, i, 0);
    return (holds) => {
      for (let i = 0; i < holds; i++) {
        const time = queue.peekValue()!;
        const slot = queue.pop()!;
        plan(slot, time + at(turn++), kinds[slot]!, as[slot]!, bs[slot]!);
      }
    };
  },
  tinyqueue: (pending) => {
    const queue = new TinyQueue<Item>([], earlier);
    let turn = 0;
    for (let i = 0; i < pending; i++) queue.push({ timeUs: at(turn++), kind: i & 7, a: i, b: 0 });
    return (holds) => {
      for (let i = 0; i < holds; i++) {
        const { timeUs, kind, a, b } = queue.pop()!;
        queue.push({ timeUs: timeUs + at(turn++), kind, a, b });
      }
    };
  },
  "heap-js": (pending) => {
    const queue = new Heap<Item>(earlier);
    let turn = 0;
    for (let i = 0; i < pending; i++) queue.push({ timeUs: at(turn++), kind: i & 7, a: i, b: 0 });
    return (holds) => {
      for (let i = 0; i < holds; i++) {
        const { timeUs, kind, a, b } = queue.pop()!;
        queue.push({ timeUs: timeUs + at(turn++), kind, a, b });
      }
    };
  },
};

function flat(queue: FlatQueue<number>, pending: number): (holds: number) => void {
  let turn = 0;
  for (let i = 0; i < pending; i++) queue.push(i, at(turn++));
  return (holds) => {
    for (let i = 0; i < holds; i++) {
      const time = queue.peekValue()!;
      queue.push(queue.pop()!, time + at(turn++));
    }
  };
}

let run: (holds: number) => void = () => {};
const hold = contenders[process.argv[2]!]!;
/** Fills the queue, or answers with the holds per second in so many seconds of processor time. */
answer<{ pending: number; distribution: string } | { seconds: number }, number>((request) => {
  if ("pending" in request) {
    draw(request.distribution);
    run = hold(request.pending);
    return 0;
  }
  let holds = 0;
  let seconds = 0;
  while (seconds < request.seconds) {
    seconds += threadSeconds(() => run(BATCH));
    holds += BATCH;
  }
  return holds / seconds;
});
