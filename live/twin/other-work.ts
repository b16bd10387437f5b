import { readFileSync } from "node:fs";

/** Clock ticks a second in /proc: USER_HZ, 100 on every Linux that Node.js runs on. */
const TICKS_PER_S = 100;

/**
 * How many cores others than this process and those it started (and that have ended) were using, from its making on. Linux
 * tells; elsewhere nobody does.
 */
export class OtherWork {
  readonly #fromMs = performance.now();
  readonly #from = reading();

  /** Mean number of cores until now; null where the system does not say. */
  cores(): number | null {
    const now = reading();
    if (now === null || this.#from === null) return null;
    const elapsedS = (performance.now() - this.#fromMs) / 1_000;
    const ticks = now.busy - this.#from.busy - (now.own - this.#from.own);
    return elapsedS > 0 ? Math.max(0, ticks / TICKS_PER_S / elapsedS) : null;
  }
}

function reading(): { readonly busy: number; readonly own: number } | null {
  try {
    const [, user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = readFileSync("/proc/stat", "utf8").split("\n")[0]!.split(/\s+/).map(Number);
    // The name, in brackets, may hold anything; fields are counted from behind it.
    const stat = readFileSync("/proc/self/stat", "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ").map(Number);
    return { busy: user + nice + system + irq + softirq + steal, own: fields[11]! + fields[12]! + fields[13]! + fields[14]! };
  } catch {
    return null;
  }
}
