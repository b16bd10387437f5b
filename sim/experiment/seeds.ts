import { RandomStreams } from "../kernel/random.ts";

/**
 * Seed of a replication: the scenario's own for the first, so that `run` shows what replication 0 is made of; of the others
 * one drawn from it. The same in every arm and at every point of a sweep: common random numbers.
 * @param seed 0 to 2^53 - 1
 * @param replication from 0
 */
export function replicationSeed(seed: number, replication: number): number {
  if (replication === 0) return seed;
  return Math.floor(new RandomStreams(seed).stream("experiment", `replication ${replication}`, "seed").next() * 4_294_967_296);
}
