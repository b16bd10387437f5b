import type { JobId, PriceSheet } from "../../protocol/messages.ts";
import { hashString } from "../../scheduler/hash.ts";
import { distribution, type Distribution, type DistributionSpec } from "../kernel/distributions/index.ts";
import type { Random } from "../kernel/random.ts";
import { SeededNumbers } from "./seeded-numbers.ts";

/** What one more job costs an operator, as its private knowledge. Each part is drawn on its own. */
export interface MarginalCostSpec {
  /** msat per million tokens. */
  readonly inputMsatPerMtok: DistributionSpec;
  readonly outputMsatPerMtok: DistributionSpec;
  /** msat per job. */
  readonly fixedMsat: DistributionSpec;
  /** node: drawn once for each node. job: anew for each job at each node. */
  readonly drawn: "node" | "job";
}

/** Marginal costs of a node. */
export interface MarginalCost {
  /** Of every job; where they differ from job to job, of a job on average. */
  readonly sheet: PriceSheet;
  /** Of this job, where they differ from job to job. The same whenever it is asked for. */
  readonly ofJob: ((jobId: JobId) => PriceSheet) | null;
}

/** @param random the node's own stream for this, asked for once. */
export function drawMarginalCost(spec: MarginalCostSpec, random: Random): MarginalCost {
  const parts = [spec.inputMsatPerMtok, spec.outputMsatPerMtok, spec.fixedMsat].map(distribution);
  if (spec.drawn === "node") return { sheet: sheetOf(parts, (part) => part.sample(random)), ofJob: null };
  const salt = Math.floor(random.next() * 2 ** 32);
  const numbers = new SeededNumbers();
  return {
    sheet: sheetOf(parts, (part) => part.mean),
    ofJob: (jobId) => {
      numbers.from((hashString(jobId) ^ salt) | 0);
      // Nearby seeds give nearby first numbers to no one, but a hash of 32 bits costs nothing to stir.
      numbers.next();
      return sheetOf(parts, (part) => part.sample(numbers));
    },
  };
}

/**
 * The cost of the energy that the machine draws under load beyond what it draws idle, for the node time of a job in full
 * batches. Rounded up.
 * @param work node time per job and per token, µs.
 */
export function energyCost(power: { readonly idleWatts: number; readonly loadWatts: number }, work: { readonly fixedUs: number; readonly inputUs: number; readonly outputUs: number }, msatPerKwh: number): PriceSheet {
  const watts = Math.max(0, power.loadWatts - power.idleWatts);
  const msatPerS = (watts / 3_600_000) * msatPerKwh;
  // A million tokens of so many µs each take so many seconds.
  return { inputMsatPerMtok: Math.ceil(msatPerS * work.inputUs), outputMsatPerMtok: Math.ceil(msatPerS * work.outputUs), fixedMsat: Math.ceil((msatPerS * work.fixedUs) / 1e6) };
}

/** Whole msat, rounded up: against the operator whose cost it is. */
function sheetOf([input, output, fixed]: readonly Distribution[], value: (part: Distribution) => number): PriceSheet {
  const whole = (part: Distribution): number => Math.max(0, Math.ceil(value(part)));
  return { inputMsatPerMtok: whole(input!), outputMsatPerMtok: whole(output!), fixedMsat: whole(fixed!) };
}
