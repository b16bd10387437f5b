import { JOB_STATUSES, type JobRow, type ReportJobStatus, type RunReport } from "../../../protocol/result.ts";
import { ClientTally, countEnd } from "./client-tally.ts";
import { AT_ROUTER, FIRST_CLASS_LEVEL, IN_SYSTEM, LEVELS_PER_CLASS, NODES_UP, RUNNING, SLOTS_UP, type WindowCount } from "./columns.ts";
import { ExactSum } from "./exact-sum.ts";
import { InvariantError, LAWS } from "./invariant.ts";
import { JobDigest } from "./job-digest.ts";
import {
  AMOUNT, ASSIGNED, ATTEMPTS, attemptAt, CLIENT_CLASS, FEE, FINISHED, FINISHED_ATTEMPT, FINISHED_NODE, FIRST_TOKEN, IN_FLIGHT, INPUT_TOKENS,
  JobTable, KEPT_ATTEMPTS, MAX_OUTPUT_TOKENS, MAX_PRICE, NODE, NUMBER, OUTPUT_TOKENS, ROW, STARTED, SUBMITTED,
} from "./job-table.ts";
import { type AddTotal, BATCHES, Marks } from "./marks.ts";
import { NodeTable, TALLY } from "./node-table.ts";
import { assembleReport } from "./report.ts";
import { Sample } from "./sample.ts";
import { Served } from "./served.ts";
import type { RecorderSetup, RunEnd } from "./setup.ts";
import { Levels } from "./windows.ts";
import type { SupplyBook } from "../../supply/book.ts";
import type { Welfare } from "../welfare/accounts.ts";

/**
 * Takes the facts of one run as they happen, checks the market's laws on the way, and yields the run's report.
 *
 * Jobs are known by an integer slot that the caller hands out at submission and may reuse once the job has ended; client
 * classes, operator classes and nodes by their index in the setup. Times are integer microseconds and never go back from one
 * fact to the next. A fact about a job that has already ended (a node that starts what the client has just given up) is the
 * caller's to drop: its slot may be another job's by then.
 *
 * Every method throws `InvariantError` where a fact breaks a law. Memory is bounded by the jobs in flight, the nodes and the
 * time windows, not by the number of jobs.
 */
export class Recorder {
  readonly #setup: RecorderSetup;
  readonly #welfare: Welfare | null;
  readonly #supply: SupplyBook | null;
  readonly #warmupUs: number;
  #horizonUs: number;
  readonly #jobs = new JobTable();
  readonly #levels: Levels;
  /** Null where nobody asks for intervals. */
  readonly #marks: Marks | null;
  /** What every node had earned at each mark, msat. */
  readonly #earned: Float64Array[] = [];
  readonly #nodes: NodeTable;
  readonly #clients: ClientTally[];
  /** Row by client class, column by operator class; made when first needed. */
  readonly #served: (Served | undefined)[];
  readonly #goals: Float64Array;
  readonly #digest = new JobDigest();
  readonly #counts: Record<WindowCount, Float64Array>;
  readonly #ttftP50Us: Float64Array;
  readonly #ttftP95Us: Float64Array;
  #windowTtftUs = new Sample();
  readonly #row: JobRow;
  #nowUs = 0;
  #submitted = 0;
  #ended = 0;
  #causality = 0;
  #metering = 0;
  #integralSinceUs = 0;
  readonly #integral = new ExactSum();
  readonly #sojourns = new ExactSum();
  readonly #measuredSojourns = new ExactSum();
  #measuredEnded = 0;

  constructor(setup: RecorderSetup) {
    checkSetup(setup);
    this.#setup = setup;
    this.#welfare = setup.welfare ?? null;
    this.#supply = setup.supply ?? null;
    this.#warmupUs = setup.warmupUs;
    this.#horizonUs = setup.horizonUs;
    this.#levels = new Levels(FIRST_CLASS_LEVEL + LEVELS_PER_CLASS * setup.operatorClasses.length, setup.warmupUs, setup.horizonUs);
    this.#marks = setup.intervals === false || setup.horizonUs - setup.warmupUs < BATCHES ? null : new Marks(setup.warmupUs, setup.horizonUs);
    this.#nodes = new NodeTable(setup.nodes, this.#levels, FIRST_CLASS_LEVEL, setup.warmupUs, setup.horizonUs, setup.seed);
    this.#clients = setup.clientClasses.map(() => new ClientTally());
    this.#served = new Array<Served | undefined>(setup.clientClasses.length * setup.operatorClasses.length).fill(undefined);
    this.#goals = Float64Array.from(setup.clientClasses.flatMap(({ goals }) => [goals.ttftUs ?? Infinity, goals.tpotUs ?? Infinity, goals.endToEndUs ?? Infinity]));
    const windows = this.#levels.windows;
    const column = (): Float64Array => new Float64Array(windows);
    this.#counts = {
      submitted: column(), completed: column(), failed: column(), rejected: column(), expired: column(), cancelled: column(),
      metGoals: column(), inputTokens: column(), outputTokens: column(), paidMsat: column(),
    };
    this.#ttftP50Us = column().fill(-1);
    this.#ttftP95Us = column().fill(-1);
    this.#row = emptyRow();
  }

  /** Jobs submitted, and jobs ended, so far. For progress displays. */
  get submittedJobs(): number {
    return this.#submitted;
  }

  get endedJobs(): number {
    return this.#ended;
  }

  /** The client sent its job out. `slot` is a free integer from 0; small ones cost least. */
  submitted(slot: number, nowUs: number, clientClass: number, inputTokens: number, maxOutputTokens: number, maxPriceMsat: number): void {
    if (this.#jobs.isInFlight(slot)) this.#broken(LAWS.jobs, slot, "its slot was given away before it had ended");
    this.#advance(slot, nowUs);
    this.#jobs.reserve(slot);
    const data = this.#jobs.data;
    const at = slot * ROW;
    data[at + IN_FLIGHT] = 1;
    data[at + NUMBER] = this.#submitted++;
    data[at + CLIENT_CLASS] = clientClass;
    data[at + SUBMITTED] = nowUs;
    data[at + INPUT_TOKENS] = inputTokens;
    data[at + MAX_OUTPUT_TOKENS] = maxOutputTokens;
    data[at + MAX_PRICE] = maxPriceMsat;
    data[at + ATTEMPTS] = 0;
    data[at + FINISHED] = -1;
    data[at + FINISHED_ATTEMPT] = 0;
    data[at + FINISHED_NODE] = -1;
    data[at + OUTPUT_TOKENS] = 0;
    data[at + AMOUNT] = 0;
    data[at + FEE] = 0;
    this.#changeInSystem(nowUs, 1);
    const tally = this.#clients[clientClass]!;
    tally.submittedAll++;
    if (nowUs >= this.#warmupUs) tally.submitted++;
    if (nowUs < this.#horizonUs) {
      this.#counts.submitted[this.#levels.window]!++;
      if (nowUs >= this.#warmupUs) tally.submissions++;
    }
  }

  /** The router gave the job to a node. Attempts count from 1. */
  assigned(slot: number, nowUs: number, node: number, attempt: number): void {
    this.#advance(slot, nowUs);
    const at = this.#inFlight(slot, "assigned");
    const data = this.#jobs.data;
    if (!(node >= 0 && node < this.#nodes.count)) this.#broken(LAWS.causality, slot, `it was assigned to node ${node} of ${this.#nodes.count}`);
    if (attempt !== data[at + ATTEMPTS]! + 1) this.#broken(LAWS.causality, slot, `attempt ${attempt} follows attempt ${data[at + ATTEMPTS]}`);
    if (this.#supply !== null) this.#supply.assigned(slot, node);
    data[at + ATTEMPTS] = attempt;
    const place = attemptAt(at, attempt);
    data[place + ASSIGNED] = nowUs;
    data[place + STARTED] = -1;
    data[place + FIRST_TOKEN] = -1;
    data[place + NODE] = node;
    this.#causality++;
    if (data[at + SUBMITTED]! >= this.#warmupUs) {
      this.#nodes.add(node, TALLY.attempts, 1);
      this.#clients[data[at + CLIENT_CLASS]!]!.attempts++;
    }
  }

  /** An attempt came to nothing: refused, timed out, or the node failed. */
  attemptFailed(slot: number, nowUs: number, node: number, attempt: number, reason: string): void {
    this.#advance(slot, nowUs);
    const at = this.#inFlight(slot, "given back");
    this.#knownAttempt(slot, at, attempt, "failed");
    this.#welfare?.attemptFailed(slot, reason);
    if (this.#jobs.data[at + SUBMITTED]! < this.#warmupUs) return;
    this.#nodes.add(node, TALLY.failedAttempts, 1);
    this.#clients[this.#jobs.data[at + CLIENT_CLASS]!]!.addAttemptFailure(reason, 1);
  }

  /** A node began work on an attempt. A second start of the same attempt, after a preemption, changes nothing. */
  started(slot: number, nowUs: number, attempt: number): void {
    this.#advance(slot, nowUs);
    const at = this.#inFlight(slot, "started");
    if (!this.#knownAttempt(slot, at, attempt, "started")) return;
    const data = this.#jobs.data;
    const place = attemptAt(at, attempt);
    if (data[place + STARTED]! >= 0) return;
    data[place + STARTED] = nowUs;
    this.#causality++;
  }

  /** The first output token of an attempt reached the client. */
  firstToken(slot: number, nowUs: number, attempt: number): void {
    this.#advance(slot, nowUs);
    const at = this.#inFlight(slot, "streamed");
    if (!this.#knownAttempt(slot, at, attempt, "streamed")) return;
    const data = this.#jobs.data;
    const place = attemptAt(at, attempt);
    if (data[place + STARTED]! < 0) this.#broken(LAWS.causality, slot, `attempt ${attempt} gave a token at ${nowUs} µs before it was started`);
    if (data[place + FIRST_TOKEN]! >= 0) return;
    data[place + FIRST_TOKEN] = nowUs;
    this.#causality++;
  }

  /** The result reached the client. Amount and fee are what it is billed, in msat. */
  finished(
    slot: number, nowUs: number, node: number, attempt: number, inputTokens: number, outputTokens: number, amountMsat: number, feeMsat: number,
  ): void {
    this.#advance(slot, nowUs);
    const at = this.#inFlight(slot, "finished");
    const data = this.#jobs.data;
    if (data[at + FINISHED]! >= 0) this.#broken(LAWS.causality, slot, `it finished at ${data[at + FINISHED]} µs and again at ${nowUs} µs`);
    if (this.#knownAttempt(slot, at, attempt, "finished")) {
      const place = attemptAt(at, attempt);
      if (data[place + NODE] !== node) this.#broken(LAWS.causality, slot, `attempt ${attempt} was given to ${this.#nodeName(data[place + NODE]!)} and finished by ${this.#nodeName(node)}`);
      if (data[place + STARTED]! < 0) this.#broken(LAWS.causality, slot, `attempt ${attempt} finished at ${nowUs} µs before it was started`);
      if (outputTokens > 0 && data[place + FIRST_TOKEN]! < 0) this.#broken(LAWS.causality, slot, `attempt ${attempt} finished at ${nowUs} µs before its first token`);
    }
    this.#causality++;
    this.#meter(slot, at, inputTokens, outputTokens, amountMsat, feeMsat);
    data[at + FINISHED] = nowUs;
    data[at + FINISHED_ATTEMPT] = attempt;
    data[at + FINISHED_NODE] = node;
    data[at + OUTPUT_TOKENS] = outputTokens;
    data[at + AMOUNT] = amountMsat;
    data[at + FEE] = feeMsat;
    this.#welfare?.delivered(slot, nowUs, node, inputTokens, outputTokens);
  }

  /** The router found no node for the job, and some were excluded by their price alone. */
  tooDear(slot: number): void {
    this.#welfare?.tooDear(slot);
  }

  /** The job's terminal state. The slot is free afterwards. `reason` is "" for a completed job. */
  ended(slot: number, nowUs: number, status: ReportJobStatus, reason: string): void {
    this.#advance(slot, nowUs);
    const at = this.#inFlight(slot, "ended");
    const data = this.#jobs.data;
    const finishedUs = data[at + FINISHED]!;
    if (status === "completed" && finishedUs < 0) this.#broken(LAWS.causality, slot, `it was completed at ${nowUs} µs before it was finished`);
    this.#ended++;
    this.#changeInSystem(nowUs, -1);
    const submittedUs = data[at + SUBMITTED]!;
    this.#sojourns.add(nowUs - submittedUs);
    const clientClass = data[at + CLIENT_CLASS]!;
    const tally = this.#clients[clientClass]!;
    countEnd(tally.endedAll, status);
    if (nowUs < this.#horizonUs) (status === "completed" ? this.#counts.completed : this.#counts[status])[this.#levels.window]!++;
    if (submittedUs >= this.#warmupUs) {
      this.#measuredSojourns.add(nowUs - submittedUs);
      this.#measuredEnded++;
      countEnd(tally.ended, status);
      const attempts = data[at + ATTEMPTS]!;
      tally.attemptsOfEnded += attempts;
      if (attempts > 1) tally.retriedJobs++;
      if (status !== "completed") tally.addReason(status, reason, 1);
    }
    const metGoals = status === "completed" && this.#completed(at, nowUs, tally);
    this.#closeRow(slot, at, nowUs, status, reason, metGoals);
    if (this.#welfare !== null) {
      if (finishedUs < 0 && this.#wasStarted(at)) this.#welfare.started(slot);
      this.#welfare.ended(slot, status, reason);
    }
    if (this.#supply !== null && status === "completed") {
      this.#supply.paid(nowUs, slot, data[at + FINISHED_NODE]!, clientClass, data[at + AMOUNT]!, data[at + FEE]!, data[at + INPUT_TOKENS]! + data[at + OUTPUT_TOKENS]!, submittedUs >= this.#warmupUs);
    }
    data[at + IN_FLIGHT] = 0;
  }

  /** A node's load changed. Node-level facts of the same instant may come in any order. */
  nodeState(node: number, nowUs: number, running: number, waiting: number): void {
    this.#advance(-1, nowUs);
    this.#nodes.state(node, nowUs, running, waiting);
  }

  /** The node left or crashed; nothing runs or waits there any more. Nodes are up from time 0 unless this says otherwise. */
  nodeDown(node: number, nowUs: number): void {
    this.#advance(-1, nowUs);
    this.#nodes.down(node, nowUs);
    this.#supply?.up(node, nowUs, false);
    this.#welfare?.nodeDown(node, nowUs);
  }

  nodeUp(node: number, nowUs: number): void {
    this.#advance(-1, nowUs);
    this.#nodes.up(node, nowUs);
    this.#supply?.up(node, nowUs, true);
    this.#welfare?.nodeUp(node, nowUs);
  }

  /** Books what operators spent until now. To be called wherever {@link SupplyBook.nextUs} says. */
  flushSupply(nowUs: number): void {
    if (this.#supply === null) return;
    this.#advance(-1, nowUs);
    this.#nodes.settleAll(nowUs);
    this.#supply.flush(Math.min(nowUs, this.#horizonUs), this.#nodes);
  }

  /** The number of jobs that the router itself holds. */
  routerWaiting(nowUs: number, waiting: number): void {
    this.#advance(-1, nowUs);
    this.#levels.add(AT_ROUTER, nowUs, waiting - this.#levels.value(AT_ROUTER));
  }

  /**
   * Takes every node's integral of KV tokens in use since the start of the run, in token-microseconds. To be called exactly at
   * the warm-up's end (where there is one) and at the horizon; otherwise the report's KV utilisation is null.
   */
  meterKv(nowUs: number, kvTokenUs: (node: number) => number): void {
    this.#advance(-1, nowUs);
    if (nowUs !== this.#warmupUs && nowUs !== this.#horizonUs) return;
    this.#nodes.meterKv(nowUs === this.#warmupUs, kvTokenUs);
  }

  /** When {@link mark} is to be called next, µs; Infinity: not any more. */
  get nextMarkUs(): number {
    return this.#marks?.nextUs ?? Infinity;
  }

  /** A batch of the run ends here, or its warm-up: after all that happens at this time. Without marks a run has no intervals. */
  mark(nowUs: number): void {
    const marks = this.#marks;
    if (marks === null || nowUs !== marks.nextUs) return;
    this.#advance(-1, nowUs);
    marks.take((add) => this.#totals(nowUs, add));
    this.#earned.push(this.#nodes.column(TALLY.revenueMsat));
    if (marks.batches > 0) for (const served of this.#served) served?.mark(marks.batches - 1);
  }

  /**
   * The run was stopped before its horizon: moves the horizon, and with it the end of the measured interval, to `nowUs`.
   * What is recorded until then makes the report of a run that was meant to end here.
   * @throws RangeError where nothing was measured yet
   */
  cut(nowUs: number): void {
    this.#advance(-1, nowUs);
    if (nowUs >= this.#horizonUs) return;
    if (nowUs <= this.#warmupUs) throw new RangeError(`the run ends at ${nowUs} µs, before its warm-up of ${this.#warmupUs} µs is over`);
    this.#levels.cut(nowUs);
    this.#nodes.cut(nowUs);
    this.#horizonUs = nowUs;
  }

  /** Ends the run and gives its report. `nowUs` is at or after the horizon; jobs that have not ended count as in flight. */
  finish(nowUs: number, end: RunEnd): RunReport {
    if (nowUs < this.#horizonUs) throw new RangeError(`the run ends at ${nowUs} µs, before its horizon of ${this.#horizonUs} µs`);
    this.#advance(-1, nowUs);
    this.#nodes.settleAll(nowUs);
    this.#supply?.flush(Math.min(nowUs, this.#horizonUs), this.#nodes);
    this.#accumulateInSystem(nowUs);
    for (const slot of this.#slotsInFlight()) {
      const at = slot * ROW;
      this.#sojourns.add(nowUs - this.#jobs.data[at + SUBMITTED]!);
      this.#closeRow(slot, at, -1, "in-flight", "", false);
    }
    if (!this.#integral.equals(this.#sojourns)) {
      this.#broken(LAWS.little, -1, `the integral of jobs in the system is ${this.#integral.toBigInt()} job-µs, the sojourn times sum to ${this.#sojourns.toBigInt()} job-µs`);
    }
    if (this.#marks?.batches === BATCHES) {
      this.#marks.takeRest((add) => this.#totals(nowUs, add));
      this.#earned.push(this.#nodes.column(TALLY.revenueMsat));
      for (const served of this.#served) served?.mark(0);
    }
    return assembleReport({
      setup: { ...this.#setup, horizonUs: this.#horizonUs }, end, endUs: nowUs, levels: this.#levels, nodes: this.#nodes, clients: this.#clients, served: this.#served,
      counts: this.#counts, ttftP50Us: this.#ttftP50Us, ttftP95Us: this.#ttftP95Us,
      rows: this.#digest.rows, rowsDigest: this.#digest.finish(),
      little: { jobUs: this.#integral.toBigInt(), sojournUs: this.#measuredSojourns.value, ended: this.#measuredEnded },
      checks: { ended: this.#ended, causality: this.#causality, metering: this.#metering },
      accounts: this.#welfare?.finish(nowUs, this.#horizonUs) ?? null,
      marks: this.#marks,
      earned: this.#earned,
    });
  }

  /** Everything that hangs on a completed job. @returns whether it met every goal of its class */
  #completed(at: number, nowUs: number, tally: ClientTally): boolean {
    const data = this.#jobs.data;
    const clientClass = data[at + CLIENT_CLASS]!;
    const submittedUs = data[at + SUBMITTED]!;
    const attempt = data[at + FINISHED_ATTEMPT]!;
    const kept = attempt > data[at + ATTEMPTS]! - KEPT_ATTEMPTS;
    const place = attemptAt(at, attempt);
    const firstTokenUs = kept ? data[place + FIRST_TOKEN]! : -1;
    const inputTokens = data[at + INPUT_TOKENS]!;
    const outputTokens = data[at + OUTPUT_TOKENS]!;
    const paidMsat = data[at + AMOUNT]! + data[at + FEE]!;
    const endToEndUs = data[at + FINISHED]! - submittedUs;
    const ttftUs = firstTokenUs >= 0 ? firstTokenUs - submittedUs : -1;
    const tpotUs = firstTokenUs >= 0 && outputTokens > 1 ? (data[at + FINISHED]! - firstTokenUs) / (outputTokens - 1) : -1;
    const goals = this.#goals;
    const metTtft = ttftUs <= goals[clientClass * 3]!;
    const metTpot = tpotUs <= goals[clientClass * 3 + 1]!;
    const metEndToEnd = endToEndUs <= goals[clientClass * 3 + 2]!;
    const metGoals = metTtft && metTpot && metEndToEnd;

    if (nowUs < this.#horizonUs) {
      const window = this.#levels.window;
      const counts = this.#counts;
      counts.inputTokens[window]! += inputTokens;
      counts.outputTokens[window]! += outputTokens;
      counts.paidMsat[window]! += paidMsat;
      if (metGoals) counts.metGoals[window]!++;
      if (ttftUs >= 0) this.#windowTtftUs.add(ttftUs);
      if (nowUs >= this.#warmupUs) {
        tally.completions++;
        tally.inputTokens += inputTokens;
        tally.outputTokens += outputTokens;
        if (metGoals) tally.goodCompletions++;
      }
    }
    if (submittedUs < this.#warmupUs) return metGoals;

    if (metTtft) tally.metTtft++;
    if (metTpot) tally.metTpot++;
    if (metEndToEnd) tally.metEndToEnd++;
    if (metGoals) tally.metAll++;
    const node = data[at + FINISHED_NODE]!;
    this.#nodes.add(node, TALLY.jobs, 1);
    this.#nodes.add(node, TALLY.inputTokens, inputTokens);
    this.#nodes.add(node, TALLY.outputTokens, outputTokens);
    this.#nodes.add(node, TALLY.revenueMsat, data[at + AMOUNT]!);
    const served = this.#servedBy(clientClass, this.#nodes.operatorClass(node));
    served.jobs++;
    served.inputTokens += inputTokens;
    served.outputTokens += outputTokens;
    served.amountMsat += data[at + AMOUNT]!;
    served.feesMsat += data[at + FEE]!;
    const queueingUs = kept ? data[place + STARTED]! - submittedUs : -1;
    const perMtokMsat = inputTokens + outputTokens > 0 ? paidMsat * 1e6 / (inputTokens + outputTokens) : -1;
    served.endToEndUs.add(endToEndUs);
    if (queueingUs >= 0) served.queueingUs.add(queueingUs);
    if (ttftUs >= 0) served.ttftUs.add(ttftUs);
    if (tpotUs >= 0) served.tpotUs.add(tpotUs);
    served.perJobMsat.add(paidMsat);
    if (perMtokMsat >= 0) served.perMtokMsat.add(perMtokMsat);
    return metGoals;
  }

  /** What the run has come to, by name: what figures are made of. Of what is measured, unless the name says otherwise. */
  #totals(nowUs: number, add: AddTotal): void {
    const { clientClasses, operatorClasses } = this.#setup;
    clientClasses.forEach(({ name }, row) => {
      this.#clients[row]!.totals(`clientClasses.${name}`, add);
      operatorClasses.forEach((operator, column) => this.#served[row * operatorClasses.length + column]?.totals(`flows.${name}.${operator.name}`, add));
    });
    const level = (at: number): number => this.#levels.measuredUntil(at, nowUs);
    operatorClasses.forEach(({ name }, index) => {
      const first = FIRST_CLASS_LEVEL + index * LEVELS_PER_CLASS;
      add(`operatorClasses.${name}.busySlotUs`, level(first + RUNNING));
      add(`operatorClasses.${name}.slotUs`, level(first + SLOTS_UP));
      add(`operatorClasses.${name}.upUs`, level(first + NODES_UP));
    });
    this.#nodes.totals(nowUs, operatorClasses.map(({ name }) => `operatorClasses.${name}`), add);
    add("checks.little.inSystemUs", level(IN_SYSTEM));
    add("checks.little.sojournUs", this.#measuredSojourns.value);
    add("checks.little.ended", this.#measuredEnded);
    this.#welfare?.totals(add);
    this.#setup.totals?.(nowUs, add);
  }

  #closeRow(slot: number, at: number, endedUs: number, status: ReportJobStatus | "in-flight", reason: string, metGoals: boolean): void {
    const data = this.#jobs.data;
    const attempts = data[at + ATTEMPTS]!;
    const delivered = data[at + FINISHED_ATTEMPT]!;
    const attempt = delivered > 0 ? delivered : attempts;
    const kept = attempt > 0 && attempt > attempts - KEPT_ATTEMPTS;
    const place = attemptAt(at, attempt);
    const assignedUs = kept ? data[place + ASSIGNED]! : -1;
    const startedUs = kept ? data[place + STARTED]! : -1;
    const firstTokenUs = kept ? data[place + FIRST_TOKEN]! : -1;
    const node = delivered > 0 ? data[at + FINISHED_NODE]! : kept ? data[place + NODE]! : -1;
    const clientClass = data[at + CLIENT_CLASS]!;
    this.#digest.add(
      data[at + NUMBER]!, data[at + SUBMITTED]!, assignedUs, startedUs, firstTokenUs, data[at + FINISHED]!, endedUs, data[at + AMOUNT]!, data[at + FEE]!,
      data[at + INPUT_TOKENS]!, data[at + OUTPUT_TOKENS]!, node, clientClass, status === "in-flight" ? -1 : JOB_STATUSES.indexOf(status), attempts,
    );
    if (this.#setup.onJobRow === undefined) return;
    const row = this.#row;
    row.job = this.#jobName(slot);
    row.clientClass = this.#setup.clientClasses[clientClass]!.name;
    row.status = status;
    row.reason = reason;
    row.node = node < 0 ? "" : this.#setup.nodes[node]!.name;
    row.operatorClass = node < 0 ? "" : this.#setup.operatorClasses[this.#nodes.operatorClass(node)]!.name;
    row.attempts = attempts;
    row.submittedUs = data[at + SUBMITTED]!;
    row.assignedUs = assignedUs;
    row.startedUs = startedUs;
    row.firstTokenUs = firstTokenUs;
    row.finishedUs = data[at + FINISHED]!;
    row.endedUs = endedUs;
    row.inputTokens = data[at + INPUT_TOKENS]!;
    row.outputTokens = data[at + OUTPUT_TOKENS]!;
    row.maxOutputTokens = data[at + MAX_OUTPUT_TOKENS]!;
    row.amountMsat = data[at + AMOUNT]!;
    row.feeMsat = data[at + FEE]!;
    row.maxPriceMsat = data[at + MAX_PRICE]!;
    row.metGoals = metGoals;
    row.measured = data[at + SUBMITTED]! >= this.#warmupUs;
    this.#setup.onJobRow(row);
  }

  #meter(slot: number, at: number, inputTokens: number, outputTokens: number, amountMsat: number, feeMsat: number): void {
    const data = this.#jobs.data;
    this.#metering++;
    if (inputTokens !== data[at + INPUT_TOKENS]) this.#broken(LAWS.metering, slot, `${inputTokens} input tokens are billed of ${data[at + INPUT_TOKENS]}`);
    if (!(outputTokens >= 0 && outputTokens <= data[at + MAX_OUTPUT_TOKENS]!)) {
      this.#broken(LAWS.metering, slot, `${outputTokens} output tokens are billed, the limit is ${data[at + MAX_OUTPUT_TOKENS]}`);
    }
    if (!(Number.isSafeInteger(amountMsat) && amountMsat >= 0 && Number.isSafeInteger(feeMsat) && feeMsat >= 0 && amountMsat + feeMsat <= data[at + MAX_PRICE]!)) {
      this.#broken(LAWS.metering, slot, `${amountMsat} msat and a fee of ${feeMsat} msat are billed, the client pays at most ${data[at + MAX_PRICE]} msat`);
    }
  }

  #servedBy(clientClass: number, operatorClass: number): Served {
    const index = clientClass * this.#setup.operatorClasses.length + operatorClass;
    let served = this.#served[index];
    if (served === undefined) this.#served[index] = served = new Served();
    return served;
  }

  #advance(slot: number, nowUs: number): void {
    // Written so that NaN fails too.
    if (!(nowUs >= this.#nowUs)) this.#broken(LAWS.causality, slot, `the clock went back from ${this.#nowUs} µs to ${nowUs} µs`);
    this.#nowUs = nowUs;
    const window = this.#levels.window;
    if (this.#levels.advance(nowUs)) this.#closeWindow(window);
  }

  #closeWindow(window: number): void {
    if (this.#windowTtftUs.count === 0) return;
    this.#ttftP50Us[window] = this.#windowTtftUs.quantile(0.5);
    this.#ttftP95Us[window] = this.#windowTtftUs.quantile(0.95);
    this.#windowTtftUs = new Sample();
  }

  #changeInSystem(nowUs: number, change: number): void {
    this.#accumulateInSystem(nowUs);
    this.#levels.add(IN_SYSTEM, nowUs, change);
  }

  #accumulateInSystem(nowUs: number): void {
    this.#integral.addProduct(this.#levels.value(IN_SYSTEM), nowUs - this.#integralSinceUs);
    this.#integralSinceUs = nowUs;
  }

  /** @returns where the job's row begins */
  #inFlight(slot: number, fact: string): number {
    if (!this.#jobs.isInFlight(slot)) this.#broken(LAWS.terminal, -1, `the job in slot ${slot} was ${fact} at ${this.#nowUs} µs but is not in flight`);
    return slot * ROW;
  }

  /** Whether a node began with one of the job's last attempts. */
  #wasStarted(at: number): boolean {
    const data = this.#jobs.data;
    const attempts = data[at + ATTEMPTS]!;
    for (let attempt = attempts; attempt > 0 && attempt > attempts - KEPT_ATTEMPTS; attempt--) if (data[attemptAt(at, attempt) + STARTED]! >= 0) return true;
    return false;
  }

  /** @returns false where the attempt was made so long ago that its times are not kept */
  #knownAttempt(slot: number, at: number, attempt: number, fact: string): boolean {
    const attempts = this.#jobs.data[at + ATTEMPTS]!;
    if (!(attempt >= 1 && attempt <= attempts)) this.#broken(LAWS.causality, slot, `attempt ${attempt} ${fact} at ${this.#nowUs} µs, ${attempts} were made`);
    return attempt > attempts - KEPT_ATTEMPTS;
  }

  /** In the order of their submission. */
  #slotsInFlight(): number[] {
    const slots: number[] = [];
    for (let slot = 0; slot < this.#jobs.slots; slot++) if (this.#jobs.isInFlight(slot)) slots.push(slot);
    const data = this.#jobs.data;
    return slots.sort((a, b) => data[a * ROW + NUMBER]! - data[b * ROW + NUMBER]!);
  }

  #jobName(slot: number): string {
    if (slot < 0) return "";
    return this.#setup.jobName?.(slot) ?? `#${this.#jobs.data[slot * ROW + NUMBER] ?? slot}`;
  }

  #nodeName(node: number): string {
    return this.#setup.nodes[node]?.name ?? `number ${node}`;
  }

  #broken(law: string, slot: number, detail: string): never {
    throw new InvariantError(law, this.#jobName(slot), this.#setup.seed, detail);
  }
}

function checkSetup({ horizonUs, warmupUs, nodes, operatorClasses }: RecorderSetup): void {
  if (!(Number.isSafeInteger(horizonUs) && Number.isSafeInteger(warmupUs) && warmupUs >= 0 && horizonUs > warmupUs)) {
    throw new RangeError(`the warm-up of ${warmupUs} µs must end before the horizon of ${horizonUs} µs, both whole microseconds`);
  }
  for (const node of nodes) {
    if (operatorClasses[node.operatorClass] === undefined) throw new RangeError(`node ${node.name} belongs to operator class ${node.operatorClass} of ${operatorClasses.length}`);
  }
}

function emptyRow(): JobRow {
  return {
    job: "", clientClass: "", status: "in-flight", reason: "", node: "", operatorClass: "", attempts: 0, submittedUs: 0, assignedUs: -1, startedUs: -1,
    firstTokenUs: -1, finishedUs: -1, endedUs: -1, inputTokens: 0, outputTokens: 0, maxOutputTokens: 0, amountMsat: 0, feeMsat: 0, maxPriceMsat: 0,
    metGoals: false, measured: false,
  };
}
