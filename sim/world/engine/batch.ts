import { Arena } from "./arena.ts";
import type { Engine, EngineSink, QueueDiscipline, StepCost } from "./engine.ts";
import { PRIORITY_MAX } from "./engine.ts";
import { requireCost, requireInteger, requireJob, requireSpeed, throwClock } from "./checks.ts";
import { EventBuffer, FINISHED, FIRST_TOKEN, PREEMPTED, PROGRESS, STARTED } from "./events.ts";
import { JobTable, NEVER_ADMITTED, WAITING, WaitingList } from "./jobs.ts";
import { firstBoundaryAfter, seriesSum, weightedSum } from "./series.ts";
import { TICKS_MAX, TICKS_PER_US, US_PER_TICK, ticksOf } from "./ticks.ts";

/** What a member of the batch takes in the arena: the job and, where it decodes, two facts. */
const MEMBER = 3;
/** The value of {@link STEPS_DONE} at which it has produced its last token. */
const FINISH_STEP = 1;
/** Its context in the coming step, less {@link STEPS_DONE}. */
const CONTEXT_ORIGIN = 2;

/** When `advance` has something to do, when the stretch ends or an idle engine starts (Infinity when idle), and the latest time told. */
const NEXT_US = 0;
const DUE_US = 1;
const LAST_US = 2;
/** The stretch of equal steps under way: start in whole microseconds and ticks, first duration, growth, number. */
const START_US = 3;
const START_TICKS = 4;
const TICKS = 5;
const TICKS_GROWTH = 6;
const STEPS = 7;
/** KV tokens in its first step, and growth a step. */
const KV = 8;
const KV_GROWTH = 9;
/** Steps since the batch was empty, and when the first of those that decode has its last token. */
const STEPS_DONE = 10;
const NEXT_FINISH_STEP = 11;
/** Context that the decoding jobs read in the coming step, in tokens. */
const CONTEXT = 12;
/** Tokens in the KV cache of jobs in prefill. */
const PREFILLED = 13;
/** Tokens of KV set aside for running jobs (without blocks), or blocks in use times their size. */
const RESERVED = 14;
/** Integrals up to the start of the stretch. */
const BUSY_TOTAL_US = 15;
const RUNNING_TOTAL_US = 16;
const KV_TOTAL_US = 17;
/** Speed, and shares of the machine: of steps that hold prompt tokens, of others, and of the step under way. */
const SPEED = 18;
const PROMPT_SHARE = 19;
const GENERATION_SHARE = 20;
const SHARE = 21;
/** Ticks of a step for each token of context, and for each pair of a prompt token and a token before it. */
const CONTEXT_TICKS = 22;
const PREFILL_CONTEXT_TICKS = 23;
/** How many numbers that makes. */
const STATE = 24;

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
  running = 0;

  readonly #rules: BatchRules;
  readonly #arena: Arena;
  /** Where its numbers are, named above. */
  readonly #page: Float64Array;
  readonly #state: number;
  readonly #events: EventBuffer;
  readonly #jobs: JobTable;
  readonly #queue: WaitingList;

  /**
   * Where the batch is, in order of admission, a {@link MEMBER} each, and for how many there is room. The first `#decoding`
   * decode, the others are in prefill.
   */
  #batchPage: Float64Array;
  #batch: number;
  #batchRoom = 4;
  #decoding = 0;
  /** Cancelled jobs that are still in the batch. */
  #cancelled = 0;
  /** Output tokens at which somebody wants to hear of a job, by its handle; null before anybody asks. */
  #watches: Map<number, number> | null = null;

  /** Jobs whose prompt is completed by the one step, then the chunk of the job after them: 0 where none. */
  #completing = 0;
  #chunk = 0;
  #speedChanged = false;
  #advancing = false;

  /**
   * @param arena where it keeps its numbers, best shared by the engines of a market.
   * @throws RangeError for a rule out of range.
   */
  constructor(rules: BatchRules, arena = new Arena()) {
    requireInteger("slots", rules.slots, 1, 65_536);
    requireInteger("kvTokensMax", rules.kvTokensMax, 1, 2 ** 31 - 1);
    requireInteger("contextTokensMax", rules.contextTokensMax, 2, 2 ** 31 - 1);
    requireInteger("batchTokens", rules.batchTokens, 1, 2 ** 31 - 1);
    requireInteger("blockTokens", rules.blockTokens, 0, rules.kvTokensMax);
    requireCost(rules.cost);
    this.slots = rules.slots;
    this.#rules = rules;
    this.#arena = arena;
    const state = arena.take(STATE);
    const { page } = arena;
    this.#page = page;
    this.#state = state;
    this.#batch = arena.take(this.#batchRoom * MEMBER);
    this.#batchPage = arena.page;
    this.#events = new EventBuffer(arena);
    this.#jobs = new JobTable(arena);
    this.#queue = new WaitingList(arena, this.#jobs, rules.discipline === "priority" ? PRIORITY_MAX + 1 : 1);
    page[state + NEXT_US] = Infinity;
    page[state + DUE_US] = Infinity;
    page[state + NEXT_FINISH_STEP] = Infinity;
    page[state + TICKS] = 1;
    page[state + STEPS] = 1;
    page[state + SPEED] = 1;
    page[state + PROMPT_SHARE] = 1;
    page[state + GENERATION_SHARE] = 1;
    page[state + SHARE] = 1;
    page[state + CONTEXT_TICKS] = ticksOf(rules.cost.contextUs);
    page[state + PREFILL_CONTEXT_TICKS] = ticksOf(rules.cost.prefillContextUs);
  }

  get nextUs(): number {
    return this.#page[this.#state + NEXT_US]!;
  }

  get kvTokensMax(): number {
    return this.#rules.kvTokensMax;
  }

  get waiting(): number {
    return this.#queue.size;
  }

  get kvTokensUsed(): number {
    const page = this.#page;
    const state = this.#state;
    if (this.running === 0) return 0;
    return page[state + KV]! + page[state + KV_GROWTH]! * this.#fullSteps(this.#elapsed(page[state + LAST_US]!));
  }

  fits(inputTokens: number, outputTokens: number): boolean {
    const input = inputTokens < 1 ? 1 : inputTokens;
    // The last output token never enters the cache.
    return input + outputTokens <= this.#rules.contextTokensMax && this.#roomFor(input + outputTokens - 1) <= this.kvTokensMax;
  }

  submit(nowUs: number, ref: number, inputTokens: number, outputTokens: number, priority: number): void {
    const page = this.#page;
    const state = this.#state;
    requireJob(ref, priority);
    const input = inputTokens < 1 ? 1 : inputTokens;
    if (!(Number.isInteger(input) && Number.isInteger(outputTokens) && outputTokens >= 1 && this.fits(input, outputTokens))) {
      throw new RangeError(
        `a job of ${inputTokens} input and ${outputTokens} output tokens cannot run here: whole numbers are expected, at least 1 output ` +
        `token, a context of at most ${this.#rules.contextTokensMax} tokens and a KV cache of ${this.kvTokensMax} tokens`);
    }
    this.#settle(nowUs);
    this.#queue.pushBack(this.#jobs.add(ref, input, outputTokens, this.#rules.discipline === "priority" ? priority : 0));
    if (this.running === 0) {
      if (page[state + DUE_US]! === Infinity) {
        page[state + DUE_US] = nowUs;
        if (page[state + NEXT_US]! > nowUs) page[state + NEXT_US] = nowUs;
      }
    } else if (this.running < this.slots) this.#cut(nowUs);
  }

  cancel(nowUs: number, ref: number): boolean {
    const page = this.#page;
    const state = this.#state;
    this.#settle(nowUs);
    this.#watches?.delete(ref);
    const known = this.#events.purge(ref);
    const job = this.#jobs.find(ref);
    if (job < 0) return known;
    if (this.#jobs.prefilled(job) === WAITING) {
      const wasFirst = this.#queue.first() === job;
      this.#queue.remove(job);
      this.#jobs.remove(job);
      if (this.running === 0) {
        if (this.#queue.size === 0) {
          page[state + DUE_US] = Infinity;
          if (this.#events.size === 0) page[state + NEXT_US] = Infinity;
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
    this.#watches ??= new Map();
    this.#watches.set(ref, outputTokens);
    if (this.running > 0) this.#cut(nowUs);
  }

  clear(nowUs: number): void {
    const page = this.#page;
    const state = this.#state;
    this.#watches?.clear();
    const busyUs = this.busyUs(nowUs);
    const runningUs = this.runningUs(nowUs);
    const kvTokenUs = this.kvTokenUs(nowUs);
    page[state + BUSY_TOTAL_US] = busyUs;
    page[state + RUNNING_TOTAL_US] = runningUs;
    page[state + KV_TOTAL_US] = kvTokenUs;
    this.#events.clear();
    this.#queue.clear();
    this.#jobs.clear();
    this.running = 0;
    this.#decoding = 0;
    page[state + STEPS_DONE] = 0;
    page[state + CONTEXT] = 0;
    page[state + PREFILLED] = 0;
    page[state + RESERVED] = 0;
    this.#cancelled = 0;
    page[state + DUE_US] = Infinity;
    page[state + NEXT_US] = Infinity;
  }

  setSpeed(nowUs: number, factor: number): void {
    const page = this.#page;
    const state = this.#state;
    requireSpeed(factor);
    this.#settle(nowUs);
    page[state + SPEED] = factor;
    this.#speedChanged = true;
    if (this.running > 0) this.#cut(nowUs);
  }

  setShare(nowUs: number, factor: number, promptFactor = factor): void {
    const page = this.#page;
    const state = this.#state;
    requireSpeed(factor);
    requireSpeed(promptFactor);
    this.#settle(nowUs);
    page[state + GENERATION_SHARE] = factor;
    page[state + PROMPT_SHARE] = promptFactor;
    this.#speedChanged = true;
    const share = this.#completing > 0 || this.#chunk > 0 ? promptFactor : factor;
    const longer = page[state + SHARE]! / share;
    page[state + SHARE] = share;
    if (this.running === 0 || longer === 1) return;
    const steps = this.#fullSteps(this.#elapsed(nowUs));
    if (steps > 0) {
      this.#pass(steps);
      page[state + TICKS]! += page[state + TICKS_GROWTH]! * steps;
      page[state + KV]! += page[state + KV_GROWTH]! * steps;
    }
    const elapsed = this.#elapsed(nowUs);
    page[state + TICKS] = elapsed + Math.max(1, Math.floor((page[state + TICKS]! - elapsed) * longer + 0.5));
    this.#plan(1);
  }

  advance(nowUs: number, sink: EngineSink): void {
    const page = this.#page;
    const state = this.#state;
    if (!(nowUs >= page[state + LAST_US]! && Number.isInteger(nowUs))) throwClock(nowUs, page[state + LAST_US]!, page[state + NEXT_US]!);
    if (this.#advancing) throw new Error("an engine's sink called advance of the same engine");
    this.#advancing = true;
    for (;;) {
      if (this.#events.size > 0) {
        page[state + NEXT_US] = page[state + DUE_US]!;
        this.#events.drain(sink);
      }
      if (page[state + DUE_US]! > nowUs) break;
      if (this.running === 0) this.#startIdle();
      else this.#endStretch();
    }
    this.#advancing = false;
    page[state + LAST_US] = nowUs;
    page[state + NEXT_US] = page[state + DUE_US]!;
  }

  busyUs(nowUs: number): number {
    const page = this.#page;
    const state = this.#state;
    this.#settle(nowUs);
    return page[state + BUSY_TOTAL_US]! + (this.running === 0 ? 0 : nowUs - page[state + START_US]! - page[state + START_TICKS]! * US_PER_TICK);
  }

  runningUs(nowUs: number): number {
    const page = this.#page;
    const state = this.#state;
    this.#settle(nowUs);
    return page[state + RUNNING_TOTAL_US]! + this.running * (this.running === 0 ? 0 : nowUs - page[state + START_US]! - page[state + START_TICKS]! * US_PER_TICK);
  }

  kvTokenUs(nowUs: number): number {
    const page = this.#page;
    const state = this.#state;
    this.#settle(nowUs);
    if (this.running === 0) return page[state + KV_TOTAL_US]!;
    const elapsed = this.#elapsed(nowUs);
    const steps = this.#fullSteps(elapsed);
    const rest = elapsed - seriesSum(page[state + TICKS]!, page[state + TICKS_GROWTH]!, steps);
    return page[state + KV_TOTAL_US]! +
      (weightedSum(page[state + TICKS]!, page[state + TICKS_GROWTH]!, page[state + KV]!, page[state + KV_GROWTH]!, steps) + rest * (page[state + KV]! + page[state + KV_GROWTH]! * steps)) * US_PER_TICK;
  }

  /** Brings the state up to `nowUs`; what happens on the way is kept for the next `advance`. */
  #settle(nowUs: number): void {
    const page = this.#page;
    const state = this.#state;
    if (!(nowUs >= page[state + LAST_US]! && page[state + NEXT_US]! >= nowUs && Number.isInteger(nowUs))) throwClock(nowUs, page[state + LAST_US]!, page[state + NEXT_US]!);
    page[state + LAST_US] = nowUs;
    if (this.running === 0) return;
    while (this.running > 0 && page[state + DUE_US]! <= nowUs) this.#endStretch();
    page[state + NEXT_US] = this.#events.size > 0 ? nowUs : page[state + DUE_US]!;
  }

  /** KV tokens that have to be set aside to hold `tokens`. */
  #roomFor(tokens: number): number {
    const block = this.#rules.blockTokens;
    return block === 0 ? tokens : Math.floor((tokens + block - 1) / block) * block;
  }

  /** Ticks from the start of the stretch. */
  #elapsed(nowUs: number): number {
    const page = this.#page;
    const state = this.#state;
    return (nowUs - page[state + START_US]!) * TICKS_PER_US - page[state + START_TICKS]!;
  }

  /** Steps of the stretch that have ended `elapsed` ticks after its start. */
  #fullSteps(elapsed: number): number {
    const page = this.#page;
    const state = this.#state;
    return elapsed < page[state + TICKS]! ? 0 : firstBoundaryAfter(page[state + TICKS]!, page[state + TICKS_GROWTH]!, elapsed) - 1;
  }

  /** Ends the stretch at the first step boundary after `nowUs`: the composition may change there. */
  #cut(nowUs: number): void {
    const page = this.#page;
    const state = this.#state;
    if (page[state + STEPS]! === 1) return;
    const steps = this.#fullSteps(this.#elapsed(nowUs)) + 1;
    if (steps < page[state + STEPS]!) this.#plan(steps);
  }

  #plan(steps: number): void {
    const page = this.#page;
    const state = this.#state;
    page[state + STEPS] = steps;
    const end = page[state + START_TICKS]! + seriesSum(page[state + TICKS]!, page[state + TICKS_GROWTH]!, steps);
    page[state + DUE_US] = page[state + START_US]! + Math.ceil(end * US_PER_TICK);
    page[state + NEXT_US] = this.#events.size > 0 ? page[state + LAST_US]! : page[state + DUE_US]!;
  }

  #startIdle(): void {
    const page = this.#page;
    const state = this.#state;
    page[state + START_US] = page[state + DUE_US]!;
    page[state + START_TICKS] = 0;
    this.#compose();
  }

  /** The stretch has ended: counts it, moves jobs on, and composes the next. */
  #endStretch(): void {
    const page = this.#page;
    const state = this.#state;
    this.#pass(page[state + STEPS]!);
    const atUs = page[state + START_TICKS]! > 0 ? page[state + START_US]! + 1 : page[state + START_US]!;
    let prefillDone = this.#completing;
    if (this.#chunk > 0) {
      const job = this.#jobAt(this.#decoding + prefillDone);
      if (this.#jobs.prefilled(job) === this.#promptOf(job)) prefillDone++;
    }
    this.#moveOn(prefillDone, atUs);
    if (this.#watches !== null) this.#tellWatchers(this.#watches, atUs);
    this.#compose();
  }

  /** Counts the first so many steps of the stretch; it begins after them now. */
  #pass(steps: number): void {
    const page = this.#page;
    const state = this.#state;
    const ticks = seriesSum(page[state + TICKS]!, page[state + TICKS_GROWTH]!, steps);
    page[state + BUSY_TOTAL_US]! += ticks * US_PER_TICK;
    page[state + RUNNING_TOTAL_US]! += this.running * (ticks * US_PER_TICK);
    page[state + KV_TOTAL_US]! += weightedSum(page[state + TICKS]!, page[state + TICKS_GROWTH]!, page[state + KV]!, page[state + KV_GROWTH]!, steps) * US_PER_TICK;
    const end = page[state + START_TICKS]! + ticks;
    const wholeUs = Math.floor(end * US_PER_TICK);
    page[state + START_US]! += wholeUs;
    page[state + START_TICKS] = end - wholeUs * TICKS_PER_US;

    page[state + STEPS_DONE]! += steps;
    page[state + CONTEXT]! += steps * this.#decoding;
    if (this.#chunk === 0) return;
    const job = this.#jobAt(this.#decoding + this.#completing);
    this.#jobs.setPrefilled(job, this.#jobs.prefilled(job) + this.#chunk * steps);
    page[state + PREFILLED]! += this.#chunk * steps;
  }

  /** The job at this place of the batch. */
  #jobAt(at: number): number {
    return this.#batchPage[this.#batch + at * MEMBER]! | 0;
  }

  /** Of the decoding job at this place of the batch. */
  #contextOriginAt(at: number): number {
    return this.#batchPage[this.#batch + at * MEMBER + CONTEXT_ORIGIN]!;
  }

  /** Tokens that a job in prefill processes before its next output token. */
  #promptOf(job: number): number {
    return this.#jobs.input(job) + this.#jobs.produced(job);
  }

  /** Takes finished and cancelled jobs out of the batch; lets the first `prefillDone` jobs in prefill decode. */
  #moveOn(prefillDone: number, atUs: number): void {
    const page = this.#page;
    const state = this.#state;
    const members = this.#batchPage;
    const batch = this.#batch;
    const jobs = this.#jobs;
    const done = page[state + STEPS_DONE]!;
    const decodingBefore = this.#decoding;
    const prefillEnd = decodingBefore + prefillDone;
    let kept = 0;
    let nextFinish = Infinity;
    for (let at = 0; at < decodingBefore; at++) {
      const member = batch + at * MEMBER;
      const finishStep = members[member + FINISH_STEP]!;
      const job = members[member]! | 0;
      const ended = finishStep === done;
      if (ended || (this.#cancelled > 0 && jobs.ref(job) < 0)) {
        const context = members[member + CONTEXT_ORIGIN]! + done;
        page[state + CONTEXT]! -= context;
        this.#leave(job, atUs, ended);
        continue;
      }
      if (finishStep < nextFinish) nextFinish = finishStep;
      if (kept !== at) {
        const to = batch + kept * MEMBER;
        members[to] = job;
        members[to + FINISH_STEP] = finishStep;
        members[to + CONTEXT_ORIGIN] = members[member + CONTEXT_ORIGIN]!;
      }
      kept++;
    }
    for (let at = decodingBefore; at < prefillEnd; at++) {
      const job = members[batch + at * MEMBER]! | 0;
      const input = jobs.input(job);
      const output = jobs.output(job);
      const produced = jobs.produced(job) + 1;
      // Jobs that one step completed were not counted yet; the chunked one was, up to its last token.
      page[state + PREFILLED]! -= jobs.prefilled(job);
      if (produced === 1 && jobs.ref(job) >= 0) this.#events.push(FIRST_TOKEN, jobs.ref(job), atUs);
      if (produced === output || jobs.ref(job) < 0) {
        this.#leave(job, atUs, produced === output);
        continue;
      }
      const finishStep = done + (output - produced);
      const to = batch + kept * MEMBER;
      members[to] = job;
      members[to + FINISH_STEP] = finishStep;
      members[to + CONTEXT_ORIGIN] = input + produced - done;
      page[state + CONTEXT]! += input + produced;
      if (finishStep < nextFinish) nextFinish = finishStep;
      kept++;
    }
    this.#decoding = kept;
    page[state + NEXT_FINISH_STEP] = nextFinish;
    if (kept === prefillEnd && this.#cancelled === 0) return;
    const runningBefore = this.running;
    this.running -= prefillEnd - kept;
    for (let at = prefillEnd; at < runningBefore; at++) {
      const job = members[batch + at * MEMBER]! | 0;
      if (jobs.ref(job) < 0) {
        page[state + PREFILLED]! -= jobs.prefilled(job);
        this.#leave(job, atUs, false);
        this.running--;
      } else members[batch + kept++ * MEMBER] = job;
    }
  }

  #tellWatchers(watches: Map<number, number>, atUs: number): void {
    if (watches.size === 0) return;
    for (let at = 0; at < this.#decoding; at++) {
      const job = this.#jobAt(at);
      const ref = this.#jobs.ref(job);
      const tokens = watches.get(ref);
      if (tokens === undefined || this.#producedAt(at) < tokens) continue;
      watches.delete(ref);
      this.#events.push(PROGRESS, ref, atUs);
    }
  }

  /** Output tokens of the decoding job at this place of the batch. */
  #producedAt(at: number): number {
    const page = this.#page;
    const state = this.#state;
    return this.#contextOriginAt(at) + page[state + STEPS_DONE]! - this.#jobs.input(this.#jobAt(at));
  }

  /** Steps until the first of the watched jobs has its tokens, at least 1. */
  #stepsToWatch(watches: Map<number, number>): number {
    let steps = Infinity;
    if (watches.size === 0) return steps;
    for (let at = 0; at < this.#decoding; at++) {
      const tokens = watches.get(this.#jobs.ref(this.#jobAt(at)));
      if (tokens !== undefined) steps = Math.min(steps, tokens - this.#producedAt(at));
    }
    return Math.max(1, steps);
  }

  /** A job that is out of the batch for good. */
  #leave(job: number, atUs: number, finished: boolean): void {
    const page = this.#page;
    const state = this.#state;
    const ref = this.#jobs.ref(job);
    if (ref < 0) this.#cancelled--;
    else this.#watches?.delete(ref);
    if (ref >= 0 && finished) this.#events.push(FINISHED, ref, atUs);
    if (this.#rules.blockTokens === 0) page[state + RESERVED]! -= this.#jobs.input(job) + this.#jobs.output(job) - 1;
    this.#jobs.remove(job);
  }

  /** Decides who takes part in the next step, how long it lasts, and how many more are like it. */
  #compose(): void {
    const page = this.#page;
    const state = this.#state;
    const atUs = page[state + START_TICKS]! > 0 ? page[state + START_US]! + 1 : page[state + START_US]!;
    const paged = this.#rules.blockTokens > 0;
    const waitingBefore = this.#queue.size;
    if (paged) this.#takeBlocks(atUs);
    const preempted = this.#queue.size > waitingBefore;

    const jobs = this.#jobs;
    const decoding = this.#decoding;
    let budget = Math.max(0, this.#rules.batchTokens - decoding);
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
      page[state + DUE_US] = Infinity;
      page[state + NEXT_US] = this.#events.size > 0 ? page[state + LAST_US]! : Infinity;
      page[state + STEPS_DONE] = 0;
      return;
    }

    const share = prefillTokens > 0 ? page[state + PROMPT_SHARE]! : page[state + GENERATION_SHARE]!;
    const pace = page[state + SPEED]! * share;
    if (this.#speedChanged || share !== page[state + SHARE]!) {
      this.#speedChanged = false;
      page[state + SHARE] = share;
      page[state + CONTEXT_TICKS] = ticksOf(this.#rules.cost.contextUs / pace);
      page[state + PREFILL_CONTEXT_TICKS] = ticksOf(this.#rules.cost.prefillContextUs / pace);
    }
    page[state + TICKS] = Math.max(1, ticksOf(this.#rules.cost.baseUs(prefillTokens, decoding) / pace) +
      page[state + CONTEXT_TICKS]! * page[state + CONTEXT]! + page[state + PREFILL_CONTEXT_TICKS]! * pairs);
    page[state + TICKS_GROWTH] = page[state + CONTEXT_TICKS]! * decoding + page[state + PREFILL_CONTEXT_TICKS]! * pairsGrowth;
    if (!(page[state + TICKS]! <= TICKS_MAX)) {
      throw new RangeError(`a step of ${prefillTokens} prompt tokens and ${decoding} sequences lasts ${page[state + TICKS]! * US_PER_TICK} us; expected at most ${TICKS_MAX * US_PER_TICK}`);
    }
    page[state + KV] = page[state + CONTEXT]! + page[state + PREFILLED]! + prefillTokens;
    page[state + KV_GROWTH] = decoding + prefillTokens;

    let steps = page[state + NEXT_FINISH_STEP]! - page[state + STEPS_DONE]!;
    if (prefillSteps < steps) steps = prefillSteps;
    if (this.#watches !== null) steps = Math.min(steps, this.#stepsToWatch(this.#watches));
    if (completing > 0 || preempted) steps = 1;
    if (paged && steps > 1) steps = this.#stepsWithinBlocks(steps);
    const last = page[state + TICKS]! + page[state + TICKS_GROWTH]! * (steps - 1);
    // A stretch too long for exact sums is taken in pieces.
    if (last * steps > TICKS_MAX) steps = Math.max(1, Math.floor(TICKS_MAX / last));
    if (!(page[state + KV]! >= 0 && page[state + KV]! + page[state + KV_GROWTH]! * (steps - 1) <= this.kvTokensMax)) {
      throw new Error(`KV cache out of bounds: ${page[state + KV]!} tokens and ${page[state + KV_GROWTH]!} more in each of ${steps} steps, of ${this.kvTokensMax}`);
    }
    this.#plan(steps);
  }

  /** Takes the first in line into the batch where there is a slot and room in the KV cache. */
  #admitNext(atUs: number): boolean {
    const page = this.#page;
    const state = this.#state;
    const job = this.#queue.first();
    if (job < 0 || this.running === this.slots) return false;
    const jobs = this.#jobs;
    const fresh = jobs.produced(job) === NEVER_ADMITTED;
    const room = this.#rules.blockTokens === 0
      ? jobs.input(job) + jobs.output(job) - 1
      : this.#roomFor(jobs.input(job) + (fresh ? 0 : jobs.produced(job)));
    if (page[state + RESERVED]! + room > this.kvTokensMax) return false;
    page[state + RESERVED]! += room;
    this.#queue.remove(job);
    jobs.setPrefilled(job, 0);
    if (fresh) {
      jobs.setProduced(job, 0);
      this.#events.push(STARTED, jobs.ref(job), atUs);
    }
    if (this.running === this.#batchRoom) this.#growBatch();
    this.#batchPage[this.#batch + this.running++ * MEMBER] = job;
    return true;
  }

  /** Counts the blocks that the coming step needs, and preempts until they are there. */
  #takeBlocks(atUs: number): void {
    let need = this.#decodingRoom(0);
    for (let at = this.#decoding; at < this.running; at++) need += this.#roomFor(this.#promptOf(this.#jobAt(at)));
    const capacity = this.#roomFor(this.kvTokensMax - this.#rules.blockTokens + 1);
    while (need > capacity) need -= this.#preempt(atUs);
    this.#page[this.#state + RESERVED] = need;
  }

  /** Puts the latest job (of the lowest priority) back to the front of the queue; returns the room it gives up. */
  #preempt(atUs: number): number {
    const page = this.#page;
    const state = this.#state;
    const jobs = this.#jobs;
    let victim = this.running - 1;
    for (let at = victim - 1; at >= 0; at--) {
      if (jobs.level(this.#jobAt(at)) < jobs.level(this.#jobAt(victim))) victim = at;
    }
    const job = this.#jobAt(victim);
    let room: number;
    if (victim < this.#decoding) {
      const context = this.#contextOriginAt(victim) + page[state + STEPS_DONE]!;
      room = this.#roomFor(context);
      page[state + CONTEXT]! -= context;
      jobs.setProduced(job, context - jobs.input(job));
    } else {
      room = this.#roomFor(this.#promptOf(job));
      page[state + PREFILLED]! -= jobs.prefilled(job);
    }
    const members = this.#batchPage;
    const batch = this.#batch;
    members.copyWithin(batch + victim * MEMBER, batch + (victim + 1) * MEMBER, batch + this.running * MEMBER);
    if (victim < this.#decoding) {
      this.#decoding--;
      page[state + NEXT_FINISH_STEP] = Infinity;
      for (let at = 0; at < this.#decoding; at++) page[state + NEXT_FINISH_STEP] = Math.min(page[state + NEXT_FINISH_STEP]!, members[batch + at * MEMBER + FINISH_STEP]!);
    }
    this.running--;
    jobs.setPrefilled(job, WAITING);
    this.#queue.pushFront(job);
    this.#events.push(PREEMPTED, jobs.ref(job), atUs);
    return room;
  }

  /** The most of `steps` equal steps that the free blocks allow; at least 1, for the first one's blocks are taken. */
  #stepsWithinBlocks(steps: number): number {
    const page = this.#page;
    const state = this.#state;
    const block = this.#rules.blockTokens;
    const decoding = this.#decoding;
    const free = this.#roomFor(this.kvTokensMax - block + 1) - page[state + RESERVED]!;
    if (decoding * Math.ceil((steps - 1) / block) * block <= free) return steps;
    const most = this.#decodingRoom(0) + free;
    // So many fit where every last block is full by then; where it holds one token only, a block's tokens less one fewer.
    const later = Math.floor((most - page[state + CONTEXT]!) / decoding);
    let high = Math.min(steps - 1, later);
    let low = Math.min(high, Math.max(0, later - block + 1));
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.#decodingRoom(middle) <= most) low = middle;
      else high = middle - 1;
    }
    return low + 1;
  }

  /** Room that the decoding jobs need `steps` after the coming step. */
  #decodingRoom(steps: number): number {
    const members = this.#batchPage;
    const block = this.#rules.blockTokens;
    const tokens = this.#page[this.#state + STEPS_DONE]! + steps + block - 1;
    const end = this.#batch + this.#decoding * MEMBER;
    let blocks = 0;
    for (let member = this.#batch; member < end; member += MEMBER) blocks += Math.floor((members[member + CONTEXT_ORIGIN]! + tokens) / block);
    return blocks * block;
  }

  #growBatch(): void {
    const numbers = this.#batchRoom * MEMBER;
    this.#batch = this.#arena.move(this.#batchPage, this.#batch, numbers, 2 * numbers);
    this.#batchPage = this.#arena.page;
    this.#batchRoom *= 2;
  }
}
