import { once } from "node:events";
import { sha256Hex } from "../../protocol/canonical.ts";
import type { JobId, PeerId } from "../../protocol/messages.ts";
import { Client } from "../../scheduler/client.ts";
import type { Participant, Random, RunnerEvent, WalletEvent } from "../../scheduler/environment.ts";
import { Node } from "../../scheduler/node.ts";
import { RandomStreams } from "../../sim/kernel/random.ts";
import { planClients } from "../../sim/world/client-plan.ts";
import { publicKeyOf, secretKeyOf } from "../../sim/world/identity.ts";
import { clientOptions, identityOf, nodeOptions, type Role, routerNames, routerOptions } from "../../sim/world/participants.ts";
import { type NodePlan, planNodes } from "../../sim/world/supply.ts";
import { MonotonicClock } from "../clock.ts";
import { LiveEnvironment } from "../environment.ts";
import { promptOfTokens } from "../gguf/vocabulary.ts";
import { liveSigner } from "../keys.ts";
import { Uplink } from "../link/uplink.ts";
import { startRouter } from "../process/router.ts";
import type { LiveRunner } from "../runner/live-runner.ts";
import { MockRunner } from "../runner/mock.ts";
import type { LiveWallet } from "../wallet/live-wallet.ts";
import { LedgerServer } from "../wallet/ledger-server.ts";
import { RemoteWallet } from "../wallet/remote-wallet.ts";
import { FactLog } from "./facts.ts";
import { ForcedLengths } from "./forced-lengths.ts";
import type { Order, Part, RunnerSpec, Submission, Word } from "./part.ts";

/*
 * A process of a live market that plays a scenario: its participants have the keys and the random streams that they have in
 * the simulation, so that equal circumstances lead to equal decisions. It is told what to do by the process that forked it,
 * and ends with it.
 */

/** What a process does for its part. */
interface Actor {
  readonly url: string;
  readonly engine: string;
  play?(startUs: number): void;
  submit?(fromUs: number, jobs: readonly Submission[]): void;
  balances?(): [string, number][];
  stop(): Promise<void>;
}

const say = (word: Word): void => void process.send?.(word);
const fault = (error: unknown): void => say({ word: "fault", what: error instanceof Error ? error.stack ?? error.message : String(error) });

let part: Part;
let clock: MonotonicClock;
let log: FactLog;
let actor: Actor;
let refused = 0;

/** Nothing but the conductor says when it ends: an interrupt from the terminal reaches the whole group. */
process.on("SIGINT", () => {});
process.on("SIGTERM", () => {});
process.on("disconnect", () => process.exit(0));
process.on("uncaughtException", (error) => {
  fault(error);
  setTimeout(() => process.exit(1), 100);
});
process.on("message", (order: Order) => void obey(order).catch(fault));

async function obey(order: Order): Promise<void> {
  switch (order.order) {
    case "begin":
      part = order.part;
      clock = new MonotonicClock(BigInt(part.originNs));
      actor = await begin();
      return say({ word: "ready", url: actor.url, engine: actor.engine });
    case "play": return actor.play?.(order.startUs);
    case "submit": return actor.submit?.(order.fromUs, order.jobs);
    case "collect":
      say({ word: "seen", facts: log.facts.splice(0), decisions: log.decisions.splice(0), balances: actor.balances?.() ?? [], refused });
      return;
    case "end":
      await Promise.race([actor.stop(), new Promise((resolve) => setTimeout(resolve, 3_000))]);
      process.exit(0);
  }
}

function begin(): Promise<Actor> {
  log = new FactLog(clock);
  switch (part.role) {
    case "ledger": return beLedger(part);
    case "router": return beRouter(part);
    case "node": return beNode(part);
    case "clients": return beClients(part);
  }
}

function streamsOf(role: Role, entity: string): (purpose: string) => Random {
  const streams = new RandomStreams(part.seed);
  return (purpose) => streams.stream(role, entity, purpose);
}

const signerOf = (role: Role, entity: string) => liveSigner(secretKeyOf(part.seed, identityOf(role, entity)));
const routerIds = (): PeerId[] => routerNames(part.scenario).map((_, i) => publicKeyOf(part.seed, identityOf("router", String(i))));

async function beLedger({ credits }: Part & { role: "ledger" }): Promise<Actor> {
  const byAccount = new Map(credits);
  const server = new LedgerServer({ listen: { host: "127.0.0.1", port: 0 }, ledger: { creditMsat: (account: PeerId) => byAccount.get(account) ?? 0 } });
  const url = await server.start();
  return { url, engine: "", balances: () => [...server.ledger.accounts()].map(({ account, balanceMsat }) => [account, balanceMsat]), stop: () => server.stop() };
}

async function beRouter({ scenario, ledgerUrl }: Part & { role: "router" }): Promise<Actor> {
  const signer = signerOf("router", "0");
  const connected = new Set<PeerId>();
  const router = await startRouter({
    signer, router: routerOptions(scenario), host: "127.0.0.1", port: 0, wallet: new RemoteWallet({ url: ledgerUrl, signer }), telemetry: log, clock,
    random: streamsOf("router", "0"), newKey: true, onFault: fault, onRefused: () => void refused++,
    onPeer: (peer, up) => {
      if (up) connected.add(peer);
      else connected.delete(peer);
      say({ word: "peers", peers: [...connected] });
    },
  });
  return { url: router.url, engine: "", stop: () => router.stop(0) };
}

/** A participant behind an uplink. */
async function connect<T extends Participant>(role: Role, entity: string, ledgerUrl: string, routerUrl: string, runner: LiveRunner | undefined, make: (env: LiveEnvironment) => T) {
  const signer = signerOf(role, entity);
  const wallet: LiveWallet = new RemoteWallet({ url: ledgerUrl, signer });
  const link = new Uplink({ signer, clock, url: routerUrl, router: routerIds()[0]!, newKey: true });
  const env = new LiveEnvironment({ self: signer.publicKey, clock, link, wallet, telemetry: log, onFault: fault, random: streamsOf(role, entity), ...(runner === undefined ? {} : { runner }) });
  const participant = make(env);
  env.host(participant);
  link.listen({ onMessage: (from, message) => env.onMessage(from, message), onRefused: () => void refused++ });
  wallet.listen((event: WalletEvent) => env.onWallet(event));
  runner?.listen((event: RunnerEvent) => env.onRunner(event));
  await wallet.start();
  await link.start();
  return { env, participant, stop: async () => { env.close(); await link.stop(); await wallet.stop(); } };
}

async function beNode({ scenario, node, runner: spec, lengths, ledgerUrl, routerUrl }: Part & { role: "node" }): Promise<Actor> {
  const plan = planNodes(scenario, part.seed)[node]!;
  const self = publicKeyOf(part.seed, identityOf("node", plan.entity));
  const runner = new ForcedLengths(await runnerOf(spec, plan), new Map<JobId, number>(lengths), {
    load: (running, waiting, kvTokens) => void log.facts.push({ atUs: clock.nowUs, fact: "load", node: self, running, waiting, kvTokens }),
    made: (fact, job) => void log.facts.push({ atUs: clock.nowUs, fact, job, node: self }),
  });
  const { engine } = await runner.start();
  const { env, participant, stop } = await connect("node", plan.entity, ledgerUrl, routerUrl, runner, (own) => new Node(own, nodeOptions(scenario, plan, routerIds(), 0, streamsOf("node", plan.entity))));
  return {
    url: "", engine,
    play: (startUs) => void setTimeout(() => env.run(() => participant.start()), Math.max(0, (startUs - clock.nowUs) / 1_000)),
    stop: async () => { await stop(); await runner.stop(); },
  };
}

async function runnerOf(spec: RunnerSpec, { descriptor, operatorClass }: NodePlan): Promise<LiveRunner> {
  const { slots, kvTokensMax, offers } = descriptor;
  const models = offers.map(({ model }) => model);
  const { contextTokensMax } = offers[0]!;
  if (spec.kind === "mock") return new MockRunner({ models, slots, contextTokensMax, kvTokensMax, prefillTokensPerS: spec.prefillTokensPerS, decodeTokensPerS: spec.decodeTokensPerS, tokensIntervalMs: 50 });
  const { engine } = part.scenario.operators[operatorClass]!;
  const batchTokens = engine.kind === "llama.cpp" ? engine.batchTokens : undefined;
  const { LlamaRunner } = await import("../runner/llama.ts");
  return new LlamaRunner({ file: spec.file, models, slots, contextTokens: contextTokensMax, threads: spec.threads, gpu: false, ignoreEos: true, ...(batchTokens === undefined ? {} : { batchTokens }) });
}

async function beClients({ scenario, ledgerUrl, routerUrl }: Part & { role: "clients" }): Promise<Actor> {
  const plans = planClients(scenario);
  let submitted = 0;
  let ended = 0;
  let pending: Submission[] = [];
  let next = 0;
  let timer: NodeJS.Timeout | null = null;
  let toldMs = 0;
  const tell = (): void => {
    const done = next === pending.length && ended === submitted;
    if (!done && performance.now() - toldMs < 500) return;
    toldMs = performance.now();
    say({ word: "progress", submitted, ended, done });
  };
  log = new FactLog(clock, () => { ended++; tell(); });
  const clients = await Promise.all(plans.map(({ entity, clientClass }, i) => connect("client", entity, ledgerUrl, routerUrl, undefined,
    (env) => new Client(env, clientOptions(scenario, scenario.clients[clientClass]!, i, routerIds(), streamsOf("client", entity))))));

  const submitDue = (fromUs: number): void => {
    timer = null;
    for (; next < pending.length; next++) {
      const { atUs, client, request } = pending[next]!;
      const aheadUs = fromUs + atUs - clock.nowUs;
      if (aheadUs > 100) {
        timer = setTimeout(() => submitDue(fromUs), aheadUs / 1_000);
        return;
      }
      const prompt = promptOfTokens(request.inputTokens, submitted);
      const { env, participant } = clients[client]!;
      submitted++;
      env.run(() => { if (!participant.submit({ ...request, promptHash: sha256Hex(prompt) }, prompt)) ended++; });
    }
    tell();
  };
  return {
    url: "", engine: "",
    submit(fromUs, jobs) {
      pending = [...jobs];
      next = 0;
      submitDue(fromUs);
    },
    stop: async () => {
      if (timer !== null) clearTimeout(timer);
      await Promise.all(clients.map(({ stop }) => stop()));
    },
  };
}

await once(process, "disconnect");
