import type { DestinationStream } from "pino";
import type { PeerId } from "../../protocol/messages.ts";
import type { Telemetry } from "../../scheduler/environment.ts";
import { telemetryTo } from "../telemetry.ts";
import type { LiveRunner } from "../runner/live-runner.ts";
import type { LiveWallet } from "../wallet/live-wallet.ts";
import { WatchedRunner, WatchedWallet } from "./decorated.ts";
import { Log, type LogLevel, logWatcher } from "./log.ts";
import { MetricsServer } from "./metrics-server.ts";
import { Metrics } from "./metrics.ts";
import { traceWatcher } from "./trace-watcher.ts";
import { isTracingAskedFor, Tracing, type TracingOptions } from "./tracing.ts";
import type { Role, Watcher } from "./watcher.ts";

export interface ObserverOptions {
  readonly role: Role;
  /** Whose process it is; "" for a ledger. */
  readonly peer: PeerId;
  /** Default: `info`. */
  readonly log?: LogLevel | undefined;
  /** Where the log goes; default: stderr. */
  readonly logTo?: DestinationStream | undefined;
  /** Where metrics are served; null or absent: nowhere. */
  readonly metrics?: { readonly host: string; readonly port: number } | null | undefined;
  /** Whether the process's own CPU, memory and event loop are among them; default: true. */
  readonly processMetrics?: boolean | undefined;
  /** Absent: traces only where OpenTelemetry's variables ask for them; null: none, whatever they say. */
  readonly tracing?: TracingOptions | null | undefined;
}

/**
 * All that is to be seen of one process: its log, its metrics, its traces. Participants know nothing of it: it listens to their
 * telemetry, and stands between them and their runner, wallet and link. None of the three ever holds a prompt or an output.
 */
export class Observer {
  readonly log: Log;
  readonly metrics: Metrics;
  /** For the process to tell of what it sees; see {@link Watcher}. */
  readonly watcher: Required<Omit<Watcher, "telemetry">>;
  /** One of the listeners of the participant's telemetry (`telemetryTo`). */
  readonly telemetry: Telemetry;
  readonly #tracing: Tracing | null;
  readonly #server: MetricsServer | null;

  private constructor(options: ObserverOptions, tracing: Tracing | null, metrics: Metrics, server: MetricsServer | null) {
    const { role, peer } = options;
    this.log = new Log(role, peer, options.log ?? "info", options.logTo);
    this.metrics = metrics;
    this.#tracing = tracing;
    this.#server = server;
    const watchers = [logWatcher(this.log), ...(server === null ? [] : [metrics.watcher()]), ...(tracing === null ? [] : [traceWatcher(role, tracing)])];
    this.telemetry = telemetryTo(...watchers.map(({ telemetry }) => telemetry ?? {}));
    this.watcher = all(watchers);
  }

  /** @throws TracingError; the system's error where the metrics' port is taken. */
  static async open(options: ObserverOptions): Promise<Observer> {
    const { role, peer, tracing } = options;
    const wanted = tracing === null ? null : (tracing ?? (isTracingAskedFor(process.env) ? {} : null));
    const traces = wanted === null ? null : await Tracing.open(role, peer, wanted);
    const served = options.metrics ?? null;
    const metrics = new Metrics(role, served !== null && options.processMetrics !== false);
    const server = served === null ? null : await MetricsServer.start(metrics.registry, served);
    return new Observer(options, traces, metrics, server);
  }

  /** Where the metrics are; null: nowhere. */
  get metricsUrl(): string | null {
    return this.#server?.url ?? null;
  }

  runner(runner: LiveRunner): LiveRunner {
    if (this.#server !== null) this.metrics.runner(runner);
    return new WatchedRunner(runner, this.watcher);
  }

  wallet(wallet: LiveWallet): LiveWallet {
    if (this.#server !== null) this.metrics.wallet(() => wallet.balanceMsat);
    return new WatchedWallet(wallet, this.watcher);
  }

  /** Sends out what is left. */
  async close(): Promise<void> {
    await Promise.all([this.#server?.stop(), this.#tracing?.close()]);
  }
}

/** One watcher that tells all of them. */
function all(watchers: readonly Watcher[]): Required<Omit<Watcher, "telemetry">> {
  return {
    heard: (from, message) => { for (const one of watchers) one.heard?.(from, message); },
    sent: (to, message) => { for (const one of watchers) one.sent?.(to, message); },
    runnerTook: (job) => { for (const one of watchers) one.runnerTook?.(job); },
    runnerSaid: (event) => { for (const one of watchers) one.runnerSaid?.(event); },
    runnerForgot: (jobId) => { for (const one of watchers) one.runnerForgot?.(jobId); },
    walletSaid: (event) => { for (const one of watchers) one.walletSaid?.(event); },
    refused: (code, detail) => { for (const one of watchers) one.refused?.(code, detail); },
    peer: (peer, connected) => { for (const one of watchers) one.peer?.(peer, connected); },
    down: (server, why, retryMs) => { for (const one of watchers) one.down?.(server, why, retryMs); },
    up: (server) => { for (const one of watchers) one.up?.(server); },
    fault: (error) => { for (const one of watchers) one.fault?.(error); },
  };
}
