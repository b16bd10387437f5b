import type { ModelOffer, PriceSheet } from "../../protocol/messages.ts";
import type { Supply } from "../../protocol/result.ts";
import type { SupplyEnd } from "../experiment/recorder/supply.ts";
import { distribution } from "../kernel/distributions/index.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { Random } from "../kernel/random.ts";
import type { EntrySpec, Scenario } from "../scenario/scenario.ts";
import { msatOf } from "../supply/amount.ts";
import type { ClassTotals, SupplyBook } from "../supply/book.ts";
import { EntryMarket, JOINING } from "../supply/entry.ts";
import type { NodePlan } from "./supply.ts";

/** What happens; payload of the driver's kernel events. */
const FLUSH = 0; // -
const REQUOTE = 1; // operator class
const OBSERVE = 2; // operator class
const THINK = 3; // node
const JOIN = 4; // node
const EXIT = 5; // node

/** How often what a class earns is looked at, between two thoughts of an operator. */
const LOOKS_PER_THOUGHT = 8;

/** What the driver needs of the world around it. */
export interface SupplyHost {
  readonly kernel: Kernel;
  /** Kernel event kind with which the world calls {@link SupplyDriver.onEvent}; its payload is (what, of whom). */
  readonly eventKind: number;
  /** Has the recorder settle its nodes and the book book what happened since the last time. */
  flush(): void;
  stream(node: number, purpose: string): Random;
  /** Starts a node that was out of the market. */
  join(node: number): void;
  /** Takes a node out of the market once it has finished what it holds; `gone` follows, perhaps at once. */
  exit(node: number): void;
  /** Posts these offers from now on. @returns false where the node is not up: it will, when it starts */
  reprice(node: number, offers: readonly ModelOffer[]): boolean;
}

/** An operator class whose nodes come and go. */
interface Entry {
  readonly spec: EntrySpec;
  readonly operatorClass: number;
  readonly market: EntryMarket;
  readonly firstNode: number;
  readonly fixedAtStartMsat: number;
  readonly meanOutsideMsat: number;
  last: ClassTotals;
  lastUs: number;
}

/** Moves what is slow in a market: tariffs and exchange rates, quotes in fiat money, and operators who come and go. */
export class SupplyDriver {
  readonly book: SupplyBook;
  readonly #host: SupplyHost;
  readonly #plans: readonly NodePlan[];
  readonly #horizonUs: number;
  /** By operator class; null: its nodes are there all the time. */
  readonly #entries: readonly (Entry | null)[];
  readonly #scenario: Scenario;
  /** What each node that quotes in fiat asks in msat now. */
  readonly #offers: (readonly ModelOffer[] | null)[];
  #requotes = 0;

  constructor(host: SupplyHost, book: SupplyBook, scenario: Scenario, plans: readonly NodePlan[]) {
    this.#host = host;
    this.book = book;
    this.#plans = plans;
    this.#scenario = scenario;
    this.#horizonUs = scenario.horizonUs;
    this.#offers = plans.map(() => null);
    this.#entries = scenario.operators.map((spec, operatorClass) => (spec.supply?.entry == null ? null : this.#entry(spec.supply.entry, operatorClass, spec.count)));
  }

  start(): void {
    const { kernel } = this.#host;
    this.#planFlush();
    this.#scenario.operators.forEach((spec, index) => {
      const quote = spec.supply?.quote ?? null;
      if (quote !== null) this.#plan(quote.everyUs, REQUOTE, index);
      if (this.#entries[index] !== null) this.#plan(this.#lookUs(index), OBSERVE, index);
    });
    this.#plans.forEach((plan, node) => {
      const entry = this.#entries[plan.operatorClass]!;
      // Nobody decides before there was something to see, nor do all think at the same moment.
      if (entry !== null) this.#plan(kernel.nowUs + Math.floor((1 + this.#host.stream(node, "moment of thought").next()) * entry.spec.everyUs), THINK, node);
    });
  }

  onEvent(what: number, of: number): void {
    const { kernel } = this.#host;
    switch (what) {
      case FLUSH:
        this.#host.flush();
        return this.#planFlush();
      case REQUOTE:
        this.#requote(of);
        return this.#plan(kernel.nowUs + this.#scenario.operators[of]!.supply!.quote!.everyUs, REQUOTE, of);
      case OBSERVE:
        this.#observe(this.#entries[of]!);
        return this.#plan(kernel.nowUs + this.#lookUs(of), OBSERVE, of);
      case THINK: return this.#think(of);
      case JOIN:
        this.#entryOf(of).market.joined(of - this.#entryOf(of).firstNode);
        this.book.present(of, kernel.nowUs, true);
        return this.#host.join(of);
      case EXIT: return this.#host.exit(of);
      default: throw new Error(`unknown event of supply: ${what}`);
    }
  }

  /** A node that was on its way out has left. */
  gone(node: number): void {
    this.book.present(node, this.#host.kernel.nowUs, false);
    this.#entryOf(node).market.left(node - this.#entryOf(node).firstNode);
  }

  /** What a node offers that starts now; null: what its plan says. */
  offersAtStart(node: number): readonly ModelOffer[] | null {
    const offers = this.#quote(node);
    if (offers !== null) this.book.quoted(node, this.#host.kernel.nowUs);
    this.#offers[node] = offers;
    return offers;
  }

  end(): SupplyEnd {
    return {
      requotes: this.#requotes,
      entry: this.#entries.flatMap((entry): Supply["entry"] => (entry === null ? [] : [{
        name: this.#scenario.operators[entry.operatorClass]!.name,
        potential: entry.spec.potential,
        atStart: this.#scenario.operators[entry.operatorClass]!.count,
        atEnd: entry.market.present,
        joins: entry.market.joins,
        leaves: entry.market.leaves,
        outsideMsatPerHour: entry.meanOutsideMsat,
        fixedMsatPerHour: entry.fixedAtStartMsat,
      }])),
    };
  }

  #entry(spec: EntrySpec, operatorClass: number, count: number): Entry {
    const firstNode = this.#plans.findIndex((plan) => plan.operatorClass === operatorClass);
    const outsideMsat = msatOf(spec.outsidePerHour, this.book.setup.exchange.ratesAt(0));
    const factor = spec.outsideCv === 0 ? null : distribution({ lognormal: { mean: 1, cv: spec.outsideCv } });
    const outside = Float64Array.from({ length: spec.potential }, (_, i) => outsideMsat * (factor?.sample(this.#host.stream(firstNode + i, "outside option")) ?? 1));
    return {
      spec, operatorClass, firstNode, market: new EntryMarket(outside, count, spec.memoryUs, spec.announced), last: { ownedUs: 0, revenueMsat: 0, costsMsat: 0 }, lastUs: 0,
      fixedAtStartMsat: this.book.fixedPerHourMsat(operatorClass, 0), meanOutsideMsat: outside.reduce((sum, value) => sum + value, 0) / outside.length,
    };
  }

  #entryOf(node: number): Entry {
    return this.#entries[this.#plans[node]!.operatorClass]!;
  }

  #lookUs(operatorClass: number): number {
    return Math.max(1, Math.floor(this.#entries[operatorClass]!.spec.everyUs / LOOKS_PER_THOUGHT));
  }

  #observe(entry: Entry): void {
    this.#host.flush();
    const { nowUs } = this.#host.kernel;
    const totals = this.book.totals(entry.operatorClass);
    const { last } = entry;
    entry.market.observed.observe(nowUs - entry.lastUs, totals.ownedUs - last.ownedUs, totals.revenueMsat - last.revenueMsat, totals.costsMsat - last.costsMsat);
    entry.last = totals;
    entry.lastUs = nowUs;
  }

  #think(node: number): void {
    const entry = this.#entryOf(node);
    const { nowUs } = this.#host.kernel;
    const { spec, market, firstNode, operatorClass } = entry;
    const { exchange } = this.book.setup;
    const factor = spec.outsidePerHour.currency === "msat" ? 1 : 1 / exchange.relativeAt(nowUs);
    if (market.thinks(node - firstNode, this.book.fixedPerHourMsat(operatorClass, nowUs), factor)) {
      const joining = market.state(node - firstNode) === JOINING;
      this.#plan(nowUs + (joining ? spec.delayUs : spec.exitDelayUs), joining ? JOIN : EXIT, node);
    }
    this.#plan(nowUs + spec.everyUs, THINK, node);
  }

  #requote(operatorClass: number): void {
    this.#plans.forEach((plan, node) => {
      if (plan.operatorClass !== operatorClass) return;
      const before = this.#offers[node]?.[0]?.prices;
      const offers = this.#quote(node);
      if (offers === null) return;
      this.book.quoted(node, this.#host.kernel.nowUs);
      this.#offers[node] = offers;
      const { prices } = offers[0]!;
      if (before !== undefined && samePrices(before, prices)) return;
      if (this.#host.reprice(node, offers)) this.#requotes++;
    });
  }

  /** The node's offers at the rate of the moment; null where it quotes in msat. */
  #quote(node: number): readonly ModelOffer[] | null {
    const { quote, descriptor } = this.#plans[node]!;
    if (quote === null) return null;
    const rates = this.book.setup.exchange.ratesAt(this.#host.kernel.nowUs);
    const inMsat = (units: number): number => Math.round(msatOf({ currency: quote.currency, units }, rates));
    const prices: PriceSheet = {
      inputMsatPerMtok: inMsat(quote.inputUnitsPerMtok), outputMsatPerMtok: inMsat(quote.outputUnitsPerMtok), fixedMsat: inMsat(quote.fixedUnits),
    };
    return descriptor.offers.map((offer) => ({ ...offer, prices }));
  }

  #planFlush(): void {
    const { kernel, eventKind } = this.#host;
    const nextUs = this.book.nextUs(kernel.nowUs);
    if (nextUs <= this.#horizonUs) kernel.at(nextUs, eventKind, FLUSH, 0);
  }

  /** Nothing new happens at or after the horizon; what was decided before may still come to pass in time. */
  #plan(atUs: number, what: number, of: number): void {
    if (atUs < this.#horizonUs) this.#host.kernel.at(Math.max(atUs, this.#host.kernel.nowUs), this.#host.eventKind, what, of);
  }
}

function samePrices(a: PriceSheet, b: PriceSheet): boolean {
  return a.inputMsatPerMtok === b.inputMsatPerMtok && a.outputMsatPerMtok === b.outputMsatPerMtok && a.fixedMsat === b.fixedMsat;
}
