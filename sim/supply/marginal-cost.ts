import type { JobId, PriceSheet } from "../../protocol/messages.ts";
import { hashString } from "../../scheduler/hash.ts";
import { distribution, type DistributionSpec } from "../kernel/distributions/index.ts";
import type { Random } from "../kernel/random.ts";
import { msatOf } from "./amount.ts";
import type { ExchangePath } from "./exchange.ts";
import { SeededNumbers } from "./seeded-numbers.ts";
import { nextTariffChangeUs, type TariffSpec, tariffAt } from "./tariff.ts";

/** What one more job costs an operator, as its private knowledge. Each part is drawn on its own. */
export interface MarginalCostSpec {
  /** msat per million tokens. */
  readonly inputMsatPerMtok: DistributionSpec;
  readonly outputMsatPerMtok: DistributionSpec;
  /** msat per job. */
  readonly fixedMsat: DistributionSpec;
  /** node: drawn once for each node. job: anew for each job at each node. */
  readonly drawn: "node" | "job";
  /**
   * Parts stated in fiat money (input, output, fixed) while the exchange rate moves: the msat above are those of time 0, and
   * follow the rate. Absent: all stay.
   */
  readonly inFiat?: readonly [boolean, boolean, boolean];
}

/** Marginal costs of a node. */
export interface MarginalCost {
  /** Of every job; where they differ from job to job, of a job on average; where they move, at time 0. */
  readonly sheet: PriceSheet;
  /** Of this job at this time (0 by default), where they differ from job to job. The same whenever it is asked for. */
  readonly ofJob: ((jobId: JobId, timeUs?: number) => PriceSheet) | null;
  /** null: the same at all times. */
  readonly moving: MovingCost | null;
}

/** A cost that follows a tariff or an exchange rate: a step function of time, asked in any order. */
export interface MovingCost {
  /** Two with the same key cost the same at all times of one run. */
  readonly key: string;
  at(timeUs: number): PriceSheet;
  /** When it may change next after this time, µs; Infinity: never. */
  nextChangeUs(timeUs: number): number;
}

/** Costs nothing, at all times. */
export const NO_COST: MarginalCost = { sheet: { inputMsatPerMtok: 0, outputMsatPerMtok: 0, fixedMsat: 0 }, ofJob: null, moving: null };

/**
 * @param random the node's own stream for this, asked for once.
 * @param exchange the run's path of rates; parts in fiat money follow it.
 */
export function drawMarginalCost(spec: MarginalCostSpec, random: Random, exchange?: ExchangePath): MarginalCost {
  const parts = [spec.inputMsatPerMtok, spec.outputMsatPerMtok, spec.fixedMsat].map(distribution);
  const { inFiat } = spec;
  const follows = inFiat !== undefined && exchange?.moving === true && inFiat.includes(true) ? exchange : null;
  /** Amounts of time 0 at another time, before they are rounded. */
  const at = (amounts: readonly number[], timeUs: number): PriceSheet => sheetOf(follows === null ? amounts : amounts.map((amount, i) => (inFiat![i] === true ? amount / follows.relativeAt(timeUs) : amount)));
  const moving = (amounts: readonly number[]): MovingCost | null => (follows === null ? null
    : steps(`rate ${amounts.join(" ")} ${inFiat!.join(" ")}`, (timeUs) => at(amounts, timeUs), (timeUs) => follows.nextChangeUs(timeUs)));
  if (spec.drawn === "node") {
    const amounts = parts.map((part) => part.sample(random));
    return { sheet: sheetOf(amounts), ofJob: null, moving: moving(amounts) };
  }
  const salt = Math.floor(random.next() * 2 ** 32);
  const numbers = new SeededNumbers();
  const means = parts.map(({ mean }) => mean);
  return {
    sheet: sheetOf(means),
    moving: moving(means),
    ofJob: (jobId, timeUs = 0) => {
      numbers.from((hashString(jobId) ^ salt) | 0);
      // Nearby seeds give nearby first numbers to no one, but a hash of 32 bits costs nothing to stir.
      numbers.next();
      return at(parts.map((part) => part.sample(numbers)), timeUs);
    },
  };
}

/** Whether the price of a kilowatt-hour in msat changes over time. */
export function tariffMoves({ steps: [first, ...others] }: TariffSpec, exchange: ExchangePath): boolean {
  return others.some(({ perKwh }) => perKwh.units !== first!.perKwh.units) || (first!.perKwh.currency !== "msat" && exchange.moving);
}

/** The {@link energyCost} of a job at the tariff and the rates of the moment. */
export function movingEnergyCost(power: Power, work: Work, tariff: TariffSpec, exchange: ExchangePath): MovingCost {
  const { currency } = tariff.steps[0]!.perKwh;
  return steps(
    `tariff ${JSON.stringify([power, work, tariff])}`,
    (timeUs) => energyCost(power, work, msatOf(tariffAt(tariff, timeUs), exchange.ratesAt(timeUs))),
    (timeUs) => Math.min(nextTariffChangeUs(tariff, timeUs), currency === "msat" ? Infinity : exchange.nextChangeUs(timeUs)),
  );
}

/** Keeps the last step: whoever asks, asks many times about one moment. */
function steps(key: string, sheetAt: (timeUs: number) => PriceSheet, nextChangeUs: (timeUs: number) => number): MovingCost {
  let fromUs = 0;
  let untilUs = 0;
  let sheet = NO_COST.sheet;
  return {
    key, nextChangeUs,
    at(timeUs) {
      if (timeUs >= fromUs && timeUs < untilUs) return sheet;
      fromUs = timeUs;
      untilUs = nextChangeUs(timeUs);
      return (sheet = sheetAt(timeUs));
    },
  };
}

interface Power {
  readonly idleWatts: number;
  readonly loadWatts: number;
}

/** Node time per job and per token, µs. */
interface Work {
  readonly fixedUs: number;
  readonly inputUs: number;
  readonly outputUs: number;
}

/**
 * The cost of the energy that the machine draws under load beyond what it draws idle, for the node time of a job in full
 * batches. Rounded up.
 * @param work node time per job and per token, µs.
 */
export function energyCost(power: Power, work: Work, msatPerKwh: number): PriceSheet {
  const watts = Math.max(0, power.loadWatts - power.idleWatts);
  const msatPerS = (watts / 3_600_000) * msatPerKwh;
  // A million tokens of so many µs each take so many seconds.
  return { inputMsatPerMtok: Math.ceil(msatPerS * work.inputUs), outputMsatPerMtok: Math.ceil(msatPerS * work.outputUs), fixedMsat: Math.ceil((msatPerS * work.fixedUs) / 1e6) };
}

/** Whole msat, rounded up: against the operator whose cost it is. */
function sheetOf([input, output, fixed]: readonly number[]): PriceSheet {
  const whole = (amount: number): number => Math.max(0, Math.ceil(amount));
  return { inputMsatPerMtok: whole(input!), outputMsatPerMtok: whole(output!), fixedMsat: whole(fixed!) };
}
