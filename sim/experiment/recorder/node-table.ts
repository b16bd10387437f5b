import { LEVELS_PER_CLASS, NODES_UP, RUNNING, SLOTS_UP, WAITING } from "./columns.ts";
import { InvariantError, LAWS } from "./invariant.ts";
import type { RecordedNode } from "./setup.ts";
import type { Levels } from "./windows.ts";

/** Counters and integrals of every node, as flat arrays. Integrals run over the measured interval. */
export class NodeTable {
  readonly attempts: Float64Array;
  readonly failedAttempts: Float64Array;
  readonly jobs: Float64Array;
  readonly inputTokens: Float64Array;
  readonly outputTokens: Float64Array;
  readonly revenueMsat: Float64Array;
  readonly downs: Float64Array;
  /** Slot-microseconds busy, and microseconds up. */
  readonly busyUs: Float64Array;
  readonly upUs: Float64Array;
  /** Microseconds with at least one job running. */
  readonly activeUs: Float64Array;
  /** KV-token-microseconds, -1 where they were not metered. */
  readonly kvTokenUs: Float64Array;
  /** How often the law of capacity was checked. */
  checks = 0;
  readonly operatorClass: Int32Array;
  readonly #slots: Float64Array;
  readonly #kvTokensMax: Float64Array;
  readonly #running: Float64Array;
  readonly #waiting: Float64Array;
  readonly #up: Uint8Array;
  readonly #sinceUs: Float64Array;
  readonly #levels: Levels;
  readonly #firstLevel: number;
  readonly #warmupUs: number;
  #horizonUs: number;
  readonly #seed: number | string;
  readonly #nodes: readonly RecordedNode[];
  #kvAtStart: Float64Array | undefined;

  constructor(nodes: readonly RecordedNode[], levels: Levels, firstLevel: number, warmupUs: number, horizonUs: number, seed: number | string) {
    const column = (): Float64Array => new Float64Array(nodes.length);
    this.attempts = column();
    this.failedAttempts = column();
    this.jobs = column();
    this.inputTokens = column();
    this.outputTokens = column();
    this.revenueMsat = column();
    this.downs = column();
    this.busyUs = column();
    this.upUs = column();
    this.activeUs = column();
    this.kvTokenUs = column().fill(-1);
    this.operatorClass = Int32Array.from(nodes, (node) => node.operatorClass);
    this.#slots = Float64Array.from(nodes, (node) => node.slots);
    this.#kvTokensMax = Float64Array.from(nodes, (node) => node.kvTokensMax);
    this.#running = column();
    this.#waiting = column();
    this.#up = new Uint8Array(nodes.length).fill(1);
    this.#sinceUs = column();
    this.#levels = levels;
    this.#firstLevel = firstLevel;
    this.#warmupUs = warmupUs;
    this.#horizonUs = horizonUs;
    this.#seed = seed;
    this.#nodes = nodes;
    for (let node = 0; node < nodes.length; node++) this.#shiftUp(node, 0, 1);
  }

  get count(): number {
    return this.#nodes.length;
  }

  isUp(node: number): boolean {
    return this.#up[node] === 1;
  }

  state(node: number, nowUs: number, running: number, waiting: number): void {
    this.checks++;
    if (!(running >= 0 && running <= this.#slots[node]! && waiting >= 0)) {
      this.#broken(node, `${running} running and ${waiting} waiting on ${this.#slots[node]} slots at ${nowUs} µs`);
    }
    if (this.#up[node] === 0 && running + waiting > 0) this.#broken(node, `${running} running and ${waiting} waiting at ${nowUs} µs although it is down`);
    const level = this.#firstLevel + this.operatorClass[node]! * LEVELS_PER_CLASS;
    const runningChange = running - this.#running[node]!;
    if (runningChange !== 0) {
      this.#settle(node, nowUs);
      this.#running[node] = running;
      this.#levels.add(level + RUNNING, nowUs, runningChange);
    }
    const waitingChange = waiting - this.#waiting[node]!;
    if (waitingChange !== 0) {
      this.#waiting[node] = waiting;
      this.#levels.add(level + WAITING, nowUs, waitingChange);
    }
  }

  down(node: number, nowUs: number): void {
    if (this.#up[node] === 0) return;
    this.state(node, nowUs, 0, 0);
    this.#settle(node, nowUs);
    this.#up[node] = 0;
    this.#shiftUp(node, nowUs, -1);
    if (nowUs >= this.#warmupUs && nowUs < this.#horizonUs) this.downs[node]!++;
  }

  up(node: number, nowUs: number): void {
    if (this.#up[node] === 1) return;
    this.#settle(node, nowUs);
    this.#up[node] = 1;
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

  /** Closes the integrals at the end of the run. */
  finish(nowUs: number): void {
    for (let node = 0; node < this.count; node++) this.#settle(node, nowUs);
  }

  #settle(node: number, nowUs: number): void {
    const since = Math.max(this.#sinceUs[node]!, this.#warmupUs);
    const until = Math.min(nowUs, this.#horizonUs);
    if (until > since && this.#up[node] === 1) {
      const running = this.#running[node]!;
      this.upUs[node]! += until - since;
      this.busyUs[node]! += running * (until - since);
      if (running > 0) this.activeUs[node]! += until - since;
    }
    this.#sinceUs[node] = nowUs;
  }

  #shiftUp(node: number, nowUs: number, sign: number): void {
    const level = this.#firstLevel + this.operatorClass[node]! * LEVELS_PER_CLASS;
    this.#levels.add(level + SLOTS_UP, nowUs, sign * this.#slots[node]!);
    this.#levels.add(level + NODES_UP, nowUs, sign);
  }

  #broken(node: number, detail: string): never {
    throw new InvariantError(LAWS.capacity, "", this.#seed, `node ${this.#nodes[node]!.name} has ${detail}`);
  }
}
