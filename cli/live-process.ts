import { closeSync, openSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { MonotonicClock } from "../live/clock.ts";
import type { MetricsSettings, WalletSettings } from "../live/config/fields.ts";
import { type LogLevel, placeOf } from "../live/observe/log.ts";
import { Observer } from "../live/observe/observer.ts";
import type { Role } from "../live/observe/watcher.ts";
import { lockKey } from "../live/key-lock.ts";
import { liveSigner, readKeyFile } from "../live/keys.ts";
import { LiveTelemetry } from "../live/telemetry.ts";
import type { LiveWallet } from "../live/wallet/live-wallet.ts";
import { NoWallet } from "../live/wallet/no-wallet.ts";
import { RemoteWallet } from "../live/wallet/remote-wallet.ts";
import type { Signer } from "../protocol/signer.ts";
import { makeFolders } from "../reports/made-folders.ts";
import { UserError } from "./errors.ts";
import { interruptedExit } from "./interruptions.ts";
import { filePath } from "./options.ts";

/** What live processes have in common: how they are stopped, what they write, and whose money they use. */

/** Lines that are in the file as soon as they are written: who kills the process loses none. */
export class EventFile {
  readonly #descriptor: number;

  /** @throws the file system's error where the file cannot be written */
  constructor(path: string) {
    makeFolders(dirname(path));
    this.#descriptor = openSync(path, "w");
  }

  write(value: unknown): void {
    writeSync(this.#descriptor, `${JSON.stringify(value)}\n`);
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

/**
 * The key in this file, for this process alone; it is let go of when the process ends.
 * @throws UserError where the file is not as it has to be, or another process has the key
 */
export const ownSigner = (keyFile: string): Signer => {
  const signer = liveSigner(readKeyFile(keyFile));
  const release = lockKey(keyFile);
  process.on("exit", release);
  return signer;
};

/** Options of every live process that tells events. */
export interface EventFlags {
  readonly events?: string;
  readonly decisions?: string;
  readonly origin?: bigint;
}

/** Adds `--events` and `--origin`, and for routers `--decisions`. */
export const withEventOptions = (command: Command, decisions: boolean): Command => {
  command.option("--events <file>", "write what happens as JSON lines, as `infernet run --events` does: no text of prompts or outputs", filePath);
  if (decisions) command.option("--decisions <file>", "write why each job went where it went, as JSON lines", filePath);
  return command.option("--origin <ns>", "reading of the machine's monotonic clock from which times in events count (default: the process's start)", nanoseconds);
};

/** The telemetry that these options ask for, and the clock that all of the process goes by. */
export const eventsOf = ({ events, decisions, origin }: EventFlags): { readonly clock: MonotonicClock; readonly telemetry: LiveTelemetry; close(): void } => {
  const clock = new MonotonicClock(origin);
  const eventFile = events === undefined ? null : new EventFile(events);
  const decisionFile = decisions === undefined ? null : new EventFile(decisions);
  return {
    clock,
    telemetry: new LiveTelemetry({
      clock,
      onEvent: eventFile === null ? undefined : (event) => eventFile.write(event),
      onDecision: decisionFile === null ? undefined : (decision, atUs) => decisionFile.write({ atUs, ...decision }),
    }),
    close() {
      eventFile?.close();
      decisionFile?.close();
    },
  };
};

/** The wallet that settings ask for, not yet started. @param tellOf is told when its ledger cannot be reached, and when it can again */
export const walletOf = (settings: WalletSettings, signer: Signer, tellOf: { down(what: string, why: string, retryMs: number): void; up(what: string): void }): LiveWallet => {
  if (settings === null) return new NoWallet();
  const what = `ledger ${settings.ledgerUrl}`;
  return new RemoteWallet({ url: settings.ledgerUrl, signer, onDown: (why, retryMs) => tellOf.down(what, why, retryMs), onUp: () => tellOf.up(what) });
};

/**
 * Log, metrics and traces of a process, as its settings and OpenTelemetry's variables ask for them.
 * @throws UserError where the metrics' port is taken
 */
export const openObserver = async (role: Role, peer: string, settings: { readonly log: LogLevel; readonly metrics: MetricsSettings }): Promise<Observer> => {
  const { metrics } = settings;
  const observer = await Observer.open({ role, peer, ...settings }).catch((error: NodeJS.ErrnoException) => {
    if (metrics === null || (error.code !== "EADDRINUSE" && error.code !== "EADDRNOTAVAIL" && error.code !== "EACCES")) throw error;
    throw new UserError(`metrics cannot be served on ${metrics.host}:${metrics.port}: ${error.code === "EADDRINUSE" ? "another process listens there" : error.code === "EACCES" ? "that port takes more rights" : "that is no address of this machine"}`);
  });
  if (observer.metricsUrl !== null) tell(`Metrics: ${observer.metricsUrl}`);
  return observer;
};

/**
 * Waits for the first signal that asks the process to stop. From then on a second one ends it at once, with the exit code that
 * shells have for it.
 */
export const untilAskedToStop = (): Promise<void> => new Promise((resolve) => {
  let firstMs = -1;
  const note = (signal: NodeJS.Signals): void => {
    // One Ctrl-C may arrive twice, from the terminal and from npm.
    if (firstMs >= 0 && performance.now() - firstMs < 200) return;
    if (firstMs >= 0) process.exit(interruptedExit(signal as "SIGINT" | "SIGTERM"));
    firstMs = performance.now();
    resolve();
  };
  process.on("SIGINT", note);
  process.on("SIGTERM", note);
});

/** Says something to whoever runs the process. */
export const tell = (text: string): void => void process.stderr.write(`${text}\n`);

/** A fault of the program, for whoever sits in front of it. Its words are left out: a parser's repeat what it was given. */
export const tellFault = (error: unknown): void => {
  const place = placeOf(error);
  tell(`fault of infernet-lab, please report it: ${[place.error, ...place.at].join("\n    ")}`);
};

/** Says in words when a server cannot be reached any more, and when it can again: one line per outage, however often it is tried. */
export const outagesInWords = (): { down(what: string, why: string): void; up(what: string): void } => {
  const down = new Set<string>();
  return {
    down(what, why) {
      if (!down.has(what)) tell(`${what}: no connection (${why}); trying again`);
      down.add(what);
    },
    up(what) {
      if (down.delete(what)) tell(`${what}: connected`);
    },
  };
};

/** @throws InvalidArgumentError */
const nanoseconds = (text: string): bigint => {
  if (!/^\d{1,19}$/.test(text)) throw new InvalidArgumentError("Allowed: nanoseconds, a whole number.");
  return BigInt(text);
};
