import type { RouterOptions } from "../../scheduler/router-options.ts";
import type { MarketEvent } from "../../protocol/result/market-event.ts";
import { MonotonicClock } from "../clock.ts";
import { type RunningClient, startClient, type StartClientOptions } from "../process/client.ts";
import { type RunningNode, startNode, type StartNodeOptions } from "../process/node.ts";
import { type RunningRouter, startRouter, type StartRouterOptions } from "../process/router.ts";
import { MockRunner, type MockRunnerOptions } from "../runner/mock.ts";
import { LiveTelemetry } from "../telemetry.ts";
import { MemoryBank } from "../wallet/memory.ts";
import { testSigner, until } from "./peers.ts";

/** A machine that has more to do may stand still for half a second: times are such that nothing is given up by that. */
export const rules: RouterOptions = {
  policy: { kind: "least-loaded" }, fee: { shareBps: 1_000, flatMsat: 0 }, staleAfterUs: 2_000_000, sweepUs: 200_000, attempts: 3, acceptTimeoutUs: 3_000_000,
  jobTimeoutUs: 60_000_000, queueLimit: 100, queueWaitUs: 20_000_000, circuitBreaker: { failures: 3, coolDownUs: 1_000_000, growth: 2, maxCoolDownUs: 60_000_000 }, quoteValidUs: 1_000_000,
};

/** Two msat per token, in and out. */
export const prices = { inputMsatPerMtok: 2_000_000, outputMsatPerMtok: 2_000_000, fixedMsat: 0 };
/** What every account has to begin with, msat. */
export const CREDIT_MSAT = 1_000_000;

/** A whole market in this process: real sockets and timers, mock runners, play money. */
export class SmallMarket {
  readonly bank: MemoryBank;
  readonly events: MarketEvent[] = [];
  readonly faults: unknown[] = [];
  readonly clock = new MonotonicClock();
  router!: RunningRouter;
  readonly #toStop: (() => Promise<void> | void)[] = [];

  /** @param bank where the money is; default: one of its own */
  constructor(bank?: MemoryBank) {
    this.bank = bank ?? new MemoryBank({ creditMsat: CREDIT_MSAT });
    if (bank === undefined) this.#toStop.push(() => this.bank.close());
  }

  async start(options: Partial<RouterOptions> = {}, more: Partial<StartRouterOptions> = {}): Promise<this> {
    const signer = more.signer ?? testSigner();
    this.router = await startRouter({
      signer, router: { ...rules, ...options }, host: "127.0.0.1", port: 0, wallet: this.bank.wallet(signer.publicKey), telemetry: this.telemetry(), clock: this.clock, newKey: true,
      onFault: (fault) => void this.faults.push(fault), ...more,
    });
    this.#toStop.push(() => this.router.stop(0));
    return this;
  }

  telemetry(): LiveTelemetry {
    return new LiveTelemetry({ clock: this.clock, onEvent: (event) => void this.events.push(event) });
  }

  async node(runner: Partial<MockRunnerOptions> = {}, options: Partial<StartNodeOptions> = {}): Promise<RunningNode> {
    const signer = testSigner();
    const { registry } = this.router.router;
    const before = registry.size;
    const node = await startNode({
      signer, routers: [{ url: this.router.url, key: this.router.peer }], region: "eu", machine: "test", prices, speed: { prefillTokensPerS: 1_000, decodeTokensPerS: 1_000 }, queueLimit: 4,
      heartbeatUs: 200_000, invoiceExpiryUs: 10_000_000, runner: new MockRunner({ models: ["mock"], slots: 2, ...runner }), wallet: this.bank.wallet(signer.publicKey),
      telemetry: this.telemetry(), clock: this.clock, newKey: true, backOff: { firstMs: 10, mostMs: 50 }, onFault: (fault) => void this.faults.push(fault), ...options,
    });
    this.#toStop.push(() => node.stop(0));
    await until(() => registry.size > before, "the node is registered");
    return node;
  }

  async client(options: Partial<StartClientOptions> = {}): Promise<RunningClient> {
    const signer = testSigner();
    const client = await startClient({
      signer, router: { url: this.router.url, key: this.router.peer }, region: "eu", wallet: this.bank.wallet(signer.publicKey), telemetry: this.telemetry(), clock: this.clock, newKey: true,
      backOff: { firstMs: 10, mostMs: 50 }, onFault: (fault) => void this.faults.push(fault), ...options,
    });
    this.#toStop.push(() => client.stop(0));
    return client;
  }

  /** What this account has gained since it was opened, msat. */
  gained(peer: string): number {
    for (const { account, balanceMsat } of this.bank.ledger.accounts()) if (account === peer) return balanceMsat - CREDIT_MSAT;
    return 0;
  }

  async stop(): Promise<void> {
    for (const stop of this.#toStop.splice(0).reverse()) await stop();
  }
}

