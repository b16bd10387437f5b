/** Keeps a label's values few: the first ones are themselves, all that come after are `other`. */
export class Bounded {
  readonly #most: number;
  readonly #values = new Set<string>();

  /** @param most values that are told apart. */
  constructor(most = 32) {
    this.#most = most;
  }

  of(value: string): string {
    if (this.#values.has(value)) return value;
    if (this.#values.size >= this.#most || !/^[a-z0-9-]{1,40}$/.test(value)) return "other";
    this.#values.add(value);
    return value;
  }
}
