import type { RunCommand } from "./command.ts";

/** What rocm-smi says of a card; null where it does not. */
export interface RocmGpu {
  readonly name: string;
  readonly memoryBytes: number | null;
  readonly memoryUsedBytes: number | null;
  /** 0 to 1. */
  readonly busyShare: number | null;
}

/** The cards that rocm-smi lists; empty where there is no rocm-smi. */
export async function rocmGpus(run: RunCommand): Promise<RocmGpu[]> {
  const text = await run("rocm-smi", ["--showproductname", "--showmeminfo", "vram", "--showuse", "--json"]);
  return text === null ? [] : parseRocm(text);
}

/** Of `rocm-smi --json`: an object with a member for each card, whose values are texts. The names of members changed between versions. */
export function parseRocm(text: string): RocmGpu[] {
  let cards: unknown;
  try {
    // Warnings may stand before it.
    cards = JSON.parse(text.slice(Math.max(0, text.indexOf("{"))));
  } catch {
    return [];
  }
  if (cards === null || typeof cards !== "object") return [];
  return Object.entries(cards).filter(([key]) => /^card\d+$/.test(key)).sort(([a], [b]) => Number(a.slice(4)) - Number(b.slice(4))).map(([key, value]) => {
    const fields = Object.entries((value ?? {}) as Record<string, unknown>);
    const find = (pattern: RegExp): string | null => {
      const found = fields.find(([name]) => pattern.test(name))?.[1];
      return found === undefined || found === null ? null : String(found);
    };
    const number = (pattern: RegExp): number | null => {
      const found = find(pattern);
      return found === null || !/^\d+(\.\d+)?$/.test(found.trim()) ? null : Number(found);
    };
    const busy = number(/^GPU use \(%\)$/i);
    return {
      name: find(/^Card series$/i) ?? find(/^Card model$/i) ?? `AMD ${key}`,
      memoryBytes: number(/^VRAM Total Memory \(B\)$/i), memoryUsedBytes: number(/^VRAM Total Used Memory \(B\)$/i), busyShare: busy === null ? null : busy / 100,
    };
  });
}
