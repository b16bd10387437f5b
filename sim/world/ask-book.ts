import type { PriceSheet } from "../../protocol/messages.ts";
import type { AsksReport } from "../../protocol/result/asks.ts";
import { windowWidthUs } from "../experiment/recorder/windows.ts";
import type { Scenario } from "../scenario/scenario.ts";
import type { NodePlan } from "./supply.ts";

const PARTS = ["inputMsatPerMtok", "outputMsatPerMtok", "fixedMsat"] as const;
/** Where the slots stand, after the three parts of the price. */
const SLOTS = PARTS.length;
/** And the nodes that are up. */
const UP = SLOTS + 1;
const LEVELS = UP + 1;

/** Whether any node's prices may change while the market runs. */
export function pricesMove({ operators }: Pick<Scenario, "operators">): boolean {
  return operators.some(({ strategy, supply }) => strategy.rule.kind !== "fixed" || (supply !== null && supply.quote !== null));
}

/** One class: sums over its nodes that are up, their integrals, and what the windows came to. */
interface ClassAsks {
  readonly name: string;
  readonly strategy: string;
  readonly grid: readonly number[];
  readonly members: readonly number[];
  changes: number;
  /** Now: the parts of the prices, slots and nodes. */
  readonly sums: Float64Array;
  /** Integrals over the window so far, and over the measured interval. */
  readonly open: Float64Array;
  readonly measured: Float64Array;
  readonly min: Float64Array;
  readonly max: Float64Array;
  /** Node time by place in the grid, over the measured interval. */
  readonly chosenUs: Float64Array;
  readonly windows: { readonly mean: (number | null)[][]; readonly min: (number | null)[][]; readonly max: (number | null)[][]; readonly slots: (number | null)[] };
}

/** Keeps what nodes asked, and how many slots they offered, by operator class and over time. Not on any job's way. */
export class AskBook {
  readonly #horizonUs: number;
  readonly #warmupUs: number;
  readonly #windowUs: number;
  readonly #plans: readonly NodePlan[];
  readonly #prices: PriceSheet[];
  readonly #slots: Float64Array;
  readonly #up: Uint8Array;
  /** Since when each node's time at its present price is not accounted for. */
  readonly #chosenSinceUs: Float64Array;
  readonly #classes: ClassAsks[];
  #nowUs = 0;
  #windowStartUs = 0;

  constructor(scenario: Scenario, plans: readonly NodePlan[]) {
    this.#horizonUs = scenario.horizonUs;
    this.#warmupUs = scenario.warmupUs;
    this.#windowUs = windowWidthUs(scenario.horizonUs);
    this.#plans = plans;
    this.#prices = plans.map(({ descriptor }) => descriptor.offers[0]!.prices);
    this.#slots = Float64Array.from(plans, ({ descriptor, operatorClass }) => Math.min(descriptor.slots, scenario.operators[operatorClass]!.strategy.startSlots ?? descriptor.slots));
    this.#up = new Uint8Array(plans.length);
    this.#chosenSinceUs = new Float64Array(plans.length);
    this.#classes = scenario.operators.map(({ name, strategy: { rule } }, index) => {
      const grid = "grid" in rule ? rule.grid : [];
      return {
        name, strategy: rule.kind, grid, members: plans.flatMap(({ operatorClass }, n) => (operatorClass === index ? [n] : [])), changes: 0,
        sums: new Float64Array(LEVELS), open: new Float64Array(LEVELS), measured: new Float64Array(LEVELS),
        min: new Float64Array(PARTS.length).fill(Infinity), max: new Float64Array(PARTS.length).fill(-Infinity), chosenUs: new Float64Array(grid.length),
        windows: { mean: PARTS.map(() => []), min: PARTS.map(() => []), max: PARTS.map(() => []), slots: [] },
      };
    });
    plans.forEach((plan, n) => { if (plan.present) this.up(n, true, 0); });
  }

  /** A node asks these prices and offers so many slots from now on. */
  asks(n: number, prices: PriceSheet, slots: number, nowUs: number): void {
    this.#advance(nowUs);
    const of = this.#classOf(n);
    of.changes++;
    this.#tally(n, of);
    this.#count(n, -1);
    this.#prices[n] = prices;
    this.#slots[n] = slots;
    this.#count(n, 1);
    if (this.#up[n] === 1) this.#see(of, prices);
  }

  /** A node came, or left. */
  up(n: number, isUp: boolean, nowUs: number): void {
    this.#advance(nowUs);
    if ((this.#up[n] === 1) === isUp) return;
    this.#tally(n, this.#classOf(n));
    if (!isUp) this.#count(n, -1);
    this.#up[n] = isUp ? 1 : 0;
    if (!isUp) return;
    this.#count(n, 1);
    this.#see(this.#classOf(n), this.#prices[n]!);
  }

  /** Integrals of the measured interval so far and the number of changes, by the report's names; changes nothing. */
  totals(nowUs: number, add: (name: string, total: number) => void): void {
    const untilUs = Math.min(nowUs, this.#horizonUs);
    const openUs = Math.max(0, untilUs - Math.max(this.#warmupUs, this.#nowUs));
    for (const { name, changes, measured, sums, grid, chosenUs, members } of this.#classes) {
      const prefix = `asks.operatorClasses.${name}`;
      add(`${prefix}.changes`, changes);
      PARTS.forEach((part, i) => add(`${prefix}.meanPrices.${part}`, measured[i]! + sums[i]! * openUs));
      add(`${prefix}.meanSlots`, measured[SLOTS]! + sums[SLOTS]! * openUs);
      add(`${prefix}.nodeUs`, measured[UP]! + sums[UP]! * openUs);
      if (grid.length === 0) continue;
      const chosen = chosenUs.slice();
      for (const n of members) {
        const fromUs = Math.max(this.#warmupUs, this.#chosenSinceUs[n]!);
        if (this.#up[n] === 1 && untilUs > fromUs) chosen[this.#choice(n, grid)]! += untilUs - fromUs;
      }
      grid.forEach((multiple, i) => add(`${prefix}.choices.x${multiple}.share`, chosen[i]!));
    }
  }

  /** The run is over, or cut. */
  finish(nowUs: number): AsksReport {
    this.#advance(nowUs);
    if (this.#nowUs > this.#windowStartUs) this.#closeWindow();
    for (const of of this.#classes) for (const n of of.members) this.#tally(n, of);
    return {
      operatorClasses: this.#classes.map((of) => {
        const { windows, measured } = of;
        const mean = (level: number): number | null => (measured[UP] === 0 ? null : measured[level]! / measured[UP]!);
        const range = (part: number) => ({ min: windows.min[part]!, mean: windows.mean[part]!, max: windows.max[part]! });
        const measuredUs = this.#nowUs - this.#warmupUs;
        return {
          name: of.name, strategy: of.strategy, changes: of.changes,
          inputMsatPerMtok: range(0), outputMsatPerMtok: range(1), fixedMsat: range(2), slots: windows.slots,
          meanPrices: { inputMsatPerMtok: mean(0), outputMsatPerMtok: mean(1), fixedMsat: mean(2) },
          meanSlots: measuredUs > 0 ? measured[SLOTS]! / measuredUs : null,
          choices: of.grid.map((multiple, i) => ({ multiple, share: measured[UP] === 0 ? 0 : of.chosenUs[i]! / measured[UP]! })),
        };
      }),
    };
  }

  #classOf(n: number): ClassAsks {
    return this.#classes[this.#plans[n]!.operatorClass]!;
  }

  #count(n: number, sign: 1 | -1): void {
    if (this.#up[n] === 0) return;
    const { sums } = this.#classOf(n);
    PARTS.forEach((part, i) => { sums[i]! += sign * this.#prices[n]![part]; });
    sums[SLOTS]! += sign * this.#slots[n]!;
    sums[UP]! += sign;
  }

  #see({ min, max }: ClassAsks, prices: PriceSheet): void {
    PARTS.forEach((part, i) => {
      min[i] = Math.min(min[i]!, prices[part]);
      max[i] = Math.max(max[i]!, prices[part]);
    });
  }

  /** Integrates up to now; what comes after the horizon does not count. */
  #advance(nowUs: number): void {
    const untilUs = Math.min(nowUs, this.#horizonUs);
    while (untilUs >= this.#windowStartUs + this.#windowUs) {
      this.#integrate(this.#windowStartUs + this.#windowUs);
      this.#closeWindow();
    }
    this.#integrate(untilUs);
  }

  #integrate(untilUs: number): void {
    const lengthUs = untilUs - this.#nowUs;
    if (lengthUs <= 0) return;
    const measuredUs = Math.max(0, untilUs - Math.max(this.#warmupUs, this.#nowUs));
    for (const of of this.#classes) {
      for (let level = 0; level < LEVELS; level++) {
        of.open[level]! += of.sums[level]! * lengthUs;
        of.measured[level]! += of.sums[level]! * measuredUs;
      }
    }
    this.#nowUs = untilUs;
  }

  #closeWindow(): void {
    const lengthUs = this.#nowUs - this.#windowStartUs;
    for (const of of this.#classes) {
      const { windows, open, min, max } = of;
      PARTS.forEach((_, part) => {
        windows.mean[part]!.push(open[UP] === 0 ? null : open[part]! / open[UP]!);
        windows.min[part]!.push(min[part] === Infinity ? null : min[part]!);
        windows.max[part]!.push(max[part] === -Infinity ? null : max[part]!);
      });
      windows.slots.push(open[SLOTS]! / lengthUs);
      open.fill(0);
      min.fill(Infinity);
      max.fill(-Infinity);
      for (const n of of.members) if (this.#up[n] === 1) this.#see(of, this.#prices[n]!);
    }
    this.#windowStartUs = this.#nowUs;
  }

  /** Accounts for a node's time at its present price. */
  #tally(n: number, { grid, chosenUs }: ClassAsks): void {
    const fromUs = Math.max(this.#warmupUs, this.#chosenSinceUs[n]!);
    this.#chosenSinceUs[n] = this.#nowUs;
    if (grid.length > 0 && this.#up[n] === 1 && this.#nowUs > fromUs) chosenUs[this.#choice(n, grid)]! += this.#nowUs - fromUs;
  }

  /** The grid's price that the node asks: the nearest multiple of its opening prices, where cost did not lift it off the grid. */
  #choice(n: number, grid: readonly number[]): number {
    const opening = this.#plans[n]!.descriptor.offers[0]!.prices;
    const part = PARTS.find((name) => opening[name] > 0);
    const multiple = part === undefined ? 1 : this.#prices[n]![part] / opening[part];
    let nearest = 0;
    for (let i = 1; i < grid.length; i++) if (Math.abs(grid[i]! - multiple) < Math.abs(grid[nearest]! - multiple)) nearest = i;
    return nearest;
  }
}
