/** In a process of its own: asks llama.cpp for its devices and prints them as JSON. A driver that crashes takes only this down. */
import { readFileSync } from "node:fs";
import type * as LlamaModule from "node-llama-cpp";

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.resolve("node-llama-cpp")), "utf8")) as { version: string };
const { getLlama } = await import("node-llama-cpp") as typeof LlamaModule;
const llama = await getLlama({ gpu: "auto", build: "never", skipDownload: true, progressLogs: false, logLevel: "error" as LlamaModule.LlamaLogLevel });
const memory = llama.gpu === false ? null : await llama.getVramState();
process.stdout.write(`\n${JSON.stringify({
  package: version, release: llama.llamaCppRelease.release, backend: llama.gpu === false ? null : llama.gpu, devices: await llama.getGpuDeviceNames(),
  memoryBytes: memory?.total ?? null, unifiedBytes: memory?.unifiedSize ?? null,
})}\n`);
await llama.dispose();
