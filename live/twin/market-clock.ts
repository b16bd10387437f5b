/**
 * The time of a market whose play has intermissions: it stands still in them. What the market does meanwhile, heartbeats and
 * nothing else, happens in no time.
 */
export class MarketClock {
  /** In order of time, µs of real time since the market's start. */
  readonly #intermissions: { readonly fromUs: number; readonly untilUs: number }[] = [];

  /** What time it is in the market at this real time; both µs since the market's start. */
  at(realUs: number): number {
    return this.#intermissions.reduce((us, { fromUs, untilUs }) => us - Math.max(0, Math.min(realUs, untilUs) - fromUs), realUs);
  }

  /**
   * Stops the clock at a time and says when it runs on, so that an act begins when it should in the market's time, or at once where
   * that time had passed already when the clock stopped.
   * @param stoppedUs real time when the act before was over: later than every intermission before it.
   * @param beginUs of the next act, in the market's time.
   * @param readyUs real time from which it can be played.
   * @returns real time at which it begins.
   */
  resume(stoppedUs: number, beginUs: number, readyUs: number): number {
    const restUs = Math.max(0, beginUs - this.at(stoppedUs));
    const atUs = Math.max(readyUs, stoppedUs + restUs);
    this.#intermissions.push({ fromUs: stoppedUs, untilUs: atUs - restUs });
    return atUs;
  }
}
