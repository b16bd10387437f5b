import type { JobId, PaymentPurpose } from "../../../protocol/messages.ts";
import { LOSS_CAUSES, type LossCause, type SettlementReport } from "../../../protocol/result/settlement.ts";
import { windowWidthUs } from "../../experiment/recorder/windows.ts";
import { widened } from "../../kernel/widened.ts";
import { Level } from "./level.ts";

/** Kinds of peers, as rows of the books. */
export const ROUTERS = 0;
export const NODES = 1;
export const CLIENTS = 2;

/** Where a node and a client stand over one job that is paid before its result. Amounts in msat. */
interface Position {
  readonly node: number;
  paidMsat: number;
  refundedMsat: number;
  deliveredMsat: number;
  /** Locked for the node, and not taken. */
  heldMsat: number;
  /** Given up by the node, and by the client. */
  nodeLostMsat: number;
  clientLostMsat: number;
  clientCause: LossCause;
  nodeCause: LossCause;
}

interface AdvanceJob {
  readonly positions: Position[];
  /** Payments under way or locked. */
  open: number;
  reneged: boolean;
  ended: boolean;
}

/** What the books need of the world around them. */
export interface BooksOptions {
  readonly horizonUs: number;
  /** Peers below are routers; from here to {@link firstClient} nodes, then clients. */
  readonly firstNode: number;
  readonly firstClient: number;
  /** Whether the node has failed since, so that what it owes is gone with it. */
  hasFailed(node: number): boolean;
}

/**
 * Who is exposed to whom, and who lost what: kept from the market's facts and the movements of money, apart from the
 * ledger, with which it has to agree at the end.
 *
 * Jobs paid after their result need two additions each: their value is open from the result to the payment. Jobs paid
 * before have a {@link Position} per node.
 */
export class Books {
  readonly #options: BooksOptions;
  readonly #advances = new Map<JobId, AdvanceJob>();
  /** Value delivered and not paid, of postpay jobs, by the oracle's slot; msat. */
  #owed = new Float64Array(256);
  readonly unpaid: Level;
  readonly undelivered: Level;
  readonly inFlight: Level;
  readonly held: Level;
  /** By kind of peer: left the account, came back, arrived, was spent on routing by this side. */
  readonly #sentMsat = [0, 0, 0];
  readonly #backMsat = [0, 0, 0];
  readonly #gotMsat = [0, 0, 0];
  readonly #routingMsat = [0, 0, 0];
  /** Routing fees that a kind reimbursed to others, and was reimbursed. */
  readonly #rebatedMsat = [0, 0, 0];
  readonly #rebalancingMsat = [0, 0, 0];
  #deliveredMsat = 0;
  /** Paid and undelivered less delivered and unpaid, over all jobs. */
  #openMsat = 0;
  #paidMsat = 0;
  #refundedMsat = 0;
  #nodesRecoveredMsat = 0;
  #clientsRecoveredMsat = 0;
  #feesBilledMsat = 0;
  #feesPaidMsat = 0;
  #feesBilled = 0;
  #feesPaid = 0;
  #arrived = 0;
  #disputes = 0;
  readonly #failed = new Map<string, { payments: number; msat: number }>();
  readonly #losses = new Map<LossCause, { jobs: number; msat: number }>();

  constructor(options: BooksOptions) {
    this.#options = options;
    const windowUs = windowWidthUs(options.horizonUs);
    const level = (): Level => new Level(windowUs, Math.ceil(options.horizonUs / windowUs));
    this.unpaid = level();
    this.undelivered = level();
    this.inFlight = level();
    this.held = level();
    this.#windowUs = windowUs;
  }
  readonly #windowUs: number;

  // Facts of the market.

  /** A job that is paid before its result was submitted. */
  opened(jobId: JobId): void {
    this.#advances.set(jobId, { positions: [], open: 0, reneged: false, ended: false });
  }

  /** Its client has the whole result, and owes the router `feeMsat`. */
  finished(nowUs: number, slot: number, jobId: JobId, node: number, amountMsat: number, feeMsat: number): void {
    if (feeMsat > 0) this.owesFee(feeMsat);
    if (this.#advances.size > 0 && this.#advances.has(jobId)) return this.delivered(nowUs, jobId, node, amountMsat);
    if (amountMsat === 0) return;
    if (slot >= this.#owed.length) this.#grow(slot);
    this.#owed[slot] = amountMsat;
    this.#deliveredMsat += amountMsat;
    this.#openMsat -= amountMsat;
    this.unpaid.add(nowUs, amountMsat);
  }

  /** Output worth so much in all has arrived, of a job paid before its result. */
  delivered(nowUs: number, jobId: JobId, node: number, valueMsat: number): void {
    const job = this.#advances.get(jobId);
    if (job === undefined) return;
    const position = this.#position(job, node);
    this.#change(nowUs, position, () => {
      this.#deliveredMsat += valueMsat - position.deliveredMsat;
      position.deliveredMsat = valueMsat;
    });
  }

  /** Somebody owes the router a fee. */
  owesFee(feeMsat: number): void {
    this.#feesBilledMsat += feeMsat;
    this.#feesBilled++;
  }

  reneged(jobId: JobId): void {
    const job = this.#advances.get(jobId);
    if (job !== undefined) job.reneged = true;
  }

  disputed(): void {
    this.#disputes++;
  }

  /** The client has seen the job end: it pays nothing more. */
  ended(nowUs: number, slot: number, jobId: JobId, status: string, reason: string): void {
    const owedMsat = slot < this.#owed.length ? this.#owed[slot]! : 0;
    if (owedMsat > 0) {
      this.#owed[slot] = 0;
      if (status !== "completed") {
        this.unpaid.add(nowUs, -owedMsat);
        this.#openMsat += owedMsat;
        this.#lose(causeOf(reason), 1, owedMsat);
      }
    }
    if (this.#advances.size === 0) return;
    const job = this.#advances.get(jobId);
    if (job === undefined) return;
    job.ended = true;
    for (const position of job.positions) this.#nodeLoses(nowUs, position, causeOf(reason));
    this.#forget(jobId, job);
  }

  /** The client does not expect back any more what this node has of the job. */
  writtenOff(nowUs: number, jobId: JobId, node: number, late: boolean): void {
    const job = this.#advances.get(jobId);
    const position = job?.positions.find((one) => one.node === node);
    if (job === undefined || position === undefined) return;
    const openMsat = undeliveredOf(position);
    if (openMsat > 0) {
      const cause: LossCause = late ? "came-too-late" : job.reneged ? "not-delivered" : this.#options.hasFailed(node) ? "node-failed" : "not-refunded";
      this.#change(nowUs, position, () => { position.clientLostMsat += openMsat; });
      position.clientCause = cause;
      this.#lose(cause, 1, openMsat);
    }
    this.#forget(jobId, job);
  }

  // Movements of money.

  /** Money left the payer's account for the network. */
  sent(nowUs: number, jobId: JobId, payer: number, totalMsat: number): void {
    if (this.#advances.size > 0) this.#count(jobId, 1);
    this.#sentMsat[this.#kind(payer)]! += totalMsat;
    this.inFlight.add(nowUs, totalMsat);
  }

  /** It came back. */
  returned(nowUs: number, jobId: JobId, payer: number, totalMsat: number): void {
    if (this.#advances.size > 0) this.#count(jobId, -1);
    this.#backMsat[this.#kind(payer)]! += totalMsat;
    this.inFlight.add(nowUs, -totalMsat);
  }

  /** A payment failed, with or without money under way. */
  failed(reason: string, amountMsat: number): void {
    const entry = this.#failed.get(reason);
    if (entry === undefined) this.#failed.set(reason, { payments: 1, msat: amountMsat });
    else {
      entry.payments++;
      entry.msat += amountMsat;
    }
  }

  /**
   * It arrived for good.
   * @param amountMsat what the payment was for, the payee's share of routing fees included.
   * @param feeBearer the peer that bears the routing fee: the payer, the payee, or one that reimburses the payer (`rebate`).
   */
  arrived(nowUs: number, purpose: PaymentPurpose, jobId: JobId, payer: number, payee: number, totalMsat: number, amountMsat: number, feeMsat: number, feeBearer: number, rebate: boolean): void {
    this.inFlight.add(nowUs, -totalMsat);
    const job = this.#advances.size > 0 ? this.#advances.get(jobId) : undefined;
    if (job !== undefined) job.open--;
    this.#arrived++;
    const payeeGetsMsat = totalMsat - feeMsat;
    this.#gotMsat[this.#kind(payee)]! += payeeGetsMsat;
    if (feeMsat > 0) {
      this.#routingMsat[this.#kind(feeBearer)]! += feeMsat;
      if (rebate) {
        this.#rebatedMsat[this.#kind(feeBearer)]! -= feeMsat;
        this.#rebatedMsat[this.#kind(payer)]! += feeMsat;
      }
    }
    if (purpose === "fee") {
      this.#feesPaidMsat += amountMsat;
      this.#feesPaid++;
      if (job !== undefined) this.#forget(jobId, job);
      return;
    }
    if (purpose === "job") {
      this.#paidMsat += amountMsat;
      if (job === undefined) {
        this.unpaid.add(nowUs, -amountMsat);
        this.#openMsat += amountMsat;
      } else {
        const position = this.#position(job, payee);
        this.#change(nowUs, position, () => { position.paidMsat += amountMsat; });
        this.#forget(jobId, job);
      }
      return;
    }
    this.#refundedMsat += amountMsat;
    if (job === undefined) return;
    const position = this.#position(job, payer);
    this.#change(nowUs, position, () => { position.refundedMsat += amountMsat; });
    this.#forget(jobId, job);
  }

  /** A payment on a hold invoice is locked for its payee, or (negative) not any more. */
  locked(nowUs: number, jobId: JobId, payee: number, totalMsat: number, amountMsat: number): void {
    this.held.add(nowUs, totalMsat);
    this.inFlight.add(nowUs, -totalMsat);
    const job = this.#advances.get(jobId);
    if (job === undefined) return;
    const position = this.#position(job, payee);
    this.#change(nowUs, position, () => { position.heldMsat += amountMsat; });
    if (amountMsat < 0) {
      if (job.ended) this.#nodeLoses(nowUs, position, "escrow-timeout");
      this.#forget(jobId, job);
    }
  }

  rebalanced(peer: number, costMsat: number): void {
    this.#rebalancingMsat[this.#kind(peer)]! += costMsat;
  }

  /** What it comes to so far, by the report's names; of levels their integrals, msat times µs. */
  totals(nowUs: number, add: (name: string, total: number) => void): void {
    add("settlement.deliveredMsat", this.#deliveredMsat);
    add("settlement.paidMsat", this.#paidMsat);
    add("settlement.refundedMsat", this.#refundedMsat);
    add("settlement.exposure.deliveredUnpaid", this.unpaid.integralAt(nowUs));
    add("settlement.exposure.paidUndelivered", this.undelivered.integralAt(nowUs));
    add("settlement.locked.inFlight", this.inFlight.integralAt(nowUs));
    add("settlement.locked.held", this.held.integralAt(nowUs));
    add("settlement.recovered.clientsMsat", this.#clientsRecoveredMsat);
    add("settlement.recovered.nodesMsat", this.#nodesRecoveredMsat);
    add("settlement.routerFees.billedMsat", this.#feesBilledMsat);
    add("settlement.routerFees.paidMsat", this.#feesPaidMsat);
    add("settlement.routing.routersMsat", this.#routingMsat[ROUTERS]!);
    add("settlement.routing.nodesMsat", this.#routingMsat[NODES]!);
    add("settlement.routing.clientsMsat", this.#routingMsat[CLIENTS]!);
    add("settlement.routing.rebalancingMsat", this.#rebalancingMsat.reduce((sum, cost) => sum + cost, 0));
    add("settlement.payments.arrived", this.#arrived);
    add("settlement.disputes", this.#disputes);
    for (const [reason, { payments, msat }] of this.#failed) {
      add(`settlement.payments.failed.${reason}.payments`, payments);
      add(`settlement.payments.failed.${reason}.msat`, msat);
    }
    for (const [cause, { jobs, msat }] of this.#losses) {
      add(`settlement.losses.${cause}.jobs`, jobs);
      add(`settlement.losses.${cause}.msat`, msat);
    }
    add("settlement.losses.fee-not-paid.jobs", this.#feesBilled - this.#feesPaid);
    add("settlement.losses.fee-not-paid.msat", this.#feesBilledMsat - this.#feesPaidMsat);
  }

  /**
   * What came of it, and whether it agrees with the ledger.
   * @param changesMsat changes of all accounts of routers, nodes and clients.
   * @throws Error where the books and the ledger differ.
   */
  report(nowUs: number, changesMsat: readonly [number, number, number], terms: Pick<SettlementReport, "arrangements" | "capitalPerYear" | "routerFeeBearer" | "routingFeeBearer" | "channels">): SettlementReport {
    this.#check(changesMsat);
    const level = (one: Level): SettlementReport["exposure"]["deliveredUnpaid"] => ({ peakMsat: one.peakMsat, meanMsat: nowUs > 0 ? one.integral(nowUs) / nowUs : 0, endMsat: one.value });
    const lockedIntegral = this.inFlight.integral(nowUs) + this.held.integral(nowUs);
    const losses: SettlementReport["losses"] = LOSS_CAUSES.flatMap(({ cause, bearer }) => {
      const loss = this.#losses.get(cause);
      return loss === undefined ? [] : [{ cause, bearer, ...loss }];
    });
    const openFeesMsat = this.#feesBilledMsat - this.#feesPaidMsat;
    if (openFeesMsat > 0) losses.push({ cause: "fee-not-paid", bearer: "router", jobs: this.#feesBilled - this.#feesPaid, msat: openFeesMsat });
    const inFlight = this.inFlight.means(nowUs);
    const held = this.held.means(nowUs);
    return {
      ...terms,
      deliveredMsat: this.#deliveredMsat,
      paidMsat: this.#paidMsat,
      refundedMsat: this.#refundedMsat,
      exposure: { deliveredUnpaid: level(this.unpaid), paidUndelivered: level(this.undelivered) },
      locked: {
        inFlight: level(this.inFlight), held: level(this.held),
        costMsat: capitalCostMsat(lockedIntegral, terms.capitalPerYear),
      },
      losses,
      recovered: { clientsMsat: this.#clientsRecoveredMsat, nodesMsat: this.#nodesRecoveredMsat },
      routerFees: { billedMsat: this.#feesBilledMsat, paidMsat: this.#feesPaidMsat },
      routing: { routersMsat: this.#routingMsat[ROUTERS]!, nodesMsat: this.#routingMsat[NODES]!, clientsMsat: this.#routingMsat[CLIENTS]!, rebalancingMsat: this.#rebalancingMsat.reduce((sum, cost) => sum + cost, 0) },
      payments: { arrived: this.#arrived, failed: [...this.#failed].map(([reason, entry]) => ({ reason, ...entry })).sort((a, b) => (a.reason < b.reason ? -1 : 1)) },
      disputes: this.#disputes,
      overTime: {
        windowUs: this.#windowUs,
        deliveredUnpaidMsat: this.unpaid.means(nowUs),
        paidUndeliveredMsat: this.undelivered.means(nowUs),
        lockedMsat: inFlight.map((mean, i) => mean + held[i]!),
      },
    };
  }

  /** @throws Error where the books do not add up to the ledger's changes. */
  #check(changesMsat: readonly [number, number, number]): void {
    const KINDS = ["routers", "nodes", "clients"];
    for (const kind of [ROUTERS, NODES, CLIENTS] as const) {
      const booked = this.#gotMsat[kind]! + this.#backMsat[kind]! - this.#sentMsat[kind]! + this.#rebatedMsat[kind]! - this.#rebalancingMsat[kind]!;
      if (booked !== changesMsat[kind]) throw new Error(`the accounts of ${KINDS[kind]} changed by ${changesMsat[kind]} msat, by the books it is ${booked} msat`);
    }
    const lost = (bearer: string): number => LOSS_CAUSES.reduce((sum, one) => sum + (one.bearer === bearer ? this.#losses.get(one.cause)?.msat ?? 0 : 0), 0);
    let unpaidMsat = 0;
    let undeliveredMsat = 0;
    for (const owedMsat of this.#owed) unpaidMsat += owedMsat;
    for (const { positions } of this.#advances.values()) {
      for (const position of positions) {
        unpaidMsat += unpaidOf(position);
        undeliveredMsat += undeliveredOf(position);
      }
    }
    // A job whose work is paid and whose fee is not is in progress still, and among those that may be unpaid.
    if (unpaidMsat < this.unpaid.value || undeliveredMsat !== this.undelivered.value) {
      throw new Error(`jobs in progress leave at most ${unpaidMsat} msat unpaid and ${undeliveredMsat} msat undelivered, over time it came to ${this.unpaid.value} and ${this.undelivered.value} msat`);
    }
    const netMsat = this.#paidMsat - this.#refundedMsat;
    const expectedMsat = this.#deliveredMsat + this.#openMsat + lost("client") - lost("node");
    if (netMsat !== expectedMsat) {
      throw new Error(`nodes were paid ${netMsat} msat for jobs; delivered, open and lost amounts come to ${expectedMsat} msat`);
    }
  }

  #kind(peer: number): number {
    return peer < this.#options.firstNode ? ROUTERS : peer < this.#options.firstClient ? NODES : CLIENTS;
  }

  #position(job: AdvanceJob, node: number): Position {
    let position = job.positions.find((one) => one.node === node);
    if (position === undefined) {
      position = { node, paidMsat: 0, refundedMsat: 0, deliveredMsat: 0, heldMsat: 0, nodeLostMsat: 0, clientLostMsat: 0, clientCause: "not-refunded", nodeCause: "payment-failed" };
      job.positions.push(position);
    }
    return position;
  }

  #change(nowUs: number, position: Position, change: () => void): void {
    const unpaidMsat = unpaidOf(position);
    const undeliveredMsat = undeliveredOf(position);
    const netMsat = netOf(position);
    change();
    // What was given up and comes after all takes the loss back first.
    const surplusMsat = netOf(position);
    if (surplusMsat > 0 && position.nodeLostMsat > 0) {
      const recoveredMsat = Math.min(surplusMsat, position.nodeLostMsat);
      position.nodeLostMsat -= recoveredMsat;
      this.#nodesRecoveredMsat += recoveredMsat;
      this.#lose(position.nodeCause, 0, -recoveredMsat);
    }
    if (surplusMsat < 0 && position.clientLostMsat > 0) {
      const recoveredMsat = Math.min(-surplusMsat, position.clientLostMsat);
      position.clientLostMsat -= recoveredMsat;
      this.#clientsRecoveredMsat += recoveredMsat;
      this.#lose(position.clientCause, 0, -recoveredMsat);
    }
    this.#openMsat += netOf(position) - netMsat;
    this.unpaid.add(nowUs, unpaidOf(position) - unpaidMsat);
    this.undelivered.add(nowUs, undeliveredOf(position) - undeliveredMsat);
  }

  #nodeLoses(nowUs: number, position: Position, cause: LossCause): void {
    const openMsat = unpaidOf(position);
    if (openMsat === 0) return;
    this.#change(nowUs, position, () => { position.nodeLostMsat += openMsat; });
    position.nodeCause = cause;
    this.#lose(cause, 1, openMsat);
  }

  #lose(cause: LossCause, jobs: number, msat: number): void {
    const loss = this.#losses.get(cause);
    if (loss === undefined) this.#losses.set(cause, { jobs, msat });
    else {
      loss.jobs += jobs;
      loss.msat += msat;
    }
  }

  #count(jobId: JobId, change: 1 | -1): void {
    const job = this.#advances.get(jobId);
    if (job === undefined) return;
    job.open += change;
    if (change < 0) this.#forget(jobId, job);
  }

  /** A job that has ended and over which nobody owes anything is over. */
  #forget(jobId: JobId, job: AdvanceJob): void {
    if (job.ended && job.open === 0 && job.positions.every((position) => netOf(position) === 0 && position.heldMsat === 0)) this.#advances.delete(jobId);
  }

  #grow(slot: number): void {
    this.#owed = widened(this.#owed, Math.max(slot + 1, this.#owed.length * 2));
  }
}

const US_PER_YEAR = 365.25 * 24 * 3_600 * 1e6;

/** What money locked over time costs, rounded up: against those who lock it. `integral` in msat times µs. */
export function capitalCostMsat(integral: number, perYear: number): number {
  return Math.ceil((integral / US_PER_YEAR) * perYear);
}

/** What the node has of the client beyond what it delivered; negative: the client has of the node. */
function netOf({ paidMsat, refundedMsat, deliveredMsat, nodeLostMsat, clientLostMsat }: Position): number {
  return paidMsat - refundedMsat - deliveredMsat + nodeLostMsat - clientLostMsat;
}

/** Paid, and neither delivered nor paid back. */
function undeliveredOf(position: Position): number {
  return Math.max(0, netOf(position));
}

/** Delivered, and neither paid nor locked for the node. */
function unpaidOf(position: Position): number {
  return Math.max(0, -netOf(position) - position.heldMsat);
}

/** Why a node was not paid, by what its client says of the job's end. */
function causeOf(reason: string): LossCause {
  if (reason === "not-paid") return "client-did-not-pay";
  if (reason === "payment-failed: no-liquidity") return "no-liquidity";
  if (reason === "payment-failed: insufficient-balance") return "insufficient-balance";
  if (reason === "payment-failed: payee-offline") return "node-offline";
  if (reason === "payment-failed: invoice-expired") return "invoice-expired";
  return reason.startsWith("payment-failed") ? "payment-failed" : "client-left";
}
