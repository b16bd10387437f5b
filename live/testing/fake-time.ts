import type { Clock } from "../clock.ts";
import type { Alarm } from "../timers.ts";

/** A clock that stands still until it is told to go on, with an alarm that goes by it. */
export class FakeTime implements Clock, Alarm {
  nowUs = 0;
  #wakeUs = Infinity;
  #wake: () => void = () => {};
  /** How often the alarm was set. */
  alarms = 0;

  get unixS(): number {
    return 1_700_000_000 + Math.floor(this.nowUs / 1_000_000);
  }

  set(delayMs: number, wake: () => void): void {
    this.alarms++;
    this.#wakeUs = this.nowUs + delayMs * 1_000;
    this.#wake = wake;
  }

  clear(): void {
    this.#wakeUs = Infinity;
  }

  /** Lets so much time pass, µs, with alarms at their time. */
  pass(us: number): void {
    const untilUs = this.nowUs + us;
    while (this.#wakeUs <= untilUs) {
      this.nowUs = Math.max(this.nowUs, this.#wakeUs);
      this.#wakeUs = Infinity;
      this.#wake();
    }
    this.nowUs = untilUs;
  }
}
