import type { Engine, EngineSink, QueueDiscipline, StepCost } from "./engine.ts";
import { PRIORITY_MAX } from "./engine.ts";
import { requireCost, requireInteger, requireJob, requireSpeed, throwClock } from "./checks.ts";
import { EventBuffer, FINISHED, FIRST_TOKEN, PREEMPTED, PROGRESS, STARTED } from "./events.ts";
import { JobTable, NEVER_ADMITTED, WAITING, WaitingList } from "./jobs.ts";
import { firstBoundaryAfter, seriesSum, weightedSum } from "./series.ts";
import { TICKS_MAX, TICKS_PER_US, US_PER_TICK, ticksOf } from "./ticks.ts";

/** What a member of the batch takes in its array: the job and, where it decodes, two facts. */
const MEMBER = 3;
/** The value of `#stepsDone` at which it has produced its last token. */
const FINISH_STEP = 1;
/** Its context in the coming step, less `#stepsDone`. */
const CONTEXT_ORIGIN = 2;

/** What tells one engine with continuous batching from another. */
export interface BatchRules {
  /** Most jobs in a batch. At least 1. */
  readonly slots: number;
  /** KV cache in tokens. At least 1. */
  readonly kvTokensMax: number;
  /** Longest context of one job, prompt and output together. At least 2. */
  readonly contextTokensMax: number;
  /** Most tokens that a step processes, decoded and prompt tokens together. At least 1. */
  readonly batchTokens: number;
  /**
   * Tokens in a block of the KV cache, taken as a job grows; when none is left, the latest job is preempted. 0: no
   * blocks, but the job's whole need is set aside when it is admitted.
   */
  readonly blockTokens: number;
  readonly discipline: QueueDiscipline;
  readonly cost: StepCost;
}

/**
 * Continuous batching in closed form. A step decodes one token of every sequence whose prompt is done and, with the rest
 * of `batchTokens`, processes prompt tokens of the others in the order of admission. While the batch's composition stays
 * the same, the steps' durations are an arithmetic series; the engine jumps over it to the next change. Work per job is
 * in proportion to the changes times the batch's size, whatever the number of tokens.
 *
 * In meaning it equals `reference/batch.ts`, which goes step by step.
 */
export class BatchEngine implements Engine {
  readonly slots: number;
  readonly kvTokensMax: number;
  running = 0;
  nextUs = Infinity;

  readonly #contextTokensMax: number;
  readonly #batchTokens: number;
  readonly #blockTokens: number;
  readonly #byPriority: boolean;
  readonly #cost: StepCost;
  readonly #events = new EventBuffer();
  readonly #jobs = new JobTable();
  readonly #queue: WaitingList;

  /** The batch in order of admission, a {@link MEMBER} each; the first `#decoding` decode, the others are in prefill. */
  #batch = new Float64Array(4 * MEMBER);
  #decoding = 0;
  #stepsDone = 0;
  #nextFinishStep = Infinity;
  /** Context that the decoding jobs read in the coming step, in tokens. */
  #context = 0;
  /** Tokens in the KV cache of jobs in prefill. */
  #prefilled = 0;
  /** Tokens of KV set aside for running jobs (without blocks), or blocks in use times their size. */
  #reserved = 0;
  /** Cancelled jobs that are still in the batch. */
  #cancelled = 0;
  /** Output tokens at which somebody wants to hear of a job, by its handle. */
  readonly #watches = new Map<number, number>();

  /** The stretch of equal steps under way: start in whole microseconds and ticks, first duration, growth, number. */
  #startUs = 0;
  #startTicks = 0;
  #ticks = 1;
  #ticksGrowth = 0;
  #steps = 1;
  /** KV tokens in its first step, and growth a step. */
  #kv = 0;
  #kvGrowth = 0;
  /** Jobs whose prompt is completed by the one step, then the chunk of the job after them: 0 where none. */
  #completing = 0;
  #chunk = 0;
  /** When the stretch ends or an idle engine starts; Infinity when idle. */
  #dueUs = Infinity;
  #lastUs = 0;
  #advancing = false;

  #speed = 1;
  /** Shares of the machine: of steps that hold prompt tokens, of others, and of the step under way. */
  #promptShare = 1;
  #generationShare = 1;
  #share = 1;
  #speedChanged = false;
  #contextTicks: number;
  #prefillContextTicks: number;

  #busyTotalUs = 0;
  #runningTotalUs = 0;
  #kvTotalUs = 0;

  /** @throws RangeError for a rule out of range. */
  constructor(rules: BatchRules) {
    requireInteger("slots", rules.slots, 1, 65_536);
    requireInteger("kvTokensMax", rules.kvTokensMax, 1, 2 ** 31 - 1);
    requireInteger("contextTokensMax", rules.contextTokensMax, 2, 2 ** 31 - 1);
    requireInteger("batchTokens", rules.batchTokens, 1, 2 ** 31 - 1);
    requireInteger("blockTokens", rules.blockTokens, 0, rules.kvTokensMax);
    requireCost(rules.cost);
    this.slots = rules.slots;
    this.kvTokensMax = rules.kvTokensMax;
    this.#contextTokensMax = rules.contextTokensMax;
    this.#batchTokens = rules.batchTokens;
    this.#blockTokens = rules.blockTokens;
    this.#byPriority = rules.discipline === "priority";
    this.#cost = rules.cost;
    this.#queue = new WaitingList(this.#jobs, this.#byPriority ? PRIORITY_MAX + 1 : 1);
    this.#contextTicks = ticksOf(rules.cost.contextUs);
    this.#prefillContextTicks = ticksOf(rules.cost.prefillContextUs);
  }

  get waiting(): number {
    return this.#queue.size;
  }

  get kvTokensUsed(): number {
    if (this.running === 0) return 0;
    return this.#kv + this.#kvGrowth * this.#fullSteps(this.#elapsed(this.#lastUs));
  }

  fits(inputTokens: number, outputTokens: number): boolean {
    const input = inputTokens < 1 ? 1 : inputTokens;
    // The last output token never enters the cache.
    return input + outputTokens <= this.#contextTokensMax && this.#roomFor(input + outputTokens - 1) <= this.kvTokensMax;
  }

  submit(nowUs: number, ref: number, inputTokens: number, outputTokens: number, priority: number): void {
    requireJob(ref, priority);
    const input = inputTokens < 1 ? 1 : inputTokens;
    if (!(Number.isInteger(input) && Number.isInteger(outputTokens) && outputTokens >= 1 && this.fits(input, outputTokens))) {
      throw new RangeError(
        `a job of ${inputTokens} input and ${outputTokens} output tokens cannot run here: whole numbers are expected, at least 1 output ` +
        `token, a context of at most ${this.#contextTokensMax} tokens and a KV cache of ${this.kvTokensMax} tokens`);
    }
    this.#settle(nowUs);
    this.#queue.pushBack(this.#jobs.add(ref, input, outputTokens, this.#byPriority ? priority : 0));
    if (this.running === 0) {
      if (this.#dueUs === Infinity) {
        this.#dueUs = nowUs;
        if (this.nextUs > nowUs) this.nextUs = nowUs;
      }
    } else if (this.running < this.slots) this.#cut(nowUs);
  }

  cancel(nowUs: number, ref: number): boolean {
    this.#settle(nowUs);
    if (this.#watches.size > 0) this.#watches.delete(ref);
    const known = this.#events.purge(ref);
    const job = this.#jobs.find(ref);
    if (job < 0) return known;
    if (this.#jobs.prefilled(job) === WAITING) {
      const wasFirst = this.#queue.first() === job;
      this.#queue.remove(job);
      this.#jobs.remove(job);
      if (this.running === 0) {
        if (this.#queue.size === 0) {
          this.#dueUs = Infinity;
          if (this.#events.size === 0) this.nextUs = Infinity;
        }
      } else if (wasFirst && this.running < this.slots) this.#cut(nowUs); // The next in line may need less room.
    } else {
      this.#jobs.forgetRef(job);
      this.#cancelled++;
      this.#cut(nowUs);
    }
    return true;
  }

  watch(nowUs: number, ref: number, outputTokens: number): void {
    this.#settle(nowUs);
    if (this.#jobs.find(ref) < 0) return;
    this.#watches.set(ref, outputTokens);
    if (this.running > 0) this.#cut(nowUs);
  }

  clear(nowUs: number): void {
    this.#watches.clear();
    const busyUs = this.busyUs(nowUs);
    const runningUs = this.runningUs(nowUs);
    const kvTokenUs = this.kvTokenUs(nowUs);
    this.#busyTotalUs = busyUs;
    this.#runningTotalUs = runningUs;
    this.#kvTotalUs = kvTokenUs;
    this.#events.clear();
    this.#queue.clear();
    this.#jobs.clear();
    this.running = 0;
    this.#decoding = 0;
    this.#stepsDone = 0;
    this.#context = 0;
    this.#prefilled = 0;
    this.#reserved = 0;
    this.#cancelled = 0;
    this.#dueUs = Infinity;
    this.nextUs = Infinity;
  }

  setSpeed(nowUs: number, factor: number): void {
    requireSpeed(factor);
    this.#settle(nowUs);
    this.#speed = factor;
    this.#speedChanged = true;
    if (this.running > 0) this.#cut(nowUs);
  }

  setShare(nowUs: number, factor: number, promptFactor = factor): void {
    requireSpeed(factor);
    requireSpeed(promptFactor);
    this.#settle(nowUs);
    this.#generationShare = factor;
    this.#promptShare = promptFactor;
    this.#speedChanged = true;
    const share = this.#completing > 0 || this.#chunk > 0 ? promptFactor : factor;
    const longer = this.#share / share;
    this.#share = share;
    if (this.running === 0 || longer === 1) return;
    const steps = this.#fullSteps(this.#elapsed(nowUs));
    if (steps > 0) {
      this.#pass(steps);
      this.#ticks += this.#ticksGrowth * steps;
      this.#kv += this.#kvGrowth * steps;
    }
    const elapsed = this.#elapsed(nowUs);
    this.#ticks = elapsed + Math.max(1, Math.floor((this.#ticks - elapsed) * longer + 0.5));
    this.#plan(1);
  }

  advance(nowUs: number, sink: EngineSink): void {
    if (!(nowUs >= this.#lastUs && Number.isInteger(nowUs))) throwClock(nowUs, this.#lastUs, this.nextUs);
    if (this.#advancing) throw new Error("an engine's sink called advance of the same engine");
    this.#advancing = true;
    for (;;) {
      if (this.#events.size > 0) {
        this.nextUs = this.#dueUs;
        this.#events.drain(sink);
      }
      if (this.#dueUs > nowUs) break;
      if (this.running === 0) this.#startIdle();
      else this.#endStretch();
    }
    this.#advancing = false;
    this.#lastUs = nowUs;
    this.nextUs = this.#dueUs;
  }

  busyUs(nowUs: number): number {
    this.#settle(nowUs);
    return this.#busyTotalUs + (this.running === 0 ? 0 : nowUs - this.#startUs - this.#startTicks * US_PER_TICK);
  }

  runningUs(nowUs: number): number {
    this.#settle(nowUs);
    return this.#runningTotalUs + this.running * (this.running === 0 ? 0 : nowUs - this.#startUs - this.#startTicks * US_PER_TICK);
  }

  kvTokenUs(nowUs: number): number {
    this.#settle(nowUs);
    if (this.running === 0) return this.#kvTotalUs;
    const elapsed = this.#elapsed(nowUs);
    const steps = this.#fullSteps(elapsed);
    const rest = elapsed - seriesSum(this.#ticks, this.#ticksGrowth, steps);
    return this.#kvTotalUs +
      (weightedSum(this.#ticks, this.#ticksGrowth, this.#kv, this.#kvGrowth, steps) + rest * (this.#kv + this.#kvGrowth * steps)) * US_PER_TICK;
  }

  /** Brings the state up to `nowUs`; what happens on the way is kept for the next `advance`. */
  #settle(nowUs: number): void {
    if (!(nowUs >= this.#lastUs && this.nextUs >= nowUs && Number.isInteger(nowUs))) throwClock(nowUs, this.#lastUs, this.nextUs);
    this.#lastUs = nowUs;
    if (this.running === 0) return;
    while (this.running > 0 && this.#dueUs <= nowUs) this.#endStretch();
    this.nextUs = this.#events.size > 0 ? nowUs : this.#dueUs;
  }

  /** KV tokens that have to be set aside to hold `tokens`. */
  #roomFor(tokens: number): number {
    const block = this.#blockTokens;
    return block === 0 ? tokens : Math.floor((tokens + block - 1) / block) * block;
  }

  /** Ticks from the start of the stretch. */
  #elapsed(nowUs: number): number {
    return (nowUs - this.#startUs) * TICKS_PER_US - this.#startTicks;
  }

  /** Steps of the stretch that have ended `elapsed` ticks after its start. */
  #fullSteps(elapsed: number): number {
    return elapsed < this.#ticks ? 0 : firstBoundaryAfter(this.#ticks, this.#ticksGrowth, elapsed) - 1;
  }

  /** Ends the stretch at the first step boundary after `nowUs`: the composition may change there. */
  #cut(nowUs: number): void {
    if (this.#steps === 1) return;
    const steps = this.#fullSteps(this.#elapsed(nowUs)) + 1;
    if (steps < this.#steps) this.#plan(steps);
  }

  #plan(steps: number): void {
    this.#steps = steps;
    const end = this.#startTicks + seriesSum(this.#ticks, this.#ticksGrowth, steps);
    this.#dueUs = this.#startUs + Math.ceil(end * US_PER_TICK);
    this.nextUs = this.#events.size > 0 ? this.#lastUs : this.#dueUs;
  }

  #startIdle(): void {
    this.#startUs = this.#dueUs;
    this.#startTicks = 0;
    this.#compose();
  }

  /** The stretch has ended: counts it, moves jobs on, and composes the next. */
  #endStretch(): void {
    this.#pass(this.#steps);
    const atUs = this.#startTicks > 0 ? this.#startUs + 1 : this.#startUs;
    let prefillDone = this.#completing;
    if (this.#chunk > 0) {
      const job = this.#jobAt(this.#decoding + prefillDone);
      if (this.#jobs.prefilled(job) === this.#promptOf(job)) prefillDone++;
    }
    this.#moveOn(prefillDone, atUs);
    if (this.#watches.size > 0) this.#tellWatchers(atUs);
    this.#compose();
  }

  /** Counts the first so many steps of the stretch; it begins after them now. */
  #pass(steps: number): void {
    const ticks = seriesSum(this.#ticks, this.#ticksGrowth, steps);
    this.#busyTotalUs += ticks * US_PER_TICK;
    this.#runningTotalUs += this.running * (ticks * US_PER_TICK);
    this.#kvTotalUs += weightedSum(this.#ticks, this.#ticksGrowth, this.#kv, this.#kvGrowth, steps) * US_PER_TICK;
    const end = this.#startTicks + ticks;
    const wholeUs = Math.floor(end * US_PER_TICK);
    this.#startUs += wholeUs;
    this.#startTicks = end - wholeUs * TICKS_PER_US;

    this.#stepsDone += steps;
    this.#context += steps * this.#decoding;
    if (this.#chunk === 0) return;
    const job = this.#jobAt(this.#decoding + this.#completing);
    this.#jobs.setPrefilled(job, this.#jobs.prefilled(job) + this.#chunk * steps);
    this.#prefilled += this.#chunk * steps;
  }

  /** The job at this place of the batch. */
  #jobAt(at: number): number {
    return this.#batch[at * MEMBER]!;
  }

  /** Of the decoding job at this place of the batch. */
  #contextOriginAt(at: number): number {
    return this.#batch[at * MEMBER + CONTEXT_ORIGIN]!;
  }

  /** Tokens that a job in prefill processes before its next output token. */
  #promptOf(job: number): number {
    return this.#jobs.input(job) + this.#jobs.produced(job);
  }

  /** Takes finished and cancelled jobs out of the batch; lets the first `prefillDone` jobs in prefill decode. */
  #moveOn(prefillDone: number, atUs: number): void {
    const batch = this.#batch;
    const jobs = this.#jobs;
    const done = this.#stepsDone;
    const decodingBefore = this.#decoding;
    const prefillEnd = decodingBefore + prefillDone;
    let kept = 0;
    let nextFinish = Infinity;
    for (let at = 0; at < decodingBefore; at++) {
      const member = at * MEMBER;
      const finishStep = batch[member + FINISH_STEP]!;
      const job = batch[member]!;
      const ended = finishStep === done;
      if (ended || (this.#cancelled > 0 && jobs.ref(job) < 0)) {
        const context = batch[member + CONTEXT_ORIGIN]! + done;
        this.#context -= context;
        this.#leave(job, atUs, ended);
        continue;
      }
      if (finishStep < nextFinish) nextFinish = finishStep;
      if (kept !== at) {
        const to = kept * MEMBER;
        batch[to] = job;
        batch[to + FINISH_STEP] = finishStep;
        batch[to + CONTEXT_ORIGIN] = batch[member + CONTEXT_ORIGIN]!;
      }
      kept++;
    }
    for (let at = decodingBefore; at < prefillEnd; at++) {
      const job = batch[at * MEMBER]!;
      const input = jobs.input(job);
      const output = jobs.output(job);
      const produced = jobs.produced(job) + 1;
      // Jobs that one step completed were not counted yet; the chunked one was, up to its last token.
      this.#prefilled -= jobs.prefilled(job);
      if (produced === 1 && jobs.ref(job) >= 0) this.#events.push(FIRST_TOKEN, jobs.ref(job), atUs);
      if (produced === output || jobs.ref(job) < 0) {
        this.#leave(job, atUs, produced === output);
        continue;
      }
      const finishStep = done + (output - produced);
      const to = kept * MEMBER;
      batch[to] = job;
      batch[to + FINISH_STEP] = finishStep;
      batch[to + CONTEXT_ORIGIN] = input + produced - done;
      this.#context += input + produced;
      if (finishStep < nextFinish) nextFinish = finishStep;
      kept++;
    }
    this.#decoding = kept;
    this.#nextFinishStep = nextFinish;
    if (kept === prefillEnd && this.#cancelled === 0) return;
    const runningBefore = this.running;
    this.running -= prefillEnd - kept;
    for (let at = prefillEnd; at < runningBefore; at++) {
      const job = batch[at * MEMBER]!;
      if (jobs.ref(job) < 0) {
        this.#prefilled -= jobs.prefilled(job);
        this.#leave(job, atUs, false);
        this.running--;
      } else batch[kept++ * MEMBER] = job;
    }
  }

  #tellWatchers(atUs: number): void {
    for (let at = 0; at < this.#decoding; at++) {
      const job = this.#jobAt(at);
      const ref = this.#jobs.ref(job);
      const tokens = this.#watches.get(ref);
      if (tokens === undefined || this.#producedAt(at) < tokens) continue;
      this.#watches.delete(ref);
      this.#events.push(PROGRESS, ref, atUs);
    }
  }

  /** Output tokens of the decoding job at this place of the batch. */
  #producedAt(at: number): number {
    return this.#contextOriginAt(at) + this.#stepsDone - this.#jobs.input(this.#jobAt(at));
  }

  /** Steps until the first of the watched jobs has its tokens, at least 1. */
  #stepsToWatch(): number {
    let steps = Infinity;
    for (let at = 0; at < this.#decoding; at++) {
      const tokens = this.#watches.get(this.#jobs.ref(this.#jobAt(at)));
      if (tokens !== undefined) steps = Math.min(steps, tokens - this.#producedAt(at));
    }
    return Math.max(1, steps);
  }

  /** A job that is out of the batch for good. */
  #leave(job: number, atUs: number, finished: boolean): void {
    const ref = this.#jobs.ref(job);
    if (ref < 0) this.#cancelled--;
    else if (this.#watches.size > 0) this.#watches.delete(ref);
    if (ref >= 0 && finished) this.#events.push(FINISHED, ref, atUs);
    if (this.#blockTokens === 0) this.#reserved -= this.#jobs.input(job) + this.#jobs.output(job) - 1;
    this.#jobs.remove(job);
  }

  /** Decides who takes part in the next step, how long it lasts, and how many more are like it. */
  #compose(): void {
    const atUs = this.#startTicks > 0 ? this.#startUs + 1 : this.#startUs;
    const paged = this.#blockTokens > 0;
    const waitingBefore = this.#queue.size;
    if (paged) this.#takeBlocks(atUs);
    const preempted = this.#queue.size > waitingBefore;

    const jobs = this.#jobs;
    const decoding = this.#decoding;
    let budget = Math.max(0, this.#batchTokens - decoding);
    let prefillTokens = 0;
    let pairs = 0;
    let pairsGrowth = 0;
    let completing = 0;
    let chunk = 0;
    let prefillSteps = Infinity;
    for (let at = decoding; ; at++) {
      if (at === this.running) {
        // A preemption means that memory is short: nobody comes in within the same step (as in vLLM).
        if (paged && (preempted || budget === 0)) break;
        if (!this.#admitNext(atUs)) break;
      }
      if (budget === 0) continue;
      const job = this.#jobAt(at);
      const prefilled = jobs.prefilled(job);
      const rest = this.#promptOf(job) - prefilled;
      const tokens = rest < budget ? rest : budget;
      budget -= tokens;
      prefillTokens += tokens;
      pairs += tokens * prefilled + (tokens * (tokens - 1)) / 2;
      pairsGrowth += tokens * tokens;
      if (tokens === rest) completing++;
      else {
        chunk = tokens;
        prefillSteps = Math.floor(rest / tokens);
      }
    }
    this.#completing = completing;
    this.#chunk = chunk;

    if (this.running === 0) {
      if (this.#queue.size > 0) throw new Error("an empty engine admits nobody although jobs wait");
      this.#dueUs = Infinity;
      this.nextUs = this.#events.size > 0 ? this.#lastUs : Infinity;
      this.#stepsDone = 0;
      return;
    }

    const share = prefillTokens > 0 ? this.#promptShare : this.#generationShare;
    const pace = this.#speed * share;
    if (this.#speedChanged || share !== this.#share) {
      this.#speedChanged = false;
      this.#share = share;
      this.#contextTicks = ticksOf(this.#cost.contextUs / pace);
      this.#prefillContextTicks = ticksOf(this.#cost.prefillContextUs / pace);
    }
    this.#ticks = Math.max(1, ticksOf(this.#cost.baseUs(prefillTokens, decoding) / pace) +
      this.#contextTicks * this.#context + this.#prefillContextTicks * pairs);
    this.#ticksGrowth = this.#contextTicks * decoding + this.#prefillContextTicks * pairsGrowth;
    if (!(this.#ticks <= TICKS_MAX)) {
      throw new RangeError(`a step of ${prefillTokens} prompt tokens and ${decoding} sequences lasts ${this.#ticks * US_PER_TICK} us; expected at most ${TICKS_MAX * US_PER_TICK}`);
    }
    this.#kv = this.#context + this.#prefilled + prefillTokens;
    this.#kvGrowth = decoding + prefillTokens;

    let steps = this.#nextFinishStep - this.#stepsDone;
    if (prefillSteps < steps) steps = prefillSteps;
    if (this.#watches.size > 0) steps = Math.min(steps, this.#stepsToWatch());
    if (completing > 0 || preempted) steps = 1;
    if (paged && steps > 1) steps = this.#stepsWithinBlocks(steps);
    const last = this.#ticks + this.#ticksGrowth * (steps - 1);
    // A stretch too long for exact sums is taken in pieces.
    if (last * steps > TICKS_MAX) steps = Math.max(1, Math.floor(TICKS_MAX / last));
    if (!(this.#kv >= 0 && this.#kv + this.#kvGrowth * (steps - 1) <= this.kvTokensMax)) {
      throw new Error(`KV cache out of bounds: ${this.#kv} tokens and ${this.#kvGrowth} more in each of ${steps} steps, of ${this.kvTokensMax}`);
    }
    this.#plan(steps);
  }

  /** Takes the first in line into the batch where there is a slot and room in the KV cache. */
  #admitNext(atUs: number): boolean {
    const job = this.#queue.first();
    if (job < 0 || this.running === this.slots) return false;
    const jobs = this.#jobs;
    const fresh = jobs.produced(job) === NEVER_ADMITTED;
    const room = this.#blockTokens === 0
      ? jobs.input(job) + jobs.output(job) - 1
      : this.#roomFor(jobs.input(job) + (fresh ? 0 : jobs.produced(job)));
    if (this.#reserved + room > this.kvTokensMax) return false;
    this.#reserved += room;
    this.#queue.remove(job);
    jobs.setPrefilled(job, 0);
    if (fresh) {
      jobs.setProduced(job, 0);
      this.#events.push(STARTED, jobs.ref(job), atUs);
    }
    if (this.running * MEMBER === this.#batch.length) this.#growBatch();
    this.#batch[this.running++ * MEMBER] = job;
    return true;
  }

  /** Counts the blocks that the coming step needs, and preempts until they are there. */
  #takeBlocks(atUs: number): void {
    let need = 0;
    for (let at = 0; at < this.#decoding; at++) need += this.#roomFor(this.#contextOriginAt(at) + this.#stepsDone);
    for (let at = this.#decoding; at < this.running; at++) need += this.#roomFor(this.#promptOf(this.#jobAt(at)));
    const capacity = this.#roomFor(this.kvTokensMax - this.#blockTokens + 1);
    while (need > capacity) need -= this.#preempt(atUs);
    this.#reserved = need;
  }

  /** Puts the latest job (of the lowest priority) back to the front of the queue; returns the room it gives up. */
  #preempt(atUs: number): number {
    const jobs = this.#jobs;
    let victim = this.running - 1;
    for (let at = victim - 1; at >= 0; at--) {
      if (jobs.level(this.#jobAt(at)) < jobs.level(this.#jobAt(victim))) victim = at;
    }
    const job = this.#jobAt(victim);
    let room: number;
    if (victim < this.#decoding) {
      const context = this.#contextOriginAt(victim) + this.#stepsDone;
      room = this.#roomFor(context);
      this.#context -= context;
      jobs.setProduced(job, context - jobs.input(job));
    } else {
      room = this.#roomFor(this.#promptOf(job));
      this.#prefilled -= jobs.prefilled(job);
    }
    this.#batch.copyWithin(victim * MEMBER, (victim + 1) * MEMBER, this.running * MEMBER);
    if (victim < this.#decoding) {
      this.#decoding--;
      this.#nextFinishStep = Infinity;
      for (let at = 0; at < this.#decoding; at++) this.#nextFinishStep = Math.min(this.#nextFinishStep, this.#batch[at * MEMBER + FINISH_STEP]!);
    }
    this.running--;
    jobs.setPrefilled(job, WAITING);
    this.#queue.pushFront(job);
    this.#events.push(PREEMPTED, jobs.ref(job), atUs);
    return room;
  }

  /** The most of `steps` equal steps that the free blocks allow; at least 1, for the first one's blocks are taken. */
  #stepsWithinBlocks(steps: number): number {
    const block = this.#blockTokens;
    const free = this.#roomFor(this.kvTokensMax - block + 1) - this.#reserved;
    if (this.#decoding * Math.ceil((steps - 1) / block) * block <= free) return steps;
    let low = 1;
    let high = steps;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.#growth(middle - 1) <= free) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Room that the decoding jobs need beyond the coming step's, `steps` later. */
  #growth(steps: number): number {
    let growth = 0;
    for (let at = 0; at < this.#decoding; at++) {
      const context = this.#contextOriginAt(at) + this.#stepsDone;
      growth += this.#roomFor(context + steps) - this.#roomFor(context);
    }
    return growth;
  }

  #growBatch(): void {
    const batch = new Float64Array(this.#batch.length * 2);
    batch.set(this.#batch);
    this.#batch = batch;
  }
}
