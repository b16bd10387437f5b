/** After so many time constants without a node, what was observed of them counts for nothing any more. */
const FORGOTTEN_AFTER = 3;

/** What a class of operators earns, as whoever thinks of joining sees it. */
export class ObservedProfit {
  readonly #memoryUs: number;
  #weight = 0;
  #profitMsat = 0;
  #nodeHours = 0;
  #emptyUs = 0;

  /** @param memoryUs time constant of the exponentially weighted mean, µs; positive */
  constructor(memoryUs: number) {
    this.#memoryUs = memoryUs;
  }

  /** Whether anything was observed yet. */
  get known(): boolean {
    return this.#weight > 0;
  }

  /**
   * What the class's nodes took in and paid in a stretch of time that has just passed. A stretch without nodes teaches
   * nothing; after some of them, what was known is forgotten.
   * @param nodeUs time that its nodes were there, added over nodes
   */
  observe(lengthUs: number, nodeUs: number, revenueMsat: number, costsMsat: number): void {
    if (lengthUs <= 0) return;
    this.#emptyUs = nodeUs > 0 ? 0 : this.#emptyUs + lengthUs;
    if (this.#emptyUs > FORGOTTEN_AFTER * this.#memoryUs) this.#weight = this.#profitMsat = this.#nodeHours = 0;
    if (nodeUs <= 0) return;
    const kept = Math.exp(-lengthUs / this.#memoryUs);
    const hours = lengthUs / 3.6e9;
    this.#weight = this.#weight * kept + (1 - kept);
    this.#profitMsat = this.#profitMsat * kept + (1 - kept) * (revenueMsat - costsMsat) / hours;
    this.#nodeHours = this.#nodeHours * kept + (1 - kept) * nodeUs / lengthUs;
  }

  /** Profit of the whole class per hour, msat, and its mean number of nodes; NaN before anything was observed. */
  get perHourMsat(): number {
    return this.#profitMsat / this.#weight;
  }

  get meanNodes(): number {
    return this.#nodeHours / this.#weight;
  }

  /**
   * What a node expects to earn per hour, msat, were it one of `nodes`: what the class takes in beyond its nodes' fixed
   * costs is shared among them, less the node's own fixed costs. Demand is taken as given: a further node gets its share
   * of it, and brings none along.
   * @param fixedMsat what a node costs per hour while it serves nothing
   */
  expectedMsat(nodes: number, fixedMsat: number): number {
    return (this.perHourMsat + fixedMsat * this.meanNodes) / nodes - fixedMsat;
  }
}

/** Where an operator stands. */
export const OUT = 0;
export const JOINING = 1;
export const IN = 2;
export const LEAVING = 3;

/**
 * Free entry and exit of one class of operators. Each compares what it expects to earn with its outside option: it decides
 * to join where that is more, and to leave where it is less. Knows no clock: whoever drives it says when an operator thinks,
 * and when it has come or gone.
 */
export class EntryMarket {
  readonly observed: ObservedProfit;
  /** Decisions so far. */
  joins = 0;
  leaves = 0;
  readonly #states: Uint8Array;
  /** msat per hour, operator by operator. */
  readonly #outsideMsat: Float64Array;
  readonly #announced: boolean;
  readonly #counts = [0, 0, 0, 0];

  /**
   * @param present nodes that are there at the start: the first ones
   * @param announced whether operators know who is about to join or leave
   */
  constructor(outsideMsat: Float64Array, present: number, memoryUs: number, announced: boolean) {
    this.observed = new ObservedProfit(memoryUs);
    this.#outsideMsat = outsideMsat;
    this.#announced = announced;
    this.#states = new Uint8Array(outsideMsat.length).fill(IN, 0, present);
    this.#counts[IN] = present;
    this.#counts[OUT] = outsideMsat.length - present;
  }

  state(operator: number): number {
    return this.#states[operator]!;
  }

  /** Operators that are there, those about to leave included. */
  get present(): number {
    return this.#counts[IN]! + this.#counts[LEAVING]!;
  }

  /**
   * The operator thinks it over.
   * @param fixedMsat what a node costs per hour while it serves nothing
   * @param outsideFactor what the outside option is worth now, relative to the start
   * @returns whether it changes its mind: it is joining or leaving now
   */
  thinks(operator: number, fixedMsat: number, outsideFactor = 1): boolean {
    const state = this.#states[operator]!;
    if (state !== OUT && state !== IN) return false;
    const outsideMsat = this.#outsideMsat[operator]! * outsideFactor;
    const others = this.#announced ? this.#counts[IN]! + this.#counts[JOINING]! : this.present;
    if (state === OUT) {
      // Where nobody has tried, or not for long, somebody does.
      const joins = this.observed.known ? this.observed.expectedMsat(others + 1, fixedMsat) > outsideMsat : this.present + this.#counts[JOINING]! === 0;
      if (joins) this.#move(operator, JOINING);
      if (joins) this.joins++;
      return joins;
    }
    const leaves = this.observed.known && this.observed.expectedMsat(others, fixedMsat) < outsideMsat;
    if (leaves) this.#move(operator, LEAVING);
    if (leaves) this.leaves++;
    return leaves;
  }

  /** The operator's node is there now. */
  joined(operator: number): void {
    this.#move(operator, IN);
  }

  /** It is gone. */
  left(operator: number): void {
    this.#move(operator, OUT);
  }

  #move(operator: number, to: number): void {
    const from = this.#states[operator]!;
    if ((from + 1) % 4 !== to) throw new Error(`operator ${operator} cannot go from state ${from} to ${to}`);
    this.#counts[from] = this.#counts[from]! - 1;
    this.#counts[to] = this.#counts[to]! + 1;
    this.#states[operator] = to;
  }
}
