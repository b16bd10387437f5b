import { closeSync, openSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { MonotonicClock } from "../live/clock.ts";
import type { WalletSettings } from "../live/config/fields.ts";
import { LiveTelemetry } from "../live/telemetry.ts";
import type { LiveWallet } from "../live/wallet/live-wallet.ts";
import { NoWallet } from "../live/wallet/no-wallet.ts";
import { RemoteWallet } from "../live/wallet/remote-wallet.ts";
import type { Signer } from "../protocol/signer.ts";
import { makeFolders } from "../reports/made-folders.ts";
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

/** The wallet that settings ask for, not yet started. */
export const walletOf = (settings: WalletSettings, signer: Signer): LiveWallet => {
  if (settings === null) return new NoWallet();
  const outage = outages(`ledger ${settings.ledgerUrl}`);
  return new RemoteWallet({ url: settings.ledgerUrl, signer, onDown: (why) => outage.down(why), onUp: () => outage.up() });
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

/** A fault of the program: it is told, with what is needed to find it, and the process goes on. */
export const tellFault = (error: unknown): void => tell(`fault of infernet-lab, please report it: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);

/** Says something when it changes, not each time that it is the case: one line per outage, however often it is tried again. */
export const outages = (what: string): { down(why: string): void; up(): void } => {
  let isDown = false;
  return {
    down(why) {
      if (!isDown) tell(`${what}: no connection (${why}); trying again`);
      isDown = true;
    },
    up() {
      if (isDown) tell(`${what}: connected`);
      isDown = false;
    },
  };
};

/** @throws InvalidArgumentError */
const nanoseconds = (text: string): bigint => {
  if (!/^\d{1,19}$/.test(text)) throw new InvalidArgumentError("Allowed: nanoseconds, a whole number.");
  return BigInt(text);
};
