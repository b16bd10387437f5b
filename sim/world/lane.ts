/** Timers of one length in the order in which they were set, which is that in which they fall due: a ring of typed arrays. */
export class Lane {
  readonly index: number;
  /** Length of its timers, µs. */
  readonly delayUs: number;
  /** Whether the kernel has an event pending for this lane. It may come too early, never too late. */
  armed = false;
  size = 0;
  #dueUs = new Float64Array(64);
  #slots = new Int32Array(64);
  #generations = new Int32Array(64);
  #head = 0;

  constructor(index: number, delayUs: number) {
    this.index = index;
    this.delayUs = delayUs;
  }

  /** When the first timer is due, µs. */
  get headUs(): number {
    return this.#dueUs[this.#head]!;
  }

  /** @param dueUs not before that of any timer here. */
  add(dueUs: number, slot: number, generation: number): void {
    if (this.size === this.#slots.length) this.#grow();
    const at = (this.#head + this.size) & (this.#slots.length - 1);
    this.#dueUs[at] = dueUs;
    this.#slots[at] = slot;
    this.#generations[at] = generation;
    this.size++;
  }

  /** Takes the first timer out. @returns its slot. */
  shift(): number {
    const slot = this.#slots[this.#head]!;
    this.#head = (this.#head + 1) & (this.#slots.length - 1);
    this.size--;
    return slot;
  }

  /** Forgets timers at the front that were called off: their slot has another generation by now. */
  dropDead(generations: Int32Array): void {
    while (this.size > 0 && generations[this.#slots[this.#head]!] !== this.#generations[this.#head]) this.shift();
  }

  #grow(): void {
    const length = this.#slots.length;
    const dueUs = new Float64Array(length * 2);
    const slots = new Int32Array(length * 2);
    const generations = new Int32Array(length * 2);
    for (let i = 0; i < this.size; i++) {
      const at = (this.#head + i) & (length - 1);
      dueUs[i] = this.#dueUs[at]!;
      slots[i] = this.#slots[at]!;
      generations[i] = this.#generations[at]!;
    }
    this.#dueUs = dueUs;
    this.#slots = slots;
    this.#generations = generations;
    this.#head = 0;
  }
}
