import type { ErrorCode, JobId, PeerId } from "../../protocol/messages.ts";
import { feeMsat } from "../../protocol/money.ts";
import type { Signer } from "../../protocol/signer.ts";
import type { Random, Telemetry } from "../../scheduler/environment.ts";
import type { RouterOptions } from "../../scheduler/router-options.ts";
import { Router } from "../../scheduler/router.ts";
import { type Clock, MonotonicClock } from "../clock.ts";
import { LiveEnvironment } from "../environment.ts";
import { Hub, type HubStats } from "../link/hub.ts";
import type { LinkLimits } from "../link/limits.ts";
import { WatchedLink } from "../observe/decorated.ts";
import type { Observer } from "../observe/observer.ts";
import { telemetryTo } from "../telemetry.ts";
import type { LiveWallet } from "../wallet/live-wallet.ts";

export interface StartRouterOptions {
  readonly signer: Signer;
  /** The router's rules. */
  readonly router: RouterOptions;
  /** Where it listens; port 0: one that is free. */
  readonly host: string;
  readonly port: number;
  /** Where its fees go; started and stopped with the router. */
  readonly wallet: LiveWallet;
  readonly telemetry: Telemetry;
  /** Looks on: log, metrics, traces. Closed by whoever opened it. */
  readonly observer?: Observer | undefined;
  readonly clock?: Clock | undefined;
  readonly limits?: Partial<LinkLimits> | undefined;
  /** The router's streams of random numbers; by default seeded by the operating system. */
  readonly random?: ((purpose: string) => Random) | undefined;
  /** The signer's key was never used before: nothing can be replayed to it, and the router opens at once. */
  readonly newKey?: boolean | undefined;
  /** Told of faults of the program. */
  readonly onFault: (error: unknown) => void;
  /** Told of envelopes and frames that were refused. */
  readonly onRefused?: ((code: ErrorCode, detail: string) => void) | undefined;
  /** Told of connections that came up or went down. */
  readonly onPeer?: ((peer: PeerId, connected: boolean) => void) | undefined;
}

/** A router that is up. */
export interface RunningRouter {
  /** The router's key. */
  readonly peer: PeerId;
  readonly address: string;
  readonly port: number;
  /** ws://ADDRESS:PORT, for peers on this machine or network. */
  readonly url: string;
  /** For looking at, not for acting on. */
  readonly router: Router;
  readonly stats: Readonly<HubStats>;
  /** Timers that are pending. */
  readonly timers: number;
  /**
   * Takes no more jobs, waits for those at nodes for so long (default 30 s) and a moment for their fees, has the rest given up, and closes. Called again, it
   * waits for nothing more.
   */
  stop(withinMs?: number): Promise<void>;
}

/** How often a router that stops looks whether its jobs have ended, ms. */
const LOOK_MS = 10;
/** How long a router that stops waits for the fee of a job that has just ended, ms. */
const FEE_MS = 3_000;
/** Fees that are looked out for, at most. */
const FEES_MAX = 4_096;

/**
 * Starts a router: server, environment, wallet and the router itself.
 * @throws Error of the server's, such as EADDRINUSE; WalletError
 */
export async function startRouter(options: StartRouterOptions): Promise<RunningRouter> {
  const { signer, observer, onFault, random } = options;
  const watcher = observer?.watcher;
  const clock = options.clock ?? new MonotonicClock();
  const hub = new Hub({ signer, clock, limits: options.limits, newKey: options.newKey });
  observer?.metrics.hub(hub.stats);
  const wallet = observer?.wallet(options.wallet) ?? options.wallet;
  const env = new LiveEnvironment({
    self: signer.publicKey, clock, link: watcher === undefined ? hub : new WatchedLink(hub, watcher), wallet, random, onFault,
    telemetry: observer === undefined ? options.telemetry : telemetryTo(options.telemetry, observer.telemetry),
  });
  const router = new Router(env, options.router);
  env.host(router);
  /** Fees of jobs that have their result, and since when, ms. A router that is gone cannot be paid, and whoever pays it waits in vain. */
  const due = new Map<JobId, number>();
  hub.listen({
    onMessage: (from, message) => {
      if (message.type === "result" && feeMsat(options.router.fee, message.receipt.amountMsat) > 0) {
        due.set(message.jobId, performance.now());
        if (due.size > FEES_MAX) due.delete(due.keys().next().value!);
      }
      watcher?.heard(from, message);
      env.onMessage(from, message);
    },
    onRefused: (code, detail) => {
      watcher?.refused(code, detail);
      options.onRefused?.(code, detail);
    },
    onPeer: (peer, connected) => {
      watcher?.peer(peer, connected);
      options.onPeer?.(peer, connected);
    },
  });
  wallet.listen((event) => {
    if (event.kind === "received" && event.purpose === "fee") due.delete(event.jobId);
    env.onWallet(event);
  });
  await wallet.start();
  let at: { readonly address: string; readonly port: number };
  try {
    at = await hub.start(options.host, options.port);
  } catch (error) {
    env.close();
    await wallet.stop();
    throw error;
  }
  env.run(() => router.start());

  let deadlineMs = Infinity;
  let stopped: Promise<void> | null = null;
  const stopNow = async (): Promise<void> => {
    env.run(() => router.shutDown());
    while (router.open > 0 && performance.now() < deadlineMs) await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    env.run(() => router.giveUpAll());
    const isDue = (): boolean => due.values().some((atMs) => performance.now() - atMs < FEE_MS);
    while (isDue() && performance.now() < deadlineMs) await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    env.close();
    await hub.stop();
    await wallet.stop();
  };
  return {
    peer: signer.publicKey, ...at, url: `ws://${at.address.includes(":") ? `[${at.address}]` : at.address}:${at.port}`, router, stats: hub.stats,
    get timers() { return env.timers; },
    stop(withinMs = 30_000) {
      deadlineMs = stopped === null ? performance.now() + withinMs : 0;
      stopped ??= stopNow();
      return stopped;
    },
  };
}
