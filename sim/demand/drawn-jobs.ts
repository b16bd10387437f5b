import type { ArrivalProcess } from "./arrivals/arrival-process.ts";
import type { JobSource } from "./job-source.ts";
import type { LengthSource } from "./lengths.ts";

/** Jobs whose times and lengths are drawn. */
export class DrawnJobs implements JobSource {
  timeUs = 0;
  inputTokens = 1;
  outputTokens = 1;
  readonly #arrivals: ArrivalProcess;
  readonly #lengths: LengthSource;

  constructor(arrivals: ArrivalProcess, lengths: LengthSource) {
    this.#arrivals = arrivals;
    this.#lengths = lengths;
  }

  next(): boolean {
    this.timeUs = this.#arrivals.nextUs();
    if (this.timeUs === Infinity) return false;
    const { inputTokens, outputTokens } = this.#lengths.next();
    this.inputTokens = inputTokens;
    this.outputTokens = outputTokens;
    return true;
  }

  close(): void {}
}
