/** Last three digits of a number that has more. */
const THREE_DIGITS = Array.from({ length: 1_000 }, (_, number) => String(number).padStart(3, "0"));

/**
 * Names that end in a running number, made without turning the whole number into text: all but its last three digits are
 * those of the name before.
 */
export class CountedNames {
  readonly #head: string;
  /** The number that comes next. */
  #number: number;
  /** The head and all but the last three digits. */
  #stem: string;

  /** @param head what every name begins with. @param first the first number, an integer from 0. */
  constructor(head: string, first: number) {
    this.#head = head;
    this.#number = first;
    this.#stem = this.#stemOf(first);
  }

  next(): string {
    const number = this.#number++;
    if (number < 1_000) return this.#head + String(number);
    const rest = number % 1_000;
    if (rest === 0) this.#stem = this.#stemOf(number);
    return this.#stem + THREE_DIGITS[rest]!;
  }

  #stemOf(number: number): string {
    return this.#head + String(Math.floor(number / 1_000));
  }
}
