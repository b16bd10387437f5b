import { quotientUp } from "../../protocol/units.ts";
import { type Amount, type Rates, RATE_SCALE, rateFor } from "./amount.ts";

/** 365.25 days, µs. */
export const US_PER_YEAR = 31_557_600_000_000;
const US_PER_HOUR = 3_600_000_000n;
/** mW * µs in a kilowatt-hour. */
const PER_KWH = 3_600_000_000_000_000n;
const PPM = 1_000_000n;
const BYTES_PER_GB = 1_000_000_000n;

/** What a node costs its operator. Shares are in millionths a year. */
export interface CostModel {
  /** How the operator comes by the machine; null: it is there anyway, at no cost. */
  readonly machine: null | OwnedMachine | RentedMachine;
  /** Cost of capital, or what the money would earn elsewhere, on the machine's mean book value and on the stake. */
  readonly capitalPpmPerYear: number;
  /** Locked with the router, msat; it costs what the money would earn elsewhere. */
  readonly stakeMsat: number;
  /** Electrical power, integer milliwatts; null where it is not known: no electricity is charged then. */
  readonly power: null | { readonly idleMilliwatts: number; readonly loadMilliwatts: number };
  /** Traffic, per GB (10^9 bytes); null: included. */
  readonly bandwidthPerGb: Amount | null;
  /** Traffic of one token, input or output, in bytes. */
  readonly bytesPerToken: number;
}

export interface OwnedMachine {
  readonly kind: "owned";
  readonly price: Amount;
  /** What it sells for at the end of its life; in the price's currency, at most the price. */
  readonly residual: Amount;
  /** Written off in a straight line over this time, µs; positive. */
  readonly lifeUs: number;
  /** Repairs and upkeep a year, as a share of the price. */
  readonly maintenancePpmPerYear: number;
  /** Probability a year that the machine is lost, which costs its mean book value. */
  readonly failurePpmPerYear: number;
}

export interface RentedMachine {
  readonly kind: "rented";
  readonly perHour: Amount;
}

/** What a node did in a time during which prices and exchange rates stood still. */
export interface Use {
  /** Time for which its machine was there, up or not, µs. */
  readonly ownedUs: number;
  /** Of it up, and serving nothing, µs. */
  readonly idleUs: number;
  /** Of it up, and serving at least one job, µs. */
  readonly loadUs: number;
  /** Input and output tokens served. */
  readonly tokens: number;
  /** Fees that fell to the operator: the router's and Lightning's, msat. */
  readonly routerFeesMsat: number;
  readonly lightningFeesMsat: number;
  /** Price of a kilowatt-hour; null: electricity costs nothing. */
  readonly energyPerKwh: Amount | null;
  readonly rates: Rates;
}

/** Costs by kind, integer msat, each rounded up once; their sum is `costsMsat`. */
export interface CostAccount {
  readonly electricityMsat: number;
  /** Loss of value of an owned machine. */
  readonly depreciationMsat: number;
  readonly rentMsat: number;
  /** Of the machine: interest on its mean book value. */
  readonly capitalMsat: number;
  /** Interest on the stake. */
  readonly stakeMsat: number;
  /** Upkeep, and the expected loss of machines. */
  readonly maintenanceMsat: number;
  readonly bandwidthMsat: number;
  readonly routerFeesMsat: number;
  readonly lightningFeesMsat: number;
  readonly costsMsat: number;
}

/** The kinds of cost in an account, in the order in which they are listed. */
export const COST_KINDS = [
  "electricityMsat", "depreciationMsat", "rentMsat", "capitalMsat", "stakeMsat", "maintenanceMsat", "bandwidthMsat", "routerFeesMsat", "lightningFeesMsat",
] as const satisfies readonly (keyof CostAccount)[];

/**
 * Adds up what a node costs, exactly: sums are fractions of big integers, and each kind of cost is rounded once, up to the
 * millisatoshi, against the operator, whenever an account is asked for.
 */
export class CostMeter {
  readonly #model: CostModel;
  /** Time owned, times the rate of the currency in which the machine is paid; µs * rate. */
  #owned = 0n;
  #ownedUs = 0n;
  /** mW * µs * units per kWh * rate. */
  #energy = 0n;
  /** Tokens * rate. */
  #traffic = 0n;
  #routerFeesMsat = 0;
  #lightningFeesMsat = 0;

  /** @throws RangeError where a figure of the model is negative or not whole, or the residual value is not below the price */
  constructor(model: CostModel) {
    checkModel(model);
    this.#model = model;
  }

  add(use: Use): void {
    const { machine, power, bandwidthPerGb } = this.#model;
    for (const [what, value] of Object.entries({ ownedUs: use.ownedUs, idleUs: use.idleUs, loadUs: use.loadUs, tokens: use.tokens })) {
      if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${what} is a whole number, not negative; found ${value}`);
    }
    this.#ownedUs += BigInt(use.ownedUs);
    if (machine !== null && use.ownedUs > 0) this.#owned += BigInt(use.ownedUs) * rateFor((machine.kind === "owned" ? machine.price : machine.perHour).currency, use.rates);
    if (power !== null && use.energyPerKwh !== null) {
      const drawn = BigInt(power.idleMilliwatts) * BigInt(use.idleUs) + BigInt(power.loadMilliwatts) * BigInt(use.loadUs);
      this.#energy += drawn * BigInt(use.energyPerKwh.units) * rateFor(use.energyPerKwh.currency, use.rates);
    }
    if (bandwidthPerGb !== null && use.tokens > 0) this.#traffic += BigInt(use.tokens) * rateFor(bandwidthPerGb.currency, use.rates);
    this.#routerFeesMsat += use.routerFeesMsat;
    this.#lightningFeesMsat += use.lightningFeesMsat;
  }

  account(): CostAccount {
    const { machine, capitalPpmPerYear, stakeMsat, bandwidthPerGb, bytesPerToken } = this.#model;
    const capital = BigInt(capitalPpmPerYear);
    const perYear = PPM * BigInt(US_PER_YEAR);
    let depreciationMsat = 0;
    let rentMsat = 0;
    let capitalMsat = 0;
    let maintenanceMsat = 0;
    if (machine?.kind === "owned") {
      const price = BigInt(machine.price.units);
      const residual = BigInt(machine.residual.units);
      depreciationMsat = quotientUp((price - residual) * this.#owned, BigInt(machine.lifeUs) * RATE_SCALE);
      capitalMsat = quotientUp((price + residual) * capital * this.#owned, 2n * perYear * RATE_SCALE);
      maintenanceMsat = quotientUp((2n * price * BigInt(machine.maintenancePpmPerYear) + (price + residual) * BigInt(machine.failurePpmPerYear)) * this.#owned, 2n * perYear * RATE_SCALE);
    } else if (machine?.kind === "rented") {
      rentMsat = quotientUp(BigInt(machine.perHour.units) * this.#owned, US_PER_HOUR * RATE_SCALE);
    }
    const parts = {
      electricityMsat: quotientUp(this.#energy, PER_KWH * RATE_SCALE),
      depreciationMsat,
      rentMsat,
      capitalMsat,
      stakeMsat: quotientUp(BigInt(stakeMsat) * capital * this.#ownedUs, perYear),
      maintenanceMsat,
      bandwidthMsat: bandwidthPerGb === null ? 0 : quotientUp(BigInt(bandwidthPerGb.units) * BigInt(bytesPerToken) * this.#traffic, BYTES_PER_GB * RATE_SCALE),
      routerFeesMsat: this.#routerFeesMsat,
      lightningFeesMsat: this.#lightningFeesMsat,
    };
    return { ...parts, costsMsat: COST_KINDS.reduce((sum, kind) => sum + parts[kind], 0) };
  }
}

/** What a node costs that was used so: one stretch of {@link Use} after another. */
export function costsOf(model: CostModel, uses: readonly Use[]): CostAccount {
  const meter = new CostMeter(model);
  for (const use of uses) meter.add(use);
  return meter.account();
}

/** Sums kind by kind: what a class costs is what its nodes cost. */
export function sumOfCosts(accounts: readonly CostAccount[]): CostAccount {
  const sum = (of: (account: CostAccount) => number): number => accounts.reduce((total, account) => total + of(account), 0);
  return {
    electricityMsat: sum((a) => a.electricityMsat), depreciationMsat: sum((a) => a.depreciationMsat), rentMsat: sum((a) => a.rentMsat),
    capitalMsat: sum((a) => a.capitalMsat), stakeMsat: sum((a) => a.stakeMsat), maintenanceMsat: sum((a) => a.maintenanceMsat),
    bandwidthMsat: sum((a) => a.bandwidthMsat), routerFeesMsat: sum((a) => a.routerFeesMsat), lightningFeesMsat: sum((a) => a.lightningFeesMsat),
    costsMsat: sum((a) => a.costsMsat),
  };
}

/** Shares a year as whole millionths: 0.06 is 60,000. */
export function ppm(share: number): number {
  return Math.round(share * 1e6);
}

function checkModel({ machine, capitalPpmPerYear, stakeMsat, power, bandwidthPerGb, bytesPerToken }: CostModel): void {
  const whole = (what: string, value: number): void => {
    if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${what} is a whole number, not negative; found ${value}`);
  };
  whole("the cost of capital", capitalPpmPerYear);
  whole("the stake", stakeMsat);
  whole("the traffic of a token", bytesPerToken);
  if (bandwidthPerGb !== null) whole("the price of traffic", bandwidthPerGb.units);
  if (power !== null) {
    whole("power while idle", power.idleMilliwatts);
    whole("power under load", power.loadMilliwatts);
  }
  if (machine?.kind === "rented") whole("the rent", machine.perHour.units);
  if (machine?.kind !== "owned") return;
  whole("the price", machine.price.units);
  whole("the residual value", machine.residual.units);
  whole("upkeep", machine.maintenancePpmPerYear);
  whole("the rate of failure", machine.failurePpmPerYear);
  whole("the life", machine.lifeUs);
  if (machine.lifeUs === 0) throw new RangeError("a machine's life is longer than 0");
  if (machine.residual.currency !== machine.price.currency || machine.residual.units > machine.price.units) {
    throw new RangeError(`a machine that costs ${machine.price.units} ${machine.price.currency} cannot be worth ${machine.residual.units} ${machine.residual.currency} at the end`);
  }
}
