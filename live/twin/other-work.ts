import { readdirSync, readFileSync } from "node:fs";

/** Clock ticks a second in /proc: USER_HZ, 100 on every Linux that Node.js runs on. */
const TICKS_PER_S = 100;

/**
 * How many cores others than this process and its descendants were using, from its making on. Linux tells; elsewhere
 * nobody does.
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

/** How many cores others used over several stretches of time, on average; null where that is not known of one. */
export function meanCores(stretches: readonly { readonly tookUs: number; readonly othersCores: number | null }[]): number | null {
  let coreUs = 0;
  let allUs = 0;
  for (const { tookUs, othersCores } of stretches) {
    if (othersCores === null) return null;
    coreUs += othersCores * tookUs;
    allUs += tookUs;
  }
  return coreUs / Math.max(1, allUs);
}

/** Ticks since the system's start: of all processes, and of the own ones with their ended children. */
function reading(): { readonly busy: number; readonly own: number } | null {
  try {
    const [, user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = readFileSync("/proc/stat", "utf8").split("\n")[0]!.split(/\s+/).map(Number);
    const processes = new Map<number, ProcessStat>();
    for (const name of readdirSync("/proc")) {
      const stat = /^[0-9]+$/.test(name) ? statOf(name) : null;
      if (stat !== null) processes.set(Number(name), stat);
    }
    return { busy: user + nice + system + irq + softirq + steal, own: ticksOfFamily(process.pid, processes) };
  } catch {
    return null;
  }
}

/** A process's parent, and the ticks that it and its ended children used. */
export interface ProcessStat {
  readonly parent: number;
  readonly ticks: number;
}

/** What a process and all its descendants used, in ticks. @param processes by process ID */
export function ticksOfFamily(root: number, processes: ReadonlyMap<number, ProcessStat>): number {
  const belongs = (pid: number): boolean => {
    for (let at = pid; at !== root; ) {
      const stat = processes.get(at);
      if (stat === undefined || stat.parent === at) return false;
      at = stat.parent;
    }
    return true;
  };
  let ticks = 0;
  for (const [pid, stat] of processes) if (belongs(pid)) ticks += stat.ticks;
  return ticks;
}

/** Null: it has ended meanwhile. */
function statOf(pid: string): ProcessStat | null {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return null;
  }
  // The name, in brackets, may hold anything; fields are counted from behind it.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ").map(Number);
  return { parent: fields[1]!, ticks: fields[11]! + fields[12]! + fields[13]! + fields[14]! };
}
