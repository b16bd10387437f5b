/** Handle of an order that rests in a book. */
export type OrderId = number;

/** Called for each trade: whose order rested, whose came in, how many units at which price. */
export type OnTrade = (restingOwner: number, incomingOwner: number, units: number, price: number) => void;

const BUY = 0;
const SELL = 1;

/**
 * A continuous double auction for units of capacity: an order that comes in trades at once with the best orders of the
 * other side, at their prices; what is left of a limit order rests, what is left of a market order is void.
 * Price-time priority: better prices first, of equal prices the older order.
 *
 * Individually rational (nobody trades beyond the own limit) and budget balanced (one price per trade). Not truthful: who
 * comes in could have asked for a little less than the best order offers; who rests is paid the own limit. The book is
 * never crossed: the best bid is below the best ask.
 *
 * Two binary heaps over flat arrays: O(log n) an order; a cancelled order is dropped when it comes up.
 */
export class OrderBook {
  readonly #onTrade: OnTrade;
  #price = new Float64Array(64);
  #units = new Float64Array(64);
  #owner = new Int32Array(64);
  /** Grows with every order: the older of two orders has the lower number. */
  #time = new Float64Array(64);
  readonly #free: number[] = [];
  #orders = 0;
  #clock = 0;
  readonly #heaps: readonly [number[], number[]] = [[], []];

  constructor(onTrade: OnTrade) {
    this.#onTrade = onTrade;
  }

  /** Highest price that a resting buyer pays; -Infinity where there is none. */
  get bestBid(): number {
    const order = this.#best(BUY);
    return order < 0 ? -Infinity : this.#price[order]!;
  }

  /** Lowest price that a resting seller takes; Infinity where there is none. */
  get bestAsk(): number {
    const order = this.#best(SELL);
    return order < 0 ? Infinity : this.#price[order]!;
  }

  /** Units resting on a side. */
  depth(side: "buy" | "sell"): number {
    let units = 0;
    for (const order of this.#heaps[side === "buy" ? BUY : SELL]) units += this.#units[order]!;
    return units;
  }

  /**
   * An order comes in.
   * @param owner whose it is, for the trades: an integer.
   * @param units how many, at least 1.
   * @param limit the worst price that it takes; a market order has Infinity (buy) or -Infinity (sell).
   * @returns handle of what rests of it; -1 where nothing does.
   */
  submit(side: "buy" | "sell", owner: number, units: number, limit: number): OrderId {
    const own = side === "buy" ? BUY : SELL;
    const other = own === BUY ? SELL : BUY;
    let left = units;
    for (let resting = this.#best(other); left > 0 && resting >= 0; resting = this.#best(other)) {
      const price = this.#price[resting]!;
      if (own === BUY ? price > limit : price < limit) break;
      const traded = Math.min(left, this.#units[resting]!);
      left -= traded;
      this.#units[resting] = this.#units[resting]! - traded;
      this.#onTrade(this.#owner[resting]!, owner, traded, price);
    }
    if (left === 0 || limit === Infinity || limit === -Infinity) return -1;
    return this.#rest(own, owner, left, limit);
  }

  /** Takes out what is left of a resting order. False where nothing is. */
  cancel(id: OrderId): boolean {
    const slot = id % SLOTS;
    if (id < 0 || slot >= this.#orders || this.#time[slot] !== Math.floor(id / SLOTS) || this.#units[slot] === 0) return false;
    this.#units[slot] = 0;
    return true;
  }

  #rest(side: 0 | 1, owner: number, units: number, price: number): OrderId {
    const slot = this.#free.pop() ?? this.#grow();
    const time = this.#clock++;
    this.#price[slot] = price;
    this.#units[slot] = units;
    this.#owner[slot] = owner;
    this.#time[slot] = time;
    const heap = this.#heaps[side];
    let at = heap.length;
    heap.push(slot);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#before(side, slot, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = slot;
    return time * SLOTS + slot;
  }

  /** The best order with units left, or -1; what has none left is dropped on the way. */
  #best(side: 0 | 1): number {
    const heap = this.#heaps[side];
    while (heap.length > 0) {
      const top = heap[0]!;
      if (this.#units[top]! > 0) return top;
      this.#time[top] = -1;
      this.#free.push(top);
      const last = heap.pop()!;
      if (heap.length > 0) this.#sink(side, heap, last);
    }
    return -1;
  }

  #sink(side: 0 | 1, heap: number[], slot: number): void {
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && this.#before(side, heap[child + 1]!, heap[child]!)) child++;
      if (!this.#before(side, heap[child]!, slot)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = slot;
  }

  #before(side: 0 | 1, a: number, b: number): boolean {
    const priceA = this.#price[a]!;
    const priceB = this.#price[b]!;
    if (priceA !== priceB) return side === BUY ? priceA > priceB : priceA < priceB;
    return this.#time[a]! < this.#time[b]!;
  }

  #grow(): number {
    const slot = this.#orders++;
    if (slot === SLOTS) throw new Error(`more than ${SLOTS} orders rest in one book`);
    if (slot === this.#price.length) {
      const wider = (old: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> => { const a = new Float64Array(slot * 2); a.set(old); return a; };
      this.#price = wider(this.#price);
      this.#units = wider(this.#units);
      this.#time = wider(this.#time);
      const owner = new Int32Array(slot * 2);
      owner.set(this.#owner);
      this.#owner = owner;
    }
    return slot;
  }
}

/** Slots of an order's handle; the rest of it says which order of the slot is meant. */
const SLOTS = 2 ** 20;
