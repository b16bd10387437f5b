import { pino } from "pino";
import type { DestinationStream, Logger } from "pino";
import type { PeerId } from "../../protocol/messages.ts";
import type { Role, Watcher } from "./watcher.ts";

export type LogLevel = "silent" | "error" | "warn" | "info" | "debug";

/**
 * What a line may say besides its message, and nothing else: names, codes, counts and times. A field that is not here does not
 * get into a log, whoever passes it.
 */
export interface LogFields {
  readonly jobId?: string;
  readonly attempt?: number;
  readonly node?: PeerId;
  readonly peer?: PeerId;
  readonly model?: string;
  readonly status?: string;
  readonly reason?: string;
  readonly code?: string;
  readonly server?: string;
  readonly inputTokens?: number;
  readonly outputTokens?: number;
  readonly maxOutputTokens?: number;
  readonly amountMsat?: number;
  readonly feeMsat?: number;
  readonly purpose?: string;
  readonly durationMs?: number;
  readonly firstTokenMs?: number;
  readonly queuedMs?: number;
  readonly connected?: boolean;
  readonly retryMs?: number;
  readonly url?: string;
  readonly version?: string;
  readonly signal?: string;
  /** Of a fault: its class and code, and where it came about; not its message, which may repeat what was being read. */
  readonly error?: string;
  readonly at?: readonly string[];
  /** Lines like this one that were left out before it. */
  readonly leftOut?: number;
}

/** How long a text may be: enough for any code or name, too short for a prompt. */
const TEXT_MAX = 128;
const TEXTS = ["jobId", "node", "peer", "model", "status", "reason", "code", "server", "purpose", "url", "version", "signal", "error"] as const satisfies (keyof LogFields)[];
const NUMBERS = ["attempt", "inputTokens", "outputTokens", "maxOutputTokens", "amountMsat", "feeMsat", "durationMs", "firstTokenMs", "queuedMs", "retryMs", "leftOut"] as const satisfies (keyof LogFields)[];
/** Lines of one message that are written per second, at most: a flood from outside must not fill the disk. */
const LINES_PER_S = 100;

/** A process's log: JSON lines, for machines; a person pipes them through `pino-pretty` or `jq`. */
export class Log {
  readonly #logger: Logger;
  readonly #written = new Map<string, { second: number; lines: number; leftOut: number }>();

  /** @param destination default: stderr. */
  constructor(role: Role, peer: PeerId, level: LogLevel, destination: DestinationStream = pino.destination({ fd: 2, sync: true })) {
    this.#logger = pino({
      level, base: { role, self: peer, pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime, messageKey: "message",
      formatters: { level: (label) => ({ level: label }) },
    }, destination);
  }

  /** @param message what happened, in the same words each time: figures and names are fields. */
  write(level: "error" | "warn" | "info" | "debug", message: string, fields: LogFields = {}): void {
    if (!this.#logger.isLevelEnabled(level)) return;
    const leftOut = this.#left(message);
    if (leftOut < 0) return;
    this.#logger[level](allowed(leftOut > 0 ? { ...fields, leftOut } : fields), message);
  }

  /** @returns how many lines were left out since the last one; -1: this one is left out, too. */
  #left(message: string): number {
    const second = Math.floor(performance.now() / 1_000);
    let count = this.#written.get(message);
    if (count === undefined) this.#written.set(message, (count = { second, lines: 0, leftOut: 0 }));
    if (count.second !== second) {
      count.second = second;
      count.lines = 0;
    }
    if (count.lines >= LINES_PER_S) {
      count.leftOut++;
      return -1;
    }
    count.lines++;
    const { leftOut } = count;
    count.leftOut = 0;
    return leftOut;
  }
}

function allowed(fields: LogFields): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const name of TEXTS) {
    const value = fields[name];
    if (typeof value === "string") found[name] = value.slice(0, TEXT_MAX);
  }
  for (const name of NUMBERS) {
    const value = fields[name];
    if (typeof value === "number") found[name] = Math.round(value * 1_000) / 1_000;
  }
  if (typeof fields.connected === "boolean") found["connected"] = fields.connected;
  if (fields.at !== undefined) found["at"] = fields.at.slice(0, 12).map((line) => line.slice(0, 256));
  return found;
}

/** An error's class and place, without its words: those of a parser repeat what it was given. */
export function placeOf(error: unknown): { readonly error: string; readonly at: readonly string[] } {
  if (!(error instanceof Error)) return { error: typeof error, at: [] };
  const { code } = error as NodeJS.ErrnoException;
  const at = (error.stack ?? "").split("\n").map((line) => line.trim()).filter((line) => /^at .*\d+:\d+\)?$/.test(line));
  return { error: typeof code === "string" ? `${error.name} ${code}` : error.name, at };
}

/** Writes down what happens in a process: errors and warnings for its operator, jobs' ends as `info`, the rest as `debug`. */
export function logWatcher(log: Log): Watcher {
  const nowMs = (): number => performance.now();
  const open = new Map<string, { readonly atMs: number; firstMs: number }>();
  // One line per outage, however often it is tried again.
  const outages = new Set<string>();
  const remember = (jobId: string): void => {
    open.set(jobId, { atMs: nowMs(), firstMs: 0 });
    if (open.size > JOBS_MAX) open.delete(open.keys().next().value!);
  };
  const times = (jobId: string): LogFields => {
    const job = open.get(jobId);
    open.delete(jobId);
    if (job === undefined) return {};
    return job.firstMs > 0 ? { durationMs: nowMs() - job.atMs, firstTokenMs: job.firstMs - job.atMs } : { durationMs: nowMs() - job.atMs };
  };
  return {
    telemetry: {
      submitted: ({ jobId, model, inputTokens, maxOutputTokens }) => {
        remember(jobId);
        log.write("debug", "job submitted", { jobId, model, inputTokens, maxOutputTokens });
      },
      firstToken: (jobId) => {
        const job = open.get(jobId);
        if (job !== undefined && job.firstMs === 0) job.firstMs = nowMs();
      },
      finished: (jobId, node, attempt, inputTokens, outputTokens, amountMsat, feeMsat) => log.write("debug", "result", { jobId, node, attempt, inputTokens, outputTokens, amountMsat, feeMsat }),
      ended: (jobId, status, reason) => log.write("info", "job ended", { jobId, status, reason, ...times(jobId) }),
      disputed: (jobId, claim) => log.write("warn", "dispute", { jobId, reason: claim }),
      writtenOff: (jobId, node) => log.write("warn", "advance written off", { jobId, node }),
      assigned: (jobId, node, attempt) => log.write("info", "job assigned", { jobId, node, attempt }),
      attemptFailed: (jobId, node, attempt, reason) => log.write("warn", "attempt failed", { jobId, node, attempt, reason }),
      tooDear: (jobId) => log.write("info", "every node left is too dear", { jobId }),
    },
    runnerTook: ({ jobId, model, inputTokens, maxOutputTokens }) => {
      remember(jobId);
      log.write("debug", "job queued", { jobId, model, inputTokens, maxOutputTokens });
    },
    runnerForgot: (jobId) => log.write("info", "job cancelled", { jobId, ...times(jobId) }),
    runnerSaid: (event) => {
      const { jobId } = event;
      if (!open.has(jobId)) return;
      if (event.kind === "started") log.write("debug", "job started", { jobId, queuedMs: nowMs() - (open.get(jobId)?.atMs ?? nowMs()) });
      else if (event.kind === "first-token") {
        const job = open.get(jobId);
        if (job !== undefined) job.firstMs = nowMs();
      } else if (event.kind === "finished") log.write("info", "job executed", { jobId, outputTokens: event.outputTokens, ...times(jobId) });
      else if (event.kind === "failed") log.write("warn", "runner failed a job", { jobId, reason: event.reason, ...times(jobId) });
    },
    walletSaid: (event) => {
      const { jobId, purpose, amountMsat } = event;
      if (event.kind === "payment-failed") log.write("warn", "payment failed", { jobId, purpose, amountMsat, reason: event.reason });
      else log.write("debug", `payment ${event.kind}`, { jobId, purpose, amountMsat });
    },
    refused: (code) => log.write("warn", "envelope refused", { code }),
    peer: (peer, connected) => log.write("info", connected ? "connected" : "disconnected", { peer }),
    down: (server, why, retryMs) => {
      if (!outages.has(server)) log.write("warn", "no connection", { server, reason: why, retryMs });
      outages.add(server);
    },
    up: (server) => {
      if (outages.delete(server)) log.write("info", "connection is back", { server });
    },
    fault: (error) => log.write("error", "fault of the program", placeOf(error)),
  };
}

const JOBS_MAX = 65_536;
