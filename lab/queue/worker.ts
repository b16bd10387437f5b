import { createHash, randomUUID } from "node:crypto";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { extname, join } from "node:path";
import type * as Bullmq from "bullmq";
import type { Redis } from "ioredis";
import type { Subject } from "../../sim/experiment/play-task.ts";
import { labIdentity } from "../identity.ts";
import { WorkerDied } from "../job.ts";
import { WorkerPool } from "../pool.ts";
import type { WireOutcome } from "../wire.ts";
import { loadBullmq, redisAt } from "./connection.ts";
import { lifetimes, names } from "./names.ts";
import { type AnswerPacket, type JobPacket, packed, type SubjectPacket } from "./packet.ts";

/** A worker whose sign of life is older than this has died, ms; its job goes to another one. */
const lockMs = 3_000;
const lookMs = 1_500;
/** How many workers a job may outlive. */
const lives = 3;

export interface QueueWorkerOptions {
  /** Runs played side by side. */
  readonly threads: number;
  /** Told in plain words how it goes. */
  readonly say?: (text: string) => void;
}

/** Plays jobs of a queue on Redis until it is closed. */
export class QueueWorker {
  /** Jobs that it has played. */
  played = 0;
  readonly #pool: WorkerPool;
  readonly #redis: Redis;
  readonly #connections: readonly Redis[];
  readonly #worker: Bullmq.Worker<JobPacket, AnswerPacket>;
  readonly #staying: NodeJS.Timeout;
  readonly #card: string;
  readonly #id = `${hostname()}-${process.pid}-${randomUUID().slice(0, 8)}`;
  readonly #files = mkdtempSync(join(tmpdir(), "infernet-worker-"));
  readonly #subjects = new Map<string, Promise<{ readonly subjectId: number; readonly subject: Subject }>>();

  private constructor(connect: () => Redis, { Worker }: typeof Bullmq, { threads }: QueueWorkerOptions) {
    this.#pool = new WorkerPool({ workers: threads });
    const [own, blocking] = [connect(), connect()];
    this.#redis = own;
    this.#connections = [own, blocking];
    this.#card = JSON.stringify({ threads, host: hostname(), ...labIdentity() });
    this.#worker = new Worker(names.queue(), (job) => this.#play(job.data, (items) => job.updateProgress(items)), {
      connection: blocking, prefix: names.prefix, concurrency: threads, lockDuration: lockMs, stalledInterval: lookMs, maxStalledCount: lives,
    });
    this.#worker.on("error", () => {});
    this.#staying = setInterval(() => void this.#stay().catch(() => {}), lifetimes.renewMs);
  }

  /** @throws QueueError where there is no such Redis */
  static async start(url: string, options: QueueWorkerOptions): Promise<QueueWorker> {
    const connect = await redisAt(url, options.say);
    const worker = new QueueWorker(connect, (await loadBullmq()).bullmq, options);
    await worker.#worker.waitUntilReady();
    await worker.#stay();
    return worker;
  }

  /** Ends the runs under way first. */
  async close(): Promise<void> {
    clearInterval(this.#staying);
    await this.#redis.del(names.worker(this.#id)).catch(() => {});
    await this.#worker.close();
    await this.#pool.close();
    for (const connection of this.#connections) connection.disconnect();
    this.tidy();
  }

  /** Removes its files; for whoever ends without closing. */
  tidy(): void {
    rmSync(this.#files, { recursive: true, force: true });
  }

  async #play({ session, subject: id, items }: JobPacket, progress: (items: number) => Promise<void>): Promise<AnswerPacket> {
    if ((await this.#redis.exists(names.session(session))) === 0) return { kind: "dropped" };
    const { subjectId, subject } = await this.#subject(id);
    const telling = setInterval(() => void progress(this.#pool.underWay).catch(() => {}), lookMs);
    try {
      const { results, ms } = await this.#pool.play<WireOutcome>({ kind: "runs", subjectId, subject, items });
      this.played += results.length;
      return packed(results, ms);
    } catch (error) {
      if (error instanceof WorkerDied) return { kind: "died", reason: error.message };
      throw error;
    } finally {
      clearInterval(telling);
    }
  }

  #subject(id: string): Promise<{ readonly subjectId: number; readonly subject: Subject }> {
    let known = this.#subjects.get(id);
    if (known === undefined) {
      this.#subjects.set(id, (known = this.#fetch(id, this.#subjects.size)));
      known.catch(() => this.#subjects.delete(id));
    }
    return known;
  }

  async #fetch(id: string, subjectId: number): Promise<{ readonly subjectId: number; readonly subject: Subject }> {
    const text = await this.#redis.get(names.subject(id));
    if (text === null) throw new Error(`the scenario ${id} is not in Redis any more`);
    const { files, ...subject } = JSON.parse(text) as SubjectPacket;
    const here: Record<string, string> = {};
    for (const { path, sha256 } of files) {
      const file = join(this.#files, `${sha256}${extname(path)}`);
      if (!existsSync(file)) {
        const bytes = await this.#redis.getBuffer(names.blob(sha256));
        if (bytes === null || createHash("sha256").update(bytes).digest("hex") !== sha256) throw new Error(`the file ${path} is not in Redis any more`);
        writeFileSync(file, bytes);
      }
      here[path] = file;
    }
    return { subjectId, subject: { ...subject, files: here } };
  }

  async #stay(): Promise<void> {
    await this.#redis.set(names.worker(this.#id), this.#card, "EX", lifetimes.aliveS);
  }
}
