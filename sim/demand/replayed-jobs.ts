import type { Distribution } from "../kernel/distributions/index.ts";
import type { Random } from "../kernel/random.ts";
import type { JobSource } from "./job-source.ts";
import { tokenCount } from "./token-count.ts";
import { TraceError } from "./trace/trace-error.ts";
import type { TraceReader } from "./trace/trace-reader.ts";

/** A length that is drawn instead of taken from the trace. */
export interface DrawnLength {
  readonly distribution: Distribution;
  readonly random: Random;
}

/** A trace's jobs at its own times, stretched by a factor. */
export class ReplayedJobs implements JobSource {
  timeUs = 0;
  inputTokens = 1;
  outputTokens = 1;
  readonly #trace: TraceReader;
  readonly #timeScale: number;
  readonly #input: DrawnLength | null;
  readonly #output: DrawnLength | null;

  /**
   * @param timeScale gaps are multiplied by it; positive
   * @param input null: as in the trace
   * @param output null: as in the trace
   * @throws TraceError where the trace has no times
   */
  constructor(trace: TraceReader, timeScale: number, input: DrawnLength | null, output: DrawnLength | null) {
    if (!trace.hasTimes) {
      trace.close();
      throw new TraceError(trace.file, 1, "the trace has no arrival times, only lengths: there is nothing to replay");
    }
    this.#trace = trace;
    this.#timeScale = timeScale;
    this.#input = input;
    this.#output = output;
  }

  next(): boolean {
    const trace = this.#trace;
    if (!trace.next()) return false;
    this.timeUs = Math.round(trace.timeUs * this.#timeScale);
    this.inputTokens = this.#input === null ? trace.inputTokens : tokenCount(this.#input.distribution.sample(this.#input.random));
    this.outputTokens = this.#output === null ? trace.outputTokens : tokenCount(this.#output.distribution.sample(this.#output.random));
    return true;
  }

  close(): void {
    this.#trace.close();
  }
}
