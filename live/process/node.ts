import type { ErrorCode, PeerId, PriceSheet, Utilisation } from "../../protocol/messages.ts";
import type { Signer } from "../../protocol/signer.ts";
import type { Random, RunnerEvent, Telemetry, WalletEvent } from "../../scheduler/environment.ts";
import { Node } from "../../scheduler/node.ts";
import { type Clock, MonotonicClock } from "../clock.ts";
import type { RouterAddress } from "../config/fields.ts";
import { LiveEnvironment } from "../environment.ts";
import type { BackOffOptions } from "../link/back-off.ts";
import type { LinkLimits } from "../link/limits.ts";
import { Uplink } from "../link/uplink.ts";
import { WatchedLink } from "../observe/decorated.ts";
import type { Observer } from "../observe/observer.ts";
import type { LiveRunner, RunnerFacts } from "../runner/live-runner.ts";
import { telemetryTo } from "../telemetry.ts";
import type { LiveWallet } from "../wallet/live-wallet.ts";
import { Routes } from "./routes.ts";
import { measureSpeed, type Speed } from "./speed.ts";

export interface StartNodeOptions {
  readonly signer: Signer;
  /** At least one. */
  readonly routers: readonly RouterAddress[];
  readonly region: string;
  /** For people. */
  readonly machine: string;
  /** What its jobs cost, whatever the model. */
  readonly prices: PriceSheet;
  /** What it claims of its speed; null: measured at the start. */
  readonly speed: Speed | null;
  /** Jobs that may wait beyond those running. */
  readonly queueLimit: number;
  readonly stakeMsat?: number | undefined;
  readonly heartbeatUs: number;
  /** How long clients may take to pay, µs. */
  readonly invoiceExpiryUs: number;
  /** Started and stopped with the node, as is its wallet. */
  readonly runner: LiveRunner;
  readonly wallet: LiveWallet;
  readonly telemetry: Telemetry;
  /** Looks on: log, metrics, traces. Closed by whoever opened it. */
  readonly observer?: Observer | undefined;
  readonly clock?: Clock | undefined;
  readonly limits?: Partial<LinkLimits> | undefined;
  readonly backOff?: BackOffOptions | undefined;
  /** The node's streams of random numbers; by default seeded by the operating system. */
  readonly random?: ((purpose: string) => Random) | undefined;
  /** The signer's key was never used before: nothing can be replayed to it. */
  readonly newKey?: boolean | undefined;
  /** How busy the machine is, for heartbeats. */
  readonly utilisation?: (() => Utilisation | undefined) | undefined;
  /** Told of faults of the program. */
  readonly onFault: (error: unknown) => void;
  readonly onRefused?: ((code: ErrorCode, detail: string) => void) | undefined;
  /** Told of its connections to routers. */
  readonly onRouter?: ((router: PeerId, connected: boolean) => void) | undefined;
  /** Told why there is no connection, and when the next try comes. */
  readonly onDown?: ((router: RouterAddress, why: string, retryMs: number) => void) | undefined;
}

/** A node that is up. */
export interface RunningNode {
  /** The node's key. */
  readonly peer: PeerId;
  readonly facts: RunnerFacts;
  readonly speed: Speed;
  /** For looking at, not for acting on. */
  readonly node: Node;
  /** Routers that it is connected to now. */
  readonly connected: number;
  /**
   * Takes no more jobs and says so, hands back at once what waits, finishes what runs within so long (default 30 s), hands back
   * the rest, waits for its money until then, and closes. Called again, it waits for nothing more.
   */
  stop(withinMs?: number): Promise<void>;
}

/** How often a node that stops looks whether its jobs have ended, ms. */
const LOOK_MS = 10;
/** How long a node that stops waits for money once its last job is delivered, ms. */
const MONEY_MS = 3_000;

/**
 * Starts a node: runner, wallet, connections to its routers, and the node itself. While a router cannot be reached it keeps
 * what it has and tries again; once it can be, the node registers anew.
 * @throws RunnerError, WalletError in words for the operator
 */
export async function startNode(options: StartNodeOptions): Promise<RunningNode> {
  const { signer, routers, observer, onFault, random, limits, backOff, newKey } = options;
  const watcher = observer?.watcher;
  const runner = observer?.runner(options.runner) ?? options.runner;
  const wallet = observer?.wallet(options.wallet) ?? options.wallet;
  const clock = options.clock ?? new MonotonicClock();
  const facts = await runner.start();
  let onRunner: (event: RunnerEvent) => void = () => {};
  runner.listen((event) => onRunner(event));
  let onWallet: (event: WalletEvent) => void = () => {};
  wallet.listen((event) => onWallet(event));
  let speed: Speed;
  try {
    speed = options.speed ?? await measureSpeed(options.runner, facts, (listener) => { onRunner = listener; });
    await wallet.start();
  } catch (error) {
    await runner.stop();
    throw error;
  }

  const uplinks = new Map(routers.map((router) => [router.key, new Uplink({
    signer, clock, url: router.url, router: router.key, limits, backOff, newKey,
    onDown: (why, retryMs) => {
      watcher?.down(`router ${router.url}`, why, retryMs);
      options.onDown?.(router, why, retryMs);
    },
  })] as const));
  const routes = new Routes(uplinks);
  const env = new LiveEnvironment({
    self: signer.publicKey, clock, link: watcher === undefined ? routes : new WatchedLink(routes, watcher), wallet, runner, random, onFault,
    telemetry: observer === undefined ? options.telemetry : telemetryTo(options.telemetry, observer.telemetry),
  });
  const node = new Node(env, {
    descriptor: {
      // Seconds since 1970 grow with every start: a node that was connected before began in an earlier second.
      incarnation: clock.unixS,
      region: options.region,
      machine: options.machine,
      engine: facts.engine.slice(0, 64),
      slots: facts.slots,
      queueLimit: options.queueLimit,
      kvTokensMax: facts.kvTokensMax,
      stakeMsat: options.stakeMsat ?? 0,
      attested: false,
      offers: facts.models.map((model) => ({ model, contextTokensMax: facts.contextTokensMax, prices: options.prices, ...speed })),
    },
    routers: routers.map(({ key }) => key),
    heartbeatUs: options.heartbeatUs,
    heartbeatOffsetUs: options.heartbeatUs,
    invoiceExpiryUs: options.invoiceExpiryUs,
    utilisation: options.utilisation,
  });
  env.host(node);
  onRunner = (event) => env.onRunner(event);
  onWallet = (event) => env.onWallet(event);

  let started = false;
  const connected = new Set<PeerId>();
  observer?.metrics.uplinks([...uplinks.values()].map(({ stats }) => stats), () => connected.size);
  for (const [router, uplink] of uplinks) {
    uplink.listen({
      onMessage: (from, message) => {
        watcher?.heard(from, message);
        routes.heard(router, from, message);
        env.onMessage(from, message);
      },
      onRefused: (code, detail) => {
        watcher?.refused(code, detail);
        options.onRefused?.(code, detail);
      },
      onPeer: (_, up) => {
        if (up) connected.add(router);
        else connected.delete(router);
        if (up && started) env.run(() => node.reconnected(router));
        if (up && !started) {
          started = true;
          env.run(() => node.start());
        }
        watcher?.peer(router, up);
        if (up) watcher?.up(`router ${routers.find(({ key }) => key === router)!.url}`);
        options.onRouter?.(router, up);
      },
    });
  }
  await Promise.all([...uplinks.values()].map((uplink) => uplink.start()));

  let deadlineMs = Infinity;
  let stopped: Promise<void> | null = null;
  const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  const stopNow = async (): Promise<void> => {
    env.run(() => {
      if (started) node.shutDown();
      node.handBack("waiting");
    });
    while (!node.jobsAtRunner().next().done! && performance.now() < deadlineMs) await pause();
    env.run(() => void node.handBack("all"));
    const moneyMs = performance.now() + MONEY_MS;
    while (node.open > 0 && performance.now() < Math.min(deadlineMs, moneyMs)) await pause();
    env.close();
    await Promise.all([...uplinks.values()].map((uplink) => uplink.stop()));
    await Promise.all([runner.stop(), wallet.stop()]);
  };
  return {
    peer: signer.publicKey, facts, speed, node,
    get connected() { return connected.size; },
    stop(withinMs = 30_000) {
      deadlineMs = stopped === null ? performance.now() + withinMs : 0;
      stopped ??= stopNow();
      return stopped;
    },
  };
}
