import seedrandom from "seedrandom";

/** A stream of random numbers. */
export interface Random {
  /** Uniform on [0, 1), in steps of 2^-32. */
  next(): number;
}

/**
 * Named random streams. Each is keyed by (seed, subsystem, entity, purpose) and depends on nothing else: not on which
 * other streams exist, nor on how much was drawn from them. So two arms of an experiment that differ in one policy
 * meet the same arrivals, lengths and failures (common random numbers; Law, Simulation Modeling and Analysis, 11.2),
 * and adding an entity leaves all others as they were.
 *
 * The generator is Alea (J. Baagoe) of the library seedrandom, seeded with the key's text; it costs about 2 us to make
 * one, so thousands are fine. Nothing is cached: the same name gives the same numbers from the start.
 */
export class RandomStreams {
  readonly #prefix: string;

  /** @param seed any number or text; 1 and "1" are the same seed. */
  constructor(seed: number | string) {
    this.#prefix = part(String(seed));
  }

  /** A fresh stream at its beginning. `purpose` tells the entity's own streams apart, as in ("client", "chat", "arrivals"). */
  stream(subsystem: string, entity: string, purpose: string): Random {
    const next = seedrandom.alea(`${this.#prefix}/${part(subsystem)}/${part(entity)}/${part(purpose)}`);
    return { next };
  }
}

/** Escapes the separator, so that ("a/b", "c") and ("a", "b/c") are different streams. */
function part(name: string): string {
  return name.includes("/") || name.includes("~") ? name.replaceAll("~", "~0").replaceAll("/", "~1") : name;
}
