/**
 * Jobs in order of their arrival. `next` goes to the next one, whose time and lengths the fields then hold; nothing is
 * allocated per job.
 */
export interface JobSource {
  /** False when there are no more jobs; the fields then mean nothing. */
  next(): boolean;
  /** Arrival in µs from the start, an integer that never goes back. */
  readonly timeUs: number;
  /** At least 1. */
  readonly inputTokens: number;
  /** True output length, not yet cut by the client's limit; at least 1. */
  readonly outputTokens: number;
  /** Gives files back before the end; again is harmless. */
  close(): void;
}
