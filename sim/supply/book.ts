import { widened } from "../kernel/widened.ts";
import { type Amount, NO_RATES } from "./amount.ts";
import { COST_KINDS, type CostAccount, CostMeter, type CostModel, costsOf } from "./costs.ts";
import type { ExchangePath } from "./exchange.ts";
import { meanTariff, nextTariffChangeUs, type TariffSpec, tariffAt } from "./tariff.ts";

const US_PER_HOUR = 3_600_000_000;
const US_PER_WEEK = 168 * US_PER_HOUR;

/** A class of operators whose accounts are kept. */
export interface BookClass {
  readonly name: string;
  readonly model: CostModel;
  /** null: electricity costs nothing, or nobody says what. */
  readonly tariff: TariffSpec | null;
  /** What is not stated, and so not in the accounts. */
  readonly unknown: readonly string[];
  /** Whether it has costs in fiat money, so that it cares what a bitcoin is worth. */
  readonly inFiat: boolean;
}

export interface BookSetup {
  readonly warmupUs: number;
  readonly horizonUs: number;
  /** Width of the windows of what is told over time, µs. */
  readonly windowUs: number;
  readonly operatorClasses: readonly BookClass[];
  readonly clientClasses: readonly { readonly name: string; readonly inFiat: boolean }[];
  /** Class of every node, and whether its machine is there at the start. */
  readonly nodes: readonly { readonly operatorClass: number; readonly present: boolean }[];
  readonly exchange: ExchangePath;
  /** What operators pay to the router out of a job's amount, msat. */
  operatorFeeMsat(amountMsat: number): number;
}

/** A node's tallies over the measured interval so far, settled at the time of asking. */
export interface NodeUse {
  upUs(node: number): number;
  /** Of it with at least one job running. */
  activeUs(node: number): number;
  /** Input and output tokens of the jobs it completed. */
  tokens(node: number): number;
}

/** What one side won or lost because rates moved between the quote and the payment. */
export interface ExchangeParty {
  readonly role: "operators" | "clients" | "routers";
  readonly name: string;
  /** Whether it counts in fiat money: whoever does bears this; who counts in bitcoin is on the other side of it, and does not feel it. */
  readonly inFiat: boolean;
  /** What it got, or paid less, beyond the payment's worth when it was quoted; msat at the time of payment. */
  readonly gainMsat: number;
  /** The same without signs: how much there was to win or lose, job by job. */
  readonly movedMsat: number;
  readonly jobs: number;
}

/** A class over time, window by window, from time 0. */
export interface ClassSeries {
  /** Time that its nodes' machines were there, added over nodes, µs. */
  readonly ownedUs: Float64Array;
  readonly revenueMsat: Float64Array;
  readonly costsMsat: Float64Array;
  /** By kind, in the order of `COST_KINDS`; their sum is {@link costsMsat}. */
  readonly kindsMsat: readonly Float64Array[];
}

/** Running totals of a class since time 0, warm-up included. */
export interface ClassTotals {
  readonly ownedUs: number;
  readonly revenueMsat: number;
  readonly costsMsat: number;
}

/**
 * Keeps the accounts of operators while a run goes on: what machines, power, capital, traffic and fees cost them, at the
 * tariffs and exchange rates of the moment, and who won or lost by the rates' moves.
 *
 * Time is cut where a price may change; {@link SupplyBook.flush} has to be called there. Costs of the report cover the
 * measured interval; series and totals the whole run.
 */
export class SupplyBook {
  readonly setup: BookSetup;
  readonly #present: Uint8Array;
  readonly #up: Uint8Array;
  readonly #sinceUs: Float64Array;
  readonly #ownedUs: Float64Array;
  readonly #upUs: Float64Array;
  /** At the last flush: measured time up, active and tokens; time owned, up and busy since time 0. */
  readonly #seen: readonly Float64Array[];
  readonly #meters: readonly CostMeter[];
  readonly #measuredOwnedUs: Float64Array;
  /** The router's and Lightning's fees out of measured jobs, by node. */
  readonly #fees: Float64Array;
  readonly #lightning: Float64Array;
  readonly #classMeters: readonly CostMeter[];
  readonly #classFees: Float64Array;
  readonly #classLightning: Float64Array;
  readonly #classTokens: Float64Array;
  readonly #classRevenue: Float64Array;
  readonly #classOwned: Float64Array;
  readonly #classCosts: Float64Array;
  /** Of each class, by kind of cost. */
  readonly #classBooked: readonly Float64Array[];
  readonly #series: readonly ClassSeries[];
  #flushedUs = 0;
  /** Worth of a bitcoin when the node's prices were set, and when the job in a slot was given away at them. */
  readonly #quotedAt: Float64Array;
  #jobQuotedAt = new Float64Array(256);
  /** Lightning fees that fell to the node for the job in a slot, msat. */
  #jobLightning = new Float64Array(256);
  readonly #gains: readonly { gainMsat: number; movedMsat: number; jobs: number }[];
  #payments = 0;
  /** Time with at least one job running from time 0 until now, by node, µs; set by whoever runs the machines. */
  busyUs: (node: number) => number = () => 0;

  constructor(setup: BookSetup) {
    this.setup = setup;
    const { nodes, operatorClasses, clientClasses } = setup;
    const column = (): Float64Array => new Float64Array(nodes.length);
    this.#present = Uint8Array.from(nodes, ({ present }) => (present ? 1 : 0));
    this.#up = this.#present.slice();
    this.#sinceUs = column();
    this.#ownedUs = column();
    this.#upUs = column();
    this.#measuredOwnedUs = column();
    this.#fees = column();
    this.#lightning = column();
    this.#seen = Array.from({ length: 6 }, column);
    this.#meters = nodes.map(({ operatorClass }) => new CostMeter(operatorClasses[operatorClass]!.model));
    const classColumn = (): Float64Array => new Float64Array(operatorClasses.length);
    this.#classMeters = operatorClasses.map(({ model }) => new CostMeter(model));
    this.#classFees = classColumn();
    this.#classLightning = classColumn();
    this.#classTokens = classColumn();
    this.#classRevenue = classColumn();
    this.#classOwned = classColumn();
    this.#classCosts = classColumn();
    this.#classBooked = operatorClasses.map(() => new Float64Array(COST_KINDS.length));
    const windows = Math.ceil(setup.horizonUs / setup.windowUs);
    this.#series = operatorClasses.map(() => ({ ownedUs: new Float64Array(windows), revenueMsat: new Float64Array(windows), costsMsat: new Float64Array(windows), kindsMsat: COST_KINDS.map(() => new Float64Array(windows)) }));
    this.#quotedAt = column().fill(1);
    this.#gains = Array.from({ length: operatorClasses.length + clientClasses.length + 1 }, () => ({ gainMsat: 0, movedMsat: 0, jobs: 0 }));
  }

  /** Payments whose quotes and rates were compared. */
  get payments(): number {
    return this.#payments;
  }

  /** When prices may change next, or a window ends: the time to flush, µs; Infinity after the horizon. */
  nextUs(nowUs: number): number {
    const { horizonUs, warmupUs, windowUs, operatorClasses, exchange } = this.setup;
    if (nowUs >= horizonUs) return Infinity;
    let next = Math.min(horizonUs, (Math.floor(nowUs / windowUs) + 1) * windowUs, exchange.nextChangeUs(nowUs));
    if (nowUs < warmupUs) next = Math.min(next, warmupUs);
    for (const { tariff } of operatorClasses) if (tariff !== null) next = Math.min(next, nextTariffChangeUs(tariff, nowUs));
    return next;
  }

  /** The node's machine is there from now on, or no longer. */
  present(node: number, nowUs: number, present: boolean): void {
    this.#settle(node, nowUs);
    this.#present[node] = present ? 1 : 0;
  }

  /** The node is up, or down. */
  up(node: number, nowUs: number, up: boolean): void {
    this.#settle(node, nowUs);
    this.#up[node] = up ? 1 : 0;
  }

  /** The node has set its prices at the rates of this moment. */
  quoted(node: number, nowUs: number): void {
    this.#quotedAt[node] = this.setup.exchange.relativeAt(nowUs);
  }

  /** The job in this slot goes to a node, at the prices it has posted. */
  assigned(slot: number, node: number): void {
    if (slot >= this.#jobQuotedAt.length) {
      const length = Math.max(slot + 1, this.#jobQuotedAt.length * 2);
      this.#jobQuotedAt = widened(this.#jobQuotedAt, length);
      this.#jobLightning = widened(this.#jobLightning, length);
    }
    this.#jobQuotedAt[slot] = this.#quotedAt[node]!;
    this.#jobLightning[slot] = 0;
  }

  /** A Lightning fee came out of what the node received for the job in this slot. */
  lightningFee(slot: number, feeMsat: number): void {
    if (slot >= 0 && slot < this.#jobLightning.length) this.#jobLightning[slot]! += feeMsat;
  }

  /** A job was completed and paid for. `measured`: its figures are in the report. */
  paid(nowUs: number, slot: number, node: number, clientClass: number, amountMsat: number, feeMsat: number, tokens: number, measured: boolean): void {
    const { nodes, operatorClasses, horizonUs, windowUs, exchange } = this.setup;
    const operatorClass = nodes[node]!.operatorClass;
    const operatorFeeMsat = this.setup.operatorFeeMsat(amountMsat);
    this.#classRevenue[operatorClass]! += amountMsat;
    this.#classFees[operatorClass]! += operatorFeeMsat;
    this.#classLightning[operatorClass]! += this.#jobLightning[slot]!;
    this.#classTokens[operatorClass]! += tokens;
    if (nowUs < horizonUs) this.#series[operatorClass]!.revenueMsat[Math.floor(nowUs / windowUs)]! += amountMsat;
    if (!measured) return;
    this.#fees[node]! += operatorFeeMsat;
    this.#lightning[node]! += this.#jobLightning[slot]!;
    this.#payments++;
    // What was promised was worth amount x quotedAt; it takes amount x quotedAt / paidAt now to be worth the same.
    const change = this.#jobQuotedAt[slot]! / exchange.relativeAt(nowUs);
    if (change === 1) return;
    const operators = amountMsat - operatorFeeMsat - Math.round((amountMsat - operatorFeeMsat) * change);
    const routers = feeMsat + operatorFeeMsat - Math.round((feeMsat + operatorFeeMsat) * change);
    this.#gain(operatorClass, operators);
    this.#gain(operatorClasses.length + clientClass, -operators - routers);
    this.#gain(this.#gains.length - 1, routers);
  }

  /** Running totals of a class, as of the last flush. */
  totals(operatorClass: number): ClassTotals {
    return { ownedUs: this.#classOwned[operatorClass]!, revenueMsat: this.#classRevenue[operatorClass]!, costsMsat: this.#classCosts[operatorClass]! };
  }

  /** What a node of this class costs per hour while it is up and serves nothing, at the mean tariff and the rates of the moment, msat. */
  fixedPerHourMsat(operatorClass: number, nowUs: number): number {
    const { model, tariff } = this.setup.operatorClasses[operatorClass]!;
    const energyPerKwh: Amount | null = tariff === null ? null
      : { currency: tariff.steps[0]!.perKwh.currency, units: Math.round(meanTariff(tariff, nowUs, nowUs + (tariff.steps.length === 1 ? US_PER_HOUR : tariff.periodUs ?? US_PER_WEEK))) };
    return costsOf(model, [{
      ownedUs: US_PER_HOUR, idleUs: US_PER_HOUR, loadUs: 0, tokens: 0, routerFeesMsat: 0, lightningFeesMsat: 0, energyPerKwh, rates: this.setup.exchange.ratesAt(nowUs),
    }]).costsMsat;
  }

  /** Books everything since the last flush at the prices that held since then. */
  flush(nowUs: number, use: NodeUse): void {
    const { nodes, operatorClasses, warmupUs, horizonUs, exchange } = this.setup;
    const fromUs = this.#flushedUs;
    const atUs = Math.min(nowUs, horizonUs);
    if (atUs < fromUs) return;
    const dueUs = this.nextUs(fromUs);
    if (atUs > dueUs) throw new Error(`operators' accounts were due at ${dueUs} us, when prices may have changed, and are made at ${atUs} us`);
    const moment = Math.min(fromUs, horizonUs - 1);
    const rates = exchange.ratesAt(moment);
    const prices = operatorClasses.map(({ tariff }) => (tariff === null ? null : tariffAt(tariff, moment)));
    const measured = fromUs >= warmupUs;
    const [seenUp, seenActive, seenTokens, seenOwned, seenAllUp, seenBusy] = this.#seen as [Float64Array, Float64Array, Float64Array, Float64Array, Float64Array, Float64Array];
    const sums = operatorClasses.map(() => ({ ownedUs: 0, upUs: 0, busyUs: 0 }));
    for (let node = 0; node < nodes.length; node++) {
      this.#settle(node, atUs);
      const { operatorClass } = nodes[node]!;
      const ownedUs = this.#ownedUs[node]! - seenOwned[node]!;
      const busyUs = Math.round(this.busyUs(node));
      const sum = sums[operatorClass]!;
      sum.ownedUs += ownedUs;
      sum.upUs += this.#upUs[node]! - seenAllUp[node]!;
      sum.busyUs += busyUs - seenBusy[node]!;
      seenOwned[node] = this.#ownedUs[node]!;
      seenAllUp[node] = this.#upUs[node]!;
      seenBusy[node] = busyUs;
      if (!measured) continue;
      const upUs = use.upUs(node) - seenUp[node]!;
      const activeUs = use.activeUs(node) - seenActive[node]!;
      const tokens = use.tokens(node) - seenTokens[node]!;
      if (ownedUs === 0 && upUs === 0 && tokens === 0) continue;
      this.#meters[node]!.add({
        ownedUs, idleUs: upUs - activeUs, loadUs: activeUs, tokens, routerFeesMsat: 0, lightningFeesMsat: 0, energyPerKwh: prices[operatorClass]!, rates,
      });
      this.#measuredOwnedUs[node]! += ownedUs;
      seenUp[node]! += upUs;
      seenActive[node]! += activeUs;
      seenTokens[node]! += tokens;
    }
    const window = Math.min(Math.floor(moment / this.setup.windowUs), this.#series[0]!.ownedUs.length - 1);
    operatorClasses.forEach((_, index) => this.#flushClass(index, sums[index]!, prices[index]!, rates, window));
    this.#flushedUs = atUs;
  }

  /** What every node cost in the measured interval, after a last flush at its end. */
  accounts(): { readonly ownedUs: number; readonly costs: CostAccount }[] {
    return this.#meters.map((meter, node) => {
      meter.add({ ownedUs: 0, idleUs: 0, loadUs: 0, tokens: 0, routerFeesMsat: this.#fees[node]!, lightningFeesMsat: this.#lightning[node]!, energyPerKwh: null, rates: NO_RATES });
      this.#fees[node] = 0;
      this.#lightning[node] = 0;
      return { ownedUs: this.#measuredOwnedUs[node]!, costs: meter.account() };
    });
  }

  /** What rates' moves, and payments compared with their quotes, come to so far; of measured jobs. */
  exchangeTotals(add: (name: string, total: number) => void): void {
    add("supply.exchange.payments", this.#payments);
    for (const { role, name, gainMsat, movedMsat, jobs } of this.parties()) {
      add(`supply.exchange.parties.${role}.${name}.gainMsat`, gainMsat);
      add(`supply.exchange.parties.${role}.${name}.movedMsat`, movedMsat);
      add(`supply.exchange.parties.${role}.${name}.jobs`, jobs);
    }
  }

  series(operatorClass: number): ClassSeries {
    return this.#series[operatorClass]!;
  }

  /** Who won and lost by the rates' moves: gains sum to 0. */
  parties(): ExchangeParty[] {
    const { operatorClasses, clientClasses } = this.setup;
    return [
      ...operatorClasses.map(({ name, inFiat }, i) => ({ role: "operators" as const, name, inFiat, ...this.#gains[i]! })),
      ...clientClasses.map(({ name, inFiat }, i) => ({ role: "clients" as const, name, inFiat, ...this.#gains[operatorClasses.length + i]! })),
      { role: "routers", name: "routers", inFiat: false, ...this.#gains.at(-1)! },
    ];
  }

  #gain(party: number, msat: number): void {
    const row = this.#gains[party]!;
    row.gainMsat += msat;
    row.movedMsat += Math.abs(msat);
    row.jobs++;
  }

  #settle(node: number, nowUs: number): void {
    const lengthUs = Math.min(nowUs, this.setup.horizonUs) - this.#sinceUs[node]!;
    if (lengthUs <= 0) return;
    if (this.#present[node] === 1) this.#ownedUs[node]! += lengthUs;
    if (this.#present[node] === 1 && this.#up[node] === 1) this.#upUs[node]! += lengthUs;
    this.#sinceUs[node]! += lengthUs;
  }

  #flushClass(index: number, { ownedUs, upUs, busyUs }: { readonly ownedUs: number; readonly upUs: number; readonly busyUs: number }, energyPerKwh: Amount | null, rates: ReturnType<ExchangePath["ratesAt"]>, window: number): void {
    const meter = this.#classMeters[index]!;
    const loadUs = Math.min(busyUs, upUs);
    meter.add({
      ownedUs, idleUs: upUs - loadUs, loadUs, tokens: this.#classTokens[index]!, routerFeesMsat: this.#classFees[index]!, lightningFeesMsat: this.#classLightning[index]!, energyPerKwh, rates,
    });
    this.#classLightning[index] = 0;
    this.#classTokens[index] = 0;
    this.#classFees[index] = 0;
    const account = meter.account();
    const { costsMsat } = account;
    const booked = this.#classBooked[index]!;
    COST_KINDS.forEach((kind, at) => {
      this.#series[index]!.kindsMsat[at]![window]! += account[kind] - booked[at]!;
      booked[at] = account[kind];
    });
    this.#series[index]!.ownedUs[window]! += ownedUs;
    this.#series[index]!.costsMsat[window]! += costsMsat - this.#classCosts[index]!;
    this.#classOwned[index]! += ownedUs;
    this.#classCosts[index] = costsMsat;
  }
}
