import type { JobDesk } from "./job-desk.ts";

/** How a runner tells of its engine, and when it looks for it again. */
export interface ComebackOptions {
  /** Told when the engine is lost, with what happened, when it is back, and when it fails a job for another reason than the job's own. */
  readonly onEngine?: ((state: "lost" | "back" | "failed", detail: string) => void) | undefined;
  /** Pause before a lost engine is tried again, ms; doubled with each failure in a row, up to the second. Default 500, 30,000. */
  readonly restartMs?: number | undefined;
  readonly restartMsMax?: number | undefined;
}

/** An engine that has held for so long is sound again. */
const SOUND_MS = 60_000;

/**
 * What becomes of a desk whose engine is lost: nothing begins until it is back. Jobs that wait go on then; if the first try
 * to bring it back fails, they fail (`runner-failed`), as do all that come until one succeeds.
 */
export class Comeback {
  readonly #desk: Pick<JobDesk, "pause" | "resume" | "down">;
  readonly #options: ComebackOptions;
  readonly #revive: () => Promise<string>;
  #timer: NodeJS.Timeout | null = null;
  #trying = false;
  #failures = 0;
  #sinceMs = -Infinity;
  #stopped = true;

  /** @param revive brings the engine back, and says in words what it is; rejects where it cannot be had. */
  constructor(desk: Pick<JobDesk, "pause" | "resume" | "down">, options: ComebackOptions, revive: () => Promise<string>) {
    this.#desk = desk;
    this.#options = options;
    this.#revive = revive;
  }

  /** The engine is there. */
  start(): void {
    this.#stopped = false;
    this.#sinceMs = performance.now();
  }

  /** Nothing is tried or told from now on. */
  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** The engine is gone. */
  lost(detail: string): void {
    if (this.#stopped) return;
    this.#desk.pause();
    if (performance.now() - this.#sinceMs > SOUND_MS) this.#failures = 0;
    this.#options.onEngine?.("lost", detail);
    this.#later();
  }

  /** The engine may be gone: nothing begins before it has answered, and nothing is told if it does at once. */
  doubt(): void {
    if (this.#stopped || this.#trying || this.#timer !== null) return;
    this.#desk.pause();
    this.#trying = true;
    this.#revive().then(() => {
      this.#trying = false;
      if (!this.#stopped) this.#desk.resume();
    }, (error: unknown) => {
      this.#trying = false;
      this.lost((error as Error).message);
    });
  }

  #later(): void {
    const { restartMs = 500, restartMsMax = 30_000 } = this.#options;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      void this.#try();
    }, Math.min(restartMsMax, restartMs * 2 ** this.#failures++));
  }

  async #try(): Promise<void> {
    this.#trying = true;
    try {
      const engine = await this.#revive();
      if (this.#stopped) return;
      this.#sinceMs = performance.now();
      this.#desk.down = false;
      this.#options.onEngine?.("back", engine);
      this.#desk.resume();
    } catch (error) {
      if (this.#stopped) return;
      this.#desk.down = true;
      this.#options.onEngine?.("lost", (error as Error).message);
      this.#later();
    } finally {
      this.#trying = false;
    }
  }
}
