import { EXIT } from "./errors.ts";

export type Interruption = "SIGINT" | "SIGTERM";

/** The exit code of a command that a signal cut short. */
export const interruptedExit = (signal: Interruption): number => (signal === "SIGINT" ? EXIT.sigint : EXIT.sigterm);

/**
 * Takes note of the signals that ask the process to stop, from its making until `ignoreNoMore`. Further signals change
 * nothing: one Ctrl-C may arrive twice, from the terminal and from npm, and the second must not end the process while it
 * writes what was played.
 */
export class Interruptions {
  /** The first signal; null: none so far. Changes only when the event loop turns. */
  signal: Interruption | null = null;
  readonly #controller = new AbortController();
  readonly #note = (signal: NodeJS.Signals): void => {
    this.signal ??= signal as Interruption;
    this.#controller.abort();
  };

  constructor() {
    process.on("SIGINT", this.#note);
    process.on("SIGTERM", this.#note);
  }

  /** Aborted with the first signal, for whoever takes one of these. */
  get aborted(): AbortSignal {
    return this.#controller.signal;
  }

  /** From now on signals end the process as they do by default. */
  ignoreNoMore(): void {
    process.off("SIGINT", this.#note);
    process.off("SIGTERM", this.#note);
  }
}
