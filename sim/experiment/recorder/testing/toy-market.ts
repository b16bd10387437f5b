import type { JobRow, RunReport } from "../../../../protocol/result.ts";
import { digest } from "../../../../protocol/canonical.ts";
import { Kernel } from "../../../kernel/kernel.ts";
import { type Random, RandomStreams } from "../../../kernel/random.ts";
import { msat } from "../../../supply/amount.ts";
import { SupplyBook } from "../../../supply/book.ts";
import { ExchangePath } from "../../../supply/exchange.ts";
import { flatTariff } from "../../../supply/tariff.ts";
import { Recorder } from "../recorder.ts";
import type { RecordedNode, RecorderSetup } from "../setup.ts";
import { windowWidthUs } from "../windows.ts";

const S = 1_000_000;
const NETWORK_US = 20_000;
const ARRIVE = 0;
const START = 1;
const FIRST_TOKEN = 2;
const FINISH = 3;
const GIVE_UP = 4;
const DOWN = 5;
const UP = 6;
const RETRY = 7;
const FLUSH = 8;

const OPERATORS = [
  { name: "rtx3060", machine: "RTX 3060 12 GB", count: 20, slots: 2, prefillTokensPerS: 1_500, decodeTokensPerS: 35, price: 30_000, region: "eu" },
  { name: "rtx4090", machine: "RTX 4090", count: 12, slots: 4, prefillTokensPerS: 6_000, decodeTokensPerS: 60, price: 55_000, region: "eu" },
  { name: "m2-max", machine: "Apple M2 Max", count: 18, slots: 2, prefillTokensPerS: 700, decodeTokensPerS: 30, price: 22_000, region: "us" },
];
const CLIENTS = [
  { name: "chat", rate: 7, input: 700, output: 180, max: 1_024, patienceUs: 90 * S, maxPriceMsat: 200, goals: { ttftUs: 2 * S, tpotUs: 60_000 } },
  { name: "summaries", rate: 1.2, input: 4_000, output: 300, max: 2_048, patienceUs: 300 * S, maxPriceMsat: 900, goals: { endToEndUs: 60 * S } },
];

const POWER = { idleWatts: 15, loadWatts: 300 };
const ELECTRICITY = msat(20_000);

/** Machines that cost something, and a bitcoin that moves. */
function toyBook(seed: number, horizonUs: number, warmupUs: number, nodes: readonly RecordedNode[]): SupplyBook {
  return new SupplyBook({
    warmupUs, horizonUs, windowUs: windowWidthUs(horizonUs),
    operatorClasses: OPERATORS.map(({ name, price }, index) => ({
      name, tariff: flatTariff(ELECTRICITY), unknown: index === 2 ? ["machine"] : [], inFiat: index === 0,
      model: {
        machine: index === 2 ? null : { kind: "rented", perHour: { currency: "USD", units: price * 40 } }, capitalPpmPerYear: 0, stakeMsat: 0,
        power: { idleMilliwatts: POWER.idleWatts * 1000, loadMilliwatts: POWER.loadWatts * 1000 }, bandwidthPerGb: null, bytesPerToken: 0,
      },
    })),
    clientClasses: CLIENTS.map(({ name }, index) => ({ name, inFiat: index === 1 })),
    nodes: nodes.map(({ operatorClass }) => ({ operatorClass, present: true })),
    exchange: new ExchangePath({ kind: "path", points: [{ atUs: 0, relative: 1 }, { atUs: Math.floor(horizonUs / 2), relative: 1.25 }] }, [{ currency: "USD", msatPerUnit: 10 }], new RandomStreams(seed).stream("toy", "exchange", "rate")),
    operatorFeeMsat: () => 0,
  });
}

/**
 * A market in miniature that drives the recorder as the real world does, for tests and as a source of example reports: nodes
 * with first-come-first-served slots, a router that sends a job to the cheaper or emptier of two, breakdowns, retries, impatience.
 */
export class ToyMarket {
  readonly #kernel = new Kernel();
  readonly #recorder: Recorder;
  readonly #random: Random;
  readonly #setup: RecorderSetup;
  readonly #slotsFree: number[] = [];
  readonly #jobs: ToyJob[] = [];
  readonly #running: number[];
  readonly #queue: number[][];
  readonly #up: boolean[];
  readonly #prices: number[];
  #lastSlot = 0;
  #number = 0;

  constructor(seed: number, horizonUs: number, warmupUs: number, onJobRow?: (row: JobRow) => void) {
    this.#random = new RandomStreams(seed).stream("toy", "market", "all");
    const nodes: RecordedNode[] = OPERATORS.flatMap((operator, operatorClass) =>
      Array.from({ length: operator.count }, (_, index) => ({
        name: `${operator.name}-${index + 1}`, operatorClass, region: operator.region, machine: operator.machine, model: "llama-3.1-8b:q4_k_m",
        slots: operator.slots, kvTokensMax: 16_384, power: POWER, electricityMsatPerKwh: ELECTRICITY.units, ...this.#priceSheet(operator.price),
      })),
    );
    this.#prices = nodes.map(({ outputMsatPerMtok }) => outputMsatPerMtok!);
    this.#setup = {
      seed, horizonUs, warmupUs, clientClasses: CLIENTS, operatorClasses: OPERATORS, nodes, supply: toyBook(seed, horizonUs, warmupUs, nodes),
      jobName: (slot) => this.#jobs[slot]!.name, ...(onJobRow === undefined ? {} : { onJobRow }),
    };
    this.#recorder = new Recorder(this.#setup);
    this.#running = nodes.map(() => 0);
    this.#queue = nodes.map(() => []);
    this.#up = nodes.map(() => true);
  }

  play(): RunReport {
    CLIENTS.forEach((_, client) => this.#planArrival(client));
    this.#planFlush();
    this.#up.forEach((_, node) => this.#kernel.after(this.#exponential(3_600 * S), DOWN, node, 0));
    while (this.#kernel.nowUs < this.#setup.horizonUs) {
      this.#kernel.run((kind, a, b) => this.#handle(kind, a, b), Math.min(this.#setup.horizonUs, this.#recorder.nextMarkUs));
      this.#recorder.mark(this.#kernel.nowUs);
    }
    this.#kernel.run((kind, a, b) => this.#handle(kind, a, b), this.#setup.horizonUs + 900 * S);
    const scenario = { name: "toy", clients: CLIENTS, operators: OPERATORS };
    return this.#recorder.finish(this.#kernel.nowUs, {
      provenance: {
        lab: { name: "infernet-lab", version: "0.0.0" },
        scenario: { name: "toy", question: "What does a report look like?", hash: digest(scenario), resolved: scenario },
        seed: this.#setup.seed, sets: [],
      },
      money: { accounts: [
        { kind: "clients", accounts: 2, openingMsat: 2_000_000_000, closingMsat: 2_000_000_000 - this.#paid, changeMsat: -this.#paid },
        { kind: "nodes", accounts: this.#up.length, openingMsat: 0, closingMsat: this.#paid - this.#fees, changeMsat: this.#paid - this.#fees },
        { kind: "router", accounts: 1, openingMsat: 0, closingMsat: this.#fees, changeMsat: this.#fees },
      ] },
    });
  }
  #paid = 0;
  #fees = 0;

  #planFlush(): void {
    const nextUs = this.#setup.supply!.nextUs(this.#kernel.nowUs);
    if (nextUs < Infinity) this.#kernel.at(nextUs, FLUSH, 0, 0);
  }

  #handle(kind: number, a: number, b: number): void {
    const now = this.#kernel.nowUs;
    if (kind === ARRIVE) return this.#arrive(a, now);
    if (kind === FLUSH) {
      this.#recorder.flushSupply(now);
      return this.#planFlush();
    }
    if (kind === DOWN) return this.#goDown(a, now);
    if (kind === UP) {
      this.#up[a] = true;
      this.#recorder.nodeUp(a, now);
      this.#kernel.after(this.#exponential(3_600 * S), DOWN, a, 0);
      return;
    }
    const job = this.#jobs[a]!;
    if (job.serial !== b) return;
    if (kind === GIVE_UP) {
      this.#release(job, now);
      this.#end(a, "expired", "patience", now);
    } else if (kind === RETRY) {
      this.#dispatch(a, now);
    } else if (kind === START) {
      this.#recorder.started(a, now, job.attempt);
    } else if (kind === FIRST_TOKEN) {
      this.#recorder.firstToken(a, now, job.attempt);
    } else if (kind === FINISH) {
      this.#finish(a, now);
    }
  }

  #arrive(client: number, now: number): void {
    const { input, output, max, patienceUs, maxPriceMsat } = CLIENTS[client]!;
    if (now < this.#setup.horizonUs) this.#planArrival(client);
    else return;
    const slot = this.#slotsFree.pop() ?? this.#lastSlot++;
    const outputTokens = Math.min(max, 1 + Math.floor(this.#exponential(output)));
    const inputTokens = 1 + Math.floor(this.#exponential(input));
    const serial = ++this.#number;
    this.#jobs[slot] = { name: `${CLIENTS[client]!.name}-${serial}`, client, inputTokens, outputTokens, maxPriceMsat, attempt: 0, node: -1, running: false, serial };
    this.#recorder.submitted(slot, now, client, inputTokens, max, maxPriceMsat);
    this.#kernel.after(patienceUs, GIVE_UP, slot, serial);
    this.#dispatch(slot, now);
  }

  #dispatch(slot: number, now: number): void {
    const job = this.#jobs[slot]!;
    if (job.attempt === 3) return this.#end(slot, "failed", "attempts-exhausted", now);
    const pick = (): number => Math.floor(this.#random.next() * this.#up.length);
    let best = -1;
    for (let tries = 0; tries < 3; tries++) {
      const node = pick();
      if (!this.#up[node] || this.#queue[node]!.length >= 4) continue;
      if (best < 0 || this.#cost(node) < this.#cost(best)) best = node;
    }
    if (best < 0) return this.#end(slot, "rejected", "no-eligible-node", now);
    if (this.#amount(job, best) > job.maxPriceMsat) return this.#end(slot, "rejected", "too-dear", now);
    job.node = best;
    job.attempt++;
    this.#recorder.assigned(slot, now, best, job.attempt);
    this.#queue[best]!.push(slot);
    this.#serve(best, now);
  }

  #serve(node: number, now: number): void {
    const { operatorClass, slots } = this.#setup.nodes[node]!;
    const operator = OPERATORS[operatorClass]!;
    while (this.#running[node]! < slots && this.#queue[node]!.length > 0) {
      const slot = this.#queue[node]!.shift()!;
      const job = this.#jobs[slot]!;
      this.#running[node]!++;
      job.running = true;
      const prefillUs = Math.round((job.inputTokens / operator.prefillTokensPerS) * S);
      const decodeUs = Math.round((job.outputTokens / operator.decodeTokensPerS) * S);
      this.#kernel.after(NETWORK_US, START, slot, job.serial);
      this.#kernel.after(2 * NETWORK_US + prefillUs, FIRST_TOKEN, slot, job.serial);
      this.#kernel.after(2 * NETWORK_US + prefillUs + decodeUs, FINISH, slot, job.serial);
    }
    this.#recorder.nodeState(node, now, this.#running[node]!, this.#queue[node]!.length);
  }

  #finish(slot: number, now: number): void {
    const job = this.#jobs[slot]!;
    const amount = this.#amount(job, job.node);
    const fee = Math.floor(amount / 100);
    this.#recorder.finished(slot, now, job.node, job.attempt, job.inputTokens, job.outputTokens, amount - fee, fee);
    this.#paid += amount;
    this.#fees += fee;
    this.#release(job, now);
    this.#end(slot, "completed", "", now);
  }

  #goDown(node: number, now: number): void {
    this.#up[node] = false;
    this.#queue[node] = [];
    this.#running[node] = 0;
    this.#recorder.nodeDown(node, now);
    this.#kernel.after(this.#exponential(600 * S), UP, node, 0);
    this.#jobs.forEach((job, slot) => {
      if (job.node !== node || job.serial === 0) return;
      this.#recorder.attemptFailed(slot, now, node, job.attempt, "runner-failed");
      job.running = false;
      job.node = -1;
      // What was planned for the lost attempt must not happen: the job goes on under another serial number.
      job.serial = ++this.#number;
      this.#kernel.after(S, RETRY, slot, job.serial);
    });
  }

  #release(job: ToyJob, now: number): void {
    if (job.node < 0) return;
    if (job.running) this.#running[job.node]!--;
    else this.#queue[job.node] = this.#queue[job.node]!.filter((slot) => this.#jobs[slot] !== job);
    const { node } = job;
    job.node = -1;
    this.#serve(node, now);
  }

  #end(slot: number, status: "completed" | "failed" | "rejected" | "expired", reason: string, now: number): void {
    this.#recorder.ended(slot, now, status, reason);
    this.#jobs[slot]!.serial = 0;
    this.#jobs[slot]!.node = -1;
    this.#slotsFree.push(slot);
  }

  #planArrival(client: number): void {
    // A rush in the middle third, so that the plots over time have something to show.
    const third = Math.floor((3 * this.#kernel.nowUs) / this.#setup.horizonUs);
    this.#kernel.after(this.#exponential(S / CLIENTS[client]!.rate / (third === 1 ? 2.2 : 1)), ARRIVE, client, 0);
  }

  #cost(node: number): number {
    return this.#prices[node]! * (1 + this.#queue[node]!.length + this.#running[node]! / this.#setup.nodes[node]!.slots);
  }

  #amount(job: ToyJob, node: number): number {
    const { inputMsatPerMtok, outputMsatPerMtok } = this.#setup.nodes[node]!;
    return Math.floor((job.inputTokens * inputMsatPerMtok! + job.outputTokens * outputMsatPerMtok!) / 1e6);
  }

  #priceSheet(typical: number): { inputMsatPerMtok: number; outputMsatPerMtok: number } {
    const output = Math.round(typical * (0.8 + 0.4 * this.#random.next()));
    return { inputMsatPerMtok: Math.round(output / 3), outputMsatPerMtok: output };
  }

  #exponential(mean: number): number {
    return Math.max(1, Math.round(-mean * Math.log(1 - this.#random.next())));
  }
}

interface ToyJob {
  readonly name: string;
  readonly client: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly maxPriceMsat: number;
  attempt: number;
  node: number;
  running: boolean;
  /** 0 where the slot is free. */
  serial: number;
}
