import type { RunCommand } from "./command.ts";

/** What nvidia-smi says of a card; null where it says "[N/A]" or the like. */
export interface NvidiaGpu {
  readonly name: string;
  readonly memoryBytes: number | null;
  readonly memoryUsedBytes: number | null;
  /** Share of the last sample period in which a kernel ran, 0 to 1. */
  readonly busyShare: number | null;
  readonly driver: string | null;
  readonly powerWatts: number | null;
  readonly powerLimitWatts: number | null;
}

const FIELDS = ["name", "memory.total", "memory.used", "utilization.gpu", "driver_version", "power.draw", "power.limit"];
const MIB = 2 ** 20;

/** The cards that nvidia-smi lists; empty where there is no nvidia-smi. */
export async function nvidiaGpus(run: RunCommand): Promise<NvidiaGpu[]> {
  const text = await run("nvidia-smi", [`--query-gpu=${FIELDS.join(",")}`, "--format=csv,noheader,nounits"]);
  return text === null ? [] : parseNvidia(text);
}

/** Of `nvidia-smi --query-gpu=... --format=csv,noheader,nounits`: a line for each card, values between commas. */
export function parseNvidia(text: string): NvidiaGpu[] {
  return text.split(/\r?\n/).flatMap((line) => {
    const cells = line.split(",").map((cell) => cell.trim());
    if (cells.length !== FIELDS.length || cells[0] === "") return [];
    const number = (i: number): number | null => /^-?\d+(\.\d+)?$/.test(cells[i]!) ? Number(cells[i]) : null;
    const scaled = (value: number | null, factor: number): number | null => value === null ? null : value * factor;
    return [{
      name: cells[0]!, memoryBytes: scaled(number(1), MIB), memoryUsedBytes: scaled(number(2), MIB), busyShare: scaled(number(3), 0.01),
      driver: /^\d/.test(cells[4]!) ? cells[4]! : null, powerWatts: number(5), powerLimitWatts: number(6),
    }];
  });
}
