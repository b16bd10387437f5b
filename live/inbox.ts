/**
 * Hands things to a participant one at a time, in the order in which they came, and never within its own call: what
 * comes while it acts waits until it has done.
 */
export class Inbox {
  readonly #onFault: (error: unknown) => void;
  #waiting: (() => void)[] = [];
  #busy = false;
  #closed = false;

  /** @param onFault told of what a participant throws: a fault of the program. What comes next is handed over all the same. */
  constructor(onFault: (error: unknown) => void) {
    this.#onFault = onFault;
  }

  /** Things that wait. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Does this now, or once all that came before it is done. */
  put(task: () => void): void {
    if (this.#closed) return;
    if (this.#busy) {
      this.#waiting.push(task);
      return;
    }
    this.#busy = true;
    try {
      this.#do(task);
      while (this.#waiting.length > 0) {
        const round = this.#waiting;
        this.#waiting = [];
        for (const next of round) this.#do(next);
      }
    } finally {
      this.#busy = false;
    }
  }

  /** Hands over nothing any more, and forgets what waits. */
  close(): void {
    this.#closed = true;
    this.#waiting = [];
  }

  #do(task: () => void): void {
    if (this.#closed) return;
    try {
      task();
    } catch (error) {
      this.#onFault(error);
    }
  }
}
