import type { ErrorCode, JobId, JobRequest, Message, ModelOffer, PeerId } from "../../protocol/messages.ts";
import { Client } from "../../scheduler/client.ts";
import type { Decision, Priced, Random, RunnerEvent, Timer, TimerId, WalletEvent } from "../../scheduler/environment.ts";
import { Node } from "../../scheduler/node.ts";
import { Router } from "../../scheduler/router.ts";
import type { Operator } from "../../scheduler/strategy/operator.ts";
import type { Recorder } from "../experiment/recorder/recorder.ts";
import type { Welfare } from "../experiment/welfare/accounts.ts";
import { InvariantError, LAWS } from "../experiment/recorder/invariant.ts";
import { Kernel } from "../kernel/kernel.ts";
import { RandomStreams } from "../kernel/random.ts";
import type { MarketEvent } from "../../protocol/result/market-event.ts";
import type { AsksReport } from "../../protocol/result/asks.ts";
import type { SettlementReport } from "../../protocol/result/settlement.ts";
import type { Scenario } from "../scenario/scenario.ts";
import { arrangementOf, type ChannelSpec } from "../scenario/sections/settlement.ts";
import { AskBook, pricesMove } from "./ask-book.ts";
import { Audit } from "./audit.ts";
import { NodeChurn } from "./churn.ts";
import { type ClientPlan, planClients } from "./client-plan.ts";
import { DemandDriver } from "./demand-driver.ts";
import { SimulatedEnvironment } from "./environment.ts";
import { Hosts } from "./hosts.ts";
import { checkedEnvelopes, type Envelopes, type Parcel, plainEnvelopes, SignedEnvelopes } from "./envelopes.ts";
import { peerIdOf, publicKeyOf, secretKeyOf } from "./identity.ts";
import { Latency } from "./latency.ts";
import { Mail } from "./mail.ts";
import { Books, capitalCostMsat } from "./money/books.ts";
import { Channels } from "./money/channels.ts";
import { Ledger } from "./money/ledger.ts";
import { Lightning } from "./money/lightning.ts";
import { type Now, operatorOf } from "./operators.ts";
import { Oracle } from "./oracle.ts";
import { clientOptions, identityOf, nodeOptions, type Role, routerNames, routerOptions } from "./participants.ts";
import { Peer } from "./peer.ts";
import { Presence } from "./presence.ts";
import { SimulatedRunner } from "./runner.ts";
import type { SupplyBook } from "../supply/book.ts";
import type { NodePlan } from "./supply.ts";
import { SupplyDriver } from "./supply-driver.ts";
import { SimulatedTelemetry } from "./telemetry.ts";
import { Timers } from "./timers.ts";

/** Kinds of kernel events, with their payload. */
const TIMER = 0; // lane or -1, timer slot
const ARRIVED = 1; // receiver, mail slot
const VERIFIED = 2; // receiver, mail slot
const RUNNER = 3; // peer, -
const PAYMENT = 4; // payment slot, state
const ARRIVAL = 5; // client class, -
const USER = 6; // client class, user
const CHURN = 7; // node, what happens
const MARK = 8; // -, -
const SUPPLY = 9; // what happens, to whom

export interface WorldOptions {
  readonly seed: number;
  readonly onEvent?: ((event: MarketEvent) => void) | undefined;
  /** Jobs whose decisions are wanted. */
  readonly explain?: ReadonlySet<string> | undefined;
  readonly onDecision?: ((decision: Decision, atUs: number) => void) | undefined;
  readonly onPriced?: ((event: Priced, atUs: number) => void) | undefined;
  /** Keeps the welfare accounts. */
  readonly welfare?: Welfare | undefined;
  /** Keeps the operators' accounts. */
  readonly supply?: SupplyBook | undefined;
  /** Gives peers real public keys also where messages are not signed, so that ids are the same in every mode. */
  readonly realKeys?: boolean | undefined;
  /** Told of every signed envelope that is refused; without it a refusal is a fault of the program. */
  readonly onRefused?: ((code: ErrorCode) => void) | undefined;
}

/**
 * The simulated world of a scenario: routers, nodes and clients on one kernel, with a network, wallets, engines and churn
 * around them. It passes messages, timers, payments and the engines' events between them, and tells the recorder.
 */
export class World {
  readonly kernel = new Kernel();
  readonly oracle = new Oracle();
  readonly ledger = new Ledger();
  readonly audit: Audit;
  readonly routingFeesAccount: number;
  readonly inFlightAccount: number;
  readonly heldAccount: number;
  /** Exposure, locked money and losses. */
  readonly books: Books;
  /** Routers first, then nodes, then clients. */
  readonly #peers: Peer[] = [];
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
  readonly #telemetry: SimulatedTelemetry;
  readonly #indexes = new Map<PeerId, number>();
  readonly #nodes: Node[] = [];
  /** Who sets a node's prices, through its restarts; null where they stay. */
  readonly #operators: (Operator | null)[] = [];
  /** null where prices never move. */
  readonly #asks: AskBook | null;
  readonly #presence: Presence;
  /** null where each node has a machine of its own. */
  readonly #hosts: Hosts | null;
  readonly #demand: DemandDriver[] = [];
  readonly #firstNode: number;
  readonly #firstClient: number;
  /** Class of each client participant. */
  readonly #clientClasses: readonly number[];
  readonly #signingUs: number;
  readonly #verifyingUs: number;
  #routerIds: readonly PeerId[] = [];
  #firstRouterId: PeerId = "";
  #lastId: PeerId = "";
  #lastIndex = -1;
  /** Who sent the message at hand. */
  #senderId: PeerId = "";
  #senderIndex = -1;
  /** Tariffs, quotes in fiat money, entry and exit; null: none of it. */
  readonly supply: SupplyDriver | null;
  readonly #now: Now = { timeUs: () => this.kernel.nowUs, fiatWorth: () => 1 / (this.supply?.book.setup.exchange.relativeAt(this.kernel.nowUs) ?? 1) };
  #draining = false;

  constructor(scenario: Scenario, plans: readonly NodePlan[], recorder: Recorder, options: WorldOptions) {
    this.#scenario = scenario;
    this.#plans = plans;
    this.#recorder = recorder;
    this.#options = options;
    this.horizonUs = scenario.horizonUs;
    this.#signingUs = scenario.network.signingUs;
    this.#verifyingUs = scenario.network.verifyingUs;
    this.#streams = new RandomStreams(options.seed);
    this.#asks = pricesMove(scenario) ? new AskBook(scenario, plans) : null;
    this.audit = new Audit(scenario, plans, this.oracle, options.seed);
    this.#timers = new Timers(this.kernel, TIMER);
    this.#mail = new Mail(this.kernel);
    this.routingFeesAccount = this.ledger.open(0);
    this.inFlightAccount = this.ledger.open(0);

    const clientPlans = planClients(scenario);
    const routers = routerNames(scenario);
    this.#firstNode = routers.length;
    this.#firstClient = this.#firstNode + plans.length;
    this.#clientClasses = clientPlans.map(({ clientClass }) => clientClass);
    const regions = [scenario.router.region, ...plans.map((plan) => plan.region), ...clientPlans.map((plan) => plan.region)];
    this.#latency = new Latency(scenario.network, regions);
    this.books = new Books({
      horizonUs: scenario.horizonUs, firstNode: this.#firstNode, firstClient: this.#firstClient,
      hasFailed: (node) => !this.#peers[node]!.up || this.#peers[node]!.epoch > 0,
    });
    this.#telemetry = new SimulatedTelemetry(this.kernel, this.oracle, recorder, {
      audit: this.audit,
      clientClassNames: scenario.clients.map((spec) => spec.name),
      nodeNames: plans.map((plan) => plan.name),
      nodeOf: (id) => this.#indexOf(id) - this.#firstNode,
      onEnded: (slot) => this.#jobEnded(slot),
      onEvent: options.onEvent, onPriced: options.onPriced, explain: options.explain, onDecision: options.onDecision,
      books: this.books, firstNode: this.#firstNode,
    });

    routers.forEach((name, i) => this.#addPeer(name, String(i), scenario.router.region, 0));
    for (const { name, entity, region } of plans) this.#addPeer(name, entity, region, 0);
    for (const { name, entity, region } of clientPlans) this.#addPeer(name, entity, region, scenario.payment.clientBalanceMsat);
    this.heldAccount = this.ledger.open(0);
    this.#lightning = this.#openLightning();
    this.#envelopes = this.#chooseEnvelopes();

    this.#firstRouterId = this.#peers[0]!.id;
    this.#routerIds = this.#peers.slice(0, this.#firstNode).map(({ id }) => id);
    routers.forEach((_, i) => this.#addRouter(i));
    this.#presence = new Presence(plans.map(({ present }) => present), {
      isIdle: (n) => this.#nodes[n]!.open === 0, shutDown: (n) => this.#nodes[n]!.shutDown(),
      switchOff: (n) => this.#switchOff(n), switchOn: (n) => this.#switchOn(n), gone: (n) => this.supply!.gone(n),
    });
    this.supply = this.#superviseSupply();
    this.#hosts = scenario.hosts === undefined ? null : new Hosts(scenario.hosts, plans.map(({ operatorClass }) => scenario.operators[operatorClass]!), (n, share, promptShare) => this.runners[n]!.setShare(share, promptShare));
    plans.forEach((plan, n) => this.#addNode(plan, n));
    clientPlans.forEach((_, i) => this.#addClient(i));
    scenario.clients.forEach((_, clientClass) => this.#addDemand(clientClass, clientPlans));
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

  /** What routers, wallets, engines and operators have come to so far, by the report's names. Looks on; changes nothing. */
  totals(nowUs: number, add: (name: string, total: number) => void): void {
    const used = this.#scenario.operators.map(() => 0);
    this.runners.forEach(({ engine }, n) => { used[this.#plans[n]!.operatorClass]! += engine.kvTokenUs(nowUs); });
    this.#scenario.operators.forEach(({ name }, index) => add(`operatorClasses.${name}.kvTokenUs`, used[index]!));
    for (const { kind, changeMsat } of this.accounts()) add(`money.${kind}.changeMsat`, changeMsat);
    this.books.totals(nowUs, add);
    this.#asks?.totals(nowUs, add);
    if (this.supply === null) return;
    this.supply.book.exchangeTotals(add);
    const { requotes, entry } = this.supply.end();
    add("supply.exchange.requotes", requotes);
    for (const { name, joins, leaves } of entry) {
      add(`supply.entry.${name}.joins`, joins);
      add(`supply.entry.${name}.leaves`, leaves);
    }
  }

  /** What nodes asked over time; null where prices never move. */
  asks(): AsksReport | null {
    return this.#asks?.finish(this.kernel.nowUs) ?? null;
  }

  /**
   * How money stood between those who trust each other with it.
   * @throws InvariantError where that does not agree with the accounts.
   */
  settlement(): SettlementReport {
    const { payment, clients, router } = this.#scenario;
    const { nowUs } = this.kernel;
    const [routers, nodes, holders] = this.accounts().map(({ changeMsat }) => changeMsat) as [number, number, number];
    const capacities = this.#channelSpecs().flatMap((spec) => (spec === null ? [] : [spec.capacityMsat]));
    const capacityMsat = capacities.reduce((sum, one) => sum + one, 0);
    try {
      return this.books.report(nowUs, [routers, nodes, holders], {
        arrangements: clients.map(({ settlement }) => arrangementOf(settlement)), capitalPerYear: payment.capitalPerYear,
        routerFeeBearer: router.fee.bearer ?? "client", routingFeeBearer: payment.feeBearer,
        channels: capacities.length === 0 ? null : { peers: capacities.length, capacityMsat, costMsat: capitalCostMsat(capacityMsat * nowUs, payment.capitalPerYear) },
      });
    } catch (error) {
      throw new InvariantError(LAWS.settlement, "", this.#options.seed, (error as Error).message);
    }
  }

  /** Balances by kind of account, msat: opening and closing. */
  accounts(): { kind: string; accounts: number; openingMsat: number; closingMsat: number; changeMsat: number }[] {
    const kinds: [string, number, number][] = [["routers", 0, this.#firstNode], ["nodes", this.#firstNode, this.#firstClient], ["clients", this.#firstClient, this.#peers.length]];
    const rows = kinds.map(([kind, first, end]) => {
      let closingMsat = 0;
      for (let peer = first; peer < end; peer++) closingMsat += this.ledger.balanceMsat(this.#peers[peer]!.account);
      const openingMsat = kind === "clients" ? (end - first) * this.#scenario.payment.clientBalanceMsat : 0;
      return { kind, accounts: end - first, openingMsat, closingMsat, changeMsat: closingMsat - openingMsat };
    });
    const others: [string, number][] = [["payments in flight", this.inFlightAccount], ["Lightning routing fees", this.routingFeesAccount]];
    if (this.#scenario.clients.some(({ settlement }) => settlement.terms?.kind === "escrow")) others.push(["locked in hold invoices", this.heldAccount]);
    for (const [kind, account] of others) {
      const closingMsat = this.ledger.balanceMsat(account);
      rows.push({ kind, accounts: 1, openingMsat: 0, closingMsat, changeMsat: closingMsat });
    }
    return rows;
  }

  stream(peer: number, purpose: string): Random {
    return this.#streams.stream(this.#role(peer), this.#peers[peer]!.entity, purpose);
  }

  send(from: number, to: PeerId, message: Message): void {
    const receiver = this.#indexOf(to);
    if (receiver < 0) return;
    const sender = this.#peers[from]!;
    let departUs = this.kernel.nowUs;
    if (this.#signingUs > 0) {
      departUs = Math.max(departUs, sender.cpuFreeUs) + this.#signingUs;
      sender.cpuFreeUs = departUs;
    }
    const pair = from * this.#peers.length + receiver;
    const arrivalUs = this.#latency.arrivalUs(departUs, sender.region, this.#peers[receiver]!.region, pair, sender.noise);
    this.#mail.post(ARRIVED, arrivalUs, from, receiver, this.#envelopes.seal(from, to, message, departUs));
  }

  /** Puts a parcel on the wire that no participant sent, as whoever listens there could; it arrives `delayUs` from now. */
  inject(from: number, to: number, parcel: Parcel, delayUs: number): void {
    this.#mail.post(ARRIVED, this.kernel.nowUs + delayUs, from, to, parcel);
  }

  after(peer: number, delayUs: number, timer: Timer): TimerId {
    return this.#timers.set(peer, this.#peers[peer]!.epoch, delayUs, timer);
  }

  cancelTimer(id: TimerId): boolean {
    return this.#timers.cancel(id);
  }

  deliverRunner(peer: number, event: RunnerEvent): void {
    const { up, participant } = this.#peers[peer]!;
    if (up) participant.onRunner(event);
  }

  runnerChanged(peer: number): void {
    const n = peer - this.#firstNode;
    if (this.#hosts !== null) this.#hosts.changed(n, this.runners[n]!.running > 0);
    if (!this.#peers[peer]!.up) return;
    const runner = this.runners[n]!;
    this.#recorder.nodeState(n, this.kernel.nowUs, runner.running, runner.waiting);
  }

  readonly #handle = (kind: number, a: number, b: number): void => {
    switch (kind) {
      case ARRIVED: return this.#arrived(a, b);
      case VERIFIED: return this.#deliver(a, b);
      case RUNNER:
        this.runners[a - this.#firstNode]!.advance();
        this.audit.engine(a - this.#firstNode, this.runners[a - this.#firstNode]!);
        return this.#mayHaveDrained(a);
      case TIMER: {
        const slot = this.#timers.due(a, b);
        if (slot < 0) return;
        const peer = this.#timers.peer(slot);
        const timer = this.#timers.take(slot, this.#peers[peer]!.epoch);
        if (timer !== null) this.#peers[peer]!.participant.onTimer(timer);
        return this.#mayHaveDrained(peer);
      }
      case PAYMENT: return this.#lightning.settle(a, b);
      case ARRIVAL: return this.#demand[a]!.arrive();
      case USER: return this.#demand[a]!.userIsReady(b);
      case CHURN: return this.#presence.onEvent(a, b);
      case SUPPLY: return this.supply!.onEvent(a, b);
      case MARK: return this.#recorder.meterKv(this.kernel.nowUs, (n) => this.runners[n]!.engine.kvTokenUs(this.kernel.nowUs));
      default: throw new Error(`unknown kind of event: ${kind}`);
    }
  };

  #start(): void {
    if (this.#scenario.warmupUs > 0) this.kernel.at(this.#scenario.warmupUs, MARK, 0, 0);
    this.kernel.at(this.horizonUs, MARK, 0, 0);
    for (const router of this.routers) router.start();
    this.#nodes.forEach((node, n) => {
      if (this.#presence.isInside(n)) return node.start();
      this.#peers[this.#firstNode + n]!.up = false;
      this.#recorder.nodeDown(n, 0);
    });
    this.#presence.start();
    this.supply?.start();
    for (const demand of this.#demand) demand.start();
  }

  #addRouter(peer: number): void {
    const router = new Router(this.#environment(peer, null), routerOptions(this.#scenario));
    this.routers.push(router);
    this.#peers[peer]!.participant = router;
  }

  #addNode(plan: NodePlan, n: number): void {
    const peer = this.#firstNode + n;
    const engine = plan.engine((ref) => this.#workUs(plan, ref));
    this.runners.push(new SimulatedRunner(this, peer, engine, plan.churn.failureShare, this.stream(peer, "failures")));
    this.#startNode(n, 0);
    this.#presence.add(new NodeChurn(plan.churn, {
      kernel: this.kernel, eventKind: CHURN, node: n, horizonUs: this.horizonUs, stream: (purpose) => this.stream(peer, purpose),
      leave: (abrupt) => this.#presence.goAway(n, abrupt), comeBack: () => this.#presence.comeBack(n), setSpeed: (factor) => this.#setSpeed(n, factor),
    }));
  }

  #addClient(i: number): void {
    const peer = this.#firstClient + i;
    const spec = this.#scenario.clients[this.#clientClasses[i]!]!;
    const client = new Client(this.#environment(peer, null), clientOptions(this.#scenario, spec, i, this.#routerIds, (purpose) => this.stream(peer, purpose)));
    this.clients.push(client);
    this.#peers[peer]!.participant = client;
  }

  #addDemand(clientClass: number, plans: readonly ClientPlan[]): void {
    const members = plans.flatMap((plan, i) => {
      const client = this.clients[i]!;
      if (plan.clientClass !== clientClass) return [];
      return [{ id: this.#peers[this.#firstClient + i]!.id, region: plan.region, submit: (request: JobRequest) => client.submit(request) }];
    });
    this.#demand.push(new DemandDriver({
      kernel: this.kernel, oracle: this.oracle, welfare: this.#options.welfare ?? null, exchange: this.#scenario.exchange?.fiatClients[clientClass] === true ? this.supply!.book.setup.exchange : null, horizonUs: this.horizonUs, arrivalKind: ARRIVAL, userKind: USER,
      stream: (subsystem, entity, purpose) => this.#streams.stream(subsystem, entity, purpose),
    }, clientClass, this.#scenario.clients[clientClass]!, members));
  }

  #openLightning(): Lightning {
    const { payment, network } = this.#scenario;
    const specs = this.#channelSpecs();
    const channels = specs.every((spec) => spec === null) ? null : new Channels({
      stream: (peer) => this.stream(peer, "channel"),
      chargeRebalancing: (peer, costMsat) => {
        const { account } = this.#peers[peer]!;
        const chargedMsat = Math.min(costMsat, this.ledger.balanceMsat(account));
        if (chargedMsat === 0) return;
        this.ledger.transfer(account, this.routingFeesAccount, chargedMsat);
        this.books.rebalanced(peer, chargedMsat);
      },
    }, specs);
    return new Lightning(
      {
        kernel: this.kernel, ledger: this.ledger, books: this.books, routingFeesAccount: this.routingFeesAccount, inFlightAccount: this.inFlightAccount,
        heldAccount: this.heldAccount, eventKind: PAYMENT,
        peerIndex: (id) => this.#indexOf(id), peerId: (peer) => this.#peers[peer]!.id, accountOf: (peer) => this.#peers[peer]!.account,
        isUp: (peer) => this.#peers[peer]!.up, deliverWallet: (peer, event) => this.#deliverWallet(peer, event),
        moved: (jobId, payer, payee, amountMsat, routingFeeMsat) => this.#moved(jobId, payer, payee, amountMsat, routingFeeMsat),
      },
      payment,
      { feeBearer: payment.feeBearer, reimburser: 0, channels, secret: network.messages === "signed" ? `preimage/${this.#options.seed}` : null },
    );
  }

  /** By peer: its channel; null: liquidity without bounds. */
  #channelSpecs(): (ChannelSpec | null)[] {
    const { clients, operators } = this.#scenario;
    return [
      ...Array.from({ length: this.#firstNode }, () => null), ...this.#plans.map(({ operatorClass }) => operators[operatorClass]!.settlement.channel),
      ...this.#clientClasses.map((clientClass) => clients[clientClass]!.settlement.channel),
    ];
  }

  #addPeer(name: string, entity: string, region: string, balanceMsat: number): void {
    const index = this.#peers.length;
    const identity = identityOf(this.#role(index), entity);
    const real = this.#options.realKeys === true || this.#scenario.network.messages === "signed";
    const id = real ? publicKeyOf(this.#options.seed, identity) : peerIdOf(this.#options.seed, identity);
    const noise = this.#streams.stream(this.#role(index), entity, "network");
    this.#peers.push(new Peer(id, name, entity, this.#latency.regionIndex(region), this.ledger.open(balanceMsat), noise));
    this.#indexes.set(id, index);
  }

  #role(peer: number): Role {
    return peer < this.#firstNode ? "router" : peer < this.#firstClient ? "node" : "client";
  }

  #chooseEnvelopes(): Envelopes {
    switch (this.#scenario.network.messages) {
      case "plain": return plainEnvelopes;
      case "checked": return checkedEnvelopes;
      case "signed": return new SignedEnvelopes(this.#peers.map(({ entity }, peer) => secretKeyOf(this.#options.seed, identityOf(this.#role(peer), entity))), this.#options.onRefused);
    }
  }

  /** Most messages go to a router, to the only client, or to the peer that was just spoken of: no need to look those up. */
  #indexOf(id: PeerId): number {
    if (id === this.#firstRouterId) return 0;
    if (id === this.#lastId) return this.#lastIndex;
    if (id === this.#senderId) return this.#senderIndex;
    const index = this.#indexes.get(id) ?? -1;
    this.#lastId = id;
    this.#lastIndex = index;
    return index;
  }

  #environment(peer: number, runner: SimulatedRunner | null): SimulatedEnvironment {
    const wallet = this.#lightning.wallet(peer, this.stream(peer, "payments"));
    return new SimulatedEnvironment(this, peer, this.#peers[peer]!.id, wallet, runner, this.#telemetry);
  }

  #startNode(n: number, incarnation: number): void {
    const peer = this.#firstNode + n;
    const plan = this.#plans[n]!;
    const offers = this.supply?.offersAtStart(n) ?? null;
    if (offers !== null) this.audit.asks(n, offers, this.kernel.nowUs);
    const operator = this.#operators[n] ??= operatorOf(this.#scenario.operators[plan.operatorClass]!.strategy, plan, this.#peers[peer]!.id, (purpose) => this.stream(peer, purpose), this.#now) ?? null;
    const options = nodeOptions(this.#scenario, plan, this.#routerIds, incarnation, (purpose) => this.stream(peer, purpose));
    const node = new Node(this.#environment(peer, this.runners[n]!), {
      ...options,
      descriptor: { ...options.descriptor, ...(offers === null ? {} : { offers: [...offers] }) },
      ...(operator === null ? {} : { operator, bidFor: (call, posted) => operator.bidFor(call, posted) }),
      onReprice: (offers) => this.#repriced(n, offers),
    });
    this.#nodes[n] = node;
    this.#peers[peer]!.participant = node;
  }

  #repriced(n: number, offers: readonly ModelOffer[]): void {
    this.audit.asks(n, offers, this.kernel.nowUs);
    this.#asks?.asks(n, offers[0]!.prices, this.#operators[n]?.offered ?? this.#plans[n]!.descriptor.slots, this.kernel.nowUs);
    this.supply?.book.quoted(n, this.kernel.nowUs);
  }

  #workUs(plan: NodePlan, ref: number): number {
    return plan.workUs === null ? 0 : plan.workUs(this.oracle.workSeed[ref]!);
  }

  #arrived(receiver: number, slot: number): void {
    if (this.#verifyingUs === 0) return this.#deliver(receiver, slot);
    const peer = this.#peers[receiver]!;
    const readyUs = Math.max(this.kernel.nowUs, peer.cpuFreeUs) + this.#verifyingUs;
    peer.cpuFreeUs = readyUs;
    this.kernel.at(readyUs, VERIFIED, receiver, slot);
  }

  #deliver(receiver: number, slot: number): void {
    const sender = this.#mail.sender(slot);
    const parcel = this.#mail.take(slot);
    const peer = this.#peers[receiver]!;
    if (!peer.up) return;
    const from = this.#peers[sender]!.id;
    const message = this.#envelopes.open(receiver, from, parcel, this.kernel.nowUs);
    if (message === null) return;
    this.delivered++;
    this.#senderId = from;
    this.#senderIndex = sender;
    peer.participant.onMessage(from, message);
    this.#mayHaveDrained(receiver);
  }

  /** Money of a job changed hands. */
  #moved(jobId: JobId, payer: number, payee: number, amountMsat: number, routingFeeMsat: number): void {
    const { welfare, supply } = this.#options;
    const firstNode = this.#firstNode;
    if (supply !== undefined && this.#scenario.payment.feeBearer === "payee" && payee >= firstNode && payee < this.#firstClient) supply.lightningFee(this.oracle.slotOf(jobId), routingFeeMsat);
    if (welfare === undefined) return;
    const firstClient = this.#firstClient;
    const gave = amountMsat + routingFeeMsat;
    const paidMsat = payer >= firstClient ? gave : payee >= firstClient ? -amountMsat : 0;
    const routerMsat = (payee < firstNode ? amountMsat : 0) - (payer < firstNode ? gave : 0);
    const client = payer >= firstClient ? payer : payee >= firstClient ? payee : -1;
    const clientClass = client < 0 ? 0 : this.#clientClasses[client - firstClient]!;
    const node = payee >= firstNode && payee < firstClient ? payee : payer >= firstNode && payer < firstClient ? payer : -1;
    const nodeMsat = node < 0 ? 0 : payee === node ? amountMsat : -gave;
    welfare.moved(this.oracle.slotOf(jobId), this.kernel.nowUs, clientClass, node < 0 ? -1 : node - firstNode, paidMsat, nodeMsat, routerMsat, routingFeeMsat);
  }

  #deliverWallet(peer: number, event: WalletEvent): void {
    const { up, participant } = this.#peers[peer]!;
    if (up) participant.onWallet(event);
    this.#mayHaveDrained(peer);
  }

  #mayHaveDrained(peer: number): void {
    if (this.#presence.leaving === 0 || peer < this.#firstNode || peer >= this.#firstClient) return;
    this.#presence.mayHaveDrained(peer - this.#firstNode);
  }

  #jobEnded(slot: number): void {
    const clientClass = this.oracle.clientClass[slot]!;
    const user = this.oracle.user[slot]!;
    this.oracle.end(slot);
    this.#demand[clientClass]!.jobEnded(user);
    if (this.#draining && this.oracle.inFlight === 0) this.kernel.stop();
  }

  #superviseSupply(): SupplyDriver | null {
    const book = this.#options.supply;
    if (book === undefined) return null;
    book.busyUs = (n) => this.runners[n]!.engine.busyUs(this.kernel.nowUs);
    return new SupplyDriver({
      kernel: this.kernel, eventKind: SUPPLY,
      flush: () => this.#recorder.flushSupply(this.kernel.nowUs),
      stream: (n, purpose) => this.stream(this.#firstNode + n, purpose),
      join: (n) => this.#presence.join(n), exit: (n) => this.#presence.exit(n),
      reprice: (n, offers) => {
        if (!this.#peers[this.#firstNode + n]!.up) return false;
        this.#nodes[n]!.reprice(offers);
        return true;
      },
    }, book, this.#scenario, this.#plans);
  }

  #switchOff(n: number): void {
    const peer = this.#peers[this.#firstNode + n]!;
    peer.up = false;
    peer.epoch++;
    this.runners[n]!.powerOff(this.#nodes[n]!.jobsAtRunner());
    this.#recorder.nodeDown(n, this.kernel.nowUs);
    this.#asks?.up(n, false, this.kernel.nowUs);
    this.#options.onEvent?.({ atUs: this.kernel.nowUs, event: "node-down", node: peer.name });
  }

  #switchOn(n: number): void {
    const peer = this.#peers[this.#firstNode + n]!;
    peer.up = true;
    this.#recorder.nodeUp(n, this.kernel.nowUs);
    this.#asks?.up(n, true, this.kernel.nowUs);
    this.#startNode(n, peer.epoch);
    this.#nodes[n]!.start();
    this.#options.onEvent?.({ atUs: this.kernel.nowUs, event: "node-up", node: peer.name });
  }

  #setSpeed(n: number, factor: number): void {
    this.runners[n]!.setSpeed(factor);
    this.#options.onEvent?.({ atUs: this.kernel.nowUs, event: factor < 1 ? "node-slow" : "node-fast", node: this.#peers[this.#firstNode + n]!.name });
  }
}
