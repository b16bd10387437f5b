import type { JobId, PeerId } from "../../protocol/messages.ts";
import { publicKeyOf } from "../../sim/world/identity.ts";
import { identityOf } from "../../sim/world/participants.ts";
import { planClients } from "../../sim/world/client-plan.ts";
import { planNodes } from "../../sim/world/supply.ts";
import type { Scenario } from "../../sim/scenario/scenario.ts";
import { type Fact, inOrder, type TimedDecision } from "./facts.ts";
import type { RunnerSpec, Submission } from "./part.ts";
import { Player } from "./troupe.ts";

export interface PlayOptions {
  readonly scenario: Scenario;
  readonly seed: number;
  /** By node of the scenario: what executes its model. */
  readonly runners: readonly RunnerSpec[];
  /**
   * Jobs, in stages: each begins once all jobs of the one before have ended, and its jobs come at their times from then on.
   * A workload is one stage; measurements have many.
   */
  readonly stages: readonly (readonly Submission[])[];
  /** True output lengths, for the runners alone. */
  readonly lengths: ReadonlyMap<JobId, number>;
  /** Stops the play where it is. */
  readonly signal?: AbortSignal | undefined;
  /** After which the play is stopped, ms. */
  readonly limitMs: number;
  /** Told now and then how far it is. */
  readonly onProgress?: ((progress: { readonly stage: number; readonly submitted: number; readonly ended: number }) => void) | undefined;
}

/** What came of a play. */
export interface Played {
  /** In order of time, µs from the play's start. */
  readonly facts: readonly Fact[];
  readonly decisions: readonly TimedDecision[];
  /** When each stage began, µs from the play's start. */
  readonly stagesUs: readonly number[];
  /** When the last job had ended, µs from the play's start. */
  readonly endUs: number;
  /** What each account holds at the end, by public key; msat. */
  readonly balances: ReadonlyMap<string, number>;
  /** Software that executed the models, by node. */
  readonly engines: readonly string[];
  /** Envelopes that were refused somewhere. */
  readonly refused: number;
  /** Null; or why it was stopped before its end. */
  readonly stopped: string | null;
}

/** From the moment when all are ready to the play's start, µs: time for the news to arrive everywhere. */
const LEAD_US = 200_000;
/** How long the processes have to get ready, ms: models are loaded. */
const READY_MS = 120_000;
/** Between two stages, ms: payments settle, and counts of one do not run into the next. */
const PAUSE_MS = 60;

/**
 * Plays jobs on real processes of this machine: a ledger of play money, a router, every node with its model in a process of
 * its own, and one process with all clients. When it resolves, none of them is left.
 * @throws Error where a process cannot start or has a fault.
 */
export async function play(options: PlayOptions): Promise<Played> {
  const { scenario, seed, runners, stages, lengths, signal } = options;
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

  try {
    const clientPlans = planClients(scenario);
    const credits: [PeerId, number][] = clientPlans.map(({ entity }) => [idOf("client", entity), scenario.payment.clientBalanceMsat]);
    const ledger = cast("ledger", { ...common, role: "ledger", credits });
    const within = <T>(promise: Promise<T>, ms: number, what: string): Promise<T> => Promise.race([promise, lost, late(ms, what)]);
    const { url: ledgerUrl } = await within(ledger.next("ready"), READY_MS, "the ledger does not get ready");
    const router = cast("router", { ...common, role: "router", ledgerUrl });
    const { url: routerUrl } = await within(router.next("ready"), READY_MS, "the router does not get ready");
    const peers = new Set<PeerId>();
    router.onWord = (word) => {
      if (word.word !== "peers") return;
      peers.clear();
      for (const peer of word.peers) peers.add(peer);
    };
    const nodes = plans.map((plan, node) => cast(plan.name, { ...common, role: "node", ledgerUrl, routerUrl, node, runner: runners[node]!, lengths: [...lengths] }));
    const clients = cast("clients", { ...common, role: "clients", ledgerUrl, routerUrl });
    const ready = await within(Promise.all([...nodes, clients].map((player) => player.next("ready"))), READY_MS, "the nodes do not get ready");
    const expected = [...plans.map(({ entity }) => idOf("node", entity)), ...clientPlans.map(({ entity }) => idOf("client", entity))];
    const deadline = performance.now() + READY_MS;
    while (!expected.every((peer) => peers.has(peer))) {
      if (performance.now() > deadline) throw new Error("not all peers reach the router");
      await within(pause(20), READY_MS, "");
    }

    const startUs = nowUs() + LEAD_US;
    for (const player of players) player.tell({ order: "play", startUs });
    const stopped = new Promise<string>((resolve) => {
      if (signal?.aborted === true) resolve("interrupted");
      signal?.addEventListener("abort", () => resolve("interrupted"), { once: true });
    });
    const overtime = late(options.limitMs, `not over within ${Math.round(options.limitMs / 1_000)} s`).catch((error: Error) => error.message);
    const stagesUs: number[] = [];
    let why: string | null = null;
    // The first heartbeats and registrations are part of the play, as in the simulation.
    for (const [stage, jobs] of stages.entries()) {
      const fromUs = stage === 0 ? startUs : nowUs() + 1_000;
      stagesUs.push(fromUs - startUs);
      const over = new Promise<null>((resolve) => {
        clients.onWord = (word) => {
          if (word.word !== "progress") return;
          options.onProgress?.({ stage, submitted: word.submitted, ended: word.ended });
          if (word.done) resolve(null);
        };
      });
      clients.tell({ order: "submit", fromUs, jobs });
      why = await Promise.race([over, lost, stopped, overtime]);
      if (why !== null) break;
      await pause(PAUSE_MS);
    }
    const endUs = nowUs() - startUs;
    const seen = [];
    for (const player of [clients, ...nodes, router, ledger]) {
      player.tell({ order: "collect" });
      seen.push(await within(player.next("seen"), 30_000, `the ${player.name} process does not say what it saw`));
    }
    return {
      facts: inOrder(seen.flatMap(({ facts }) => facts.map((fact) => ({ ...fact, atUs: fact.atUs - startUs })))),
      decisions: seen.flatMap(({ decisions }) => decisions.map(({ atUs, decision }) => ({ atUs: atUs - startUs, decision }))),
      stagesUs, endUs, balances: new Map(seen.flatMap(({ balances }) => balances)), engines: ready.slice(0, nodes.length).map(({ engine }) => engine),
      refused: seen.reduce((sum, one) => sum + one.refused, 0), stopped: why,
    };
  } finally {
    // Clients first, the ledger last: nobody loses whom it still talks to.
    await Promise.all(players.slice(1).map((player) => player.end()));
    await players[0]?.end();
    process.off("exit", killAll);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function late(ms: number, what: string): Promise<never> {
  return new Promise((_, reject) => setTimeout(() => reject(new Error(what)), ms).unref());
}
