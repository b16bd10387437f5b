import { setTimeout as pause } from "node:timers/promises";
import type { JobId, PeerId } from "../../protocol/messages.ts";
import { publicKeyOf } from "../../sim/world/identity.ts";
import { identityOf } from "../../sim/world/participants.ts";
import { planClients } from "../../sim/world/client-plan.ts";
import { planNodes } from "../../sim/world/supply.ts";
import type { Scenario } from "../../sim/scenario/scenario.ts";
import { type Fact, inOrder, type TimedDecision } from "./facts.ts";
import type { RunnerSpec, Submission } from "./part.ts";
import { Player } from "./troupe.ts";

export interface LiveMarketOptions {
  readonly scenario: Scenario;
  readonly seed: number;
  /** By node of the scenario: what executes its model. */
  readonly runners: readonly RunnerSpec[];
  /** True output lengths, for the runners alone. */
  readonly lengths: ReadonlyMap<JobId, number>;
}

/** Jobs to be submitted together. */
export interface Submit {
  /** µs from the market's start; not in the past. */
  readonly fromUs: number;
  /** Their times count from `fromUs`. */
  readonly jobs: readonly Submission[];
  /** After which they are given up, ms. */
  readonly limitMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Told now and then how many have ended. */
  readonly onProgress?: ((ended: number) => void) | undefined;
}

/** What the processes of a market saw. */
export interface Seen {
  /** In order of time, µs from the market's start. */
  readonly facts: readonly Fact[];
  readonly decisions: readonly TimedDecision[];
  /** What each account holds, by public key; msat. */
  readonly balances: ReadonlyMap<string, number>;
  /** Envelopes that were refused somewhere. */
  readonly refused: number;
}

/** From the moment when all are ready to the market's start, µs: time for the news to arrive everywhere. */
const LEAD_US = 200_000;
/** How long the processes have to get ready, ms: models are loaded. */
const READY_MS = 120_000;
/** For the news of jobs to be submitted to arrive everywhere, µs. */
const NEWS_US = 1_000;
/** From the end of the last job to the last that is told of it, ms: payments settle. */
const SETTLING_MS = 60;

/** Real processes of this machine: a ledger of play money, a router, every node with its model in a process of its own, and one process with all clients. */
export class LiveMarket {
  /** Software that executes the models, by node. */
  readonly engines: readonly string[];
  readonly #players: readonly Player[];
  readonly #clients: Player;
  readonly #nowUs: () => number;
  readonly #lost: Promise<never>;
  readonly #killAll: () => void;
  #startUs: number | null = null;

  private constructor(players: readonly Player[], engines: readonly string[], nowUs: () => number, lost: Promise<never>, killAll: () => void) {
    this.#players = players;
    this.#clients = players.at(-1)!;
    this.engines = engines;
    this.#nowUs = nowUs;
    this.#lost = lost;
    this.#killAll = killAll;
  }

  /**
   * Starts all processes and waits until each is connected.
   * @throws Error where one cannot start, and RangeError for a scenario that cannot be played so.
   */
  static async open({ scenario, seed, runners, lengths }: LiveMarketOptions): Promise<LiveMarket> {
    const plans = planNodes(scenario, seed);
    if (scenario.router.count !== 1) throw new RangeError(`a live play has one router, the scenario has ${scenario.router.count}`);
    if (runners.length !== plans.length) throw new RangeError(`${plans.length} nodes need as many runners, not ${runners.length}`);
    const originNs = process.hrtime.bigint();
    const nowUs = (): number => Number((process.hrtime.bigint() - originNs) / 1_000n);
    const common = { scenario, seed, originNs: originNs.toString() };
    const idOf = (role: "router" | "node" | "client", entity: string): PeerId => publicKeyOf(seed, identityOf(role, entity));
    const players: Player[] = [];
    let lose: (error: Error) => void = () => {};
    const lost = new Promise<never>((_, reject) => { lose = reject; });
    lost.catch(() => {});
    const cast = (name: string, part: ConstructorParameters<typeof Player>[1]): Player => {
      const player = new Player(name, part);
      player.onLost = lose;
      players.push(player);
      return player;
    };
    // Whatever happens to this process, none of the others outlives it.
    const killAll = (): void => { for (const player of players) player.kill(); };
    process.once("exit", killAll);
    const within = <T>(promise: Promise<T>, what: string): Promise<T> => Promise.race([promise, lost, late(READY_MS, what)]);

    try {
      const clientPlans = planClients(scenario);
      const credits: [PeerId, number][] = clientPlans.map(({ entity }) => [idOf("client", entity), scenario.payment.clientBalanceMsat]);
      const { url: ledgerUrl } = await within(cast("ledger", { ...common, role: "ledger", credits }).next("ready"), "the ledger does not get ready");
      const router = cast("router", { ...common, role: "router", ledgerUrl });
      const { url: routerUrl } = await within(router.next("ready"), "the router does not get ready");
      const peers = new Set<PeerId>();
      router.onWord = (word) => {
        if (word.word !== "peers") return;
        peers.clear();
        for (const peer of word.peers) peers.add(peer);
      };
      const nodes = plans.map((plan, node) => cast(plan.name, { ...common, role: "node", ledgerUrl, routerUrl, node, runner: runners[node]!, lengths: [...lengths] }));
      const clients = cast("clients", { ...common, role: "clients", ledgerUrl, routerUrl });
      const ready = await within(Promise.all([...nodes, clients].map((player) => player.next("ready"))), "the nodes do not get ready");
      const expected = [...plans.map(({ entity }) => idOf("node", entity)), ...clientPlans.map(({ entity }) => idOf("client", entity))];
      const deadline = performance.now() + READY_MS;
      while (!expected.every((peer) => peers.has(peer))) {
        if (performance.now() > deadline) throw new Error("not all peers reach the router");
        await within(pause(20), "");
      }
      return new LiveMarket(players, ready.slice(0, nodes.length).map(({ engine }) => engine), nowUs, lost, killAll);
    } catch (error) {
      killAll();
      process.off("exit", killAll);
      throw error;
    }
  }

  /** µs since the market's start. */
  get nowUs(): number {
    if (this.#startUs === null) throw new Error("the market has not started");
    return this.#nowUs() - this.#startUs;
  }

  /** The next time from which jobs can be submitted, µs since the market's start. */
  get soonUs(): number {
    return this.nowUs + NEWS_US;
  }

  /** From now on, or rather from an instant soon to come, time counts: nodes register and heartbeats come, as in the simulation. */
  start(): void {
    this.#startUs = this.#nowUs() + LEAD_US;
    for (const player of this.#players) player.tell({ order: "play", startUs: this.#startUs });
  }

  /**
   * Submits jobs and waits until all have ended.
   * @returns null; or why they were given up before.
   * @throws Error where a process has a fault.
   */
  async submit({ fromUs, jobs, limitMs, signal, onProgress = () => {} }: Submit): Promise<string | null> {
    let release = (): void => {};
    const over = new Promise<string | null>((resolve) => {
      this.#clients.onWord = (word) => {
        if (word.word !== "progress") return;
        onProgress(word.ended);
        if (word.done) resolve(null);
      };
      const interrupt = (): void => resolve("interrupted");
      const overtime = setTimeout(() => resolve(`not over within ${Math.round(limitMs / 1_000)} s`), limitMs);
      release = () => {
        clearTimeout(overtime);
        signal?.removeEventListener("abort", interrupt);
      };
      if (signal?.aborted === true) interrupt();
      else signal?.addEventListener("abort", interrupt);
    });
    this.#clients.tell({ order: "submit", fromUs: this.#startUs! + fromUs, jobs });
    try {
      return await Promise.race([over, this.#lost]);
    } finally {
      release();
    }
  }

  /** After jobs have ended: waits until all is told of them, so that counts of some do not run into the next ones'. */
  async settle(): Promise<void> {
    await pause(SETTLING_MS);
  }

  /** What was seen since the start, or since it was last asked for. */
  async collect(): Promise<Seen> {
    const [ledger, router, ...rest] = this.#players;
    const seen = [];
    for (const player of [...rest.toReversed(), router!, ledger!]) {
      player.tell({ order: "collect" });
      seen.push(await Promise.race([player.next("seen"), this.#lost, late(30_000, `the ${player.name} process does not say what it saw`)]));
    }
    const startUs = this.#startUs!;
    return {
      facts: inOrder(seen.flatMap(({ facts }) => facts.map((fact) => ({ ...fact, atUs: fact.atUs - startUs })))),
      decisions: seen.flatMap(({ decisions }) => decisions.map(({ atUs, decision }) => ({ atUs: atUs - startUs, decision }))),
      balances: new Map(seen.flatMap(({ balances }) => balances)),
      refused: seen.reduce((sum, one) => sum + one.refused, 0),
    };
  }

  /** Ends all processes. When it resolves, none of them is left. */
  async close(): Promise<void> {
    // Clients first, the ledger last: nobody loses whom it still talks to.
    await Promise.all(this.#players.slice(1).map((player) => player.end()));
    await this.#players[0]?.end();
    process.off("exit", this.#killAll);
  }
}

function late(ms: number, what: string): Promise<never> {
  return new Promise((_, reject) => setTimeout(() => reject(new Error(what)), ms).unref());
}
