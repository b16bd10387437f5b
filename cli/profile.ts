import { existsSync, statSync } from "node:fs";
import { loadavg } from "node:os";
import type { Command } from "commander";
import { type MachineFacts, machineFacts } from "../live/machine/facts.ts";
import { formatNumber, formatSignificant } from "../protocol/units.ts";
import { couldServe, type ServingDevice } from "../sim/profile/could-serve.ts";
import { UserError } from "./errors.ts";
import { filePath } from "./options.ts";
import { plainTable } from "./table.ts";
import { version } from "./version.ts";

interface ProfileFlags {
  readonly disk?: string;
  readonly bandwidth: boolean;
  readonly json?: boolean;
}

/** Adds `profile`. */
export const registerProfile = (program: Command): void => {
  program
    .command("profile")
    .description("Says what this machine is (processors, memory and its measured bandwidth, graphics processors, disk), and what it could serve.")
    .option("--disk <folder>", "also measures how fast that folder's disk is read: writes, reads and removes 128 MiB there", filePath)
    .option("--no-bandwidth", "without measuring the memory")
    .option("--json", "print everything as JSON")
    .addHelpText("after", `
Examples:
  $ infernet profile
  $ infernet profile --disk ~/models --json

What a model does here, in fact, is measured by infernet bench.
`)
    .action(profileCommand);
};

const profileCommand = async ({ disk, bandwidth, json }: ProfileFlags): Promise<void> => {
  if (disk !== undefined && !(existsSync(disk) && statSync(disk).isDirectory())) throw new UserError(`--disk: ${disk} is no folder.`);
  const facts = await machineFacts({ folder: disk ?? ".", measureDisk: disk !== undefined, ...(bandwidth ? {} : { bandwidthMs: 0 }) });
  const { machine, threads, clockHz } = facts;
  const devices = couldServe({
    cpu: { model: machine.cpu?.model ?? "processor", cores: machine.cpu?.cores ?? threads, clockHz, vector: machine.cpu?.vector ?? null },
    memoryBytes: machine.memory!.bytes, bandwidthBytesPerS: machine.memory!.bandwidthBytesPerS, gpus: machine.gpus,
  });
  const [busy = 0] = loadavg();
  if (json === true) process.stdout.write(`${JSON.stringify({ lab: version, date: new Date().toISOString().replace(/\.\d+Z$/, "Z"), threadsBusyLastMinute: busy, ...facts, couldServe: devices }, null, 2)}\n`);
  else process.stdout.write(`${profileSummary(facts, busy)}\n${devices.map(deviceText).join("\n")}`);
};

const gb = (bytes: number): string => `${formatSignificant(bytes / 1e9)} GB`;

/** What the machine is, for people. @param busy threads that others kept busy in the last minute. */
export const profileSummary = (facts: MachineFacts, busy: number): string => {
  const { machine: { cpu, memory, gpus, os }, threads, clockHz, lastCacheBytes, bandwidth, disk, llama, freeMemoryBytes } = facts;
  const cores = cpu?.cores ?? threads;
  const rows: [string, string][] = [
    ["processor", [cpu?.model ?? "not known", `${cores === 1 ? "1 core" : `${cores} cores`}${threads === cores ? "" : `, ${threads} threads`}`, cpu?.vector ?? facts.architecture, `${formatSignificant(clockHz / 1e9)} GHz measured`].join(", ")],
    ["memory", `${gb(memory!.bytes)}, ${gb(freeMemoryBytes)} of it free`],
    ["  bandwidth", bandwidth === null ? "not measured" : `${gb(bandwidth.bytesPerS)}/s: all ${bandwidth.threads === 1 ? "of it on 1 thread" : `${bandwidth.threads} threads at once`}, two arrays read and one written (STREAM triad)${lastCacheBytes === null ? "" : `, beyond the ${gb(lastCacheBytes)} of cache`}`],
    ...(gpus.length === 0 ? [["graphics", "no graphics processor that could compute"] as [string, string]] : gpus.map((gpu): [string, string] => ["graphics", [gpu.name, gpu.memoryBytes === null ? "memory not known" : `${gb(gpu.memoryBytes)}${gpu.sharedMemory ? " shared with the processor" : ""}`, gpu.driver === null ? null : `driver ${gpu.driver}`].filter((part) => part !== null).join(", ")])),
    ["disk", `${gb(disk.freeBytes)} free of ${gb(disk.totalBytes)}${disk.readBytesPerS === null ? "" : `, read at ${gb(disk.readBytesPerS)}/s`}`],
    ["system", os ?? "not known"],
    ["llama.cpp", llama === null ? "not here: npm install node-llama-cpp@3.21.1" : `${llama.release} (node-llama-cpp ${llama.package}), computes on ${llama.backend === null ? "the processor alone" : `${llama.backend}: ${llama.devices.join(", ")}`}`],
  ];
  const lines = rows.map(([what, text]) => `${what.padEnd(12)}${text}`);
  if (llama !== null && llama.backend === null && gpus.length > 0) lines.push("", "llama.cpp as it is installed here does not use the graphics processor: its variant for CUDA, Vulkan or Metal is missing.");
  if (bandwidth !== null && busy > 0.5) lines.push("", `Other programs kept ${formatSignificant(busy, 2)} threads busy in the last minute: the bandwidth is what they left.`);
  return `${lines.join("\n")}\n`;
};

/** What a device could serve, for people. */
export const deviceText = ({ name, kind, basis, models }: ServingDevice): string => {
  const title = `What the ${kind} could serve (${name})`;
  if (models.length === 0) return `${title}: none of the catalogue's models fits, or its memory is not known.\n`;
  const speed = (perS: number | null): string => (perS === null ? "?" : formatSignificant(perS));
  const rows = models.map(({ model, fileBytes, contextTokens, promptTokensPerS, outputTokensPerS }) => [model, gb(fileBytes), formatNumber(contextTokens), speed(promptTokensPerS), speed(outputTokensPerS)]);
  return `${title}, predicted from ${basis}:\n\n${plainTable(["model", "weights", "context", "prompt tok/s", "output tok/s"], ["left", "right", "right", "right", "right"], rows)}\n`;
};
