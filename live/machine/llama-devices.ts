import { fileURLToPath } from "node:url";
import type { RunCommand } from "./command.ts";

const probe = fileURLToPath(new URL(`./llama-probe.${import.meta.url.endsWith(".ts") ? "ts" : "js"}`, import.meta.url));

/** What llama.cpp, as it is installed here, computes on. */
export interface LlamaDevices {
  /** Version of node-llama-cpp. */
  readonly package: string;
  /** Build of llama.cpp. */
  readonly release: string;
  /** cuda, vulkan or metal; null: the processor alone. */
  readonly backend: string | null;
  readonly devices: readonly string[];
  /** Of all devices together; null without any. */
  readonly memoryBytes: number | null;
  /** Part of it that is the machine's own memory. */
  readonly unifiedBytes: number | null;
}

/** null where node-llama-cpp is not installed, or does not start. */
export async function llamaDevices(run: RunCommand): Promise<LlamaDevices | null> {
  const text = await run(process.execPath, [probe], 30_000);
  const line = text?.split("\n").findLast((one) => one.startsWith("{"));
  if (line === undefined) return null;
  return JSON.parse(line) as LlamaDevices;
}
