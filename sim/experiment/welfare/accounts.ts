import type { ReportJobStatus } from "../../../protocol/result.ts";
import type { StructureReport, WelfareReport } from "../../../protocol/result/welfare.ts";
import { InvariantError, LAWS } from "../recorder/invariant.ts";
import { BATCHES } from "../recorder/marks.ts";
import { bitOf, BUDGET, causeOf, DELIVERED, LOSS_CAUSES, STARTED, TOO_DEAR, WAITING } from "./causes.ts";
import { DemandCurve, supplyCurve } from "./demand-curve.ts";
import { type Groups, groupsOf, timeOf } from "./groups.ts";
import { longer } from "./longer.ts";
import { compare } from "./losses.ts";
import { plan } from "./planner.ts";
import type { WelfareSetup } from "./setup.ts";
import { Spells } from "./spells.ts";
import { JobWindow, WINDOW_JOBS_MAX } from "./window.ts";

/** Columns of a job under way: what is touched most in one line of the processor's cache. */
const VALUE = 0;
const WINDOW = 1;
const BITS = 2;
const CLASS = 3;
const PAID = 4;
const NODE_GOT = 5;
const ROUTER_GOT = 6;
const NETWORK_GOT = 7;
/** Node that delivered or was paid last; -1 before. */
const NODE = 8;
const DELIVERED_US = 9;
const COST = 10;
const SUBMITTED = 11;
const INPUT = 12;
const OUTPUT = 13;
const ROW = 16;

/** Columns of a client class's sums, and of a node's. */
const JOBS = 0;
const JOBS_DELIVERED = 1;
const CLASS_VALUE = 2;
const CLASS_WAITING = 3;
const CLASS_PAID = 4;
const CLASS_ROW = 5;
const GOT = 0;
/** Nodes asked for their cost of one job, where costs differ from job to job. */
const ASKED_MAX = 256;
const SPENT = 1;
/** Names of a client class's sums, by column. */
const CLASS_TOTALS = ["jobs", "delivered", "valueMsat", "waitingMsat", "paidMsat"] as const;
/** Shorter than this share of their length windows are not cut, so that quick changes of costs do not make windows without number. */
const UNCUT = 0.01;

/** By batch of the run, msat. */
export interface BatchedWelfare {
  /** Length of the windows, µs. */
  readonly lengthUs: Float64Array;
  readonly firstBestMsat: Float64Array;
  /** By cause, in the order of `LOSS_CAUSES`. */
  readonly losses: readonly Float64Array[];
}

/** What the accounts come to. */
export interface WelfareAccounts {
  /** Null where amounts are too large for whole numbers of msat (2^53). */
  readonly welfare: WelfareReport | null;
  readonly passThrough: StructureReport["passThrough"];
  /** What nodes received for their jobs, and what these cost them, msat. */
  readonly lernerOf: readonly [number, number];
  readonly windows: number;
  /** Of the jobs submitted in each batch of the measured interval, by the planner's window in which they were. */
  readonly byBatch: BatchedWelfare;
}

/**
 * The welfare accounts of one run: who gained how much from each job, what a planner who knows all values and costs would
 * have made of the same jobs, and where the difference went.
 *
 * Jobs go by the slot that the caller hands out, as at the recorder. Jobs of the warm-up are left out, and so are those that
 * have not ended when the run stops. Money is counted where it moves, so that the surplus parts add up whatever the rules of
 * payment.
 *
 * First-best: within each window, about as long as clients are patient, the {@link plan} of the jobs submitted in it, on the
 * nodes that were up, each as fast as with full batches; a group of nodes counts for no less than it did for these jobs.
 * Where the market did better than that plan, its own plan is the first-best.
 *
 * Costs that move: a delivered job costs what it costs at the moment its result arrives; the planner's window ends where
 * costs change, and its costs are those of the window.
 *
 * Memory: 128 bytes per job under way, 27 bytes per job of the windows whose jobs have not all ended (at most 2^20 jobs
 * each), and the groups of nodes; nothing that grows with the number of jobs.
 */
export class Welfare {
  readonly #setup: WelfareSetup;
  readonly #groups: Groups;
  readonly #windowUs: number;
  #rows = new Float64Array(ROW * 256);
  readonly #open: JobWindow[] = [];
  /** Number of the window at `#open[0]`. */
  #firstOpen = 0;
  readonly #free: JobWindow[] = [];
  #current: JobWindow | null = null;
  readonly #nodeUp: Uint8Array;
  /** Nodes up by group, and the node time since the start of the current window. */
  readonly #up: Float64Array;
  readonly #upSinceUs: Float64Array;
  readonly #totalUpUs: Float64Array;
  readonly #classes: Float64Array;
  readonly #byNode: Float64Array;
  readonly #losses = new Float64Array(LOSS_CAUSES.length);
  readonly #byBatch: BatchedWelfare = { lengthUs: new Float64Array(BATCHES), firstBestMsat: new Float64Array(BATCHES), losses: LOSS_CAUSES.map(() => new Float64Array(BATCHES)) };
  #firstBestMsat = 0;
  #reachedMsat = 0;
  #waitingMsat = 0;
  #costMsat = 0;
  #paidMsat = 0;
  #nodesGotMsat = 0;
  #routersGotMsat = 0;
  #networkGotMsat = 0;
  #ownWindows = 0;
  #windows = 0;
  #tokens = 0;
  #demandJobs = 0;
  #demandInput = 0;
  #demandOutput = 0;
  readonly #demand = new DemandCurve();
  readonly #spells: Spells;
  #planned = new Float64Array(64);
  #sizes = new Float64Array(64);
  #segments = new Uint16Array(64);

  constructor(setup: WelfareSetup) {
    this.#setup = setup;
    this.#spells = new Spells(setup.nextCostUs);
    this.#windowUs = setup.windowUs;
    this.#groups = groupsOf(setup);
    const groups = this.#groups.member.length;
    this.#nodeUp = new Uint8Array(setup.nodes.length).fill(1);
    this.#up = Float64Array.from(this.#groups.sizes);
    this.#upSinceUs = new Float64Array(groups);
    this.#totalUpUs = new Float64Array(groups);
    this.#classes = new Float64Array(setup.clientClasses.length * CLASS_ROW);
    this.#byNode = new Float64Array(setup.nodes.length * 2);
  }

  /** A job is about to be submitted in this slot; what it is worth and its true length are known to nobody else. */
  offered(slot: number, nowUs: number, clientClass: number, valueMsat: number, inputTokens: number, outputTokens: number): void {
    this.#advance(nowUs);
    const at = slot * ROW;
    if (at + ROW > this.#rows.length) this.#rows = longer(this.#rows, Math.max(at + ROW, this.#rows.length * 2));
    const rows = this.#rows;
    rows[at + WINDOW] = this.#current === null ? -1 : this.#join(nowUs);
    rows[at + VALUE] = valueMsat;
    rows[at + BITS] = 0;
    rows[at + SUBMITTED] = nowUs;
    rows[at + NODE] = -1;
    rows[at + DELIVERED_US] = -1;
    rows[at + COST] = 0;
    rows[at + PAID] = 0;
    rows[at + NODE_GOT] = 0;
    rows[at + ROUTER_GOT] = 0;
    rows[at + NETWORK_GOT] = 0;
    rows[at + INPUT] = inputTokens;
    rows[at + OUTPUT] = outputTokens;
    rows[at + CLASS] = clientClass;
  }

  /** A job that its client wanted and did not submit, because its budget was spent. */
  withheld(slot: number, nowUs: number, clientClass: number, valueMsat: number, inputTokens: number, outputTokens: number): void {
    this.#advance(nowUs);
    if (this.#current === null) return;
    this.#join(nowUs);
    this.#current.pending--;
    this.#classes[clientClass * CLASS_ROW + JOBS]!++;
    this.#wanted(valueMsat, inputTokens, outputTokens);
    this.#current.add(clientClass, this.#possibleMsat(clientClass, valueMsat, inputTokens, outputTokens), 0, inputTokens, outputTokens, BUDGET, this.#leastMsat(slot, clientClass, inputTokens, outputTokens, -1, this.#current.startUs));
  }

  /** The router found no node for the job because of the price alone. */
  tooDear(slot: number): void {
    this.#mark(slot, TOO_DEAR);
  }

  /** A node had begun with a job that was never delivered; to be said before its end. */
  started(slot: number): void {
    this.#mark(slot, STARTED);
  }

  attemptFailed(slot: number, reason: string): void {
    this.#mark(slot, bitOf(reason));
  }

  /**
   * Money of a job changed hands: what the client paid (negative: was given back), and what the node, the router and the
   * Lightning network got. @param slot -1 where the job has ended. @param node -1 where no node took part.
   */
  moved(slot: number, nowUs: number, clientClass: number, node: number, paidMsat: number, nodeMsat: number, routerMsat: number, networkMsat: number): void {
    if (slot >= 0) {
      const at = slot * ROW;
      const rows = this.#rows;
      rows[at + PAID]! += paidMsat;
      rows[at + NODE_GOT]! += nodeMsat;
      rows[at + ROUTER_GOT]! += routerMsat;
      rows[at + NETWORK_GOT]! += networkMsat;
      if (node >= 0 && rows[at + NODE] !== node) rows[at + NODE] = node;
    } else if (nowUs >= this.#setup.warmupUs) {
      this.#book(clientClass, node, paidMsat, nodeMsat, routerMsat, networkMsat);
    }
  }

  /** The result reached the client. */
  delivered(slot: number, nowUs: number, node: number, inputTokens: number, outputTokens: number): void {
    const at = slot * ROW;
    const rows = this.#rows;
    rows[at + DELIVERED_US] = nowUs;
    rows[at + NODE] = node;
    rows[at + INPUT] = inputTokens;
    rows[at + OUTPUT] = outputTokens;
    if (rows[at + WINDOW]! < 0) return;
    const { costOfJobMsat } = this.#setup;
    rows[at + COST] = costOfJobMsat === undefined ? this.#setup.costMsat(node, inputTokens, outputTokens, nowUs) : costOfJobMsat(slot, node, inputTokens, outputTokens, nowUs);
  }

  /** The job's end. */
  ended(slot: number, status: ReportJobStatus, reason: string): void {
    const at = slot * ROW;
    const rows = this.#rows;
    const number = rows[at + WINDOW]!;
    if (number < 0) return;
    const window = this.#open[number - this.#firstOpen]!;
    const clientClass = rows[at + CLASS]!;
    const valueMsat = rows[at + VALUE]!;
    const inputTokens = rows[at + INPUT]!;
    const outputTokens = rows[at + OUTPUT]!;
    const paidMsat = rows[at + PAID]!;
    const node = rows[at + NODE]!;
    const place = clientClass * CLASS_ROW;
    const classes = this.#classes;
    const delivered = rows[at + DELIVERED_US]! >= 0;
    const leastMsat = this.#leastMsat(slot, clientClass, inputTokens, outputTokens, delivered ? rows[at + COST]! : -1, window.startUs);
    classes[place + JOBS]!++;
    this.#wanted(valueMsat, inputTokens, outputTokens);
    if (paidMsat !== 0 || node >= 0) this.#book(clientClass, node, paidMsat, rows[at + NODE_GOT]!, rows[at + ROUTER_GOT]!, rows[at + NETWORK_GOT]!);
    if (delivered) {
      const costMsat = rows[at + COST]!;
      const tokens = inputTokens + outputTokens;
      const { delayMsatPerS } = this.#setup.clientClasses[clientClass]!;
      // A result that comes too late is worth nothing, and no less.
      const waitingMsat = delayMsatPerS === 0 ? 0 : Math.min(valueMsat, Math.ceil((delayMsatPerS * (rows[at + DELIVERED_US]! - rows[at + SUBMITTED]!)) / 1e6));
      classes[place + JOBS_DELIVERED]!++;
      classes[place + CLASS_VALUE]! += valueMsat;
      classes[place + CLASS_WAITING]! += waitingMsat;
      this.#byNode[node * 2 + SPENT]! += costMsat;
      this.#costMsat += costMsat;
      this.#waitingMsat += waitingMsat;
      this.#tokens += tokens;
      const group = this.#groups.ofNode[node]!;
      window.doneJobs[group]!++;
      window.doneInput[group]! += inputTokens;
      window.doneOutput[group]! += outputTokens;
      window.paidMsat += paidMsat;
      window.costMsat += costMsat;
      window.tokens += tokens;
      window.waitingMsat += waitingMsat;
      window.add(clientClass, valueMsat, valueMsat - costMsat, inputTokens, outputTokens, DELIVERED, leastMsat);
    } else {
      window.add(clientClass, this.#possibleMsat(clientClass, valueMsat, inputTokens, outputTokens), 0, inputTokens, outputTokens, causeOf(status, reason, rows[at + BITS]!), leastMsat);
    }
    window.pending--;
    if (window.pending === 0 && window.over) this.#settleOver();
  }

  nodeDown(node: number, nowUs: number): void {
    this.#shift(node, nowUs, 0);
  }

  nodeUp(node: number, nowUs: number): void {
    this.#shift(node, nowUs, 1);
  }

  /**
   * Closes the accounts. What has not ended is left out.
   * @throws InvariantError where the surplus parts, or they and the losses, do not add up.
   */
  finish(nowUs: number, horizonUs: number): WelfareAccounts {
    const endUs = Math.min(nowUs, horizonUs);
    this.#advance(endUs);
    // Where a run was cut on the dot, the window that would have followed has begun.
    if (this.#current !== null && this.#current.startUs === endUs) this.#open.pop();
    else if (this.#current !== null) this.#closeCurrent(endUs);
    for (const window of this.#open) this.#settle(window);
    this.#open.length = 0;
    return {
      welfare: this.#report(horizonUs),
      passThrough: this.#spells.passThrough(),
      lernerOf: [this.#nodesGotMsat, this.#costMsat],
      windows: this.#windows,
      byBatch: this.#byBatch,
    };
  }

  /** What jobs that have ended come to so far; see also {@link WelfareAccounts.byBatch}. */
  totals(add: (name: string, total: number) => void): void {
    const { clientClasses, operatorClasses, nodes } = this.#setup;
    clientClasses.forEach(({ name }, index) => CLASS_TOTALS.forEach((column, at) => add(`welfare.clientClasses.${name}.${column}`, this.#classes[index * CLASS_ROW + at]!)));
    const got = operatorClasses.map(() => [0, 0] as [number, number]);
    nodes.forEach(({ operatorClass }, node) => {
      got[operatorClass]![GOT] += this.#byNode[node * 2 + GOT]!;
      got[operatorClass]![SPENT] += this.#byNode[node * 2 + SPENT]!;
    });
    operatorClasses.forEach(({ name }, index) => {
      add(`welfare.operatorClasses.${name}.receivedMsat`, got[index]![GOT]);
      add(`welfare.operatorClasses.${name}.costMsat`, got[index]![SPENT]);
    });
    add("welfare.routerRevenueMsat", this.#routersGotMsat);
    add("welfare.routingFeesMsat", this.#networkGotMsat);
    add("welfare.tokens", this.#tokens);
  }

  #report(horizonUs: number): WelfareReport | null {
    const { clientClasses, operatorClasses, nodes, warmupUs, seed } = this.#setup;
    const hours = (horizonUs - warmupUs) / 3.6e9;
    const ofClass = (index: number, column: number): number => this.#classes[index * CLASS_ROW + column]!;
    const all = (column: number): number => clientClasses.reduce((sum, _, index) => sum + ofClass(index, column), 0);
    const ofOperators = (index: number, column: number): number => nodes.reduce((sum, { operatorClass }, node) => sum + (operatorClass === index ? this.#byNode[node * 2 + column]! : 0), 0);
    const valueMsat = all(CLASS_VALUE);
    const losses = [...this.#losses];
    losses[WAITING] = this.#waitingMsat;
    const deadweightMsat = losses.reduce((sum, loss) => sum + loss, 0);
    const consumerSurplusMsat = valueMsat - this.#waitingMsat - this.#paidMsat;
    const operatorSurplusMsat = this.#nodesGotMsat - this.#costMsat;
    const totalMsat = consumerSurplusMsat + operatorSurplusMsat + this.#routersGotMsat + this.#networkGotMsat;
    const sums = [valueMsat, this.#costMsat, this.#waitingMsat, this.#paidMsat, this.#nodesGotMsat, this.#routersGotMsat, this.#networkGotMsat, this.#firstBestMsat, this.#reachedMsat, ...losses];
    if (!sums.every((sum) => Number.isSafeInteger(sum))) return null;
    const made = valueMsat - this.#waitingMsat - this.#costMsat;
    if (totalMsat !== made) throw new InvariantError(LAWS.welfare, "", seed, `the parts of the surplus sum to ${totalMsat} msat, value less waiting and cost is ${made} msat`);
    if (totalMsat + deadweightMsat !== this.#firstBestMsat) throw new InvariantError(LAWS.welfare, "", seed, `a surplus of ${totalMsat} msat and losses of ${deadweightMsat} msat make ${totalMsat + deadweightMsat} msat, the first-best is ${this.#firstBestMsat} msat`);
    if (losses.some((loss) => loss < 0)) throw new InvariantError(LAWS.welfare, "", seed, `a loss is negative: ${losses.join(", ")} msat`);
    return {
      jobs: all(JOBS),
      delivered: all(JOBS_DELIVERED),
      valueMsat, costMsat: this.#costMsat, waitingMsat: this.#waitingMsat,
      consumerSurplusMsat, operatorSurplusMsat, routerRevenueMsat: this.#routersGotMsat, routingFeesMsat: this.#networkGotMsat,
      totalMsat,
      firstBestMsat: this.#firstBestMsat,
      shareReached: this.#firstBestMsat === 0 ? null : totalMsat / this.#firstBestMsat,
      deadweightMsat,
      losses: Object.fromEntries(LOSS_CAUSES.map((cause, code) => [cause, losses[code]!])) as WelfareReport["losses"],
      planner: { windowUs: this.#windowUs, windows: this.#windows, ownWindows: this.#ownWindows },
      clientClasses: clientClasses.map(({ name }, index) => ({
        name, jobs: ofClass(index, JOBS), delivered: ofClass(index, JOBS_DELIVERED), valueMsat: ofClass(index, CLASS_VALUE), waitingMsat: ofClass(index, CLASS_WAITING),
        paidMsat: ofClass(index, CLASS_PAID), surplusMsat: ofClass(index, CLASS_VALUE) - ofClass(index, CLASS_WAITING) - ofClass(index, CLASS_PAID),
      })),
      operatorClasses: operatorClasses.map(({ name }, index) => ({
        name, receivedMsat: ofOperators(index, GOT), costMsat: ofOperators(index, SPENT), surplusMsat: ofOperators(index, GOT) - ofOperators(index, SPENT),
      })),
      curves: this.#curves(hours),
    };
  }

  #curves(hours: number): WelfareReport["curves"] {
    const { nodes, warmupUs } = this.#setup;
    const jobs = Math.max(1, this.#demandJobs);
    const input = Math.round(this.#demandInput / jobs);
    const output = Math.round(this.#demandOutput / jobs);
    const tokens = input + output;
    if (this.#demandJobs === 0 || tokens === 0) return { demand: [], supply: [], asked: [], traded: null };
    const { member, sizes, work, ofNode } = this.#groups;
    const mtokPerH = member.map((_, group) => ((this.#totalUpUs[group]! / timeOf(work[group]!, 1, input, output)) * tokens) / 1e6 / hours);
    return {
      demand: this.#demand.points(hours),
      supply: supplyCurve(member.map((node, group) => ({ perMtokMsat: (this.#meanCostMsat(node, input, output, warmupUs) * 1e6) / tokens, mtokPerH: mtokPerH[group]! })).filter((offer) => offer.mtokPerH > 0)),
      asked: supplyCurve(nodes.map(({ asked }, node) => {
        const group = ofNode[node]!;
        return { perMtokMsat: (input * asked.inputMsatPerMtok + output * asked.outputMsatPerMtok + asked.fixedMsat * 1e6) / tokens, mtokPerH: mtokPerH[group]! / sizes[group]! };
      }).filter((offer) => offer.mtokPerH > 0)),
      traded: this.#tokens === 0 ? null : { perMtokMsat: Math.max(0, this.#paidMsat * 1e6 / this.#tokens), mtokPerH: this.#tokens / 1e6 / hours },
    };
  }

  /**
   * The least that serving the job would cost at a node that is up, where costs differ from job to job; else -1. Of more
   * than 256 nodes every so many are asked, and the one that served it.
   */
  #leastMsat(slot: number, clientClass: number, inputTokens: number, outputTokens: number, ownMsat: number, atUs: number): number {
    const { costOfJobMsat, clientClasses } = this.#setup;
    if (costOfJobMsat === undefined) return -1;
    const { nodes } = clientClasses[clientClass]!;
    let least = ownMsat < 0 ? Infinity : ownMsat;
    const step = Math.max(1, Math.ceil(nodes.length / ASKED_MAX));
    for (let i = 0; i < nodes.length; i += step) {
      const node = nodes[i]!;
      if (this.#nodeUp[node] === 1) least = Math.min(least, costOfJobMsat(slot, node, inputTokens, outputTokens, atUs));
    }
    return Math.min(least, Number.MAX_SAFE_INTEGER);
  }

  /** What a job that was not served could have been worth: nothing where it is too long for every node. */
  #possibleMsat(clientClass: number, valueMsat: number, inputTokens: number, outputTokens: number): number {
    const { tokensMax } = this.#setup.clientClasses[clientClass]!;
    return tokensMax !== undefined && inputTokens + outputTokens > tokensMax ? 0 : valueMsat;
  }

  /** What a job costs the node, to a thousandth of a msat: rounded up to whole ones, small costs would look alike. */
  #meanCostMsat(node: number, inputTokens: number, outputTokens: number, atUs: number): number {
    const { costMsat } = this.#setup;
    const fixedMsat = costMsat(node, 0, 0, atUs);
    return fixedMsat + (costMsat(node, inputTokens * 1_000, outputTokens * 1_000, atUs) - fixedMsat) / 1_000;
  }

  #wanted(valueMsat: number, inputTokens: number, outputTokens: number): void {
    const tokens = inputTokens + outputTokens;
    this.#demandJobs++;
    this.#demandInput += inputTokens;
    this.#demandOutput += outputTokens;
    if (tokens > 0) this.#demand.add((valueMsat * 1e6) / tokens, tokens);
  }

  #book(clientClass: number, node: number, paidMsat: number, nodeMsat: number, routerMsat: number, networkMsat: number): void {
    this.#classes[clientClass * CLASS_ROW + CLASS_PAID]! += paidMsat;
    if (node >= 0) this.#byNode[node * 2 + GOT]! += nodeMsat;
    this.#paidMsat += paidMsat;
    this.#nodesGotMsat += nodeMsat;
    this.#routersGotMsat += routerMsat;
    this.#networkGotMsat += networkMsat;
  }

  #mark(slot: number, bit: number): void {
    const at = slot * ROW + BITS;
    this.#rows[at] = this.#rows[at]! | bit;
  }

  /** The current window takes one more job. @returns its number */
  #join(nowUs: number): number {
    let window = this.#current!;
    if (window.submitted === WINDOW_JOBS_MAX) {
      this.#closeCurrent(nowUs);
      window = this.#begin(nowUs);
    }
    window.submitted++;
    window.pending++;
    return this.#firstOpen + this.#open.length - 1;
  }

  /** Closes windows that are over by `nowUs`, and begins the one that it lies in. */
  #advance(nowUs: number): void {
    if (nowUs < this.#nextUs) return;
    this.#cross(nowUs);
  }

  /** When the next window begins; the warm-up's end at first. */
  #nextUs = -1;

  #cross(nowUs: number): void {
    const { warmupUs, horizonUs } = this.#setup;
    if (this.#nextUs < 0) this.#nextUs = warmupUs;
    while (nowUs >= this.#nextUs) {
      const atUs = this.#nextUs;
      if (this.#current === null) for (let group = 0; group < this.#up.length; group++) this.#upSinceUs[group] = atUs;
      else this.#closeCurrent(atUs);
      if (atUs >= horizonUs) {
        this.#nextUs = Infinity;
        break;
      }
      this.#begin(atUs);
      this.#nextUs = Math.min(horizonUs, atUs + this.#windowUs, this.#cutUs(atUs));
    }
  }

  /** Where costs change next: within a window they stay. */
  #cutUs(atUs: number): number {
    const { nextCostUs } = this.#setup;
    return nextCostUs === undefined ? Infinity : Math.max(nextCostUs(atUs), Math.ceil(atUs + this.#windowUs * UNCUT));
  }

  #begin(startUs: number): JobWindow {
    const window = this.#free.pop() ?? new JobWindow(this.#up.length);
    window.begin(startUs);
    this.#open.push(window);
    this.#current = window;
    return window;
  }

  #closeCurrent(nowUs: number): void {
    const window = this.#current!;
    for (let group = 0; group < this.#up.length; group++) this.#accrue(group, nowUs);
    window.endUs = nowUs;
    window.over = true;
    this.#current = null;
    this.#windows++;
    this.#settleOver();
  }

  /** Node time since the last look goes to the current window. */
  #accrue(group: number, nowUs: number): void {
    if (this.#current === null) return;
    const grown = this.#up[group]! * (nowUs - this.#upSinceUs[group]!);
    this.#current.upUs[group]! += grown;
    this.#totalUpUs[group]! += grown;
    this.#upSinceUs[group] = nowUs;
  }

  #shift(node: number, nowUs: number, up: 0 | 1): void {
    if (this.#nodeUp[node] === up) return;
    this.#advance(nowUs);
    const group = this.#groups.ofNode[node]!;
    this.#accrue(group, nowUs);
    this.#nodeUp[node] = up;
    this.#up[group]! += up === 1 ? 1 : -1;
  }

  /** Settles windows from the oldest on, as far as their jobs have ended. */
  #settleOver(): void {
    while (this.#open.length > 0 && this.#open[0]!.over && this.#open[0]!.pending === 0) {
      const window = this.#open.shift()!;
      this.#firstOpen++;
      this.#settle(window);
      this.#free.push(window);
    }
  }

  #batchOf({ startUs }: JobWindow): number {
    const { warmupUs, horizonUs } = this.#setup;
    return Math.min(BATCHES - 1, Math.floor(((startUs - warmupUs) * BATCHES) / (horizonUs - warmupUs)));
  }

  #settle(window: JobWindow): void {
    this.#byBatch.lengthUs[this.#batchOf(window)]! += window.endUs - window.startUs;
    if (window.count === 0) return;
    if (this.#planned.length < window.count) {
      const length = window.cause.length;
      this.#planned = new Float64Array(length);
      this.#sizes = new Float64Array(length);
      this.#segments = new Uint16Array(length);
    }
    const { inputTokens, outputTokens, clientClass, count } = window;
    const { member, work, reference, ofClass, eligible } = this.#groups;
    const { fixedUs, inputUs, outputUs } = reference;
    const sizes = this.#sizes;
    let input = 0;
    let output = 0;
    for (let job = 0; job < count; job++) {
      input += inputTokens[job]!;
      output += outputTokens[job]!;
      sizes[job] = Math.max(1e-6, fixedUs + inputUs * inputTokens[job]! + outputUs * outputTokens[job]!);
      this.#segments[job] = ofClass[clientClass[job]!]!;
    }
    const atUs = Math.floor((window.startUs + window.endUs) / 2);
    const meanInput = Math.round(input / count);
    const meanOutput = Math.round(output / count);
    const size = timeOf(reference, 1, meanInput, meanOutput);
    const capacity = Float64Array.from(member, (_, group) =>
      Math.max((window.upUs[group]! * size) / timeOf(work[group]!, 1, meanInput, meanOutput), timeDone(window, group, reference)));
    const { costMsat } = this.#setup;
    const unitCost = Float64Array.from(member, (node) => this.#meanCostMsat(node, meanInput, meanOutput, atUs));
    const order = eligible.map((groups) => Int32Array.from(groups).sort((a, b) => unitCost[a]! - unitCost[b]! || a - b));
    const { nodes, costOfJobMsat } = this.#setup;
    if (costOfJobMsat === undefined) {
      plan({ count, valueMsat: window.valueMsat, size: sizes, segment: this.#segments }, {
        capacity, eligible: order,
        costMsat: (group, job) => costMsat(member[group]!, inputTokens[job]!, outputTokens[job]!, atUs),
        sameCost: (a, b) => nodes[member[a]!]!.costKey === nodes[member[b]!]!.costKey,
      }, this.#planned);
    } else {
      // Each job at the node that happens to be the cheapest for it: what is left of its value is what the planner sorts by.
      const left = Float64Array.from({ length: count }, (_, job) => Math.max(0, window.valueMsat[job]! - window.leastMsat[job]!));
      plan({ count, valueMsat: left, size: sizes, segment: this.#segments }, { capacity, eligible: order, costMsat: () => 0, sameCost: () => true }, this.#planned);
    }
    const before = this.#losses.slice();
    const compared = compare({ count, gainMsat: window.gainMsat, plannedMsat: this.#planned, size: sizes, cause: window.cause }, this.#losses);
    this.#firstBestMsat += compared.firstBestMsat;
    this.#reachedMsat += compared.reachedMsat;
    if (compared.own) this.#ownWindows++;
    const batch = this.#batchOf(window);
    this.#byBatch.firstBestMsat[batch]! += compared.firstBestMsat;
    this.#byBatch.losses.forEach((losses, cause) => { losses[batch]! += cause === WAITING ? window.waitingMsat : this.#losses[cause]! - before[cause]!; });
    if (window.tokens > 0) this.#spells.add(window);
  }
}

function timeDone(window: JobWindow, group: number, reference: WelfareSetup["nodes"][number]["work"]): number {
  const jobs = window.doneJobs[group]!;
  return jobs === 0 ? 0 : timeOf(reference, jobs, window.doneInput[group]!, window.doneOutput[group]!);
}
