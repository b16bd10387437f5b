import { createHash, randomUUID } from "node:crypto";
import type * as Bullmq from "bullmq";
import type { Redis } from "ioredis";
import type { Subject } from "../../sim/experiment/play-task.ts";
import { labIdentity } from "../identity.ts";
import type { JobPlayer } from "../in-order.ts";
import { type Job, type JobResult, WorkerDied } from "../job.ts";
import { filesOf } from "../subject-files.ts";
import { loadBullmq, QueueError, redisAt, shown } from "./connection.ts";
import { lifetimes, names } from "./names.ts";
import { type AnswerPacket, type JobPacket, type SubjectPacket, unpacked } from "./packet.ts";

/** What the files of a scenario may come to, bytes: they go through Redis whole. */
const mostFileBytes = 256 << 20;
/** How often it is looked who works, and whether an answer has been missed, ms. */
const lookMs = 1_000;
/** How long nobody may work before somebody is told, ms. */
const patienceMs = 3_000;

interface Waiting {
  readonly resolve: (answer: AnswerPacket) => void;
  readonly reject: (error: unknown) => void;
  readonly items: number;
  share: number;
  /** Whether it is in the queue, as far as is known. */
  added: boolean;
  /** How often in a row it was not found there. */
  missed: number;
}

/** A job was not played and is asked for once more: Redis has lost it, or a worker took its session for gone. */
const LOST: AnswerPacket = { kind: "dropped" };
/** How often a job is looked for in vain before it counts as lost. */
const missesMost = 2;

interface WorkerCard {
  readonly threads: number;
  readonly version: string;
  readonly code: string;
  readonly host: string;
}

/** Has jobs played by whichever workers take them from a queue on Redis. Workers may come and go. */
export class QueuePlayer implements JobPlayer {
  readonly #url: string;
  readonly #redis: Redis;
  readonly #queue: Bullmq.Queue<JobPacket, AnswerPacket>;
  readonly #events: Bullmq.QueueEvents;
  readonly #connections: readonly Redis[];
  readonly #say: (text: string) => void;
  readonly #session = randomUUID();
  readonly #waiting = new Map<string, Waiting>();
  readonly #subjects = new Map<Subject, Promise<string>>();
  readonly #looking: NodeJS.Timeout;
  readonly #staying: NodeJS.Timeout;
  #threads = 0;
  #jobs = 0;
  #stopped = false;
  #idleSinceMs = performance.now();
  #told = "";

  private constructor(url: string, connect: () => Redis, { Queue, QueueEvents }: typeof Bullmq, say: (text: string) => void) {
    this.#url = url;
    this.#say = say;
    const [own, forEvents] = [connect(), connect()];
    this.#redis = own;
    this.#connections = [own, forEvents];
    this.#queue = new Queue(names.queue(), { connection: own, prefix: names.prefix });
    this.#events = new QueueEvents(names.queue(), { connection: forEvents, prefix: names.prefix });
    // Connections speak for themselves.
    this.#queue.on("error", () => {});
    this.#events.on("error", () => {});
    this.#events.on("completed", ({ jobId, returnvalue }) => this.#answered(jobId, returnvalue as unknown));
    this.#events.on("failed", ({ jobId, failedReason }) => this.#failed(jobId, failedReason));
    this.#events.on("progress", ({ jobId, data }) => {
      const waiting = this.#waiting.get(jobId);
      if (waiting !== undefined && typeof data === "number") waiting.share = data;
    });
    this.#looking = setInterval(() => void this.#look().catch(() => {}), lookMs);
    this.#staying = setInterval(() => void this.#stay().catch(() => {}), lifetimes.renewMs);
  }

  /**
   * @param say told in plain words what keeps runs from being played, such as that nobody works
   * @throws QueueError where there is no such Redis
   */
  static async connect(url: string, say: (text: string) => void = () => {}): Promise<QueuePlayer> {
    const connect = await redisAt(url, say);
    const player = new QueuePlayer(url, connect, (await loadBullmq()).bullmq, say);
    await player.#stay();
    await player.#events.waitUntilReady();
    await player.#look();
    return player;
  }

  /** Threads of all workers, as far as is known; at least 1. */
  get workers(): number {
    return Math.max(1, this.#threads);
  }

  /** Twice as many jobs are given as can be played, so that whoever is done finds the next one waiting. */
  get free(): number {
    return this.#stopped ? 0 : Math.max(0, 2 * this.workers + 2 - this.#waiting.size);
  }

  get underWay(): number {
    let items = 0;
    for (const { share, items: all } of this.#waiting.values()) items += Math.min(all, share);
    return items;
  }

  async play<Result>(job: Job): Promise<JobResult<Result>> {
    if (job.kind !== "runs") throw new QueueError(`--queue plays runs of experiments, not ${job.kind}.`);
    for (;;) {
      const found = await this.#ask(job);
      if (found.kind === "played") return { results: unpacked(found) as unknown as Result[], ms: found.ms };
      if (found.kind === "died") throw new WorkerDied(found.reason);
    }
  }

  async #ask(job: Extract<Job, { readonly kind: "runs" }>): Promise<AnswerPacket> {
    const id = `${this.#session}-${this.#jobs++}`;
    const answer = new Promise<AnswerPacket>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject, items: job.items.length, share: 0, added: false, missed: 0 });
    });
    // Whoever is asked to stop meanwhile hears of it below.
    answer.catch(() => {});
    try {
      const packet: JobPacket = { session: this.#session, subject: await this.#subject(job.subject), items: job.items };
      await this.#queue.add("runs", packet, {
        jobId: id, attempts: 1, removeOnComplete: { age: lifetimes.resultsS }, removeOnFail: { age: lifetimes.resultsS },
      });
      const waiting = this.#waiting.get(id);
      if (waiting !== undefined) waiting.added = true;
      return await answer;
    } finally {
      this.#waiting.delete(id);
      if (!this.#stopped) void this.#queue.remove(id).catch(() => {});
    }
  }

  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    // Workers drop what is left of a session that is over.
    void this.#redis.del(names.session(this.#session)).catch(() => {});
    for (const { reject } of this.#waiting.values()) reject(new Error("stopped"));
  }

  /** Takes what is left of this session off the queue, and lets go of Redis. */
  async close(): Promise<void> {
    const left = [...this.#waiting.keys()];
    this.stop();
    clearInterval(this.#looking);
    clearInterval(this.#staying);
    const tidy = Promise.all(left.map((id) => this.#queue.remove(id).catch(() => {}))).then(() => Promise.all([this.#queue.close(), this.#events.close()]));
    await Promise.race([tidy.catch(() => {}), new Promise((resolve) => setTimeout(resolve, patienceMs).unref())]);
    for (const connection of this.#connections) connection.disconnect();
  }

  #answered(id: string, value: unknown): void {
    this.#waiting.get(id)?.resolve((typeof value === "string" ? JSON.parse(value) : value) as AnswerPacket);
  }

  #failed(id: string, reason: string): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    // Its worker, and those who took it over, have ended without a word.
    if (/stalled/.test(reason)) waiting.reject(new WorkerDied(reason));
    else waiting.reject(new Error(`A worker of ${shown(this.#url)}: ${reason}`));
  }

  #subject(subject: Subject): Promise<string> {
    let known = this.#subjects.get(subject);
    if (known === undefined) this.#subjects.set(subject, (known = this.#upload(subject)));
    return known;
  }

  async #upload(subject: Subject): Promise<string> {
    const files = filesOf(subject);
    const bytes = files.reduce((sum, file) => sum + file.bytes.length, 0);
    if (bytes > mostFileBytes) throw new QueueError(`the files that ${subject.fileName} names come to ${Math.ceil(bytes / (1 << 20))} MiB; with --queue at most ${mostFileBytes >> 20} MiB go to the workers.`);
    for (const file of files) await this.#redis.set(names.blob(file.sha256), Buffer.from(file.bytes), "EX", lifetimes.filesS);
    const packet: SubjectPacket = { source: subject.source, fileName: subject.fileName, sets: subject.sets, files: files.map(({ path, sha256 }) => ({ path, sha256 })) };
    const text = JSON.stringify(packet);
    const id = createHash("sha256").update(text).digest("hex");
    await this.#redis.set(names.subject(id), text, "EX", lifetimes.filesS);
    return id;
  }

  /** Says that this session is there, and wants its files kept. */
  async #stay(): Promise<void> {
    if (this.#stopped) return;
    await this.#redis.set(names.session(this.#session), "1", "EX", lifetimes.aliveS);
    for (const subject of this.#subjects.values()) await this.#redis.expire(names.subject(await subject), lifetimes.filesS);
  }

  /** Who works, and whether an event was missed, as while Redis was away. */
  async #look(): Promise<void> {
    const cards: WorkerCard[] = [];
    for (let cursor = "0"; ;) {
      const [next, keys] = await this.#redis.scan(cursor, "MATCH", names.worker("*"), "COUNT", 1_000);
      if (keys.length > 0) for (const text of await this.#redis.mget(keys)) if (text !== null) cards.push(JSON.parse(text) as WorkerCard);
      if (next === "0") break;
      cursor = next;
    }
    const own = labIdentity();
    const fitting = cards.filter(({ version, code }) => version === own.version && code === own.code);
    this.#threads = fitting.reduce((sum, { threads }) => sum + threads, 0);
    const nowMs = performance.now();
    if (fitting.length > 0) {
      this.#idleSinceMs = nowMs;
      this.#told = "";
    } else if (nowMs - this.#idleSinceMs > patienceMs) {
      const [other] = cards;
      const told = other === undefined
        ? `Nobody works for ${shown(this.#url)} yet. On any machine: infernet worker --queue ${shown(this.#url)}\n`
        : `The workers at ${shown(this.#url)} have another infernet-lab (${other.host}: ${other.version}, code ${other.code}) than this one (${own.version}, code ${own.code}), and get none of its runs: results would differ. Install the same one there.\n`;
      if (told !== this.#told) this.#say(told);
      this.#told = told;
    }
    for (const [id, waiting] of this.#waiting) {
      if (!waiting.added) continue;
      const job = await this.#queue.getJob(id);
      waiting.missed = job === undefined ? waiting.missed + 1 : 0;
      if (job === undefined && waiting.missed >= missesMost) {
        // A Redis that came back without its data has lost the files as well.
        this.#subjects.clear();
        waiting.resolve(LOST);
      }
      if (job?.finishedOn === undefined) continue;
      if (job.failedReason === undefined || job.failedReason === "") this.#answered(id, job.returnvalue);
      else this.#failed(id, job.failedReason);
    }
  }
}
