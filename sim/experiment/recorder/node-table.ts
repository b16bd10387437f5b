import { LEVELS_PER_CLASS, NODES_UP, RUNNING, SLOTS_UP, WAITING } from "./columns.ts";
import { InvariantError, LAWS } from "./invariant.ts";
import type { AddTotal } from "./marks.ts";
import type { RecordedNode } from "./setup.ts";
import type { Levels } from "./windows.ts";

/** Columns of a node's row that others read or add to. Integrals run over the measured interval. */
export const TALLY = {
  attempts: 0, failedAttempts: 1, jobs: 2, inputTokens: 3, outputTokens: 4, revenueMsat: 5, downs: 6,
  /** Slot-microseconds busy, microseconds up, and microseconds with at least one job running. */
  busyUs: 7, upUs: 8, activeUs: 9,
} as const;
export type NodeColumn = (typeof TALLY)[keyof typeof TALLY];

/** The row's own columns: what the node is, and how it stands. */
const CLASS = 10;
const SLOTS = 11;
const IS_UP = 12;
const NOW_RUNNING = 13;
const NOW_WAITING = 14;
const SINCE_US = 15;
const ROW = 16;

/** Totals of a class: counters, and what its capacity for KV tokens, its energy in joules and its cost come to. */
const COUNTS = ["attempts", "failedAttempts", "jobs", "inputTokens", "outputTokens", "revenueMsat"] as const;
const TOTALS = [...COUNTS, "kvCapacityUs", "joules", "electricityMsat"] as const;
const KV_CAPACITY = 6;
const ENERGY = 7;
const ELECTRICITY = 8;

/** Counters and integrals of every node: a row of doubles for each, so that a fact about a node touches little memory. */
export class NodeTable {
  /** KV-token-microseconds over the measured interval, -1 where they were not metered. */
  readonly kvTokenUs: Float64Array;
  /** How often the law of capacity was checked. */
  checks = 0;
  readonly #rows: Float64Array;
  readonly #kvTokensMax: Float64Array;
  readonly #levels: Levels;
  readonly #firstLevel: number;
  readonly #warmupUs: number;
  #horizonUs: number;
  readonly #seed: number | string;
  readonly #nodes: readonly RecordedNode[];
  #kvAtStart: Float64Array | undefined;

  constructor(nodes: readonly RecordedNode[], levels: Levels, firstLevel: number, warmupUs: number, horizonUs: number, seed: number | string) {
    this.#rows = new Float64Array(nodes.length * ROW);
    nodes.forEach((node, index) => {
      this.#rows[index * ROW + CLASS] = node.operatorClass;
      this.#rows[index * ROW + SLOTS] = node.slots;
      this.#rows[index * ROW + IS_UP] = node.present === false ? 0 : 1;
    });
    this.kvTokenUs = new Float64Array(nodes.length).fill(-1);
    this.#kvTokensMax = Float64Array.from(nodes, (node) => node.kvTokensMax);
    this.#levels = levels;
    this.#firstLevel = firstLevel;
    this.#warmupUs = warmupUs;
    this.#horizonUs = horizonUs;
    this.#seed = seed;
    this.#nodes = nodes;
    nodes.forEach(({ present }, node) => { if (present !== false) this.#shiftUp(node, 0, 1); });
  }

  get count(): number {
    return this.#nodes.length;
  }

  get(node: number, column: NodeColumn): number {
    return this.#rows[node * ROW + column]!;
  }

  add(node: number, column: NodeColumn, amount: number): void {
    this.#rows[node * ROW + column]! += amount;
  }

  /** Of every node. */
  column(column: NodeColumn): Float64Array {
    return Float64Array.from({ length: this.count }, (_, node) => this.get(node, column));
  }

  /** Totals of the operator classes so far. @param prefixes of their names, by class */
  totals(nowUs: number, prefixes: readonly string[], add: AddTotal): void {
    this.settleAll(nowUs);
    const sums = prefixes.map(() => new Float64Array(TOTALS.length));
    for (let node = 0; node < this.count; node++) {
      const sum = sums[this.operatorClass(node)]!;
      COUNTS.forEach((column, at) => { sum[at]! += this.get(node, TALLY[column]); });
      const { power, electricityMsatPerKwh } = this.#nodes[node]!;
      const upUs = this.get(node, TALLY.upUs);
      sum[KV_CAPACITY]! += upUs * this.#kvTokensMax[node]!;
      if (power === undefined || power === null) continue;
      const joules = (power.idleWatts * (upUs - this.get(node, TALLY.activeUs)) + power.loadWatts * this.get(node, TALLY.activeUs)) / 1e6;
      sum[ENERGY]! += joules;
      sum[ELECTRICITY]! += joules / 3.6e6 * (electricityMsatPerKwh ?? 0);
    }
    prefixes.forEach((prefix, index) => TOTALS.forEach((name, at) => add(`${prefix}.${name}`, sums[index]![at]!)));
  }

  operatorClass(node: number): number {
    return this.#rows[node * ROW + CLASS]!;
  }

  state(node: number, nowUs: number, running: number, waiting: number): void {
    const rows = this.#rows;
    const at = node * ROW;
    this.checks++;
    if (!(running >= 0 && running <= rows[at + SLOTS]! && waiting >= 0)) {
      this.#broken(node, `${running} running and ${waiting} waiting on ${rows[at + SLOTS]} slots at ${nowUs} µs`);
    }
    if (rows[at + IS_UP] === 0 && running + waiting > 0) this.#broken(node, `${running} running and ${waiting} waiting at ${nowUs} µs although it is down`);
    const level = this.#firstLevel + rows[at + CLASS]! * LEVELS_PER_CLASS;
    const runningChange = running - rows[at + NOW_RUNNING]!;
    if (runningChange !== 0) {
      this.#settle(node, nowUs);
      rows[at + NOW_RUNNING] = running;
      this.#levels.add(level + RUNNING, nowUs, runningChange);
    }
    const waitingChange = waiting - rows[at + NOW_WAITING]!;
    if (waitingChange !== 0) {
      rows[at + NOW_WAITING] = waiting;
      this.#levels.add(level + WAITING, nowUs, waitingChange);
    }
  }

  down(node: number, nowUs: number): void {
    if (this.#rows[node * ROW + IS_UP] === 0) return;
    this.state(node, nowUs, 0, 0);
    this.#settle(node, nowUs);
    this.#rows[node * ROW + IS_UP] = 0;
    this.#shiftUp(node, nowUs, -1);
    if (nowUs >= this.#warmupUs && nowUs < this.#horizonUs) this.add(node, TALLY.downs, 1);
  }

  up(node: number, nowUs: number): void {
    if (this.#rows[node * ROW + IS_UP] === 1) return;
    this.#settle(node, nowUs);
    this.#rows[node * ROW + IS_UP] = 1;
    this.#shiftUp(node, nowUs, 1);
  }

  /** Takes the nodes' integrals of KV tokens in use since the start of the run, at the start or the end of the measured interval. */
  meterKv(atStart: boolean, kvTokenUs: (node: number) => number): void {
    if (!atStart && this.#kvAtStart === undefined && this.#warmupUs > 0) return;
    const before = this.#kvAtStart ?? new Float64Array(this.count);
    this.#kvAtStart = before;
    for (let node = 0; node < this.count; node++) {
      if (atStart) {
        before[node] = kvTokenUs(node);
        continue;
      }
      const used = kvTokenUs(node) - before[node]!;
      const most = this.#kvTokensMax[node]! * (this.#horizonUs - this.#warmupUs);
      this.checks++;
      if (!(used >= 0 && used <= most)) this.#broken(node, `${used} KV-token-microseconds in use, at most ${most} are possible`);
      this.kvTokenUs[node] = used;
    }
  }

  /** Moves the end of the measured interval forward to `nowUs`, which lies before it. */
  cut(nowUs: number): void {
    this.#horizonUs = nowUs;
  }

  upUs(node: number): number {
    return this.get(node, TALLY.upUs);
  }

  activeUs(node: number): number {
    return this.get(node, TALLY.activeUs);
  }

  tokens(node: number): number {
    return this.get(node, TALLY.inputTokens) + this.get(node, TALLY.outputTokens);
  }

  /** Brings the integrals up to now. */
  settleAll(nowUs: number): void {
    for (let node = 0; node < this.count; node++) this.#settle(node, nowUs);
  }

  #settle(node: number, nowUs: number): void {
    const rows = this.#rows;
    const at = node * ROW;
    const since = Math.max(rows[at + SINCE_US]!, this.#warmupUs);
    const until = Math.min(nowUs, this.#horizonUs);
    if (until > since && rows[at + IS_UP] === 1) {
      const running = rows[at + NOW_RUNNING]!;
      rows[at + TALLY.upUs]! += until - since;
      rows[at + TALLY.busyUs]! += running * (until - since);
      if (running > 0) rows[at + TALLY.activeUs]! += until - since;
    }
    rows[at + SINCE_US] = nowUs;
  }

  #shiftUp(node: number, nowUs: number, sign: number): void {
    const level = this.#firstLevel + this.operatorClass(node) * LEVELS_PER_CLASS;
    this.#levels.add(level + SLOTS_UP, nowUs, sign * this.#rows[node * ROW + SLOTS]!);
    this.#levels.add(level + NODES_UP, nowUs, sign);
  }

  #broken(node: number, detail: string): never {
    throw new InvariantError(LAWS.capacity, "", this.#seed, `node ${this.#nodes[node]!.name} has ${detail}`);
  }
}
