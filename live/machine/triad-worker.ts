/** One core's part of the bandwidth measurement: in each round it waits for the others, then goes over its arrays for a while. */
import { parentPort, workerData } from "node:worker_threads";
import { triad } from "./triad.ts";

const { elements, ms, rounds, ready, workers } = workerData as { elements: number; ms: number; rounds: number; ready: SharedArrayBuffer; workers: number };
const { run } = triad(elements);
run(0.5);
const arrived = new Int32Array(ready);
const elementsPerMs: number[] = [];
for (let round = 1; round <= rounds; round++) {
  Atomics.add(arrived, 0, 1);
  Atomics.notify(arrived, 0);
  for (let seen = Atomics.load(arrived, 0); seen < round * workers; seen = Atomics.load(arrived, 0)) Atomics.wait(arrived, 0, seen, 1_000);
  const start = performance.now();
  let passes = 0;
  do {
    run(0.5);
    passes++;
  } while (performance.now() - start < ms);
  elementsPerMs.push(passes * elements / (performance.now() - start));
}
parentPort!.postMessage(elementsPerMs);
