import { setImmediate as nextTurn } from "node:timers/promises";
import { type Job, type JobResult, WorkerDied } from "./job.ts";

/** Plays jobs side by side. */
export interface JobPlayer {
  readonly workers: number;
  /** How many jobs more can be given now. */
  readonly free: number;
  /** Items of the jobs under way that are over, in parts of those that are not. */
  readonly underWay: number;
  /** @throws WorkerDied where the worker ended under the job; what the job threw */
  play<Result>(job: Job): Promise<JobResult<Result>>;
  /** Asks the workers to give up what they are at. After that the player is of no more use. */
  stop(): void;
}

/** What is to be done with items of one kind. */
export interface Plays<Item, Result> {
  job(items: readonly Item[]): Job;
  /** A result that is there already; null: the item has to be played. */
  known(item: Item): Result | null;
  /** Told of what was played, as it comes. */
  finished(item: Item, result: Result): void;
  /** What stands for the result of an item that ended its worker twice, each time it was played alone. */
  died(item: Item, reason: string): Result;
}

export interface InOrderOptions<Item, Result> {
  /** Called in the order of the items. */
  readonly take: (item: Item, result: Result) => void;
  /** How many items there are, as far as is known. */
  readonly count: number;
  /** Results that may wait for one before them. */
  readonly mostWaiting: number;
  /** Told ten times a second how many items are over, in parts of those that are not. */
  readonly onProgress: (done: number) => void;
  readonly signal: AbortSignal | undefined;
}

/** Time that one job should take, ms: long enough that handing it over costs nothing, short enough to lose little. */
const jobMs = 50;
const progressMs = 100;
/** How often an item may end its worker. */
const lives = 2;
/** Known results between two turns of the event loop. */
const knownPerTurn = 256;

interface Entry<Item> {
  readonly index: number;
  readonly item: Item;
  deaths: number;
}

/**
 * Plays items on a pool. They are asked for as they are needed, and several that are short share a job; neither shows in the
 * results. Once the signal is aborted, `take` is called for the first items alone.
 * @returns how many were taken
 * @throws what `take`, or playing an item, throws; the pool is of no more use then
 */
export async function playInOrder<Item, Result>(pool: JobPlayer, items: Iterable<Item>, plays: Plays<Item, Result>, options: InOrderOptions<Item, Result>): Promise<number> {
  const { take, count, mostWaiting, onProgress, signal } = options;
  const source = items[Symbol.iterator]();
  const waiting = new Map<number, readonly [Item, Result]>();
  const again: Entry<Item>[] = [];
  let asked = 0;
  let taken = 0;
  let over = 0;
  let underWay = 0;
  let exhausted = false;
  let known = 0;
  let itemMs = Infinity;
  let failed: { readonly error: unknown } | null = null;
  let wake = (): void => {};
  const stopping = (): boolean => failed !== null || signal?.aborted === true;

  const deliver = (index: number, item: Item, result: Result): void => {
    over++;
    waiting.set(index, [item, result]);
    for (let next = waiting.get(taken); next !== undefined; next = waiting.get(taken)) {
      waiting.delete(taken++);
      take(...next);
    }
  };

  /** Items for one job: fewer towards the end, so that all workers end at about the same time. */
  const jobSize = (): number => Math.max(1, Math.min(Math.floor(jobMs / itemMs), Math.floor((count - asked) / (2 * pool.workers))));

  const nextEntries = (): Entry<Item>[] => {
    const retried = again.pop();
    if (retried !== undefined) return [retried];
    const entries: Entry<Item>[] = [];
    const size = jobSize();
    while (entries.length < size && !exhausted && asked - taken < mostWaiting && known < knownPerTurn) {
      const next = source.next();
      if (next.done === true) {
        exhausted = true;
        break;
      }
      const index = asked++;
      const result = plays.known(next.value);
      if (result === null) {
        entries.push({ index, item: next.value, deaths: 0 });
      } else {
        known++;
        deliver(index, next.value, result);
      }
    }
    return entries;
  };

  const send = async (entries: readonly Entry<Item>[]): Promise<void> => {
    underWay++;
    try {
      const { results, ms } = await pool.play<Result>(plays.job(entries.map(({ item }) => item)));
      if (results.length > 0) itemMs = Math.max(0.01, ms / results.length);
      for (const [i, result] of results.entries()) plays.finished(entries[i]!.item, result);
      for (const [i, result] of results.entries()) deliver(entries[i]!.index, entries[i]!.item, result);
    } catch (error) {
      // Ended because they were asked to stop, or would have been.
      if (stopping()) return;
      if (!(error instanceof WorkerDied)) throw error;
      if (entries.length === 1) entries[0]!.deaths++;
      for (const entry of entries.toReversed()) {
        if (entry.deaths < lives) again.push(entry);
        else deliver(entry.index, entry.item, plays.died(entry.item, error.message));
      }
    } finally {
      underWay--;
    }
  };

  const fail = (error: unknown): void => {
    failed ??= { error };
    pool.stop();
  };
  const stop = (): void => pool.stop();
  const tell = (): void => onProgress(over + pool.underWay);
  signal?.addEventListener("abort", stop);
  const telling = setInterval(() => {
    try {
      tell();
    } catch (error) {
      fail(error);
    }
  }, progressMs);
  try {
    tell();
    for (;;) {
      const woken = new Promise<void>((resolve) => void (wake = resolve));
      known = 0;
      while (!stopping() && pool.free > 0) {
        const entries = nextEntries();
        if (entries.length === 0) break;
        void send(entries).catch(fail).finally(() => wake());
      }
      if (known >= knownPerTurn && !stopping()) await nextTurn();
      else if (underWay > 0) await woken;
      else break;
    }
    if (failed !== null) throw (failed as { readonly error: unknown }).error;
    tell();
    return taken;
  } finally {
    clearInterval(telling);
    signal?.removeEventListener("abort", stop);
  }
}
