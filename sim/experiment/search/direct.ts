import direct from "ml-direct";

type State = ReturnType<typeof direct>["finalState"];

/**
 * The DIRECT algorithm (D. R. Jones, C. D. Perttunen and B. E. Stuckman, "Lipschitzian optimization without the Lipschitz
 * constant", Journal of Optimization Theory and Applications 79, 1993) asked step by step: it divides the box where a good
 * value or much unknown is, draws nothing at random, and needs neither slopes nor a starting point.
 *
 * The library minimises by calling a function. Within one of its iterations, where it asks does not depend on what it is
 * told there; so an iteration is walked through once to hear the points, and once more with their values.
 */
export class Direct {
  readonly #dimensions: number;
  #state: State | null = null;
  #asked: Float64Array[] = [];

  /** @param dimensions of the unit box, 1 or more */
  constructor(dimensions: number) {
    this.#dimensions = dimensions;
  }

  /** Points of the unit box whose values are wanted next; they do not depend on each other. */
  ask(): readonly Float64Array[] {
    const asked: Float64Array[] = [];
    this.#walk((point) => {
      asked.push(Float64Array.from(point));
      return 0;
    });
    // The library computes the middle of the box again whenever it goes on.
    this.#asked = this.#state === null ? asked : asked.slice(1);
    return this.#asked;
  }

  /** @param values of the points last asked for, to be minimised; finite */
  tell(values: readonly number[]): void {
    let next = this.#state === null ? 0 : -1;
    this.#state = this.#walk(() => {
      const value = next < 0 ? this.#state.functionValues[0] as number : values[next]!;
      next++;
      return value;
    });
  }

  #walk(value: (point: ArrayLike<number>) => number): State {
    const zeros = Array.from({ length: this.#dimensions }, () => 0);
    const options = this.#state === null ? { iterations: 0 } : { iterations: 1, initialState: structuredClone(this.#state) as State };
    return direct(value, zeros, zeros.map(() => 1), options).finalState;
  }
}
