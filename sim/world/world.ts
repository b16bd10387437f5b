import type { Message, PeerId } from "../../protocol/messages.ts";
import { Client } from "../../scheduler/client.ts";
import type { Decision, Participant, Random, RunnerEvent, Timer, TimerId, WalletEvent } from "../../scheduler/environment.ts";
import { Node } from "../../scheduler/node.ts";
import { Router } from "../../scheduler/router.ts";
import type { Recorder } from "../experiment/recorder/recorder.ts";
import { InvariantError, LAWS } from "../experiment/recorder/invariant.ts";
import { Kernel } from "../kernel/kernel.ts";
import { RandomStreams } from "../kernel/random.ts";
import type { Scenario } from "../scenario/scenario.ts";
import { NodeChurn } from "./churn.ts";
import { DemandDriver } from "./demand-driver.ts";
import { SimulatedEnvironment } from "./environment.ts";
import { checkedEnvelopes, type Envelopes, plainEnvelopes, SignedEnvelopes } from "./envelopes.ts";
import { peerIdOf, publicKeyOf, secretKeyOf } from "./identity.ts";
import { Latency } from "./latency.ts";
import { Mail } from "./mail.ts";
import { Ledger } from "./money/ledger.ts";
import { Lightning } from "./money/lightning.ts";
import { Oracle } from "./oracle.ts";
import { regionAt } from "./regions.ts";
import { SimulatedRunner } from "./runner.ts";
import type { NodePlan } from "./supply.ts";
import { type MarketEvent, SimulatedTelemetry } from "./telemetry.ts";
import { Timers } from "./timers.ts";

/** Kinds of kernel events, with their payload. */
const TIMER = 0; // peer, timer slot
const ARRIVED = 1; // receiver, mail slot
const VERIFIED = 2; // receiver, mail slot
const RUNNER = 3; // peer, -
const PAYMENT = 4; // payment slot, state
const ARRIVAL = 5; // client class, -
const USER = 6; // client class, user
const CHURN = 7; // node, what happens
const MARK = 8; // -, -

export interface WorldOptions {
  readonly seed: number;
  readonly onEvent?: ((event: MarketEvent) => void) | undefined;
  /** Jobs whose decisions are wanted. */
  readonly explain?: ReadonlySet<string> | undefined;
  readonly onDecision?: ((decision: Decision, atUs: number) => void) | undefined;
  /** Gives peers real public keys also where messages are not signed, so that ids are the same in every mode. */
  readonly realKeys?: boolean | undefined;
}

/**
 * The simulated world of a scenario: routers, nodes and clients on one kernel, with a network, wallets, engines and churn
 * around them. It passes messages, timers, payments and the engines' events between them, and tells the recorder.
 */
export class World {
  readonly kernel = new Kernel();
  readonly oracle = new Oracle();
  readonly ledger = new Ledger();
  readonly routingFeesAccount: number;
  readonly inFlightAccount: number;
  /** Routers first, then nodes, then clients. */
  readonly names: string[] = [];
  readonly ids: PeerId[] = [];
  readonly routers: Router[] = [];
  readonly runners: SimulatedRunner[] = [];
  readonly clients: Client[] = [];
  readonly horizonUs: number;
  readonly eventKind: number = RUNNER;
  readonly arrivalKind: number = ARRIVAL;
  readonly userKind: number = USER;
  /** Messages delivered so far. */
  delivered = 0;
  readonly #scenario: Scenario;
  readonly #options: WorldOptions;
  readonly #plans: readonly NodePlan[];
  readonly #recorder: Recorder;
  readonly #streams: RandomStreams;
  readonly #latency: Latency;
  readonly #lightning: Lightning;
  readonly #timers: Timers;
  readonly #mail: Mail;
  readonly #envelopes: Envelopes;
  readonly #identities: string[] = [];
  readonly #telemetry: SimulatedTelemetry;
  readonly #indexes = new Map<PeerId, number>();
  readonly #participants: Participant[] = [];
  readonly #environments: SimulatedEnvironment[] = [];
  readonly #noise: Random[] = [];
  readonly #up: Uint8Array;
  readonly #epoch: Int32Array;
  readonly #region: Int32Array;
  readonly #account: Int32Array;
  /** Until when each peer is busy signing and verifying, µs. */
  readonly #cpuFreeUs: Float64Array;
  readonly #nodes: Node[] = [];
  readonly #churn: NodeChurn[] = [];
  readonly #demand: DemandDriver[] = [];
  readonly #firstNode: number;
  readonly #firstClient: number;
  #firstRouterId: PeerId = "";
  #lastId: PeerId = "";
  #lastIndex = -1;
  /** Nodes that take no new jobs and leave once they hold none. */
  #leaving = 0;
  #draining = false;

  constructor(scenario: Scenario, plans: readonly NodePlan[], recorder: Recorder, options: WorldOptions) {
    this.#scenario = scenario;
    this.#plans = plans;
    this.#recorder = recorder;
    this.#options = options;
    this.horizonUs = scenario.horizonUs;
    this.#streams = new RandomStreams(options.seed);
    this.#timers = new Timers(this.kernel, TIMER);
    this.#mail = new Mail(this.kernel);
    this.routingFeesAccount = this.ledger.open(0);
    this.inFlightAccount = this.ledger.open(0);

    const clientPlans = scenario.clients.flatMap((spec, clientClass) =>
      Array.from({ length: spec.count }, (_, i) => ({ clientClass, name: spec.count === 1 ? spec.name : `${spec.name}-client-${i}`, region: regionAt(spec.regions, i, spec.count) })),
    );
    const routerNames = Array.from({ length: scenario.router.count }, (_, i) => (scenario.router.count === 1 ? "router" : `router-${i}`));
    this.#firstNode = routerNames.length;
    this.#firstClient = this.#firstNode + plans.length;
    const peers = this.#firstClient + clientPlans.length;
    this.#up = new Uint8Array(peers).fill(1);
    this.#epoch = new Int32Array(peers);
    this.#region = new Int32Array(peers);
    this.#account = new Int32Array(peers);
    this.#cpuFreeUs = new Float64Array(peers);
    const regions = [scenario.router.region, ...plans.map((plan) => plan.region), ...clientPlans.map((plan) => plan.region)];
    this.#latency = new Latency(scenario.network, regions);
    this.#lightning = new Lightning(
      {
        kernel: this.kernel, ledger: this.ledger, routingFeesAccount: this.routingFeesAccount, inFlightAccount: this.inFlightAccount, eventKind: PAYMENT,
        peerIndex: (id) => this.#indexOf(id), accountOf: (peer) => this.#account[peer]!, isUp: (peer) => this.#up[peer] === 1,
        deliverWallet: (peer, event) => this.#deliverWallet(peer, event),
      },
      scenario.payment,
    );
    this.#telemetry = new SimulatedTelemetry(this.kernel, this.oracle, recorder, {
      clientClassNames: scenario.clients.map((spec) => spec.name),
      nodeNames: plans.map((plan) => plan.name),
      nodeOf: (id) => this.#indexOf(id) - this.#firstNode,
      onEnded: (slot) => this.#jobEnded(slot),
      onEvent: options.onEvent, explain: options.explain, onDecision: options.onDecision,
    });

    for (const name of routerNames) this.#addPeer(`router/${name}`, name, scenario.router.region, 0);
    for (const plan of plans) this.#addPeer(`node/${plan.name}`, plan.name, plan.region, 0);
    for (const plan of clientPlans) this.#addPeer(`client/${plan.name}`, plan.name, plan.region, scenario.payment.clientBalanceMsat);
    this.#envelopes = this.#chooseEnvelopes();

    this.#firstRouterId = this.ids[0]!;
    const routerIds = this.ids.slice(0, this.#firstNode);
    routerNames.forEach((_, i) => {
      const router = new Router(this.#environment(i, null), {
        policy: scenario.router.policy,
        fee: scenario.router.fee,
        staleAfterUs: scenario.router.staleAfterUs,
        sweepUs: scenario.router.heartbeatUs,
        attempts: scenario.router.attempts,
        acceptTimeoutUs: scenario.router.acceptTimeoutUs,
        jobTimeoutUs: scenario.router.jobTimeoutUs,
        queueLimit: scenario.router.queue.limit,
        queueWaitUs: scenario.router.queue.maxWaitUs,
        circuitBreaker: scenario.router.circuitBreaker,
        quoteValidUs: scenario.router.heartbeatUs,
      });
      this.routers.push(router);
      this.#participants[i] = router;
    });
    plans.forEach((plan, n) => {
      const peer = this.#firstNode + n;
      const engine = plan.engine((ref) => this.#workUs(plan, ref));
      this.runners.push(new SimulatedRunner(this, peer, engine, plan.churn.failureShare, this.stream(peer, "failures")));
      this.#startNode(n, 0);
      this.#churn.push(new NodeChurn(plan.churn, {
        kernel: this.kernel, eventKind: CHURN, node: n, horizonUs: this.horizonUs, stream: (purpose) => this.stream(peer, purpose),
        leave: (abrupt) => this.#leave(n, abrupt), comeBack: () => this.#comeBack(n), setSpeed: (factor) => this.#setSpeed(n, factor),
      }));
    });
    const byClass = scenario.clients.map((): { id: PeerId; region: string; submit: Client["submit"] }[] => []);
    clientPlans.forEach((plan, i) => {
      const peer = this.#firstClient + i;
      // Each client has a router of its own to begin with, so that several routers share the load.
      const turn = i % routerIds.length;
      const client = new Client(this.#environment(peer, null), {
        routers: [...routerIds.slice(turn), ...routerIds.slice(0, turn)], paymentAttempts: PAYMENT_ATTEMPTS, paymentRetryUs: PAYMENT_RETRY_US,
      });
      this.clients.push(client);
      this.#participants[peer] = client;
      byClass[plan.clientClass]!.push({ id: this.ids[peer]!, region: plan.region, submit: (request) => client.submit(request) });
    });
    scenario.clients.forEach((spec, index) => {
      this.#demand.push(new DemandDriver({
        kernel: this.kernel, oracle: this.oracle, horizonUs: this.horizonUs, arrivalKind: ARRIVAL, userKind: USER,
        stream: (subsystem, entity, purpose) => this.#streams.stream(subsystem, entity, purpose),
      }, index, spec, byClass[index]!));
    });
    this.#start();
  }

  /** Plays until this time, or until nothing is left to do once arrivals are over. */
  run(untilUs: number): void {
    this.kernel.run(this.#handle, untilUs);
  }

  /** From now on the run stops when the last job has ended. @returns whether it has already. */
  drain(): boolean {
    this.#draining = true;
    return this.oracle.inFlight === 0;
  }

  /** Gives files back. */
  close(): void {
    for (const demand of this.#demand) demand.close();
  }

  /** Law of conservation of money, to the millisatoshi. @throws InvariantError where it is broken. */
  checkMoney(): void {
    const total = this.ledger.totalMsat();
    if (total !== this.ledger.openedMsat) {
      throw new InvariantError(LAWS.money, "", this.#options.seed, `accounts were opened with ${this.ledger.openedMsat} msat and hold ${total} msat`);
    }
  }

  /** Balances by kind of account, msat: opening and closing. */
  accounts(): { kind: string; accounts: number; openingMsat: number; closingMsat: number; changeMsat: number }[] {
    const kinds: [string, number, number][] = [["routers", 0, this.#firstNode], ["nodes", this.#firstNode, this.#firstClient], ["clients", this.#firstClient, this.ids.length]];
    const rows = kinds.map(([kind, first, end]) => {
      let closingMsat = 0;
      for (let peer = first; peer < end; peer++) closingMsat += this.ledger.balanceMsat(this.#account[peer]!);
      const openingMsat = kind === "clients" ? (end - first) * this.#scenario.payment.clientBalanceMsat : 0;
      return { kind, accounts: end - first, openingMsat, closingMsat, changeMsat: closingMsat - openingMsat };
    });
    for (const [kind, account] of [["payments in flight", this.inFlightAccount], ["Lightning routing fees", this.routingFeesAccount]] as const) {
      const closingMsat = this.ledger.balanceMsat(account);
      rows.push({ kind, accounts: 1, openingMsat: 0, closingMsat, changeMsat: closingMsat });
    }
    return rows;
  }

  stream(peer: number, purpose: string): Random {
    return this.#streams.stream(peer < this.#firstNode ? "router" : peer < this.#firstClient ? "node" : "client", this.names[peer]!, purpose);
  }

  send(from: number, to: PeerId, message: Message): void {
    const receiver = this.#indexOf(to);
    if (receiver < 0) return;
    const { kernel } = this;
    const { signingUs } = this.#scenario.network;
    let departUs = kernel.nowUs;
    if (signingUs > 0) {
      departUs = Math.max(departUs, this.#cpuFreeUs[from]!) + signingUs;
      this.#cpuFreeUs[from] = departUs;
    }
    const arrivalUs = this.#latency.arrivalUs(departUs, this.#region[from]!, this.#region[receiver]!, from * this.ids.length + receiver, this.#noise[from]!);
    this.#mail.post(ARRIVED, arrivalUs, from, receiver, this.#envelopes.seal(from, to, message, departUs));
  }

  after(peer: number, delayUs: number, timer: Timer): TimerId {
    return this.#timers.set(peer, this.#epoch[peer]!, delayUs, timer);
  }

  cancelTimer(id: TimerId): boolean {
    return this.#timers.cancel(id);
  }

  deliverRunner(peer: number, event: RunnerEvent): void {
    if (this.#up[peer] === 1) this.#participants[peer]!.onRunner(event);
  }

  runnerChanged(peer: number): void {
    const n = peer - this.#firstNode;
    if (this.#up[peer] === 0) return;
    const runner = this.runners[n]!;
    this.#recorder.nodeState(n, this.kernel.nowUs, runner.running, runner.waiting);
  }

  readonly #handle = (kind: number, a: number, b: number): void => {
    switch (kind) {
      case ARRIVED: return this.#arrived(a, b);
      case VERIFIED: return this.#deliver(a, b);
      case RUNNER:
        this.runners[a - this.#firstNode]!.advance();
        if (this.#leaving > 0) this.#mayHaveDrained(a - this.#firstNode);
        return;
      case TIMER: {
        const timer = this.#timers.take(b, this.#epoch[a]!);
        if (timer !== null) this.#participants[a]!.onTimer(timer);
        return;
      }
      case PAYMENT: return this.#lightning.settle(a, b);
      case ARRIVAL: return this.#demand[a]!.arrive();
      case USER: return this.#demand[a]!.userIsReady(b);
      case CHURN: return this.#churn[a]!.onEvent(b);
      case MARK: return this.#recorder.meterKv(this.kernel.nowUs, (n) => this.runners[n]!.engine.kvTokenUs(this.kernel.nowUs));
      default: throw new Error(`unknown kind of event: ${kind}`);
    }
  };

  #start(): void {
    if (this.#scenario.warmupUs > 0) this.kernel.at(this.#scenario.warmupUs, MARK, 0, 0);
    this.kernel.at(this.horizonUs, MARK, 0, 0);
    for (const router of this.routers) router.start();
    for (const node of this.#nodes) node.start();
    for (const churn of this.#churn) churn.start();
    for (const demand of this.#demand) demand.start();
  }

  #addPeer(identity: string, name: string, region: string, balanceMsat: number): void {
    const peer = this.ids.length;
    const real = this.#options.realKeys === true || this.#scenario.network.messages === "signed";
    const id = real ? publicKeyOf(this.#options.seed, identity) : peerIdOf(this.#options.seed, identity);
    this.names.push(name);
    this.#identities.push(identity);
    this.ids.push(id);
    this.#indexes.set(id, peer);
    this.#region[peer] = this.#latency.regionIndex(region);
    this.#account[peer] = this.ledger.open(balanceMsat);
    this.#noise.push(this.stream(peer, "network"));
  }

  #chooseEnvelopes(): Envelopes {
    switch (this.#scenario.network.messages) {
      case "plain": return plainEnvelopes;
      case "checked": return checkedEnvelopes;
      case "signed": return new SignedEnvelopes(this.#identities.map((identity) => secretKeyOf(this.#options.seed, identity)));
    }
  }

  /** Most messages go to a router, to the only client, or to the peer that was just spoken of: no need to look those up. */
  #indexOf(id: PeerId): number {
    if (id === this.#firstRouterId) return 0;
    if (id === this.#lastId) return this.#lastIndex;
    const index = this.#indexes.get(id) ?? -1;
    this.#lastId = id;
    this.#lastIndex = index;
    return index;
  }

  #environment(peer: number, runner: SimulatedRunner | null): SimulatedEnvironment {
    const wallet = this.#lightning.wallet(peer, this.stream(peer, "payments"));
    const environment = new SimulatedEnvironment(this, peer, this.ids[peer]!, wallet, runner, this.#telemetry);
    this.#environments[peer] = environment;
    return environment;
  }

  #startNode(n: number, incarnation: number): void {
    const peer = this.#firstNode + n;
    const plan = this.#plans[n]!;
    const heartbeatUs = this.#scenario.router.heartbeatUs;
    const node = new Node(this.#environment(peer, this.runners[n]!), {
      descriptor: { ...plan.descriptor, incarnation },
      routers: this.ids.slice(0, this.#firstNode),
      heartbeatUs,
      heartbeatOffsetUs: 1 + Math.floor(this.stream(peer, `heartbeat offset of incarnation ${incarnation}`).next() * heartbeatUs),
      invoiceExpiryUs: INVOICE_EXPIRY_US,
    });
    this.#nodes[n] = node;
    this.#participants[peer] = node;
  }

  #workUs(plan: NodePlan, ref: number): number {
    return plan.workUs === null ? 0 : plan.workUs(this.oracle.workSeed[ref]!);
  }

  #arrived(receiver: number, slot: number): void {
    const { verifyingUs } = this.#scenario.network;
    if (verifyingUs === 0) return this.#deliver(receiver, slot);
    const readyUs = Math.max(this.kernel.nowUs, this.#cpuFreeUs[receiver]!) + verifyingUs;
    this.#cpuFreeUs[receiver] = readyUs;
    this.kernel.at(readyUs, VERIFIED, receiver, slot);
  }

  #deliver(receiver: number, slot: number): void {
    const sender = this.#mail.sender(slot);
    const parcel = this.#mail.take(slot);
    if (this.#up[receiver] === 0) return;
    const from = this.ids[sender]!;
    const message = this.#envelopes.open(receiver, from, parcel, this.kernel.nowUs);
    if (message === null) return;
    this.delivered++;
    this.#participants[receiver]!.onMessage(from, message);
  }

  #deliverWallet(peer: number, event: WalletEvent): void {
    if (this.#up[peer] === 1) this.#participants[peer]!.onWallet(event);
    if (this.#leaving > 0 && peer >= this.#firstNode && peer < this.#firstClient) this.#mayHaveDrained(peer - this.#firstNode);
  }

  /** A node that is on its way out leaves with its last job. */
  #mayHaveDrained(n: number): void {
    if (this.#isIdle(n) && this.#churn[n]!.drained()) this.#leaving--;
  }

  #jobEnded(slot: number): void {
    const clientClass = this.oracle.clientClass[slot]!;
    const user = this.oracle.user[slot]!;
    this.oracle.end(slot);
    this.#demand[clientClass]!.jobEnded(user);
    if (this.#draining && this.oracle.inFlight === 0) this.kernel.stop();
  }

  #isIdle(n: number): boolean {
    return this.#nodes[n]!.open === 0;
  }

  #leave(n: number, abrupt: boolean): boolean {
    const peer = this.#firstNode + n;
    if (!abrupt && !this.#isIdle(n)) {
      this.#nodes[n]!.shutDown();
      this.#leaving++;
      return false;
    }
    this.#up[peer] = 0;
    this.#epoch[peer] = this.#epoch[peer]! + 1;
    this.runners[n]!.powerOff(this.#nodes[n]!.jobsAtRunner());
    this.#recorder.nodeDown(n, this.kernel.nowUs);
    this.#options.onEvent?.({ atUs: this.kernel.nowUs, event: "node-down", node: this.names[peer]! });
    return true;
  }

  #comeBack(n: number): void {
    const peer = this.#firstNode + n;
    this.#up[peer] = 1;
    this.#recorder.nodeUp(n, this.kernel.nowUs);
    this.#startNode(n, this.#epoch[peer]!);
    this.#nodes[n]!.start();
    this.#options.onEvent?.({ atUs: this.kernel.nowUs, event: "node-up", node: this.names[peer]! });
  }

  #setSpeed(n: number, factor: number): void {
    this.runners[n]!.setSpeed(factor);
    this.#options.onEvent?.({ atUs: this.kernel.nowUs, event: factor < 1 ? "node-slow" : "node-fast", node: this.names[this.#firstNode + n]! });
  }
}

/** BOLT 11's default expiry of an invoice: one hour. */
const INVOICE_EXPIRY_US = 3_600_000_000;
/** A payment is tried this often, with a growing pause. */
const PAYMENT_ATTEMPTS = 3;
const PAYMENT_RETRY_US = 1_000_000;
